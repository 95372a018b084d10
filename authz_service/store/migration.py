"""Migrations: numbered steps from the tables of an earlier version to those of this one.

A new store is made as the newest migration would leave it, and counts as having all behind it. A
test holds the two against each other, on both databases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from authz_service.store.entity import type_name
from authz_service.store.system import (
    Activated,
    Answered,
    ApiKey,
    Applied,
    ChangeLine,
    Message,
    PolicyFolder,
    PolicyText,
    PolicyTrial,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import peewee

    from authz_service.store.domain import Domain

STORE_PART: Final = "store"

_FIRST_TABLES: Final[tuple[type[peewee.Model], ...]] = (
    State,
    ChangeLine,
    Answered,
    Message,
    ApiKey,
    Applied,
)
_FILL_PREVIOUS: Final = (
    "UPDATE authz_change SET previous = found.previous FROM ("
    "SELECT revision, before, LAG(revision, 1, 0) OVER"
    " (PARTITION BY type, entity_id ORDER BY revision) AS previous FROM authz_change"
    ") AS found WHERE found.revision = authz_change.revision AND found.before IS NOT NULL"
)


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
    for table in _FIRST_TABLES:
        tables.create_one(table)
    State.insert(id=1, revision=0).execute(database)
    kind = database.field_types.get("BIGINT", "BIGINT")
    for model in domain.models:
        if model.stored:
            add_column(database, type_name(model), f'"revision" {kind} NOT NULL DEFAULT 0')


def _add_history(database: peewee.Database, tables: TableMaker, _domain: Domain) -> None:
    for model in (PolicyText, Activated):
        tables.create_one(model)
    feed = type_name(ChangeLine)
    if any(each.name == "previous" for each in database.get_columns(feed)):
        return  # the step before this one has just made the table, as it is now
    kind = database.field_types.get("BIGINT", "BIGINT")
    add_column(database, feed, f'"previous" {kind} NOT NULL DEFAULT 0')
    database.execute_sql(_FILL_PREVIOUS)


def _add_trials(database: peewee.Database, tables: TableMaker, _domain: Domain) -> None:
    for model in (PolicyTrial, PolicyFolder):
        tables.create_one(model)
    texts, activated = type_name(PolicyText), type_name(Activated)
    if any(each.name == "signature" for each in database.get_columns(texts)):
        return  # a step before this one has just made the tables, as they are now
    add_column(database, texts, "\"signature\" TEXT NOT NULL DEFAULT ''")
    add_column(database, activated, "\"source\" TEXT NOT NULL DEFAULT 'folder'")
    add_column(database, activated, "\"verdict\" TEXT NOT NULL DEFAULT '{}'")


STORE_MIGRATIONS: Final = (
    Migration(1, "revisions, the feed, answers, messages and keys", _add_revisions),
    Migration(2, "what leads back in the feed, and the policies that served", _add_history),
    Migration(3, "how policies are tried before they serve, and who signed them", _add_trials),
)
