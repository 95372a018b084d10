"""A run for a terminal, line by line while it goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from authz_service.scenario.failure import describe_failure, make_visible
from authz_service.scenario.result import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.errors import Fault
    from authz_service.scenario.result import Run, ScenarioResult

Printer = Callable[[str], object]
# A text and its colour in, the text as it is to be printed out.
Painter = Callable[[str, str], str]

_COLORS: Final = {
    Status.PASSED: "green",
    Status.FAILED: "red",
    Status.SKIPPED: "yellow",
    Status.ERROR: "red",
}
_MARKS: Final = {
    Status.PASSED: "ok  ",
    Status.FAILED: "FAIL",
    Status.SKIPPED: "skip",
    Status.ERROR: "FAIL",
}


class Detail(IntEnum):
    """How much is told."""

    FAILURES = 0
    SCENARIOS = 1
    ITEMS = 2


def leave_plain(text: str, _color: str) -> str:
    """Print without colours."""
    return text


class TextReport:
    """Prints a line a scenario, then what failed in it; at the end, the counts.

    Arguments:
        print_line: takes the lines.
        paint: gives colours.
        detail: how much is told.
    """

    def __init__(
        self,
        print_line: Printer,
        paint: Painter = leave_plain,
        detail: Detail = Detail.SCENARIOS,
    ) -> None:
        self._print = print_line
        self._paint = paint
        self._detail = detail
        self._told: set[Fault] = set()

    def add(self, result: ScenarioResult) -> None:
        """Print what came of a scenario."""
        if result.faults:
            self._tell_faults(result)
            return
        status = _summarize(result)
        bad = [each for each in result.items if each.status in {Status.FAILED, Status.ERROR}]
        if self._detail >= Detail.SCENARIOS or bad:
            mark = self._paint(_MARKS[status], _COLORS[status])
            named = make_visible(f"{result.path}: {result.title}")
            self._print(f"{mark} {named} ({_count_items(result)})")
        if self._detail >= Detail.ITEMS:
            for each in result.items:
                mark = self._paint(_MARKS[each.status], _COLORS[each.status])
                self._print(f"     {mark} {make_visible(each.name)}")
        if self._detail >= Detail.SCENARIOS:
            for line in _tell_skipped(result):
                self._print(f"     {self._paint(line, _COLORS[Status.SKIPPED])}")
        for each in bad:
            for line in describe_failure(each):
                self._print(f"     {line}")

    def _tell_faults(self, result: ScenarioResult) -> None:
        """Print why a scenario could not be run; what several have in common, once."""
        mark = self._paint("ERROR", _COLORS[Status.ERROR])
        new = [each for each in result.faults if each not in self._told]
        self._told.update(new)
        for each in new:
            self._print(f"{mark} {make_visible(str(each))}")
            for line in each.excerpt.splitlines():
                self._print(f"      {line}")
        if not new:
            place = result.faults[0].where.name
            self._print(f"{mark} {result.path}: cannot be run either, because of {place}")

    def close(self, run: Run) -> None:
        """Print the counts."""
        if run.broken:
            files = "1 scenario file" if run.broken == 1 else f"{run.broken} scenario files"
            self._print(f"{files} could not be run")
        steps = run.count_kind("step")
        of_what = f": {_count(run.count_kind('question'), steps)}" if steps else ""
        self._print(f"{', '.join(self._count_all(run))}{of_what}")
        if run.interrupted:
            self._print("broken off; this is what was run")

    def _count_all(self, run: Run) -> Iterator[str]:
        for status, always in (
            (Status.PASSED, True),
            (Status.FAILED, True),
            (Status.SKIPPED, False),
            (Status.ERROR, False),
        ):
            count = run.count(status)
            if count or always:
                word = "errors" if status is Status.ERROR and count > 1 else str(status)
                text = f"{count} {word}"
                yield self._paint(text, _COLORS[status]) if count else text


def _summarize(result: ScenarioResult) -> Status:
    found = {each.status for each in result.items}
    if found & {Status.FAILED, Status.ERROR}:
        return Status.FAILED
    return Status.SKIPPED if found == {Status.SKIPPED} else Status.PASSED


def _tell_skipped(result: ScenarioResult) -> Iterator[str]:
    why = Counter(each.message for each in result.items if each.status is Status.SKIPPED)
    for message, count in why.items():
        yield make_visible(f"{count} skipped: {message}")


def _count_items(result: ScenarioResult) -> str:
    steps = sum(each.kind == "step" for each in result.items)
    return _count(len(result.items) - steps, steps)


def _count(questions: int, steps: int) -> str:
    said = ["1 question" if questions == 1 else f"{questions} questions"]
    if steps:
        said.append("1 step" if steps == 1 else f"{steps} steps")
    return ", ".join(said)
