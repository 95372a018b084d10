"""Parts of a difference into statements: which pairs of subject and resource they hold for.

The rows that link the subject to the resource are joined; all others only have to exist. An
example, who administers the customer of which subscription, unless it is a mobile of theirs:

    WITH "found" ("subject", "resource") AS (
      SELECT DISTINCT "subject"."id", "resource"."id"
      FROM "membership" AS "membership_0_0", "person" AS "subject", "subscription" AS "resource"
      WHERE "membership_0_0"."person_id" = "subject"."id"
        AND "membership_0_0"."customer_id" = "resource"."customer_id"
        AND "membership_0_0"."role" IN ('administrator', 'access_owner')
        AND NOT COALESCE("resource"."kind" = 'mobile' AND "resource"."holder_id" = "subject"."id",
          FALSE) LIMIT ?)
    SELECT (SELECT COUNT(*) FROM "found"), "subject", "resource" FROM "found"
    ORDER BY "subject", "resource" LIMIT ?
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import peewee

from authz_service.policy.clauses import RESOURCE, SUBJECT, Clause, Comparison, find_columns
from authz_service.policy.condition import ConditionWriter, Slot, all_of, mentions, words
from authz_service.policy.parts import find_ends, find_reached, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz_service.policy.parts import Part
    from authz_service.store.entity import Entity

# No name of anything given is like these.
MOST_SLOT: Final = "?most"
LISTED_SLOT: Final = "?listed"

_MOST: Final = peewee.Value(Slot(MOST_SLOT, "BIGINT"), converter=False, unpack=False)
_LISTED: Final = peewee.Value(Slot(LISTED_SLOT, "BIGINT"), converter=False, unpack=False)


class PairsWriter:
    """Writes in one dialect which pairs a part of a difference holds for; both are stored.

    Arguments:
        models: by type.
        dialect: of SQLite or PostgreSQL.
        types: those of `subject` and `resource`.
    """

    def __init__(
        self, models: Mapping[str, type[Entity]], dialect: str, types: Mapping[str, str]
    ) -> None:
        self._conditions = ConditionWriter(models, dialect, {}, frozenset(types))
        self._rows: dict[str, Any] = {
            name: models[kind].alias(name) for name, kind in types.items()
        }

    def write_pairs(self, part: Part) -> peewee.Node:
        """Write what counts the pairs, up to some number, and lists the first of them."""
        holds = part.holds
        rows = self._conditions.add_rows(holds.sources, self._rows)
        linking = _find_linking(holds)
        joined = [each for each in holds.sources if each.alias.name in linking]
        apart = tuple(each for each in holds.sources if each.alias.name not in linking)
        names = {each.alias.name for each in apart}
        existing = tuple(each for each in holds.conditions if mentions(each, names))
        wanted = [
            self._conditions.condition(each, rows)
            for each in holds.conditions
            if each not in existing
        ]
        wanted += [self._conditions.clause(each, rows) for each in split(Clause(apart, existing))]
        wanted += self._write_unless(part.unless)
        sources = [self._conditions.source(each, rows) for each in joined]
        ids = [self._id(SUBJECT), self._id(RESOURCE)]
        query = peewee.Select([*sources, *self._rows.values()], ids).where(all_of(wanted))
        if joined:  # else no pair is there twice
            query = query.distinct()
        return words(
            'WITH "found" ("subject", "resource") AS (',
            query.limit(_MOST),
            ') SELECT (SELECT COUNT(*) FROM "found"), "subject", "resource" FROM "found"'
            ' ORDER BY "subject", "resource" LIMIT',
            _LISTED,
        )

    def write_ends(self, part: Part) -> peewee.Node:
        """Write what counts, of a product, the subjects and the resources."""
        counts = [self._write_end(name, part) for name in (SUBJECT, RESOURCE)]
        return peewee.Select(columns=counts)

    def _write_end(self, name: str, part: Part) -> peewee.Node:
        """Write how many there are on one end; what is about neither is asked of the subject."""

        def is_own(clause: Clause) -> bool:
            return (find_ends(clause) or {SUBJECT}) == {name}

        own = [
            self._conditions.clause(each, self._rows) for each in split(part.holds) if is_own(each)
        ]
        own += self._write_unless(filter(is_own, part.unless))
        query = peewee.Select([self._rows[name]], [peewee.SQL("COUNT(*)")])
        return query.where(all_of(own))

    def _write_unless(self, clauses: Iterable[Clause]) -> Iterator[peewee.Node]:
        """Write that none of some clauses holds; a join looks at each as early as it can."""
        groups: dict[frozenset[str], list[Clause]] = {}
        for each in clauses:
            groups.setdefault(frozenset(find_ends(each)), []).append(each)
        for together in groups.values():
            holds = self._conditions.any(together, self._rows)
            yield words("NOT", peewee.fn.COALESCE(holds, peewee.SQL("FALSE")))

    def _id(self, name: str) -> peewee.Node:
        row = self._rows[name]
        return peewee.Column(row, row.model.id.column_name)


def _find_linking(clause: Clause) -> set[str]:
    """Find the rows between the subject and the resource: without those that lead nowhere else."""
    between = find_reached(clause)
    if RESOURCE not in between:
        return set()
    while True:
        neighbours: dict[str, set[str]] = {name: set() for name in between}
        for each in clause.conditions:
            names = {column.alias.name for column in find_columns(each)} & between
            if isinstance(each, Comparison) and each.operator == "=":
                for name in names:
                    neighbours[name] |= names - {name}
        ends = {name for name, near in neighbours.items() if len(near) <= 1} - {SUBJECT, RESOURCE}
        if not ends:
            return between - {SUBJECT, RESOURCE}
        between -= ends
