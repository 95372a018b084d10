"""`authz serve`: answer over HTTP."""

from __future__ import annotations

import functools
import gc
import json
import logging
import multiprocessing
import os
import secrets
import shlex
import signal
import socket
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from authz_service import assembly, storage
from authz_service.activation.start import Doorkeeper
from authz_service.cli.notify import DELIVERY
from authz_service.cli.options import GATE, LOGGING, find_user, show_warning, takes_settings
from authz_service.decision.log_settings import build_log
from authz_service.delivery.channels import build_channels, explain_silence
from authz_service.delivery.turn import make_turn, take_turn
from authz_service.errors import SettingError, StoreError
from authz_service.policy.kept import open_kept, pack_policies
from authz_service.store.database import open_store
from authz_service.store.policies import find_last
from authz_service.web.api import WELL_KNOWN
from authz_service.web.app import load_app
from authz_service.web.front import EVALUATION
from authz_service.web.patience import Patience
from authz_service.web.security import refuse_exposure

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Event, Lock
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from granian.server.common import AbstractServer

    from authz_service.activation.candidate import Candidate
    from authz_service.policy.engine import Engine
    from authz_service.settings import Settings
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain
    from authz_service.store.policies import KeptPolicies

_CHECK_SECONDS: Final = 1.0
_AUTHORIZATION: Final = "Authorization: Bearer $KEY"
# How many new objects are looked through at once: what a batch makes is gone again with its answer.
_GARBAGE: Final = 100_000
_STOP_SECONDS: Final = 5  # then a process that waits for a slow client is ended


@dataclass(frozen=True)
class _Shared:
    """What the serving processes have from their parent.

    Arguments:
        parent: its number.
        announce: says what is served, when the first process that is ready calls it.
        policies: what to begin with.
        turn: the file whose lock is held by the one that delivers messages, and looks after the
            policies.
        doorkeeper: looks after those.
        nudge: is set when the folder of policies is to be tried.
    """

    parent: int
    announce: Callable[[], None]
    policies: KeptPolicies
    turn: Path
    doorkeeper: Doorkeeper
    nudge: Event


@click.command()
@click.option(
    "--create",
    is_flag=True,
    help="First make a store from the fixtures folder, if the database holds nothing yet.",
)
@takes_settings(
    "database",
    "read_in_place",
    "connections",
    "policies",
    *GATE,
    "domain",
    "fixtures",
    "host",
    "port",
    "public_url",
    "workers",
    "threads",
    "max_body",
    "max_import",
    "body_timeout",
    "max_batch",
    "engine",
    "sample",
    "time_limit",
    "max_page",
    "search_time_limit",
    *LOGGING,
    *DELIVERY,
)
def serve(settings: Settings, *, create: bool) -> None:
    """Answer questions over HTTP, by the AuthZEN Authorization API 1.0, and deliver messages.

    Nothing is served when a policy, the store or a setting cannot be used.

    \b
    Example:
      authz serve --create --port 8081
    """
    gc.disable()  # what is built now stays; a serving process looks for garbage once it is ready
    # all serving processes read each other's tokens
    settings = replace(settings, token_key=settings.token_key or secrets.token_hex())
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    domain = storage.find_domain(settings.domain)
    with_keys = storage.find_whether_keys_exist(settings, domain)
    refuse_exposure(settings.host, has_keys=with_keys)
    _refuse_taken_address(settings)
    doorkeeper = Doorkeeper(settings, find_user(), storage.tell_time, assembly.draw_id)
    build_channels(settings, domain.name)
    before = storage.find_in_store(settings, domain, find_last)
    if before:
        store = storage.open_existing_store(settings, domain)
        policies = doorkeeper.find_next(store, before, _warn)
        engine = assembly.build_sampled_engine(settings, domain, show_warning, policies)
    else:
        first = doorkeeper.load_first()
        policies = first.policies
        engine = assembly.build_sampled_engine(settings, domain, show_warning, policies)
        if create:
            _create(settings, domain)
        store = storage.open_existing_store(settings, domain)
        _keep_first(doorkeeper, store, first)
    build_log(settings, domain, storage.tell_time)
    assembly.build_decider(engine, domain, store)  # whatever cannot be put together is told now
    silence = explain_silence(settings, store) if domain.templates else []
    store.close()
    server = build_server(settings)
    nudge = multiprocessing.Event()
    server.on_startup(functools.partial(_listen, nudge))
    announce = functools.partial(
        _announce, settings, domain, multiprocessing.Lock(), with_keys=with_keys, silence=silence
    )
    # what a forked process has from its parent it need not build again
    is_forked = multiprocessing.get_start_method() == "fork"
    built = engine if is_forked else None
    with make_turn() as turn:
        shared = _Shared(os.getpid(), announce, pack_policies(policies), turn, doorkeeper, nudge)
        loader = functools.partial(_load_worker, settings, domain, built, shared)
        server.serve(target_loader=loader, wrap_loader=False)


def build_server(settings: Settings) -> AbstractServer[Any]:
    """Build the server; what it serves is given to it when it starts."""
    return Granian(
        "authz_service.web.app:load_app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_SECONDS,
        log_level=LogLevels.warning,
    )


def _load_worker(
    settings: Settings, domain: Domain, engine: Engine | None, shared: _Shared
) -> WSGIApplication:
    """Build the application in a serving process, which ends when its parent is gone.

    A parent that is killed cannot end its children; they would go on answering, and hold the port.
    When clients keep all threads waiting for their bodies, the process ends as well, and the parent
    starts another.
    """
    if engine is None:
        policies = open_kept(shared.policies, str(settings.policies))
        engine = assembly.build_sampled_engine(settings, domain, policies=policies)
    patience = Patience(settings.threads, settings.body_timeout)
    log = build_log(settings, domain, storage.tell_time)

    def follow() -> None:
        while os.getppid() == shared.parent and not patience.is_at_end():
            time.sleep(_CHECK_SECONDS)
        if os.getppid() == shared.parent:
            logging.getLogger(__name__).error("clients keep all threads waiting; starting again")
        if log:
            log.close(_STOP_SECONDS)
        os._exit(1)  # at once: nothing else ends what a slow client keeps waiting

    # the parent's handler came along with the fork, and would lose a signal meant for this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=follow, name="follow-parent", daemon=True).start()
    app = load_app(settings, engine, patience, log)
    # what is there now stays, and need not be looked through for garbage again and again
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    gc.enable()
    shared.announce()
    threading.Thread(
        target=_take_turn, args=(settings, domain, shared), name="take-turn", daemon=True
    ).start()
    return app.wsgi_app


def _take_turn(settings: Settings, domain: Domain, shared: _Shared) -> None:
    """Deliver messages and look after the policies, when it is this process's turn to."""
    never = threading.Event()
    store = open_store(settings.database, domain)
    couriers = assembly.build_couriers(settings, domain, store)
    if not take_turn(shared.turn, never):
        return
    for each in couriers:
        threading.Thread(target=each.run, args=(never,), daemon=True).start()
    shared.doorkeeper.build_watcher(store).run(never, shared.nudge)


def _listen(nudge: Event) -> None:
    """Have SIGHUP try what is in the folder of policies; the processes that serve stay."""
    signal.signal(signal.SIGHUP, lambda *_: nudge.set())


def _create(settings: Settings, domain: Domain) -> None:
    store = open_store(settings.database, domain)
    try:
        count = storage.create_store(store, domain, [settings.fixtures])
    finally:
        store.close()
    if count is not None:
        click.echo(f"made {settings.shown_database} with {count} entities from {settings.fixtures}")


def _keep_first(doorkeeper: Doorkeeper, store: Store, first: Candidate) -> None:
    """Note which policies serve from now on, where the database can be written."""
    try:
        doorkeeper.keep_first(store, first)
    except StoreError as error:
        _warn(f"the policies are not kept, so `--at` will ask others: {error}")


def _warn(line: str) -> None:
    click.echo(line, err=True)


def _refuse_taken_address(settings: Settings) -> None:
    family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            message = f"`{where}` cannot be served on: {error.strerror}; choose another `port`"
            raise SettingError.at("port", "address_taken", message) from None


def _announce(
    settings: Settings, domain: Domain, first: Lock, *, with_keys: bool, silence: list[str]
) -> None:
    """Say what is served, once: in the first process that is ready.

    Arguments:
        settings: of the service.
        domain: which is served.
        first: is taken by who says it.
        with_keys: whether a key must be shown.
        silence: what is said of messages that nobody delivers.
    """
    if not first.acquire(block=False):
        return
    click.echo(f"serving {domain.name} on {settings.base_url}; stop with Ctrl-C. Try:")
    click.echo(f"  {_build_curl(settings, domain, with_keys=with_keys)}")
    if with_keys:
        click.echo("every request must show an API key; `authz keys list` tells which there are")
    else:
        click.echo(
            "there is no API key, so only this machine is served, and whoever asks from it is"
            " answered; `authz keys create` changes that"
        )
    if not assembly.has_reference():
        click.echo("no decision is held against oso: it has no wheel for Python 3.13 and later")
    for line in silence:
        click.echo(line)


def _build_curl(settings: Settings, domain: Domain, *, with_keys: bool) -> str:
    """Build a command that shows an answer when it is pasted; what is in `$KEY` is the key."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    local = f"http://{host}:{settings.port}"
    # the shell is to fill it in
    key = f' -H "{_AUTHORIZATION}"' if with_keys else ""
    if domain.example is None:
        return shlex.join(["curl", "-s", local + WELL_KNOWN]) + key
    subject, action, resource = domain.example
    body = {
        "subject": {"type": subject.type, "id": subject.id},
        "action": {"name": action},
        "resource": {"type": resource.type, "id": resource.id},
    }
    header = "Content-Type: application/json"
    words = ["curl", "-s", local + EVALUATION, "-H", header, "-d", json.dumps(body)]
    return shlex.join(words) + key
