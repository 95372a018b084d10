"""Exports: the same bytes from whatever database, in an order in which they can be imported."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from entity_service import line
from store_suite import LIBRARY

from authz_service.errors import StoreError
from authz_service.portal import DOMAIN
from authz_service.storage import create_store
from authz_service.store.database import open_store
from authz_service.store.entity import Reference
from authz_service.store.exporting import export_entities
from authz_service.store.importing import import_entities
from authz_service.store.writer import Cause, write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz_service.store.database import Store
    from authz_service.store.domain import Domain

FIXTURES: Final = Path(__file__).parent.parent / "fixtures"
NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)


def bring(store: Store, domain: Domain, data: bytes) -> None:
    """Make the tables and import."""
    with store.transaction():
        store.create_tables()
        with write(store, Cause(), NOW) as writer:
            import_entities(io.BytesIO(data), "file", writer, domain)


def give(store: Store, domain: Domain, kinds: Iterable[str] = ()) -> bytes:
    """Export all, or some."""
    return b"".join(export_entities(store, domain, kinds or domain.schema.types))


@pytest.mark.parametrize("ways", [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_an_export_gives_the_same_store_on_the_other_database(
    sqlite_url: str, postgresql_url: str, ways: tuple[str, str]
) -> None:
    """Export, import elsewhere, export: the same bytes."""
    urls = {"sqlite": sqlite_url, "postgresql": postgresql_url}
    first, second = (open_store(urls[each], DOMAIN) for each in ways)
    create_store(first, DOMAIN, [FIXTURES])
    exported = give(first, DOMAIN)
    bring(second, DOMAIN, exported)

    assert exported.count(b"\n") > 100
    assert exported == give(second, DOMAIN)
    first.close()
    second.close()


def test_ids_come_in_the_order_of_their_bytes(url: str) -> None:
    """Whatever the database takes for an order."""
    ids = ["b", "B", "a/b", "a-b", "ab", "é", "\U0001f600", "\uffff", "10", "9"]
    store = open_store(url, LIBRARY)
    bring(store, LIBRARY, dump(*(line("reader", each, name="R") for each in ids)))
    found = [json.loads(each)["id"] for each in give(store, LIBRARY).splitlines()]
    store.close()

    assert sorted(ids, key=str.encode) == found


def dump(*lines: object) -> bytes:
    """Write lines."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in lines)


def test_what_refers_to_its_own_type_comes_behind(url: str, sqlite_url: str) -> None:
    """However their ids lie."""
    lines = [
        line("reader", "z", name="Z", mentor=None),
        line("reader", "m", name="M", mentor="z"),
        line("reader", "a", name="A", mentor="m"),
        line("reader", "b", name="B", mentor="m"),
        line("reader", "c", name="C", mentor="c"),
    ]
    store = open_store(url, LIBRARY)
    bring(store, LIBRARY, dump(*lines))
    exported = give(store, LIBRARY)
    other = open_store(f"{sqlite_url}-other", LIBRARY)
    bring(other, LIBRARY, exported)

    assert ["c", "z", "m", "a", "b"] == [json.loads(each)["id"] for each in exported.splitlines()]
    assert exported == give(other, LIBRARY)
    store.close()
    other.close()


def test_a_circle_is_told(url: str) -> None:
    """No order of lines could be imported."""
    store = open_store(url, LIBRARY)
    bring(store, LIBRARY, dump(line("reader", "a", name="A"), line("reader", "b", name="B")))
    with write(store, Cause(), NOW) as writer:
        writer.update(Reference("reader", "a"), mentor="b")
        writer.update(Reference("reader", "b"), mentor="a")
    with pytest.raises(StoreError, match="refers to itself by way of others"):
        give(store, LIBRARY)
    store.close()


def test_values_of_every_kind_come_back(url: str) -> None:
    """Times, numbers, truth, lists, nothing and any text."""
    emma = line(
        "book",
        "emma",
        title='a "b" \\ \n \x7f \u2028 é \U0001f600',
        kind="novel",
        pages=-3,
        bought="2026-01-05T09:00:00.000001Z",
        lent=True,
        keeper=None,
        finder="r",
        waiting=["q", "r"],
    )
    readers = [line("reader", each, name="R", mentor=None) for each in "qr"]
    store = open_store(url, LIBRARY)
    bring(store, LIBRARY, dump(*readers, emma))
    exported = give(store, LIBRARY, ["book"])
    store.close()

    assert emma == json.loads(exported)


def test_more_than_a_chunk_is_given_out(url: str) -> None:
    """All of it, once."""
    lines = [line("reader", f"{each:05}", name="R", mentor=None) for each in range(2_345)]
    store = open_store(url, LIBRARY)
    bring(store, LIBRARY, dump(*lines))
    found = give(store, LIBRARY)
    store.close()

    assert lines == [json.loads(each) for each in found.splitlines()]
