"""What came of scenarios, for a terminal."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Final

import pytest
from authz_service.scenario.report import Report, describe_failure

from authz_service.decision.answer import Decision, Reason
from authz_service.errors import Fault, Place, ScenarioError
from authz_service.scenario.case import Expectation, Inquiry, Scenario
from authz_service.scenario.outcome import Deeds, Outcome, StepOutcome
from authz_service.scenario.step import Step
from authz_service.store.entity import Reference

FILE: Final = Path("scenarios/smith.yaml")
INQUIRY: Final = Inquiry(
    Expectation(Place(str(FILE), 8, 11), "view_usage", allowed=True),
    Reference("person", "mary"),
    Reference("subscription", "0470000001"),
    "web",
)
SCENARIO: Final = Scenario(FILE, "Users see their own", "", "smith", None, (INQUIRY,))

PASSED: Final = Outcome(INQUIRY, Decision((), "sha256:0"), "authz check a")
FAILED: Final = Outcome(
    INQUIRY,
    Decision((Reason("late", "it is late"), Reason("not_permitted", "no rule")), "sha256:0"),
    "authz check b",
)
AFTERWARDS: Final = dataclasses.replace(FAILED, steps=2)
STEP: Final = Step(
    Place(str(FILE), 12, 5),
    Reference("person", "mary"),
    "become_administrator",
    Reference("customer", "123456789"),
    informs={},
)
DONE: Final = StepOutcome(STEP, None, Deeds(Decision((), "sha256:0")), "authz perform c")
UNDONE: Final = StepOutcome(STEP, None, Deeds(FAILED.decision), "authz perform d", steps=1)
FAILURE: Final = [
    "scenarios/smith.yaml:8:11: person/mary view_usage subscription/0470000001 via web",
    "  expected: allow",
    "  came:     deny: late (it is late), not_permitted (no rule)",
    "  ask:      authz check b",
]


@pytest.fixture
def lines() -> list[str]:
    """What was printed."""
    return []


@pytest.fixture
def report(lines: list[str]) -> Report:
    """Prints into a list."""
    return Report(lines.append)


def test_a_failure_is_told_with_all_one_needs() -> None:
    """A failure says where, what was asked, expected and given, and how to ask again."""
    assert FAILURE == describe_failure(FAILED)


def test_a_failure_after_steps_says_that_the_command_does_not_take_them() -> None:
    """Who pastes the command has to know why the answer may be another one."""
    after = "  after:    the 2 steps before it in the file, which this command does not take"

    assert [*FAILURE, after] == describe_failure(AFTERWARDS)


def test_a_step_that_failed_is_told_with_all_one_needs() -> None:
    """Where, what was done, what was expected of it and what came, line below line."""
    assert [
        "scenarios/smith.yaml:12:5: do person/mary become_administrator customer/123456789",
        "  expected: done",
        "            informs nobody",
        "  came:     denied: late (it is late), not_permitted (no rule)",
        "  do:       authz perform d",
        "  after:    the step before it in the file, which this command does not take",
    ] == describe_failure(UNDONE)


@pytest.mark.parametrize(
    ("expected", "count"), [("(1 question)", 1), ("(2 questions)", 2), ("(0 questions)", 0)]
)
def test_a_scenario_that_passed_is_one_line(
    report: Report, lines: list[str], expected: str, count: int
) -> None:
    """A scenario is told with its file, its title and the number of its questions."""
    report.add(SCENARIO, [PASSED] * count)

    assert [f"ok   scenarios/smith.yaml: Users see their own {expected}"] == lines


@pytest.mark.parametrize(
    ("expected", "outcomes"),
    [
        ("(1 question, 1 step)", [DONE, PASSED]),
        ("(0 questions, 2 steps)", [DONE, DONE]),
        ("(2 questions, 1 step)", [PASSED, DONE, PASSED]),
    ],
)
def test_steps_are_counted_beside_questions(
    report: Report, lines: list[str], expected: str, outcomes: list[Outcome | StepOutcome]
) -> None:
    """A scenario with steps says how many."""
    report.add(SCENARIO, outcomes)

    assert [f"ok   scenarios/smith.yaml: Users see their own {expected}"] == lines


def test_failures_stand_below_their_scenario(report: Report, lines: list[str]) -> None:
    """A scenario of which something failed is followed by each failure."""
    report.add(SCENARIO, [FAILED, PASSED, FAILED])
    failure = [f"     {line}" for line in FAILURE]

    assert [
        "FAIL scenarios/smith.yaml: Users see their own (3 questions)",
        *failure,
        *failure,
    ] == lines


def test_errors_are_told_a_fault_a_line(report: Report, lines: list[str]) -> None:
    """A scenario that could not be run is told with everything that is wrong with it."""
    report.add_error(
        ScenarioError(
            [
                Fault(Place("b.yaml", 3, 1), "unknown_key", "there is no key `x`"),
                Fault(Place("b.yaml", 1, 1), "missing_key", "lacks `cases:`"),
            ]
        )
    )

    assert [
        "ERROR b.yaml:1:1: lacks `cases:` [missing_key]",
        "ERROR b.yaml:3:1: there is no key `x` [unknown_key]",
    ] == lines


def test_everything_is_counted(report: Report, lines: list[str]) -> None:
    """In the end there are the counts of questions and of files that could not be run."""
    report.add(SCENARIO, [PASSED, FAILED])
    report.add(SCENARIO, [PASSED, PASSED])
    report.add_error(ScenarioError.at("b.yaml", "empty_file", "holds no scenario"))
    report.add_error(ScenarioError.at("c.yaml", "empty_file", "holds no scenario"))
    report.close()

    assert (3, 1, 2) == (report.passed, report.failed, report.errors)
    assert ["2 scenario files could not be run", "3 passed, 1 failed"] == lines[-2:]


def test_what_was_counted_is_told_where_there_are_steps(report: Report, lines: list[str]) -> None:
    """Each is a thing that can pass or fail, and there are two kinds of them."""
    report.add(SCENARIO, [PASSED, DONE, FAILED])
    report.add(SCENARIO, [UNDONE, PASSED])
    report.close()

    assert "3 passed, 2 failed: 3 questions, 2 steps" == lines[-1]


def test_one_file_is_told_in_the_singular(report: Report, lines: list[str]) -> None:
    """A single file that could not be run is one file."""
    report.add_error(ScenarioError.at("b.yaml", "empty_file", "holds no scenario"))
    report.close()

    assert ["1 scenario file could not be run", "0 passed, 0 failed"] == lines[-2:]


def test_without_errors_only_questions_are_counted(report: Report, lines: list[str]) -> None:
    """Where every file could be run nothing is said about files."""
    report.add(SCENARIO, [PASSED])
    report.close()

    assert ["1 passed, 0 failed"] == lines[1:]
