"""A question of a scenario for a list: who may do something, on what, or what somebody may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from authz_service.policy.request import Said
from authz_service.policy.said import add_channel
from authz_service.scenario.inquiry import write_circumstances

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz_service.errors import Place
    from authz_service.store.entity import Reference

WHO: Final = "who"
WHAT: Final = "what"
ACTIONS: Final = "actions"


@dataclass(frozen=True)
class Listing:
    """One list, and all that must be in it.

    Arguments:
        place: where the file asks for it.
        kind: what is looked for: `who`, `what` or `actions`.
        expected: the entities, as `type/id`, or the actions.
        subject: who asks; None where that is looked for.
        action: what for; empty where that is looked for.
        resource: on which entity; None where that is looked for.
        channel: by which channel; None for a question that names none.
        said: what else comes with the question.
        tags, skip, places: as of an inquiry.
    """

    place: Place
    kind: str
    expected: frozenset[str]
    subject: Reference | None = None
    action: str = ""
    resource: Reference | None = None
    channel: str | None = None
    said: Said = field(default_factory=Said)
    tags: tuple[str, ...] = ()
    skip: str = ""
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    @property
    def all_said(self) -> Said:
        """All that comes with the question, the channel included."""
        return add_channel(self.said, self.channel)

    def __str__(self) -> str:
        """Write the question in one line."""
        asked = {
            WHO: f"who can {self.action} {self.resource}",
            WHAT: f"what {self.subject} can {self.action}",
            ACTIONS: f"what {self.subject} can do on {self.resource}",
        }
        return asked[self.kind] + write_circumstances(self.channel, self.said)
