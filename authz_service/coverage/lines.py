"""Coverage by the lines of the policies, as editors and build servers know it.

A line is hit when something in it was seen: that a rule that begins there decided, or something of
a condition. Its branches are what can be seen of its conditions: each holds, and fails. What no
store can show is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authz_service.coverage.assessment import State
from authz_service.coverage.lessening import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.coverage.assessment import FileCoverage, Finding


@dataclass(frozen=True)
class Line:
    """A line of a policy.

    Arguments:
        number: from 1.
        hits: by how many questions something in it was seen.
        branches: by how many each thing was seen that can be seen of its conditions.
    """

    number: int
    hits: int
    branches: tuple[int, ...]

    @property
    def taken(self) -> int:
        """How many of the branches were seen."""
        return sum(map(bool, self.branches))


def find_lines(file: FileCoverage) -> list[Line]:
    """Find the lines in which something can be seen."""
    hits: dict[int, int] = {}
    branches: dict[int, list[int]] = {}
    for number, finding in _find_places(file):
        if finding.state is not State.NEVER:
            hits[number] = max(hits.get(number, 0), finding.count)
            if finding.target.event is not Event.DECIDED:
                branches.setdefault(number, []).append(finding.count)
    return [Line(each, hits[each], tuple(branches.get(each, ()))) for each in sorted(hits)]


def _find_places(file: FileCoverage) -> Iterator[tuple[int, Finding]]:
    for rule in file.rules:
        yield rule.span.line, rule.decided
        for condition in rule.conditions:
            for each in condition.findings:
                yield condition.span.line, each


def make_plain(name: str) -> str:
    """Replace what neither format can hold in the name of a file."""
    return "".join(each if each.isprintable() else "?" for each in name)
