"""Finds the words of a policy that stand for actions, and those that no question ever asks with.

`allow`, `permit` and `forbid` are asked with the action and the resource of a question. Where a
rule hands its own on, the next rules are asked with them too, and their words are held against the
domain's as well: here, those of `only_on_web`.

    forbid("not_offered_on_channel", request: Request, action: String, resource) if
        only_on_web(action, resource) and request.channel = "app";
    only_on_web("step_down", _customer: Customer);

A word that is misspelt there would be a forbid that never applies.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from authz_service.errors import suggest, with_article
from authz_service.polar import syntax
from authz_service.polar.calls import find_fixed
from authz_service.polar.conditions import quoted
from authz_service.polar.syntax import Constant, ListTerm, Variable
from authz_service.polar.traversal import find_calls, find_conditions
from authz_service.polar.types import UNKNOWN, kind_of_parameter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from authz_service.polar.syntax import Parameter, Rule, Span, Term
    from authz_service.polar.types import Kind, Universe

# A parameter: the name of its rules, how many parameters those have, and which one it is.
Slot = tuple[str, int, int]

_ACTIONS: Final = (("allow", 3, 1), ("permit", 3, 1), ("forbid", 4, 2))
_RESOURCES: Final = (("allow", 3, 2), ("permit", 3, 2), ("forbid", 4, 3))


class ActionWord(NamedTuple):
    """A word of a rule that stands for an action.

    Arguments:
        word: where it stands.
        resource: what it is done to, as far as the rule says so.
        handed: the words with which calls ask for it.
    """

    word: Constant
    resource: Kind
    handed: AbstractSet[object]


def find_unknown_actions(rules: Sequence[Rule], universe: Universe) -> Iterator[tuple[Span, str]]:
    """Find the words for actions that the domain does not have, with what to say of each.

    Arguments:
        rules: of the whole policy, those of its blocks included.
        universe: the types, which say what actions there are.
    """
    for word, kind, handed in find_action_words(rules, universe):
        known = universe.actions(kind) or universe.actions(UNKNOWN)
        if word.value not in known | handed:
            on = f" on {with_article(kind.shown)}" if universe.actions(kind) and kind.names else ""
            nearest = suggest(str(word.value), known)
            yield word.span, f"there is no action {quoted(word)}{on}{nearest}"


def find_action_words(rules: Sequence[Rule], universe: Universe) -> Iterator[ActionWord]:
    """Find the words that stand for actions; arguments as above."""
    handed = _HandedOn(rules)
    actions, resources = handed.follow(_ACTIONS), handed.follow(_RESOURCES)
    for rule in rules:
        size = len(rule.parameters)
        for place, parameter in enumerate(rule.parameters):
            slot = (rule.name, size, place)
            if slot not in actions:
                continue
            kinds = [
                kind_of_parameter(each, universe)
                for number, each in enumerate(rule.parameters)
                if (rule.name, size, number) in resources
            ]
            kind = kinds[0] if kinds else UNKNOWN
            for word in _find_words(rule, parameter):
                yield ActionWord(word, kind, handed.words[slot])


class _HandedOn:
    """Which parameters are given what other parameters were given.

    Arguments:
        rules: of the whole policy.

    Attributes:
        words: the constants that calls name for a parameter.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.words: defaultdict[Slot, set[object]] = defaultdict(set)
        self._targets: defaultdict[Slot, list[Slot]] = defaultdict(list)
        self._open: Counter[Slot] = Counter()
        for rule in rules:
            own = {
                each.term.name: (rule.name, len(rule.parameters), place)
                for place, each in enumerate(rule.parameters)
                if isinstance(each.term, Variable)
            }
            for call in find_calls(rule.body):
                for place, argument in enumerate(call.arguments):
                    self._hand(argument, own, (call.name, len(call.arguments), place))

    def _hand(self, argument: Term, own: dict[str, Slot], target: Slot) -> None:
        if isinstance(argument, Constant):
            self.words[target].add(argument.value)
            return
        self._open[target] += 1
        if isinstance(argument, Variable) and argument.name in own:
            self._targets[own[argument.name]].append(target)

    def follow(self, starts: Sequence[Slot]) -> set[Slot]:
        """Find the parameters that are given a question's own value whenever they are asked.

        Arguments:
            starts: the parameters that are given it by the engine.
        """
        found, waiting, still_open = set(starts), list(starts), self._open.copy()
        while waiting:
            for target in self._targets[waiting.pop()]:
                still_open[target] -= 1
                if not still_open[target] and target not in found:
                    found.add(target)
                    waiting.append(target)
        return found


def _find_words(rule: Rule, parameter: Parameter) -> Iterator[Constant]:
    """Find the words that a parameter is compared with: its own, and those of its rule's body."""
    fixed, term = find_fixed(parameter), parameter.term
    if fixed is not None:
        yield fixed
        return
    for each in find_conditions(rule.body):
        match each:
            case syntax.Membership(item=item, collection=ListTerm(items=items)) if item == term:
                yield from (word for word in items if isinstance(word, Constant))
            case syntax.Comparison(operator="=" | "==" | "!=", left=left, right=right):
                sides = (left, right) if term in {left, right} else ()
                yield from (side for side in sides if isinstance(side, Constant))
