"""Which policies serve, which did before, and what is or was tried, as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authz_service.store.policies import find_activations
from authz_service.store.trials import TrialState, find_trial
from authz_service.store.writer import write_time

if TYPE_CHECKING:
    from datetime import datetime

    from authz_service.store.database import Store
    from authz_service.store.policies import Activation
    from authz_service.store.trials import Trial

_MOST_LISTED: Final = 100


def write_status(store: Store, now: datetime) -> dict[str, Any]:
    """Write which set serves, what is or was tried, and which served, the last first."""
    with store.snapshot():
        activations = find_activations(store)
        trial = find_trial(store)
    listed = [write_activation(each) for each in reversed(activations)]
    return {
        "serves": listed[0] if listed else None,
        "trial": write_trial(trial, now) if trial else None,
        "history": listed[:_MOST_LISTED],
    }


def write_activation(activation: Activation) -> dict[str, Any]:
    """Write from when on a set served."""
    return {
        "digest": activation.digest,
        "at": write_time(activation.at),
        "who": activation.who,
        "from": activation.origin,
        "verdict": dict(activation.verdict),
    }


def write_trial(trial: Trial, now: datetime) -> dict[str, Any]:
    """Write what is tried, or was tried last, and what came of it."""
    return {
        "digest": trial.digest,
        "at": write_time(trial.at),
        "who": trial.who,
        "from": trial.origin,
        "state": find_state(trial, now),
        "verdict": dict(trial.verdict),
    }


def find_state(trial: Trial, now: datetime) -> str:
    """Tell what has come of a trial; one whose process ended came to nothing."""
    is_left = trial.state is TrialState.UNDER_WAY and not trial.is_under_way(now)
    return "broken off" if is_left else trial.state
