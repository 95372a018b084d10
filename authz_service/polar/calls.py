"""Which rules can answer which calls, and so which rules ask each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz_service.polar.syntax import Constant
from authz_service.polar.traversal import find_calls
from authz_service.polar.types import build_scope, kind_of_parameter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz_service.polar.syntax import Call, Parameter, Rule, Term
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

    def could_answer(self, rule: Rule, call: Call, kinds: Sequence[Kind]) -> bool:
        """Tell whether a rule can match a call whose arguments are of certain kinds."""
        triples = zip(rule.parameters, call.arguments, kinds, strict=True)
        return all(self._fits(parameter, term, kind) for parameter, term, kind in triples)

    def _fits(self, parameter: Parameter, term: Term, kind: Kind) -> bool:
        fixed = _fixed(parameter)
        if fixed is not None and isinstance(term, Constant):
            return fixed.value == term.value
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
        asked = [self._asked(start)]
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
                asked.append(self._asked(following))

    def _asked(self, rule: Rule) -> Iterator[Rule]:
        """Find the rules that can answer what a rule asks."""
        scope = build_scope(rule, self._universe)
        for call in find_calls(rule.body):
            kinds = [scope.kind(argument) for argument in call.arguments]
            for other in self._by_name.get((call.name, len(call.arguments)), ()):
                if self.could_answer(other, call, kinds):
                    yield other


def _fixed(parameter: Parameter) -> Constant | None:
    if isinstance(parameter.term, Constant):
        return parameter.term
    return parameter.pattern if isinstance(parameter.pattern, Constant) else None
