"""Prints what came of scenarios, for a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from authz_service.scenario.step import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz_service.errors import AuthzError
    from authz_service.scenario.case import Scenario
    from authz_service.scenario.item import ItemOutcome

Printer = Callable[[str], object]


def describe_failure(outcome: ItemOutcome) -> list[str]:
    """Say where a question or step stands, what was expected, what came, and how to repeat it."""
    verb = "do" if isinstance(outcome.item, Step) else "ask"
    lines = [
        f"{outcome.item.place}: {outcome.item}",
        *_label("expected", outcome.expected),
        *_label("came", outcome.given),
        *_label(verb, outcome.command),
    ]
    if outcome.steps:
        before = "the step" if outcome.steps == 1 else f"the {outcome.steps} steps"
        lines += _label(
            "after", f"{before} before it in the file, which this command does not take"
        )
    return lines


class Report:
    """Prints a line a scenario, then its failures, and counts."""

    def __init__(self, print_line: Printer) -> None:
        self._print = print_line
        self.passed = 0
        self.failed = 0
        self.errors = 0
        self._steps = 0

    def add(self, scenario: Scenario, outcomes: Sequence[ItemOutcome]) -> None:
        """Print what came of a scenario."""
        failures = [outcome for outcome in outcomes if not outcome.passed]
        self.passed += len(outcomes) - len(failures)
        self.failed += len(failures)
        steps = sum(isinstance(outcome.item, Step) for outcome in outcomes)
        self._steps += steps
        count = _count(len(outcomes) - steps, steps)
        mark = "FAIL" if failures else "ok  "
        self._print(f"{mark} {scenario.path}: {scenario.title} ({count})")
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
        questions = self.passed + self.failed - self._steps
        of_what = f": {_count(questions, self._steps)}" if self._steps else ""
        self._print(f"{self.passed} passed, {self.failed} failed{of_what}")


def _count(questions: int, steps: int) -> str:
    said = ["1 question" if questions == 1 else f"{questions} questions"]
    if steps:
        said.append("1 step" if steps == 1 else f"{steps} steps")
    return ", ".join(said)


def _label(label: str, text: str) -> list[str]:
    """Put a label before the first line of a text, and the others below it."""
    first, *others = text.splitlines()
    return [f"  {label + ':':10}{first}", *(f"{'':12}{line}" for line in others)]
