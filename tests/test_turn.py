"""Which of several processes delivers: one, and when it is killed, another."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import pytest
from installation import wait_until

from authz_service.delivery.turn import make_turn, take_turn

ROOT: Final = Path(__file__).parent.parent
HOLD: Final = (
    "import sys, time; from pathlib import Path; from threading import Event;"
    "from authz_service.delivery.turn import take_turn;"
    "take_turn(Path(sys.argv[1]), Event()); print('mine', flush=True); time.sleep(600)"
)


def start(path: Path) -> subprocess.Popen[str]:
    """Start a process that waits for its turn and keeps it."""
    words = [sys.executable, "-c", HOLD, str(path)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def read_line(process: subprocess.Popen[str]) -> str:
    """Read a line that a process prints."""
    assert process.stdout
    return process.stdout.readline()


def test_one_process_has_the_turn_until_it_is_killed(tmp_path: Path) -> None:
    """Then another has it, however the first one ended."""
    path = tmp_path / "turn"
    path.touch()
    first = start(path)
    assert "mine\n" == read_line(first)
    won: list[bool] = []
    stop = threading.Event()
    thread = threading.Thread(target=lambda: won.append(take_turn(path, stop)))
    thread.start()
    before = list(won)
    first.kill()
    first.communicate()
    thread.join()

    assert ([], [True]) == (before, won)


def test_waiting_can_be_stopped(tmp_path: Path) -> None:
    """A process that ends need not have had its turn."""
    path = tmp_path / "turn"
    path.touch()
    holder = start(path)
    read_line(holder)
    stop, won = threading.Event(), list[bool]()
    thread = threading.Thread(target=lambda: won.append(take_turn(path, stop)))
    thread.start()
    stop.set()
    wait_until(lambda: not thread.is_alive())
    holder.kill()
    holder.communicate()

    assert [False] == won


def test_the_file_goes_at_the_end() -> None:
    """And may have gone before, for whoever tidies up does not know what it is for."""
    with make_turn() as path:
        path.unlink()
        won = take_turn(path, threading.Event())

    assert (True, False) == (won, path.exists())


def test_no_link_is_followed(tmp_path: Path) -> None:
    """The file is where everybody can write."""
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        take_turn(tmp_path / "link", threading.Event())
