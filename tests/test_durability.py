"""What was acknowledged is there: after a kill, on a full disk, on one that takes no writes."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import durability
import pytest

from authz_service import assembly
from authz_service.decision.performer import Deed
from authz_service.errors import StoreError
from authz_service.policy.request import Said, build_request
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.store.database import open_store
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT: Final = Path(__file__).parent.parent
WEB: Final = Said(context={"channel": "web"})


@pytest.mark.parametrize("number", [1, 2])
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, number: int) -> None:
    """Four processes perform and are killed: nothing is lost, and nothing is half done."""
    path = tmp_path / "portal.db"
    durability.make_store(path, 200)
    acknowledged = durability.kill_halfway(path, 200, 0.3 * number)

    assert acknowledged
    assert [] == list(durability.look(path, acknowledged))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of sixteen megabytes."""
    if os.geteuid():
        pytest.skip("a small disk is mounted, which only root can")
    folder = tmp_path / "disk"
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder))
    yield folder
    run("umount", "--lazy", str(folder))


def run(*command: str) -> None:
    """Run a command of the system."""
    subprocess.run(command, check=True)


@contextmanager
def open_performing(path: Path) -> Iterator[Callable[[int], int]]:
    """Open what makes the user of a company an administrator, and gives back the revision."""
    store = open_store(f"sqlite:///{path}", DOMAIN)
    engine = assembly.build_compiled(replace(Settings(), policies=ROOT / "policies"), DOMAIN)
    performer = assembly.build_performer(engine, DOMAIN, store)

    def perform(number: int) -> int:
        subject, resource = Reference("person", f"p{number}-1"), Reference("customer", f"c{number}")
        asked = build_request(DOMAIN.schema, subject, "become_administrator", resource, WEB)
        performed = performer.perform(Deed(asked))
        assert performed.decision.allowed
        return performed.revision

    yield perform
    store.close()


def test_a_full_disk_loses_nothing(disk: Path) -> None:
    """The error says so; what was acknowledged is there, and with more room it goes on."""
    path = disk / "portal.db"
    durability.make_store(path, 100)
    acknowledged: dict[int, str] = {}

    def perform_all() -> None:
        for number in range(len(acknowledged), 100):
            acknowledged[perform(number)] = f"c{number}/p{number}-1"

    with open_performing(path) as perform:
        (disk / "ballast").write_bytes(b"x" * (os.statvfs(disk).f_bavail * 4096 - 100_000))
        with pytest.raises(StoreError, match="cannot be used: database or disk is full"):
            perform_all()
        first = len(acknowledged)
        (disk / "ballast").unlink()
        perform_all()

    assert 0 < first < len(acknowledged) == 100
    assert [] == list(durability.look(path, acknowledged))


def test_a_disk_that_takes_no_writes_is_told(disk: Path) -> None:
    """The error says so; nothing has changed."""
    path = disk / "portal.db"
    durability.make_store(path, 10)
    with open_performing(path) as perform:
        done = {perform(0): "c0/p0-1"}
    run("mount", "-o", "remount,ro", str(disk))
    with open_performing(path) as perform, pytest.raises(StoreError, match=r"cannot be used: "):
        perform(1)
    run("mount", "-o", "remount,rw", str(disk))

    assert [] == list(durability.look(path, done))
