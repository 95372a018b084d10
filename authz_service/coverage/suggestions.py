"""Scenarios for what is not tested, each with today's answer, for somebody to confirm.

Whether an answer is right, no program knows. So what is suggested has the tag `unconfirmed`, and
says what it is for. Fixtures that are there already come first, for their people are known; only
what no question about them can show gets a store of its own, the smallest there is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authz_service.coverage.assessment import State
from authz_service.coverage.grid import Cell
from authz_service.coverage.text import NEVER_SEEN
from authz_service.equivalence.vocabulary import BEGINNING
from authz_service.equivalence.witness import Trial
from authz_service.policy.request import Said, build_request
from authz_service.policy.said import CHANNEL
from authz_service.scenario.case import Scenario
from authz_service.scenario.kept import build_inquiry
from authz_service.scenario.writing import write_fixture, write_scenario
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from authz_service.coverage.assessment import Coverage
    from authz_service.coverage.examiner import Examiner
    from authz_service.coverage.lessening import Target
    from authz_service.coverage.prospects import Goal
    from authz_service.policy.plan import Key
    from authz_service.policy.request import Request
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain

UNCONFIRMED: Final = "unconfirmed"

_COMMENT: Final = (
    "Suggested by `authz test --suggest`, with the answers of today, which nobody has confirmed.",
    "Look at each: where the answer is wrong, correct the policies; where it is right, keep it,",
    f"and take away the tag `{UNCONFIRMED}`.",
)
# Of a fixture with very many entities, so many pairs are tried for each kind of question.
_MOST_PAIRS: Final = 2_000


@dataclass(frozen=True)
class Suggested:
    """A file that is suggested.

    Arguments:
        folder: `fixtures` or `scenarios`.
        name: without an ending.
        text: what it holds.
    """

    folder: str
    name: str
    text: str


@dataclass(frozen=True)
class _Question:
    """A question that is suggested.

    Arguments:
        request: what is asked.
        reasons: what stands against it today.
        goals: what it shows that nothing showed before.
    """

    request: Request
    reasons: tuple[str, ...]
    goals: tuple[Goal, ...]


class Suggester:
    """Suggests scenarios.

    Arguments:
        examiner: knows what each question shows.
        domain: what the policies are about.
        coverage: what is not tested.

    Attributes:
        left: what nothing that was suggested shows so far, of what can be shown.
    """

    def __init__(self, examiner: Examiner, domain: Domain, coverage: Coverage) -> None:
        self._examiner = examiner
        self._domain = domain
        self._witnesses = coverage.prospects.witnesses
        self._texts = dict(_describe_findings(coverage))
        unseen = (each.cell for each in coverage.cells if each.state is State.UNSEEN)
        self.left: dict[Goal, None] = dict.fromkeys([*unseen, *self._texts])

    def suggest_in(self, fixture: str, store: Store) -> Iterator[Suggested]:
        """Suggest questions about what a fixture holds.

        Arguments:
            fixture: its name.
            store: with what it holds, and nothing else.
        """
        found = [
            question
            for key in self._examiner.frames
            if self._find_goals(key)
            for question in self._ask_about(key, store)
        ]
        if found:
            yield self._write(f"suggested-{fixture}", fixture, found, BEGINNING)

    def suggest_stores(self) -> Iterator[Suggested]:
        """Suggest questions for what is left, each about the smallest store that shows it."""
        trial = Trial(self._domain, ())
        stores: dict[tuple[str, datetime | None], list[_Question]] = {}
        try:
            for goal in [each for each in self.left if each in self._witnesses]:
                witness = self._witnesses[goal]
                ask = partial(self._ask, witness.request)
                found = trial.put(witness, ask) if goal in self.left else None
                if found:
                    text = write_fixture(witness.rows, _COMMENT)
                    stores.setdefault((text, witness.now), []).append(found)
        finally:
            trial.close()
        for number, ((text, now), questions) in enumerate(stores.items(), 1):
            name = f"suggested-store-{number}"
            yield Suggested("fixtures", name, text)
            yield self._write(name, name, questions, now)

    def _ask_about(self, key: Key, store: Store) -> Iterator[_Question]:
        """Ask about everything in a store that shows something new."""
        subject, action, resource = key
        frame = self._examiner.frames[key]
        pairs = product(store.find_ids(subject), list(store.find_ids(resource)))
        for (who, what), channel in product(islice(pairs, _MOST_PAIRS), frame.channel_names):
            if not self._find_goals(key):
                return
            said = frame.say_channel(channel)
            request = build_request(
                self._domain.schema,
                Reference(subject, who),
                action,
                Reference(resource, what),
                Said({} if said is None else {CHANNEL: said}),
            )
            found = self._ask(request, store, BEGINNING)
            if found:
                yield found

    def _ask(self, request: Request, store: Store, now: datetime) -> _Question | None:
        """Ask a question; None when it shows nothing new."""
        shown = self._examiner.find_shown(store, request, now)
        goals = [each for each in self.left if each in shown.targets or each in shown.cells]
        for each in goals:
            del self.left[each]
        reasons = self._examiner.compiled.reasons(store, request, now)
        return _Question(request, reasons, tuple(goals)) if goals else None

    def _find_goals(self, key: Key) -> bool:
        """Tell whether a kind of question could show anything that is left."""
        targets = self._examiner.exams[key].targets
        return any(
            (each.subject, each.action, each.resource) == key
            if isinstance(each, Cell)
            else each in targets
            for each in self.left
        )

    def _write(
        self, name: str, fixture: str, questions: Sequence[_Question], now: datetime | None
    ) -> Suggested:
        schema = self._domain.schema
        inquiries = [build_inquiry(schema, each.request, each.reasons) for each in questions]
        notes = ["; ".join(map(self._describe, each.goals)) for each in questions]
        scenario = Scenario(
            path=Path(f"{name}.yaml"),
            title=f"Nobody has confirmed these answers about {fixture} yet",
            source="",
            fixture=fixture,
            at=now,
            items=tuple(replace(each, tags=(UNCONFIRMED,)) for each in inquiries),
            tags=(UNCONFIRMED,),
        )
        return Suggested("scenarios", name, write_scenario(scenario, _COMMENT, notes))

    def _describe(self, goal: Goal) -> str:
        if not isinstance(goal, Cell):
            return self._texts[goal]
        key = goal.subject, goal.action, goal.resource
        is_related = len(self._examiner.frames[key].relations) > 1
        who = f"{goal.subject} ({goal.relation})" if is_related else goal.subject
        return f"by {who}, via {goal.channel}"


def _describe_findings(coverage: Coverage) -> Iterator[tuple[Target, str]]:
    """Say of each thing that was not seen what it is."""
    for file in coverage.files:
        for rule in file.rules:
            pieces = [(rule.span, rule.text, [rule.decided])]
            pieces += [(each.span, each.text, [*each.findings]) for each in rule.conditions]
            for span, text, findings in pieces:
                for each in findings:
                    if each.state is State.UNSEEN:
                        what = f"{span.file}:{span.line}: {text}"
                        yield each.target, f"{what} {NEVER_SEEN[each.target.event]}"
