"""The store in PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier
from typing import TYPE_CHECKING, Final

import pytest
from installation import wait_until
from small_domain import DOMAIN, ask_for, build_decider, build_records, write_policy
from store_suite import LIBRARY, MARY, SharedStoreSuite, add, reader

from authz_service.errors import StoreError
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import load_policies
from authz_service.store.database import Store, open_store
from authz_service.store.entity import Reference
from authz_service.store.postgresql import PostgresqlPool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import RunSql

    from authz_service.store.entity import Row


OTHERS: Final = (
    " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
CUT_ALL: Final = f"SELECT pg_terminate_backend(pid) {OTHERS}"
READ: Final = 'allow(_request: Request, "read", _record: Record);'
THREADS: Final = 4
CUTS: Final = 4
QUESTIONS: Final = 200  # of each thread, around a cut


def create(store: Store, row: Row) -> None:
    """Make the tables, and put a row into them."""
    with store.transaction():
        store.create_tables()
        store.insert(row)


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


def ask_from_threads(store: Store, run_sql: RunSql) -> int:
    """Ask from four threads at the same time, and count the connections that are left."""
    turn = Barrier(THREADS)

    def ask() -> None:
        turn.wait()
        for _ in range(QUESTIONS):
            assert store.find(MARY)

    with ThreadPoolExecutor(THREADS) as threads:
        for each in [threads.submit(ask) for _ in range(THREADS)]:
            each.result()
    [(count,)] = run_sql(f"SELECT count(*) {OTHERS}")
    return int(count)


@pytest.mark.parametrize("url", ["postgresql_url"], indirect=True)
class TestPool:
    """Connections to PostgreSQL are lent."""

    def test_threads_share_the_connections_that_there_may_be(
        self, url: str, run_sql: RunSql
    ) -> None:
        """Four threads that ask at once all get their answers over two connections."""
        with closing(open_store(url, LIBRARY, connections=2)) as store:
            create(store, reader("mary"))

            assert 2 >= ask_from_threads(store, run_sql)

    def test_threads_that_end_leave_nothing_behind(self, url: str, run_sql: RunSql) -> None:
        """After many threads there are no more connections than were used at once."""
        with closing(open_store(url, LIBRARY)) as store:
            create(store, reader("mary"))

            counts = [ask_from_threads(store, run_sql) for _ in range(3)]

        assert all(count <= THREADS for count in counts)

    def test_a_closed_store_has_no_connection(self, url: str, run_sql: RunSql) -> None:
        """Whoever closes a store closes those that rest, too."""
        with closing(open_store(url, LIBRARY)) as store:
            create(store, reader("mary"))
            ask_from_threads(store, run_sql)

        wait_until(lambda: not run_sql(f"SELECT pid {OTHERS}"))

    def test_who_waits_too_long_for_a_connection_is_told(self, url: str) -> None:
        """A question is refused when others keep all connections, and says which setting it is."""
        store = Store(PostgresqlPool(url, connections=1, wait=0.1), LIBRARY)
        with closing(store), store.snapshot(), ThreadPoolExecutor(1) as threads:
            asked = threads.submit(store.find, MARY)

            with pytest.raises(StoreError, match="none of 1 connections is free"):
                asked.result()


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
