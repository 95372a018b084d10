"""The one place that builds a service out of its parts."""

from __future__ import annotations

import importlib
import importlib.util
import random
import secrets
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from authz_service.decision.decider import Decider
from authz_service.decision.explainer import Explainer
from authz_service.decision.paging import Pager
from authz_service.decision.performer import Performer
from authz_service.delivery.channels import build_channels
from authz_service.delivery.courier import Courier, Terms
from authz_service.errors import Fault, Place, PolicyError, SettingError
from authz_service.policy.agreement import Both, Sampled
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.exchange import Exchange
from authz_service.policy.kept import find_policies
from authz_service.policy.observed import Observed
from authz_service.policy.source import (
    check_policies,
    load_policies,
)
from authz_service.settings import Settings
from authz_service.storage import find_domain, open_existing_store, tell_time
from authz_service.store.committer import Committer
from authz_service.store.history import AT
from authz_service.store.past import open_at
from authz_service.store.writer import write_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authz_service.decision.log import DecisionLog
    from authz_service.policy.engine import Engine
    from authz_service.policy.source import PolicySet
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain
    from authz_service.store.history import Moment

# A try has so many answers to wait for at the most: of a mail server with TLS and a login.
_ANSWERS: Final = 12


@dataclass(frozen=True)
class Service:
    """Everything that answers requests, put together.

    `sampled` tells what the reference says to the answers, where it is asked; `has_reference`
    whether there is one; `clock` tells when something is written; `log` takes the decisions.
    """

    settings: Settings
    domain: Domain
    store: Store
    decider: Decider
    performer: Performer
    explainer: Explainer
    sampled: Sampled | None = None
    has_reference: bool = True
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    log: DecisionLog | None = None


def has_reference() -> bool:
    """Tell whether oso is installed; it has no wheel for Python 3.13 and later."""
    return importlib.util.find_spec("oso") is not None


def ignore(_warning: Fault) -> None:
    """Say nothing about what is only odd."""


def build_engine(
    settings: Settings,
    domain: Domain,
    warn: Callable[[Fault], None] = ignore,
    policies: PolicySet | None = None,
) -> Engine:
    """Build what evaluates the policies of the settings.

    oso, where it is installed, reads them in any case: what it rejects is rejected.

    Arguments:
        settings: which policies, and which engine.
        domain: what they are about.
        warn: is told what is odd about the policies.
        policies: others than those of the settings; None for those.

    Raises:
        PolicyError: with everything that is wrong with them.
        SettingError: when the engine is one that needs oso, and that is not installed.
    """
    engine, _ = _build_engines(settings, domain, warn, policies)
    return engine


def _build_engines(
    settings: Settings,
    domain: Domain,
    warn: Callable[[Fault], None],
    policies: PolicySet | None,
) -> tuple[Engine, Engine | None]:
    """Build the engine that answers, and the reference, if there is one."""
    if settings.engine != "compiled" and not has_reference():
        message = (
            f"`{settings.engine}` needs oso, the reference, which is not installed: it has no wheel"
            " for Python 3.13 and later; use `compiled`"
        )
        raise SettingError.at("engine", "no_reference", message)
    # first, for it tells all faults at once, and shows the lines
    policies = policies or load_policies(settings.policies)
    compiled = compile_policies(policies, settings, domain, warn)
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


def find_compiled(engine: Engine, settings: Settings, domain: Domain) -> CompiledEngine:
    """Find the compiled engine in another, or build it where there is none: its clauses explain.

    Raises:
        PolicyError: as above.
    """
    while isinstance(engine, (Observed, Sampled, Both, Exchange)):
        engine = engine.engine
    if isinstance(engine, CompiledEngine):
        return engine
    return compile_policies(engine.policies, settings, domain)


def build_compiled(
    settings: Settings, domain: Domain, warn: Callable[[Fault], None] = ignore
) -> CompiledEngine:
    """Build the compiled engine, to look at what the policies became.

    Raises:
        PolicyError: as above.
    """
    return compile_policies(load_policies(settings.policies), settings, domain, warn)


def compile_policies(
    policies: PolicySet, settings: Settings, domain: Domain, warn: Callable[[Fault], None] = ignore
) -> CompiledEngine:
    """Build the compiled engine of policies that are read already.

    Raises:
        PolicyError: with everything that is wrong with them.
    """
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
    return engine


def build_sampled_engine(
    settings: Settings,
    domain: Domain,
    warn: Callable[[Fault], None] = ignore,
    policies: PolicySet | None = None,
) -> Engine:
    """Build an engine for serving, at whose answers the reference looks now and then.

    Raises:
        PolicyError: as above.
    """
    engine, reference = _build_engines(settings, domain, warn, policies)
    if not reference or not settings.sample or settings.engine != "compiled":
        return engine
    return Sampled(engine, reference, settings.sample)


def build_decider(  # noqa: PLR0913  # what asks, of what, when, and who is told
    engine: Engine,
    domain: Domain,
    store: Store,
    clock: Callable[[], datetime] = tell_time,
    settings: Settings | None = None,
    *,
    log: DecisionLog | None = None,
) -> Decider:
    """Build a decider over a store; without settings, its searches have those of a new service."""
    chosen = settings or Settings()
    key = chosen.token_key or secrets.token_hex()
    pager = Pager(key, chosen.max_page, chosen.search_time_limit)
    return Decider(
        engine=engine,
        store=store,
        schema=domain.schema,
        clock=clock,
        pager=pager,
        log=log,
    )


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
    log: DecisionLog | None = None,
) -> Performer:
    """Build a performer over a store; `new_id` makes the ids of new entities."""
    # the sampling thread would look at the store from outside the transaction
    deciding = engine.engine if isinstance(engine, Sampled) else engine
    return Performer(
        decider=build_decider(deciding, domain, store, clock, settings),
        committer=Committer(store, clock),
        procedures=domain.procedures,
        new_id=new_id,
        link=(settings or Settings()).link_page,
        log=log,
    )


def build_explainer(
    engine: CompiledEngine,
    decider: Decider,
    domain: Domain,
    store: Store,
    clock: Callable[[], datetime] = tell_time,
) -> Explainer:
    """Build what explains the decisions of a decider over a store.

    Arguments:
        engine: whose clauses are explained.
        decider: what decides, by the same policies.
        domain: what the entities are.
        store: the entities.
        clock: tells the time.
    """
    return Explainer(engine=engine, decider=decider, store=store, domain=domain, clock=clock)


def build_service(
    settings: Settings, engine: Engine | None = None, log: DecisionLog | None = None
) -> Service:
    """Build a service over the store of the settings.

    Arguments:
        settings: which store, and which policies.
        engine: what evaluates them, where it has been built already.
        log: takes the decisions; without one, nobody does.

    Raises:
        AuthzError: of the part that cannot be used.
    """
    domain = find_domain(settings.domain)
    engine = engine or build_sampled_engine(settings, domain)
    store = open_existing_store(settings, domain)
    return put_together(settings, domain, engine, store, log=log)


def put_together(  # noqa: PLR0913  # as of a decider, and what notes the decisions
    settings: Settings,
    domain: Domain,
    engine: Engine,
    store: Store,
    clock: Callable[[], datetime] = tell_time,
    *,
    log: DecisionLog | None = None,
) -> Service:
    """Put a service together over a store that is open; without a log, nothing is noted."""
    decider = build_decider(engine, domain, store, clock, settings, log=log)
    performer = build_performer(engine, domain, store, clock, settings, log=log)
    sampled = engine if isinstance(engine, Sampled) else None
    compiled = find_compiled(engine, settings, domain)
    explainer = build_explainer(compiled, decider, domain, store, clock)
    return Service(
        settings, domain, store, decider, performer, explainer, sampled, has_reference(), clock, log
    )


def renew(service: Service, engine: Engine) -> Service:
    """Put a service together that is the same but for its policies."""
    clock, log = service.clock, service.log
    return put_together(service.settings, service.domain, engine, service.store, clock, log=log)


@contextmanager
def open_past(
    settings: Settings,
    store: Store,
    moment: Moment,
    policies: PolicySet | None = None,
    warn: Callable[[Fault], None] = ignore,
) -> Iterator[tuple[Engine, Store]]:
    """Open a store as it was at a moment, and what evaluates the policies that served then.

    Arguments:
        settings: which engine, and which policies where those of then are not kept.
        store: as it is now.
        moment: which one.
        policies: others than those of then; None for those.
        warn: is told that they are not kept, and what is odd about them.

    Raises:
        HistoryError: when the store cannot go back so far.
        PolicyError: when the policies cannot be used.
        StoreError: when the database cannot be used.
    """
    policies = policies or find_policies(store, moment.at)
    if policies is None:
        then, now = write_time(moment.at), settings.policies
        message = f"the policies of {then} are not kept, so those in `{now}` are asked"
        warn(Fault(Place(AT), "policies_not_kept", message))
    engine = build_engine(settings, store.domain, warn, policies)
    with open_at(store, moment.revision) as past:
        yield engine, past


def build_couriers(
    settings: Settings,
    domain: Domain,
    store: Store,
    clock: Callable[[], datetime] = tell_time,
) -> list[Courier]:
    """Build what delivers messages: a courier for each medium that is turned on.

    Raises:
        SettingError: when the description of a channel cannot be used.
    """
    lease = timedelta(seconds=_ANSWERS * settings.delivery_timeout)
    terms = Terms(settings.delivery_attempts, lease)
    return [
        Courier(store, channel, domain.templates, terms, clock, random.random)
        for channel in build_channels(settings, domain.name)
    ]
