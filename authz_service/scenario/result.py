"""What came of a run, as plain values: processes send them to each other, and reports show them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authz_service.errors import Fault, Place
    from authz_service.scenario.case import Scenario


class Status(StrEnum):
    """What came of a question or a step."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERROR = "error"


@dataclass(frozen=True)
class ItemResult:
    """What came of one question or step.

    Arguments:
        place: where the file has it.
        name: it in one line; no other of its scenario is called so.
        kind: `question` or `step`.
        status: whether it is as expected, or could not be put.
        tags: the words by which it is picked.
        seconds: how long it took.
        message: why it is skipped, or what went wrong, in lines.
        expected: the expected answer; this and what follows only of what failed.
        given: the given answer.
        explanation: why that was given, as a paragraph; empty where nothing explains it.
        command: asks, or does, just that.
        steps: how many steps were taken before, which the command does not take.
    """

    place: Place
    name: str
    kind: str
    status: Status
    tags: tuple[str, ...] = ()
    seconds: float = 0.0
    message: str = ""
    expected: str = ""
    given: str = ""
    explanation: str = ""
    command: str = ""
    steps: int = 0


@dataclass(frozen=True)
class ScenarioResult:
    """What came of one scenario.

    Arguments:
        path: the file.
        title: what it shows; empty where that cannot be read.
        items: what came of its questions and steps, in the order in which they were put.
        faults: why it could not be run; none where it could.
        seconds: how long it took.
    """

    path: str
    title: str = ""
    items: tuple[ItemResult, ...] = ()
    faults: tuple[Fault, ...] = ()
    seconds: float = 0.0

    def count(self, status: Status) -> int:
        """Count what has a status."""
        return sum(each.status is status for each in self.items)


@dataclass(frozen=True)
class Run:
    """What came of a run.

    Arguments:
        scenarios: what came of each, in the order in which they were run.
        seconds: how long it took.
        seed: by which they were shuffled; None where they were not.
        interrupted: whether it was broken off.
    """

    scenarios: tuple[ScenarioResult, ...]
    seconds: float = 0.0
    seed: int | None = None
    interrupted: bool = False

    def count(self, status: Status) -> int:
        """Count what has a status."""
        return sum(each.count(status) for each in self.scenarios)

    def count_kind(self, kind: str) -> int:
        """Count the questions, or the steps."""
        return sum(item.kind == kind for each in self.scenarios for item in each.items)

    @property
    def broken(self) -> int:
        """How many scenarios could not be run."""
        return sum(bool(each.faults) for each in self.scenarios)

    @property
    def has_errors(self) -> bool:
        """Whether something could not be run."""
        return bool(self.broken or self.count(Status.ERROR))


def name_items(scenario: Scenario) -> list[str]:
    """Name each item of a scenario; what is asked before and after a step is asked twice."""
    named: Counter[str] = Counter()
    names = []
    for item in scenario.items:
        name = str(item)
        named[name] += 1
        names.append(f"{name} ({named[name]})" if named[name] > 1 else name)
    return names
