"""Lark's tree into ours, bottom up; what policies do not use is refused on the way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lark import Token
from lark.visitors import Transformer_NonRecursive, v_args

from authz_service.errors import quote
from authz_service.polar import syntax
from authz_service.polar.syntax import Span
from authz_service.polar.text import make_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lark.tree import Meta

    from authz_service.errors import Fault
    from authz_service.polar.text import Source

_LONGEST_NUMBER: Final = 40
_LARGEST_NUMBER: Final = 2**63
_CONDITIONS: Final = (
    syntax.Call,
    syntax.Comparison,
    syntax.Membership,
    syntax.Match,
    syntax.And,
    syntax.Or,
    syntax.Not,
    syntax.ForAll,
)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", '"': '"', "\\": "\\"}


@v_args(meta=True)
class TreeBuilder(Transformer_NonRecursive[Token, syntax.Statement]):
    """Turns Lark's tree of a statement into ours, and refuses what policies do not use.

    As in oso, some terms are values (text), some are conditions (a comparison), and some can be
    either (a variable); neither may stand where the other belongs.
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._grouped: dict[int, syntax.Term] = {}
        self.faults: list[Fault] = []

    def _span(self, meta: Meta) -> Span:
        if meta.empty:
            return Span(self._source.name, 1, 1, 1, 1)
        return Span(self._source.name, meta.line, meta.column, meta.end_line, meta.end_column)

    def _refuse(self, meta: Meta, what: str, instead: str) -> syntax.Refused:
        span = self._span(meta)
        self._blame(span, "outside_the_subset", f"{what} is not used in policies; {instead}")
        return syntax.Refused(span)

    def _value(self, term: syntax.Term) -> syntax.Term:
        """Let a term stand where a value belongs."""
        if isinstance(term, _CONDITIONS):
            message = "this is a condition and has no value; let it stand for itself, with `and`"
            self._blame(term.span, "no_polar", message)
            return syntax.Refused(term.span)
        return term

    def _condition(self, term: syntax.Term) -> syntax.Term:
        """Let a term stand where a condition belongs."""
        plain = isinstance(term, syntax.Constant) and not isinstance(term.value, bool)
        if plain or isinstance(term, syntax.ListTerm):
            message = "this is a value, neither true nor false; compare it with something"
            self._blame(term.span, "no_polar", message)
            return syntax.Refused(term.span)
        return term

    def rule(self, meta: Meta, children: list[Any]) -> syntax.Rule:
        name, parameters, span = children[0]
        body = (
            self._condition(children[1]) if len(children) > 1 else syntax.And(self._span(meta), ())
        )
        return syntax.Rule(span, name, parameters, body)

    def rule_type(self, _meta: Meta, children: list[Any]) -> syntax.RuleType:
        name, parameters, span = children[-1]
        return syntax.RuleType(span, name, parameters)

    def query(self, meta: Meta, children: list[Any]) -> syntax.Query:
        return syntax.Query(self._span(meta), self._condition(children[-1]))

    def head(
        self, meta: Meta, children: list[Any]
    ) -> tuple[str, tuple[syntax.Parameter, ...], Span]:
        return str(children[0]), tuple(children[1:]), self._span(meta)

    def typed_parameter(self, meta: Meta, children: list[Any]) -> syntax.Parameter:
        name, pattern = children
        variable = syntax.Variable(self._token_span(name), str(name))
        return syntax.Parameter(self._span(meta), variable, pattern)

    def plain_parameter(self, meta: Meta, children: list[Any]) -> syntax.Parameter:
        term = children[0]
        if not isinstance(term, (syntax.Variable, syntax.Constant, syntax.Refused)):
            advice = "write a variable here and compare it in the body"
            term = self._refuse(meta, "such a parameter", advice)
        return syntax.Parameter(self._span(meta), term)

    def disjunction(self, meta: Meta, children: list[Any]) -> syntax.Term:
        for each in children:
            if isinstance(each, syntax.And) and id(each) not in self._grouped:
                message = "`and` beside `or` can be read in two ways; put it in parentheses"
                self._blame(each.span, "unclear_order", message)
        return syntax.Or(self._span(meta), tuple(map(self._condition, children)))

    def conjunction(self, meta: Meta, children: list[Any]) -> syntax.Term:
        return syntax.And(self._span(meta), tuple(map(self._condition, children)))

    def group(self, _meta: Meta, children: list[syntax.Term]) -> syntax.Term:
        self._grouped[id(children[0])] = children[0]
        return children[0]

    def negation(self, meta: Meta, children: list[Any]) -> syntax.Not:
        return syntax.Not(self._span(meta), self._condition(children[-1]))

    def comparison(self, meta: Meta, children: list[Any]) -> syntax.Comparison:
        left, operator, right = children
        return syntax.Comparison(
            self._span(meta), str(operator), self._value(left), self._value(right)
        )

    def assignment(self, meta: Meta, children: list[Any]) -> syntax.Refused:
        return self._refuse(meta, "`:=`", f"write `{children[0]} = ...`")

    def membership(self, meta: Meta, children: list[Any]) -> syntax.Membership:
        item, collection = map(self._value, children)
        return syntax.Membership(self._span(meta), item, collection)

    def match(self, meta: Meta, children: list[Any]) -> syntax.Match:
        value, pattern = children
        return syntax.Match(self._span(meta), self._value(value), pattern)

    def additive(self, meta: Meta, _children: list[Any]) -> syntax.Refused:
        return self._refuse(meta, "arithmetic", "compare with an attribute that holds the result")

    multiplicative = additive

    def path(self, meta: Meta, children: list[Any]) -> syntax.Term:
        base, *steps = children
        called = next((name for name, arguments in steps if arguments), None)
        if called:
            return self._refuse(meta, f"calling {quote(called)}", "use attributes and rules")
        if not isinstance(base, syntax.Variable):
            return self._refuse(meta, "an attribute of this", "look it up on a variable")
        return syntax.Path(self._span(meta), base, tuple(name for name, _ in steps))

    def step(self, _meta: Meta, children: list[Any]) -> tuple[str, bool]:
        return str(children[0]), len(children) > 1

    def reserved(self, meta: Meta, children: list[Token]) -> syntax.Refused:
        return self._refuse(meta, f"`{children[0]}`", "it is a word of Polar's own")

    def stray(self, meta: Meta, children: list[Token]) -> syntax.Refused:
        self._blame(self._span(meta), "no_polar", explain_stray(children[0]))
        return syntax.Refused(self._span(meta))

    def variable(self, meta: Meta, children: list[Token]) -> syntax.Term:
        name = str(children[0])
        if name == "nil":
            return syntax.Constant(self._span(meta), None)
        return syntax.Variable(self._span(meta), name)

    def constant(self, meta: Meta, children: list[Token]) -> syntax.Term:
        return self._constant(self._span(meta), children[0])

    def _constant(self, span: Span, token: Token) -> syntax.Constant:
        if token.type == "STRING":
            return syntax.Constant(span, self._unescape(span, str(token)[1:-1]))
        if token.type in {"TRUE", "FALSE"}:
            return syntax.Constant(span, token.type == "TRUE")
        text = str(token)
        if len(text) > _LONGEST_NUMBER:
            self._blame(span, "number_too_large", "this number is too long")
            return syntax.Constant(span, 0)
        number = float(text) if set(text) & set(".eE") else int(text)
        if abs(number) >= _LARGEST_NUMBER:
            self._blame(span, "number_too_large", "this number is too large")
        return syntax.Constant(span, number)

    def _unescape(self, span: Span, text: str) -> str:
        for found in re.finditer(r"\\(.)", text):
            if found[1] not in _ESCAPES:
                message = "there is no such escape; write `\\\\` for a backslash"
                self._blame(span, "unknown_escape", message)
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], ""), text)

    def call(self, meta: Meta, children: list[Any]) -> syntax.Call:
        name, arguments = children
        return syntax.Call(self._span(meta), str(name), arguments)

    def arguments(self, _meta: Meta, children: list[Any]) -> tuple[syntax.Term, ...]:
        return tuple(map(self._value, children))

    def list_term(self, meta: Meta, children: list[Any]) -> syntax.ListTerm:
        return syntax.ListTerm(self._span(meta), tuple(map(self._value, children)))

    def rest(self, meta: Meta, _children: list[Any]) -> syntax.Refused:
        return self._refuse(meta, "the rest of a list", "use `in`")

    def dictionary(self, meta: Meta, _children: list[Any]) -> syntax.Refused:
        return self._refuse(meta, "a dictionary", "use attributes of entities")

    def entry(self, _meta: Meta, _children: list[Any]) -> None:
        return None

    def forall(self, meta: Meta, children: list[Any]) -> syntax.ForAll:
        condition, consequence = map(self._condition, children[1:])
        return syntax.ForAll(self._span(meta), condition, consequence)

    def new(self, meta: Meta, _children: list[Any]) -> syntax.Refused:
        return self._refuse(meta, "`new`", "policies look at entities and make none")

    def act(self, meta: Meta, children: list[Any]) -> syntax.Refused:
        return self._refuse(meta, f"`{children[0]}`", "they say what is so and do nothing")

    def constant_pattern(self, _meta: Meta, children: list[syntax.Constant]) -> syntax.Constant:
        return children[0]

    def type_pattern(self, meta: Meta, children: list[Any]) -> syntax.Pattern:
        name, *fields = children
        if str(name) == "nil":
            return self._refuse(meta, "`nil` as a type", "compare with it: `= nil`")
        return syntax.TypePattern(self._span(meta), str(name), fields[0] if fields else ())

    def fields_pattern(self, meta: Meta, children: list[Any]) -> syntax.TypePattern:
        return syntax.TypePattern(self._span(meta), "", children[0])

    def list_pattern(self, meta: Meta, _children: list[Any]) -> syntax.Refused:
        return self._refuse(meta, "a list as a pattern", "use `in`")

    def fields(self, meta: Meta, children: list[Any]) -> tuple[tuple[str, syntax.Pattern], ...]:
        self._blame_repeated(self._span(meta), (name for name, _ in children))
        return tuple(children)

    def field(self, _meta: Meta, children: list[Any]) -> tuple[str, syntax.Pattern]:
        name, pattern = children
        return str(name), pattern

    def field_variable(self, meta: Meta, children: list[Token]) -> syntax.Term:
        # a bare name in a field is a variable; only behind `:` of a parameter it is a type
        return self.variable(meta, children)

    def block(self, meta: Meta, children: list[Any]) -> syntax.Block:
        kind, type_name, *inside = children
        if str(kind) not in {"actor", "resource"}:
            message = f"there is no block {quote(kind)}; write `actor` or `resource`"
            self._blame(self._token_span(kind), "unknown_block", message)
        return syntax.Block(
            self._span(meta),
            str(kind),
            str(type_name),
            tuple(each for each in inside if isinstance(each, syntax.Declaration)),
            tuple(each for group in inside if isinstance(group, tuple) for each in group),
            tuple(each for each in inside if isinstance(each, syntax.Shorthand)),
        )

    def declaration(self, meta: Meta, children: list[Token]) -> syntax.Declaration:
        kind, _, *words = children
        if str(kind) not in {"roles", "permissions"}:
            message = f"there is no list {quote(kind)} in a block; write `roles` or `permissions`"
            self._blame(self._token_span(kind), "unknown_declaration", message)
        constants = tuple(self._constant(self._token_span(word), word) for word in words)
        return syntax.Declaration(self._span(meta), str(kind), constants)

    def relations(self, _meta: Meta, children: list[Any]) -> tuple[syntax.Relation, ...]:
        keyword, _, *relations = children
        if str(keyword) != "relations":
            message = f"there is no {quote(keyword)} with braces in a block; write `relations`"
            self._blame(self._token_span(keyword), "unknown_declaration", message)
        self._blame_repeated(self._token_span(keyword), (each.name for each in relations))
        return tuple(relations)

    def relation(self, meta: Meta, children: list[Token]) -> syntax.Relation:
        name, type_name = children
        return syntax.Relation(self._span(meta), str(name), str(type_name))

    def shorthand(self, meta: Meta, children: list[Token]) -> syntax.Shorthand:
        words = [each for each in children if each.type == "STRING"]
        names = [each for each in children if each.type == "NAME"]
        if names and str(names[0]) != "on":
            message = f"did not expect {quote(names[0])} here; write `on` before a relation"
            self._blame(self._token_span(names[0]), "no_polar", message)
        granted, held, *relation = (self._constant(self._token_span(each), each) for each in words)
        return syntax.Shorthand(self._span(meta), granted, held, relation[0] if relation else None)

    def _token_span(self, token: Token) -> Span:
        return Span(
            self._source.name,
            token.line or 1,
            token.column or 1,
            token.end_line or 1,
            token.end_column or 1,
        )

    def _blame(self, span: Span, code: str, message: str) -> None:
        self.faults.append(make_fault(self._source, span, code, message))

    def _blame_repeated(self, span: Span, names: Iterable[str]) -> None:
        seen = set[str]()
        for name in names:
            if name in seen:
                self._blame(span, "no_polar", f"{quote(name)} is given twice; leave one out")
            seen.add(name)


def explain_stray(word: Token) -> str:
    """Say what is wrong with what is no word of Polar."""
    if word.type == "UNCLOSED":
        return 'this text has no end; close it with `"` on the same line'
    if word == "\ufeff":
        return "the file has a byte order mark here; save it as UTF-8 without one"
    shown = str(word) if word.isprintable() else f"U+{ord(word):04X}"
    return f"did not expect the character `{shown}`"
