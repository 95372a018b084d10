"""Questions that were asked, put to two policies: which answers a change turns, by which rule.

Only questions of which the two say something different are put to the store; each once, however
often it was asked. One statement answers for both: it tells which clauses of either hold.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from authz_service.policy.clauses import RESOURCE, SUBJECT
from authz_service.policy.effect import Cause, Direction, Effect, Example
from authz_service.policy.impact import find_relation, is_same
from authz_service.policy.plan import Plan, Question
from authz_service.policy.request import Said
from authz_service.policy.said import CHANNEL, write_said
from authz_service.policy.sql import StatementBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from authz_service.policy.asked import Asked
    from authz_service.policy.clauses import Clause
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.parts import Relation
    from authz_service.policy.plan import Key
    from authz_service.policy.request import Request
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain

# So many different questions are kept before they are put to the store.
_MOST_KEPT: Final = 100_000


class Tally(NamedTuple):
    """How many questions there were.

    Arguments:
        asked: all of them.
        alike: those of which both policies say the same, whatever is stored.
        strange: those that the domain does not have.
    """

    asked: int
    alike: int
    strange: int


class Replay:
    """Puts questions to two policies.

    Arguments:
        old, new: the policies.
        domain: of both.
        store: the entities.
        now: what time it is.
        listed: how many examples are wanted of each effect.
        left: tells how many milliseconds are left.
    """

    def __init__(  # noqa: PLR0913  # each is another thing
        self,
        old: CompiledEngine,
        new: CompiledEngine,
        domain: Domain,
        store: Store,
        *,
        now: datetime,
        listed: int,
        left: Callable[[], int],
    ) -> None:
        self._store = store
        self._schema = domain.schema
        self._now = now
        self._listed = listed
        self._left = left
        self._kinds: dict[Key, _Kind | None] = {}
        builder = StatementBuilder(domain.models)
        lists = domain.schema.lists
        for key in old.keys:
            relations = find_relation(old, key), find_relation(new, key)
            kind = None if is_same(*relations) else _Kind(builder, key, *relations, lists)
            self._kinds[key] = kind
        self._counts: defaultdict[tuple[Cause, Key], int] = defaultdict(int)
        self._examples: defaultdict[tuple[Cause, Key], dict[Example, None]] = defaultdict(dict)

    def ask(self, questions: Iterable[Asked]) -> Tally:
        """Put questions to both policies; call it inside a snapshot.

        Raises:
            EvaluationTimeoutError: when no time is left.
            StoreError: when the database cannot answer.
        """
        asked = alike = strange = kept = 0
        for request, _, _ in questions:
            asked += 1
            key = request.subject.type, request.action, request.resource.type
            kind = self._kinds.get(key)
            if kind is not None:
                kept += kind.keep(request)
                if kept >= _MOST_KEPT:
                    self._put()
                    kept = 0
            elif key in self._kinds:
                alike += 1
            else:
                strange += 1
        self._put()
        return Tally(asked, alike, strange)

    def find_effects(self) -> Iterator[Effect]:
        """Find what came of the questions that were put, most first."""
        for (cause, key), count in sorted(self._counts.items(), key=_rank):
            examples = tuple(self._examples[cause, key])
            yield Effect(cause, key, (), count, is_exact=True, examples=examples)

    def _put(self) -> None:
        """Put to the store what was kept."""
        for key, kind in self._kinds.items():
            if kind is None:
                continue
            for request, times, cause in kind.put(self._store, self._now, self._left):
                self._counts[cause, key] += times
                examples = self._examples[cause, key]
                if len(examples) < self._listed:
                    examples[self._describe(request)] = None

    def _describe(self, request: Request) -> Example:
        context, action = (
            {
                name: _plain(request.given[name])
                for name in names
                if request.given[name] not in (None, [])
            }
            for names in (self._schema.context, self._schema.parameters)
        )
        entities: dict[str, dict[str, Any]] = {SUBJECT: {}, RESOURCE: {}}
        for name, value in request.supplied.items():
            part, _, attribute = name.partition(".")
            entities[part][attribute] = _plain(value)
        via = context.pop(CHANNEL, None)
        said = Said(context, entities[SUBJECT], action, entities[RESOURCE])
        return Example(request.subject.id, request.resource.id, via, tuple(write_said(said)))


class _Kind:
    """Questions of one kind, of which two policies say something different.

    Arguments:
        builder: of the statements.
        key: which kind.
        old, new: what the policies say.
        lists: the names of what is given as a list.
    """

    def __init__(
        self,
        builder: StatementBuilder,
        key: Key,
        old: Relation,
        new: Relation,
        lists: Collection[str],
    ) -> None:
        clauses = list(dict.fromkeys((*old[0], *old[1], *new[0], *new[1])))
        self._codes = {clause: str(number) for number, clause in enumerate(clauses)}
        self._old = old
        self._new = new
        # each clause is a reason of its own, so that the answer tells which hold
        asked = Question(None, (), {code: (clause,) for clause, code in self._codes.items()})
        self._plan = Plan(builder, key, asked, lists)
        self._causes: dict[tuple[str, ...], Cause | None] = {}
        self._requests: dict[tuple[Any, ...], Request] = {}
        self._times: Counter[tuple[Any, ...]] = Counter()

    def keep(self, request: Request) -> bool:
        """Keep a question until it is put; tells whether it is another one than those before."""
        name = _name(request)
        is_new = name not in self._requests
        if is_new:
            self._requests[name] = request
        self._times[name] += 1
        return is_new

    def put(
        self, store: Store, now: datetime, left: Callable[[], int]
    ) -> Iterator[tuple[Request, int, Cause]]:
        """Find whose answers turn, how often each was asked, and for whose sake; forget all."""
        requests, times = list(self._requests.values()), list(self._times.values())
        self._requests.clear()
        self._times.clear()
        for start in range(0, len(requests), self._plan.most):
            asked = requests[start : start + self._plan.most]
            texts, bound = self._plan.bind_many(range(len(asked)), asked, now)
            [(answers, _)] = store.execute(texts, bound, left())
            for each in answers.split(",") if answers else ():
                number, _, answer = each.partition(":")
                cause = self._look_up(self._plan.read(answer))
                if cause is not None:
                    place = int(number)
                    yield asked[place], times[start + place], cause

    def _look_up(self, reasons: tuple[str, ...]) -> Cause | None:
        if reasons not in self._causes:
            self._causes[reasons] = self._find_cause(reasons)
        return self._causes[reasons]

    def _find_cause(self, reasons: tuple[str, ...]) -> Cause | None:
        """Find it from the clauses that hold; the names of others mean nothing here."""
        holds = {clause for clause, code in self._codes.items() if code in reasons}
        old, new = _allows(self._old, holds), _allows(self._new, holds)
        if old == new:
            return None
        less, more = (self._old, self._new) if new else (self._new, self._old)
        direction = Direction.ALLOWED if new else Direction.DENIED
        for clause in less.forbidden:
            if clause in holds:
                return Cause.of(direction, clause, is_forbid=True)
        clause = next(each for each in more.permitted if each in holds)
        return Cause.of(direction, clause, is_forbid=False)


def _allows(relation: Relation, holds: Collection[Clause]) -> bool:
    permitted = any(each in holds for each in relation.permitted)
    return permitted and not any(each in holds for each in relation.forbidden)


def _name(request: Request) -> tuple[Any, ...]:
    """Name all that makes a question another one; those of one kind are compared."""
    given = [tuple(each) if type(each) is list else each for each in request.given.values()]
    supplied = tuple(sorted(request.supplied.items())) if request.supplied else ()
    return request.subject.id, request.resource.id, tuple(given), supplied


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _rank(counted: tuple[tuple[Cause, Key], int]) -> tuple[Any, ...]:
    (cause, key), count = counted
    return cause.direction, -count, key, cause
