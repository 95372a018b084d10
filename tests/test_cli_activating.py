"""The commands by which policies come to serve: `activate`, `rollback`, `bundle` and their like."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from clinic_sets import (
    CLERKS_READ,
    CLINIC_PATH,
    CLOSED,
    build_set,
    open_clinic,
    write_set,
)

from authz_service.cli.main import main
from authz_service.store.policies import Origin, find_activations
from authz_service.store.trials import LEASE, Trial, begin_trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from authz_service.store.database import Store


@pytest.fixture
def store(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store of the clinic, in which its policies serve, and a folder to work in."""
    monkeypatch.setenv("PYTHONPATH", CLINIC_PATH)
    monkeypatch.setenv("AUTHZ_DATABASE", sqlite_url)
    monkeypatch.setenv("AUTHZ_DOMAIN", "domains.clinic")
    monkeypatch.chdir(tmp_path)
    with open_clinic(sqlite_url) as opened:
        yield opened


def run(*words: str) -> Result:
    """Run a command about policies."""
    return CliRunner().invoke(main, ["policy", *words])


def test_a_folder_serves(store: Store, tmp_path: Path) -> None:
    """What trying it came to is printed; the history says where it came from."""
    digest = write_set(tmp_path / "new", CLERKS_READ).digest
    result = run("activate", "new")
    again = run("activate", "new")
    history = [json.loads(each) for each in run("history", "--json").output.splitlines()]

    assert (0, f"{digest} serves from now on: 10 pairs gained, 0 lost\n") == (
        result.exit_code,
        result.stdout,
    )
    assert f"{digest} serves already\n" == again.stdout
    assert [build_set().digest, digest] == [each["digest"] for each in history]
    assert ("folder", 10) == (history[-1]["from"], history[-1]["verdict"]["gained"])
    assert 2 == len(find_activations(store))


@pytest.mark.usefixtures("store")
def test_what_may_not_serve_is_refused(tmp_path: Path) -> None:
    """With exit code 1, and `status` tells it from then on."""
    write_set(tmp_path / "new", CLERKS_READ)
    result = run("activate", "new", "--most-gained", "3")
    status = run("status")

    assert 1 == result.exit_code
    assert "refused: the impact: 10 pairs are newly allowed, and 3 may be" in result.stderr
    assert 1 == status.exit_code
    assert f"serves: 2026-01-05T09:00:00Z {build_set().digest}" in status.output
    assert ": refused\n  the impact: 10 pairs are newly allowed" in status.output


@pytest.mark.usefixtures("store")
def test_a_bundle_serves_and_is_rolled_back(tmp_path: Path) -> None:
    """To what served before, by the beginning of its digest, with checks or without."""
    write_set(tmp_path / "policies", CLOSED)
    written = run("bundle", "--to", "new.tar")
    activated = run("activate", "new.tar")
    back = run("rollback", build_set().digest[7:15])
    forth = run("rollback", build_set(CLOSED).digest, "--without-checks")
    history = [json.loads(each) for each in run("history", "--json").output.splitlines()]

    assert [0, 0, 0, 0] == [each.exit_code for each in (written, activated, back, forth)]
    assert ["folder", "bundle", "rollback", "rollback"] == [each["from"] for each in history]
    assert [0, 41] == [history[1]["verdict"]["gained"], history[1]["verdict"]["lost"]]
    assert [41, None] == [each["verdict"]["gained"] for each in history[2:]]
    assert "note: it was compiled, and nothing else was looked at" in forth.stderr


@pytest.mark.usefixtures("store")
def test_a_digest_that_never_served_is_refused() -> None:
    """The history lists those that did."""
    result = run("rollback", "abcd")

    assert (2, "") == (result.exit_code, result.stdout)
    assert "[unknown_policies]" in result.stderr


@pytest.mark.usefixtures("store")
def test_where_keys_are_trusted_only_what_is_signed_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder as well as a bundle; the signature is shown with the policies."""
    write_set(tmp_path / "policies", CLERKS_READ)
    (tmp_path / "trusted.pem").write_text(run("keygen", "release.key").stdout)
    monkeypatch.setenv("AUTHZ_POLICY_KEYS", "trusted.pem")
    unsigned = run("activate", "policies")
    signed = run("sign", "--with", "release.key")
    run("bundle", "--to", "folder.tar")
    (tmp_path / "policies" / "SIGNATURE").rename("elsewhere")
    run("bundle", "--to", "new.tar", "--sign-with", "release.key")
    activated = run("activate", "new.tar")
    run("show", build_set(CLERKS_READ).digest, "--to", "shown")

    assert (2, True) == (unsigned.exit_code, "[unsigned_policies]" in unsigned.stderr)
    assert (0, 0) == (signed.exit_code, activated.exit_code)
    assert (tmp_path / "new.tar").read_bytes() == (tmp_path / "folder.tar").read_bytes()
    assert (tmp_path / "elsewhere").read_text() == (tmp_path / "shown/SIGNATURE").read_text()
    assert 2 == run("rollback", build_set().digest).exit_code


def test_a_private_key_is_for_its_owner(tmp_path: Path) -> None:
    """And is never written over."""
    file = tmp_path / "release.key"
    made = run("keygen", str(file))
    text = file.read_text()
    again = run("keygen", str(file))

    assert 0o600 == file.stat().st_mode & 0o777
    assert made.stdout.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert (2, text) == (again.exit_code, file.read_text())


@pytest.mark.parametrize("source", ["none.tar", "bad.tar", "empty"])
@pytest.mark.usefixtures("store")
def test_what_cannot_be_read_is_refused(tmp_path: Path, source: str) -> None:
    """With the name of the file."""
    (tmp_path / "bad.tar").write_bytes(b"garbage")
    (tmp_path / "empty").mkdir()
    result = run("activate", source)

    assert 2 == result.exit_code
    assert result.stderr.startswith(f"error: {source}: ")


def test_a_trial_under_way_is_told(store: Store) -> None:
    """By `status`, to programs too; another is not tried meanwhile."""
    now = datetime.now(UTC)
    begin_trial(store, Trial("sha256:1", Origin.BUNDLE, "ann", now, "other", now + LEASE))
    status = run("status", "--json")
    refused = run("rollback", build_set().digest[:20])

    assert (1, "under way") == (status.exit_code, json.loads(status.stdout)["trial"]["state"])
    assert 0 == refused.exit_code  # it serves already
