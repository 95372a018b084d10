"""Searches: clauses into the statement that lists what a question leaves open, page by page.

A check fills in subject, action and resource; a search leaves the subject or the resource open, and
asks the same clauses for the ids that would be allowed. It starts from what is given, so its cost
follows the answer and not the store: each clause becomes a join of its own, in the order of the ids
after the last one seen, and the joins are put together with `UNION`.

The rows of a clause fall into three groups, by what its `=` connects:

- the *key row*, whose column is the id that is looked for: of `grant.application = resource` the
  grant, and where no other row refers to what is looked for, that itself;
- the rows that lead there from what is given, without the key row: of `membership.person = subject
  and membership.customer = resource.customer` the membership;
- all others, which only have to exist.

Where rows lead there, a page is taken behind each of them, and the page of them all is among those.
An example, the first page of the subscriptions that a person may see the bills of:

    SELECT "id" FROM (
      SELECT "found"."id" FROM "membership" AS "membership_0_0" CROSS JOIN "subscription" AS "found"
      WHERE "found"."id" IN (
          SELECT "resource"."id" FROM "subscription" AS "resource"
          WHERE "resource"."customer_id" = "membership_0_0"."customer_id" AND NOT (forbidden)
            AND "resource"."id" > ? ORDER BY "resource"."id" LIMIT ?)
        AND "membership_0_0"."person_id" = ? AND "membership_0_0"."role" IN ('administrator',
          'access_owner') AND EXISTS(SELECT 1 FROM "person" AS "subject" WHERE "subject"."id" = ?)
      UNION ...) ORDER BY "id" LIMIT ?

In PostgreSQL, `LATERAL` takes the place of `IN`. What is given is no row of the join: each of its
columns is looked up by its id, once, so that the database sees that one order is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import peewee

from authz_service.policy.clauses import ID, Alias, Clause, find_columns, find_joins
from authz_service.policy.condition import (
    SQLITE,
    ConditionWriter,
    Slot,
    all_of,
    mentions,
    words,
)
from authz_service.policy.symbols import id_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from authz_service.policy.clauses import Column, Source
    from authz_service.store.entity import Entity

# No name of anything given is like these.
AFTER_SLOT: Final = "?after"
LIMIT_SLOT: Final = "?limit"

_FOUND: Final = "found"
_ID: Final = peewee.SQL('"id"')
_AFTER: Final = peewee.Value(Slot(AFTER_SLOT), converter=False, unpack=False)
_LIMIT: Final = peewee.Value(Slot(LIMIT_SLOT, "BIGINT"), converter=False, unpack=False)


@dataclass(frozen=True)
class _Parts:
    """The rows of a clause, by what they are for.

    Arguments:
        key: the column whose values are the ids that are looked for.
        leading: the rows that lead to the key row from what is given.
        keyed: the key row, unless it is what is looked for or what is given.
        others: rows that only have to exist.
    """

    key: Column
    leading: tuple[Source, ...]
    keyed: tuple[Source, ...]
    others: tuple[Source, ...]


class SearchWriter:
    """Writes searches in one dialect.

    Arguments:
        models: by type.
        dialect: of SQLite or PostgreSQL.
        given, searched: which of `subject` and `resource` is filled in, and which is left open.
        types: the types of both, by those names.
    """

    def __init__(
        self,
        models: Mapping[str, type[Entity]],
        dialect: str,
        given: str,
        searched: str,
        types: Mapping[str, str],
    ) -> None:
        self._dialect = dialect
        self._given = given
        self._searched = searched
        self._conditions = ConditionWriter(models, dialect, {}, frozenset({searched}))
        self._own_id = id_of(Alias(searched, types[searched]))
        self._models = {name: models[each] for name, each in types.items()}
        self._rows = {
            name: model.alias(name) for name, model in self._models.items() if model.stored
        }

    def write(
        self, allowed: Sequence[Clause], forbidden: Sequence[Sequence[Clause]]
    ) -> peewee.Node:
        """Write what lists the ids for which a clause holds and none of the forbidding ones does.

        It binds, beside what a check binds, the id that the page comes after and how many ids it
        may have. What is not stored cannot be found.
        """
        if self._searched not in self._rows or not allowed:
            return peewee.SQL('SELECT NULL AS "id" WHERE 1 = 0')
        pages = [self._write_page(each, forbidden) for each in allowed]
        parts = [
            peewee.Select([page.alias(f"page_{number}")], [_ID])
            for number, page in enumerate(pages)
        ]
        union = peewee.NodeList(parts, " UNION ")
        return words('SELECT "id" FROM (', union, ') AS "pages" ORDER BY "id" LIMIT', _LIMIT)

    def _write_page(self, clause: Clause, forbidden: Sequence[Sequence[Clause]]) -> peewee.Select:
        """Write the page of one clause: the first ids for which it holds."""
        parts = _split(clause, self._given, self._own_id)
        rows = self._conditions.add_rows(clause.sources, self._rows)
        near = {self._searched, *_names(parts.keyed), *_names(parts.others)}
        inside, outside = self._write_conditions(clause, parts, near, rows)
        for clauses in forbidden:
            is_near = any(mentions(each, near) for part in clauses for each in part.conditions)
            holds = peewee.fn.COALESCE(self._conditions.any(clauses, rows), peewee.SQL("FALSE"))
            (inside if is_near else outside).append(words("NOT", holds))
        key = self._conditions.operand(parts.key, rows)
        found = [self._conditions.source(each, rows) for each in parts.keyed]
        found.append(rows[self._searched])
        inside.append(words(key, ">", _AFTER))
        conditions = inside if parts.leading else [*outside, *inside]
        page = peewee.Select([_join(found)], [words(key, 'AS "id"')])
        page = page.where(all_of(conditions)).order_by(key).limit(_LIMIT)
        if parts.keyed:  # several such rows may have the same id
            page = page.distinct()
        if not parts.leading:
            return page
        leading = [self._conditions.source(each, rows) for each in parts.leading]
        return self._follow(leading, outside, page)

    def _write_conditions(
        self, clause: Clause, parts: _Parts, near: set[str], rows: Mapping[str, Any]
    ) -> tuple[list[peewee.Node], list[peewee.Node]]:
        """Write what must be so of what is found, and of what leads there."""
        others = _names(parts.others)
        existing = [each for each in clause.conditions if mentions(each, others)]
        inside: list[peewee.Node] = []
        outside: list[peewee.Node] = []
        if parts.others:
            inside.append(self._conditions.clause(Clause(parts.others, tuple(existing)), rows))
        for each in clause.conditions:
            if each not in existing:
                place = inside if mentions(each, near) else outside
                place.append(self._conditions.condition(each, rows))
        if self._given in rows:
            row = self._conditions.given_row(self._given, rows[self._given], peewee.SQL("1"))
            outside.append(peewee.fn.EXISTS(row))
        return inside, outside

    def _follow(
        self, leading: Sequence[Any], outside: list[peewee.Node], page: peewee.Select
    ) -> peewee.Select:
        """Write a page behind each of the leading rows; SQLite knows no `LATERAL`."""
        found: Any = self._models[self._searched].alias(_FOUND)
        column: peewee.Node = peewee.Column(found, found.model.id.column_name)
        # what the page binds comes first in either dialect
        if self._dialect == SQLITE:
            outside.insert(0, words(column, "IN", page))
        else:
            found = words("LATERAL", page.alias(_FOUND))
            column = peewee.SQL(f'"{_FOUND}"."id"')
        query = peewee.Select([_join([*leading, found])], [words(column, 'AS "id"')])
        return query.where(all_of(outside))


def _join(sources: Sequence[Any]) -> peewee.Node:
    """Join rows in this order, from what is given to what is found; SQLite keeps to it.

    By itself it would begin with what is found, as that is in the order of the ids already.
    """
    return peewee.NodeList(list(sources), " CROSS JOIN ")


def _split(clause: Clause, given: str, own_id: Column) -> _Parts:
    """Find what the rows of a clause are for."""
    key = _find_key(clause, given, own_id)
    keyed = tuple(each for each in clause.sources if each.alias.name == key.alias.name)
    rest = [each for each in clause.sources if each not in keyed]
    names = _names(rest)
    reached = _spread([given], names, list(find_joins(clause)))
    near = [key.alias.name, own_id.alias.name]
    leads = _spread(near, names & {*reached}, [find_columns(each) for each in clause.conditions])
    # behind what is given there is a single id, so nothing has to lead to it
    wanted = [] if key.alias.name == given else [each for each in reached if each in leads]
    by_name = {each.alias.name: each for each in rest}
    leading = tuple(by_name[each] for each in wanted if each in by_name)
    others = tuple(each for each in rest if each not in leading)
    return _Parts(key, leading, keyed, others)


def _spread(start: list[str], among: set[str], groups: Iterable[Iterable[Column]]) -> list[str]:
    """Find which rows hang together with some others, one after the other."""
    connected = [{column.alias.name for column in group} for group in groups]
    found = list(start)
    for name in found:  # which grows
        near = {other for each in connected if name in each for other in each & among}
        found += sorted(near.difference(found))
    return found


def _find_key(clause: Clause, given: str, own_id: Column) -> Column:
    """Find the column whose values are the ids that are looked for; their own, if there is none."""
    columns = [
        other
        for left, right in find_joins(clause)
        for own, other in ((left, right), (right, left))
        if own.alias == own_id.alias and own.name == ID and other.alias != own_id.alias
    ]
    columns.sort(key=lambda column: column.alias.name != given)
    return columns[0] if columns else own_id


def _names(sources: Sequence[Source]) -> set[str]:
    return {each.alias.name for each in sources}
