"""Two policies, one store: everybody who gains or loses something, whether they ever asked or not.

What a policy allows is a set of subject, action and resource, so what a change does is one set less
the other. It is found by the database, in one statement for each part of the difference
(`parts.py`), for each way to ask that makes a difference (`folding.py`).
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from authz_service.errors import RequestError, quote, with_article
from authz_service.policy.condition import NOW_SLOT
from authz_service.policy.effect import Cause, Direction, Effect, Example
from authz_service.policy.folding import OTHER, find_values, fold_all
from authz_service.policy.pairs import LISTED_SLOT, MOST_SLOT
from authz_service.policy.parts import Part, Relation, find_gains, is_mixed, merge, rewrite
from authz_service.policy.plan import write_list, write_value
from authz_service.policy.sql import StatementBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from authz_service.policy.clauses import Clause, Step
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.plan import Key
    from authz_service.policy.sql import Statement
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain

# What cannot be counted as a product is counted up to here.
_MOST_PAIRS: Final = 10_000_000
_NO_END: Final = 2**62
_MOST_WAYS: Final = 1_000


@dataclass(frozen=True)
class Terms:
    """How an impact is to be found.

    Arguments:
        said: what comes with every question, by name; of the rest, all that matters is tried.
        now: what time it is.
        listed: how many examples are wanted of each effect.
        left: tells how many milliseconds are left.
        most: up to how many pairs are counted where they have to be gone through.
    """

    said: Mapping[str, Any]
    now: datetime
    listed: int
    left: Callable[[], int]
    most: int = _MOST_PAIRS


class _Found(NamedTuple):
    """How many pairs there are, and some of them."""

    number: int
    is_exact: bool
    examples: tuple[Example, ...]


_NOTHING: Final = _Found(0, is_exact=True, examples=())

# Clauses with their rules: they are equal whatever those are.
_Named = tuple[tuple["Clause", tuple["Step", ...]], ...]


class _Known(NamedTuple):
    """What a question comes to in one way to ask, by both policies.

    Actions and ways for which this is the same have the same effects.
    """

    types: tuple[str, str]
    old: tuple[_Named, ...]
    new: tuple[_Named, ...]


class Impact:
    """What a change of policies does to all that is stored.

    Arguments:
        old, new: the policies.
        domain: of both.
        store: the entities.
        terms: how it is to be found.
    """

    def __init__(
        self, old: CompiledEngine, new: CompiledEngine, domain: Domain, store: Store, terms: Terms
    ) -> None:
        self._engines = old, new
        self._schema = domain.schema
        self._store = store
        self._terms = terms
        declared = {**domain.schema.context, **domain.schema.parameters}
        silent = {name: () if each.many else None for name, each in declared.items()}
        # what is not said, unless it is tried
        self._said: dict[str, Any] = {**silent, **terms.said}
        self._builder = StatementBuilder(domain.models)
        # actions are often allowed alike
        self._effects: dict[_Known, list[tuple[Cause, _Found]]] = {}

    def find_notes(self, keys: Sequence[Key]) -> list[str]:
        """Say what is assumed of questions that differ, and which of them nobody can look at."""
        notes: dict[str, None] = {}
        for key in keys:
            old, new = (find_relation(each, key) for each in self._engines)
            if is_same(old, new):
                continue
            if self._find_unstored(key):
                notes[self._say_unstored(key)] = None
                continue
            for name, values in _find_values(old, new).items():
                if not values and name not in self._terms.said:
                    notes[self._say_assumed(name)] = None
        return list(notes)

    def find_effects(self, key: Key) -> Iterator[Effect]:
        """Find what a change does to one question; call it inside a snapshot.

        Arguments:
            key: the type of the subject, the action, and the type of the resource.

        Raises:
            EvaluationTimeoutError: when no time is left.
            RequestError: when there are too many ways to ask.
            StoreError: when the database cannot answer.
        """
        if self._find_unstored(key):
            return
        old, new = (find_relation(each, key) for each in self._engines)
        if is_same(old, new):
            return
        subject, _, resource = key
        tried = list(self._find_ways(key, old, new))
        ways: defaultdict[_Known, list[dict[str, Any]]] = defaultdict(list)
        for each in tried:
            said = {**self._said, **each}
            sides = [Relation(*(fold_all(part, said) for part in side)) for side in (old, new)]
            if not is_same(*sides):
                ways[_Known((subject, resource), *map(_name, sides))].append(each)
        for known, same in ways.items():
            found = self._effects.get(known)
            if found is None:
                found = list(self._compare(known, {**self._said, **same[0]}))
                self._effects[known] = found
            described = tuple(map(_describe, same)) if len(same) < len(tried) else ()
            for cause, (number, is_exact, examples) in found:
                yield Effect(cause, key, described, number, is_exact, examples)

    def _find_unstored(self, key: Key) -> str:
        """Find which type of a question is not stored, so that there is nobody to be found."""
        subject, _, resource = key
        types = self._schema.types
        return next((each for each in (subject, resource) if not types[each].stored), "")

    def _say_unstored(self, key: Key) -> str:
        subject, action, resource = key
        who, what = with_article(subject), with_article(resource)
        unstored = with_article(self._find_unstored(key))
        return (
            f"{quote(action)} by {who} on {what} is not looked at: {unstored} is not stored, so"
            " nobody knows which there are"
        )

    def _say_assumed(self, name: str) -> str:
        part = "context" if name in self._schema.context else "action"
        return (
            f"nothing is said of {quote(name)}, of which more can be said than can be tried; say it"
            f" with --with {part}.{name}=VALUE"
        )

    def _find_ways(self, key: Key, old: Relation, new: Relation) -> Iterator[dict[str, Any]]:
        """Find the ways to ask that may make a difference; what cannot be tried is not said."""
        values = {
            name: found
            for name, found in _find_values(old, new).items()
            if found and name not in self._terms.said
        }
        count = 1
        for each in values.values():
            count *= len(each)
        if count > _MOST_WAYS:
            names = ", ".join(map(quote, values))
            message = (
                f"there are {count:,} ways to ask for {quote(key[1])}, by what is said of {names};"
                " say some of it with --with"
            )
            raise RequestError.at("the question", "too_many_ways", message)
        for chosen in itertools.product(*values.values()):
            yield dict(zip(values, chosen, strict=True))

    def _compare(self, known: _Known, said: Mapping[str, Any]) -> Iterator[tuple[Cause, _Found]]:
        old, new = (
            Relation(*(tuple(clause for clause, _ in part) for part in side))
            for side in (known.old, known.new)
        )
        causes: dict[Cause, _Found] = {}
        for direction, less, more in (
            (Direction.ALLOWED, old, new),
            (Direction.DENIED, new, old),
        ):
            for gain in find_gains(less, more):
                cause = Cause.of(direction, gain.clause, is_forbid=gain.is_forbid)
                counted = (self._count(known.types, each, said) for each in gain.parts)
                # one rule may have come to several clauses
                causes[cause] = _add([causes.get(cause, _NOTHING), *counted])
        for cause, found in causes.items():
            if found.number:
                yield cause, found._replace(examples=found.examples[: self._terms.listed])

    def _count(self, types: tuple[str, str], part: Part, said: Mapping[str, Any]) -> _Found:
        if part.is_linked or not part.is_product:
            return self._list(types, part, said, self._terms.most)
        statement = self._builder.ends(*types, part)
        [(subjects, resources)] = self._ask(statement, said, {})
        linked = sum(self._list(types, each, said, _NO_END).number for each in _find_linked(part))
        number = subjects * resources - linked
        if not number:  # the database would try all pairs to find none
            return _NOTHING
        listed = self._list(types, part, said, self._terms.listed)
        return _Found(number, is_exact=True, examples=listed.examples)

    def _list(
        self, types: tuple[str, str], part: Part, said: Mapping[str, Any], most: int
    ) -> _Found:
        """Count the pairs of a part, up to some number, and list the first of them."""
        statement = self._builder.pairs(*types, part)
        # a row has the count, too
        bound = {MOST_SLOT: min(most + 1, _NO_END), LISTED_SLOT: max(self._terms.listed, 1)}
        rows = self._ask(statement, said, bound)
        count = rows[0][0] if rows else 0
        examples = tuple(Example(subject, resource) for _, subject, resource in rows)
        return _Found(min(count, most), count <= most, examples)

    def _ask(
        self, statement: Statement, said: Mapping[str, Any], bound: Mapping[str, int]
    ) -> list[tuple[Any, ...]]:
        values: dict[str, Any] = {NOW_SLOT: write_value(self._terms.now), **bound}
        for name in {*statement.slots} - {*values}:
            value = said[name]
            is_list = isinstance(value, (list, tuple))
            values[name] = write_list(value) if is_list else write_value(value)
        parameters = [values[slot] for slot in statement.slots]
        return self._store.execute(statement.texts, parameters, self._terms.left())


def find_relation(engine: CompiledEngine, key: Key) -> Relation:
    """Find what an engine's policy says of a question of its domain."""
    question = engine.find_question(*key)
    if question is None:
        return Relation((), ())
    permitted, forbidden = question.parts
    return Relation(permitted, tuple(clause for clauses in forbidden for clause in clauses))


def is_same(old: Relation, new: Relation) -> bool:
    """Tell whether two policies say the same of a question, in whatever order."""
    return all({*first} == {*second} for first, second in zip(old, new, strict=True))


def _find_values(old: Relation, new: Relation) -> dict[str, tuple[Any, ...]]:
    return find_values(clause for side in (old, new) for part in side for clause in part)


def _find_linked(part: Part) -> Iterator[Part]:
    """Find the pairs of a product that it is not true of; each leads from one to the other."""
    mixed = [each for each in part.unless if is_mixed(each)]
    others = tuple(each for each in part.unless if each not in mixed)
    for number, clause in enumerate(mixed):
        yield from rewrite(Part(merge(part.holds, clause), (*others, *mixed[:number])))


def _add(found: Iterable[_Found]) -> _Found:
    total = _NOTHING
    for each in found:
        total = _Found(
            total.number + each.number,
            total.is_exact and each.is_exact,
            total.examples + each.examples,
        )
    return total


def _name(relation: Relation) -> tuple[_Named, ...]:
    return tuple(tuple((each, each.rules) for each in part) for part in relation)


def _describe(tried: Mapping[str, Any]) -> str:
    return " and ".join(_describe_value(name, value) for name, value in tried.items())


def _describe_value(name: str, value: Any) -> str:
    if value is None:
        return f"no {name}"
    if value is OTHER:
        return f"any other {name}"
    return f"{name} {str(value).lower() if isinstance(value, bool) else value}"
