"""Work that is done by several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from contextlib import closing
from typing import Final

import pytest

from authz_service.scenario.workers import count_cores, work_in_processes

# Python 3.12 and later warn where a process with threads is forked, as those of xdist are.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


def lose(number: int, how: str) -> str:
    """Give something instead."""
    return f"{number} lost: {how}"


def test_everything_is_given_in_order() -> None:
    """Whoever is done first."""
    given = work_in_processes(lambda number: f"{number}", 20, 3, lose)

    assert [f"{number}" for number in range(20)] == list(given)


def test_others_than_this_process_work() -> None:
    """As many as there may be."""
    pids = set(work_in_processes(lambda _: os.getpid(), 20, 2, lambda *_: 0))

    assert os.getpid() not in pids
    assert len(pids) in {1, 2}


@pytest.mark.parametrize("signalled", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_is_ended_loses_its_work_only(signalled: signal.Signals) -> None:
    """What it was at is told as lost, and the others go on."""

    def work(number: int) -> str:
        if number == 1:
            os.kill(os.getpid(), signalled)
        return f"{number}"

    assert ["0", f"1 lost: {signalled.name}", "2", "3"] == list(work_in_processes(work, 4, 2, lose))


def test_a_process_that_exits_says_with_what() -> None:
    """Something in it may do so on purpose."""

    def work(_: int) -> str:
        os._exit(7)

    assert ["0 lost: exit code 7"] == list(work_in_processes(work, 1, 2, lose))


def test_no_process_is_left_when_nobody_asks_for_more() -> None:
    """One that is at work is ended as well."""
    is_working = multiprocessing.get_context("fork").Event()

    def work(number: int) -> int:
        if number == 1:
            is_working.set()
            signal.pause()
        is_working.wait()
        return number

    with closing(work_in_processes(work, 2, 2, lambda *_: 0)) as given:
        next(given)
        assert 2 == len(multiprocessing.active_children())

    assert [] == multiprocessing.active_children()


_ORPHANS: Final = r"""
import os, signal, sys
from authz_service.scenario.workers import work_in_processes
def work(number):
    os.write(1, b"here\n")
    return number
given = work_in_processes(work, 3, 3, lambda *_: 0)
next(given)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_end_when_the_one_that_asked_is_killed() -> None:
    """Its output is closed once the last of them is gone."""
    done = subprocess.run(
        [sys.executable, "-c", _ORPHANS], capture_output=True, text=True, timeout=30, check=False
    )

    assert -signal.SIGKILL == done.returncode
    assert 3 == len(done.stdout.split())


def test_there_is_a_core() -> None:
    """At least the one that counts."""
    assert count_cores() >= 1
