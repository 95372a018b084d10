"""The store in PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Final

import pytest
from installation import wait_until
from small_domain import DOMAIN, ask_for, build_decider, build_records, write_policy
from store_suite import LIBRARY, MARY, SharedStoreSuite, add, reader

from authz_service.errors import StoreError
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import load_policies
from authz_service.store.database import open_store
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import RunSql

    from authz_service.store.database import Store
    from authz_service.store.entity import Row


OTHERS: Final = (
    " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
CUT_ALL: Final = f"SELECT pg_terminate_backend(pid) {OTHERS}"
READ: Final = 'allow(_request: Request, "read", _record: Record);'
THREADS: Final = 4
CUTS: Final = 4
QUESTIONS: Final = 200  # of each thread, around a cut


def add_and_cut(store: Store, run_sql: RunSql, row: Row) -> None:
    """Insert a row in a transaction whose connection is cut before its end."""
    with store.transaction():
        store.insert(row)
        run_sql(CUT_ALL)


def cut(run_sql: RunSql) -> None:
    """Cut all connections, and wait until the server has ended them."""
    run_sql(CUT_ALL)
    wait_until(lambda: not run_sql(f"SELECT pid {OTHERS}"))


def add_and_pass_over(store: Store, run_sql: RunSql, row: Row) -> None:
    """Do the same, and go on when a question in it has failed."""
    with store.transaction():
        store.insert(row)
        run_sql(CUT_ALL)
        with pytest.raises(StoreError):
            list(store.find_ids("reader"))


class TestPostgresql(SharedStoreSuite):
    """The contract, in PostgreSQL."""

    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        """A new database."""
        return postgresql_url

    def test_a_store_survives_a_lost_connection(self, store: Store, run_sql: RunSql) -> None:
        """What is asked after a connection was cut has a new one."""
        assert store.find(MARY)

        cut(run_sql)

        assert store.find(MARY)

    @pytest.mark.parametrize("act", [add_and_cut, add_and_pass_over])
    def test_a_connection_lost_halfway_fails_the_transaction(
        self, store: Store, run_sql: RunSql, act: Callable[[Store, RunSql, Row], None]
    ) -> None:
        """A transaction whose connection is cut stores nothing; the next one succeeds."""
        with pytest.raises(StoreError):
            act(store, run_sql, reader("thomas"))
        add(store, reader("philip"))

        assert store.find(Reference("reader", "thomas")) is None
        assert store.find(Reference("reader", "philip"))


@pytest.mark.parametrize("url", ["postgresql_url"], indirect=True)
def test_cut_connections_deny_what_is_asked_at_that_moment(
    tmp_path: Path, url: str, run_sql: RunSql
) -> None:
    """Each thread loses one question at the most; whatever is asked then has the right answer."""
    records = build_records(url)
    engine = CompiledEngine(load_policies(write_policy(tmp_path, READ)), DOMAIN, 60_000)
    decider = build_decider(engine, records)
    turn = Barrier(THREADS + 1)

    def ask_often() -> list[str]:
        found = []
        for number in range(CUTS * QUESTIONS):
            if number % QUESTIONS == 0:
                turn.wait()
            found += [each.code for each in decider.check(ask_for()).reasons]
        records.close()
        return found

    with ThreadPoolExecutor(THREADS) as threads:
        asked = [threads.submit(ask_often) for _ in range(THREADS)]
        for _ in range(CUTS):
            turn.wait()
            run_sql(CUT_ALL)
    records.close()

    for reasons in (each.result() for each in asked):
        assert {"evaluation_error"} >= set(reasons)
        assert CUTS >= len(reasons)


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
