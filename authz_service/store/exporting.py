"""An export: all entities as lines of JSON, in an order in which they can be imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz_service.errors import StoreError
from authz_service.store.entity import type_name
from authz_service.store.integrity import Integrity
from authz_service.store.lines import write_json
from authz_service.store.writer import write_values

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from authz_service.store.database import Store
    from authz_service.store.domain import Domain
    from authz_service.store.entity import Row


def export_entities(
    store: Store, domain: Domain, kinds: Iterable[str]
) -> Generator[bytes, None, None]:
    """Write entities as lines, each with its end, of one state of the store.

    Types come in the order of the domain, entities in the order of the bytes of their ids; what
    refers to entities of its own type comes behind those. So two stores that hold the same are
    written as the same bytes.

    Arguments:
        store: whose.
        domain: of the store.
        kinds: the types that are wanted.

    Raises:
        StoreError: when entities of one type refer to each other in a circle.
    """
    wanted = set(kinds)
    integrity = Integrity(domain, store.find)
    with store.snapshot():
        for model in domain.models:
            kind = type_name(model)
            if kind not in wanted or not model.stored:
                continue
            attributes = domain.schema.types[kind].attributes.values()
            is_tied = any(each.type == kind and not each.derived for each in attributes)
            rows = store.walk(kind)
            for row in _order(rows, integrity) if is_tied else rows:
                yield _write_line(row)


def _write_line(row: Row) -> bytes:
    reference, values = row.reference, write_values(row.values)
    line = {"type": reference.type, "id": reference.id, "attributes": values}
    return write_json(line) + b"\n"


def _order(rows: Iterable[Row], integrity: Integrity) -> Iterator[Row]:
    """Put each row behind those of its type that it refers to."""
    done: set[str] = set()
    waiting: dict[str, list[Row]] = {}
    for row in rows:
        ready = [row]
        while ready:
            each = ready.pop()
            missing = next(_find_missing(each, integrity, done), None)
            if missing is not None:
                waiting.setdefault(missing, []).append(each)
                continue
            yield each
            done.add(each.reference.id)
            ready += reversed(waiting.pop(each.reference.id, []))
    for first in waiting.values():
        message = "refers to itself by way of others, so no order of lines can be imported"
        raise StoreError.at(str(first[0].reference), "circular_reference", message)


def _find_missing(row: Row, integrity: Integrity, done: set[str]) -> Iterator[str]:
    for _, target in integrity.find_targets(row):
        if target.type == row.reference.type and target != row.reference and target.id not in done:
            yield target.id
