"""The store in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from store_suite import LIBRARY, MARY, SharedStoreSuite, add, reader

from authz_service.errors import StoreError
from authz_service.store.database import open_store
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from conftest import RunSql

    from authz_service.store.database import Store
    from authz_service.store.entity import Row


CUT_ALL: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def add_and_cut(store: Store, run_sql: RunSql, row: Row) -> None:
    """Insert a row in a transaction whose connection is cut before its end."""
    with store.transaction():
        store.insert(row)
        run_sql(CUT_ALL)


class TestPostgresql(SharedStoreSuite):
    """The contract, in PostgreSQL."""

    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        """A new database."""
        return postgresql_url

    def test_a_store_survives_a_lost_connection(self, store: Store, run_sql: RunSql) -> None:
        """A question on a connection that was cut fails; the next one has a new connection."""
        run_sql(CUT_ALL)
        with pytest.raises(StoreError), store.snapshot():
            store.find(MARY)

        assert store.find(MARY)

    def test_a_connection_lost_halfway_fails_the_transaction(
        self, store: Store, run_sql: RunSql
    ) -> None:
        """A transaction whose connection is cut stores nothing; the next one succeeds."""
        with pytest.raises(StoreError):
            add_and_cut(store, run_sql, reader("thomas"))
        add(store, reader("philip"))

        assert store.find(Reference("reader", "thomas")) is None
        assert store.find(Reference("reader", "philip"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://philip:swordfish@127.0.0.1:1/portal",
        "postgresql://philip:sword%zzfish@127.0.0.1:1/portal",
        "postgresql://philip:swordfish@127.0.0.1:port/portal",
        "postgresql://philip:swordfish@[::1/portal",
    ],
    ids=["no server", "wrong escape", "wrong port", "wrong host"],
)
def test_a_message_has_no_password(url: str) -> None:
    """A PostgreSQL that cannot be reached is told without what the URL holds."""
    with pytest.raises(StoreError) as caught:
        open_store(url, LIBRARY).has_tables()

    assert "fish" not in str(caught.value)
