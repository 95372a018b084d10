"""The one way to a deed: it is decided, done, noted and announced in one transaction.

What is decided is what is done: nobody writes between the two. A deed that is refused leaves the
store as it was, but for what its procedure wants remembered, such as a wrong try.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from authz_service.decision.answer import Decision, Reason, write_decision
from authz_service.decision.entry import Kind
from authz_service.errors import RequestConflictError, RequestError, quote
from authz_service.policy.engine import Finding
from authz_service.policy.reasons import EVALUATION_ERROR, EVALUATION_TIMEOUT
from authz_service.store.database import BrokenPromiseError
from authz_service.store.system import Answered
from authz_service.store.work import RefusedError, Work
from authz_service.store.writer import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz_service.decision.decider import Decider
    from authz_service.decision.log import DecisionLog
    from authz_service.policy.request import Request
    from authz_service.store.committer import Committer
    from authz_service.store.writer import Change, Writer

# How long the answer to a request with a key is kept (issue "Doing it").
_KEPT: Final = timedelta(hours=24)
_LONGEST_KEY: Final = 200
_PASSING: Final = {EVALUATION_ERROR, EVALUATION_TIMEOUT}


# What happens when an action is performed: it is done, or refused.
Procedure = Callable[[Work], None]


@dataclass(frozen=True)
class Deed:
    """What is to be performed.

    Arguments:
        request: who does what on what.
        inputs: what only the doing needs, and no policy sees, such as a one-time token.
        client: which program asks for it; empty for one without a name.
        reason: why, in words; empty where nobody says.
        key: the same key, from the same client, gets the first answer again; empty for none.
    """

    request: Request
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    client: str = ""
    reason: str = ""
    key: str = ""

    @property
    def digest(self) -> str:
        """Sums up what is asked, so that a key cannot be used for something else."""
        subject, action, resource, given, supplied = self.request
        said = {**given, **supplied, **self.inputs}
        parts = [str(subject), action, str(resource), said, self.reason]
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Performed:
    """What came of a deed.

    Arguments:
        decision: whether it was allowed, and so done.
        changes: what it wrote, as JSON has it; nothing for a denial.
        revision: of the store behind it.
        is_repeated: whether it came of an earlier request with the same key.
    """

    decision: Decision
    changes: tuple[Mapping[str, Any], ...]
    revision: int
    is_repeated: bool = field(default=False, compare=False)

    @property
    def finding(self) -> Finding:
        """What was decided, and from which state of the store."""
        codes = tuple(each.code for each in self.decision.reasons)
        return Finding(codes, revision=self.revision - len(self.changes))


class Performer:
    """Performs actions.

    Safe to share between threads.

    Arguments:
        decider: decides, on the store that is written.
        committer: runs the transactions.
        procedures: what happens, by type of resource and action.
        new_id: makes the id of an entity that was never used.
        link: the page on which links in messages are followed; empty where there is none.
        log: takes what is decided; None where nobody does.
    """

    def __init__(  # noqa: PLR0913  # what is done, where, when, and who is told
        self,
        *,
        decider: Decider,
        committer: Committer,
        procedures: Mapping[tuple[str, str], Procedure],
        new_id: Callable[[], str],
        link: str = "",
        log: DecisionLog | None = None,
    ) -> None:
        self._decider = decider
        self._committer = committer
        self._procedures = procedures
        self._new_id = new_id
        self._link = link
        self._log = log

    def perform(self, deed: Deed) -> Performed:
        """Decide a deed, and do it when it is allowed.

        Raises:
            RequestError: when nothing happens by this action, or the key is not usable.
            RequestConflictError: when the key was used for something else.
            StoreError: when the database cannot write; nothing happened then.
            UnavailableError: when the decision cannot be noted. What was done is done.
        """
        self._refuse_unusable(deed)
        request, log = deed.request, self._log
        cause = Cause(deed.client, str(request.subject), request.action, deed.reason)
        started = log.count() if log else 0
        performed = self._committer.run(cause, lambda writer: self._perform_once(deed, writer))
        if log and not performed.is_repeated:
            asked = started, deed.client, request
            log.note(self._decider.about, Kind.PERFORM, *asked, performed.finding)
        return performed

    def _refuse_unusable(self, deed: Deed) -> None:
        request = deed.request
        what = request.resource.type, request.action
        if self._decider.find_stranger(request) is None and what not in self._procedures:
            message = f"{quote(request.action)} changes nothing; ask whether it is allowed instead"
            raise RequestError.at("action.name", "not_performable", message)
        if len(deed.key) > _LONGEST_KEY or not deed.key.isprintable():
            message = f"a key has at most {_LONGEST_KEY} characters, all of them printable"
            raise RequestError.at("Idempotency-Key", "invalid_key", message)

    def _perform_once(self, deed: Deed, writer: Writer) -> Performed:
        """Perform a deed, or find the answer that its key got before."""
        if not deed.key:
            return self._perform(deed, writer)
        found = _find_answer(deed, writer)
        if found is None:
            found = self._perform(deed, writer)
            if not {each.code for each in found.decision.reasons} & _PASSING:
                _keep_answer(deed, found, writer)
        return found

    def _perform(self, deed: Deed, writer: Writer) -> Performed:
        before = writer.revision
        decision = self._decider.check(deed.request)
        if not decision.allowed:
            return Performed(decision, (), before)
        refused = self._do(deed, writer)
        if refused:
            return Performed(Decision(refused, decision.policy_digest), (), before)
        changes = tuple(write_change(each) for each in writer.changes)
        return Performed(decision, changes, writer.revision)

    def _do(self, deed: Deed, writer: Writer) -> tuple[Reason, ...]:
        """Do what is allowed; give back why not, where it cannot be done after all."""
        subject, action, resource, given, _ = deed.request
        said = {**given, **deed.inputs}
        work = Work(subject, action, resource, said, writer, self._new_id, self._link)
        try:
            with writer.store.transaction():
                self._procedures[resource.type, action](work)
        except RefusedError as error:
            writer.forget()
            if error.remember:
                error.remember()
            return (Reason(error.code, error.message),)
        except BrokenPromiseError as error:
            writer.forget()
            return self._decider.deny(each.code for each in error.faults).reasons
        return ()


def write_performed(performed: Performed) -> dict[str, Any]:
    """Write what came of a deed as JSON has it; a denial is that of a question."""
    if not performed.decision.allowed:
        return write_decision(performed.decision, with_reasons=True)
    return {"decision": True, "changes": performed.changes, "revision": performed.revision}


def write_change(change: Change) -> dict[str, Any]:
    """Write a change as whoever performed it is told."""
    return {
        "revision": change.revision,
        "type": change.reference.type,
        "id": change.reference.id,
        "before": change.before,
        "after": change.after,
    }


def _find_answer(deed: Deed, writer: Writer) -> Performed | None:
    """Find what was answered to the key before, if that was within the last day."""
    store = writer.store
    store.run(Answered.delete().where(Answered.at < writer.now - _KEPT))
    is_it = (Answered.client == deed.client) & (Answered.key == deed.key)
    for row in store.run(Answered.select().where(is_it).dicts()):
        if row["digest"] != deed.digest:
            message = "was used for another request; use a new key for each"
            raise RequestConflictError.at("Idempotency-Key", "key_reused", message)
        return _read_answer(row["answer"])
    return None


def _keep_answer(deed: Deed, performed: Performed, writer: Writer) -> None:
    values = {"client": deed.client, "key": deed.key, "digest": deed.digest, "at": writer.now}
    writer.store.run(Answered.insert(answer=_write_answer(performed), **values))


def _write_answer(performed: Performed) -> str:
    reasons = [[each.code, each.message] for each in performed.decision.reasons]
    digest = performed.decision.policy_digest
    return json.dumps([reasons, digest, performed.changes, performed.revision])


def _read_answer(text: str) -> Performed:
    reasons, digest, changes, revision = json.loads(text)
    decision = Decision(tuple(Reason(*each) for each in reasons), digest)
    return Performed(decision, tuple(changes), revision, is_repeated=True)
