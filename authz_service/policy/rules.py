"""The rules of a policy, found by what they are asked with.

The usual `allow` says: permitted and not forbidden.

    allow(request: Request, action: String, resource) if
        permit(request.subject, action, resource) and
        not forbid(_reason, request, action, resource);
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from authz_service.polar.blocks import expand_blocks
from authz_service.polar.syntax import (
    And,
    Call,
    Constant,
    Not,
    Path,
    Span,
    TypePattern,
    Variable,
)
from authz_service.policy.clauses import Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from authz_service.polar.syntax import Rule, Statement
    from authz_service.policy.symbols import Value

# Places are not compared.
_NOWHERE: Final = Span("", 1, 1, 1, 1)

# A rule, and which one of the policy it is.
Numbered = tuple[int, "Rule"]


class Rules:
    """All rules of a policy, those of its blocks included.

    A policy has many rules of the same name, told apart by a word, mostly the action. When that is
    known, rules for other words are not looked at: what is asked does not pay for them.

    Arguments:
        statements: of all files.
    """

    def __init__(self, statements: Iterable[Statement]) -> None:
        named: dict[tuple[str, int], list[Numbered]] = {}
        for number, rule in enumerate(expand_blocks(tuple(statements))):
            named.setdefault((rule.name, len(rule.parameters)), []).append((number, rule))
        self._named = {key: _Namesakes(rules) for key, rules in named.items()}
        self.names = {name for name, _ in named}

    def has(self, name: str, arity: int) -> bool:
        """Tell whether there is a rule of a name, with as many parameters."""
        return (name, arity) in self._named

    def find(self, name: str, asked: Sequence[Value]) -> Sequence[Numbered]:
        """Find the rules of a name that what is asked may match, in their order."""
        namesakes = self._named.get((name, len(asked)))
        return namesakes.find(asked) if namesakes else ()

    def are_split(self, resource: str, types: Collection[str]) -> bool:
        """Tell whether the usual `allow` is the only one for a type of resource.

        Arguments:
            resource: the type.
            types: all types of entities; a parameter of another one of them is not for this one.
        """
        if not (self.has("permit", 3) and self.has("forbid", 4) and self.has("allow", 3)):
            return False
        others = {TypePattern(_NOWHERE, each) for each in types if each != resource}
        rules = [
            rule
            for _, rule in self._named["allow", 3].all
            if rule.parameters[2].pattern not in others
        ]
        return len(rules) == 1 and _is_usual(rules[0], resource)


class _Namesakes:
    """Rules of one name, with as many parameters each."""

    def __init__(self, rules: Sequence[Numbered]) -> None:
        self.all = rules
        words = Counter(
            place
            for _, rule in rules
            for place in range(len(rule.parameters))
            if _find_word(rule, place) is not None
        )
        self._place = words.most_common(1)[0][0] if words else None
        self._by_word: dict[str, Sequence[Numbered]] = {}

    def find(self, asked: Sequence[Value]) -> Sequence[Numbered]:
        """Find those that what is asked may match."""
        value = None if self._place is None else asked[self._place]
        if self._place is None or not isinstance(value, Literal) or type(value.value) is not str:
            return self.all
        word, place = value.value, self._place
        if word not in self._by_word:
            self._by_word[word] = [
                each for each in self.all if _find_word(each[1], place) in {None, word}
            ]
        return self._by_word[word]


def _find_word(rule: Rule, place: int) -> str | None:
    """Find the word that a parameter is, if it is one."""
    term = rule.parameters[place].term
    return term.value if isinstance(term, Constant) and isinstance(term.value, str) else None


def _is_usual(rule: Rule, resource: str) -> bool:
    """Tell whether an `allow` is the one above, whatever it calls its variables."""
    given = [each.term for each in rule.parameters]
    names = {each.name for each in given if isinstance(each, Variable)}
    if len(names - {"_"}) != len(given):
        return False
    for parameter, kind in zip(rule.parameters, ("Request", "String", resource), strict=True):
        if parameter.pattern not in {None, TypePattern(_NOWHERE, kind)}:
            return False
    match rule.body:
        case And(
            conditions=(
                Call() as permit,
                Not(condition=Call(arguments=(Variable() as reason, *_)) as forbid),
            )
        ):
            request, *asked = given
            subject = Path(_NOWHERE, request, ("subject",))
            return (
                permit == Call(_NOWHERE, "permit", (subject, *asked))
                and forbid == Call(_NOWHERE, "forbid", (reason, *given))
                and reason.name not in names
            )
        case _:
            return False
