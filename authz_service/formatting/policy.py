"""A policy file laid out anew: only its white space changes, and no comment leaves its place.

A line has 100 columns. What a rule asks for stands on the line of its head, if that is where it was
put and there is room; otherwise each condition has a line of its own. A list that has no room on a
line has a line for each item. A head that is too long stays as it is, or, if it was in several
lines, gets one for each parameter.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from authz_service.errors import PolicyError
from authz_service.formatting.lines import WIDTH, join_lines
from authz_service.formatting.page import INDENT, Page
from authz_service.formatting.pieces import (
    Piece,
    build_item,
    find_pieces,
    find_texts,
    walk,
    walk_item,
)
from authz_service.polar.reader import read_policy
from authz_service.polar.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from authz_service.formatting.pieces import Group, Item
    from authz_service.polar.reader import Reading


def format_policy(source: Source) -> str:
    """Lay a policy file out anew.

    Raises:
        PolicyError: when it cannot be read, with every fault.
    """
    reading = read_policy(source)
    if reading.faults:
        raise PolicyError(reading.faults)
    statements, end = find_pieces(source)
    writer = _Writer(Page())
    for pieces in statements:
        writer.write_statement(pieces)
    writer.page.write_remarks(end)
    text = join_lines(writer.page.lines)
    if text != source.text:
        _check(source, reading, Source(source.name, text))
    return text


def _check(old: Source, reading: Reading, new: Source) -> None:
    """Refuse a layout that says something else: nothing must depend on this module being right."""
    is_same = find_texts(old) == find_texts(new) and read_policy(new) == reading
    if not is_same:
        message = "laid out anew, it would not say the same, so it was left alone; please report it"
        raise PolicyError.at(old.name, "format_failed", message)


class _Writer:
    """Writes statements on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def write_statement(self, pieces: Sequence[Piece]) -> None:
        """Write a statement, and end its last line."""
        if pieces[-1].kind == "RBRACE":
            self._write_block(pieces)
        elif pieces[0].kind == "QUERY":
            self._write_body([], pieces[0], pieces[1:-1], pieces[-1])
        else:
            head, rest = _split_head(pieces)
            if len(rest) == 1:
                self._write_head(head, rest[0])
                self._end_statement(rest[0])
            else:
                self._write_body(head, rest[0], rest[1:-1], rest[-1])

    def _write_body(
        self, head: Sequence[Piece], start: Piece, body: Sequence[Piece], end: Piece
    ) -> None:
        """Write conditions behind the word that they follow."""
        whole = [*head, start, *body, end]
        is_apart = any(piece.leads for piece in body)
        is_apart = is_apart or _has_remarks_within([*head, start, *body])
        if not (is_apart or end.above) and self.page.measure(whole) <= WIDTH:
            self._write_flat(whole)
            self.page.end_line(0)
            return
        self._write_head(head, start)
        self.page.write(start)
        self.page.end_line(INDENT, opens=True)
        self._write_item(build_item(body), 1, is_broken=True)
        self._end_statement(end)

    def _end_statement(self, end: Piece) -> None:
        """Write the semicolon, on a line of its own where comments are above it."""
        if end.above:
            self.page.end_line(self.page.indent)
            self._write_closing(end, 0)
        else:
            self.page.write(end)
        self.page.end_line(0)

    def _write_head(self, head: Sequence[Piece], follower: Piece) -> None:
        """Write a head; too long, it is broken only where whoever wrote it did so."""
        if not head:
            return
        [parts] = build_item(head).operands
        is_broken = any(piece.leads for piece in head[1:])
        is_broken = is_broken and self.page.measure([*head, follower]) > WIDTH
        for part in parts:
            if isinstance(part, Piece):
                self.page.write(part)
            elif is_broken or _is_remarked(part):
                self._write_broken(part)
            else:
                self._write_flat(walk([part]))

    def _write_item(self, item: Item, tail: int, *, is_broken: bool) -> None:
        """Write conditions, or a value.

        Arguments:
            item: which.
            tail: how many columns follow on the same line.
            is_broken: whether each condition has a line of its own.
        """
        for number, operand in enumerate(item.operands):
            joint = item.joints[number] if number < len(item.joints) else None
            self._write_parts(operand, len(joint.text) + 1 if joint else tail + bool(item.comma))
            if joint:
                self.page.write(joint)
                if is_broken:
                    self.page.end_line(self.page.indent)
        if item.comma:
            self.page.write(item.comma)

    def _write_parts(self, parts: Sequence[Piece | Group], tail: int) -> None:
        for number, part in enumerate(parts):
            if isinstance(part, Piece):
                self.page.write(part)
            else:
                length = self.page.measure(walk(parts[number:])) + tail
                has_room = self.page.column + length <= WIDTH
                if part.items and (_is_remarked(part) or not has_room):
                    self._write_broken(part)
                else:
                    self._write_flat(walk([part]))

    def _write_broken(self, group: Group) -> None:
        """Write a bracket with a line for each of the things in it."""
        indent = self.page.indent
        self.page.write(group.opening)
        self.page.end_line(indent + INDENT, opens=True)
        for item in group.items:
            words = list(walk_item(item))
            has_room = self.page.column + self.page.measure(words) <= WIDTH
            is_whole = has_room and not _has_remarks_within(words) and len(group.items) > 1
            self._write_item(item, 0, is_broken=not is_whole)
            self.page.end_line(self.page.indent)
        self._write_closing(group.closing, indent)

    def _write_flat(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self.page.write(piece)

    def _write_block(self, pieces: Sequence[Piece]) -> None:
        start = next(at for at, piece in enumerate(pieces) if piece.kind == "LBRACE")
        opening, inside, closing = pieces[: start + 1], pieces[start + 1 : -1], pieces[-1]
        self.page.loose = True
        if not inside and not _has_remarks_within(pieces[start:]):
            self._write_flat(pieces)
        else:
            self._write_flat(opening)
            self.page.end_line(INDENT, opens=True)
            declaration: list[Piece] = []
            for piece in inside:
                declaration.append(piece)
                if piece.kind == "SEMICOLON":
                    self._write_item(build_item(declaration), 0, is_broken=False)
                    self.page.end_line(INDENT)
                    declaration = []
            self._write_closing(closing, 0)
        self.page.end_line(0)
        self.page.loose = False

    def _write_closing(self, closing: Piece, indent: int) -> None:
        """Write a bracket that begins a line; comments above it belong to what is inside."""
        self.page.write_remarks(closing.above)
        self.page.indent = indent
        self.page.write(replace(closing, above=(), spaced=False))


def _split_head(pieces: Sequence[Piece]) -> tuple[Sequence[Piece], Sequence[Piece]]:
    """Split a rule behind the bracket in which its parameters end."""
    depth = 0
    for number, piece in enumerate(pieces):
        depth += (piece.kind == "LPAR") - (piece.kind == "RPAR")
        if piece.kind == "RPAR" and not depth:
            return pieces[: number + 1], pieces[number + 1 :]
    return pieces, ()


def _has_remarks_within(pieces: Sequence[Piece]) -> bool:
    """Tell whether there is a comment between the first and the last of some words."""
    return any(piece.behind for piece in pieces[:-1]) or any(piece.above for piece in pieces[1:])


def _is_remarked(group: Group) -> bool:
    return _has_remarks_within(list(walk([group])))
