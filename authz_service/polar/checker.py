"""Holds a whole policy against the schema of its domain, before anything is decided by it.

A misspelt attribute under `not` would be an allow, and a rule that cannot match a silent deny; so
whatever can be told from the text is an error here. What is only odd is a warning.

Each rule is looked at on its own: parameters say of what type variables are, `=` and `in` say more,
and every attribute, comparison and call is held against that. Then the rules are looked at
together: which are never asked, which ask themselves, which actions nobody may do.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authz_service.errors import suggest, with_article
from authz_service.polar import syntax
from authz_service.polar.actions import find_unknown_actions
from authz_service.polar.blocks import (
    ACTOR,
    HAS_RELATION,
    PREDICATE_ARITY,
    PREDICATES,
    expand_blocks,
    find_declared,
    find_predicate,
)
from authz_service.polar.calls import CallGraph, find_fixed
from authz_service.polar.conditions import ConditionChecker, quoted
from authz_service.polar.rule_types import find_misfits
from authz_service.polar.schema import STRING
from authz_service.polar.syntax import Block, Constant, Refused, Rule
from authz_service.polar.text import make_fault
from authz_service.polar.traversal import find_calls, find_nodes, find_variables
from authz_service.polar.types import REQUEST, Kind, Scope, Universe, build_scope, kind_of_parameter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from authz_service.errors import Fault
    from authz_service.polar.schema import Schema
    from authz_service.polar.syntax import Span, Statement, Term
    from authz_service.polar.text import Source

# The rules that the engine itself asks, with the number of their parameters.
ENTRIES: Final = {"allow": 3, "permit": 3, "forbid": 4, "reason": 2}


@dataclass(frozen=True)
class Findings:
    """What is wrong with a policy, and what is odd about it, in the order of the places."""

    errors: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def check_statements(
    sources: Sequence[Source], statements: Sequence[Statement], schema: Schema
) -> Findings:
    """Check all statements of a policy together.

    Arguments:
        sources: the files, for the lines that messages show.
        statements: of all the files.
        schema: what the policy may refer to.
    """
    checker = _Checker({each.name: each for each in sources}, statements, schema)
    checker.check()
    return Findings(tuple(sorted(set(checker.errors))), tuple(sorted(set(checker.warnings))))


class _Checker:
    """Goes through a policy and collects what it finds."""

    def __init__(
        self, sources: Mapping[str, Source], statements: Sequence[Statement], schema: Schema
    ) -> None:
        self._sources = sources
        self._statements = statements
        self._schema = schema
        self._blocks = {each.type_name: each for each in statements if isinstance(each, Block)}
        self._universe = Universe(schema, self._blocks)
        self._rules = expand_blocks(statements)
        self._by_name: dict[str, list[Rule]] = {}
        for rule in self._rules:
            self._by_name.setdefault(rule.name, []).append(rule)
        self._graph = CallGraph(self._rules, self._universe)
        self.errors: list[Fault] = []
        self.warnings: list[Fault] = []

    def check(self) -> None:
        """Check everything."""
        for statement in self._statements:
            match statement:
                case Rule():
                    self._check_rule(statement)
                case syntax.RuleType():
                    self._check_patterns(statement.parameters)
                case syntax.Query():
                    self._check_query(statement)
                case Block():
                    self._check_block(statement)
        if ACTOR in self._universe.names:
            for rule in expand_blocks(self._blocks.values()):
                self._check_body(rule)
        for span, message in find_misfits(self._statements):
            self.blame(span, "against_rule_type", message)
        self._check_entries()
        self._check_recursion()
        self._check_unused()
        for span, message in find_unknown_actions(self._rules, self._universe):
            self.blame(span, "unknown_action", message)

    def blame(self, span: Span, code: str, message: str) -> None:
        """Take note of an error."""
        self.errors.append(make_fault(self._sources[span.file], span, code, message))

    def _warn(self, span: Span, code: str, message: str) -> None:
        self.warnings.append(make_fault(self._sources[span.file], span, code, message))

    def _check_rule(self, rule: Rule) -> None:
        self._check_patterns(rule.parameters)
        self._check_variables(rule)
        self._check_body(rule)

    def _check_body(self, rule: Rule) -> None:
        scope = build_scope(rule, self._universe)
        conditions = ConditionChecker(self, self._universe, scope)
        for parameter in rule.parameters:
            if parameter.pattern is not None:
                kind = kind_of_parameter(parameter, self._universe)
                conditions.check_pattern(parameter.pattern, kind)
        conditions.check(rule.body)

    def _check_query(self, query: syntax.Query) -> None:
        scope = Scope(self._universe)
        scope.learn(query.condition)
        ConditionChecker(self, self._universe, scope).check(query.condition)

    def _check_patterns(self, parameters: Sequence[syntax.Parameter]) -> None:
        for parameter in parameters:
            pattern = parameter.pattern
            if isinstance(pattern, syntax.TypePattern):
                self.check_type(pattern)

    def check_type(self, pattern: syntax.TypePattern) -> bool:
        """Check that there is a type of this name; an empty name is any type."""
        name = pattern.type_name
        if not name or name in self._universe.names:
            return True
        nearest = suggest(name, self._universe.names)
        self.blame(pattern.span, "unknown_type", f"there is no type `{name}`{nearest}")
        return False

    def _check_variables(self, rule: Rule) -> None:
        if any(isinstance(each, Refused) for each in find_nodes(rule)):
            return  # nobody knows what was in there
        variables = list(find_variables(rule))
        counts = Counter(each.name for each in variables)
        for variable in variables:
            name = variable.name
            if counts[name] == 1 and not name.startswith("_"):
                message = f"`{name}` is used once only; is it misspelt? If not, write `_{name}`"
                self.blame(variable.span, "variable_used_once", message)

    def find_rules(self, name: str) -> Sequence[Rule]:
        """Find the rules of a name."""
        return self._by_name.get(name, ())

    def check_call(self, call: syntax.Call, scope: Scope) -> None:
        """Check that a rule is there to answer a call, and that one could."""
        rules = self.find_rules(call.name)
        if not rules:
            nearest = suggest(call.name, self._by_name)
            self.blame(call.span, "unknown_rule", f"there is no rule `{call.name}`{nearest}")
            return
        fitting = [rule for rule in rules if len(rule.parameters) == len(call.arguments)]
        if not fitting:
            taken = " or ".join(sorted({str(len(rule.parameters)) for rule in rules}))
            message = f"`{call.name}` takes {taken} arguments, not {len(call.arguments)}"
            self.blame(call.span, "wrong_arity", message)
            return
        kinds = [scope.kind(argument) for argument in call.arguments]
        undeclared = self._find_undeclared(call.name, call.arguments, kinds)
        if undeclared:
            self.blame(*undeclared)
        elif not any(self._graph.could_answer(rule, call, kinds) for rule in fitting):
            given = ", ".join(_show(a, kind) for a, kind in zip(call.arguments, kinds, strict=True))
            message = f"no rule `{call.name}` can match these arguments: {given}"
            self.blame(call.span, "never_matches", message)

    def _find_undeclared(
        self, name: str, terms: Sequence[Term], kinds: Sequence[Kind]
    ) -> tuple[Span, str, str] | None:
        """Find a role, permission or relation that no block declares: place, code and message.

        Arguments:
            name: of the rule that is asked, or written, for it.
            terms: somebody, a word, and the resource; where that has no block, any word will do.
            kinds: of the terms.
        """
        if name not in PREDICATES or len(terms) != PREDICATE_ARITY:
            return None
        _, word, _ = terms
        blocks = [self._blocks[each] for each in sorted(kinds[-1].names) if each in self._blocks]
        if not blocks or not isinstance(word, Constant) or not isinstance(word.value, str):
            return None
        if any(find_predicate(block, word.value) == name for block in blocks):
            return None
        known = {
            each for block in blocks for each, by in find_declared(block).items() if by == name
        }
        what = name.removeprefix("has_")
        nearest = suggest(word.value, known)
        message = f"`{blocks[0].type_name}` declares no {what} {quoted(word)}{nearest}"
        return word.span, f"unknown_{what}", message

    def _check_block(self, block: Block) -> None:
        if block.type_name not in self._universe.entities:
            nearest = suggest(block.type_name, self._universe.entities)
            message = f"there is no type `{block.type_name}`{nearest}"
            self.blame(block.span, "unknown_type", message)
        self._check_declared_once(block)
        if block.shorthands and ACTOR not in self._universe.names:
            message = "no block says who can have a role or a permission; write `actor User {}`"
            self.blame(block.span, "no_actor", message)
        for relation in block.relations:
            if relation.type_name not in self._universe.entities:
                nearest = suggest(relation.type_name, self._universe.entities)
                message = f"there is no type `{relation.type_name}`{nearest}"
                self.blame(relation.span, "unknown_type", message)
        for shorthand in block.shorthands:
            self._check_shorthand(block, shorthand)

    def _check_declared_once(self, block: Block) -> None:
        if self._blocks[block.type_name] is not block:
            message = f"`{block.type_name}` has another block; put them together"
            self.blame(block.span, "declared_twice", message)
        known: set[object] = set()
        words = [(word.value, word.span) for each in block.declarations for word in each.words]
        relations = [(relation.name, relation.span) for relation in block.relations]
        kinds = [(f"{each.kind} =", each.span) for each in block.declarations]
        for word, span in [*words, *relations, *kinds]:
            if word in known:
                self.blame(span, "declared_twice", f"`{word}` is declared already")
            known.add(word)

    def _check_shorthand(self, block: Block, shorthand: syntax.Shorthand) -> None:
        self._check_word(block, shorthand.granted)
        if find_predicate(block, str(shorthand.granted.value)) == HAS_RELATION:
            message = f"{quoted(shorthand.granted)} is a relation; write a rule `{HAS_RELATION}`"
            self.blame(shorthand.granted.span, "grants_a_relation", message)
        if shorthand.relation is None:
            self._check_word(block, shorthand.held)
            return
        name = shorthand.relation.value
        relation = next((each for each in block.relations if each.name == name), None)
        if relation is None:
            nearest = suggest(str(name), [each.name for each in block.relations])
            message = f"`{block.type_name}` has no relation `{name}`{nearest}"
            self.blame(shorthand.relation.span, "unknown_relation", message)
            return
        far = self._blocks.get(relation.type_name)
        if far is None and relation.type_name in self._universe.entities:
            message = f"`{relation.type_name}` has no block that declares {quoted(shorthand.held)}"
            self.blame(shorthand.held.span, "unknown_word", message)
        elif far is not None:
            self._check_word(far, shorthand.held)

    def _check_word(self, block: Block, word: Constant) -> None:
        if find_predicate(block, str(word.value)) is None:
            nearest = suggest(str(word.value), find_declared(block))
            message = f"`{block.type_name}` declares no {quoted(word)}{nearest}"
            self.blame(word.span, "unknown_word", message)

    def _check_entries(self) -> None:
        for rule in self._rules:
            wanted = ENTRIES.get(rule.name)
            if wanted is not None and len(rule.parameters) != wanted:
                message = f"`{rule.name}` has {wanted} parameters, not {len(rule.parameters)}"
                self.blame(rule.span, "wrong_arity", message)
            elif wanted is not None:
                self._check_entry(rule)
            if rule.name == "forbid" and rule.parameters:
                self._check_reason(rule.parameters[0])
        if not self.find_rules("allow") and self._sources:
            first = next(iter(self._sources.values()))
            span = syntax.Span(first.name, 1, 1, 1, 1)
            message = "no file has a rule `allow(request, action, resource)`, so nothing is allowed"
            self.blame(span, "no_allow", message)

    def _check_entry(self, rule: Rule) -> None:
        """Check that a rule can match what the engine asks it with."""
        text, request = Kind(frozenset({STRING})), Kind(frozenset({REQUEST}))
        resource = Kind(frozenset(self._universe.entities))
        kinds = {
            "allow": (request, text, resource),
            "permit": (self._universe.subject, text, resource),
            "forbid": (text, request, text, resource),
            "reason": (text, text),
        }[rule.name]
        for parameter, kind in zip(rule.parameters, kinds, strict=True):
            given = kind_of_parameter(parameter, self._universe)
            if not given.fits(kind):
                what = "an entity" if kind == resource else with_article(kind.shown)
                message = (
                    f"`{rule.name}` is asked with {what} here, never with "
                    f"{with_article(given.shown)}"
                )
                self.blame(parameter.span, "never_matches", message)

    def _check_reason(self, parameter: syntax.Parameter) -> None:
        if not (isinstance(parameter.term, Constant) and isinstance(parameter.term.value, str)):
            message = "a `forbid` gives its reason as text, the first argument"
            self.blame(parameter.span, "no_reason", message)

    def _check_recursion(self) -> None:
        for cycle in self._graph.find_cycles():
            path = " asks ".join(f"`{_show_rule(rule)}`" for rule in [*cycle, cycle[0]])
            message = f"asks itself: {path}; write out the levels that there are"
            self.blame(cycle[0].span, "recursion", message)

    def _check_unused(self) -> None:
        queries = [each.condition for each in self._statements if isinstance(each, syntax.Query)]
        bodies = [*(rule.body for rule in self._rules), *queries]
        names = {call.name for body in bodies for call in find_calls(body)}
        asked = self._graph.find_asked(queries)
        for rule in self._rules:
            if id(rule) in asked or rule.name in ENTRIES:
                continue
            terms = [each.term for each in rule.parameters]
            kinds = [kind_of_parameter(each, self._universe) for each in rule.parameters]
            undeclared = self._find_undeclared(rule.name, terms, kinds)
            if undeclared:
                self._warn(*undeclared)
            else:
                so = " with such arguments" if rule.name in names else ""
                self._warn(rule.span, "unused_rule", f"nothing asks `{rule.name}`{so}")


def _show_rule(rule: Rule) -> str:
    """Name a rule, with the words that it is about, as those that blocks stand for are."""
    fixed = [find_fixed(each) for each in rule.parameters]
    words = ", ".join(quoted(each).strip("`") for each in fixed if each is not None)
    return f"{rule.name}({words})" if words else rule.name


def _show(argument: Term, kind: Kind) -> str:
    return quoted(argument) if isinstance(argument, Constant) else kind.shown
