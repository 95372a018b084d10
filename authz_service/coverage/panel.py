"""Asks the database which of many clauses hold for a question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.policy.plan import Plan, Question

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from authz_service.policy.clauses import Clause
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.plan import Key
    from authz_service.policy.request import Request
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain

# More in one statement are an expression deeper than SQLite takes.
_MOST_CLAUSES: Final = 200


class Panel:
    """Finds which clauses hold for questions of one kind, each by itself.

    Arguments:
        clauses: which.
        key: the kind of questions.
        engine: whose clauses they are.
        domain: what they are about.
    """

    def __init__(
        self, clauses: Sequence[Clause], key: Key, engine: CompiledEngine, domain: Domain
    ) -> None:
        self._time_limit = engine.time_limit
        self._parts: list[tuple[Sequence[Clause], Plan]] = []
        for start in range(0, len(clauses), _MOST_CLAUSES):
            part = clauses[start : start + _MOST_CLAUSES]
            # as if each were a reason of its own
            question = Question(
                None, (), {str(number): (each,) for number, each in enumerate(part)}
            )
            plan = Plan(engine.builder, key, question, domain.schema.lists)
            self._parts.append((part, plan))

    def find(self, store: Store, request: Request, now: datetime) -> frozenset[Clause]:
        """Find those that hold; none where there is no such subject or resource.

        Raises:
            EvaluationTimeoutError: when it takes longer than the time limit.
            StoreError: when the database cannot answer.
        """
        found: list[Clause] = []
        for part, plan in self._parts:
            bound = plan.decide.pick(plan.values(request, now))
            for answer, _ in store.execute(plan.decide.texts, bound, self._time_limit):
                found += (
                    each for each, digit in zip(part, answer[1:], strict=True) if digit == "1"
                )
        return frozenset(found)
