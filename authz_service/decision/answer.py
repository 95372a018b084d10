"""What comes back for a request: the decision, with its reasons and the policy that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Reason:
    """Why something is denied.

    Arguments:
        code: a stable word for programs.
        message: a sentence for people.
    """

    code: str
    message: str


@dataclass(frozen=True)
class Found:
    """One page of what a search found.

    Arguments:
        results: ids of subjects or resources, or names of actions; each would be allowed.
        next_token: with which the search goes on; empty when there is no more.
        policy_digest: which policy set decided.
    """

    results: tuple[str, ...]
    next_token: str
    policy_digest: str


@dataclass(frozen=True)
class Decision:
    """The answer to one request.

    Arguments:
        reasons: everything that stands against it, sorted by code; nothing does for an allow.
        policy_digest: which policy set decided.
    """

    reasons: tuple[Reason, ...]
    policy_digest: str

    @property
    def allowed(self) -> bool:
        """Whether the subject may."""
        return not self.reasons


def write_decision(decision: Decision, *, with_reasons: bool) -> dict[str, Any]:
    """Write a decision as JSON has it; an allow needs no reasons."""
    if decision.allowed or not with_reasons:
        return {"decision": decision.allowed}
    reasons = [{"code": each.code, "message": each.message} for each in decision.reasons]
    return {"decision": False, "context": {"reasons": reasons}}
