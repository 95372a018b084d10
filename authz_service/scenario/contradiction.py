"""What a scenario says against itself, or twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authz_service.errors import Fault, quote
from authz_service.policy.said import write_said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from authz_service.errors import Place
    from authz_service.scenario.inquiry import Inquiry
    from authz_service.scenario.step import Step


class Memory:
    """Remembers what was asked since anything changed, and finds what does not go with it."""

    def __init__(self) -> None:
        self._asked: dict[Any, tuple[Inquiry, bool]] = {}
        self._told: set[tuple[Place, Place]] = set()

    def forget(self) -> None:
        """Begin anew, for what follows is asked of another state."""
        self._asked.clear()

    def add(self, inquiries: Iterable[Inquiry], *, are_written: bool) -> Iterator[Fault]:
        """Find which questions have another answer here than before, or the same once more.

        Arguments:
            inquiries: what is asked.
            are_written: whether the file writes them down one by one; others may be asked twice.
        """
        for each in inquiries:
            said = tuple(sorted(write_said(each.all_said)))
            key = each.subject, each.action, each.resource, said
            first, was_written = self._asked.setdefault(key, (each, are_written))
            if first is each or (first.place, each.place) in self._told:
                continue
            line = first.place.line
            if first.expected.allowed != each.expected.allowed:
                here, there = _say_answer(each), _say_answer(first)
                message = f"{quote(str(each))} is {here} here and {there} in line {line}"
                yield self._tell(first, each, "contradiction", f"{message}; one of them is wrong")
            elif are_written and was_written and _says_nothing_new(first, each):
                message = f"{quote(str(each))} is asked in line {line} already; leave one out"
                yield self._tell(first, each, "asked_twice", message)

    def _tell(self, first: Inquiry, second: Inquiry, code: str, message: str) -> Fault:
        self._told.add((first.place, second.place))
        return Fault(second.place, code, message)


def find_step_faults(steps: Sequence[Step], at: datetime | None) -> Iterator[Fault]:
    """Find what is wrong with steps that are taken one after another, from a time on."""
    for each in steps:
        yield from _find_idle(each)
    yield from _find_repeated(steps)
    yield from _find_late(steps, at)


def _say_answer(inquiry: Inquiry) -> str:
    return "allowed" if inquiry.expected.allowed else "denied"


def _says_nothing_new(first: Inquiry, second: Inquiry) -> bool:
    one, other = first.expected, second.expected
    return (one.reasons, one.because, one.missing) == (other.reasons, other.because, other.missing)


def _find_idle(step: Step) -> Iterator[Fault]:
    """Find what is said of a step that must be denied, and so does nothing."""
    for key in ("new", "changes", "informs"):
        if step.denied and key in step.places:
            message = f"`{key}` says what a step does, and one that is `denied` does nothing"
            yield Fault(
                step.places[key], "denied_does_nothing", f"{message}; leave one of them out"
            )


def _find_repeated(steps: Iterable[Step]) -> Iterator[Fault]:
    first: dict[str, Step] = {}
    for each in steps:
        other = first.setdefault(each.new, each) if each.new else each
        if other is not each:
            line = other.places["new"].line
            message = f"`{each.new}` is in line {line} already; each new entity has its own id"
            yield Fault(each.places["new"], "id_twice", message)


def _find_late(steps: Iterable[Step], at: datetime | None) -> Iterator[Fault]:
    """Find a step that puts the clock forward beyond all times."""
    now = at
    for each in steps:
        try:
            now = now + each.after if now else None
        except OverflowError:
            message = "puts the clock forward beyond all times; begin with an earlier `at`"
            yield Fault(each.places["after"], "clock_overflow", f"`after` {message}")
            return
