"""Checks the conditions of one rule, as far as the kinds of its variables are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from authz_service.errors import suggest, with_article
from authz_service.polar import syntax
from authz_service.polar.syntax import Constant, ListTerm, Variable
from authz_service.polar.types import NIL, PLAIN, REQUEST, UNKNOWN, find_conditions_in

if TYPE_CHECKING:
    from authz_service.polar.syntax import Pattern, Span, Term
    from authz_service.polar.types import Kind, Scope, Universe

_ORDERS: Final = frozenset({"<", "<=", ">", ">="})
_UNORDERED: Final = frozenset({"Boolean", NIL, REQUEST})


class Report(Protocol):
    """Where findings go, and what is known of the policy as a whole."""

    def blame(self, span: Span, code: str, message: str) -> None:
        """Take note of an error."""

    def check_type(self, pattern: syntax.TypePattern) -> bool:
        """Check that there is a type of this name."""

    def check_call(self, call: syntax.Call, scope: Scope) -> None:
        """Check that a rule is there to answer a call, and that one could."""


class ConditionChecker:
    """Checks the conditions of one rule, as far as the types of its variables are known."""

    def __init__(self, report: Report, universe: Universe, scope: Scope) -> None:
        self._report = report
        self._universe = universe
        self._scope = scope

    def check(self, term: Term) -> None:
        """Check a condition and all in it, each branch by what is known there."""
        for each, scope in find_conditions_in(term, self._scope):
            ConditionChecker(self._report, self._universe, scope).check_one(each)

    def check_one(self, condition: Term) -> None:
        """Check a condition that combines no others."""
        match condition:
            case syntax.Comparison():
                self._check_comparison(condition)
            case syntax.Membership():
                self._check_membership(condition)
            case syntax.Match():
                self.check_value(condition.value)
                self._check_match(condition)
            case syntax.Call():
                for argument in condition.arguments:
                    self.check_value(argument)
                self._report.check_call(condition, self._scope)
            case syntax.Path():
                self.check_value(condition)
                self._check_truth(condition)
            case Constant() | ListTerm() | Variable():
                self._check_truth(condition)

    def _check_truth(self, term: Term) -> None:
        message = "is a value, not a condition; compare it, as in `... = true`"
        self._report.blame(term.span, "no_condition", message)

    def check_value(self, term: Term) -> None:
        """Check a value: every attribute on the way is one that there is."""
        if isinstance(term, ListTerm):
            for item in term.items:
                self.check_value(item)
        elif isinstance(term, syntax.Path):
            self._check_path(term)
        elif not isinstance(term, (Variable, Constant, syntax.Refused)):
            message = "is a condition where a value is needed"
            self._report.blame(term.span, "no_value", message)

    def _check_path(self, path: syntax.Path) -> None:
        kind = self._scope.kind(path.base)
        for index, name in enumerate(path.attributes):
            if not kind.names:
                return
            if kind.many:
                before = path.attributes[:index]
                base = path.base.name if isinstance(path.base, Variable) else "it"
                so_far = ".".join([base, *before])
                message = f"`{so_far}` is {kind.shown}; take one with `each in {so_far}`"
                self._report.blame(path.span, "is_a_collection", message)
                return
            for owner in sorted(kind.names):
                known = self._universe.attributes(owner)
                if name not in known:
                    message = (
                        f"{with_article(owner)} has no attribute `{name}`{suggest(name, known)}"
                    )
                    self._report.blame(path.span, "unknown_attribute", message)
                    return
            kind = self._scope.kind(syntax.Path(path.span, path.base, path.attributes[: index + 1]))

    def _check_comparison(self, comparison: syntax.Comparison) -> None:
        left, right = comparison.left, comparison.right
        for side in (left, right):
            self.check_value(side)
        kinds = self._scope.kind(left), self._scope.kind(right)
        if not kinds[0].fits(kinds[1]):
            message = f"compares {kinds[0].shown} with {kinds[1].shown}, which are never the same"
            self._report.blame(comparison.span, "different_types", message)
        elif comparison.operator in _ORDERS:
            self._check_order(comparison, kinds)
        elif any(kind.many for kind in kinds):
            message = "compares a whole collection; take one of it with `each in ...`"
            self._report.blame(comparison.span, "is_a_collection", message)
        self._check_choice(left, kinds[1])
        self._check_choice(right, kinds[0])
        if isinstance(left, Constant) and isinstance(right, Constant):
            message = "compares two values that are written out; it is always the same"
            self._report.blame(comparison.span, "never_changes", message)

    def _check_order(self, comparison: syntax.Comparison, kinds: tuple[Kind, Kind]) -> None:
        for kind in kinds:
            bad = {name for name in kind.names if name not in PLAIN or name in _UNORDERED}
            if bad or kind.many:
                message = f"`{comparison.operator}` puts no order among {kind.shown}"
                self._report.blame(comparison.span, "no_order", message)
                return

    def _check_choice(self, term: Term, kind: Kind) -> None:
        """Check a word against the attribute that it is compared with."""
        attribute = kind.attribute
        if attribute is None or not attribute.choices or not isinstance(term, Constant):
            return
        if isinstance(term.value, str) and term.value not in attribute.choices:
            nearest = suggest(term.value, attribute.choices)
            message = f"`{attribute.name}` is never {quoted(term)}{nearest}"
            self._report.blame(term.span, "unknown_word", message)

    def _check_membership(self, membership: syntax.Membership) -> None:
        item, collection = membership.item, membership.collection
        for side in (item, collection):
            self.check_value(side)
        kind, within = self._scope.kind(item), self._scope.kind(collection)
        if within.names and not within.many:
            message = f"is {with_article(within.shown)} and no collection; compare with `=`"
            self._report.blame(collection.span, "no_collection", message)
        elif not kind.fits(within.element):
            message = f"looks for {kind.shown} in {within.shown}, where there is none"
            self._report.blame(membership.span, "different_types", message)
        if isinstance(collection, ListTerm):
            for each in collection.items:
                self._check_choice(each, kind)

    def _check_match(self, match: syntax.Match) -> None:
        self.check_pattern(match.pattern, self._scope.kind(match.value))
        pattern = match.pattern
        if isinstance(pattern, syntax.TypePattern) and pattern.type_name in self._universe.names:
            kind, wanted = self._scope.kind(match.value), self._universe.named(pattern.type_name)
            if not kind.fits(wanted):
                message = f"{with_article(kind.shown)} is never {with_article(wanted.shown)}"
                self._report.blame(match.span, "never_matches", message)

    def check_pattern(self, pattern: Pattern, kind: Kind) -> None:
        """Check the fields of a pattern against the type that it names, or that the value has."""
        if not isinstance(pattern, syntax.TypePattern) or not self._report.check_type(pattern):
            return
        owner = self._universe.named(pattern.type_name) if pattern.type_name else kind
        for name, value in pattern.fields:
            without = self._find_without(owner, name)
            if without:
                known = self._universe.attributes(without)
                message = f"{with_article(without)} has no attribute `{name}`{suggest(name, known)}"
                self._report.blame(value.span, "unknown_attribute", message)
            within = UNKNOWN if without else self._scope.step(owner, name)
            self._check_field(name, value, within)
            self.check_pattern(value, within)

    def _find_without(self, owner: Kind, name: str) -> str | None:
        """Find a type that has no such attribute, of those that a value can have."""
        known = self._universe.attributes
        return next((each for each in sorted(owner.names) if name not in known(each)), None)

    def _check_field(self, name: str, value: Pattern, kind: Kind) -> None:
        given = UNKNOWN
        if isinstance(value, (Variable, Constant)):
            given = self._scope.kind(value)
        elif isinstance(value, syntax.TypePattern):
            given = self._universe.named(value.type_name)
        if not kind.fits(given):
            shown = quoted(value) if isinstance(value, Constant) else given.shown
            message = f"`{name}` is {kind.shown}, never {shown}"
            self._report.blame(value.span, "different_types", message)
        if isinstance(value, Constant):
            self._check_choice(value, kind)


def quoted(word: Constant) -> str:
    """Write a constant as it stands in a policy, in backticks."""
    if isinstance(word.value, str):
        return f'`"{word.value}"`'
    if word.value is None:
        return "`nil`"
    return f"`{str(word.value).lower()}`"
