"""What was acknowledged is there: after a kill, on a full disk, on one that takes no writes."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import durability
import pytest
from performing import make_deed, open_performer

from authz_service.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


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
    store, performer = open_performer(f"sqlite:///{path}")

    def perform(number: int) -> int:
        who, on = f"person/p{number}-1", f"customer/c{number}"
        performed = performer.perform(make_deed(who, "become_administrator", on))
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
