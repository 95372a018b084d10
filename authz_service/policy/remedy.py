"""The smallest changes after which a clause would hold, or would hold no longer.

A clause is made to hold by finding rows for its sources, such as are joined as it wants it or new
ones, and then turning one condition after the other. A condition is turned at one of its sides: a
value of a row, or something that the caller says. What stands under a `not` is made not to hold:
one of its conditions is turned, or the row by which it holds removed, until no row is left by which
it does. Each way is followed to its end, and none supposes a value twice.

An example: of `membership.person = subject and membership.customer = resource and membership.role
in ["administrator"]`, with a membership of role `user`, the one way is that this role be
`administrator`; without a membership it is a new one of that role.

Not everything can be supposed. An id stays, and so does whatever it is made of, what other entities
repeat, and what time it is.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Final

from authz_service.polar.schema import BOOLEAN, SCALARS
from authz_service.policy.clauses import (
    ID,
    MIRRORED,
    Absent,
    Column,
    Comparison,
    Given,
    IsNull,
    Literal,
    OneOf,
    RowSource,
    find_operands,
)
from authz_service.policy.condition import mentions
from authz_service.policy.probe import MOST_ROWS
from authz_service.policy.situation import NO_ID, NOT_IN, Demand
from authz_service.policy.symbols import NOW, is_nullable
from authz_service.policy.values import find_fitting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from authz_service.polar.schema import Attribute
    from authz_service.policy.clauses import Clause, Condition, Source
    from authz_service.policy.probe import Found, Probe
    from authz_service.policy.situation import Situation
    from authz_service.policy.supposition import Reader
    from authz_service.policy.vocabulary import Vocabulary

# How many steps a search for changes may take; a policy that wants more gets fewer proposals.
_MOST_STEPS: Final = 400
_MOST_CHOICES: Final = 16
_NEGATED: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class Remedies:
    """Finds what would have to be otherwise, for one question.

    Arguments:
        vocabulary: what can be supposed of entities.
        probes: by the identity of a clause; of all that have sources.
        suppose: gives a reader of the store as a situation supposes it.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        probes: Mapping[int, Probe],
        suppose: Callable[[Situation], Reader],
    ) -> None:
        self._vocabulary = vocabulary
        self._probes = probes
        self._suppose = suppose
        self._left = _MOST_STEPS

    def make_true(self, clause: Clause, situation: Situation) -> Iterator[Situation]:
        """Find situations in which a clause holds."""
        for chosen in self._choose(clause, clause.sources, situation):
            yield from self._meet(clause.conditions, chosen)

    def make_false(self, clause: Clause, situation: Situation) -> Iterator[Situation]:
        """Find situations in which a clause does not hold."""
        if not self._may_go_on():
            return
        if not clause.sources:
            yield from self._break(clause, situation)
            return
        witnesses = self.find_witnesses(clause, situation)
        if not witnesses:
            yield situation
        if not 0 < len(witnesses) < MOST_ROWS:  # there may be any number of others
            return
        held = situation.bind(witnesses[0])
        for condition in clause.conditions:
            for turned in self._turn(condition, held, wanted=False):
                yield from self.make_false(clause, turned)
        for found in witnesses[0]:
            if self._vocabulary.may_go(found.key) and found.key not in situation.added:
                yield from self.make_false(clause, held.remove(found.key))

    def find_witnesses(self, clause: Clause, situation: Situation) -> list[tuple[Found, ...]]:
        """Find rows by which a clause with sources holds, as many as are looked at."""
        return self._probes[id(clause)].find_holding(self._suppose(situation), situation.read)

    def holds(self, condition: Condition, situation: Situation) -> bool:
        """Tell whether a condition holds whose rows are known, but for those under a `not`."""
        if isinstance(condition, Absent):
            return not self._is_there(condition.clause, situation)
        return situation.fulfils(condition)

    def come_near(self, clause: Clause, situation: Situation) -> Situation:
        """Let the names of a clause stand for the rows that come nearest, if there are any."""
        for source in clause.sources:
            near = [situation.bind(each) for each in self._find_near(clause, source, situation)]
            if not near:
                break
            situation = max(
                near,
                key=lambda each: sum(self.is_met(part, clause, each) for part in clause.conditions),
            )
        return situation

    def is_met(self, condition: Condition, clause: Clause, situation: Situation) -> bool:
        """Tell whether a condition of a clause holds, as far as its rows are known."""
        unknown = {each.alias.name for each in clause.sources}.difference(situation.bound)
        if unknown and mentions(condition, unknown):
            return False
        return self.holds(condition, situation)

    def _is_there(self, clause: Clause, situation: Situation) -> bool:
        if clause.sources:
            return bool(self.find_witnesses(clause, situation))
        return all(self.holds(each, situation) for each in clause.conditions)

    def _find_near(
        self, clause: Clause, source: Source, situation: Situation
    ) -> list[tuple[Found, ...]]:
        probe = self._probes[id(clause)]
        return probe.find_near(source, self._suppose(situation), situation.read)

    def _choose(
        self, clause: Clause, sources: Sequence[Source], situation: Situation
    ) -> Iterator[Situation]:
        """Find rows for all of some sources: such as come near, and new ones."""
        if not sources:
            yield situation
            return
        source, *rest = sources
        near = self._find_near(clause, source, situation)
        for each in near if len(near) < MOST_ROWS else ():
            yield from self._choose(clause, rest, situation.bind(each))
        if isinstance(source, RowSource) and not (near and self._is_pinned(clause, source)):
            for added in self._add(clause, source, situation):
                yield from self._choose(clause, rest, added)

    def _is_pinned(self, clause: Clause, source: RowSource) -> bool:
        """Tell whether a clause says which entity a row is, by its id or by all it is made of."""
        said = {
            each.name
            for condition in clause.conditions
            if isinstance(condition, Comparison) and condition.operator == "="
            for each in find_operands(condition)
            if isinstance(each, Column) and each.alias == source.alias
        }
        parts = self._vocabulary.find_id_parts(source.alias.type)
        return ID in said or bool(parts and parts <= said)

    def _add(self, clause: Clause, source: RowSource, situation: Situation) -> Iterator[Situation]:
        """Suppose a new row, once for each combination of what it has to choose."""
        kind = source.alias.type
        possible = {**self._vocabulary.find_choices(kind)}
        for condition in clause.conditions:
            for name, values in _find_possible(condition, source, situation).items():
                attribute = self._vocabulary.get_attribute(kind, name)
                possible[name] = tuple(
                    each
                    for each in values
                    if _may_be(attribute, each) and each in possible.get(name, values)
                )
        key = (kind, f"{NO_ID}new {len(situation.added) + 1}")
        usual = {**self._vocabulary.find_usual(kind), ID: key[1]}
        for _, values in zip(range(_MOST_CHOICES), product(*possible.values()), strict=False):
            named = dict(zip(possible, values, strict=True))
            demands = {name: Demand("=", (value,)) for name, value in named.items()}
            yield situation.add(source.alias.name, key, usual | named, demands)

    def _meet(self, conditions: Sequence[Condition], situation: Situation) -> Iterator[Situation]:
        """Turn all conditions that do not hold yet."""
        failing = [each for each in conditions if not self.holds(each, situation)]
        if not failing:
            yield situation
            return
        if not self._may_go_on() or any(self._is_settled(each, situation) for each in failing):
            return
        # what stands under a `not` is looked at last: it may be about what is supposed before
        failing.sort(key=lambda condition: isinstance(condition, Absent))
        for condition in failing:
            turned = list(self._turn(condition, situation, wanted=True))
            if turned:
                for each in turned:
                    yield from self._meet(conditions, each)
                return

    def _is_settled(self, condition: Condition, situation: Situation) -> bool:
        """Tell whether nothing could turn a condition."""
        return not isinstance(condition, Absent) and not any(
            isinstance(each, (Column, Given)) and self._may_change(each, situation)
            for each in find_operands(condition)
        )

    def _break(self, clause: Clause, situation: Situation) -> Iterator[Situation]:
        """Turn one condition of a clause without sources, unless it does not hold anyway."""
        if not all(self.holds(each, situation) for each in clause.conditions):
            yield situation
            return
        for condition in clause.conditions:
            yield from self._turn(condition, situation, wanted=False)

    def _turn(
        self, condition: Condition, situation: Situation, *, wanted: bool
    ) -> Iterator[Situation]:
        """Find situations in which a condition holds, or does not, though now it is otherwise."""
        if isinstance(condition, Absent):
            turn = self.make_false if wanted else self.make_true
            yield from turn(condition.clause, situation)
            return
        for operand in find_operands(condition):
            if isinstance(operand, Literal) or not self._may_change(operand, situation):
                continue
            attribute = self._find_attribute(operand)
            for demand in _find_demands(condition, operand, attribute, situation, wanted=wanted):
                for value in find_fitting(attribute.type, demand):
                    if not _may_be(attribute, value):
                        continue
                    one = Demand("=", (value,)) if demand.operator == "=" else demand
                    yield situation.demand(operand, one, value)

    def _may_change(self, operand: Column | Given, situation: Situation) -> bool:
        if situation.is_fixed(operand):
            return False
        if isinstance(operand, Given):
            return operand != NOW and self._vocabulary.find_said(operand.name) is not None
        key = situation.bound[operand.alias.name]
        if key in situation.added:
            return operand.name != ID
        return self._vocabulary.may_change(key, operand.name)

    def _find_attribute(self, operand: Column | Given) -> Attribute:
        if isinstance(operand, Given):
            return self._vocabulary.get_said(operand.name)
        return self._vocabulary.get_attribute(operand.alias.type, operand.name)

    def _may_go_on(self) -> bool:
        self._left -= 1
        return self._left >= 0


def _may_be(attribute: Attribute, value: Any) -> bool:
    """Tell whether an attribute could have a value: one of a few words, if it has only those."""
    return not attribute.choices or value is None or value in attribute.choices


def _find_possible(
    condition: Condition, source: RowSource, situation: Situation
) -> dict[str, tuple[Any, ...]]:
    """Find the values that a condition by itself leaves to a new row, by attribute."""
    match condition:
        case OneOf(Column(alias, name), values) if alias == source.alias and name != ID:
            return {name: tuple(each.value for each in values)}
        case Comparison("=", left, right):
            for own, other in ((left, right), (right, left)):
                if not isinstance(own, Column) or own.alias != source.alias or own.name == ID:
                    continue
                if isinstance(other, Column) and other.alias.name not in situation.bound:
                    continue
                value = situation.find_value(other)
                if value is not None:
                    return {own.name: (value,)}
    return {}


def _find_demands(
    condition: Comparison | IsNull | OneOf,
    operand: Column | Given,
    attribute: Attribute,
    situation: Situation,
    *,
    wanted: bool,
) -> Iterator[Demand]:
    """Find what a value would have to be for a condition to hold, or not to."""
    nullable = is_nullable(operand)
    match condition:
        case IsNull(_, negated):
            if wanted != negated and nullable:
                yield Demand("=", (None,))
            elif wanted == negated:
                yield from _find_others((), attribute)
        case OneOf(_, values):
            literals = tuple(each.value for each in values)
            if wanted:
                yield Demand("=", literals)
            else:
                yield from _find_others(literals, attribute, nullable=nullable)
        case Comparison(word, left, right):
            value = situation.find_value(right if operand == left else left)
            seen = word if operand == left else MIRRORED[word]
            yield from _find_compared(seen, value, attribute, nullable=nullable, wanted=wanted)


def _find_compared(
    word: str, value: Any, attribute: Attribute, *, nullable: bool, wanted: bool
) -> Iterator[Demand]:
    if word in {"=", "same"}:
        if not wanted:
            yield from _find_others((value,), attribute, nullable=nullable and value is not None)
        elif value is not None or (word == "same" and nullable):
            yield Demand("=", (value,))
    elif value is not None:
        yield Demand(word if wanted else _NEGATED[word], (value,))


def _find_others(
    values: tuple[Any, ...], attribute: Attribute, *, nullable: bool = False
) -> Iterator[Demand]:
    """Find what a value could be that is none of some; which other entity, nobody can say."""
    if nullable:
        yield Demand("=", (None,))
    if attribute.choices:
        rest = tuple(each for each in attribute.choices if each not in values)
        if rest:
            yield Demand("=", rest)
    elif attribute.type == BOOLEAN:
        truths = tuple(each for each in (True, False) if each not in values)
        if truths:
            yield Demand("=", truths)
    elif attribute.type in SCALARS and values and None not in values:
        yield Demand(NOT_IN, values)
