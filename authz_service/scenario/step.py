"""Steps of a scenario: what is done between the questions, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from authz_service.policy.request import Said
from authz_service.policy.said import write_said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz_service.document import Value
    from authz_service.errors import Place
    from authz_service.store.entity import Reference

# What a file writes for an entity that is no more.
REMOVED: Final = "removed"


@dataclass(frozen=True)
class Sent:
    """Stands for what was sent to whoever takes a step.

    Arguments:
        field: of their last message that has it.
    """

    field: str


@dataclass(frozen=True)
class Changed:
    """An entity that a step must change.

    Arguments:
        place: where the file names it.
        reference: which one.
        values: attributes that it must have afterwards, as they stand in the file; None for one
            that must be no more.
    """

    place: Place
    reference: Reference
    values: Value | None


@dataclass(frozen=True)
class Step:
    """One thing that is done.

    Arguments:
        place: where the file says so.
        subject: who does it.
        action: what, by name.
        resource: on which entity.
        channel: by which channel; None for none.
        said: what else comes with it.
        sent: what comes with it that was sent: the parameter, and the field of the message.
        after: how far the clock is put forward before.
        new: the id of the entity that it makes; empty where the file gives none.
        changes: the entities that must change; None where the file does not say.
        informs: the templates of the messages, by their address; None as above.
        denied: codes that must be among those of the denial; empty for what must be done.
        tags: words by which it is picked: those of its scenario.
        skip: why it is not taken; empty for one that is.
        places: where the file says each of that, by key, or by part and name: `action.token`.
    """

    place: Place
    subject: Reference
    action: str
    resource: Reference
    channel: str | None = None
    said: Said = field(default_factory=Said)
    sent: Mapping[str, str] = field(default_factory=dict)
    after: timedelta = timedelta()
    new: str = ""
    changes: tuple[Changed, ...] | None = None
    informs: Mapping[str, tuple[str, ...]] | None = None
    denied: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    skip: str = ""
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def say(self, sent: Mapping[str, str]) -> Said:
        """Say what comes with it beside the channel.

        Arguments:
            sent: what was sent, by parameter.
        """
        return replace(self.said, action={**self.said.action, **sent})

    def __str__(self) -> str:
        """Write it in one line."""
        via = f" via {self.channel}" if self.channel is not None else ""
        sent = {name: f"(sent {field})" for name, field in self.sent.items()}
        said = write_said(self.say(sent))
        words = " ".join(["", "with", *said]) if said else ""
        return f"do {self.subject} {self.action} {self.resource}{via}{words}"
