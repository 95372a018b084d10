"""Which rules can answer which calls, and so which rules ask each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz_service.polar.syntax import Call, Constant
from authz_service.polar.types import (
    Scope,
    build_scope,
    find_conditions_in,
    kind_of_constant,
    kind_of_parameter,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authz_service.polar.syntax import Parameter, Rule, Term
    from authz_service.polar.types import Kind, Universe


class CallGraph:
    """The rules of a policy, with who can ask whom.

    Arguments:
        rules: all of them.
        universe: the types that they name.
    """

    def __init__(self, rules: Sequence[Rule], universe: Universe) -> None:
        self._universe = universe
        self._by_name: dict[tuple[str, int], list[Rule]] = {}
        for rule in rules:
            self._by_name.setdefault((rule.name, len(rule.parameters)), []).append(rule)
        self._rules = rules
        self._answers: dict[int, tuple[Rule, ...]] = {}

    def could_answer(self, rule: Rule, call: Call, kinds: Sequence[Kind]) -> bool:
        """Tell whether a rule can match a call whose arguments are of certain kinds."""
        triples = zip(rule.parameters, call.arguments, kinds, strict=True)
        return all(self._fits(parameter, term, kind) for parameter, term, kind in triples)

    def _fits(self, parameter: Parameter, term: Term, kind: Kind) -> bool:
        fixed = find_fixed(parameter)
        if fixed is not None and isinstance(term, Constant):
            same = kind_of_constant(fixed).fits(kind)  # in Python 1 is equal to True
            return same and fixed.value == term.value
        return kind.fits(kind_of_parameter(parameter, self._universe))

    def find_cycles(self) -> list[list[Rule]]:
        """Find rules that ask themselves, directly or by way of others; one path for each."""
        done: set[int] = set()
        return [cycle for rule in self._rules for cycle in self._search(rule, done)]

    def _search(self, start: Rule, done: set[int]) -> Iterator[list[Rule]]:
        """Go down from a rule, by hand: a policy may be longer than Python's stack."""
        if id(start) in done:
            return
        path = [start]
        asked = [iter(self._asked(start))]
        depths = {id(start): 0}
        while path:
            following = next(asked[-1], None)
            if following is None:
                left = path.pop()
                asked.pop()
                del depths[id(left)]
                done.add(id(left))
            elif id(following) in depths:
                yield path[depths[id(following)] :]
            elif id(following) not in done:
                depths[id(following)] = len(path)
                path.append(following)
                asked.append(iter(self._asked(following)))

    def find_asked(self, queries: Iterable[Term]) -> set[int]:
        """Find the rules that other rules or queries ask, as the ids of their objects."""
        found = {id(other) for rule in self._rules for other in self._asked(rule)}
        for query in queries:
            scope = Scope(self._universe).within(query)
            found |= {id(other) for other in self._find_answers(query, scope)}
        return found

    def _asked(self, rule: Rule) -> tuple[Rule, ...]:
        """Find the rules that can answer what a rule asks, once."""
        if id(rule) not in self._answers:
            answers = self._find_answers(rule.body, build_scope(rule, self._universe))
            self._answers[id(rule)] = tuple(answers)
        return self._answers[id(rule)]

    def _find_answers(self, term: Term, scope: Scope) -> Iterator[Rule]:
        for call, known in find_conditions_in(term, scope):
            if isinstance(call, Call):
                kinds = [known.kind(argument) for argument in call.arguments]
                for other in self._by_name.get((call.name, len(call.arguments)), ()):
                    if self.could_answer(other, call, kinds):
                        yield other


def find_fixed(parameter: Parameter) -> Constant | None:
    """Find the value that an argument must have, where a parameter names one."""
    if isinstance(parameter.term, Constant):
        return parameter.term
    return parameter.pattern if isinstance(parameter.pattern, Constant) else None
