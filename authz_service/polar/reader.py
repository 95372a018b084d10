"""Polar text in, a syntax tree out; what is not read is told with its place and what to write.

A statement that cannot be read does not hide the faults of those after it: it is blanked out, and
the rest is read. Brackets are counted beforehand, so that no text can exhaust the stack, here or in
oso.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from lark import Lark, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from authz_service.polar.builder import TreeBuilder
from authz_service.polar.syntax import Span
from authz_service.polar.text import make_fault

if TYPE_CHECKING:
    from authz_service.errors import Fault
    from authz_service.polar import syntax
    from authz_service.polar.text import Source

_DEEPEST: Final = 100
_MOST_FAULTS: Final = 50
_TEXT_OR_COMMENT: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"?|#[^\n]*')


@dataclass(frozen=True)
class Reading:
    """What came of reading a file: its statements, and everything that is wrong with the text."""

    statements: tuple[syntax.Statement, ...]
    faults: tuple[Fault, ...]


def read_policy(source: Source) -> Reading:
    """Read one file."""
    deep = _find_depth(source)
    if deep:
        return Reading((), (deep,))
    text = source.text
    faults: list[Fault] = []
    while len(faults) < _MOST_FAULTS:
        builder = TreeBuilder(source)
        try:
            tree = _load_parser().parse(text)
            statements = builder.transform(tree)
        except UnexpectedInput as error:
            offset = _offset(error, text)
            faults.append(_describe(source, error, offset))
            text = _blank_statement(text, offset)
        else:
            return Reading(tuple(statements), (*faults, *builder.faults))
    return Reading((), tuple(faults))


@functools.cache
def _load_parser() -> Lark:
    """Build the parser, once: it takes longer than most policies."""
    grammar = files("authz_service.polar").joinpath("grammar.lark").read_text("utf-8")
    return Lark(
        grammar, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=False
    )


def _find_depth(source: Source) -> Fault | None:
    depth = 0
    plain = _TEXT_OR_COMMENT.sub(lambda found: " " * len(found[0]), source.text)
    for found in re.finditer(r"[\[\](){}]", plain):
        depth += 1 if found[0] in "[({" else -1
        if depth > _DEEPEST:
            span = _span_at(source, found.start(), 1)
            message = f"is nested deeper than {_DEEPEST} brackets; give parts of it a name"
            return make_fault(source, span, "nested_too_deep", message)
    return None


def _span_at(source: Source, offset: int, length: int) -> Span:
    line = source.text.count("\n", 0, offset) + 1
    column = offset - (source.text.rfind("\n", 0, offset) + 1) + 1
    return Span(source.name, line, column, line, column + length)


def _offset(error: UnexpectedInput, text: str) -> int:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return len(text.rstrip())
    position: int = getattr(error, "pos_in_stream", 0)
    return position


def _describe(source: Source, error: UnexpectedInput, offset: int) -> Fault:
    if isinstance(error, UnexpectedCharacters):
        found = source.text[offset]
        if found == '"':
            message = 'this text has no end; close it with `"` on the same line'
            return make_fault(source, _span_at(source, offset, 1), "no_polar", message)
        message = f"did not expect the character `{found}`"
        return make_fault(source, _span_at(source, offset, 1), "no_polar", message)
    token = error.token if isinstance(error, UnexpectedToken) else None
    if token is None or token.type == "$END":
        message = "the file ends in the middle of a statement; is a `;` missing?"
        return make_fault(source, _span_at(source, max(offset - 1, 0), 1), "no_polar", message)
    message = f"did not expect `{token}` here{_hint(error)}"
    return make_fault(source, _span_at(source, offset, len(token)), "no_polar", message)


def _hint(error: UnexpectedInput) -> str:
    wanted = set(error.accepts or error.expected) if isinstance(error, UnexpectedToken) else set()
    if "SEMICOLON" in wanted:
        return "; is a `;` missing before it?"
    if wanted and wanted <= {"RPAR", "COMMA"}:
        return "; is a `)` missing before it?"
    return ""


def _blank_statement(text: str, offset: int) -> str:
    """Put blanks in place of the statement around an offset, so that the rest can be read."""
    plain = _TEXT_OR_COMMENT.sub(lambda found: " " * len(found[0]), text)
    start = plain.rfind(";", 0, offset) + 1
    end = plain.find(";", offset)
    end = len(text) if end < 0 else end + 1
    blank = re.sub(r"[^\n]", " ", text[start:end])
    return text[:start] + blank + text[end:]
