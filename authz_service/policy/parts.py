"""One policy subtracted from another: which pairs of subject and resource only one of them allows.

A policy allows what a clause permits and no clause forbids. So a pair is allowed by the new policy
and not by the old one in either of two cases, and each is cut into parts that share no pair:

- something old forbade it. For each clause that forbids only in the old policy, and each clause
  that permits in the new one: both hold.
- nothing old forbade it, nothing old permitted it. For each clause that permits only in the new
  policy: it holds.

A part is a clause that holds, and clauses of which none does: what the new policy forbids, what the
old one permits, and the parts before it. What both policies say cancels out, and is not looked at.

Whoever is found must be found from rows, for nobody can try all pairs. A clause that *links* the
two, as `membership.person = subject and membership.customer = resource`, leads to its pairs. "Any
person but an administrator, any customer" leads nowhere: those are nearly all pairs. So a part is
rewritten until either its clause links the two, or it can be counted as a product: all people times
all customers, less the pairs that are linked. Two rules are enough:

- of what must not hold, all that holds anyway is left out;
- "not (a and b)" is "not a", or "a and not b": each goes its own way, and "not not c" is `c`, which
  may link the two.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from authz_service.policy.clauses import (
    RESOURCE,
    SUBJECT,
    Absent,
    Clause,
    Column,
    Comparison,
    IsNull,
    LinkSource,
    ListSource,
    OneOf,
    RowSource,
    find_columns,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz_service.policy.clauses import Alias, Condition, Operand, Source

# A part that falls into more is counted as it is.
_MOST_PARTS: Final = 200
_BOTH: Final = frozenset({SUBJECT, RESOURCE})


class Relation(NamedTuple):
    """What a policy says of one question: one of the first must hold, and none of the others."""

    permitted: tuple[Clause, ...]
    forbidden: tuple[Clause, ...]


@dataclass(frozen=True)
class Part:
    """The pairs for which a clause holds, and none of some others does."""

    holds: Clause
    unless: tuple[Clause, ...]

    @property
    def is_linked(self) -> bool:
        """Whether the clause leads from the subject to the resource."""
        return is_linked(self.holds)

    @property
    def is_product(self) -> bool:
        """Whether all that keeps it from being any subject with any resource can be counted."""
        return not any(map(is_mixed, split(self.holds))) and all(
            is_linked(each) for each in self.unless if is_mixed(each)
        )


class Gain(NamedTuple):
    """Pairs that only one of two policies allows.

    Arguments:
        clause: for whose sake: it permits them in the one, or forbids them in the other.
        is_forbid: whether it is the latter.
        parts: the pairs; no two parts share one.
    """

    clause: Clause
    is_forbid: bool
    parts: tuple[Part, ...]


def find_gains(old: Relation, new: Relation) -> Iterator[Gain]:
    """Find what the new policy allows and the old one does not; no two share a pair."""
    before: list[Clause] = []
    for forbidding in _without(old.forbidden, new.forbidden):
        found: list[Clause] = []
        parts: list[Part] = []
        for permitting in new.permitted:
            parts += rewrite(Part(merge(permitting, forbidding), (*new.forbidden, *before, *found)))
            found.append(permitting)
        before.append(forbidding)
        if parts:
            yield Gain(forbidding, is_forbid=True, parts=tuple(parts))
    before = []
    for permitting in _without(new.permitted, old.permitted):
        unless = (*new.forbidden, *old.forbidden, *old.permitted, *before)
        own = tuple(rewrite(Part(permitting, unless)))
        before.append(permitting)
        if own:
            yield Gain(permitting, is_forbid=False, parts=own)


def rewrite(part: Part) -> Iterator[Part]:
    """Cut a part into smaller ones that share no pair, each linked or a product where possible."""
    waiting, count = deque([part]), 0
    while waiting:
        simple = _simplify(waiting.popleft())
        if simple is None:
            continue
        count += 1
        knot = None if simple.is_linked or count > _MOST_PARTS else _find_knot(simple.unless)
        if knot is None:
            yield simple
        else:
            waiting.extend(_untie(simple, knot))


def merge(first: Clause, second: Clause) -> Clause:
    """Require that two clauses hold; the rows of the second get names that nothing else has."""
    names = {
        source.alias.name: f"row_{number}"
        for number, source in enumerate(second.sources, len(first.sources))
    }
    renamed = _rename(second, names)
    conditions = dict.fromkeys((*first.conditions, *renamed.conditions))
    return Clause((*first.sources, *renamed.sources), tuple(conditions), first.rules)


def split(clause: Clause) -> list[Clause]:
    """Cut a clause into pieces that share no row of their own; it holds when all of them do."""
    groups: list[tuple[set[str], list[Condition]]] = [
        ({source.alias.name}, []) for source in clause.sources
    ]
    loose: list[Clause] = []
    for condition in clause.conditions:
        names = {column.alias.name for column in find_columns(condition)}
        touched = [each for each in groups if each[0] & names]
        if not touched:
            loose.append(Clause((), (condition,)))
            continue
        first, *others = touched
        for other in others:
            first[0].update(other[0])
            first[1].extend(other[1])
            groups.remove(other)
        first[1].append(condition)
    pieces = [
        Clause(
            tuple(each for each in clause.sources if each.alias.name in names),
            tuple(each for each in clause.conditions if each in conditions),
        )
        for names, conditions in groups
    ]
    return [*loose, *pieces]


def find_ends(clause: Clause) -> set[str]:
    """Find which of `subject` and `resource` a clause is about."""
    return {
        column.alias.name for condition in clause.conditions for column in find_columns(condition)
    } & _BOTH


def is_mixed(clause: Clause) -> bool:
    """Tell whether a clause is about both, the subject and the resource."""
    return find_ends(clause) == _BOTH


def is_linked(clause: Clause) -> bool:
    """Tell whether a clause leads from the subject to the resource, by what its `=` connects."""
    return RESOURCE in find_reached(clause)


def find_reached(clause: Clause) -> set[str]:
    """Find the rows to which the subject leads, itself included."""
    steps = [
        {each.left.alias.name, each.right.alias.name}
        for each in clause.conditions
        if isinstance(each, Comparison)
        and each.operator == "="
        and isinstance(each.left, Column)
        and isinstance(each.right, Column)
    ]
    reached = {SUBJECT}
    while True:
        further = {name for each in steps if each & reached for name in each}
        if further <= reached:
            return reached
        reached |= further


def _without(clauses: Iterable[Clause], others: Iterable[Clause]) -> list[Clause]:
    known = set(others)
    return [each for each in clauses if each not in known]


def _simplify(part: Part) -> Part | None:
    """Leave out what holds anyway; None when nothing is left of the part."""
    outside = [
        each.clause
        for each in part.holds.conditions
        if isinstance(each, Absent) and not _mentions_own(each, part.holds)
    ]
    conditions = tuple(
        each
        for each in part.holds.conditions
        if not isinstance(each, Absent) or _mentions_own(each, part.holds)
    )
    holds = replace(part.holds, conditions=conditions)
    unless: dict[Clause, None] = {}
    for clause in (*part.unless, *outside):
        left = _leave_out(clause, holds)
        if left.always:
            return None
        unless[left] = None
    return Part(holds, tuple(unless))


def _leave_out(clause: Clause, holds: Clause) -> Clause:
    """Leave out of a clause what holds anyway."""
    is_there = set(clause.sources) <= set(holds.sources)
    if is_there and set(clause.conditions) <= set(holds.conditions):
        return Clause((), ())
    conditions = tuple(
        each
        for each in clause.conditions
        if each not in holds.conditions or _mentions_own(each, clause)
    )
    return replace(clause, conditions=conditions)


def _mentions_own(condition: Condition, clause: Clause) -> bool:
    own = {each.alias.name for each in clause.sources}
    return any(each.alias.name in own for each in find_columns(condition))


def _find_knot(unless: Iterable[Clause]) -> Clause | None:
    """Find what keeps a part from being a product, and can be cut into pieces."""
    for each in unless:
        pieces = split(each)
        is_one = len(pieces) == 1 and _find_negated(pieces[0]) is None
        if is_mixed(each) and not is_linked(each) and not is_one:
            return each
    return None


def _untie(part: Part, knot: Clause) -> Iterator[Part]:
    """Cut a part by which piece of something that must not hold is the first that does not."""
    holds = part.holds
    others = tuple(each for each in part.unless if each != knot)
    for piece in split(knot):
        negated = _find_negated(piece)
        if negated is None:
            yield Part(holds, (*others, piece))
            holds = merge(holds, piece)
        else:
            yield Part(merge(holds, negated), others)
            others = (*others, negated)


def _find_negated(clause: Clause) -> Clause | None:
    """Find what a clause denies, if it does nothing else."""
    match clause:
        case Clause(sources=(), conditions=(Absent(clause=negated),)):
            return negated
        case _:
            return None


def _rename(clause: Clause, names: Mapping[str, str]) -> Clause:
    if not names:
        return clause
    return replace(
        clause,
        sources=tuple(_rename_source(each, names) for each in clause.sources),
        conditions=tuple(_rename_condition(each, names) for each in clause.conditions),
    )


def _rename_alias(alias: Alias, names: Mapping[str, str]) -> Alias:
    return replace(alias, name=names.get(alias.name, alias.name))


def _rename_source(source: Source, names: Mapping[str, str]) -> Source:
    match source:
        case RowSource() | LinkSource() | ListSource():
            return replace(source, alias=_rename_alias(source.alias, names))


def _rename_condition(condition: Condition, names: Mapping[str, str]) -> Condition:
    match condition:
        case Comparison():
            left = _rename_operand(condition.left, names)
            return replace(condition, left=left, right=_rename_operand(condition.right, names))
        case IsNull() | OneOf():
            if isinstance(condition.operand, Column):
                alias = _rename_alias(condition.operand.alias, names)
                return replace(condition, operand=replace(condition.operand, alias=alias))
            return condition
        case Absent():
            return Absent(_rename(condition.clause, names))


def _rename_operand(operand: Operand, names: Mapping[str, str]) -> Operand:
    if not isinstance(operand, Column):
        return operand
    return replace(operand, alias=_rename_alias(operand.alias, names))
