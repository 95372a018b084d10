"""The engine that serves: policies compiled to statements, which the store's database answers.

Everything that may be asked is resolved when the policies are loaded, so that what cannot be
resolved is told then. A question is one statement, which gives the decision and all reasons, and so
is answered from one state of the store. Many questions of one kind are one statement as well. Where
the store lacks the subject or the resource there is no row, and a second statement says which.

Mostly `allow` says *permit and not forbid*; then those are asked, each for itself, and it is not.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from authz_service.errors import PolicyError, with_article
from authz_service.polar.syntax import Rule
from authz_service.polar.text import make_fault
from authz_service.policy.assertions import find_broken
from authz_service.policy.engine import Finding, Reasoning
from authz_service.policy.plan import Plan, Question
from authz_service.policy.reasons import NOT_PERMITTED, UNKNOWN_RESOURCE, UNKNOWN_SUBJECT
from authz_service.policy.resolver import Resolver
from authz_service.policy.source import read_statements
from authz_service.policy.sql import StatementBuilder
from authz_service.policy.symbols import RefusedError
from authz_service.store.entity import find_references

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from authz_service.policy.plan import Key
    from authz_service.policy.request import Page, Request
    from authz_service.policy.source import PolicySet
    from authz_service.policy.supposition import Reader
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain


class CompiledEngine(Reasoning):
    """An engine: the reasons against a request, as the store's database finds them.

    Safe to share between threads.

    Arguments:
        policies: what to compile.
        domain: what may be asked, and the models of the entities.
        time_limit: milliseconds that one question may take.
        alike: an engine of the same domain, whose statements are taken over for questions that
            come to the same.

    Raises:
        PolicyError: with every place that cannot be compiled.

    Attributes:
        policies: what was compiled.
        builder: builds statements about the domain.
        keys: everything that can be asked.
        warnings: what is odd about what the policies came to.
    """

    name: Final = "compiled"

    def __init__(
        self,
        policies: PolicySet,
        domain: Domain,
        time_limit: int,
        alike: CompiledEngine | None = None,
    ) -> None:
        self.policies = policies
        self.policy_digest = policies.digest
        self.time_limit = time_limit
        statements, faults = read_statements(policies)
        if faults:
            raise PolicyError(faults)
        resolver = Resolver(statements, domain.schema, find_references(domain.models))
        if not resolver.has_rule("allow", 3):
            message = "there is no rule `allow` of three parameters, so nothing would be allowed"
            raise PolicyError.at(policies.folder, "no_allow", message)
        refused = list(find_broken(statements, resolver))
        self._questions = _resolve(resolver, domain, refused)
        self.keys = tuple(self._questions)
        sources = {each.name: each for each in policies.sources}
        if refused:
            raise PolicyError(
                make_fault(sources[each.span.file], each.span, each.code, each.message)
                for each in refused
            )
        span = next(
            each.span for each in statements if isinstance(each, Rule) and each.name == "allow"
        )
        self.warnings = tuple(
            make_fault(sources[span.file], span, "never_permitted", message)
            for message in sorted(_find_silent(self._questions))
        )
        self._messages = resolver.messages()
        self.builder = StatementBuilder(domain.models)
        known = alike._plans if alike else {}  # noqa: SLF001  # it is one like this
        self._plans: dict[Key, Plan] = {
            key: known[key]
            if alike and question == alike.get_question(*key)
            else Plan(self.builder, key, question, domain.schema.lists)
            for key, question in self._questions.items()
        }

    def find_messages(self) -> Mapping[str, str]:
        """Find what the policies' own `reason(code, message)` facts say for people."""
        return self._messages

    def find_question(self, subject: str, action: str, resource: str) -> Question | None:
        """Find what a question was compiled to; None for one that the domain does not have."""
        return self._questions.get((subject, action, resource))

    def get_question(self, subject: str, action: str, resource: str) -> Question:
        """Find what a question of the domain was compiled to.

        Raises:
            KeyError: when it is none of the domain.
        """
        return self._questions[subject, action, resource]

    def find_texts(self, subject: str, action: str, resource: str) -> Mapping[str, str]:
        """Find the statement that decides a question of the domain, by dialect."""
        return self._plans[subject, action, resource].decide.texts

    def bind(self, request: Request, now: datetime) -> Mapping[str, Any]:
        """Find what a question of the domain brings, by the slots of statements."""
        return self._plans[request.subject.type, request.action, request.resource.type].bind(
            request, now
        )

    def decide(self, store: Reader, request: Request, now: datetime) -> Finding:
        """Find everything that stands against a request, and from which state of the store.

        Raises:
            EvaluationTimeoutError: when it takes longer than the time limit.
            StoreError: when the database cannot answer.
        """
        key = request.subject.type, request.action, request.resource.type
        plan = self._plans[key]
        ask, values = plan.decide, plan.values(request, now)
        rows = store.execute(ask.texts, ask.pick(values), self.time_limit)
        return plan.find(*rows[0]) if rows else self._find_unknown(store, plan, values)

    def decide_many(
        self, store: Store, requests: Sequence[Request], now: datetime
    ) -> list[Finding]:
        """Find the same for several requests, those of one kind with one statement.

        Raises:
            EvaluationTimeoutError: when a statement takes longer than the time limit.
            StoreError: when the database cannot answer.
        """
        if store.viewed:
            # a view would be gone through whole to join it with a table of questions
            return [self.decide(store, each, now) for each in requests]
        found: list[Finding | None] = [None] * len(requests)
        kinds: defaultdict[Key, list[int]] = defaultdict(list)
        for number, (subject, action, resource, _, _) in enumerate(requests):
            kinds[subject.type, action, resource.type].append(number)
        for key, asked in kinds.items():
            plan = self._plans[key]
            for start in range(0, len(asked), plan.most):
                numbers = asked[start : start + plan.most]
                texts, bound = plan.bind_many(numbers, [requests[each] for each in numbers], now)
                [(answers, revision)] = store.execute(texts, bound, self.time_limit)
                for each in answers.split(",") if answers else ():
                    number, _, answer = each.partition(":")
                    found[int(number)] = plan.find(answer, revision)
        return [
            self.decide(store, request, now) if finding is None else finding
            for request, finding in zip(requests, found, strict=True)
        ]

    def search(
        self, store: Store, request: Request, searched: str, page: Page, now: datetime
    ) -> list[str]:
        """Find the ids with which a request would be allowed, with one statement.

        Arguments:
            store: the entities.
            request: of which the searched id is not looked at.
            searched: which id is open, that of the `subject` or of the `resource`.
            page: which of the ids, in the order of the database.
            now: what time it is.

        Raises:
            EvaluationTimeoutError: when it takes longer than the page allows.
            StoreError: when the database cannot answer.
        """
        plan = self._plans[request.subject.type, request.action, request.resource.type]
        texts, bound = plan.bind_search(searched, request, page, now)
        return [found for (found,) in store.execute(texts, bound, page.time_limit)]

    def _find_unknown(self, store: Reader, plan: Plan, values: list[Any]) -> Finding:
        ask = plan.is_known
        [known] = store.execute(ask.texts, ask.pick(values), self.time_limit)
        has_subject, has_resource, revision = known
        if not has_subject:
            return Finding((UNKNOWN_SUBJECT,), revision=revision)
        if not has_resource:
            return Finding((UNKNOWN_RESOURCE,), revision=revision)
        # they were written since the question was asked, so it is the answer of neither state
        return Finding((NOT_PERMITTED,))


def _resolve(
    resolver: Resolver, domain: Domain, refused: list[RefusedError]
) -> dict[Key, Question]:
    """Resolve all that may be asked; what cannot be, is added to what is refused."""
    questions: dict[Key, Question] = {}
    for key in find_keys(domain):
        try:
            allow = None if resolver.is_split(key[2]) else resolver.allow(*key)
            questions[key] = Question(allow, resolver.permit(*key), resolver.forbid(*key))
        except RefusedError as error:
            refused.append(error)
    return questions


def _find_silent(questions: Mapping[Key, Question]) -> Iterator[str]:
    """Find the actions that nobody may ever do, though no rule says so."""
    spoken = {key[1:] for key, question in questions.items() if not question.is_silent}
    for action, resource in dict.fromkeys(key[1:] for key in questions):
        if (action, resource) not in spoken:
            on = with_article(resource)
            yield f"no rule permits `{action}` on {on}, and none says that nobody may"


def find_keys(domain: Domain) -> Iterator[Key]:
    """Find the kinds of questions that a domain has."""
    for resource, actions in domain.actions.items():
        for action in actions:
            for subject in sorted(domain.subjects):
                yield subject, action, resource
