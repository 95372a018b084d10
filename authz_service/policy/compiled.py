"""The engine that serves: policies compiled to statements, which the store's database answers.

Everything that may be asked is resolved when the policies are loaded, so that what cannot be
resolved is told then. A question is one statement, and so is answered from one state of the store;
a denial runs a second one, for its reasons, which decides once more, so that its reasons are those
of one state as well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from authz_service.errors import PolicyError
from authz_service.policy.reasons import NOT_PERMITTED, UNKNOWN_RESOURCE, UNKNOWN_SUBJECT
from authz_service.policy.resolver import Resolver
from authz_service.policy.source import read_statements
from authz_service.policy.sql import (
    NOW_SLOT,
    RESOURCE_SLOT,
    SUBJECT_SLOT,
    StatementBuilder,
    find_references,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from authz_service.errors import Fault
    from authz_service.policy.clauses import Clause
    from authz_service.policy.request import Request
    from authz_service.policy.source import PolicySet
    from authz_service.policy.sql import Statement
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Question:
    """When the answer to a question is yes, and what the reasons for a no are.

    Arguments:
        allow: holds when the subject may.
        permit: holds when it is permitted, whatever forbids it.
        forbid: holds when it is forbidden, by reason, in the order of the reasons.
    """

    allow: tuple[Clause, ...]
    permit: tuple[Clause, ...]
    forbid: Mapping[str, tuple[Clause, ...]]


class CompiledEngine:
    """An engine: the reasons against a request, as the store's database finds them.

    Safe to share between threads.

    Arguments:
        policies: what to compile.
        domain: what may be asked, and the models of the entities.
        time_limit: milliseconds that one question may take.

    Raises:
        PolicyError: with every place that cannot be compiled.
    """

    name: Final = "compiled"

    def __init__(self, policies: PolicySet, domain: Domain, time_limit: int) -> None:
        self.policy_digest = policies.digest
        self._time_limit = time_limit
        statements, faults = read_statements(policies)
        if faults:
            raise PolicyError(faults)
        resolver = Resolver(statements, domain.schema, find_references(domain.models))
        if not resolver.has_rule("allow", 3):
            message = "there is no rule `allow` of three parameters, so nothing would be allowed"
            raise PolicyError.at(policies.folder, "no_allow", message)
        self._questions = _resolve(resolver, domain)
        self._messages = resolver.messages()
        self._builder = StatementBuilder(domain.models)
        self._lists = {
            name
            for each in (domain.schema.context, domain.schema.parameters)
            for name, attribute in each.items()
            if attribute.many
        }
        self._checks: dict[Key, _Prepared] = {}
        self._reasons: dict[Key, _Prepared] = {}

    def find_messages(self) -> Mapping[str, str]:
        """Find what the policies' own `reason(code, message)` facts say for people."""
        return self._messages

    def find_question(self, subject: str, action: str, resource: str) -> Question | None:
        """Find what a question was compiled to; None for one that the domain does not have."""
        return self._questions.get((subject, action, resource))

    def find_texts(self, subject: str, action: str, resource: str) -> Mapping[str, str]:
        """Find the statement that decides a question of the domain, by dialect."""
        key = subject, action, resource
        return (self._checks.get(key) or self._prepare_check(key)).texts

    def reasons(self, store: Store, request: Request, now: datetime) -> tuple[str, ...]:
        """Find everything that stands against a request: sorted codes, none for an allow.

        Raises:
            EvaluationTimeoutError: when it takes longer than the time limit.
            StoreError: when the database cannot answer.
        """
        key = request.subject.type, request.action, request.resource.type
        check = self._checks.get(key) or self._prepare_check(key)
        if store.execute(check.texts, check.bind(request, now), self._time_limit):
            return ()
        reasons = self._reasons.get(key) or self._prepare_reasons(key)
        row = store.execute(reasons.texts, reasons.bind(request, now), self._time_limit)
        return self._read(key, row or (False, False))

    def _read(self, key: Key, row: tuple[Any, ...]) -> tuple[str, ...]:
        has_subject, has_resource, *answers = row
        if not has_subject:
            return (UNKNOWN_SUBJECT,)
        if not has_resource:
            return (UNKNOWN_RESOURCE,)
        allowed, permitted, *forbidden = answers
        if allowed:
            return ()
        applies = zip(self._questions[key].forbid, forbidden, strict=True)
        codes = {code for code, holds in applies if holds}
        if not permitted:
            codes.add(NOT_PERMITTED)
        return tuple(sorted(codes)) or (NOT_PERMITTED,)

    def _prepare_check(self, key: Key) -> _Prepared:
        subject, _, resource = key
        statement = self._builder.check(subject, resource, self._questions[key].allow)
        return self._checks.setdefault(key, self._prepare(statement))

    def _prepare_reasons(self, key: Key) -> _Prepared:
        subject, _, resource = key
        asked = self._questions[key]
        questions = [asked.allow, asked.permit, *asked.forbid.values()]
        statement = self._builder.reasons(subject, resource, questions)
        return self._reasons.setdefault(key, self._prepare(statement))

    def _prepare(self, statement: Statement) -> _Prepared:
        lists = tuple(sorted(self._lists.intersection(statement.slots)))
        return _Prepared(
            statement.texts, itemgetter(*statement.slots), lists, NOW_SLOT in statement.slots
        )


@dataclass(frozen=True)
class _Prepared:
    """A statement, and how the values of a request are put in the order in which it binds them.

    Arguments:
        texts: by dialect.
        pick: puts values in order; there are always several, for subject and resource are bound.
        lists: the names of those that are lists, which are bound as JSON.
        has_now: whether the time is among them.
    """

    texts: Mapping[str, str]
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    lists: tuple[str, ...]
    has_now: bool

    def bind(self, request: Request, now: datetime) -> tuple[Any, ...]:
        """Put the values in order."""
        values = {name: _store(value) for name, value in request.given.items()}
        values[SUBJECT_SLOT] = _store(request.subject.id)
        values[RESOURCE_SLOT] = _store(request.resource.id)
        for name in self.lists:
            values[name] = json.dumps([_store(each) for each in values[name]])
        if self.has_now:
            values[NOW_SLOT] = now.astimezone(UTC).isoformat(timespec="microseconds")
        return self.pick(values)


def _store(value: Any) -> Any:
    """Put what no database can hold, and so is like nothing in it, into words that it takes."""
    if not isinstance(value, str) or (value.isascii() and "\0" not in value):
        return value
    data = value.encode("utf-8", "surrogatepass")
    is_text = b"\0" not in data and value == data.decode("utf-8", "replace")
    return value if is_text else "\uffff" + data.hex()


def _resolve(resolver: Resolver, domain: Domain) -> dict[Key, Question]:
    faults: set[Fault] = set()
    questions: dict[Key, Question] = {}
    for key in _keys(domain):
        try:
            questions[key] = Question(
                resolver.allow(*key), resolver.permit(*key), resolver.forbid(*key)
            )
        except PolicyError as error:
            faults.update(error.faults)
    if faults:
        raise PolicyError(faults)
    return questions


def _keys(domain: Domain) -> Iterator[Key]:
    for resource, actions in domain.actions.items():
        for action in actions:
            for subject in sorted(domain.subjects):
                yield subject, action, resource
