"""Migrations: an old store becomes what a new one is, and other versions are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from authz_service.errors import StoreError
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.storage import create_store, migrate_store, open_existing_store
from authz_service.store.database import open_store
from authz_service.store.entity import Reference
from authz_service.store.migration import Migration
from authz_service.store.writer import find_revision

if TYPE_CHECKING:
    import peewee
    from conftest import RunSql

SCHEMAS: Final = Path(__file__).parent / "schemas"
MARY: Final = Reference("person", "mary")
ADD_MARY: Final = "INSERT INTO person (id, name, email) VALUES ('mary', 'Mary', 'mary@example.com')"
# What a table is made of, column by column, in words that both databases have.
LOOK: Final = {
    "sqlite": (
        'SELECT t.name, c.name, c.type, c."notnull", c.dflt_value, c.pk FROM sqlite_master t,'
        " pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY 1, 2"
    ),
    "postgresql": (
        "SELECT table_name, column_name, data_type, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
    ),
}
INDEXES: Final = {
    "sqlite": "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' ORDER BY 1, 2",
    "postgresql": (
        "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"
    ),
}


@pytest.fixture
def settings(url: str) -> Settings:
    """Settings that name the test's database."""
    return replace(Settings(), database=url)


@pytest.fixture(params=[0, 1, 2])
def old(request: pytest.FixtureRequest, url: str, run_sql: RunSql) -> Settings:
    """A store of an earlier version, with Mary in it: 0 is before there were migrations."""
    return make_old(url, run_sql, request.param)


def make_old(url: str, run_sql: RunSql, version: int) -> Settings:
    """Make a store of an earlier version."""
    kind = url.partition(":")[0]
    for statement in (SCHEMAS / f"portal-{version}.{kind}.sql").read_text().splitlines():
        run_sql(statement)
    run_sql(ADD_MARY)
    return replace(Settings(), database=url)


def look_at(url: str, run_sql: RunSql) -> tuple[list[Any], list[Any]]:
    """Look at all tables and indexes."""
    kind = url.partition(":")[0]
    return run_sql(LOOK[kind]), run_sql(INDEXES[kind])


def make_new(url: str) -> None:
    """Make a new, empty store of the portal."""
    store = open_store(url, DOMAIN)
    create_store(store, DOMAIN, [Path(__file__).parent.parent / "fixtures" / "janssens.yaml"])
    store.close()


def test_an_old_store_becomes_what_a_new_one_is(url: str, old: Settings, run_sql: RunSql) -> None:
    """Column by column and index by index."""
    migrate_store(old)
    migrated = look_at(url, run_sql)
    drop_all(url, run_sql)
    make_new(url)

    assert look_at(url, run_sql) == migrated


def drop_all(url: str, run_sql: RunSql) -> None:
    """Remove all tables."""
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).unlink()
    else:
        run_sql("DROP SCHEMA public CASCADE")
        run_sql("CREATE SCHEMA public")


def test_an_old_store_keeps_what_it_has(old: Settings) -> None:
    """What was in it is there, with the default for what is new."""
    found = migrate_store(old)
    store = open_existing_store(old, DOMAIN)
    mary = store.find(MARY)
    store.close()

    assert found
    assert mary
    assert "en" == mary.values["language"]


def test_migrating_twice_does_nothing(old: Settings) -> None:
    """A store that is up to date stays as it is."""
    migrate_store(old)

    assert [] == migrate_store(old)


def test_a_check_changes_nothing(old: Settings) -> None:
    """What is to be done is told, and the store is refused as before."""
    found = migrate_store(old, check=True)

    assert "how policies are tried before they serve, and who signed them" in {
        each.name for each in found
    }
    assert found == migrate_store(old, check=True)


def test_an_old_store_is_refused(old: Settings) -> None:
    """Nobody serves from it, and the command that helps is said."""
    with pytest.raises(StoreError, match="`authz migrate` brings it up to date"):
        open_existing_store(old, DOMAIN)


def test_a_new_store_is_up_to_date(url: str, settings: Settings) -> None:
    """Nothing is left to be run, and its revision is that of what was loaded."""
    make_new(url)
    store = open_existing_store(settings, DOMAIN)
    revision = find_revision(store)
    store.close()

    assert [] == migrate_store(settings)
    assert revision > 0


def test_a_newer_store_is_refused(url: str, settings: Settings, run_sql: RunSql) -> None:
    """What a newer program made is not touched, whatever the command."""
    make_new(url)
    run_sql(
        "INSERT INTO authz_migration (part, number, name, at) VALUES ('portal', 99, 'x', 'then')"
    )
    with pytest.raises(StoreError, match="newer program, which has the migrations portal 99"):
        open_existing_store(settings, DOMAIN)
    with pytest.raises(StoreError, match="newer program"):
        migrate_store(settings)


def test_all_steps_are_run_in_their_order(url: str, run_sql: RunSql) -> None:
    """Those of the store, then those of the domain."""
    assert [1, 2, 3, 1] == [each.number for each in migrate_store(make_old(url, run_sql, 0))]


def test_an_old_feed_leads_back(url: str, run_sql: RunSql) -> None:
    """What leads back is found for the lines that are there; of what was there before, nothing."""
    settings = make_old(url, run_sql, 1)
    for revision, entity, before in (
        (1, "mary", "'{}'"),
        (2, "tom", "NULL"),
        (3, "mary", "'{}'"),
        (4, "tom", "'{}'"),
        (5, "mary", "NULL"),
    ):
        values = f"{revision}, 'then', 'person', '{entity}', {before}, NULL, '', '', '', ''"
        run_sql(f"INSERT INTO authz_change VALUES ({values})")  # noqa: S608  # constants
    migrate_store(settings)

    assert [(1, 0), (2, 0), (3, 1), (4, 2), (5, 0)] == run_sql(
        "SELECT revision, previous FROM authz_change ORDER BY revision"
    )


@pytest.mark.usefixtures("old")
def test_a_migration_that_fails_changes_nothing(url: str, run_sql: RunSql) -> None:
    """All steps are one transaction."""

    def fail(database: peewee.Database, *_: Any) -> None:
        database.execute_sql("CREATE TABLE half (id TEXT)")
        raise KeyError

    domain = replace(DOMAIN, migrations=(*DOMAIN.migrations, Migration(2, "fails", fail)))
    before = look_at(url, run_sql)
    store = open_store(url, domain)
    with pytest.raises(KeyError), store.transaction():
        store.migrate()
    store.close()

    assert before == look_at(url, run_sql)
