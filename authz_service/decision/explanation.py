"""Why, and why not: the clauses of a question, what of them holds, and what is missing.

An example: Mary, a user of customer 1, may not view the bills of its subscription 2.

    permit policies/subscriptions.polar:7 > administers policies/roles.polar:8
      yes  there is a membership: membership/1/mary
      no   the role of membership/1/mary is "administrator" or "access_owner", but it is "user"
    missing: change membership/1/mary, role to `administrator` or `access_owner`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz_service.decision.answer import Decision
    from authz_service.policy.missing import Missing
    from authz_service.policy.origin import RuleText
    from authz_service.policy.request import Request
    from authz_service.store.entity import Reference

PERMIT: Final = ""


class Evidence(NamedTuple):
    """A stored entity that a clause looks at.

    Arguments:
        reference: which entity.
        revision: of the write that left it so.
        values: what the clause looks at, by attribute.
    """

    reference: Reference
    revision: int
    values: Mapping[str, Any]


class Checked(NamedTuple):
    """One condition of a clause.

    Arguments:
        text: in words.
        holds: whether it does.
    """

    text: str
    holds: bool


class Ground(NamedTuple):
    """One clause that could have answered, or forbidden.

    Arguments:
        code: the reason for which it forbids; empty for one that permits.
        holds: whether it does.
        rules: by which it came, from the first to the last.
        conditions: what it asks for.
        evidence: what it found, or what came nearest.
    """

    code: str
    holds: bool
    rules: tuple[RuleText, ...]
    conditions: tuple[Checked, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Explanation:
    """Why a request is allowed, or why not.

    Arguments:
        request: which one.
        decision: as a check gives it.
        revision: of the store.
        forbidding: the clauses of the forbids that apply.
        permitting: the clauses that could permit it, those that do first.
        missing: what would have to be so for another answer, the least first.
    """

    request: Request
    decision: Decision
    revision: int
    forbidding: tuple[Ground, ...] = ()
    permitting: tuple[Ground, ...] = ()
    missing: tuple[Missing, ...] = ()
