"""Why an answer was given, held against what a scenario says of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authz_service.scenario.facts import sort_facts, write_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.decision.explanation import Explanation
    from authz_service.scenario.inquiry import Expectation
    from authz_service.scenario.policy_words import Rules


@dataclass(frozen=True)
class Why:
    """What an explanation has of what a scenario asks for.

    Arguments:
        passed: whether it is what was expected.
        given: what it has, in lines.
    """

    passed: bool
    given: str


def find_why(expected: Expectation, explanation: Explanation, rules: Rules) -> Why | None:
    """Find whether an answer, which is the expected one, was given for the expected rules or facts.

    Returns:
        None where nothing is expected of that.
    """
    if expected.because:
        chains = [each.rules for each in explanation.permitting if each.holds]
        wanted = [rules.find(each) for each in expected.because]
        passed = any(
            all(any(rule.place in places for rule in chain) for places in wanted)
            for chain in chains
        )
        lines = (" > ".join(f"{each.name} {each.place}" for each in chain) for chain in chains)
        return Why(passed, "\n".join(f"because {each}" for each in lines))
    if expected.missing:
        proposed = [each.facts for each in explanation.missing]
        passed = sort_facts(expected.missing) in map(sort_facts, proposed)
        lines = (line for each in proposed for line in ["missing:", *_indent(write_facts(each))])
        return Why(passed, "\n".join(lines) or "missing: nothing can be proposed")
    return None


def describe_wanted(expected: Expectation) -> Iterator[str]:
    """Say what is expected of why an answer is given, in lines."""
    if expected.because:
        yield f"because {', '.join(expected.because)}"
    if expected.missing:
        yield "missing:"
        yield from _indent(write_facts(expected.missing))


def _indent(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {each}" for each in lines)
