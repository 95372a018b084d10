"""An engine that can be exchanged for another one while stores are open that ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.errors import EvaluationTimeoutError
from authz_service.policy.engine import Reasoning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.engine import Finding
    from authz_service.policy.request import Page, Request
    from authz_service.policy.source import PolicySet
    from authz_service.store.database import Store


class Exchange(Reasoning):
    """An engine that asks another one, which can be exchanged.

    Arguments:
        engine: the first one.

    Attributes:
        engine: the one that is asked now.
        timed_out: whether a question took too long; whoever reads it may take it back.
    """

    name: Final = "exchange"

    def __init__(self, engine: CompiledEngine) -> None:
        self.engine = engine
        self.timed_out = False

    @property
    def policies(self) -> PolicySet:
        """What is evaluated now."""
        return self.engine.policies

    @property
    def policy_digest(self) -> str:
        """Which policy set that is."""
        return self.engine.policy_digest

    def find_messages(self) -> Mapping[str, str]:
        """Find what the policies' own `reason(code, message)` facts say for people."""
        return self.engine.find_messages()

    def decide(self, store: Store, request: Request, now: datetime) -> Finding:
        """Decide one request, as of an engine."""
        try:
            return self.engine.decide(store, request, now)
        except EvaluationTimeoutError:
            self.timed_out = True
            raise

    def decide_many(
        self, store: Store, requests: Sequence[Request], now: datetime
    ) -> list[Finding]:
        """Decide several requests, as of an engine."""
        try:
            return self.engine.decide_many(store, requests, now)
        except EvaluationTimeoutError:
            self.timed_out = True
            raise

    def search(
        self, store: Store, request: Request, searched: str, page: Page, now: datetime
    ) -> list[str]:
        """Find the ids with which a request would be allowed, as of an engine."""
        return self.engine.search(store, request, searched, page, now)
