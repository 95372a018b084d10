"""Migrations: numbered steps from the tables of an earlier version to those of this one.

A new store is made as the newest migration would leave it, and counts as having all behind it. A
test holds the two against each other, on both databases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from authz_service.store.entity import type_name
from authz_service.store.system import SYSTEM_TABLES, State

if TYPE_CHECKING:
    from collections.abc import Callable

    import peewee

    from authz_service.store.domain import Domain

STORE_PART: Final = "store"


class TableMaker(Protocol):
    """What can make the table of a model, with its indexes."""

    def create_one(self, model: type[peewee.Model]) -> None:
        """Make it."""


@dataclass(frozen=True)
class Migration:
    """One step.

    Arguments:
        number: its place, from 1; the store and each domain count for themselves.
        name: what it does, for people.
        run: does it, inside a transaction.
    """

    number: int
    name: str
    run: Callable[[peewee.Database, TableMaker, Domain], None]


def add_column(database: peewee.Database, table: str, column: str) -> None:
    """Add a column to a table.

    Arguments:
        database: of the table.
        table: its name.
        column: name, type and constraints, as SQL that both databases read.
    """
    database.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN {column}')


def _add_revisions(database: peewee.Database, tables: TableMaker, domain: Domain) -> None:
    for model in SYSTEM_TABLES:
        tables.create_one(model)
    State.insert(id=1, revision=0).execute(database)
    kind = database.field_types.get("BIGINT", "BIGINT")
    for model in domain.models:
        if model.stored:
            add_column(database, type_name(model), f'"revision" {kind} NOT NULL DEFAULT 0')


STORE_MIGRATIONS: Final = (
    Migration(1, "revisions, the feed, answers, messages and keys", _add_revisions),
)
