"""The stores that the settings name: opened, made, filled, and brought up to date."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Final, TypeVar

from authz_service.errors import LogError, SettingError, StoreError
from authz_service.store.database import open_store
from authz_service.store.domain import Domain
from authz_service.store.fixture import load_entities, load_fixtures
from authz_service.store.importing import import_entities
from authz_service.store.journal import find_log_file, open_journal
from authz_service.store.keys import has_keys
from authz_service.store.url import MEMORY, find_missing_file
from authz_service.store.writer import Cause, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from authz_service.document import Value
    from authz_service.settings import Settings
    from authz_service.store.database import Store
    from authz_service.store.journal import Journal
    from authz_service.store.migration import Migration
    from authz_service.store.writer import Writer

T = TypeVar("T")

_SQLITE: Final = "sqlite:///"
_LOADED: Final = Cause(reason="a fixture was loaded")


def find_domain(package: str) -> Domain:
    """Import a domain by the name of its package.

    Raises:
        SettingError: when there is no such package, or no `DOMAIN` in it.
    """
    try:
        found = getattr(importlib.import_module(package), "DOMAIN", None)
    except (ImportError, TypeError, ValueError) as error:
        message = f"`{package}` cannot be imported: {error}"
        raise SettingError.at("domain", "unknown_domain", message) from None
    if not isinstance(found, Domain):
        message = f"`{package}` has no `DOMAIN`; name the package of a domain"
        raise SettingError.at("domain", "unknown_domain", message)
    return found


def tell_time() -> datetime:
    """Tell the time of this machine."""
    return datetime.now(UTC)


def open_existing_store(settings: Settings, domain: Domain) -> Store:
    """Open the store of the settings.

    Raises:
        StoreError: when there is none, or its tables are of another version.
    """
    store = _open_store_with_tables(settings, domain)
    try:
        store.find_standing().refuse_other_version(settings.shown_database)
    except BaseException:
        store.close()
        raise
    return store


def open_existing_journal(settings: Settings) -> Journal:
    """Open the decision log beside the store of the settings.

    Raises:
        LogError: when nothing was ever logged.
        StoreError: when it cannot be used.
    """
    is_file = settings.database.startswith(_SQLITE)
    place = str(find_log_file(settings.database)) if is_file else settings.shown_database
    if not is_file or find_log_file(settings.database).exists():
        journal = open_journal(settings.database)
        if journal.has_tables():
            return journal
        journal.close()
    message = "no decision was ever logged here; the setting is `log`"
    raise LogError.at(place, "no_log", message)


def _open_store_with_tables(settings: Settings, domain: Domain) -> Store:
    if settings.database == MEMORY:
        message = "ends with this command, so it holds nothing; name a file"
        raise StoreError.at(settings.shown_database, "no_database", message)
    if find_missing_file(settings.database):
        message = "there is no such file; `authz load FILE...` makes it"
        raise StoreError.at(settings.shown_database, "no_database", message)
    in_place = settings.read_in_place == "on"
    connections = settings.connections
    store = open_store(settings.database, domain, in_place=in_place, connections=connections)
    try:
        has_tables = store.has_tables()
    except BaseException:
        store.close()
        raise
    if not has_tables:
        store.close()
        message = "holds no entities; `authz load FILE...` fills it"
        raise StoreError.at(settings.shown_database, "no_tables", message)
    return store


def find_whether_keys_exist(settings: Settings, domain: Domain) -> bool:
    """Find whether an API key was ever made; none was where there is no store yet.

    Raises:
        StoreError: when the store cannot be used, or its tables are of another version.
    """
    return bool(find_in_store(settings, domain, has_keys))


def find_in_store(settings: Settings, domain: Domain, find: Callable[[Store], T]) -> T | None:
    """Find something in the store of the settings; None where there is no store yet.

    Raises:
        StoreError: as above.
    """
    if settings.database == MEMORY or find_missing_file(settings.database):
        return None
    store = open_store(settings.database, domain)
    try:
        if not store.has_tables():
            return None
        store.find_standing().refuse_other_version(settings.shown_database)
        return find(store)
    finally:
        store.close()


def migrate_store(settings: Settings, *, check: bool = False) -> list[Migration]:
    """Bring the tables of the store up to date, in one transaction.

    Arguments:
        settings: which store.
        check: only find what is to be done.

    Returns:
        the migrations that were run, or are to be.

    Raises:
        StoreError: when there is no store, or it was made by a newer program.
    """
    domain = find_domain(settings.domain)
    store = _open_store_with_tables(settings, domain)
    try:
        with store.transaction():
            standing = store.find_standing()
            standing.refuse_newer_version(settings.shown_database)
            return list(standing.pending) if check else store.migrate()
    finally:
        store.close()


def load_into_store(settings: Settings, fixtures: Iterable[Path]) -> int:
    """Load fixtures into the store of the settings, in one transaction; make it if need be.

    Returns:
        how many entities were stored.

    Raises:
        FixtureError: when the fixtures cannot be loaded; nothing changes then.
    """
    domain = find_domain(settings.domain)
    with _open_writer(settings, domain, _LOADED) as writer:
        return load_fixtures(fixtures, writer, domain)


def import_into_store(
    settings: Settings, file: IO[bytes], name: str, reason: str, tell: Callable[[int], None]
) -> int:
    """Import lines of JSON into the store of the settings, in one transaction; make it if need be.

    Arguments:
        settings: which store.
        file: the lines.
        name: stands for the file in the places of faults.
        reason: in words, why.
        tell: is told now and then how many bytes were read since it was told before.

    Returns:
        how many entities were written.

    Raises:
        RefusedEntitiesError: when entities cannot be written; nothing changes then.
    """
    domain = find_domain(settings.domain)
    with _open_writer(settings, domain, Cause(reason=reason)) as writer:
        return import_entities(file, name, writer, domain, tell)


@contextmanager
def _open_writer(settings: Settings, domain: Domain, cause: Cause) -> Iterator[Writer]:
    """Write into the store of the settings, in one transaction; make it if need be."""
    store = open_store(settings.database, domain)
    try:
        with store.transaction():
            if store.has_tables():
                store.find_standing().refuse_other_version(settings.shown_database)
            else:
                store.create_tables()
            with write(store, cause, tell_time()) as writer:
                yield writer
    finally:
        store.close()


def build_fixture_store(fixture: Path, domain: Domain) -> Store:
    """Build a store in memory that holds one fixture file and nothing else.

    Raises:
        FixtureError: when the file cannot be loaded.
    """
    store = open_store(MEMORY, domain)
    try:
        create_store(store, domain, [fixture])
    except BaseException:
        store.close()
        raise
    return store


def add_entities(store: Store, domain: Domain, entities: Value) -> None:
    """Add entities that stand in a file to a store: all of them, or none.

    Raises:
        FixtureError: when they cannot be loaded.
    """
    with store.transaction(), write(store, _LOADED, tell_time()) as writer:
        load_entities(entities, writer, domain)


def create_store(store: Store, domain: Domain, fixtures: Iterable[Path]) -> int | None:
    """Make the tables and load fixtures, in one transaction, unless the tables are there already.

    Killed half way, it leaves a database without tables, so that the next call starts afresh.

    Returns:
        how many entities were stored, or None where nothing was to be done.

    Raises:
        FixtureError: when the fixtures cannot be loaded; nothing is made then.
    """
    with store.transaction():
        if store.has_tables():
            return None
        store.create_tables()
        with write(store, _LOADED, tell_time()) as writer:
            return load_fixtures(fixtures, writer, domain)
