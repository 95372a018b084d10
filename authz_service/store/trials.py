"""Which policy set is being tried, one at a time, and what came of the last; what folders held."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from authz_service.errors import RequestConflictError
from authz_service.store.policies import Origin, has_served, keep_policies
from authz_service.store.system import PolicyFolder, PolicyTrial
from authz_service.store.writer import hold_revision

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from authz_service.store.database import Store
    from authz_service.store.policies import KeptPolicies

# Whoever tries a set and says nothing for so long has ended, and another may try one.
LEASE: Final = timedelta(seconds=10)
# How long it is known what a folder held; machines come and go.
_KNOWN: Final = timedelta(days=400)


class TrialState(StrEnum):
    """What has come of a policy set that is tried."""

    UNDER_WAY = "under way"
    ACTIVATED = "activated"
    REFUSED = "refused"


@dataclass(frozen=True)
class Trial:
    """A policy set that is tried, or was.

    Arguments:
        digest: which one; empty for a folder that could not be read.
        origin: where it came from.
        who: wants it to serve.
        at: since when.
        token: of the process that tries it.
        until: when it must have been heard of again, while it is under way.
        state: what has come of it.
        verdict: what was found, as JSON has it.
    """

    digest: str
    origin: Origin
    who: str
    at: datetime
    token: str = field(repr=False, compare=False)
    until: datetime = field(repr=False, compare=False)
    state: TrialState = TrialState.UNDER_WAY
    verdict: Mapping[str, Any] = field(default_factory=dict)

    def is_under_way(self, now: datetime) -> bool:
        """Tell whether somebody still tries it."""
        return self.state is TrialState.UNDER_WAY and self.until > now


def find_trial(store: Store) -> Trial | None:
    """Find the trial that is under way, or the last; None when there never was one."""
    for each in store.run(PolicyTrial.select().dicts()):
        del each["id"]
        origin, state = Origin(each.pop("source")), TrialState(each.pop("state"))
        verdict = json.loads(each.pop("verdict"))
        return Trial(origin=origin, state=state, verdict=verdict, **each)
    return None


def begin_trial(store: Store, trial: Trial) -> None:
    """Begin to try a policy set; nobody else does until it is done.

    Raises:
        RequestConflictError: while another is being tried.
        StoreError: when the database cannot write.
    """
    with store.transaction():
        hold_revision(store)
        last = find_trial(store)
        if last and last.is_under_way(trial.at):
            message = f"{last.digest} is being tried; wait until that is done"
            raise RequestConflictError.at("the policies", "another_under_way", message)
        store.run(PolicyTrial.delete())
        values = {"token": trial.token, "until": trial.until, "digest": trial.digest}
        values |= {"who": trial.who, "source": trial.origin, "at": trial.at, "state": trial.state}
        verdict = json.dumps(dict(trial.verdict))
        store.run(PolicyTrial.insert(id=1, verdict=verdict, **values))


def renew_trial(store: Store, trial: Trial, now: datetime) -> None:
    """Say that a trial is still under way."""
    until = {PolicyTrial.until: now + LEASE}
    store.run(PolicyTrial.update(until).where(PolicyTrial.token == trial.token))


def end_trial(
    store: Store,
    trial: Trial,
    verdict: Mapping[str, Any],
    now: datetime,
    policies: KeptPolicies | None,
) -> bool:
    """Note what came of a trial, and in the same transaction that the set serves from now on.

    Arguments:
        store: whose policies.
        trial: which one.
        verdict: what was found.
        now: what time it is.
        policies: the set, where it is to serve; None where it is refused.

    Returns:
        whether it was still this process's to end.
    """
    with store.transaction():
        hold_revision(store)
        last = find_trial(store)
        if last is None or last.token != trial.token:
            return False
        state = TrialState.ACTIVATED if policies else TrialState.REFUSED
        about = {PolicyTrial.state: state, PolicyTrial.verdict: json.dumps(dict(verdict))}
        store.run(PolicyTrial.update(about))
        if policies:
            keep_policies(store, policies, trial.who, now, origin=trial.origin, verdict=verdict)
    return True


def forget_refusal(store: Store) -> None:
    """Forget that the last set was refused: what serves is what is wanted again."""
    is_refused = PolicyTrial.state == TrialState.REFUSED
    store.run(PolicyTrial.delete().where(is_refused))


def note_folder(store: Store, place: str, digest: str, now: datetime) -> None:
    """Note what the folder at a place holds, now that a server has dealt with it."""
    with store.transaction():
        is_old = (PolicyFolder.place == place) | (PolicyFolder.at < now - _KNOWN)
        store.run(PolicyFolder.delete().where(is_old))
        store.run(PolicyFolder.insert(place=place, digest=digest, at=now))


def is_news(store: Store, place: str, digest: str) -> bool:
    """Tell whether what a folder holds is still to be dealt with.

    Where a server has looked at it before, it is when something else was there. Of a folder that
    none has looked at yet, it is what never served: a machine that comes late, with what was
    replaced meanwhile, does not bring it back.
    """
    query = PolicyFolder.select(PolicyFolder.digest).where(PolicyFolder.place == place)
    for (before,) in store.run(query.tuples()):
        return bool(before != digest)
    return not has_served(store, digest)
