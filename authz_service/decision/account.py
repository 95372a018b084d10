"""An explanation as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authz_service.decision.answer import write_decision
from authz_service.decision.sentences import write_missing, write_sentence
from authz_service.policy.missing import SAY

if TYPE_CHECKING:
    from authz_service.decision.explanation import Explanation, Ground
    from authz_service.policy.missing import Fact
    from authz_service.policy.situation import Demand

_OPERATORS: Final = {
    "=": "one_of",
    "not in": "none_of",
    "<": "less_than",
    "<=": "at_most",
    ">": "more_than",
    ">=": "at_least",
}


def write_explanation(explanation: Explanation) -> dict[str, Any]:
    """Write an explanation: the decision as a check gives it, and what is said of it."""
    written = write_decision(explanation.decision, with_reasons=True)
    written["explanation"] = {
        "sentence": write_sentence(explanation),
        "revision": explanation.revision,
        "policy_digest": explanation.decision.policy_digest,
        "forbidding": [_write_ground(each) for each in explanation.forbidding],
        "permitting": [_write_ground(each) for each in explanation.permitting],
        "missing": [
            {
                "facts": [_write_fact(fact) for fact in each.facts],
                "refused_by": list(each.refused_by),
                "sentence": write_missing(each, explanation.request.subject),
            }
            for each in explanation.missing
        ],
    }
    return written


def _write_ground(ground: Ground) -> dict[str, Any]:
    written: dict[str, Any] = {"reason": ground.code} if ground.code else {}
    return written | {
        "holds": ground.holds,
        "rules": [
            {"name": each.name, "place": each.place, "text": each.text, "comment": each.comment}
            for each in ground.rules
        ],
        "conditions": [{"text": each.text, "holds": each.holds} for each in ground.conditions],
        "evidence": [
            {
                "entity": str(each.reference),
                "revision": each.revision,
                "attributes": dict(each.values),
            }
            for each in ground.evidence
        ],
    }


def _write_fact(fact: Fact) -> dict[str, Any]:
    values = {name: _write_demand(demand) for name, demand in fact.demands}
    if fact.deed == SAY:
        return {"deed": fact.deed, "said": values}
    written: dict[str, Any] = {"deed": fact.deed, "type": fact.type}
    if fact.id:
        written["id"] = fact.id
    if values:
        written["attributes"] = values
    return written


def _write_demand(demand: Demand) -> dict[str, Any]:
    several = demand.operator in {"=", "not in"}
    return {_OPERATORS[demand.operator]: list(demand.values) if several else demand.values[0]}
