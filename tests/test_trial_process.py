"""A trial in a process of its own: its verdict, and how it can end without one."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from clinic_sets import CLERKS_READ, CLINIC, CLINIC_PATH, build_set, build_settings, open_clinic

from authz_service.activation.gate import judge
from authz_service.activation.trial import run_trial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.settings import Settings

SOON: Final = 0.003


@pytest.fixture
def settings(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """The settings of a clinic; another process finds it, and what lies around does no harm."""
    monkeypatch.setenv("PYTHONPATH", CLINIC_PATH)
    monkeypatch.setenv("AUTHZ_DOMAIN", "is.not.read")
    (tmp_path / "authz_service.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    with open_clinic(sqlite_url):
        yield build_settings(sqlite_url, tmp_path, scenarios=CLINIC / "scenarios")


def ignore() -> None:
    """Do nothing now and then."""


def find_children() -> set[int]:
    """Find the processes that this one has started."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return {int(each) for each in listed.split()}


def test_the_verdict_is_that_of_the_gate(settings: Settings) -> None:
    """Settings and policies arrive as they are."""
    bounded = replace(settings, most_gained=9, log_drop=("context.ip",))
    policies = build_set(CLERKS_READ + "# é\r\n")

    assert (
        judge(policies, bounded).write()
        == run_trial(policies, bounded, ignore, with_checks=True).write()
    )


def test_a_trial_that_is_killed_refuses(settings: Settings) -> None:
    """Nobody knows what it would have said."""
    others = find_children()

    def kill() -> None:
        for each in find_children() - others:
            os.kill(each, signal.SIGKILL)

    verdict = run_trial(build_set(), settings, kill, with_checks=True, pause=SOON)

    assert ["trial_died"] == [each.code for each in verdict.faults]
    assert "ended by signal 9" in verdict.faults[0].message


def test_a_trial_that_takes_too_long_refuses(settings: Settings) -> None:
    """It is ended, and the message names the setting."""
    limited, others = replace(settings, trial_limit=0), find_children()
    verdict = run_trial(build_set(), limited, ignore, with_checks=True, pause=SOON)

    assert ["trial_timeout"] == [each.code for each in verdict.faults]
    assert others == find_children()
