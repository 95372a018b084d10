"""What a subject is to a resource, as far as the policies look: the rows of the grid.

Policies have no word for a role that an engine could know. But their clauses lead from the subject
to the resource, by equal ids and the rows between: a membership of this person on this customer, or
the holder of a line. Each such way is a relation. Where policies compare a word of the first row
with what they name, as in `membership.role = "delegate"`, each value of that word is a relation; so
is each value of a word of the subject itself, as in `user.role = "admin"`.

A subject can have several relations to a resource, or none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from authz_service.polar.schema import STRING
from authz_service.policy.clauses import (
    ID,
    RESOURCE,
    SUBJECT,
    Absent,
    Alias,
    Clause,
    Column,
    Comparison,
    LinkSource,
    Literal,
    OneOf,
    find_columns,
    find_joins,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from authz_service.polar.schema import Schema
    from authz_service.policy.clauses import Condition

# Longer ways are no relation that anybody has a name for.
_LONGEST: Final = 6
NO_RELATION: Final = "no relation"
_OTHER_WORD: Final = "other"
_SAME_ENTITY: Final = "self"

# From a column of one row to that of another one that is equal.
_Step = tuple[Column, Column]
# For each way the words that clauses compare on it, by the column.
_Ways = dict[Clause, dict[Column, set[str]]]


@dataclass(frozen=True)
class Relation:
    """What a subject can be to a resource.

    Arguments:
        name: in a word or two.
        clauses: one of these holds where it is so; none for `NO_RELATION`, which is so where no
            other relation is.
    """

    name: str
    clauses: tuple[Clause, ...] = ()


def find_relations(clauses: Iterable[Clause], subject: str, schema: Schema) -> tuple[Relation, ...]:
    """Find what subjects of a type can be to resources of a type.

    Arguments:
        clauses: all that is asked of such a pair.
        subject: the type of those who ask.
        schema: which values there are.

    Returns:
        the relations by name, `NO_RELATION` last; only that where there are no others.
    """
    ways: _Ways = {}
    for clause in clauses:
        for each in _flatten(clause):
            _find_ways(each, ways)
    named: dict[str, list[Clause]] = {}
    for way, words in ways.items():
        for name, found in _name(way, words, subject, schema):
            named.setdefault(name, []).append(found)
    relations = [Relation(name, tuple(found)) for name, found in sorted(named.items())]
    return (*relations, Relation(NO_RELATION))


def _flatten(clause: Clause) -> Iterator[Clause]:
    """Put what must be absent beside what must be there, for it leads to the resource as well."""
    yield clause
    rest = tuple(each for each in clause.conditions if not isinstance(each, Absent))
    for condition in clause.conditions:
        if isinstance(condition, Absent):
            inner = condition.clause
            sources = (*clause.sources, *inner.sources)
            yield from _flatten(Clause(sources, (*rest, *inner.conditions)))


def _find_ways(clause: Clause, ways: _Ways) -> None:
    """Find the ways of a clause, and the words that it compares on each."""
    words = list(_find_words(clause))
    sources = {each.alias.name: each for each in clause.sources}
    steps = [step for one, two in find_joins(clause) for step in ((one, two), (two, one))]
    for path in [(), *_walk(SUBJECT, steps, ())]:
        names = [there.alias.name for _, there in path[:-1]]
        aliases = {
            name: Alias(f"row_{number}", sources[name].alias.type)
            for number, name in enumerate(names)
        }
        way = Clause(
            tuple(replace(sources[name], alias=aliases[name]) for name in names),
            tuple(
                Comparison("=", _rename(here, aliases), _rename(there, aliases))
                for here, there in path
            ),
        )
        first = path[0][1].alias.name if path else SUBJECT
        found = ways.setdefault(way, {})
        for column, values in words:
            if column.alias.name == first != RESOURCE:
                found.setdefault(_rename(column, aliases), set()).update(values)


def _walk(
    name: str, steps: Sequence[_Step], path: tuple[_Step, ...]
) -> Iterator[tuple[_Step, ...]]:
    """Go from a row on to the resource, by rows that the path has not."""
    if name == RESOURCE:
        yield path
        return
    visited = {SUBJECT, *(there.alias.name for _, there in path)}
    for here, there in steps if len(path) < _LONGEST else ():
        if here.alias.name == name and there.alias.name not in visited:
            yield from _walk(there.alias.name, steps, (*path, (here, there)))


def _rename(column: Column, aliases: Mapping[str, Alias]) -> Column:
    return replace(column, alias=aliases.get(column.alias.name, column.alias))


def _find_words(clause: Clause) -> Iterator[tuple[Column, list[str]]]:
    """Find the columns that are compared with words, and with which."""
    for condition in clause.conditions:
        match condition:
            case Comparison("=", Column(type=kind) as column, Literal(str(value))):
                found = [value]
            case OneOf(Column(type=kind) as column, values):
                found = [str(each.value) for each in values]
            case _:
                continue
        if kind == STRING and column.name != ID:
            yield column, found


def _name(
    way: Clause, words: Mapping[Column, set[str]], subject: str, schema: Schema
) -> Iterator[tuple[str, Clause]]:
    """Name a way, or each word on it."""
    for column, named in words.items():
        kind = schema.types[column.alias.type or subject]
        choices = kind.attributes[column.name].choices
        values = tuple(map(Literal.of, choices or sorted(named)))
        for value in values:
            yield str(value.value), _require(way, Comparison("=", column, value))
        if not choices:
            others = Absent(Clause((), (OneOf(column, values),)))
            yield f"{_OTHER_WORD} {column.name}", _require(way, others)
    if way.conditions and not words:
        yield _describe(way), way


def _require(way: Clause, condition: Condition) -> Clause:
    return replace(way, conditions=(*way.conditions, condition))


def _describe(way: Clause) -> str:
    """Name a way by its rows; one without any by the attribute that refers to the subject."""
    rows = [
        each.attribute if isinstance(each, LinkSource) else each.alias.type for each in way.sources
    ]
    columns = (each for condition in way.conditions for each in find_columns(condition))
    names = [each.name for each in columns if each.name != ID]
    return " > ".join(rows) or (names[-1] if names else _SAME_ENTITY)
