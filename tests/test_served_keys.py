"""`authz serve` with API keys: from the first one on nobody is answered without one."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
from installation import AUTHZ, PATIENCE, TESTS, Installation, find_port, wait_until
from portal_service import EVALUATION, JSON, read_error
from vengtoo import Resource, SearchRequest, Subject, Vengtoo
from vengtoo.errors import VengtooError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portal_service import Answer

RECORDS: Final = TESTS / "domains" / "records"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104  # with a key it may be served on
ALICE_READS: Final = {
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "read"},
    "resource": {"type": "record", "id": "record-1"},
}
BODY: Final = json.dumps(ALICE_READS).encode()


def install(folder: Path) -> Installation:
    """Prepare a folder for a server of the records, AuthZEN's certification's domain."""
    (folder / "fixtures").mkdir()
    for path in RECORDS.glob("fixtures/*.yaml"):
        (folder / "fixtures" / path.name).symlink_to(path)
    return Installation(folder, find_port(), RECORDS / "policies", "domains.records")


def run_keys(installed: Installation, *words: str) -> list[str]:
    """Run `authz keys` on the database of an installation, and give the lines that it prints."""
    done = subprocess.run(
        [AUTHZ, "keys", *words, f"--database=sqlite:///{installed.database}"],
        check=True,
        capture_output=True,
        text=True,
        env=installed.environment,
        timeout=PATIENCE,
    )
    return done.stdout.splitlines()


def ask(installed: Installation, key: str | None = None) -> Answer:
    """Ask whether alice reads a record."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return installed.call("POST", EVALUATION, BODY, headers)


def create_store(installed: Installation) -> None:
    """Make the store without serving it."""
    fixtures = str(installed.fixtures)
    command = [str(AUTHZ), "load", fixtures, f"--database=sqlite:///{installed.database}"]
    subprocess.run(command, check=True, capture_output=True, env=installed.environment)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """All that a service needs, and no database yet."""
    return install(tmp_path)


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, str]]:
    """A service that runs, in two processes, with a key that decides."""
    installed = install(tmp_path_factory.mktemp("keyed"))
    create_store(installed)
    *_, key = run_keys(installed, "create", "shop", "--scope", "decide", "--expires", "1")
    with installed.serve("--workers=2"):
        yield installed, key


def test_a_key_that_is_made_and_revoked_while_it_serves_counts(installation: Installation) -> None:
    """The door closes within seconds, opens to the key, and stays shut when that is revoked."""
    with installation.serve("--create"):
        before = ask(installation)
        *_, key = run_keys(installation, "create", "shop", "--scope", "decide")
        wait_until(lambda: ask(installation).status == 401)
        opened = ask(installation, key)
        run_keys(installation, "revoke", "shop")
        wait_until(lambda: ask(installation, key).status == 401)
        without = ask(installation)

    assert [{"decision": True}] * 2 == [before.data, opened.data]
    assert (401, "missing_key") == (without.status, read_error(without)["code"])


def test_the_last_use_is_written_down_while_it_serves(keyed: tuple[Installation, str]) -> None:
    """Soon after the key was used."""
    installed, key = keyed
    ask(installed, key)

    def is_noted() -> bool:
        [found] = json.loads("".join(run_keys(installed, "list", "--json")))
        return found["used"] is not None

    wait_until(is_noted)


def test_it_says_that_a_key_is_needed(keyed: tuple[Installation, str]) -> None:
    """Where it says what it serves; the command that it prints works with the key."""
    installed, key = keyed
    _, command, said, *_ = installed.printed
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True,
        check=True,
        timeout=PATIENCE,
        env={**installed.environment, "KEY": key},
    )

    assert "every request must show an API key; `authz keys list` tells which there are" == said
    assert "error" not in json.loads(done.stdout)


@pytest.mark.parametrize(
    "shown",
    [None, "Bearer wrong", "Bearer ", "Basic YWxpY2U6eA==", "undefined", ""],
)
def test_missing_and_wrong_credentials_are_401(
    keyed: tuple[Installation, str], shown: str | None
) -> None:
    """As AuthZEN section 10.1.2 has it, with the challenge and the id of the request."""
    installed, _ = keyed
    headers = {"X-Request-ID": "7"} | ({} if shown is None else {"Authorization": shown})
    answer = installed.call("POST", EVALUATION, BODY, headers)
    read_error(answer)

    assert (401, JSON) == (answer.status, answer.headers["content-type"])
    assert 'Bearer realm="authz"' == answer.headers["www-authenticate"]
    assert "7" == answer.headers["x-request-id"]


def test_valid_credentials_are_answered(keyed: tuple[Installation, str]) -> None:
    """By each process."""
    installed, key = keyed

    assert [{"decision": True}] * 8 == [ask(installed, key).data for _ in range(8)]


def test_two_headers_are_no_key(keyed: tuple[Installation, str]) -> None:
    """Nobody has to choose between them."""
    installed, key = keyed

    assert 401 == ask(installed, f"{key}, Bearer {key}").status


def test_no_key_is_printed(keyed: tuple[Installation, str]) -> None:
    """The service repeats none in what it prints, right or wrong."""
    installed, key = keyed
    ask(installed, key)
    ask(installed, "authz_000000000000_wrong")

    assert not any(key in line or "_wrong" in line for line in installed.printed)


@pytest.fixture
def client(keyed: tuple[Installation, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Vengtoo]:
    """A client that others wrote, with the key."""
    installed, key = keyed
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Vengtoo(api_key=key, base_url=installed.url) as opened:
        yield opened


def test_another_ones_client_shows_the_key(client: Vengtoo) -> None:
    """It asks and searches as without keys."""
    alice, record = Subject("user", "alice"), Resource("record", "record-1")
    found = client.search_action(SearchRequest(subject=alice, resource=record)).results

    assert client.check(alice, "read", record)
    assert not client.check(Subject("user", "bob"), "write", record)
    assert {"name": "read"} in (found or [])


def test_another_ones_client_is_told_that_its_key_is_wrong(
    keyed: tuple[Installation, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It understands the refusal."""
    installed, _ = keyed
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Vengtoo(api_key="wrong", base_url=installed.url) as opened, pytest.raises(VengtooError):
        opened.check(Subject("user", "alice"), "read", Resource("record", "record-1"))


def test_with_a_key_others_may_be_served(installation: Installation) -> None:
    """On any address, and without the key nobody is answered there."""
    create_store(installation)
    *_, key = run_keys(installation, "create", "shop", "--scope", "decide")
    with installation.serve(f"--host={EVERYWHERE}"):
        answers = ask(installation), ask(installation, key)

    assert [401, 200] == [each.status for each in answers]


def test_without_a_key_others_may_not_be_served(installation: Installation) -> None:
    """A store alone is not enough."""
    create_store(installation)
    line = installation.refuse(f"--host={EVERYWHERE}")

    assert "[exposed_without_keys]" in line
