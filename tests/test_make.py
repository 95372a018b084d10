"""Setting up: which Python is taken, and what is said when there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine without any Python: the folder that is its PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "make", "touch", "awk"):
        place = next(Path(each, tool) for each in os.get_exec_path() if Path(each, tool).exists())
        (folder / tool).symlink_to(place)
    return folder


def install(folder: Path, name: str, script: str) -> None:
    """Put a command on the PATH of the machine."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def make_venv(machine: Path, venv: Path) -> subprocess.CompletedProcess[str]:
    """Run the set-up on the machine."""
    return subprocess.run(
        [ROOT / ".ci" / "make-venv", venv],
        env={"PATH": str(machine)},
        capture_output=True,
        text=True,
        check=False,
    )


OLD_PYTHON: Final = 'case "$2" in *platform*) echo 3.9.2;; *) exit 1;; esac'
LAUNCHER_WITHOUT_PYTHON: Final = "exit 127"


def test_one_sentence_says_which_pythons_work(machine: Path, tmp_path: Path) -> None:
    """Where only an unsupported Python is found, the message names it and those that work."""
    install(machine, "python3", OLD_PYTHON)
    done = make_venv(machine, tmp_path / "venv")

    assert 2 == done.returncode
    assert 1 == len(done.stderr.splitlines())
    assert "needs Python 3.11 or later, but python3 is 3.9.2" in done.stderr


def test_a_machine_without_python_is_told_the_same(machine: Path, tmp_path: Path) -> None:
    """Where there is no Python at all, the sentence says so."""
    done = make_venv(machine, tmp_path / "venv")

    assert 2 == done.returncode
    assert "needs Python 3.11 or later, but found no Python at all" in done.stderr


def test_a_launcher_without_its_python_is_passed_over(machine: Path, tmp_path: Path) -> None:
    """A command named python3.12 that does not start is not taken; the next one is."""
    install(machine, "python3.12", LAUNCHER_WITHOUT_PYTHON)
    install(machine, "python3", f'exec {sys.executable} "$@"')
    done = make_venv(machine, tmp_path / "venv")

    assert (0, "") == (done.returncode, done.stderr)
    assert (tmp_path / "venv" / "bin" / "python").exists()


def test_a_python_that_has_the_reference_is_taken_before_a_newer_one(
    machine: Path, tmp_path: Path
) -> None:
    """There is no oso for Python 3.13, so that one is taken only where there is no other."""
    newer = 'case "$2" in *platform*) echo 3.13.0;; *) exit 0;; esac'
    install(machine, "python3.13", newer)
    install(machine, "python3", f'exec {sys.executable} "$@"')
    done = make_venv(machine, tmp_path / "venv")

    assert (0, "") == (done.returncode, done.stderr)
    assert (tmp_path / "venv" / "bin" / "python").exists()


def test_a_good_environment_is_kept(machine: Path, tmp_path: Path) -> None:
    """Setting up again does not start over."""
    install(machine, "python3", f'exec {sys.executable} "$@"')
    make_venv(machine, tmp_path / "venv")
    (tmp_path / "venv" / "mark").touch()
    make_venv(machine, tmp_path / "venv")

    assert (tmp_path / "venv" / "mark").exists()


def test_make_alone_shows_what_there_is(machine: Path) -> None:
    """Whoever types `make` finds serve and test."""
    done = subprocess.run(
        ["make"], cwd=ROOT, env={"PATH": str(machine)}, capture_output=True, text=True, check=True
    )

    assert "make serve" in done.stdout
    assert "make test" in done.stdout
