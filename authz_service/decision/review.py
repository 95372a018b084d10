"""An access review: who may do what on an entity, or what somebody may, with the rules for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from authz_service.decision.explanation import Evidence
    from authz_service.policy.origin import RuleText
    from authz_service.policy.request import Said
    from authz_service.store.entity import Reference

ANY: Final = "any"
NO_CHANNEL: Final = "none"


@dataclass(frozen=True)
class Wanted:
    """What is to be reviewed.

    Arguments:
        entity: whom or what it is about.
        side: whether as `subject`, what it may do, or as `resource`, who may do what on it and on
            what belongs to it; None for `subject` wherever it can be one.
        said: what comes with each question.
        via: the one channel to ask for; None for each that the policies name, and for none.
        limit: how many may be listed whom a rule lets in without relating them to what they may
            act on; where there are more, they are counted.
    """

    entity: Reference
    side: str | None
    said: Said
    via: str | None
    limit: int


@dataclass(frozen=True)
class Basis:
    """By what something is granted.

    Arguments:
        rules: from the first to the last that was applied.
        since: revision of the last write among the entities that they look at: since then it has
            been granted so; None where they look at none.
        evidence: those entities.
    """

    rules: tuple[RuleText, ...]
    since: int | None
    evidence: tuple[Evidence, ...]

    @property
    def comment(self) -> str:
        """What the first of the rules that have a comment says."""
        return next((each.comment for each in self.rules if each.comment), "")


@dataclass(frozen=True)
class Grant:
    """One thing that somebody may do.

    Arguments:
        subject: who.
        action: what.
        resource: on which entity.
        via: by which channels.
        bases: by what, one for each way through the rules; what has stood longest comes first.
    """

    subject: Reference
    action: str
    resource: Reference
    via: str
    bases: tuple[Basis, ...]


@dataclass(frozen=True)
class Others:
    """Those that are counted, not listed: subjects on the side of a resource, and the reverse.

    Arguments:
        entity: the resource on which they may, or the subject that may.
        action: what.
        kind: the type of those that are counted.
        via: by which channels.
        count: how many they are.
        rules: with one of which the way to each of them begins.
    """

    entity: Reference
    action: str
    kind: str
    via: str
    count: int
    rules: tuple[RuleText, ...]


@dataclass(frozen=True)
class Review:
    """What a review found, all in one state of the store and at one time.

    Arguments:
        entity: whom or what it is about.
        side: `subject` or `resource`.
        belongings: how many other entities belong to it.
        revision: of the store.
        at: when it was asked.
        policy_digest: which policy set decided.
        channels: those that were asked for.
        grants: by subject, then by action and resource.
        others: those that are counted.
    """

    entity: Reference
    side: str
    belongings: int
    revision: int
    at: datetime
    policy_digest: str
    channels: tuple[str, ...]
    grants: tuple[Grant, ...]
    others: tuple[Others, ...]

    @property
    def rules(self) -> tuple[RuleText, ...]:
        """All rules that had a part in it, in the order of the files."""
        found = {rule for grant in self.grants for each in grant.bases for rule in each.rules}
        found |= {rule for each in self.others for rule in each.rules}
        return tuple(sorted(found, key=_place))


def _place(rule: RuleText) -> tuple[str, int]:
    file, _, line = rule.place.rpartition(":")
    return file, int(line)
