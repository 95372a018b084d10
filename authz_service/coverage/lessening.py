"""Clauses with a part less: where that makes a difference, the part alone decided.

Whether a condition of a clause did anything shows where the clause without it comes to something
else. So each condition has a *lessened* clause. Where the two differ, the condition *failed* while
the rest held: if it were dropped, the question would be answered otherwise. Testers know it as
MC/DC.

    permit(person, "pay", bill) if person = bill.payer and not bill.paid = true;

is one clause: `subject = resource.payer`, and it is absent that `resource.paid = true`. A question
by somebody else about an open bill shows that `person = bill.payer` failed. One by the payer about
a paid bill shows that `bill.paid = true` held, for without what is absent the clause would hold.
One by the payer about an open bill shows that `bill.paid = true` failed: were nothing asked there,
it would not be absent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from authz_service.policy.clauses import Absent, Column, Comparison, find_columns
from authz_service.policy.symbols import id_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.polar.syntax import Span
    from authz_service.policy.clauses import Clause, Condition, Source


class Event(Enum):
    """What can be seen of a piece of a policy."""

    DECIDED = "decided"
    HELD = "held"
    FAILED = "failed"


@dataclass(frozen=True)
class Target:
    """What a question can show of a rule, or of a condition in it.

    Arguments:
        event: of a rule, that it decided; of a condition, that it held, or that it alone did not.
        span: where the rule or the condition stands.
    """

    event: Event
    span: Span


@dataclass(frozen=True)
class Lessened:
    """A clause without some of what it asks for.

    Arguments:
        clause: what is left.
        targets: what a question shows for which that makes a difference.
    """

    clause: Clause
    targets: frozenset[Target]


def find_held(clause: Clause) -> frozenset[Target]:
    """Find what a question shows for which a clause holds."""
    terms = (span for each in clause.conditions for span in each.terms)
    return frozenset(
        [
            *(Target(Event.DECIDED, step.span) for step in clause.rules),
            *(Target(Event.HELD, span) for span in terms),
        ]
    )


def find_lessened(clause: Clause) -> Iterator[Lessened]:
    """Find a clause without each of its conditions, those of what must be absent included."""
    spans = dict.fromkeys(span for each in clause.conditions for span in each.terms)
    for span in spans:
        yield Lessened(_leave_out(clause, span), frozenset([Target(Event.FAILED, span)]))
    for number, condition in enumerate(clause.conditions):
        if not isinstance(condition, Absent):
            continue
        held = find_held(condition.clause)
        if held:
            yield Lessened(_put(clause, number), held)
        for inner in find_lessened(condition.clause):
            absent = replace(condition, clause=inner.clause)
            yield Lessened(_put(clause, number, absent), inner.targets)


def _put(clause: Clause, number: int, *conditions: Condition) -> Clause:
    """Put conditions in the place of one."""
    before, after = clause.conditions[:number], clause.conditions[number + 1 :]
    return replace(clause, conditions=(*before, *conditions, *after))


def _leave_out(clause: Clause, span: Span) -> Clause:
    """Leave out what a term asks for, and the rows that nothing else is about then."""
    sources = list(clause.sources)
    left = [each for each in clause.conditions if span not in each.terms]
    for source in clause.sources:
        about = [each for each in left if _is_about(each, source)]
        if span in source.terms and all(_only_leads_to(each, source) for each in about):
            sources.remove(source)
            left = [each for each in left if each not in about]
    return replace(clause, sources=tuple(sources), conditions=tuple(left))


def _is_about(condition: Condition, source: Source) -> bool:
    return any(each.alias.name == source.alias.name for each in find_columns(condition))


def _only_leads_to(condition: Condition, source: Source) -> bool:
    """Tell whether a condition only says which row of a source is meant, which is there then."""
    match condition:
        case Comparison("=", Column() as key, Column()):
            return key == id_of(source.alias)
        case _:
            return False
