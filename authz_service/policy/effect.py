"""What a change of policies does, as values: who gains and who loses, by which rule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from authz_service.policy.words import describe_origin

if TYPE_CHECKING:
    from authz_service.policy.clauses import Clause
    from authz_service.policy.plan import Key


class Direction(StrEnum):
    """What becomes of a question that is answered otherwise."""

    ALLOWED = "newly allowed"
    DENIED = "newly denied"


class Ground(StrEnum):
    """What a rule has to do with it."""

    PERMITTED = "permitted by"
    NOT_FORBIDDEN = "no longer forbidden by"
    NOT_PERMITTED = "no longer permitted by"
    FORBIDDEN = "forbidden by"


@dataclass(frozen=True, order=True)
class Cause:
    """For whose sake somebody gains or loses.

    Arguments:
        direction: which of both.
        ground: what the rule does now, or did before.
        rule: the rules that its clause came by, each with its place.
    """

    direction: Direction
    ground: Ground
    rule: str

    @classmethod
    def of(cls, direction: Direction, clause: Clause, *, is_forbid: bool) -> Cause:
        """Name the cause that a clause is, which permits or forbids."""
        if direction is Direction.ALLOWED:
            ground = Ground.NOT_FORBIDDEN if is_forbid else Ground.PERMITTED
        else:
            ground = Ground.FORBIDDEN if is_forbid else Ground.NOT_PERMITTED
        return cls(direction, ground, describe_origin(clause))


@dataclass(frozen=True)
class Example:
    """One of those concerned.

    Arguments:
        subject, resource: their ids.
        via: the channel of the question; None for none, and where several ways are told.
        said: what else came with it, as `action.soft=true`.
    """

    subject: str
    resource: str
    via: str | None = None
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Effect:
    """Those for whom one rule makes a difference, for one action.

    Arguments:
        cause: the rule.
        key: the type of the subject, the action, and the type of the resource.
        circumstances: in which they gain or lose, each a way to ask; none for all that there are.
        count: how many.
        is_exact: whether there are no more.
        examples: some of them.
    """

    cause: Cause
    key: Key
    circumstances: tuple[str, ...]
    count: int
    is_exact: bool
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of comparing two policies.

    Arguments:
        old, new: how they are called.
        revision: of the store.
        unit: what is counted, in the singular.
        effects: the differences that matter to somebody.
        notes: what is assumed, and what could not be looked at.
        is_repeated: whether one example may count several times.
    """

    old: str
    new: str
    revision: int
    unit: str
    effects: tuple[Effect, ...]
    notes: tuple[str, ...]
    is_repeated: bool = False

    def find(self, direction: Direction) -> list[Effect]:
        """Find the effects of one direction."""
        return [each for each in self.effects if each.cause.direction is direction]
