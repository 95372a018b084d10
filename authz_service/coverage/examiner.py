"""Notes what the questions of a suite show of the policies."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from authz_service.coverage.exam import Exam
from authz_service.coverage.grid import find_frames
from authz_service.coverage.panel import Panel
from authz_service.policy.reasons import MISHAPS
from authz_service.policy.said import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from authz_service.coverage.grid import Cell, Frame
    from authz_service.coverage.lessening import Target
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.engine import Finding
    from authz_service.policy.plan import Key
    from authz_service.policy.request import Request
    from authz_service.scenario.inquiry import Inquiry
    from authz_service.scenario.step import Step
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain


@dataclass
class Places:
    """Where a cell is tested.

    Arguments:
        allowed: the places of the questions that are allowed, as `smith.yaml:12`.
        denied: those of the questions that are denied.
    """

    allowed: list[str] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)


@dataclass
class Seen:
    """What the questions of a suite have shown.

    Arguments:
        targets: of the rules and conditions, by how many questions.
        cells: of the grid, those that are tested.
    """

    targets: Counter[Target] = field(default_factory=Counter)
    cells: dict[Cell, Places] = field(default_factory=dict)


class Shown(NamedTuple):
    """What one question shows.

    Arguments:
        targets: of rules and conditions.
        cells: of the grid, those that it is in.
    """

    targets: frozenset[Target] = frozenset()
    cells: tuple[Cell, ...] = ()


class _Asked(NamedTuple):
    """A question that was asked, and the cells that it is in."""

    request: Request
    allowed: bool
    cells: tuple[Cell, ...]


class Examiner:
    """Notes what questions show.

    Arguments:
        compiled: the policies, whose clauses are looked at.
        domain: what they are about.

    Attributes:
        compiled: as above.
        frames: the cells of each kind of question.
        exams: what each kind of question can show.
        seen: what was shown so far.
    """

    def __init__(self, compiled: CompiledEngine, domain: Domain) -> None:
        self.compiled = compiled
        self._domain = domain
        self.frames: dict[Key, Frame] = find_frames(compiled, domain.schema)
        self.exams = {key: Exam.of(compiled.get_question(*key)) for key in compiled.keys}
        self.seen = Seen()
        self._panels: dict[Key, Panel] = {}
        self._asked: list[_Asked] = []

    def observe(self, store: Store, request: Request, now: datetime, finding: Finding) -> None:
        """Note what a question shows that was asked.

        Raises:
            EvaluationTimeoutError: when that takes longer than the time limit.
            StoreError: when the database cannot answer.
        """
        shown = self._find_shown(store, request, now, finding.reasons)
        self.seen.targets.update(shown.targets)
        self._asked.append(_Asked(request, not finding.reasons, shown.cells))

    def settle(self, items: Iterable[Inquiry | Step]) -> None:
        """Note where the questions stand that were asked since this was done last.

        Arguments:
            items: the questions and steps, in the order in which they were put.
        """
        waiting: dict[object, list[_Asked]] = {}
        for asked in self._asked:
            request = asked.request
            what = request.subject, request.action, request.resource, request.given.get(CHANNEL)
            waiting.setdefault(what, []).append(asked)
        self._asked.clear()
        for item in items:
            found = waiting.get((item.subject, item.action, item.resource, item.channel))
            if found:
                self._note(found.pop(0), f"{item.place.name}:{item.place.line}")

    def find_shown(self, store: Store, request: Request, now: datetime) -> Shown:
        """Find what a question would show, without noting it; raises as above."""
        reasons = self.compiled.reasons(store, request, now)
        return self._find_shown(store, request, now, reasons)

    def _note(self, asked: _Asked, place: str) -> None:
        for cell in asked.cells:
            tested = self.seen.cells.setdefault(cell, Places())
            places = tested.allowed if asked.allowed else tested.denied
            if place not in places:
                places.append(place)

    def _find_shown(
        self, store: Store, request: Request, now: datetime, reasons: Sequence[str]
    ) -> Shown:
        """Find what a question shows; nothing where it could not be decided."""
        key = request.subject.type, request.action, request.resource.type
        if key not in self.exams or not MISHAPS.isdisjoint(reasons):
            return Shown()
        exam, frame = self.exams[key], self.frames[key]
        holding = self._find_panel(key).find(store, request, now)
        channel = frame.name_channel(request.given.get(CHANNEL))
        relations = frame.find_relations(holding)
        cells = tuple(frame.find_cell(each, channel) for each in relations)
        return Shown(frozenset(exam.find(lambda clause: int(clause in holding))), cells)

    def _find_panel(self, key: Key) -> Panel:
        if key not in self._panels:
            related = (clause for each in self.frames[key].relations for clause in each.clauses)
            clauses = dict.fromkeys([*self.exams[key].clauses, *related])
            self._panels[key] = Panel(tuple(clauses), key, self.compiled, self._domain)
        return self._panels[key]
