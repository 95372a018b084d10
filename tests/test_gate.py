"""The gate: what a policy set has to pass, and what is said of one that does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from clinic_sets import (
    CLERKS_READ,
    CLERKS_READ_CHARTS,
    CLINIC,
    CLOSED,
    build_set,
    build_settings,
    open_clinic,
)

from authz_service.activation.gate import judge
from authz_service.activation.verdict import Verdict, describe
from authz_service.store.system import PolicyText

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authz_service.settings import Settings


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Iterator[Settings]:
    """The settings of a clinic whose policies serve, with its scenarios."""
    with open_clinic(sqlite_url):
        yield build_settings(sqlite_url, tmp_path, scenarios=CLINIC / "scenarios")


def codes(verdict: Verdict) -> list[str]:
    """Name what is wrong."""
    return [each.code for each in verdict.faults]


def test_what_serves_passes(settings: Settings) -> None:
    """All scenarios come as expected, and nobody gains or loses."""
    verdict = judge(build_set("# more"), settings)

    assert ((), 0, 0, ()) == (verdict.faults, verdict.gained, verdict.lost, verdict.notes)
    assert verdict.passed


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("permit(", "no_polar"),
        (CLERKS_READ_CHARTS, "unknown_attribute"),
        ("permit(a, b, c) if permit(a, b, c);", "recursion"),
        ("?= 1 = 2;", "never_changes"),
    ],
)
def test_what_cannot_be_compiled_is_refused(settings: Settings, more: str, code: str) -> None:
    """With its place, and before anything else is looked at."""
    verdict = judge(build_set(more), settings)

    assert code in codes(verdict)
    assert verdict.faults[0].where.name.startswith("policies/more.polar")
    assert verdict.passed is None


def test_what_fails_a_scenario_is_refused(settings: Settings) -> None:
    """With the place in the scenario, what was expected, and what came; not without end."""
    verdict = judge(build_set(CLOSED), settings)

    assert {"scenario_failed"} == {*codes(verdict)}
    assert 11 == len(verdict.faults)
    assert (
        "expected allow, came deny: closed (closed): patient/lind read" in verdict.faults[0].message
    )
    assert str(verdict.faults[0].where).startswith(f"{CLINIC}/scenarios/records.yaml:")
    assert verdict.faults[-1].message.endswith("`authz test` tells all of them")


def test_a_scenario_that_cannot_be_run_is_refused(settings: Settings, tmp_path: Path) -> None:
    """Nobody knows what it would have said."""
    (tmp_path / "bad.yaml").write_text("scenario: Bad\nfixture: none\ncases: []\n")
    verdict = judge(build_set(), replace(settings, scenarios=tmp_path))

    assert verdict.faults


def test_a_folder_without_scenarios_is_told(settings: Settings, tmp_path: Path) -> None:
    """The rest is looked at all the same."""
    verdict = judge(build_set(CLERKS_READ), replace(settings, scenarios=tmp_path / "none"))

    assert (f"there is no folder `{tmp_path / 'none'}`: no scenario was run",) == verdict.notes
    assert (None, 10, 0) == (verdict.passed, verdict.gained, verdict.lost)


@pytest.mark.parametrize(("most", "expected"), [(None, []), (10, []), (9, ["too_much_gained"])])
def test_more_than_may_be_gained_is_refused(
    settings: Settings, tmp_path: Path, most: int | None, expected: list[str]
) -> None:
    """With how many there are, how many may be, and some of them."""
    bounded = replace(settings, most_gained=most, scenarios=tmp_path / "none")
    verdict = judge(build_set(CLERKS_READ), bounded)

    assert expected == codes(verdict)
    assert not expected or "such as staff/kurt read record/" in verdict.faults[0].message


@pytest.mark.parametrize(("most", "is_refused"), [(None, False), (0, True)])
def test_what_cannot_be_counted_is_refused_where_it_is_bounded(
    settings: Settings, tmp_path: Path, most: int | None, *, is_refused: bool
) -> None:
    """What serves was changed in the database; else a note says so."""
    bounded = replace(settings, most_gained=most, scenarios=tmp_path / "none")
    with open_clinic(settings.database) as store:
        store.run(PolicyText.update(files="{}"))
    verdict = judge(build_set(CLERKS_READ), bounded)

    assert is_refused == bool(verdict.faults)
    assert is_refused or "the impact was not counted" in verdict.notes[-1]


def test_where_nothing_serves_nothing_is_compared(sqlite_url: str, tmp_path: Path) -> None:
    """A note says so."""
    with open_clinic(sqlite_url, with_policies=False):
        verdict = judge(build_set(), build_settings(sqlite_url, tmp_path))

    assert "nothing serves yet with which it could be compared" in verdict.notes


def test_without_checks_it_is_compiled(settings: Settings) -> None:
    """And nothing else."""
    assert [] == codes(judge(build_set(CLOSED), settings, with_checks=False))
    assert codes(judge(build_set("permit("), settings, with_checks=False))


def test_a_verdict_is_read_as_it_was_written(settings: Settings) -> None:
    """All of it, but for the lines at the places."""
    verdict = judge(build_set(CLOSED), settings)
    written: dict[str, Any] = verdict.write()

    assert verdict.write() == Verdict.parse(written).write()
    assert f"{verdict.passed} questions and steps" in describe(written)
