"""Notes what an engine is asked, and what that shows of the policies.

It stands in front of the engine, so that it sees each question of a scenario, and each decision in
a step, on the very store and at the very time of which it is decided.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from authz_service.coverage.exam import Exam
from authz_service.coverage.grid import find_frames
from authz_service.coverage.panel import Panel
from authz_service.policy.engine import Reasoning
from authz_service.policy.reasons import MISHAPS
from authz_service.policy.said import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from authz_service.coverage.grid import Cell, Frame
    from authz_service.coverage.lessening import Target
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.engine import Engine, Finding
    from authz_service.policy.plan import Key
    from authz_service.policy.request import Page, Request
    from authz_service.policy.source import PolicySet
    from authz_service.scenario.case import Inquiry
    from authz_service.scenario.step import Step
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain


@dataclass
class Tested:
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
    cells: dict[Cell, Tested] = field(default_factory=dict)


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


@dataclass(frozen=True)
class _Kind:
    """What is known of one kind of question.

    Arguments:
        exam: what it can show.
        frame: its cells.
        panel: asks for both.
    """

    exam: Exam
    frame: Frame
    panel: Panel


class ObservedEngine(Reasoning):
    """An engine of which it is noted what it is asked.

    Arguments:
        engine: decides.
        compiled: the same policies, compiled: whose clauses are looked at.
        domain: what they are about.

    Attributes:
        compiled: as above.
        frames: the cells of each kind of question.
        exams: what each kind of question can show.
        seen: what was shown so far.
    """

    def __init__(self, engine: Engine, compiled: CompiledEngine, domain: Domain) -> None:
        self.engine = engine
        self.name = engine.name
        self.policies: PolicySet = engine.policies
        self.policy_digest = engine.policy_digest
        self.compiled = compiled
        self._domain = domain
        self.frames = find_frames(compiled, domain.schema)
        self.exams = {key: Exam.of(compiled.get_question(*key)) for key in compiled.keys}
        self.seen = Seen()
        self._kinds: dict[Key, _Kind] = {}
        self._asked: list[_Asked] = []

    def find_messages(self) -> Mapping[str, str]:
        """Find what the policies say for people."""
        return self.engine.find_messages()

    def decide(self, store: Store, request: Request, now: datetime) -> Finding:
        """Decide one request, and note what it shows; raises as the engine does."""
        finding = self.engine.decide(store, request, now)
        self._look(store, request, now, finding)
        return finding

    def decide_many(
        self, store: Store, requests: Sequence[Request], now: datetime
    ) -> list[Finding]:
        """Decide several, and note what they show; raises as above."""
        findings = self.engine.decide_many(store, requests, now)
        for request, finding in zip(requests, findings, strict=True):
            self._look(store, request, now, finding)
        return findings

    def search(
        self, store: Store, request: Request, searched: str, page: Page, now: datetime
    ) -> list[str]:
        """Search; that is no question about one subject and resource, so it shows nothing."""
        return self.engine.search(store, request, searched, page, now)

    def settle(self, items: Iterable[Inquiry | Step]) -> None:
        """Note where the questions stand that were asked since this was done last.

        Arguments:
            items: the questions and steps of a scenario, in the order in which they were put.
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

    def _note(self, asked: _Asked, place: str) -> None:
        for cell in asked.cells:
            tested = self.seen.cells.setdefault(cell, Tested())
            places = tested.allowed if asked.allowed else tested.denied
            if place not in places:
                places.append(place)

    def _look(self, store: Store, request: Request, now: datetime, finding: Finding) -> None:
        shown = self._find_shown(store, request, now, finding.reasons)
        self.seen.targets.update(shown.targets)
        self._asked.append(_Asked(request, not finding.reasons, shown.cells))

    def find_shown(self, store: Store, request: Request, now: datetime) -> Shown:
        """Find what a question would show, without noting it; raises as above."""
        reasons = self.compiled.reasons(store, request, now)
        return self._find_shown(store, request, now, reasons)

    def _find_shown(
        self, store: Store, request: Request, now: datetime, reasons: Sequence[str]
    ) -> Shown:
        """Find what a question shows; nothing where it could not be decided."""
        key = request.subject.type, request.action, request.resource.type
        if key not in self.exams or not MISHAPS.isdisjoint(reasons):
            return Shown()
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = self._build_kind(key)
        holding = kind.panel.find(store, request, now)
        channel = kind.frame.name_channel(request.given.get(CHANNEL))
        relations = kind.frame.find_relations(holding)
        cells = tuple(kind.frame.find_cell(each, channel) for each in relations)
        return Shown(frozenset(kind.exam.find(lambda clause: clause in holding)), cells)

    def _build_kind(self, key: Key) -> _Kind:
        exam, frame = self.exams[key], self.frames[key]
        clauses = dict.fromkeys(exam.clauses)
        clauses |= {clause: None for each in frame.relations for clause in each.clauses}
        panel = Panel(tuple(clauses), key, self.compiled, self._domain)
        return _Kind(exam, frame, panel)
