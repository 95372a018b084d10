"""A question of a scenario, with the answer that must be given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from authz_service.policy.request import Said
from authz_service.policy.said import add_channel, write_said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz_service.errors import Place
    from authz_service.policy.missing import Fact
    from authz_service.store.entity import Reference


@dataclass(frozen=True)
class Expectation:
    """What must come of one action.

    Arguments:
        place: where the file says so.
        action: the action's name.
        allowed: whether the subject must be allowed to.
        reasons: codes that must be among those of the denial.
        because: rules by which it must be allowed, as the file names them; all of them in one
            chain.
        missing: facts that must be among what is proposed for another answer; empty for any.
        only_these: whether the denial must have no other reasons.
    """

    place: Place
    action: str
    allowed: bool
    reasons: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    missing: tuple[Fact, ...] = ()
    only_these: bool = False

    @property
    def asks_why(self) -> bool:
        """Whether it says for what the answer must be given."""
        return bool(self.because or self.missing)


@dataclass(frozen=True)
class Inquiry:
    """One question of a scenario: an expectation about one subject, resource and channel.

    Arguments:
        expected: the action, and what must come of it.
        subject: who asks.
        resource: on which entity.
        channel: by which channel; None for a question that names none.
        said: what else comes with the question.
        tags: words by which it is picked, those of its scenario included.
        skip: why it is not put; empty for one that is.
        places: where the file says each of that, by key, or by part and name: `action.soft`.
    """

    expected: Expectation
    subject: Reference
    resource: Reference
    channel: str | None
    said: Said = field(default_factory=Said)
    tags: tuple[str, ...] = ()
    skip: str = ""
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    @property
    def place(self) -> Place:
        """Where the file asks it."""
        return self.expected.place

    @property
    def action(self) -> str:
        """What for, by name."""
        return self.expected.action

    @property
    def all_said(self) -> Said:
        """All that comes with the question, the channel included."""
        return add_channel(self.said, self.channel)

    def __str__(self) -> str:
        """Write the question in one line."""
        asked = f"{self.subject} {self.action} {self.resource}"
        return asked + write_circumstances(self.channel, self.said)


def write_circumstances(channel: str | None, said: Said) -> str:
    """Write what comes with a question, as the end of its line."""
    via = f" via {channel}" if channel is not None else ""
    return via + (" ".join(["", "with", *write_said(said)]) if said != Said() else "")
