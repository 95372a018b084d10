"""A policy's words with the comments at them, put together as brackets and `and`s have it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from authz_service.formatting.lines import Remark
from authz_service.polar.reader import find_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authz_service.polar.reader import Word
    from authz_service.polar.text import Source

_OPENING: Final = frozenset({"LPAR", "LSQB", "LBRACE"})
_CLOSING: Final = frozenset({"RPAR", "RSQB", "RBRACE"})
_BETWEEN: Final = re.compile(r"#[^\r\n]*|\r\n?|\n")


@dataclass(frozen=True)
class Piece:
    """A word with what stands at it.

    Arguments:
        kind: of the word, as the grammar calls it; `JOINT` for an `and` or `or` of conditions.
        text: as it is written.
        above: the comments between the word before and this one, on lines of their own.
        behind: the comment behind it.
        leads: whether it begins a line.
        spaced: whether a blank line is before it.
    """

    kind: str
    text: str
    above: tuple[Remark, ...] = ()
    behind: Remark | None = None
    leads: bool = False
    spaced: bool = False


@dataclass(frozen=True)
class Item:
    """Some conditions, or one value.

    Arguments:
        operands: what stands between the joints.
        joints: the `and` or `or` behind each operand but the last.
        comma: behind all of it.
    """

    operands: tuple[tuple[Piece | Group, ...], ...]
    joints: tuple[Piece, ...]
    comma: Piece | None = None


@dataclass(frozen=True)
class Group:
    """What stands in brackets."""

    opening: Piece
    items: tuple[Item, ...]
    closing: Piece


def find_pieces(source: Source) -> tuple[list[list[Piece]], tuple[Remark, ...]]:
    """Find the words of each statement with their comments, and the comments at the end."""
    statements: list[list[Piece]] = []
    place, line = 0, 0  # where the last word ends, and where its line begins
    for words in find_words(source):
        pieces: list[Piece] = []
        for number, word in enumerate(words):
            between = source.text[place : word.start]
            above, behind, spaced = _find_remarks(between, place - line)
            if behind:
                last = pieces or statements[-1]
                last[-1] = replace(last[-1], behind=behind)
            ended = 1 + max(map(between.rfind, "\r\n"))
            kind = _find_kind(words, number)
            pieces.append(Piece(kind, word.text, above, leads=ended > 0, spaced=spaced))
            line = place + ended if ended else line
            place = word.end
        statements.append(_move_from_joints(pieces))
    above, behind, _ = _find_remarks(source.text[place:], place - line)
    if behind:
        statements[-1][-1] = replace(statements[-1][-1], behind=behind)
    return statements, above


def find_texts(source: Source) -> tuple[list[str], list[str]]:
    """Find the texts of all words and of all comments of a file, each in their order."""
    statements, end = find_pieces(source)
    pieces = [piece for statement in statements for piece in statement]
    remarks = [*(remark for piece in pieces for remark in _all_remarks(piece)), *end]
    return [piece.text for piece in pieces], [remark.text for remark in remarks]


def _all_remarks(piece: Piece) -> Iterator[Remark]:
    """Go through the comments at a word."""
    yield from piece.above
    if piece.behind:
        yield piece.behind


def build_item(pieces: Sequence[Piece]) -> Item:
    """Put pieces together that are no list: conditions, or a value."""
    item, _ = _read_item(pieces, 0)
    return item


def walk(parts: Iterable[Piece | Group]) -> Iterator[Piece]:
    """Go through the words of parts in the order of the text."""
    for part in parts:
        if isinstance(part, Piece):
            yield part
            continue
        yield part.opening
        for item in part.items:
            yield from walk_item(item)
        yield part.closing


def walk_item(item: Item) -> Iterator[Piece]:
    """Go through the words of an item in the order of the text."""
    for operand, joint in zip(item.operands, (*item.joints, None), strict=True):
        yield from walk(operand)
        if joint:
            yield joint
    if item.comma:
        yield item.comma


def _find_kind(words: Sequence[Word], number: int) -> str:
    """Find the kind of a word; `and` may be the name of an attribute as well."""
    kind = words[number].kind
    if kind not in {"AND", "OR"}:
        return kind
    is_name = words[number - 1].kind == "DOT" or words[number + 1].kind == "COLON"
    return "NAME" if is_name else "JOINT"


def _find_remarks(between: str, column: int) -> tuple[tuple[Remark, ...], Remark | None, bool]:
    """Find the comments between two words, the one behind the first apart.

    Arguments:
        between: the text.
        column: at which it begins; at 0, no word is before it.

    Returns:
        the comments above, the comment behind, and whether a blank line stands last.
    """
    above: list[Remark] = []
    behind: Remark | None = None
    ends, line = int(not column), -column
    for found in _BETWEEN.finditer(between):
        if found[0][0] != "#":
            ends, line = ends + 1, found.end()
        else:
            remark = Remark(found[0].rstrip(), found.start() - line, ends > 1)
            if ends:
                above.append(remark)
            else:
                behind = remark
            ends = 0
    return tuple(above), behind, ends > 1


def _move_from_joints(pieces: Sequence[Piece]) -> list[Piece]:
    """Let comments above a comma, an `and` or an `or` stand above what follows it."""
    moved: list[Piece] = []
    carried: tuple[Remark, ...] = ()
    for piece in pieces:
        if piece.kind in {"JOINT", "COMMA"} and (piece.above or carried):
            carried = (*carried, *_all_remarks(piece))
            moved.append(replace(piece, above=(), behind=None))
        else:
            moved.append(replace(piece, above=(*carried, *piece.above)) if carried else piece)
            carried = ()
    return moved


def _read_item(pieces: Sequence[Piece], at: int) -> tuple[Item, int]:
    operands: list[tuple[Piece | Group, ...]] = []
    joints: list[Piece] = []
    operand: list[Piece | Group] = []
    comma = None
    while at < len(pieces) and pieces[at].kind not in _CLOSING:
        piece = pieces[at]
        if piece.kind == "COMMA":
            comma, at = piece, at + 1
            break
        if piece.kind == "JOINT":
            operands.append(tuple(operand))
            joints.append(piece)
            operand, at = [], at + 1
        elif piece.kind in _OPENING:
            group, at = _read_group(pieces, at)
            operand.append(group)
        else:
            operand.append(piece)
            at += 1
    return Item((*operands, tuple(operand)), tuple(joints), comma), at


def _read_group(pieces: Sequence[Piece], at: int) -> tuple[Group, int]:
    opening, at = pieces[at], at + 1
    items = []
    while pieces[at].kind not in _CLOSING:
        item, at = _read_item(pieces, at)
        items.append(item)
    return Group(opening, tuple(items), pieces[at]), at + 1
