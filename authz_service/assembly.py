"""The one place that builds a service out of its parts."""

from __future__ import annotations

import importlib
import importlib.util
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from authz_service.decision.decider import Decider
from authz_service.decision.paging import Pager
from authz_service.decision.performer import Performer
from authz_service.errors import PolicyError, SettingError, StoreError
from authz_service.policy.agreement import Both, Sampled
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import check_policies, load_policies
from authz_service.settings import Settings
from authz_service.store.committer import Committer
from authz_service.store.database import MEMORY, find_missing_file, open_store
from authz_service.store.domain import Domain
from authz_service.store.fixture import load_fixtures
from authz_service.store.writer import Cause, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from authz_service.errors import Fault
    from authz_service.policy.engine import Engine
    from authz_service.policy.source import PolicySet
    from authz_service.store.database import Store
    from authz_service.store.migration import Migration

_LOADED: Final = Cause(reason="a fixture was loaded")


@dataclass(frozen=True)
class Service:
    """Everything that answers requests, put together.

    `sampled` tells what the reference says to the answers, where it is asked; `has_reference`
    whether there is one.
    """

    settings: Settings
    domain: Domain
    store: Store
    decider: Decider
    performer: Performer
    sampled: Sampled | None = None
    has_reference: bool = True


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


def has_reference() -> bool:
    """Tell whether oso is installed; it has no wheel for Python 3.13 and later."""
    return importlib.util.find_spec("oso") is not None


def ignore(_warning: Fault) -> None:
    """Say nothing about what is only odd."""


def build_engine(
    settings: Settings, domain: Domain, warn: Callable[[Fault], None] = ignore
) -> Engine:
    """Build what evaluates the policies of the settings.

    oso, where it is installed, reads them in any case: what it rejects is rejected.

    Arguments:
        settings: which policies, and which engine.
        domain: what they are about.
        warn: is told what is odd about the policies.

    Raises:
        PolicyError: with everything that is wrong with them.
        SettingError: when the engine is one that needs oso, and that is not installed.
    """
    engine, _ = _build_engines(settings, domain, warn)
    return engine


def _build_engines(
    settings: Settings, domain: Domain, warn: Callable[[Fault], None]
) -> tuple[Engine, Engine | None]:
    """Build the engine that answers, and the reference, if there is one."""
    if settings.engine != "compiled" and not has_reference():
        message = (
            f"`{settings.engine}` needs oso, the reference, which is not installed: it has no wheel"
            " for Python 3.13 and later; use `compiled`"
        )
        raise SettingError.at("engine", "no_reference", message)
    # first, for it tells all faults at once, and shows the lines
    policies, compiled = _compile(settings, domain, warn)
    reference = _build_reference(policies, settings, domain)
    if reference and settings.engine == "oso":
        return reference, reference
    if reference and settings.engine == "both":
        return Both(compiled, reference), reference
    return compiled, reference


def _build_reference(policies: PolicySet, settings: Settings, domain: Domain) -> Engine | None:
    if not has_reference():
        return None
    from authz_service.policy.oracle import Oracle  # noqa: PLC0415  # only where oso is

    return Oracle(policies, domain.schema, settings.time_limit)


def build_compiled(
    settings: Settings, domain: Domain, warn: Callable[[Fault], None] = ignore
) -> CompiledEngine:
    """Build the compiled engine, to look at what the policies became.

    Raises:
        PolicyError: as above.
    """
    _, engine = _compile(settings, domain, warn)
    return engine


def _compile(
    settings: Settings, domain: Domain, warn: Callable[[Fault], None]
) -> tuple[PolicySet, CompiledEngine]:
    policies = load_policies(settings.policies)
    findings = check_policies(policies, domain.schema)
    warnings = list(findings.warnings)
    try:
        if findings.errors:
            raise PolicyError(findings.errors)
        engine = CompiledEngine(policies, domain, settings.time_limit)
        warnings += engine.warnings
    finally:
        for each in sorted(warnings):
            warn(each)
    return policies, engine


def build_sampled_engine(
    settings: Settings, domain: Domain, warn: Callable[[Fault], None] = ignore
) -> Engine:
    """Build an engine for serving, at whose answers the reference looks now and then.

    Raises:
        PolicyError: as above.
    """
    engine, reference = _build_engines(settings, domain, warn)
    if not reference or not settings.sample or settings.engine != "compiled":
        return engine
    return Sampled(engine, reference, settings.sample)


def tell_time() -> datetime:
    """Tell the time of this machine."""
    return datetime.now(UTC)


def build_decider(
    engine: Engine,
    domain: Domain,
    store: Store,
    clock: Callable[[], datetime] = tell_time,
    settings: Settings | None = None,
) -> Decider:
    """Build a decider over a store; without settings, its searches have those of a new service."""
    chosen = settings or Settings()
    key = chosen.token_key or secrets.token_hex()
    pager = Pager(key, chosen.max_page, chosen.search_time_limit)
    return Decider(engine=engine, store=store, schema=domain.schema, clock=clock, pager=pager)


def draw_id() -> str:
    """Draw an id that nobody has, and nobody can guess."""
    return uuid.uuid4().hex


def build_performer(  # noqa: PLR0913  # as of a decider, and what new entities are called
    engine: Engine,
    domain: Domain,
    store: Store,
    clock: Callable[[], datetime] = tell_time,
    settings: Settings | None = None,
    *,
    new_id: Callable[[], str] = draw_id,
) -> Performer:
    """Build a performer over a store; `new_id` makes the ids of new entities."""
    # the sampling thread would look at the store from outside the transaction
    deciding = engine.engine if isinstance(engine, Sampled) else engine
    return Performer(
        decider=build_decider(deciding, domain, store, clock, settings),
        committer=Committer(store, clock),
        procedures=domain.procedures,
        new_id=new_id,
        link=(settings or Settings()).confirm_url,
    )


def build_service(settings: Settings, engine: Engine | None = None) -> Service:
    """Build a service over the store of the settings.

    Arguments:
        settings: which store, and which policies.
        engine: what evaluates them, where it has been built already.

    Raises:
        AuthzError: of the part that cannot be used.
    """
    domain = find_domain(settings.domain)
    engine = engine or build_sampled_engine(settings, domain)
    store = open_existing_store(settings, domain)
    return put_together(settings, domain, engine, store)


def put_together(
    settings: Settings,
    domain: Domain,
    engine: Engine,
    store: Store,
    clock: Callable[[], datetime] = tell_time,
) -> Service:
    """Put a service together over a store that is open."""
    decider = build_decider(engine, domain, store, clock, settings)
    performer = build_performer(engine, domain, store, clock, settings)
    sampled = engine if isinstance(engine, Sampled) else None
    return Service(settings, domain, store, decider, performer, sampled, has_reference())


def open_existing_store(settings: Settings, domain: Domain) -> Store:
    """Open the store of the settings.

    Raises:
        StoreError: when there is none, or its tables are of another version.
    """
    store = _open_store_with_tables(settings, domain)
    try:
        _refuse_other_version(settings, store)
    except BaseException:
        store.close()
        raise
    return store


def _open_store_with_tables(settings: Settings, domain: Domain) -> Store:
    if settings.database == MEMORY:
        message = "ends with this command, so it holds nothing; name a file"
        raise StoreError.at(settings.shown_database, "no_database", message)
    if find_missing_file(settings.database):
        message = "there is no such file; `authz load FILE...` makes it"
        raise StoreError.at(settings.shown_database, "no_database", message)
    store = open_store(settings.database, domain)
    if not store.has_tables():
        message = "holds no entities; `authz load FILE...` fills it"
        raise StoreError.at(settings.shown_database, "no_tables", message)
    return store


def _refuse_other_version(settings: Settings, store: Store) -> None:
    """Refuse a store whose tables are not those that this program knows."""
    standing = store.find_standing()
    place = settings.shown_database
    if standing.unknown:
        listed = ", ".join(standing.unknown)
        message = f"was made by a newer program, which has the migrations {listed}; use that one"
        raise StoreError.at(place, "unknown_schema", message)
    if standing.pending:
        message = "was made by an older program; `authz migrate` brings it up to date"
        raise StoreError.at(place, "old_schema", message)


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
            if standing.unknown:
                _refuse_other_version(settings, store)
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
    store = open_store(settings.database, domain)
    try:
        with store.transaction():
            if store.has_tables():
                _refuse_other_version(settings, store)
            else:
                store.create_tables()
            with write(store, _LOADED, tell_time()) as writer:
                return load_fixtures(fixtures, writer, domain)
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
