"""Rules that change no answer, whatever is asked and whatever is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.polar.syntax import Rule
from authz_service.polar.text import make_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.errors import Fault
    from authz_service.policy.compiled import CompiledEngine

_DECIDING: Final = frozenset({"permit", "forbid"})


def find_idle_rules(engine: CompiledEngine) -> Iterator[Fault]:
    """Find each rule that permits or forbids, and that no clause of any question came by."""
    questions = [engine.get_question(*key) for key in engine.keys]
    clauses = [
        clause
        for question in questions
        for group in (question.permit, *question.forbid.values())
        for clause in group
    ]
    applied = {step.span for clause in clauses for step in clause.rules}
    policies = engine.policies
    for source, reading in zip(policies.sources, policies.readings, strict=True):
        for rule in reading.statements:
            if isinstance(rule, Rule) and rule.name in _DECIDING and rule.span not in applied:
                message = "this rule changes no answer: it never holds, or others say the same"
                yield make_fault(source, rule.span, "idle_rule", message)
