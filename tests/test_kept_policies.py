"""The policies that served: kept when they begin to, listed, and written out as they were."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import psycopg
import pytest
from click.testing import CliRunner
from installation import Installation, find_port
from portal_service import MARY_SEES_USAGE, POLICIES, SMITH

from authz_service.cli.main import main
from authz_service.errors import NotFoundError, PolicyError
from authz_service.policy.kept import find_policies, pack_policies
from authz_service.policy.source import load_policies
from authz_service.portal import DOMAIN
from authz_service.storage import create_store
from authz_service.store.database import open_store
from authz_service.store.policies import (
    Activation,
    KeptPolicies,
    find_activations,
    find_serving,
    get_policies,
    keep_policies,
)

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result
    from conftest import RunSql

    from authz_service.store.database import Store

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY: Final = timedelta(days=1)
OLD: Final = KeptPolicies("sha256:1a", {"a.polar": "one", "b.polar": 'two "é"\r\n'})
NEW: Final = KeptPolicies("sha256:1b", {"a.polar": "three"})


def keep(store: Store, *sets: KeptPolicies) -> list[bool]:
    """Have policy sets serve, a day apart."""
    return [
        keep_policies(store, each, "root", NOW + number * DAY) for number, each in enumerate(sets)
    ]


def run(url: str, *words: str) -> Result:
    """Run a command on a store of the portal."""
    return CliRunner().invoke(main, ["policy", *words, "--database", url])


def test_a_policy_set_that_serves_is_noted_once(store: Store) -> None:
    """Until there is another one; when the first comes back, that is noted again."""
    assert [True, False, True, True] == keep(store, OLD, OLD, NEW, OLD)
    assert [
        Activation(OLD.digest, NOW, "root"),
        Activation(NEW.digest, NOW + 2 * DAY, "root"),
        Activation(OLD.digest, NOW + 3 * DAY, "root"),
    ] == find_activations(store)


def test_a_text_is_kept_once_a_digest(store: Store, run_sql: RunSql) -> None:
    """However often it serves."""
    keep(store, OLD, NEW, OLD)

    assert [(2,)] == run_sql("SELECT COUNT(*) FROM authz_policy")


def test_several_that_start_at_once_note_it_once(store: Store) -> None:
    """They wait for each other."""
    noted: list[bool] = []
    together = threading.Barrier(4)

    def start() -> None:
        together.wait()
        noted.append(keep_policies(store, OLD, "root", NOW))
        store.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert [False, False, False, True] == sorted(noted)
    assert 1 == len(find_activations(store))


@pytest.mark.parametrize(
    ("expected", "days"), [(None, -1), (OLD, 0), (OLD, 0.9), (NEW, 1), (NEW, 5)]
)
def test_what_served_at_a_time_is_found(
    store: Store, expected: KeptPolicies | None, days: float
) -> None:
    """The last that began until then."""
    keep(store, OLD, NEW)

    assert expected == find_serving(store, NOW + days * DAY)


@pytest.mark.parametrize("digest", ["sha256:1a", "1a", "sha256:1a"[:9]])
def test_a_policy_set_is_found_by_its_digest(store: Store, digest: str) -> None:
    """Or by what it alone begins with, text for text."""
    keep(store, OLD, NEW)

    assert OLD == get_policies(store, digest)


@pytest.mark.parametrize(
    ("said", "digest"), [("no policy set is", "2"), ("several", "1"), ("no policy set is", "%")]
)
def test_a_digest_that_says_too_little_is_refused(store: Store, said: str, digest: str) -> None:
    """Of none, or of more than one."""
    keep(store, OLD, NEW)
    with pytest.raises(NotFoundError, match=f"{said}.* kept whose digest begins so"):
        get_policies(store, digest)


def test_policies_that_were_changed_afterwards_are_not_asked(
    portal: Store, run_sql: RunSql
) -> None:
    """The digest tells."""
    keep(portal, pack_policies(load_policies(POLICIES)))
    assert load_policies(POLICIES).digest == (find_policies(portal, NOW) or OLD).digest
    run_sql("UPDATE authz_policy SET files = '{}'")
    with pytest.raises(PolicyError, match="was changed after it was kept"):
        find_policies(portal, NOW)


def test_the_history_is_listed(url: str, portal: Store) -> None:
    """For people and for programs, the first comes first."""
    keep(portal, OLD, NEW)
    same = {"who": "root", "from": "folder", "verdict": {}}

    assert run(url, "history").output.splitlines() == [
        "2026-01-05T09:00:00Z sha256:1a from a folder by root",
        "2026-01-06T09:00:00Z sha256:1b from a folder by root",
    ]
    assert [json.loads(each) for each in run(url, "history", "--json").output.splitlines()] == [
        {"digest": "sha256:1a", "at": "2026-01-05T09:00:00Z", **same},
        {"digest": "sha256:1b", "at": "2026-01-06T09:00:00Z", **same},
    ]


def test_kept_policies_are_printed(url: str, portal: Store) -> None:
    """File by file, each under its name."""
    keep(portal, NEW)

    assert "# a.polar\n\nthree\n" == run(url, "show", "1b").output


def test_kept_policies_are_written_as_they_were(url: str, portal: Store, tmp_path: Path) -> None:
    """They load again, with the very digest."""
    policies = load_policies(POLICIES)
    keep(portal, pack_policies(policies))
    folder = tmp_path / "then" / "policies"
    result = run(url, "show", policies.digest, "--to", str(folder))

    assert (0, "") == (result.exit_code, result.stderr)
    assert policies.digest == load_policies(folder).digest


@pytest.mark.parametrize("taken", ["file", "folder"])
def test_nothing_is_written_over(url: str, portal: Store, tmp_path: Path, taken: str) -> None:
    """A folder with something in it stays as it is, and so does a file."""
    keep(portal, NEW)
    place = tmp_path / "taken"
    if taken == "folder":
        place.mkdir()
        (place / "a.polar").write_text("mine")
    else:
        place.write_text("mine")
    result = run(url, "show", "1b", "--to", str(place))

    assert (2, "") == (result.exit_code, result.stdout)
    assert "mine" == (place / "a.polar" if taken == "folder" else place).read_text()


def test_serving_keeps_the_policies(tmp_path: Path) -> None:
    """Once for several processes and several starts; others that come later as well."""
    installed = replace(Installation(tmp_path, find_port()), policies=tmp_path / "policies")
    installed.policies.mkdir()
    installed.fixtures.mkdir()
    (installed.fixtures / "smith.yaml").write_bytes(SMITH.read_bytes())
    for each in POLICIES.glob("*.polar"):
        (installed.policies / each.name).write_bytes(each.read_bytes())
    first = load_policies(installed.policies).digest
    for _ in range(2):
        with installed.serve("--create", "--workers=2"):
            assert first == installed.ask(MARY_SEES_USAGE).headers["x-policy-digest"]
    (installed.policies / "more.polar").write_text("# nothing more\n")
    second = load_policies(installed.policies).digest
    with installed.serve():
        pass
    store = open_store(f"sqlite:///{installed.database}", DOMAIN)
    found = find_activations(store)
    store.close()

    assert [first, second] == [each.digest for each in found]
    assert all(each.who for each in found)


def test_a_database_that_can_only_be_read_is_served(postgresql_url: str, tmp_path: Path) -> None:
    """It is said that the policies are not kept there."""
    store = open_store(postgresql_url, DOMAIN)
    create_store(store, DOMAIN, [SMITH])
    store.close()
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        name = connection.info.dbname.encode()
        connection.execute(b"ALTER DATABASE " + name + b" SET default_transaction_read_only = on")
    installed = Installation(tmp_path, find_port())
    with installed.serve(f"--database={postgresql_url}", "--log=off"):
        answer = installed.ask(MARY_SEES_USAGE).data

    assert {"decision": True} == answer
    assert any("the policies are not kept, so" in each for each in installed.printed)
