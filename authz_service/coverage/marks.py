"""What is marked in the text of a policy: the names of rules, and their conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from authz_service.coverage.assessment import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz_service.coverage.assessment import FileCoverage, Finding
    from authz_service.polar.syntax import Span
    from authz_service.polar.text import Source


class Mark(NamedTuple):
    """A part of a line that is marked.

    Arguments:
        line, start, end: where, columns counted from 1; `end` is behind it.
        kind: `seen`, `part`, `unseen` or `never`.
        says: what was seen of it.
    """

    line: int
    start: int
    end: int
    kind: str
    says: str


def find_marks(file: FileCoverage) -> list[Mark]:
    """Find what is marked in a file, in the order of the text."""
    return sorted(_find_marks(file))


def _find_marks(file: FileCoverage) -> Iterator[Mark]:
    for rule in file.rules:
        found = list(_mark(file.source, rule.span, [rule.decided]))
        line = file.source.lines[rule.span.line - 1]
        if line.startswith(rule.name, rule.span.column - 1):
            # the head holds parameters, which are conditions
            found = [found[0]._replace(end=rule.span.column + len(rule.name))]
        yield from found
        for condition in rule.conditions:
            yield from _mark(file.source, condition.span, condition.findings)


def _mark(source: Source, span: Span, findings: Sequence[Finding]) -> Iterator[Mark]:
    says = ", ".join(_say(each) for each in findings)
    kind = _find_kind(findings)
    for number in range(span.line, span.end_line + 1):
        line = source.lines[number - 1]
        start = span.column if number == span.line else len(line) - len(line.lstrip()) + 1
        end = span.end_column if number == span.end_line else len(line.rstrip()) + 1
        yield Mark(number, start, end, kind, says)


def _find_kind(findings: Sequence[Finding]) -> str:
    states = {each.state for each in findings}
    if len(states) > 1:
        states.discard(State.NEVER)
    return states.pop().value if len(states) == 1 else "part"


def _say(finding: Finding) -> str:
    event = finding.target.event.value
    if finding.state is State.NEVER:
        return f"{event} in no small store"
    return f"{event} {finding.count} times" if finding.count else f"never {event}"
