"""Polar text in, a syntax tree out; what is not read is told with its place and what to write.

The text is cut into words, the words into statements, and each statement is read on its own: one
that cannot be read does not hide the faults of the others, and time grows with the text and no
faster. How deep and how long a statement may be is limited, so that none can exhaust the stack,
here or in oso, whose time grows with the square of a statement's length.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from lark import Lark, UnexpectedToken

from authz_service.errors import quote
from authz_service.polar.builder import TreeBuilder, explain_stray
from authz_service.polar.syntax import Span
from authz_service.polar.text import make_fault

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from lark import Token

    from authz_service.errors import Fault
    from authz_service.polar import syntax
    from authz_service.polar.text import Source

_DEEPEST: Final = 100
_LONGEST: Final = 10_000
_MOST_FAULTS: Final = 50
_OPENING: Final = frozenset({"LPAR", "LSQB", "LBRACE"})
_CLOSING: Final = frozenset({"RPAR", "RSQB", "RBRACE"})
_KEYWORDS: Final = frozenset(
    {"type", "if", "in", "and", "or", "matches", "new", "cut", "debug", "print", "forall"}
    | {"true", "false", "mod", "rem", "inf", "nan", "isa"}
)
# How statements begin that cannot be part of a block, and what stands before; where one does, the
# block's `}` is missing.
_BEGINNINGS: Final = (
    ("NAME", "LPAR"),
    ("TYPE", "NAME", "LPAR"),
    ("NAME", "NAME", "LBRACE"),
    ("QUERY",),
)
_BEFORE: Final = frozenset({"SEMICOLON", "LBRACE", "RBRACE", "RSQB", "STRING"})


@dataclass(frozen=True)
class Reading:
    """What came of reading a file: its statements, and everything that is wrong with the text."""

    statements: tuple[syntax.Statement, ...]
    faults: tuple[Fault, ...]


class Word(NamedTuple):
    """A word as it is written: its kind, as the grammar calls it, and where it begins and ends."""

    kind: str
    text: str
    start: int
    end: int


def read_policy(source: Source) -> Reading:
    """Read one file; after very many faults, the rest is left unread."""
    broken = _find_half_character(source)
    if broken:
        return Reading((), (broken,))
    builder = TreeBuilder(source)
    statements: list[syntax.Statement] = []
    for words in _cut_statements(_cut_words(source)):
        statement = _read_statement(source, builder, words)
        if statement:
            statements.append(statement)
        if len(builder.faults) >= _MOST_FAULTS:
            break
    return Reading(tuple(statements), tuple(sorted(builder.faults)))


def find_words(source: Source) -> list[list[Word]]:
    """Find the words of each statement of a file that can be read; comments are none."""
    return [
        [Word(each.type, str(each), each.start_pos or 0, each.end_pos or 0) for each in words]
        for words in _cut_statements(_cut_words(source))
    ]


@functools.cache
def _load_parser() -> Lark:
    """Build the parser, once: it takes longer than most policies."""
    grammar = files("authz_service.polar").joinpath("grammar.lark").read_text("utf-8")
    return Lark(
        grammar, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=False
    )


def _find_half_character(source: Source) -> Fault | None:
    """Find a surrogate, which no file in UTF-8 can hold and oso refuses."""
    try:
        source.text.encode()
    except UnicodeEncodeError as error:
        line = source.text.count("\n", 0, error.start) + 1
        column = error.start - source.text.rfind("\n", 0, error.start)
        span = Span(source.name, line, column, line, column + 1)
        return make_fault(source, span, "no_polar", "this is half of a character; write it whole")
    return None


def _cut_words(source: Source) -> Iterator[Token]:
    parser = _load_parser().parse_interactive(source.text)
    lexer = parser.lexer_thread
    words: Iterator[Token] = lexer.lex(parser.parser_state)  # type: ignore[no-untyped-call]  # as below
    return words


def _cut_statements(words: Iterable[Token]) -> Iterator[list[Token]]:
    """Cut behind each `;` or, in a block, behind the `}` of its `{`."""
    statement: list[Token] = []
    braces = 0
    for word in words:
        if len(statement) <= _LONGEST:
            statement.append(word)
        if braces or (word.type == "LBRACE" and _is_block(statement)):
            braces += (word.type == "LBRACE") - (word.type == "RBRACE")
            own = _count_beginning(statement)
            if own:
                yield statement[:-own]
                statement = statement[-own:]
                braces = int(word.type == "LBRACE")
            elif not braces:
                yield statement
                statement = []
        elif word.type == "SEMICOLON" or (word.type == "UNCLOSED" and word.endswith(";")):
            yield statement
            statement = []
    if statement:
        yield statement


def _is_block(words: Sequence[Token]) -> bool:
    """Tell whether words begin a block: only names stand before the first `{`."""
    for word in words:
        if word.type == "LBRACE":
            return True
        if word.type not in {"NAME", "STRING", "TYPE"}:
            return False
    return False


def _count_beginning(words: Sequence[Token]) -> int:
    """Count the words at the end of a block's that begin another statement."""
    if words[-1].type in {"LPAR", "LBRACE", "QUERY"}:
        for beginning in _BEGINNINGS:
            kinds = tuple(word.type for word in words[-len(beginning) - 1 :])
            if kinds[1:] == beginning and kinds[0] in _BEFORE:
                return len(beginning)
    return 0


def _read_statement(
    source: Source, builder: TreeBuilder, words: list[Token]
) -> syntax.Statement | None:
    """Read a statement; of a block that is broken, the declarations are read one by one."""
    broken = False
    while words:
        fault = _find_excess(source, words)
        if fault:
            builder.faults.append(fault)
            return None
        parser = _load_parser().parse_interactive()
        index = 0
        try:
            for index, word in enumerate(words):  # noqa: B007  # where it failed
                parser.feed_token(word)
            index = len(words)
            tree = parser.feed_eof(words[-1])  # type: ignore[no-untyped-call]  # as below
        except UnexpectedToken as error:
            seen = words[: index + 1]
            wanted = parser.accepts()  # type: ignore[no-untyped-call]  # lark types only some
            builder.faults.append(_describe(source, seen, error.token, wanted))
            broken = True
            words = _leave_out(words, index) if len(builder.faults) < _MOST_FAULTS else []
        else:
            statement = builder.transform(tree)
            return None if broken else statement
    return None


def _find_excess(source: Source, words: Sequence[Token]) -> Fault | None:
    if len(words) > _LONGEST:
        message = f"this statement is longer than {_LONGEST} words; make several of it"
        return make_fault(source, _span(source, words[0]), "too_long", message)
    depth = 0
    for word in words:
        depth += (word.type in _OPENING) - (word.type in _CLOSING)
        if depth > _DEEPEST:
            message = f"is nested deeper than {_DEEPEST} brackets; give parts of it a name"
            return make_fault(source, _span(source, word), "nested_too_deep", message)
    return None


def _leave_out(words: list[Token], index: int) -> list[Token]:
    """Leave out the declaration of a block around a word; of anything else, nothing remains."""
    kinds = [word.type for word in words]
    opening = kinds.index("LBRACE") if _is_block(words) else len(words)
    if not opening < index < len(words):
        return []
    start = max(opening, *(at for at in range(index) if kinds[at] == "SEMICOLON"), 0)
    semicolons = (at + 1 for at in range(index, len(words)) if kinds[at] == "SEMICOLON")
    end = next(semicolons, len(words) - 1)
    rest = words[: start + 1] + words[end:]
    return rest if len(rest) < len(words) else []


def _describe(
    source: Source, words: Sequence[Token], token: Token, wanted: Collection[str]
) -> Fault:
    unclosed = next((word for word in words if word.type == "UNCLOSED"), None)
    if unclosed:  # whatever went wrong, it began there
        return make_fault(source, _span(source, unclosed), "no_polar", explain_stray(unclosed))
    if token.type == "$END":
        message = "the file ends in the middle of a statement; is a `;` missing?"
        if _is_block(words):
            message = "this block has no end; is a `}` missing?"
        return make_fault(source, _span(source, words[-1]), "no_polar", message)
    if token.type == "STRAY":
        return make_fault(source, _span(source, token), "no_polar", explain_stray(token))
    message = f"did not expect {quote(token)} here{_hint(token, wanted)}"
    return make_fault(source, _span(source, token), "no_polar", message)


def _hint(token: Token, wanted: Collection[str]) -> str:
    if token.type == "NOT":
        return "; put it in parentheses together with what it negates"
    if token in _KEYWORDS and "NAME" in wanted:
        return "; it is a word of Polar's own, so no name"
    if token.type == "NUMBER" and token[0] in "+-":
        return "; arithmetic is not used in policies"
    if token.type in {"COMPARATOR", "EQUALS", "IN", "MATCHES"} and "AND" in wanted:
        return "; compare two values at a time, with `and` between"
    sign = _find_missing(token, wanted)
    return f"; is a `{sign}` missing before it?" if sign else ""


def _find_missing(token: Token, wanted: Collection[str]) -> str:
    if token.type in {"NAME", "TYPE", "QUERY", "STRING", "RBRACE"} and "SEMICOLON" in wanted:
        return ";"
    return ")" if token.type in {"IF", "SEMICOLON"} and "RPAR" in wanted else ""


def _span(source: Source, token: Token) -> Span:
    line, column = token.line or 1, token.column or 1
    return Span(source.name, line, column, token.end_line or line, token.end_column or column + 1)
