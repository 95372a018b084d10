"""What is missing for a yes: sets of facts, each tried before it is proposed.

A set is proposed when the question, asked of the store as it would be then, is allowed, or is
permitted and refused by forbids alone, which are named; when no smaller part of it does the same;
and when no promise of the domain would be broken. It is not every such set: where a row can be any
of many, or a time would have to pass, nothing is proposed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from authz_service.policy.reasons import NOT_PERMITTED
from authz_service.policy.request import Request
from authz_service.policy.situation import NO_ID, Demand
from authz_service.policy.supposition import Put, Reader, Supposition, find_alike, find_source
from authz_service.policy.values import find_fitting
from authz_service.store.entity import type_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from authz_service.policy.mention import Mentions
    from authz_service.policy.situation import Key, Situation
    from authz_service.policy.vocabulary import Vocabulary
    from authz_service.store.domain import Promise
    from authz_service.store.entity import Entity, Reference

ADD: Final = "add"
CHANGE: Final = "change"
REMOVE: Final = "remove"
SAY: Final = "say"

# Finds the reasons against a request.
Ask = Callable[[Reader, Request], tuple[str, ...]]

# What is told at the most; and the parts of a set of more facts than this are not tried.
_MOST_SETS: Final = 12
_MOST_FACTS: Final = 4


class Fact(NamedTuple):
    """One thing that would have to be so.

    Arguments:
        deed: to `add` an entity, to `change` one attribute of one, to `remove` one, or to `say`
            something else with the question.
        type: of the entity; empty for what is said.
        id: of the entity; `new 1` and so on for new ones that are proposed.
        demands: what its values would have to be, by attribute, or what would have to be said.
        refers: what the entity refers to, by attribute.
    """

    deed: str
    type: str
    id: str
    demands: tuple[tuple[str, Demand], ...] = ()
    refers: tuple[tuple[str, Reference], ...] = ()


class Missing(NamedTuple):
    """A set of facts, and what would come of it.

    Arguments:
        facts: all of which would have to be so.
        refused_by: the codes of the forbids that would stand against it still; none for an allow.
    """

    facts: tuple[Fact, ...]
    refused_by: tuple[str, ...] = ()


def find_facts(situation: Situation) -> frozenset[Fact]:
    """Find what is otherwise in a situation than it is."""
    facts = [Fact(REMOVE, key[0], key[1]) for key in situation.gone]
    for key in situation.added:
        demands = situation.demands.get(key, {})
        facts.append(Fact(ADD, key[0], key[1], tuple(demands.items())))
    for key, demands in situation.demands.items():
        if key not in situation.added and key not in situation.gone:
            facts += [
                Fact(CHANGE, key[0], key[1], ((name, each),)) for name, each in demands.items()
            ]
    facts += [Fact(SAY, "", "", ((name, each),)) for name, each in situation.asked.items()]
    return frozenset(facts)


@dataclass(frozen=True)
class Terms:
    """What is supposed under.

    Arguments:
        models: of entities, by type.
        vocabulary: what new entities have of themselves.
        promises: what must not be broken.
        time_limit: milliseconds that a statement may take.
    """

    models: Mapping[str, type[Entity]]
    vocabulary: Vocabulary
    promises: Sequence[Promise]
    time_limit: int

    @cached_property
    def _watched(self) -> Mapping[str, Sequence[tuple[Promise, frozenset[str]]]]:
        """The promises by type, and by which attributes each can be broken."""
        found: dict[str, list[tuple[Promise, frozenset[str]]]] = {kind: [] for kind in self.models}
        for each in self.promises:
            names = map(partial(find_source, each.model), each.attributes + each.conditions)
            found[type_name(each.model)].append((each, frozenset(names)))
        return found

    def find_promises(self, kind: str, names: Collection[str]) -> Iterator[Promise]:
        """Find the promises that an entity may break by some of its attributes."""
        for promise, watched in self._watched[kind]:
            if not watched.isdisjoint(names):
                yield promise


class Trials:
    """Tries what would come of facts, for one denial.

    Arguments:
        terms: what is supposed under.
        reader: of the store as it is.
        request: what was denied.
        codes: for which reasons.
        forbids: what the forbids look at; None where facts have to be tried in any case.
        ask: finds the reasons against a request.
    """

    def __init__(  # noqa: PLR0913  # all of which makes a question
        self,
        terms: Terms,
        reader: Reader,
        *,
        request: Request,
        codes: Collection[str],
        forbids: Mentions | None,
        ask: Ask,
    ) -> None:
        self._terms = terms
        self._vocabulary = terms.vocabulary
        self._reader = reader
        self._request = request
        self._is_permitted = NOT_PERMITTED not in codes
        self._forbidden_by = tuple(sorted({*codes} - {NOT_PERMITTED}))
        self._forbids = forbids
        self._ask = ask
        self._rows: dict[Key, Mapping[str, Any]] = {}
        self._tried: dict[frozenset[Fact], tuple[str, ...]] = {}

    def suppose(self, situation: Situation) -> Reader:
        """Read the store as a situation supposes it."""
        if not situation.is_supposed:
            return self._reader
        self._rows |= situation.stored
        return self._suppose(find_facts(situation))

    def find_missing(self, situations: Iterable[Situation]) -> list[Missing]:
        """Find which sets of facts can be proposed, the smallest first.

        Where nothing permits what is asked, such sets are proposed as well as lead to a refusal by
        forbids alone.

        Arguments:
            situations: in which it is permitted, or in which no forbid applies that does now.
        """
        sets: dict[frozenset[Fact], None] = {}
        for each in situations:
            self._rows |= each.stored
            sets[find_facts(each)] = None
        sets = {
            facts: None
            for facts in sets
            if 0 < len(facts) <= _MOST_FACTS and not _is_circular(facts)
        }
        broken = self._find_broken(sets)
        found = []
        for facts in sorted(sets, key=len):
            if facts in broken:
                continue
            refused_by = self._find_outcome(facts)
            if NOT_PERMITTED in refused_by or (refused_by and self._is_permitted):
                continue
            parts = (
                frozenset(part)
                for size in range(1, len(facts))
                for part in combinations(_sort(facts), size)
            )
            if not any({*self._try(each)} <= {*refused_by} for each in parts):
                found.append(Missing(_sort(facts), refused_by))
        return [self._present(each) for each in _merge(found)][:_MOST_SETS]

    def _find_outcome(self, facts: frozenset[Fact]) -> tuple[str, ...]:
        """Find what would stand against the request, which is tried only if it may be otherwise."""
        if self._is_permitted or self._forbids is None or any(map(self._is_looked_at, facts)):
            return self._try(facts)
        return self._forbidden_by

    def _is_looked_at(self, fact: Fact) -> bool:
        """Tell whether a forbid may hold or not for a fact."""
        forbids = self._forbids
        if forbids is None or fact.deed in {ADD, REMOVE}:
            return forbids is None or fact.type in forbids.types
        if fact.deed == SAY:
            return any(name in forbids.said for name, _ in fact.demands)
        return any((fact.type, name) in forbids.attributes for name, _ in fact.demands)

    def _try(self, facts: frozenset[Fact]) -> tuple[str, ...]:
        """Find what would stand against the request."""
        if facts not in self._tried:
            self._tried[facts] = self._ask(self._suppose(facts), self._say(facts))
        return self._tried[facts]

    def _find_broken(self, sets: Iterable[frozenset[Fact]]) -> set[frozenset[Fact]]:
        """Find the sets by which a promise would be broken."""
        suspected: set[frozenset[Fact]] = set()
        checks: list[tuple[frozenset[Fact], Promise, Put]] = []
        for facts in sets:
            puts, _ = self._find_changes(facts)
            if len({each.type for each in puts}) < len(puts):
                suspected.add(facts)  # they may be like each other
                continue
            names = {(fact.type, fact.id): {name for name, _ in fact.demands} for fact in facts}
            checks += [
                (facts, promise, put)
                for put in puts
                for promise in self._terms.find_promises(put.type, names[put.type, put.id])
            ]
        terms = self._terms
        alike = find_alike(self._reader, [each[1:] for each in checks], terms.time_limit)
        suspected |= {facts for (facts, _, _), like in zip(checks, alike, strict=True) if like}
        return {facts for facts in suspected if self._breaks_any(facts)}

    def _breaks_any(self, facts: frozenset[Fact]) -> bool:
        puts, gone = self._find_changes(facts)
        supposed = Supposition(self._reader, self._terms.models, puts, gone)
        return supposed.breaks_any(self._terms.promises, self._terms.time_limit)

    def _suppose(self, facts: Iterable[Fact]) -> Reader:
        puts, gone = self._find_changes(facts)
        if not (puts or gone):
            return self._reader
        return Supposition(self._reader, self._terms.models, puts, gone)

    def _find_changes(self, facts: Iterable[Fact]) -> tuple[list[Put], dict[str, list[str]]]:
        """Find the entities that facts are about, as they would be, and those that would go."""
        changed: dict[Key, dict[str, Any]] = {}
        gone: dict[str, list[str]] = {}
        for fact in facts:
            if fact.deed == REMOVE:
                gone.setdefault(fact.type, []).append(fact.id)
            elif fact.deed != SAY:
                key = fact.type, fact.id
                is_new = fact.deed == ADD
                usual = self._vocabulary.find_usual(fact.type) if is_new else self._rows[key]
                changed.setdefault(key, dict(usual)).update(self._pick(fact))
        puts = [Put(kind, entity_id, row) for (kind, entity_id), row in changed.items()]
        return puts, gone

    def _say(self, facts: Iterable[Fact]) -> Request:
        """Ask with what would have to be said."""
        said = {
            name: find_fitting(self._vocabulary.get_said(name).type, demand)[0]
            for fact in facts
            if fact.deed == SAY
            for name, demand in fact.demands
        }
        request = self._request
        return request._replace(given={**request.given, **said}) if said else request

    def _pick(self, fact: Fact) -> Iterator[tuple[str, Any]]:
        """Pick a value for each attribute of a fact."""
        for name, demand in fact.demands:
            yield name, find_fitting(self._vocabulary.find_type(fact.type, name), demand)[0]

    def _present(self, missing: Missing) -> Missing:
        """Show what others can read: what new entities can choose freely is left out."""
        return missing._replace(facts=tuple(map(self._present_fact, missing.facts)))

    def _present_fact(self, fact: Fact) -> Fact:
        if fact.deed == SAY:
            return fact
        row = self._rows.get((fact.type, fact.id), {})
        choices: Mapping[str, tuple[Any, ...]] = {}
        if fact.deed == ADD:
            choices = self._vocabulary.find_choices(fact.type)
            row = {name: each.values[0] for name, each in fact.demands if len(each.values) == 1}
        demands = tuple(
            (name, self._present_demand(fact.type, name, demand))
            for name, demand in fact.demands
            if demand.operator != "=" or {*demand.values} != {*choices.get(name, ())}
        )
        referred = self._vocabulary.find_referred(fact.type, row)
        told = tuple(referred.items())
        return Fact(fact.deed, fact.type, fact.id.removeprefix(NO_ID), demands, told)

    def _present_demand(self, kind: str, name: str, demand: Demand) -> Demand:
        values = (self._vocabulary.present(kind, name, each) for each in demand.values)
        return Demand(demand.operator, tuple(values))


def _is_circular(facts: Iterable[Fact]) -> bool:
    """Tell whether new entities refer to each other in a circle, so that none can come first."""
    left = {
        fact.id: {value for _, demand in fact.demands for value in demand.values}
        for fact in facts
        if fact.deed == ADD
    }
    while left:
        first = [key for key, values in left.items() if values.isdisjoint(left)]
        if not first:
            return True
        for key in first:
            del left[key]
    return False


def _sort(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Put facts in an order that is the same each time; of their values nil is one."""
    listed = tuple(facts)
    return tuple(sorted(listed, key=repr)) if len(listed) > 1 else listed


def _merge(found: Sequence[Missing]) -> list[Missing]:
    """Put sets together that differ in one value only, and come to the same."""
    merged = list(found)
    if len(merged) < 2:  # noqa: PLR2004  # two are put together
        return merged
    demands = {pair for each in found for fact in each.facts for pair in fact.demands}
    counts = Counter(name for name, _ in demands)
    for name in sorted(each for each, count in counts.items() if count > 1):
        groups: dict[Missing, list[Missing]] = {}
        for each in merged:
            groups.setdefault(_blank(each, name, ()), []).append(each)
        merged = [
            _blank(
                group[0],
                name,
                tuple(
                    value
                    for each in group
                    for demand in _find_named(each, name)
                    for value in demand.values
                ),
            )
            for group in groups.values()
        ]
    return merged


def _blank(missing: Missing, name: str, values: tuple[Any, ...]) -> Missing:
    """Give a set other values of an attribute, if one fact of it names the values of that."""
    if len(_find_named(missing, name)) != 1:
        return missing
    facts = tuple(
        Fact(
            fact.deed,
            fact.type,
            fact.id,
            tuple(
                (each, Demand("=", values) if each == name else demand)
                for each, demand in fact.demands
            ),
        )
        for fact in missing.facts
    )
    return Missing(facts, missing.refused_by)


def _find_named(missing: Missing, name: str) -> list[Demand]:
    """Find the facts of a set that name the values of an attribute."""
    return [
        demand
        for fact in missing.facts
        for each, demand in fact.demands
        if each == name and demand.operator == "="
    ]
