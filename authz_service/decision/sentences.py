"""An explanation in sentences, one template a kind of fact; a new rule explains itself by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.errors import quote, with_article
from authz_service.policy.missing import ADD, CHANGE, REMOVE
from authz_service.policy.situation import NOT_IN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz_service.decision.explanation import Evidence, Explanation
    from authz_service.policy.missing import Fact, Missing
    from authz_service.policy.situation import Demand
    from authz_service.store.entity import Reference

_ORDERS: Final = {
    "<": "less than",
    "<=": "at most",
    ">": "more than",
    ">=": "at least",
    NOT_IN: "other than",
}


def write_sentence(explanation: Explanation) -> str:
    """Write an explanation as one paragraph."""
    request = explanation.request
    subject, resource = request.subject, request.resource
    if explanation.decision.allowed:
        begin = f"{subject} may {request.action} on {resource}"
        held = [each for each in explanation.permitting if each.holds]
        if not held:
            return f"{begin}."
        first = held[0].rules[0]
        return f"{begin}, by {first.place}" + (f": {first.comment}" if first.comment else ".")
    reasons = "; ".join(each.message for each in explanation.decision.reasons)
    said = f"{subject} may not {request.action} on {resource}: {reasons}"
    said += "" if said.endswith("?") else "."
    if explanation.missing:
        said += f" For another answer, {write_missing(explanation.missing[0], subject)}."
    return said


def write_evidence(evidence: Evidence) -> str:
    """Write an entity with its revision and what a clause looks at."""
    values = ", ".join(f"{name} {value}" for name, value in evidence.values.items())
    said = f"{evidence.reference} (revision {evidence.revision})"
    return f"{said}: {values}" if values else said


def write_missing(missing: Missing, subject: Reference) -> str:
    """Write what would have to be so, for whom it is said, without a full stop.

    Arguments:
        missing: what would have to be so.
        subject: who asks.
    """
    said = " and ".join(_write_fact(each, subject) for each in missing.facts)
    if missing.refused_by:
        codes = " and ".join(quote(each) for each in missing.refused_by)
        said += f"; then {codes} would stand against it"
    return said


def _write_fact(fact: Fact, subject: Reference) -> str:
    referred = dict(fact.refers)
    own = [name for name, each in referred.items() if each == subject]
    asked = dict(fact.demands)
    others = [
        f"{each.type} {each.id}"
        for name, each in referred.items()
        if name not in own[:1] and (fact.deed == ADD or name not in asked)
    ]
    where = f" on {' and '.join(others)}" if others else ""
    if fact.deed == REMOVE:
        return f"{fact.type} {fact.id} would have to be removed"
    if fact.deed == ADD:
        what = [_write_demand(name, each) for name, each in fact.demands if name not in referred]
        new = with_article(fact.type) + (f" with {_join(what)}" if what else "") + where
        return f"{subject.id} would need {new}" if own else f"there would have to be {new}"
    what = [_write_demand(name, each) for name, each in fact.demands]
    if fact.deed == CHANGE:
        if own and own[0] not in asked:
            return f"{subject.id} would need {_join(what)}{where}"
        return f"{fact.type} {fact.id} would need {_join(what)}"
    return f"the request would have to come with {_join(what)}"


def _write_demand(name: str, demand: Demand) -> str:
    if demand.operator == "=" and demand.values == (None,):
        return f"no {name}"
    values = " or ".join(
        "nothing" if each is None else quote(_show(each)) for each in demand.values
    )
    return f"{name} {_ORDERS.get(demand.operator, '')} {values}".replace("  ", " ")


def _show(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _join(parts: Iterable[str]) -> str:
    return " and ".join(parts)
