"""Follows what the store says serves: what is to answer is built beside, and then takes over.

Whoever activates a policy set writes so into the store. Each process looks there once a second,
builds what answers by that set, and swaps it in. While it cannot, what served before goes on.
"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeGuard

from authz_service import assembly
from authz_service.activation.verdict import Verdict
from authz_service.errors import AuthzError, Fault, Place, StoreError
from authz_service.policy.kept import open_kept
from authz_service.store.policies import find_last, get_policies
from authz_service.store.trials import TrialState, find_trial

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from authz_service.activation.signature import Trust
    from authz_service.assembly import Service
    from authz_service.store.policies import Activation
    from authz_service.store.trials import Trial

_LOGGER: Final = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 1.0
# While a set is compiled, whoever answers waits no longer than this for the interpreter.
_SWITCH_SECONDS: Final = 0.000_5


class Follower:
    """Keeps what answers in one process to what the store says.

    `look` is for one thread; what it finds may be read by others.

    Arguments:
        service: what answers at first.
        trust: whose signatures count.
        swap: has another take over.

    Attributes:
        problems: why the policies that are wanted do not serve; none while they do.
    """

    def __init__(self, service: Service, trust: Trust, swap: Callable[[Service], None]) -> None:
        self.problems: tuple[Fault, ...] = ()
        self._service = service
        self._trust = trust
        self._swap = swap
        # the activation that was looked at last, and why it could not be followed
        self._number = 0
        self._faults: tuple[Fault, ...] = ()

    def run(self, stop: threading.Event) -> None:
        """Look again and again: the work of a thread of its own."""
        while not stop.wait(_LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Look what the store says, and follow it."""
        try:
            last = find_last(self._service.store)
            trial = find_trial(self._service.store)
            if last and last.number != self._number:
                self._faults = self._follow(last)
                self._number = last.number
        except StoreError as error:  # it may be there again the next time
            if error.faults != self.problems:
                _LOGGER.error("it is not known which policies serve: %s", error)  # noqa: TRY400  # one line
            self.problems = error.faults
            return
        refused = Verdict.parse(trial.verdict).faults if _is_refused(trial) else ()
        self.problems = self._faults + refused

    def _follow(self, last: Activation) -> tuple[Fault, ...]:
        """Have the set take over that serves from now on, or find why it cannot."""
        try:
            if last.digest != self._service.decider.policy_digest:
                self._replace(last.digest)
        except StoreError:
            raise
        except AuthzError as error:
            _LOGGER.error("%s is not followed: %s", last.digest, error)  # noqa: TRY400  # one line
            return error.faults
        except Exception:  # whatever it is, what served goes on, and the next set is followed
            _LOGGER.exception("%s is not followed", last.digest)
            message = "cannot be put to use; the log of the service says why"
            return (Fault(Place(last.digest), "unusable_policies", message),)
        return ()

    def _replace(self, digest: str) -> None:
        kept = get_policies(self._service.store, digest)
        self._trust.require(kept.digest, kept.signature, kept.digest)
        old = self._service
        with _quick_switches():
            policies = open_kept(kept, str(old.settings.policies))
            engine = assembly.build_sampled_engine(old.settings, old.domain, policies=policies)
            self._service = assembly.renew(old, engine)
            self._swap(self._service)
        if old.sampled:
            old.sampled.close()
        _LOGGER.info("answering by %s", digest)


def _is_refused(trial: Trial | None) -> TypeGuard[Trial]:
    return trial is not None and trial.state is TrialState.REFUSED


@contextmanager
def _quick_switches() -> Iterator[None]:
    """Let other threads have the interpreter sooner, while this one works for long."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
