"""An engine of which somebody wants to know what it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz_service.policy.engine import Reasoning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from authz_service.policy.engine import Engine, Finding
    from authz_service.policy.request import Page, Request
    from authz_service.store.database import Store

    # Is told of each question, on which store it was asked and when, and what was found.
    Observer = Callable[[Store, Request, datetime, Finding], None]


class Observed(Reasoning):
    """An engine that tells each question that it is asked, once it has decided it.

    So who is told looks at the very store of which it was decided, and within its transaction.

    Arguments:
        engine: decides.
        observe: is told; what it raises, the question was not decided by.
    """

    def __init__(self, engine: Engine, observe: Observer) -> None:
        self.name = engine.name
        self.policies = engine.policies
        self.policy_digest = engine.policy_digest
        self.engine = engine
        self._observe = observe

    def find_messages(self) -> Mapping[str, str]:
        """Find what the policies say for people, as of an engine."""
        return self.engine.find_messages()

    def decide(self, store: Store, request: Request, now: datetime) -> Finding:
        """Decide one request, as of an engine."""
        finding = self.engine.decide(store, request, now)
        self._observe(store, request, now, finding)
        return finding

    def decide_many(
        self, store: Store, requests: Sequence[Request], now: datetime
    ) -> list[Finding]:
        """Decide several requests, as of an engine."""
        findings = self.engine.decide_many(store, requests, now)
        for request, finding in zip(requests, findings, strict=True):
            self._observe(store, request, now, finding)
        return findings

    def search(
        self, store: Store, request: Request, searched: str, page: Page, now: datetime
    ) -> list[str]:
        """Search, as of an engine; that is no question about one subject and one resource."""
        return self.engine.search(store, request, searched, page, now)
