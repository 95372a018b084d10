"""The decision log after a kill, and on a full disk: what is missing is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from decision_log import ask, fill, note, open_log, opened_journal

from authz_service.decision.lookup import read_entries
from authz_service.decision.verification import verify
from authz_service.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.decision.log import DecisionLog
    from authz_service.decision.verification import Verified

SCRIPT: Final = Path(__file__).parent / "log_many.py"


def kill_halfway(url: str, way: str, processes: int, seconds: float) -> list[set[str]]:
    """Let processes note decisions, and kill them after some seconds of it.

    Returns:
        whose decisions each of them let go.
    """
    command = [sys.executable, str(SCRIPT), url]
    started = [
        subprocess.Popen([*command, str(share), way], stdout=subprocess.PIPE, text=True)
        for share in range(processes)
    ]
    for each in started:
        assert each.stdout
        assert "ready\n" == each.stdout.readline()
    time.sleep(seconds)
    for each in started:
        each.send_signal(signal.SIGKILL)
    said = [each.communicate()[0] for each in started]
    # a line that was cut off was not said
    return [{line.strip() for line in text.splitlines(True) if line[-1] == "\n"} for text in said]


def look(url: str) -> tuple[Verified, Counter[str]]:
    """Verify a log, and count of whom its entries are."""
    with opened_journal(url) as journal:
        found = verify(journal, lambda _count: None)
        return found, Counter(each.decided.subject.id for each in read_entries(journal))


def test_strict_loses_nothing_to_a_kill(url: str) -> None:
    """Two processes at once: whatever was let go is there, each once."""
    said = set[str]().union(*kill_halfway(url, "strict", 2, 0.5))
    _, found = look(url)

    assert said
    assert said <= found.keys()
    assert {1} == set(found.values())


def test_buffered_tells_how_much_a_kill_may_have_cost(url: str) -> None:
    """What is missing is at most what is told; once it is noted, it stays told."""
    said = kill_halfway(url, "buffered", 2, 0.7)
    before, found = look(url)
    fill(url, 1)
    after, _ = look(url)
    told = {each.behind: each.entries for each in before.gaps}

    assert all(said)
    assert 2 == len(told)
    for share, each in enumerate(said):
        lost = each - found.keys()
        there = sum(1 for name in found if name.startswith(f"{share}-"))
        assert len(lost) <= max(told.values())
        assert f"{share}-0" in found
        assert len(each) + 1 <= there + max(told.values())
    assert told == {each.behind: each.entries for each in after.gaps}
    assert [False, False, True, True] == [each.is_noted for each in (*before.gaps, *after.gaps)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    if os.geteuid():
        pytest.skip("a small disk is mounted, which only root can")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def note_until_refused(log: DecisionLog) -> set[str]:
    """Note decisions as long as they are taken: of whom they were."""
    taken: set[str] = set()
    for number in range(200_000):
        name = os.urandom(200).hex()
        try:
            note(log, ask(number, name))
        except UnavailableError:
            return taken
        taken.add(name)
    raise AssertionError("it was never full")


def test_a_full_disk_loses_nothing(disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Answers are refused, and the log says why; with more room, all that was taken is there."""
    url = f"sqlite:///{disk / 'portal.db'}"
    with open_log(url, most=1_000, wait=0.3) as log:
        note(log, ask(0, "first"))
        (disk / "ballast").write_bytes(b"x" * (os.statvfs(disk).f_bavail * 4096 - 40_000))
        taken = note_until_refused(log)
        # where the machine is busy, who waits is refused before the disk is full
        while "decisions cannot be written" not in caplog.text:
            taken |= note_until_refused(log)
        (disk / "ballast").unlink()
    found, entries = look(url)

    assert taken
    assert taken <= entries.keys()
    assert () == found.gaps
    assert "database or disk is full" in caplog.text
