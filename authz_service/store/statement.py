"""Statements as text, run with many sets of values; `?` stands for what is bound."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import peewee

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Insertion:
    """Adds rows to a table.

    To begin and to end a statement costs as much as a row does, so one adds several.

    Arguments:
        start: the statement, until its rows begin.
        row: a row of it.
        together: how many rows one statement adds. What is referred to must be there when it ends.
    """

    start: str
    row: str
    together: int = 100

    def run(self, database: peewee.Database, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add rows.

        Arguments:
            database: where; errors are peewee's.
            rows: what is bound for each.
        """
        size = self.together
        whole = len(rows) // size * size
        chunks = (rows[start : start + size] for start in range(0, whole, size))
        self._run(database, size, [tuple(chain.from_iterable(chunk)) for chunk in chunks])
        self._run(database, 1, rows[whole:])

    def _run(self, database: peewee.Database, count: int, bound: Sequence[tuple[Any, ...]]) -> None:
        if bound:
            rows = ", ".join([f"({self.row})"] * count)
            run_many(database, f"{self.start} VALUES {rows}", bound)


def mark(database: peewee.Database, text: str) -> str:
    """Write a statement as the database wants it."""
    return text if isinstance(database, peewee.SqliteDatabase) else text.replace("?", "%s")


def run_many(database: peewee.Database, text: str, bound: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement with one set of values after the other.

    Arguments:
        database: where; errors are peewee's.
        text: the statement.
        bound: the sets of values.
    """
    if not bound:
        return
    # peewee has no public way to run a statement with many sets of values
    with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
        cursor = database.connection().cursor()
        cursor.executemany(mark(database, text), bound)
        cursor.close()
