"""Statements that are built once: peewee writes the text, and what differs is bound each time.

To write the text of a small statement costs more than to run it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import peewee

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class _Slot:
    """What is filled in when a statement is run."""

    name: str


def slot(name: str) -> Any:
    """Write what is bound when a statement is run, by its name."""
    return peewee.Value(_Slot(name), converter=False, unpack=False)


class Prepared:
    """A statement, for either database.

    Safe to share between threads.

    Arguments:
        build: builds it, with slots for what differs.
    """

    def __init__(self, build: Callable[[], peewee.Node]) -> None:
        self._build = build
        self._texts: dict[type[peewee.Database], tuple[str, tuple[Any, ...]]] = {}

    def run(self, database: peewee.Database, /, **values: Any) -> list[tuple[Any, ...]]:
        """Run it, and give back its rows, with values as the database has them.

        Arguments:
            database: where.
            values: what is bound, as the database takes it, by the names of the slots.
        """
        text, parameters = self._read(database)
        bound = [values[each.name] if isinstance(each, _Slot) else each for each in parameters]
        cursor = database.execute_sql(text, bound)
        return list(cursor.fetchall()) if cursor.description else []

    def _read(self, database: peewee.Database) -> tuple[str, tuple[Any, ...]]:
        found = self._texts.get(type(database))
        if found is None:
            text, parameters = database.get_sql_context().sql(self._build()).query()
            found = self._texts[type(database)] = text, tuple(parameters)
        return found
