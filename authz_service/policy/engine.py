"""What an engine is: whatever can tell the reasons against a request."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from authz_service.policy.request import Page, Request
    from authz_service.policy.source import PolicySet
    from authz_service.store.database import Store


class Finding(NamedTuple):
    """What an engine finds about one request.

    A named tuple, for there is one for each question.

    Arguments:
        reasons: everything that stands against it: sorted codes, none for an allow.
        rules: which rules decided, as `usage.polar:12`, as far as that is known without asking
            again; each of them did, and others may have as well.
        revision: of the state of the store from which it was found; None where that is not known.
    """

    reasons: tuple[str, ...]
    rules: tuple[str, ...] = ()
    revision: int | None = None


class Engine(Protocol):
    """Whatever can tell the reasons against a question."""

    @property
    def name(self) -> str:
        """How the engine is called in settings and answers."""

    @property
    def policies(self) -> PolicySet:
        """What it evaluates."""

    @property
    def policy_digest(self) -> str:
        """Which policy set it runs."""

    def find_messages(self) -> Mapping[str, str]:
        """Find what the policies' own `reason(code, message)` facts say for people."""

    def decide(self, store: Store, request: Request, now: datetime) -> Finding:
        """Find everything that stands against a request, and from which state of the store.

        The codes are those of all forbids that apply, and `not_permitted` when no permit does; or
        `unknown_subject` or `unknown_resource` alone. Every question is answered from one state of
        the store.

        Raises:
            EvaluationTimeoutError: when it takes longer than the engine's time limit.
            Exception: whatever else kept the question from being decided.
        """

    def decide_many(
        self, store: Store, requests: Sequence[Request], now: datetime
    ) -> list[Finding]:
        """Find the same for several requests, in their order; raises as above, for any of them."""

    def reasons(self, store: Store, request: Request, now: datetime) -> tuple[str, ...]:
        """Find the reasons alone; raises as above."""

    def reasons_many(
        self, store: Store, requests: Sequence[Request], now: datetime
    ) -> list[tuple[str, ...]]:
        """Find the reasons alone of several requests, in their order; raises as above."""

    def search(
        self, store: Store, request: Request, searched: str, page: Page, now: datetime
    ) -> list[str]:
        """Find the ids with which a request would be allowed, in the order of the store.

        Arguments:
            store: the entities.
            request: of which the searched id is not looked at.
            searched: which id is open, that of the `subject` or of the `resource`.
            page: which of the ids.
            now: what time it is.

        Raises:
            EvaluationTimeoutError: when it takes longer than the page allows.
            Exception: whatever else kept it from being found.
        """


class Reasoning(ABC):
    """Gives the reasons alone, of what an engine decides."""

    @abstractmethod
    def decide(self, store: Store, request: Request, now: datetime) -> Finding:
        """Decide one request, as of an engine."""

    @abstractmethod
    def decide_many(
        self, store: Store, requests: Sequence[Request], now: datetime
    ) -> list[Finding]:
        """Decide several requests, as of an engine."""

    def reasons(self, store: Store, request: Request, now: datetime) -> tuple[str, ...]:
        """Find the reasons alone, as of an engine."""
        return self.decide(store, request, now).reasons

    def reasons_many(
        self, store: Store, requests: Sequence[Request], now: datetime
    ) -> list[tuple[str, ...]]:
        """Find the reasons alone of several requests, as of an engine."""
        return [each.reasons for each in self.decide_many(store, requests, now)]
