"""The body of a question to the body of its answer, for whoever stands at a door of the service."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from authz_service.errors import RequestError
from authz_service.web import fast, wire
from authz_service.web.wire import Semantic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.decision.answer import Decision
    from authz_service.decision.decider import Decider
    from authz_service.web.wire import Batch

_MOST_WRITTEN: Final = 1_024

# The answer after which a batch ends (AuthZEN section 7.1.2).
_STOP_AT: Final = {
    Semantic.EXECUTE_ALL: None,
    Semantic.DENY_ON_FIRST_DENY: False,
    Semantic.PERMIT_ON_FIRST_PERMIT: True,
}


class Responder:
    """Answers bodies with bodies, both JSON.

    Safe to share between threads.

    Arguments:
        decider: what decides.
        max_batch: the most questions in one batch.
    """

    def __init__(self, decider: Decider, max_batch: int) -> None:
        self.policy_digest = decider.policy_digest
        self._decider = decider
        self._max_batch = max_batch
        # there are few different decisions, and each is written once
        self._write = lru_cache(_MOST_WRITTEN)(_write)

    def evaluation(self, body: bytes) -> bytes:
        """Answer a single question.

        Raises:
            RequestError: when it is not of the agreed form.
        """
        vocabulary = self._decider.schema
        request = fast.find_evaluation(body, vocabulary)
        if request is None:
            request = wire.read_evaluation(wire.parse_json(body), vocabulary)
        return self._write(self._decider.check(request), with_reasons=True) + b"\n"

    def evaluations(self, body: bytes) -> bytes:
        """Answer a batch; one without items is a single question.

        Raises:
            RequestError: when it is not of the agreed form, or has too many items.
        """
        vocabulary = self._decider.schema
        batch = fast.find_batch(body, vocabulary, self._max_batch)
        if batch is None:
            batch = wire.read_batch(wire.parse_json(body), vocabulary, self._max_batch)
        if batch is None:
            return self.evaluation(body)
        return b'{"evaluations":[' + b",".join(self._answer_items(batch)) + b"]}\n"

    def _answer_items(self, batch: Batch) -> Iterator[bytes]:
        """Answer the items in order, up to the one that decides the batch."""
        stop_at = _STOP_AT[batch.semantic]
        check = self._decider.check
        asked = [item for item in batch.items if not isinstance(item, RequestError)]
        # a batch that may stop is asked one by one: what comes after the deciding item never is
        decisions = iter(self._decider.check_many(asked)) if stop_at is None else map(check, asked)
        for item in batch.items:
            if isinstance(item, RequestError):
                allowed = False
                yield _dump(wire.write_item_error(item))
            else:
                decision = next(decisions)
                allowed = decision.allowed
                yield self._write(decision, with_reasons=batch.with_reasons)
            if allowed is stop_at:
                return


def _write(decision: Decision, *, with_reasons: bool) -> bytes:
    return _dump(wire.write_decision(decision, with_reasons=with_reasons))


def _dump(data: dict[str, Any]) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
