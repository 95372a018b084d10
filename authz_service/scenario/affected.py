"""What a change of policies can affect: the items whose questions come to other conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authz_service.equivalence.contrast import Contrast
from authz_service.scenario.inquiry import Expectation, Inquiry
from authz_service.scenario.listing import Listing
from authz_service.scenario.step import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz_service.policy.clauses import Step as RuleStep
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.plan import Key, Question
    from authz_service.scenario.case import Scenario
    from authz_service.scenario.item import Item


@dataclass(frozen=True)
class Changed:
    """What is otherwise by a change of policies.

    Arguments:
        answers: the kinds of questions that come to other conditions.
        rules: those for which other rules may be the reason, or the same in other places.
    """

    answers: frozenset[Key] = frozenset()
    rules: frozenset[Key] = frozenset()


def find_changed(old: CompiledEngine, new: CompiledEngine) -> Changed:
    """Find what is otherwise by the second of two policies of one domain."""
    contrasts = [Contrast.of(key, old, new) for key in new.keys]
    answers = frozenset(each.key for each in contrasts if any(each.parts))
    rules = (each.key for each in contrasts if _list_rules(each.old) != _list_rules(each.new))
    return Changed(answers, answers.union(rules))


def find_affected(scenario: Scenario, changed: Changed) -> Sequence[int]:
    """Find the items of a scenario that a change of policies can affect, by their places.

    Of one with steps that is all or nothing, for a step may be seen by all that follows it.
    """
    found = [
        position for position, item in enumerate(scenario.items) if _is_affected(item, changed)
    ]
    return range(len(scenario.items)) if found and scenario.steps else found


def _is_affected(item: Item, changed: Changed) -> bool:
    match item:
        case Listing():
            return any(_fits(item, key) for key in changed.answers)
        case Inquiry(expected=Expectation(because=because)) if because:
            return _find_key(item) in changed.rules
        case Inquiry() | Step():
            return _find_key(item) in changed.answers
    return True


def _list_rules(question: Question) -> list[tuple[RuleStep, ...]]:
    return [each.rules for each in question.parts[0]]


def _find_key(item: Inquiry | Step) -> Key:
    return item.subject.type, item.action, item.resource.type


def _fits(item: Listing, key: Key) -> bool:
    """Tell whether a list is made by questions of a kind; what it leaves open can be anything."""
    subject, action, resource = key
    return (
        (item.subject is None or item.subject.type == subject)
        and (not item.action or item.action == action)
        and (item.resource is None or item.resource.type == resource)
    )
