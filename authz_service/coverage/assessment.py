"""What a suite has shown of the policies, rule by rule and cell by cell, and what it has not."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from authz_service.coverage.examiner import Places
from authz_service.coverage.lessening import Event, Target
from authz_service.coverage.prospects import find_prospects
from authz_service.polar.blocks import expand_blocks
from authz_service.policy.source import read_statements

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from authz_service.coverage.examiner import Examiner
    from authz_service.coverage.grid import Cell
    from authz_service.coverage.prospects import Goal, Prospects
    from authz_service.polar.syntax import Rule, Span
    from authz_service.polar.text import Source
    from authz_service.store.domain import Domain

# What is said in words; and what every question is, when it says permitted and not forbidden.
_NEVER_USED: Final = {("reason", 2), ("allow", 3)}
_SPACE: Final = re.compile(r"\s+")


class State(Enum):
    """What is known of something that questions can show."""

    SEEN = "seen"
    UNSEEN = "unseen"
    NEVER = "never"


@dataclass(frozen=True)
class Finding:
    """One thing that questions can show of a rule or a condition.

    Arguments:
        target: what.
        state: whether it was seen, or can be in no small store.
        count: how many questions have shown it.
    """

    target: Target
    state: State
    count: int


@dataclass(frozen=True)
class ConditionCoverage:
    """A condition of a rule.

    Arguments:
        span: where it stands.
        text: as it is written, in one line.
        held: whether it was seen to hold.
        failed: whether it was seen to fail while the rest held.
    """

    span: Span
    text: str
    held: Finding
    failed: Finding

    @property
    def findings(self) -> tuple[Finding, Finding]:
        """Both."""
        return self.held, self.failed


@dataclass(frozen=True)
class RuleCoverage:
    """A rule.

    Arguments:
        span: where its head stands.
        name: of the rule, as `permit`.
        text: its head as it is written, in one line.
        decided: whether it was seen to decide.
        conditions: in the order of the text.
    """

    span: Span
    name: str
    text: str
    decided: Finding
    conditions: tuple[ConditionCoverage, ...]

    @property
    def findings(self) -> Iterator[Finding]:
        """All that questions can show of it."""
        yield self.decided
        for each in self.conditions:
            yield from each.findings


@dataclass(frozen=True)
class FileCoverage:
    """A file of the policies.

    Arguments:
        source: its name and text.
        rules: in the order of the text; those that any question comes to.
        unused: the places of the others, as lines.
    """

    source: Source
    rules: tuple[RuleCoverage, ...]
    unused: tuple[int, ...]

    @property
    def findings(self) -> Iterator[Finding]:
        """All that questions can show of it."""
        for each in self.rules:
            yield from each.findings


@dataclass(frozen=True)
class CellCoverage:
    """A cell of the grid.

    Arguments:
        cell: which.
        state: whether it is tested, or can be in no small store.
        tested: by which questions.
    """

    cell: Cell
    state: State
    tested: Places


@dataclass(frozen=True)
class Share:
    """How much of something was seen.

    Arguments:
        seen: how much was.
        possible: how much could be.
        never: how much more there is that nothing can show.
    """

    seen: int
    possible: int
    never: int

    @classmethod
    def of(cls, states: Collection[State]) -> Share:
        """Count states."""
        seen, unseen, never = (sum(each is state for each in states) for state in State)
        return cls(seen, seen + unseen, never)

    @property
    def percent(self) -> float:
        """How much was seen of what could be, in percent; all of nothing is 100."""
        return 100 * self.seen / self.possible if self.possible else 100.0

    def __str__(self) -> str:
        """Write it."""
        return f"{self.seen} of {self.possible} ({write_percent(self.percent)})"


@dataclass(frozen=True)
class Coverage:
    """What a suite has shown.

    Arguments:
        files: of the policies, in the order of their names.
        cells: of the grid.
        prospects: what could still be shown.
    """

    files: tuple[FileCoverage, ...]
    cells: tuple[CellCoverage, ...]
    prospects: Prospects

    @property
    def rules(self) -> Share:
        """How much was seen of rules and conditions."""
        return Share.of([each.state for file in self.files for each in file.findings])

    @property
    def grid(self) -> Share:
        """How many cells are tested."""
        return Share.of([each.state for each in self.cells])

    @property
    def percent(self) -> float:
        """The smaller of both percentages."""
        return min(self.rules.percent, self.grid.percent)


def assess(
    examiner: Examiner, domain: Domain, clock: Callable[[], float], seconds: float
) -> Coverage:
    """Find what a suite has shown, and what it could show besides.

    Arguments:
        examiner: noted what was asked.
        domain: what the policies are about.
        clock: tells the time in seconds.
        seconds: how long it may be looked for what could be shown.
    """
    seen = examiner.seen
    targets = {each for exam in examiner.exams.values() for each in exam.targets}
    frames = sorted(examiner.frames.values(), key=lambda each: (each.key[2], each.key[0]))
    cells = [cell for frame in frames for cell in frame.cells]
    missing: set[Goal] = {each for each in targets if each not in seen.targets}
    missing |= {each for each in cells if each not in seen.cells}
    prospects = find_prospects(examiner, domain, missing, clock, seconds)

    def find_state(goal: Goal) -> State:
        if goal not in missing:
            return State.SEEN
        return State.NEVER if goal in prospects.never else State.UNSEEN

    findings = {each: Finding(each, find_state(each), seen.targets[each]) for each in targets}
    return Coverage(
        tuple(_assess_files(examiner, findings)),
        tuple(
            CellCoverage(each, find_state(each), seen.cells.get(each, Places())) for each in cells
        ),
        prospects,
    )


def _assess_files(examiner: Examiner, findings: Mapping[Target, Finding]) -> Iterator[FileCoverage]:
    statements, _ = read_statements(examiner.compiled.policies)
    rules: dict[str, dict[Span, Rule]] = {}
    for each in expand_blocks(statements):
        rules.setdefault(each.span.file, {})[each.span] = each
    for source in examiner.compiled.policies.sources:
        own = rules.get(source.name, {})
        heads = sorted(own, key=_order)
        starts = [_order(each) for each in heads]
        conditions: dict[Span, list[ConditionCoverage]] = {each: [] for each in heads}
        for span in sorted(_find_conditions(source, findings), key=_order):
            head = heads[bisect_right(starts, _order(span)) - 1]
            conditions[head].append(_assess_condition(source, span, findings))
        decided = {each: findings.get(Target(Event.DECIDED, each)) for each in heads}
        assessed = (
            RuleCoverage(
                head, own[head].name, read_text(source, head), finding, (*conditions[head],)
            )
            for head, finding in decided.items()
            if finding
        )
        unused = tuple(
            head.line
            for head, finding in decided.items()
            if not finding and (own[head].name, len(own[head].parameters)) not in _NEVER_USED
        )
        yield FileCoverage(source, tuple(assessed), unused)


def _find_conditions(source: Source, findings: Iterable[Target]) -> set[Span]:
    return {
        each.span
        for each in findings
        if each.span.file == source.name and each.event is not Event.DECIDED
    }


def _assess_condition(
    source: Source, span: Span, findings: Mapping[Target, Finding]
) -> ConditionCoverage:
    held, failed = (findings[Target(event, span)] for event in (Event.HELD, Event.FAILED))
    return ConditionCoverage(span, read_text(source, span), held, failed)


def write_percent(percent: float) -> str:
    """Write a percentage, rounded down, so that nothing less than all is called 100."""
    return f"{int(percent * 10) / 10:g} %"


def read_text(source: Source, span: Span) -> str:
    """Read what stands somewhere, in one line."""
    first, *others = source.lines[span.line - 1 : span.end_line]
    if others:
        others[-1] = others[-1][: span.end_column - 1]
        text = " ".join([first[span.column - 1 :], *others])
    else:
        text = first[span.column - 1 : span.end_column - 1]
    return _SPACE.sub(" ", text)


def _order(span: Span) -> tuple[int, int]:
    return span.line, span.column
