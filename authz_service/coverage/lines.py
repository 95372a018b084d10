"""Coverage by the lines of the policies, as editors and build servers know it.

A line is hit when something in it was seen. What else can be seen in it are its branches: of a
rule, that it decided; of a condition, that it held and that it failed. What no store can show is
left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authz_service.coverage.assessment import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.coverage.assessment import FileCoverage, Finding


@dataclass(frozen=True)
class Line:
    """A line of a policy.

    Arguments:
        number: from 1.
        branches: by how many questions each thing in it was seen that can be.
    """

    number: int
    branches: tuple[int, ...]

    @property
    def hits(self) -> int:
        """By how many questions something in it was seen."""
        return max(self.branches)

    @property
    def taken(self) -> int:
        """How much in it was seen at all."""
        return sum(map(bool, self.branches))


def find_lines(file: FileCoverage) -> list[Line]:
    """Find the lines in which something can be seen."""
    found: dict[int, list[int]] = {}
    for number, finding in _find_places(file):
        if finding.state is not State.NEVER:
            found.setdefault(number, []).append(finding.count)
    return [Line(number, tuple(branches)) for number, branches in sorted(found.items())]


def _find_places(file: FileCoverage) -> Iterator[tuple[int, Finding]]:
    for rule in file.rules:
        yield rule.span.line, rule.decided
        for condition in rule.conditions:
            for each in condition.findings:
                yield condition.span.line, each
