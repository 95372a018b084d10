"""The tables of a store: which there must be, how they are made, and how they are brought up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import peewee

from authz_service.errors import StoreError
from authz_service.store.entity import Entity, find_link, find_links, type_name
from authz_service.store.migration import STORE_MIGRATIONS, STORE_PART
from authz_service.store.system import SYSTEM_TABLES, Applied, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.store.domain import Domain
    from authz_service.store.migration import Migration


@dataclass(frozen=True)
class Standing:
    """How the tables of a store stand to what this program knows.

    Arguments:
        pending: migrations that are still to be run, in their order.
        unknown: migrations that were run by another, newer program, as `portal 7`.
    """

    pending: tuple[Migration, ...]
    unknown: tuple[str, ...]

    def refuse_newer_version(self, place: str) -> None:
        """Refuse a store that a newer program made.

        Raises:
            StoreError: with the place, and what to do.
        """
        if self.unknown:
            listed = ", ".join(self.unknown)
            message = f"was made by a newer program, which has the migrations {listed}; use that"
            raise StoreError.at(place, "unknown_schema", message)

    def refuse_other_version(self, place: str) -> None:
        """Refuse a store whose tables are not those that this program knows; as above."""
        self.refuse_newer_version(place)
        if self.pending:
            message = "was made by an older program; `authz migrate` brings it up to date"
            raise StoreError.at(place, "old_schema", message)


class Tables:
    """The tables of one domain in one database; call inside a transaction what writes.

    Arguments:
        database: where they are.
        domain: says which there are.
    """

    def __init__(self, database: peewee.Database, domain: Domain) -> None:
        self._database = database
        self._domain = domain
        self._is_sqlite = isinstance(database, peewee.SqliteDatabase)
        migrations = {STORE_PART: STORE_MIGRATIONS, domain.part: domain.migrations}
        self._migrations = {
            (part, each.number): each for part, listed in migrations.items() for each in listed
        }

    def find_missing(self) -> list[str] | None:
        """Find the entity types that have no table; None when there is no table at all."""
        found = set(self._database.get_tables())
        if not found:
            return None
        wanted = [type_name(each) for each in self._entities()]
        return sorted(each for each in wanted if each not in found)

    def create(self) -> None:
        """Make all tables and what holds the promises, as the newest migrations leave them."""
        for model in [*self._entities(), *self._domain.tables, *SYSTEM_TABLES]:
            self.create_one(model)
        for promise in self._domain.promises:
            if not promise.is_key:
                self._database.execute_sql(promise.index_sql)
        State.insert(id=1, revision=0).execute(self._database)
        for part, number in self._migrations:
            self._note(part, number)

    def create_one(self, model: type[peewee.Model]) -> None:
        """Make one table with its indexes."""
        schema = peewee.SchemaManager(model, self._database)
        # peewee has no public way to add a word to a table
        table = schema._create_table(safe=False)  # type: ignore[attr-defined]  # noqa: SLF001
        if self._is_sqlite and issubclass(model, Entity):
            # one walk to a row by its id, where there were two: index, then row
            table.literal(" WITHOUT ROWID")
        self._database.execute(table)
        schema.create_indexes(safe=False)

    def find_standing(self) -> Standing:
        """Find which migrations are still to be run, and which nobody here knows."""
        applied = set(self._applied())
        pending = [each for key, each in self._migrations.items() if key not in applied]
        unknown = sorted(applied - self._migrations.keys())
        return Standing(tuple(pending), tuple(f"{part} {number}" for part, number in unknown))

    def migrate(self) -> list[Migration]:
        """Run what is still to be run, those of the store before those of the domain."""
        standing = self.find_standing()
        for (part, number), migration in self._migrations.items():
            if migration in standing.pending:
                migration.run(self._database, self, self._domain)
                self._note(part, number)
        return list(standing.pending)

    def _applied(self) -> Iterator[tuple[str, int]]:
        if not self._database.table_exists(Applied):
            return
        query = Applied.select(Applied.part, Applied.number).tuples()
        yield from query.execute(self._database)

    def _note(self, part: str, number: int) -> None:
        name, at = self._migrations[part, number].name, datetime.now(UTC)
        Applied.insert(part=part, number=number, name=name, at=at).execute(self._database)

    def _entities(self) -> list[type[peewee.Model]]:
        """All tables of entities, each after those that it refers to, and those between two."""
        links = [
            find_link(model, name)[0] for model in self._domain.models for name in find_links(model)
        ]
        return [*(model for model in self._domain.models if model.stored), *links]
