"""The one way to a decision: a request in, an answer out. It performs nothing.

A decision is *permit and not forbid*. Whatever keeps a question from being decided, an error in a
rule or in the database or the time limit, denies it: an error met while one rule is tried is never
turned into an allow by another.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from authz_service.decision.answer import Decision, Found, Reason
from authz_service.decision.entry import About, Kind
from authz_service.decision.freshness import Freshness
from authz_service.decision.paging import Asked
from authz_service.errors import (
    AuthzError,
    EvaluationTimeoutError,
    SearchTimeoutError,
    quote,
    suggest,
    with_article,
)
from authz_service.policy.clauses import RESOURCE, SUBJECT
from authz_service.policy.engine import Finding
from authz_service.policy.reasons import (
    EVALUATION_ERROR,
    EVALUATION_TIMEOUT,
    MESSAGES,
    UNKNOWN_ACTION,
    UNKNOWN_RESOURCE,
    UNKNOWN_SUBJECT,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from authz_service.decision.log import DecisionLog
    from authz_service.decision.paging import Pager
    from authz_service.polar.schema import Schema
    from authz_service.policy.engine import Engine
    from authz_service.policy.request import Page, Request
    from authz_service.store.database import Store

_ACTION: Final = "action"
_MOST_DECISIONS: Final = 1_024
_SEARCHES: Final = {
    SUBJECT: Kind.SEARCH_SUBJECT,
    RESOURCE: Kind.SEARCH_RESOURCE,
    _ACTION: Kind.SEARCH_ACTION,
}
# What a search finds is not one answer.
_FOUND: Final = Finding(())
_LOGGER: Final = logging.getLogger(__name__)


class Decider:
    """Answers requests, with one engine over one store.

    Arguments:
        engine: what evaluates the policies.
        store: the entities.
        schema: the vocabulary that requests are held against.
        clock: tells the time, with its zone.
        pager: cuts searches into pages.
        log: takes what is decided; None where nobody does.

    Attributes:
        about: which policies, and which engine, decide.
    """

    def __init__(  # noqa: PLR0913  # what decides, of what, when, and who is told
        self,
        *,
        engine: Engine,
        store: Store,
        schema: Schema,
        clock: Callable[[], datetime],
        pager: Pager,
        log: DecisionLog | None = None,
    ) -> None:
        self.engine_name = engine.name
        self.policy_digest = engine.policy_digest
        self._engine = engine
        self._store = store
        self.schema = schema
        self._clock = clock
        self._pager = pager
        self._log = log
        self.about = About(engine.policy_digest, engine.name, tuple(schema.parameters))
        self._messages = {**MESSAGES, **engine.find_messages()}
        self._known = frozenset(
            (subject, action, resource)
            for resource, entity_type in schema.types.items()
            for action in entity_type.actions
            for subject in schema.subjects
        )
        # there are few combinations of reasons, and what is frozen can be given out again
        self._decide = lru_cache(_MOST_DECISIONS)(self._write)

    def open_freshness(self) -> Freshness:
        """Make what holds one request to the revisions that it names, before it is decided."""
        return Freshness(self._store)

    def check_at(self, request: Request, now: datetime) -> tuple[Decision, int | None]:
        """Decide one request as of a time; for those who explain it, and so it is not noted.

        Returns:
            the decision, and the revision of the store where the engine tells it.
        """
        if not self._knows(request):
            return self._refuse_stranger(request), None
        finding = self._evaluate(request, lambda: now)
        return self._decide(finding.reasons), finding.revision

    def check(self, request: Request, client: str = "") -> Decision:
        """Decide one request.

        Arguments:
            request: the question.
            client: which program asks, for the log; empty for one without a name.

        Raises:
            UnavailableError: when it cannot be noted, and so must not be answered.
        """
        log = self._log
        started = log.count() if log else 0
        if self._knows(request):
            finding = self._evaluate(request, self._clock)
            decision = self._decide(finding.reasons)
        else:
            decision = self._refuse_stranger(request)
            finding = _find_stranger(decision)
        if log:
            log.note(self.about, Kind.CHECK, started, client, request, finding)
        return decision

    def check_many(self, requests: Iterable[Request], client: str = "") -> list[Decision]:
        """Decide several requests, in their order, as of one time; as above."""
        log = self._log
        started = log.count() if log else 0
        requests = list(requests)
        findings, decisions = self._decide_many(requests)
        if log:
            log.note_many(self.about, started, client, requests, findings)
        return decisions

    def _decide_many(self, requests: list[Request]) -> tuple[list[Finding], list[Decision]]:
        kinds = {
            (subject.type, action, resource.type) for subject, action, resource, _, _ in requests
        }
        if kinds <= self._known:
            findings = self._evaluate_many(requests)
            return findings, [self._decide(each.reasons) for each in findings]
        known = [each for each in requests if self._knows(each)]
        following = iter(self._evaluate_many(known))
        findings, decisions = [], []
        for each in requests:
            if self._knows(each):
                findings.append(next(following))
                decisions.append(self._decide(findings[-1].reasons))
            else:
                decisions.append(self._refuse_stranger(each))
                findings.append(_find_stranger(decisions[-1]))
        return findings, decisions

    def search_subjects(
        self, request: Request, limit: int | None = None, token: str = "", client: str = ""
    ) -> Found:
        """Find who may do something: the ids of subjects of one type, in a page.

        Arguments:
            request: the question; the id of its subject is not looked at.
            limit: how many ids are wanted at the most; None for as many as a page has.
            token: from the page before; empty for the first page.
            client: which program asks, for the log; empty for one without a name.

        Raises:
            RequestError: when the token cannot be used.
            SearchTimeoutError: when it takes longer than its time limit.
            UnavailableError: when it cannot be noted, and so must not be answered.
            Exception: whatever else kept it from being found.
        """
        asked = Asked(SUBJECT, request, self.policy_digest)
        return self._note_search(asked, client, lambda: self._search(asked, limit, token))

    def search_resources(
        self, request: Request, limit: int | None = None, token: str = "", client: str = ""
    ) -> Found:
        """Find on which resources somebody may do something; as above."""
        asked = Asked(RESOURCE, request, self.policy_digest)
        return self._note_search(asked, client, lambda: self._search(asked, limit, token))

    def search_actions(
        self, request: Request, limit: int | None = None, token: str = "", client: str = ""
    ) -> Found:
        """Find what somebody may do on a resource: names of actions; as above.

        The action of the request is not looked at.
        """
        entity_type = self.schema.types.get(request.resource.type)
        actions = sorted(entity_type.actions) if entity_type else []

        def find(page: Page) -> list[str]:
            left = [each for each in actions if each > page.after]
            asked = [request._replace(action=each) for each in left]
            if not all(map(self._knows, asked)):
                return []
            decided = self._engine.reasons_many(self._store, asked, self._clock())
            allowed = [each for each, reasons in zip(left, decided, strict=True) if not reasons]
            return allowed[: page.limit]

        asked_all = Asked(_ACTION, request, self.policy_digest)
        return self._note_search(
            asked_all, client, lambda: self._turn(asked_all, limit, token, find)
        )

    def _search(self, asked: Asked, limit: int | None, token: str) -> Found:
        def find(page: Page) -> list[str]:
            if not self._knows(asked.request):
                return []
            question = asked.request, asked.searched, page, self._clock()
            return self._engine.search(self._store, *question)

        return self._turn(asked, limit, token, find)

    def _note_search(self, asked: Asked, client: str, search: Callable[[], Found]) -> Found:
        """Note what was searched, and how many were found."""
        log = self._log
        if not log:
            return search()
        started = log.count()
        found = search()
        kind, what = _SEARCHES[asked.searched], (asked.known, _FOUND, len(found.results))
        log.note(self.about, kind, started, client, *what)
        return found

    def _turn(
        self, asked: Asked, limit: int | None, token: str, find: Callable[[Page], list[str]]
    ) -> Found:
        """Find a page, and whether there is another one behind it."""
        page = self._pager.open(asked, limit, token)
        try:
            found = find(replace(page, limit=page.limit + 1))
        except EvaluationTimeoutError:
            message = (
                f"takes longer than {page.time_limit} milliseconds; ask for fewer at a time"
                " (`page.limit`) or of another type; the setting is `search_time_limit`"
            )
            raise SearchTimeoutError.at("the search", "search_timeout", message) from None
        results = tuple(found[: page.limit])
        following = ""
        if len(found) > page.limit:
            following = self._pager.next_token(asked, page, results[-1] if results else page.after)
        return Found(results, following, self.policy_digest)

    def deny(self, codes: Iterable[str]) -> Decision:
        """Put reasons into words, for a denial that somebody else came to."""
        return self._decide(tuple(sorted(set(codes))))

    def find_stranger(self, request: Request) -> Reason | None:
        """Find a word of the request that the domain does not have."""
        return None if self._knows(request) else self._name_stranger(request)

    def _knows(self, request: Request) -> bool:
        """Tell whether the domain has all words of the request."""
        return (request.subject.type, request.action, request.resource.type) in self._known

    def _refuse_stranger(self, request: Request) -> Decision:
        return Decision((self._name_stranger(request),), self.policy_digest)

    def _name_stranger(self, request: Request) -> Reason:
        """Name the first word of the request that the domain does not have."""
        subject, resource = request.subject.type, request.resource.type
        if subject not in self.schema.subjects:
            message = (
                f"{quote(subject)} is no type of subject{suggest(subject, self.schema.subjects)}"
            )
            return Reason(UNKNOWN_SUBJECT, message)
        entity_type = self.schema.types.get(resource)
        if entity_type is None or not entity_type.actions:
            asked = [name for name, each in self.schema.types.items() if each.actions]
            message = f"{quote(resource)} is no type of resource{suggest(resource, asked)}"
            return Reason(UNKNOWN_RESOURCE, message)
        nearest = suggest(request.action, entity_type.actions)
        message = f"{quote(request.action)} is no action on {with_article(resource)}{nearest}"
        return Reason(UNKNOWN_ACTION, message)

    def _evaluate(self, request: Request, clock: Callable[[], datetime]) -> Finding:
        try:
            return self._engine.decide(self._store, request, clock())
        except EvaluationTimeoutError:
            _LOGGER.warning("denied, for the time limit; asked: %s", request)
            return Finding((EVALUATION_TIMEOUT,))
        except AuthzError as error:  # says what and where; a traceback would bury it
            _LOGGER.error("denied, for an error: %s; asked: %s", error, request)  # noqa: TRY400  # as said
            return Finding((EVALUATION_ERROR,))
        except Exception:  # whatever it is, it must not become an allow
            _LOGGER.exception("denied, for an error; asked: %s", request)
            return Finding((EVALUATION_ERROR,))

    def _evaluate_many(self, requests: Sequence[Request]) -> list[Finding]:
        try:
            return self._engine.decide_many(self._store, requests, self._clock())
        except Exception:  # noqa: BLE001  # one by one, each is told and logged for itself
            return [self._evaluate(each, self._clock) for each in requests]

    def _write(self, codes: tuple[str, ...]) -> Decision:
        reasons = (Reason(each, self._messages.get(each, each.replace("_", " "))) for each in codes)
        return Decision(tuple(reasons), self.policy_digest)


def walk(
    look: Callable[[Request, int | None, str, str], Found], request: Request, client: str = ""
) -> Iterator[str]:
    """Go through all that a search finds, one page after the other.

    Arguments:
        look: the search of a decider.
        request: the question.
        client: which program asks, for the log.

    Raises:
        SearchTimeoutError: when a page takes longer than its time limit.
    """
    token = ""
    while True:
        page = look(request, None, token, client)
        yield from page.results
        token = page.next_token
        if not token:
            return


def _find_stranger(decision: Decision) -> Finding:
    """Find what is noted of a request that no engine was asked, for it has a strange word."""
    return Finding(tuple(each.code for each in decision.reasons))
