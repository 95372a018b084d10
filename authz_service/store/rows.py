"""Entities as rows of their tables: read, added, changed and removed by their ids."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from authz_service.store.entity import REVISION, find_link, find_links
from authz_service.store.prepared import Prepared, slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    import peewee

    from authz_service.store.entity import Entity

_KEY: Final = "?key"
_OTHER: Final = "?other"
_MOST_KEPT: Final = 1_024


class Rows:
    """The rows of the entities in one database.

    Safe to share between threads.

    Arguments:
        database: where they are.
    """

    def __init__(self, database: peewee.Database) -> None:
        self._database = database

    def find(self, model: type[Entity], key: str) -> dict[str, Any] | None:
        """Find a row by its id: all columns that a model has, by the names of its fields."""
        found = _find(model).run(self._database, **{_KEY: key})
        fields = model._meta.sorted_fields  # noqa: SLF001  # peewee's interface
        for row in found:
            pairs = zip(fields, row, strict=True)
            return {field.name: field.python_value(value) for field, value in pairs}
        return None

    def find_lists(self, model: type[Entity], key: str) -> dict[str, tuple[str, ...]]:
        """Find the many-to-many lists that are written on an entity, each in order."""
        return {
            name: tuple(
                other for (other,) in _find_list(model, name).run(self._database, **{_KEY: key})
            )
            for name in find_links(model)
        }

    def insert(
        self, model: type[Entity], key: str, values: Mapping[str, Any], revision: int
    ) -> None:
        """Add a row, with what stands in tables between two."""
        own, lists = _split(values)
        bound = {**_to_database(model, own), REVISION: revision, _KEY: key}
        _insert(model, tuple(sorted(own))).run(self._database, **bound)
        self._insert_lists(model, key, lists)

    def update(
        self, model: type[Entity], key: str, values: Mapping[str, Any], revision: int
    ) -> None:
        """Give a row other values, and other lists where they are named."""
        own, lists = _split(values)
        bound = {**_to_database(model, own), REVISION: revision, _KEY: key}
        _update(model, tuple(sorted(own))).run(self._database, **bound)
        self._delete_lists(model, key)
        self._insert_lists(model, key, lists)

    def delete(self, model: type[Entity], key: str) -> None:
        """Remove a row, with its lists."""
        self._delete_lists(model, key)
        _delete(model).run(self._database, **{_KEY: key})

    def _insert_lists(
        self, model: type[Entity], key: str, lists: Mapping[str, tuple[str, ...]]
    ) -> None:
        for name, others in lists.items():
            for other in others:
                _insert_pair(model, name).run(self._database, **{_KEY: key, _OTHER: other})

    def _delete_lists(self, model: type[Entity], key: str) -> None:
        for name in find_links(model):
            _delete_pairs(model, name).run(self._database, **{_KEY: key})


def _split(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    """Part what stands in the entity's own row from what stands in tables between two."""
    lists = {name: ids for name, ids in values.items() if isinstance(ids, tuple)}
    return {name: value for name, value in values.items() if name not in lists}, lists


def _to_database(model: type[Entity], values: Mapping[str, Any]) -> dict[str, Any]:
    fields = model._meta.fields  # noqa: SLF001  # peewee's interface
    return {name: fields[name].db_value(value) for name, value in values.items()}


@lru_cache(_MOST_KEPT)
def _find(model: type[Entity]) -> Prepared:
    return Prepared(lambda: model.select().where(model.id == slot(_KEY)))


@lru_cache(_MOST_KEPT)
def _insert(model: type[Entity], names: tuple[str, ...]) -> Prepared:
    values = {name: slot(name) for name in (*names, REVISION)}
    copied = {name: _copied(model, path) for name, path in model.copies.items()}
    return Prepared(lambda: model.insert(id=slot(_KEY), **values, **copied))


def _copied(model: type[Entity], path: str) -> Any:
    """Read what the row's neighbour says in the very statement that inserts the row."""
    reference, column = path.split(".")
    neighbour = model._meta.fields[reference].rel_model  # noqa: SLF001  # peewee's interface
    return neighbour.select(getattr(neighbour, column)).where(neighbour.id == slot(reference))


@lru_cache(_MOST_KEPT)
def _update(model: type[Entity], names: tuple[str, ...]) -> Prepared:
    values = {name: slot(name) for name in (*names, REVISION)}
    return Prepared(lambda: model.update(**values).where(model.id == slot(_KEY)))


@lru_cache(_MOST_KEPT)
def _delete(model: type[Entity]) -> Prepared:
    return Prepared(lambda: model.delete().where(model.id == slot(_KEY)))


@lru_cache(_MOST_KEPT)
def _find_list(model: type[Entity], name: str) -> Prepared:
    through, here, there = find_link(model, name)
    return Prepared(lambda: through.select(there).where(here == slot(_KEY)).order_by(there))


@lru_cache(_MOST_KEPT)
def _insert_pair(model: type[Entity], name: str) -> Prepared:
    through, here, there = find_link(model, name)
    pair = {here.name: slot(_KEY), there.name: slot(_OTHER)}
    return Prepared(lambda: through.insert(**pair))


@lru_cache(_MOST_KEPT)
def _delete_pairs(model: type[Entity], name: str) -> Prepared:
    through, here, _ = find_link(model, name)
    return Prepared(lambda: through.delete().where(here == slot(_KEY)))
