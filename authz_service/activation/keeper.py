"""Keeps the gate: has policy sets tried, one at a time, and notes which one serves from now on."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from authz_service.activation.trial import run_trial
from authz_service.activation.verdict import Verdict, describe
from authz_service.errors import Fault, Place, StoreError
from authz_service.store.policies import find_last, keep_text
from authz_service.store.trials import (
    LEASE,
    Trial,
    begin_trial,
    end_trial,
    forget_refusal,
    renew_trial,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from authz_service.activation.candidate import Candidate
    from authz_service.activation.signature import Trust
    from authz_service.errors import AuthzError
    from authz_service.policy.source import PolicySet
    from authz_service.settings import Settings
    from authz_service.store.database import Store
    from authz_service.store.policies import Origin

_LOGGER: Final = logging.getLogger(__name__)


class Trier(Protocol):
    """Tries a policy set, as `run_trial` does in a process of its own."""

    def __call__(
        self,
        policies: PolicySet,
        settings: Settings,
        beat: Callable[[], None],
        *,
        with_checks: bool,
    ) -> Verdict:
        """Try it."""


@dataclass(frozen=True)
class Attempt:
    """A candidate whose trial has begun, so that no other can."""

    candidate: Candidate
    trial: Trial


class Keeper:
    """Keeps the gate of one store.

    Safe to share between threads, and between processes: the store holds whose turn it is.

    Arguments:
        settings: which store, and what a policy set has to pass.
        store: where it is noted what serves.
        trust: whose signatures count.
        clock: tells the time, with its zone.
        new_id: makes what nobody else has.
        run: tries a set.
    """

    def __init__(  # noqa: PLR0913  # what is tried, by whom, and where it is noted
        self,
        settings: Settings,
        store: Store,
        trust: Trust,
        clock: Callable[[], datetime],
        *,
        new_id: Callable[[], str],
        run: Trier = run_trial,
    ) -> None:
        self._run = run
        self._settings = settings
        self._store = store
        self._trust = trust
        self._clock = clock
        self._new_id = new_id

    def begin(self, candidate: Candidate, who: str) -> Attempt | None:
        """Begin to try a candidate; None when it is the set that serves.

        Arguments:
            candidate: what is to serve.
            who: wants it to.

        Raises:
            RefusedPoliciesError: when it is not signed as it must be.
            RequestConflictError: while another one is being tried.
            StoreError: when the database cannot write.
        """
        self._trust.require(candidate.digest, candidate.signature, candidate.place)
        last = find_last(self._store)
        if last and last.digest == candidate.digest:
            keep_text(self._store, candidate.pack())
            forget_refusal(self._store)
            return None
        return Attempt(candidate, self._begin(candidate.digest, candidate.origin, who))

    def finish(self, attempt: Attempt, *, with_checks: bool = True) -> Verdict:
        """Try a candidate to the end: it serves from now on, or is refused and all stays as it was.

        Raises:
            StoreError: when the database cannot write; then it does not serve.
        """
        candidate, trial = attempt.candidate, attempt.trial
        verdict = self._run(
            candidate.policies, self._settings, lambda: self._renew(trial), with_checks=with_checks
        )
        kept = None if verdict.faults else candidate.pack()
        if not end_trial(self._store, trial, verdict.write(), self._clock(), kept):
            message = "was not heard of for too long, and another was tried meanwhile; try it again"
            return Verdict.of([Fault(Place(candidate.digest), "trial_lost", message)])
        for each in verdict.faults:
            _LOGGER.error("%s may not serve: %s", candidate.digest, each)
        if kept:
            said = describe(verdict.write())
            _LOGGER.info("%s serves from now on, from a %s: %s", kept.digest, trial.origin, said)
        return verdict

    def refuse(self, origin: Origin, who: str, error: AuthzError, digest: str = "") -> None:
        """Note that a policy set is refused which cannot be tried at all.

        Raises:
            RequestConflictError: while another one is being tried.
            StoreError: when the database cannot write.
        """
        for each in error.faults:
            _LOGGER.error("what is in the %s may not serve: %s", origin, each)
        trial = self._begin(digest, origin, who)
        end_trial(self._store, trial, Verdict.of(error.faults).write(), self._clock(), None)

    def _begin(self, digest: str, origin: Origin, who: str) -> Trial:
        now = self._clock()
        trial = Trial(digest, origin, who, now, self._new_id(), now + LEASE)
        begin_trial(self._store, trial)
        return trial

    def _renew(self, trial: Trial) -> None:
        try:
            renew_trial(self._store, trial, self._clock())
        except StoreError as error:  # it may be there again before the time is over
            _LOGGER.warning("a trial of policies cannot be noted: %s", error)
