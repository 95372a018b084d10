"""Prints what came of scenarios, for a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authz_service.errors import AuthzError
    from authz_service.scenario.case import Scenario
    from authz_service.scenario.runner import Outcome

Printer = Callable[[str], object]


def describe_failure(outcome: Outcome) -> list[str]:
    """Say where a question stands, what was expected, what came, and how to ask it again."""
    return [
        f"{outcome.inquiry.expected.place}: {outcome.inquiry}",
        f"  expected: {outcome.expected}",
        f"  came:     {outcome.given}",
        f"  ask:      {outcome.command}",
    ]


class Report:
    """Prints a line a scenario, then its failures, and counts."""

    def __init__(self, print_line: Printer) -> None:
        self._print = print_line
        self.passed = 0
        self.failed = 0
        self.errors = 0

    def add(self, scenario: Scenario, outcomes: list[Outcome]) -> None:
        """Print what came of a scenario."""
        failures = [outcome for outcome in outcomes if not outcome.passed]
        self.passed += len(outcomes) - len(failures)
        self.failed += len(failures)
        mark = "FAIL" if failures else "ok  "
        self._print(f"{mark} {scenario.path}: {scenario.title} ({_count(len(outcomes))})")
        for outcome in failures:
            for line in describe_failure(outcome):
                self._print(f"     {line}")

    def add_error(self, error: AuthzError) -> None:
        """Print why a scenario could not be run."""
        self.errors += 1
        for fault in error.faults:
            self._print(f"ERROR {fault}")

    def close(self) -> None:
        """Print the counts."""
        if self.errors:
            files = "1 scenario file" if self.errors == 1 else f"{self.errors} scenario files"
            self._print(f"{files} could not be run")
        self._print(f"{self.passed} passed, {self.failed} failed")


def _count(questions: int) -> str:
    return "1 question" if questions == 1 else f"{questions} questions"
