"""What can be changed in a policy, one thing at a time.

Each operator gives edits of the text, so that a mutant is a policy like any other. A rule or a
condition that is dropped is not cut out, but gives way to what never or always holds: so no rule is
missing that others ask, and nothing has to be put right around the gap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeVar

from authz_service.polar import syntax
from authz_service.polar.traversal import find_conditions, find_nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from authz_service.mutation.words import Word, Words
    from authz_service.polar.syntax import Rule, Shorthand, Span, Statement, Term
    from authz_service.polar.text import Source

N = TypeVar("N", bound=syntax.Node)

_ALWAYS: Final = "1 = 1"
_NEVER: Final = "1 = 2"
_OTHER_OPERATORS: Final = {
    "=": "!=",
    "==": "!=",
    "!=": "=",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
}
# What stands between two conditions, or two values; in a comment, neither is meant.
_CONNECTIVE: Final = re.compile(r"#[^\r\n]*|\b(and|or)\b")
_OPERATOR: Final = re.compile(r"#[^\r\n]*|([!<>=]=?)")
_ESCAPED: Final = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
)


@dataclass(frozen=True)
class Edit:
    """A change of a text.

    Arguments:
        span: what is replaced.
        text: what stands there then.
        place: where the change is told to be.
        before, after: what is told of it; empty for what was not there, or is no more there.
    """

    span: Span
    text: str
    place: Span
    before: str
    after: str


@dataclass(frozen=True)
class Site:
    """Where something is changed.

    Arguments:
        source: the file.
        words: what could stand in place of its words.
    """

    source: Source
    words: Words

    def read(self, node: syntax.Node) -> str:
        """Read a piece of it as it is written."""
        return self.source.read(node.span)

    def replace(self, node: syntax.Node, text: str) -> Edit:
        """Write something else in the place of a piece."""
        return Edit(node.span, text, node.span, self.read(node), text)

    def drop(self, node: syntax.Node, neutral: str) -> Edit:
        """Write in the place of a piece what does the same as leaving it out."""
        return Edit(node.span, neutral, node.span, self.read(node), "")


def _drop_rule(rule: Rule, site: Site) -> Iterator[Edit]:
    head = site.read(rule)
    if _is_fact(rule):
        yield Edit(rule.span, f"{head} if {_NEVER}", rule.span, head, "")
    else:
        yield Edit(rule.body.span, _NEVER, rule.span, head, "")


def _negate_rule(rule: Rule, site: Site) -> Iterator[Edit]:
    body = rule.body
    # one with a single condition is negated with that
    if isinstance(body, syntax.And) and not _is_fact(rule):
        yield site.replace(body, f"not ({site.read(body)})")


def _drop_condition(rule: Rule, site: Site) -> Iterator[Edit]:
    for term, neutral in _find_parts(rule.body):
        yield site.drop(term, neutral)


def _negate_condition(rule: Rule, site: Site) -> Iterator[Edit]:
    for term, _ in _find_parts(rule.body):
        inner = term.condition if isinstance(term, syntax.Not) else None
        text = f"({site.read(inner)})" if inner else f"not ({site.read(term)})"
        yield site.replace(term, text)


def _drop_field(rule: Rule, site: Site) -> Iterator[Edit]:
    for pattern in _find(rule, syntax.TypePattern):
        for number in range(len(pattern.fields)):
            rest = pattern.fields[:number] + pattern.fields[number + 1 :]
            fields = ", ".join(f"{name}: {site.read(value)}" for name, value in rest)
            braces = f"{{{fields}}}" if rest or not pattern.type_name else ""
            yield site.replace(pattern, f"{pattern.type_name}{braces}")


def _widen_list(rule: Rule, site: Site) -> Iterator[Edit]:
    for term in _find(rule, syntax.ListTerm):
        items = [site.read(each) for each in term.items]
        words = [each for each in term.items if isinstance(each, syntax.Constant)]
        known = {each.value for each in words}
        others = dict.fromkeys(other for each in words for other in site.words.find_others(each))
        for other in others:
            if other not in known:
                more = _write_word(other)
                yield Edit(term.span, _write_list([*items, more]), term.span, "", more)


def _narrow_list(rule: Rule, site: Site) -> Iterator[Edit]:
    for term in _find(rule, syntax.ListTerm):
        items = [site.read(each) for each in term.items]
        # without its only item, the condition is dropped
        for number, item in enumerate(term.items if len(items) > 1 else ()):
            rest = _write_list(items[:number] + items[number + 1 :])
            yield Edit(term.span, rest, item.span, items[number], "")


def _swap_word(rule: Rule, site: Site) -> Iterator[Edit]:
    for word in _find(rule, syntax.Constant):
        yield from _swap(word, site)


def _swap(word: syntax.Constant, site: Site) -> Iterator[Edit]:
    for other in site.words.find_others(word):
        yield site.replace(word, _write_word(other))


def _change_operator(rule: Rule, site: Site) -> Iterator[Edit]:
    for term in find_conditions(rule.body):
        if isinstance(term, syntax.Comparison):
            parts, other = (term.left, term.right), _OTHER_OPERATORS[term.operator]
            yield site.replace(term, _replace_between(site, term, parts, _OPERATOR, other))


def _change_connective(rule: Rule, site: Site) -> Iterator[Edit]:
    for term in find_nodes(rule.body):
        if isinstance(term, (syntax.And, syntax.Or)) and term.conditions:
            parts, other = term.conditions, "or" if isinstance(term, syntax.And) else "and"
            yield site.replace(term, _replace_between(site, term, parts, _CONNECTIVE, other))


def _is_fact(rule: Rule) -> bool:
    """Tell whether a rule holds without any condition."""
    return isinstance(rule.body, syntax.And) and not rule.body.conditions


def _find_parts(body: Term) -> Iterator[tuple[Term, str]]:
    """Find the conditions of a rule, each with what does the same as leaving it out."""
    if isinstance(body, syntax.And):
        for each in body.conditions:
            yield from _find_parts_in(each, _ALWAYS)
    else:
        yield from _find_parts_in(body, _ALWAYS)


def _find_parts_in(term: Term, neutral: str) -> Iterator[tuple[Term, str]]:
    yield term, neutral
    inner = term
    while isinstance(inner, syntax.Not):  # what is negated is changed with its `not`
        inner = inner.condition
    match inner:
        case syntax.And(conditions=conditions):
            for each in conditions:
                yield from _find_parts_in(each, _ALWAYS)
        case syntax.Or(conditions=conditions):
            for each in conditions:
                yield from _find_parts_in(each, _NEVER)
        case syntax.ForAll(condition=condition, consequence=consequence):
            yield from _find_parts_in(condition, _ALWAYS)
            yield from _find_parts_in(consequence, _ALWAYS)


def _replace_between(
    site: Site, whole: syntax.Node, parts: Sequence[Term], sign: re.Pattern[str], other: str
) -> str:
    """Replace the sign that stands between the parts of something."""
    source, text, written = site.source, site.source.text, ""
    around = source.find(whole.span)
    start = around.start
    for left, right in pairwise(parts):
        gap = slice(source.find(left.span).stop, source.find(right.span).start)
        written += text[start : gap.start]
        written += sign.sub(lambda found: other if found[1] else found[0], text[gap])
        start = gap.stop
    return written + text[start : around.stop]


def _find(node: object, kind: type[N]) -> Iterator[N]:
    return (each for each in find_nodes(node) if isinstance(each, kind))


def _write_list(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


def _write_word(word: Word) -> str:
    """Write a value as policies do."""
    if isinstance(word, bool):
        return str(word).lower()
    return f'"{word.translate(_ESCAPED)}"' if isinstance(word, str) else str(word)


OPERATORS: Final[Mapping[str, Callable[[Rule, Site], Iterator[Edit]]]] = {
    "drop-rule": _drop_rule,
    "negate-rule": _negate_rule,
    "drop-condition": _drop_condition,
    "negate-condition": _negate_condition,
    "drop-field": _drop_field,
    "widen-list": _widen_list,
    "narrow-list": _narrow_list,
    "swap-word": _swap_word,
    "change-operator": _change_operator,
    "change-connective": _change_connective,
}


def find_edits(
    statement: Statement, operator: str, source: Source, words: Words
) -> Iterator[tuple[str, Edit]]:
    """Find what an operator can change in a statement, each with the name of the rule.

    The sentences that tell people the reasons are left alone: they decide nothing.

    Arguments:
        statement: a rule, or a block; there is nothing to change in any other.
        operator: which one.
        source: the file of the statement.
        words: what could stand in place of its words.
    """
    site = Site(source, words)
    if isinstance(statement, syntax.Rule) and statement.name != "reason":
        for edit in OPERATORS[operator](statement, site):
            yield statement.name, edit
    elif isinstance(statement, syntax.Block):
        for shorthand in statement.shorthands:
            for edit in _find_in_shorthand(shorthand, operator, site):
                yield statement.type_name, edit


def _find_in_shorthand(shorthand: Shorthand, operator: str, site: Site) -> Iterator[Edit]:
    if operator == "drop-rule":
        yield site.drop(shorthand, "")
    elif operator == "swap-word":
        yield from _swap(shorthand.granted, site)
        yield from _swap(shorthand.held, site)
