"""Finds explanations: why a request is allowed, or why not, and what is missing.

An explanation is of one state of the store and one time, and of the very clauses that decide. For
each clause that could have answered it finds the rows by which it holds, or those that come
nearest; then what would have to be so for another answer (`policy.remedy`), each tried on the store
as it would be then (`policy.missing`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from authz_service.decision.explanation import PERMIT, Checked, Evidence, Explanation, Ground
from authz_service.decision.phrases import Phrases
from authz_service.errors import with_article
from authz_service.polar.schema import BOOLEAN, STRING
from authz_service.policy.clauses import (
    ID,
    RESOURCE,
    SUBJECT,
    THERE,
    Absent,
    Alias,
    Clause,
    Column,
    Comparison,
    Given,
    LinkSource,
    ListSource,
    Literal,
    RowSource,
    find_operands,
)
from authz_service.policy.condition import RESOURCE_SLOT, SUBJECT_SLOT
from authz_service.policy.mention import Mentions
from authz_service.policy.missing import Terms, Trials
from authz_service.policy.origin import Origins
from authz_service.policy.probe import Found, Probe
from authz_service.policy.reasons import MISHAPS, NOT_PERMITTED
from authz_service.policy.remedy import Remedies
from authz_service.policy.situation import Situation, is_entity
from authz_service.policy.supposition import Memory
from authz_service.policy.vocabulary import Vocabulary
from authz_service.policy.words import show_value
from authz_service.store.entity import REVISION, Reference
from authz_service.store.writer import find_revision

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from authz_service.decision.answer import Decision
    from authz_service.decision.decider import Decider
    from authz_service.policy.clauses import Condition, Source
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.missing import Missing
    from authz_service.policy.plan import Key, Question
    from authz_service.policy.request import Request
    from authz_service.policy.supposition import Reader
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain


@dataclass(frozen=True)
class _Prepared:
    """What is the same for all questions of a kind.

    Arguments:
        probes: ask for the rows of each clause, by its identity.
        phrases: the words of each clause that is no part of another, in the same way.
        forbids: what the forbids look at; None where the policy has its own `allow`.
        looked_at: the names of rows of which clauses look at more than the id.
    """

    probes: Mapping[int, Probe]
    phrases: Mapping[int, Phrases]
    forbids: Mentions | None
    looked_at: frozenset[str]


@dataclass(frozen=True)
class _Asked:
    """A question that is being explained.

    Arguments:
        phrases: the words of its clauses.
        start: what is known of it.
        remedies: find what could be otherwise.
    """

    phrases: Mapping[int, Phrases]
    start: Situation
    remedies: Remedies


class Explainer:
    """Explains decisions.

    Arguments:
        engine: whose clauses decide.
        decider: decides, by whatever engine.
        store: the entities.
        domain: what they are.
        clock: tells the time, with its zone.
    """

    def __init__(
        self,
        *,
        engine: CompiledEngine,
        decider: Decider,
        store: Store,
        domain: Domain,
        clock: Callable[[], datetime],
    ) -> None:
        self.engine = engine
        self._decider = decider
        self._store = store
        self._clock = clock
        self._vocabulary = Vocabulary(domain)
        self._terms = Terms(
            engine.builder.models, self._vocabulary, domain.promises, engine.time_limit
        )
        self._origins = Origins(engine.policies.sources)
        self._stored = {name for name, each in domain.schema.types.items() if each.stored}
        self._rows: dict[tuple[str, str], Probe] = {}
        self._prepared: dict[Key, _Prepared] = {}

    def explain(self, request: Request) -> Explanation:
        """Explain one request.

        Raises:
            EvaluationTimeoutError: when a part of it takes longer than the time limit.
            StoreError: when the database cannot answer.
        """
        with self._store.snapshot():
            now = self._clock()
            decision, revision = self._decider.check_at(request, now)
            if revision is None:
                revision = find_revision(self._store)
            key = request.subject.type, request.action, request.resource.type
            question = self.engine.find_question(*key)
            if question is None or any(each.code in MISHAPS for each in decision.reasons):
                return Explanation(request, decision, revision)
            return self._explain(request, decision, revision, question, now)

    def _explain(
        self,
        request: Request,
        decision: Decision,
        revision: int,
        question: Question,
        now: datetime,
    ) -> Explanation:
        reader = Memory(self._store)
        codes = {each.code for each in decision.reasons}

        def ask(supposed: Reader, asked: Request) -> tuple[str, ...]:
            return self.engine.decide(supposed, asked, now).reasons

        prepared = self._prepare(request, question)
        trials = Trials(
            self._terms,
            reader,
            request=request,
            codes=codes,
            forbids=prepared.forbids,
            ask=ask,
        )
        remedies = Remedies(self._terms.vocabulary, prepared.probes, trials.suppose)
        start = self._begin(request, now, reader, prepared)
        explained = _Asked(prepared.phrases, start, remedies)
        # where the decision says so already, it is not asked again whether a permit holds
        may_hold = NOT_PERMITTED not in codes or question.allow is not None
        permitting = [
            self._look(PERMIT, each, explained, may_hold=may_hold) for each in question.parts[0]
        ]
        forbidding = [
            self._look(code, each, explained)
            for code in sorted(codes & question.forbid.keys())
            for each in question.forbid[code]
        ]
        missing: list[Missing] = []
        if not decision.allowed:
            missing = trials.find_missing(_find_ways(question, codes, start, remedies))
        return Explanation(
            request,
            decision,
            revision,
            tuple(each for each in forbidding if each.holds),
            tuple(sorted(permitting, key=lambda ground: not ground.holds)),
            tuple(missing),
        )

    def _begin(
        self, request: Request, now: datetime, reader: Reader, prepared: _Prepared
    ) -> Situation:
        """Find the subject and the resource, as far as clauses look at more than their ids."""
        said = self.engine.bind(request, now)
        situation = Situation(said)
        for name, slot, kind in (
            (SUBJECT, SUBJECT_SLOT, request.subject.type),
            (RESOURCE, RESOURCE_SLOT, request.resource.type),
        ):
            if kind in self._stored and name in prepared.looked_at:
                for [found] in self._find_row(kind, slot).find_holding(reader, said.get):
                    situation = situation.bind([found._replace(alias=name)])
            else:
                situation = situation.bind([Found(name, kind, "", {ID: said[slot], REVISION: 0})])
        return situation

    def _find_row(self, kind: str, slot: str) -> Probe:
        if (kind, slot) not in self._rows:
            alias = Alias("row", kind)
            has_id = Comparison("=", Column(alias, ID, kind), Given(slot, STRING))
            clause = Clause((RowSource(alias),), (has_id,))
            self._rows[kind, slot] = Probe(clause, self.engine.builder, self.engine.time_limit)
        return self._rows[kind, slot]

    def _prepare(self, request: Request, question: Question) -> _Prepared:
        """Prepare what is the same for all questions of a kind."""
        key = request.subject.type, request.action, request.resource.type
        if key not in self._prepared:
            forbidding = list(chain.from_iterable(question.forbid.values()))
            clauses = list(_go_through([*question.parts[0], *forbidding]))
            probes = {
                id(each): Probe(each, self.engine.builder, self.engine.time_limit)
                for each in clauses
                if each.sources
            }
            phrases = {id(each): Phrases(each) for each in [*question.parts[0], *forbidding]}
            looked_at = frozenset(
                name
                for each in phrases.values()
                for name, attributes in each.looked_at.items()
                if attributes
            )
            forbids = Mentions(forbidding) if question.allow is None else None
            self._prepared[key] = _Prepared(probes, phrases, forbids, looked_at)
        return self._prepared[key]

    def _look(self, code: str, clause: Clause, asked: _Asked, *, may_hold: bool = True) -> Ground:
        """Find whether a clause holds, and what it looks at."""
        start, remedies = asked.start, asked.remedies
        rules = tuple(self._origins.get(each) for each in clause.rules)
        if clause.sources:
            witnesses = remedies.find_witnesses(clause, start) if may_hold else []
            holds = bool(witnesses)
            situation = start.bind(witnesses[0]) if holds else remedies.come_near(clause, start)
        else:
            situation = start
            holds = all(remedies.holds(each, start) for each in clause.conditions)
        phrases = asked.phrases[id(clause)]
        conditions = tuple(self._check(clause, phrases, situation, remedies))
        evidence = tuple(self._find_evidence(phrases, situation))
        return Ground(code, holds, rules, conditions, evidence)

    def _check(
        self, clause: Clause, phrases: Phrases, situation: Situation, remedies: Remedies
    ) -> Iterator[Checked]:
        names = {each.alias.name: "that row" for each in clause.sources}
        names |= {alias: _show_key(key) for alias, key in situation.bound.items()}
        for source in clause.sources:
            is_there = source.alias.name in situation.bound
            yield Checked(_describe_source(source, names if is_there else {}), is_there)
        for position, condition in enumerate(clause.conditions):
            holds = remedies.is_met(condition, clause, situation)
            text = phrases.write(position, names)
            yield Checked(text if holds else text + self._find_instead(condition, situation), holds)

    def _find_instead(self, condition: Condition, situation: Situation) -> str:
        """Say what a value is that should be another."""
        for operand in find_operands(condition):
            if isinstance(operand, Literal):
                continue
            if isinstance(operand, Column) and operand.alias.name not in situation.bound:
                continue
            if isinstance(operand, Column) and operand.name == ID:
                continue
            value = situation.find_value(operand)
            is_truth = operand.type == BOOLEAN and value is not None
            return f", but it is {show_value(bool(value) if is_truth else value)}"
        return ""

    def _find_evidence(self, phrases: Phrases, situation: Situation) -> Iterator[Evidence]:
        for name, attributes in phrases.looked_at.items():
            key = situation.bound.get(name)
            if key is None:
                continue
            row = situation.rows[key]
            if is_entity(key):
                shown = {
                    each: self._vocabulary.present(key[0], each, row[each])
                    for each in attributes
                    if each in row
                }
                yield Evidence(Reference(key[0], key[1]), row[REVISION], shown)
            elif key[0]:  # a link, of which its owner tells; an item of a list has no type
                owner = Reference(key[0], key[2])
                found = self._store.find_whole(owner)
                revision = found.revision if found else 0
                yield Evidence(owner, revision, {key[1]: row[THERE]})


def _find_ways(
    question: Question, codes: Collection[str], start: Situation, remedies: Remedies
) -> Iterator[Situation]:
    """Find situations in which what is denied is permitted, or is not forbidden any more."""
    if NOT_PERMITTED in codes or question.allow is not None:
        for each in question.parts[0]:
            yield from remedies.make_true(each, start)
    else:
        clauses = [each for code in sorted(codes) for each in question.forbid[code]]
        yield from _make_all_false(remedies, clauses, start)


def _make_all_false(
    remedies: Remedies, clauses: Sequence[Clause], situation: Situation
) -> Iterator[Situation]:
    """Find situations in which none of some clauses holds."""
    if not clauses:
        yield situation
        return
    first, *rest = clauses
    for way in remedies.make_false(first, situation):
        yield from _make_all_false(remedies, rest, way)


def _go_through(clauses: Iterable[Clause]) -> Iterator[Clause]:
    """Go through clauses, and those under a `not` in them."""
    for clause in clauses:
        yield clause
        yield from _go_through(
            each.clause for each in clause.conditions if isinstance(each, Absent)
        )


def _show_key(key: tuple[str, ...]) -> str:
    return f"{key[0]}/{key[1]}" if is_entity(key) else key[-1]


def _describe_source(source: Source, names: Mapping[str, str]) -> str:
    match source:
        case RowSource():
            what = f"there is {with_article(source.alias.type)}"
        case LinkSource():
            what = f"there is one of the {source.attribute} of {with_article(source.owner)}"
        case ListSource():
            what = f"there is an item of request.{source.given}"
    name = names.get(source.alias.name)
    return f"{what}: {name}" if name else what
