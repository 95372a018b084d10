"""The grid: who may do what, by what they are to the resource, for each action and channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from authz_service.coverage.relations import NO_RELATION, find_relations
from authz_service.policy.folding import OTHER, find_values
from authz_service.policy.said import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz_service.coverage.relations import Relation
    from authz_service.polar.schema import Schema
    from authz_service.policy.clauses import Clause
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.plan import Key, Question

# How channels are called that are no word of the policies.
ANY_CHANNEL: Final = "any"
NO_CHANNEL: Final = "none"
OTHER_CHANNEL: Final = "other"

# Of what the policies do not name, one word stands for all.
_UNLISTED: Final = ("fax", "pigeon", "smoke")


class Cell(NamedTuple):
    """A cell of the grid.

    Arguments:
        resource: the type of what is asked about.
        subject: the type of who asks.
        relation: what the subject is to the resource.
        action: what for.
        channel: by which channel; `any` where the policies do not look at it, `none` for a question
            that names none, `other` for one that they do not name.
    """

    resource: str
    subject: str
    relation: str
    action: str
    channel: str


@dataclass(frozen=True)
class Frame:
    """The cells of one kind of question.

    Arguments:
        key: which kind.
        relations: the rows.
        channels: what the policies look at, each a word, None for none, or `OTHER`; empty where
            they look at none.
    """

    key: Key
    relations: tuple[Relation, ...]
    channels: tuple[Any, ...]

    @property
    def channel_names(self) -> list[str]:
        """How the channels are called."""
        return [self.name_channel(each) for each in self.channels or (None,)]

    @property
    def cells(self) -> list[Cell]:
        """All of them."""
        return [
            self.find_cell(each.name, channel)
            for each in self.relations
            for channel in self.channel_names
        ]

    def find_cell(self, relation: str, channel: str) -> Cell:
        """Find the cell of a relation and a channel, as they are called."""
        subject, action, resource = self.key
        return Cell(resource, subject, relation, action, channel)

    def name_channel(self, said: Any) -> str:
        """Find how the channel of a question is called."""
        if not self.channels:
            return ANY_CHANNEL
        if said is None:
            return NO_CHANNEL
        return said if said is not OTHER and said in self.channels else OTHER_CHANNEL

    def say_channel(self, name: str) -> str | None:
        """Find what a question says whose channel is called so."""
        if name == OTHER_CHANNEL:
            return next(each for each in _UNLISTED if each not in self.channels)
        return None if name in {ANY_CHANNEL, NO_CHANNEL} else name

    def find_relations(self, holding: frozenset[Clause]) -> list[str]:
        """Find what the subject of a question is to its resource, by the clauses that hold."""
        found = [each.name for each in self.relations if not holding.isdisjoint(each.clauses)]
        return found or [NO_RELATION]


def find_frames(engine: CompiledEngine, schema: Schema) -> dict[Key, Frame]:
    """Find the cells of everything that can be asked."""
    asked: dict[tuple[str, str], list[Clause]] = {}
    for key in engine.keys:
        asked.setdefault((key[0], key[2]), []).extend(_find_clauses(engine.get_question(*key)))
    relations = {pair: find_relations(each, pair[0], schema) for pair, each in asked.items()}
    return {
        key: Frame(key, relations[key[0], key[2]], _find_channels(engine.get_question(*key)))
        for key in engine.keys
    }


def _find_channels(question: Question) -> tuple[Any, ...]:
    return find_values(_find_clauses(question)).get(CHANNEL, ())


def _find_clauses(question: Question) -> Sequence[Clause]:
    permitting, forbidding = question.parts
    return [*permitting, *(each for clauses in forbidding for each in clauses)]
