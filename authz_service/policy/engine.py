"""What an engine is: whatever can tell the reasons against a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from authz_service.policy.request import Page, Request
    from authz_service.policy.source import PolicySet
    from authz_service.store.database import Store


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

    def reasons(self, store: Store, request: Request, now: datetime) -> tuple[str, ...]:
        """Find everything that stands against a request: sorted codes, none for an allow.

        The codes are those of all forbids that apply, and `not_permitted` when no permit does; or
        `unknown_subject` or `unknown_resource` alone. Every question is answered from one state of
        the store.

        Raises:
            EvaluationTimeoutError: when it takes longer than the engine's time limit.
            Exception: whatever else kept the question from being decided.
        """

    def reasons_many(
        self, store: Store, requests: Sequence[Request], now: datetime
    ) -> list[tuple[str, ...]]:
        """Find the same for several requests, in their order; raises as above, for any of them."""

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
