"""What a promise looks at, for whoever makes up rows: which are about the same, and which count."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from authz_service.store.entity import type_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz_service.store.domain import Promise


class Uniqueness:
    """A promise in the words of entities instead of those of tables.

    Arguments:
        promise: which.

    Attributes:
        kind: the type of the rows.
        columns: what together occurs once: attributes, or paths to those of another entity.
        conditions: what tells which rows count.
    """

    def __init__(self, promise: Promise) -> None:
        self.promise = promise
        self.kind = type_name(promise.model)
        fields = promise.model._meta.fields  # noqa: SLF001  # peewee's interface
        paths = promise.model.copies
        self._fields = [fields[each] for each in promise.conditions]
        self.columns = tuple(paths.get(each, each) for each in promise.attributes)
        self.conditions = tuple(paths.get(each, each) for each in promise.conditions)
        self._known: dict[tuple[Any, ...], bool] = {}

    def counts(self, values: Sequence[Any]) -> bool:
        """Tell whether a row counts that has these values for the conditions."""
        key = tuple(values)
        if key not in self._known:
            self._known[key] = not self.promise.where or self._ask(key)
        return self._known[key]

    def _ask(self, values: tuple[Any, ...]) -> bool:
        columns = ", ".join(f'? AS "{each.column_name}"' for each in self._fields)
        bound = [each.db_value(value) for each, value in zip(self._fields, values, strict=True)]
        # the condition is the domain's own, as it stands in the index
        text = f"SELECT ({self.promise.where}) FROM (SELECT {columns})"  # noqa: S608
        with closing(sqlite3.connect(":memory:")) as connection:
            [(found,)] = connection.execute(text, bound)
        return bool(found)
