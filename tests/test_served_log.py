"""`authz serve` and its decision log: processes that write at once, and how they end."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from decision_log import opened_journal
from installation import Installation, find_port, wait_until
from portal_service import EVALUATIONS, MARY_SEES_USAGE, SMITH

from authz_service.decision.lookup import read_entries
from authz_service.decision.verification import verify

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.decision.verification import Verified

BATCH: dict[str, Any] = {"evaluations": [MARY_SEES_USAGE] * 5}


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """All that a service needs, and no database yet."""
    installed = Installation(tmp_path, find_port())
    installed.fixtures.mkdir()
    (installed.fixtures / SMITH.name).symlink_to(SMITH)
    return installed


def look(installed: Installation) -> tuple[Verified, int]:
    """Verify the log of a service, and count its entries."""
    with opened_journal(f"sqlite:///{installed.database}") as journal:
        found = verify(journal, lambda _count: None)
        return found, sum(1 for _ in read_entries(journal))


def test_a_service_that_is_stopped_has_noted_everything(installation: Installation) -> None:
    """Two processes, each with a segment that was ended; no lock is left."""
    with installation.serve("--create", "--workers=2"):
        for _ in range(20):
            installation.ask(MARY_SEES_USAGE)
            installation.ask(BATCH, EVALUATIONS)
    found, count = look(installation)

    assert (120, 120, ()) == (found.entries, count, found.gaps)
    assert found.closing
    assert found.closing[0] == found.segments
    assert [] == list(installation.folder.glob("*-writer-*"))


def test_a_service_that_is_killed_tells_what_may_be_missing(installation: Installation) -> None:
    """What it had in memory is told as a gap; the next one goes on beside it."""
    with installation.serve("--create") as process:
        for _ in range(20):
            installation.ask(MARY_SEES_USAGE)
        os.killpg(process.pid, signal.SIGKILL)
    # the process that served may take a moment to go, and holds its lock until then
    wait_until(lambda: bool(look(installation)[0].gaps))
    killed, count = look(installation)
    with installation.serve():
        installation.ask(MARY_SEES_USAGE)
    after, total = look(installation)

    assert [1_000] == [each.entries for each in killed.gaps]
    assert 20 - 1_000 <= count <= 20
    assert [(each.behind, each.entries) for each in killed.gaps] == [
        (each.behind, each.entries) for each in after.gaps
    ]
    assert count + 1 == total


def test_nothing_is_served_when_the_log_cannot_be_written(installation: Installation) -> None:
    """The line names its file."""
    (installation.folder / "portal-decisions.db").write_bytes(b"garbage" * 1_000)
    with installation.start("--create") as process:
        assert 2 == process.wait(30)

    assert any("portal-decisions.db" in line for line in installation.printed)
