"""A run for a terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from run_results import (
    ALL,
    BROKEN,
    DONE,
    ERROR,
    FAILED,
    FAULT,
    PASSED,
    SKIPPED,
    UNDONE,
    run_of,
    scenario_of,
)

from authz_service.reporting.text import Detail, TextReport
from authz_service.scenario.failure import describe_failure

if TYPE_CHECKING:
    from authz_service.scenario.result import ItemResult

OK = "ok   scenarios/smith.yaml: Users see their own"


@pytest.fixture
def lines() -> list[str]:
    """What was printed."""
    return []


@pytest.fixture
def report(lines: list[str]) -> TextReport:
    """Prints into a list."""
    return TextReport(lines.append)


@pytest.mark.parametrize(
    ("expected", "items"),
    [
        ("(1 question)", [PASSED]),
        ("(2 questions)", [PASSED, PASSED]),
        ("(1 question, 1 step)", [DONE, PASSED]),
        ("(0 questions, 2 steps)", [DONE, DONE]),
    ],
)
def test_a_scenario_that_passed_is_one_line(
    report: TextReport, lines: list[str], expected: str, items: list[ItemResult]
) -> None:
    """A scenario is told with its file, its title and the number of its questions and steps."""
    report.add(scenario_of(*items))

    assert [f"{OK} {expected}"] == lines


def test_failures_stand_below_their_scenario(report: TextReport, lines: list[str]) -> None:
    """A scenario of which something failed is followed by each failure."""
    report.add(scenario_of(FAILED, PASSED, ERROR))

    assert [
        "FAIL scenarios/smith.yaml: Users see their own (3 questions)",
        *(f"     {line}" for each in (FAILED, ERROR) for line in describe_failure(each)),
    ] == lines


def test_what_is_skipped_is_told_with_its_reason(report: TextReport, lines: list[str]) -> None:
    """Each reason once; a scenario of which nothing is put has a mark of its own."""
    report.add(scenario_of(SKIPPED, PASSED, SKIPPED))
    report.add(scenario_of(SKIPPED))

    assert [
        f"{OK} (3 questions)",
        "     2 skipped: nobody knows yet",
        "skip scenarios/smith.yaml: Users see their own (1 question)",
        "     1 skipped: nobody knows yet",
    ] == lines


def test_faults_are_told_a_line_each(report: TextReport, lines: list[str]) -> None:
    """A scenario that could not be run is told with everything that is wrong with it."""
    report.add(replace(BROKEN, faults=(FAULT, replace(FAULT, code="other"))))

    assert [
        "ERROR fixtures/b.yaml:3:1: there is no type `x` [unknown_type]",
        "ERROR fixtures/b.yaml:3:1: there is no type `x` [other]",
    ] == lines


def test_the_lines_of_a_fault_are_shown(report: TextReport, lines: list[str]) -> None:
    """They say more than a place."""
    report.add(replace(BROKEN, faults=(replace(FAULT, excerpt="3 | x:\n  | ^"),)))

    assert ["      3 | x:", "        | ^"] == lines[1:]


def test_what_several_have_in_common_is_told_once(report: TextReport, lines: list[str]) -> None:
    """A broken fixture is one fault, however many scenarios begin with it."""
    report.add(BROKEN)
    report.add(replace(BROKEN, path="scenarios/c.yaml"))

    assert [
        "ERROR fixtures/b.yaml:3:1: there is no type `x` [unknown_type]",
        "ERROR scenarios/c.yaml: cannot be run either, because of fixtures/b.yaml",
    ] == lines


@pytest.mark.parametrize(
    ("expected", "items"),
    [
        ("1 passed, 0 failed", [PASSED]),
        ("1 passed, 1 failed, 1 skipped", [PASSED, FAILED, SKIPPED]),
        ("0 passed, 0 failed, 1 error", [ERROR]),
        ("0 passed, 0 failed, 2 errors", [ERROR, ERROR]),
        ("2 passed, 1 failed: 1 question, 2 steps", [PASSED, DONE, UNDONE]),
    ],
)
def test_everything_is_counted(
    report: TextReport, lines: list[str], expected: str, items: list[ItemResult]
) -> None:
    """In the end there are the counts of what was put."""
    report.close(run_of(scenario_of(*items)))

    assert [expected] == lines


@pytest.mark.parametrize(
    ("expected", "count"),
    [("1 scenario file could not be run", 1), ("2 scenario files could not be run", 2)],
)
def test_files_that_could_not_be_run_are_counted(
    report: TextReport, lines: list[str], expected: str, count: int
) -> None:
    """Nobody knows how many questions there are in them."""
    report.close(run_of(*[BROKEN] * count))

    assert [expected, "0 passed, 0 failed"] == lines


def test_a_run_that_was_broken_off_says_so(report: TextReport, lines: list[str]) -> None:
    """Then what was not run may fail as well."""
    report.close(replace(run_of(scenario_of(PASSED)), interrupted=True))

    assert ["1 passed, 0 failed", "broken off; this is what was run"] == lines


def test_only_what_is_not_as_expected_is_told_on_demand(lines: list[str]) -> None:
    """Of a scenario that passed there is nothing then."""
    report = TextReport(lines.append, detail=Detail.FAILURES)
    report.add(scenario_of(PASSED, SKIPPED))
    report.add(scenario_of(FAILED))

    assert "FAIL scenarios/smith.yaml: Users see their own (1 question)" == lines[0]


def test_each_item_is_told_on_demand(lines: list[str]) -> None:
    """With its mark, in the order in which they were put."""
    report = TextReport(lines.append, detail=Detail.ITEMS)
    report.add(scenario_of(PASSED, SKIPPED, DONE))

    assert [
        f"     ok   {PASSED.name}",
        f"     skip {PASSED.name}",
        f"     ok   {DONE.name}",
    ] == lines[1:4]


def test_nothing_in_a_name_moves_the_cursor(lines: list[str]) -> None:
    """A terminal would do what the name says."""
    odd = replace(FAILED, name="\x1b[2J\r", given="\x1b]0;", message="")
    report = TextReport(lines.append, detail=Detail.ITEMS)
    report.add(replace(scenario_of(odd, replace(SKIPPED, message="\x1b")), title="\x1b"))
    report.add(replace(BROKEN, faults=(replace(FAULT, message="\x1b"),)))

    assert all(each.isprintable() for each in lines)


def test_colours_are_given_to_marks_and_counts(lines: list[str]) -> None:
    """Red is bad, green is good; what is nought has none."""
    report = TextReport(lines.append, lambda text, color: f"<{color} {text}>")
    report.add(ALL.scenarios[0])
    report.add(ALL.scenarios[1])
    report.close(run_of(scenario_of(PASSED, SKIPPED)))

    assert lines[0].startswith("<red FAIL> scenarios/smith.yaml")
    assert "     <yellow 1 skipped: nobody knows yet>" == lines[1]
    assert any(each.startswith("<red ERROR> fixtures/b.yaml:3:1: ") for each in lines)
    assert "<green 1 passed>, 0 failed, <yellow 1 skipped>" == lines[-1]
