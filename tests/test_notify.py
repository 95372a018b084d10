"""`authz notify` and `authz serve`, the real commands: what they deliver, also when killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from installation import AUTHZ, PATIENCE, Installation, clean_environment, find_port, wait_until
from portal_service import SMITH

from authz_service.portal import DOMAIN
from authz_service.store.database import open_store
from authz_service.store.outbox import (
    EMAIL,
    QUEUED,
    SENT,
    SMS,
    STATES,
    Notice,
    find_messages,
    queue,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import RunSql
    from post_office import Gateway, MailServer

    from authz_service.store.database import Store

ROOT: Final = Path(__file__).parent.parent
CODE: Final = "481516"
COMPANY: Final = {"customer": "123456789", "customer_name": "Smith ltd", "person_name": "Thomas"}
ADDED: Final = Notice(EMAIL, "mary@smith.example", "en", "administrator_added", COMPANY)
TEXT: Final = Notice(
    SMS, "+32470000001", "en", "delegate_code", {"code": CODE, "customer_name": "Smith ltd"}
)


@pytest.fixture
def options(url: str, server: MailServer, gateway: Gateway) -> list[str]:
    """What the command has to know."""
    return [f"--database={url}", *mail_options(server), f"--sms-url={gateway.url}"]


def mail_options(server: MailServer) -> list[str]:
    """How to reach a mail server."""
    return [
        "--smtp-host=127.0.0.1",
        f"--smtp-port={server.port}",
        "--smtp-security=none",
        "--mail-from=noreply@portal.example",
    ]


def put(store: Store, *ids: str, notice: Notice = ADDED) -> None:
    """Queue messages that are due."""
    with store.transaction():
        for each in ids:
            queue(store, notice, datetime.now(UTC) - timedelta(seconds=1), each)


def environment() -> dict[str, str]:
    """The environment of the command."""
    return clean_environment() | {"PYTHONPATH": str(ROOT)}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `authz notify` to its end."""
    return subprocess.run(
        [AUTHZ, "notify", *words],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )


@contextlib.contextmanager
def start(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Start `authz notify`."""
    process = subprocess.Popen(
        [AUTHZ, "notify", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def states(store: Store) -> dict[str, str]:
    """Tell the state of each message."""
    return {each.id: each.state for each in find_messages(store, STATES, 1_000)}


def end_leases(run_sql: RunSql) -> None:
    """Let the time pass after which a killed sender's message is tried again."""
    run_sql("UPDATE authz_message SET due = at WHERE state = 'queued'")


def test_once_delivers_what_is_due_and_ends(
    portal: Store, server: MailServer, gateway: Gateway, options: list[str]
) -> None:
    """It says what came of it, by medium and in all."""
    put(portal, "a", "b")
    put(portal, "c", notice=TEXT)
    done = run("--once", *options)

    assert (0, "") == (done.returncode, done.stderr)
    assert [
        "email: 2 sent, 0 to be tried again, 0 dead",
        "sms: 1 sent, 0 to be tried again, 0 dead",
        "in all: 3 sent, 0 to be tried again, 0 dead",
    ] == done.stdout.splitlines()
    assert (2, 1) == (len(server.messages), len(gateway.posted))


def test_once_ends_with_1_if_anything_failed(
    portal: Store, gateway: Gateway, options: list[str]
) -> None:
    """And what it prints has no code."""
    put(portal, "a")
    put(portal, "b", notice=TEXT)
    gateway.answer = lambda _: 400
    done = run("--once", "--delivery-attempts=1", *options)

    assert 1 == done.returncode
    assert done.stdout.endswith("in all: 1 sent, 0 to be tried again, 1 dead\n")
    assert "message b is dead: the gateway: refuses the message (400)" in done.stderr
    assert CODE not in done.stdout + done.stderr


@pytest.mark.usefixtures("portal")
def test_once_with_nothing_to_do_is_well(options: list[str]) -> None:
    """Nothing failed."""
    assert 0 == run("--once", *options).returncode


def test_a_medium_that_is_not_turned_on_waits(url: str, portal: Store, server: MailServer) -> None:
    """It is told, and its messages stay."""
    put(portal, "a")
    put(portal, "b", notice=TEXT)
    done = run("--once", f"--database={url}", *mail_options(server))

    assert "no text message is sent, for `sms_url` is not set; 1 queued" in done.stdout
    assert {"a": SENT, "b": QUEUED} == states(portal)


@pytest.mark.usefixtures("portal")
def test_without_any_channel_there_is_nothing_to_run(url: str) -> None:
    """The error says what to set."""
    done = run("--once", f"--database={url}")

    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("error: smtp_host: is not set, nor is `sms_url`")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_delivers_until_it_is_stopped(
    portal: Store, server: MailServer, options: list[str], number: signal.Signals
) -> None:
    """What is queued while it runs is delivered too, and it ends well."""
    put(portal, "a")
    with start(*options) as process:
        wait_until(lambda: len(server.messages) == 1)
        put(portal, "b")
        wait_until(lambda: list(states(portal).values()) == [SENT, SENT])
        process.send_signal(number)
        said, _ = process.communicate(timeout=PATIENCE)

    assert 0 == process.returncode
    assert said.endswith("in all: 2 sent, 0 to be tried again, 0 dead\n")


@pytest.mark.parametrize("notice", [ADDED, TEXT], ids=["email", "sms"])
def test_nothing_is_lost_when_senders_are_killed_before_they_mark(  # noqa: PLR0913, PLR0917  # what a post office is made of
    portal: Store,
    server: MailServer,
    gateway: Gateway,
    options: list[str],
    run_sql: RunSql,
    notice: Notice,
) -> None:
    """Each fourth delivery kills its sender; a repeat has the id of the first time."""
    ids = [f"m{number:02}" for number in range(20)]
    put(portal, *ids, notice=notice)
    taken: list[str] = []
    killed: list[str] = []
    senders: list[subprocess.Popen[str]] = []

    def take(message_id: str) -> None:
        taken.append(message_id)
        if len(taken) % 4 == 0:
            wait_until(lambda: bool(senders))
            killed.append(message_id)
            os.kill(senders[-1].pid, signal.SIGKILL)

    def take_mail() -> str:
        take(server.ids[-1].strip("<>").partition("@")[0])
        return "250 taken"

    def take_text(_: object) -> int:
        assert gateway.posted[-1].headers["idempotency-key"] == gateway.posted[-1].data["id"]
        take(gateway.posted[-1].data["id"])
        return 200

    server.answer, gateway.answer = take_mail, take_text
    while QUEUED in states(portal).values():
        end_leases(run_sql)
        senders.clear()
        with start("--once", *options) as process:
            senders.append(process)
            process.wait(PATIENCE)

    assert killed
    assert set(ids) == set(taken)
    assert sorted([*ids, *killed]) == sorted(taken)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """All that `authz serve` needs, and no database yet."""
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "smith.yaml").write_bytes(SMITH.read_bytes())
    return Installation(tmp_path, find_port())


def test_a_server_delivers_as_well(
    installation: Installation, server: MailServer, gateway: Gateway
) -> None:
    """In one of its processes, and each message once."""
    words = ["--create", "--workers=2", *mail_options(server), f"--sms-url={gateway.url}"]
    with installation.serve(*words):
        store = open_store(f"sqlite:///{installation.database}", DOMAIN)
        put(store, *(f"m{number}" for number in range(20)))
        put(store, "t", notice=TEXT)
        wait_until(lambda: set(states(store).values()) == {SENT})
        store.close()

    assert (20, 1) == (len(server.messages), len(gateway.posted))
    assert CODE not in "".join(installation.printed)


def test_a_server_says_what_it_does_not_deliver(installation: Installation) -> None:
    """When nothing is set, nothing is sent."""
    expected = "no e-mail is sent, for `smtp_host` is not set; 0 queued"
    with installation.serve("--create"):
        wait_until(lambda: expected in installation.printed)


def test_a_server_refuses_half_a_description(installation: Installation) -> None:
    """Before it makes anything."""
    line = installation.refuse("--create", "--smtp-host=mail.example.com")

    assert line.startswith("error: mail_from: is needed where `smtp_host` is set")
    assert not installation.database.exists()
