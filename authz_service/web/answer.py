"""The body of a question to the body of its answer, for whoever stands at a door of the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from authz_service.decision.answer import write_decision
from authz_service.errors import RequestError
from authz_service.strict_json import parse_json
from authz_service.web import fast, wire
from authz_service.web.wire import Semantic

if TYPE_CHECKING:
    from authz_service.decision.answer import Decision
    from authz_service.decision.decider import Decider
    from authz_service.web.wire import Batch

# Makes the body of a question, and the name of who asks, the body of the answer.
Answering = Callable[[bytes, str], bytes]

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
        self._decider = decider
        self._max_batch = max_batch
        # there are few different decisions, and each is written once
        self._write = lru_cache(_MOST_WRITTEN)(_write)

    def evaluation(self, body: bytes, client: str = "") -> bytes:
        """Answer a single question.

        Arguments:
            body: the question.
            client: which program asks; empty for one without a name.

        Raises:
            RequestError: when it is not of the agreed form.
            UnavailableError: when the decision cannot be noted.
        """
        vocabulary = self._decider.schema
        request = fast.find_evaluation(body, vocabulary)
        if request is None:
            require = self._decider.open_freshness().require
            request = wire.read_evaluation(parse_json(body), vocabulary, require)
        return self._write(self._decider.check(request, client), with_reasons=True) + b"\n"

    def evaluations(self, body: bytes, client: str = "") -> bytes:
        """Answer a batch; one without items is a single question. As above.

        Raises:
            RequestError: when it is not of the agreed form, or has too many items.
        """
        vocabulary = self._decider.schema
        batch = fast.find_batch(body, vocabulary, self._max_batch)
        if batch is None:
            require = self._decider.open_freshness().require
            batch = wire.read_batch(parse_json(body), vocabulary, self._max_batch, require)
        if batch is None:
            return self.evaluation(body, client)
        pieces = self._answer_items(batch, client)
        return b'{"evaluations":[' + b",".join(pieces) + b"]}\n"

    def _answer_items(self, batch: Batch, client: str) -> list[bytes]:
        """Answer the items in order, up to the one that decides the batch."""
        stop_at = _STOP_AT[batch.semantic]
        if stop_at is not None:
            return self._answer_until(batch, client, allowed=stop_at)
        asked = [item for item in batch.items if not isinstance(item, RequestError)]
        answers = self._write_all(self._decider.check_many(asked, client), batch)
        if len(asked) == len(batch.items):
            return answers
        following = iter(answers)
        return [
            _write_error(item) if isinstance(item, RequestError) else next(following)
            for item in batch.items
        ]

    def _answer_until(self, batch: Batch, client: str, *, allowed: bool) -> list[bytes]:
        """Answer the items one by one; what comes after the deciding one is never asked."""
        answers = []
        for item in batch.items:
            if isinstance(item, RequestError):
                found = False
                answers.append(_write_error(item))
            else:
                decision = self._decider.check(item, client)
                found = decision.allowed
                answers.append(self._write(decision, with_reasons=batch.with_reasons))
            if found is allowed:
                break
        return answers

    def _write_all(self, decisions: list[Decision], batch: Batch) -> list[bytes]:
        """Write decisions, of which few are different ones: those are looked up once each."""
        different = {id(each): each for each in decisions}
        written = {
            key: self._write(each, with_reasons=batch.with_reasons)
            for key, each in different.items()
        }
        return [written[id(each)] for each in decisions]


def _write_error(error: RequestError) -> bytes:
    return _dump(wire.write_item_error(error))


def _write(decision: Decision, *, with_reasons: bool) -> bytes:
    return _dump(write_decision(decision, with_reasons=with_reasons))


def _dump(data: dict[str, Any]) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
