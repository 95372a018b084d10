"""A page on which the words of a policy are put, line by line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from authz_service.formatting.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz_service.formatting.lines import Remark
    from authz_service.formatting.pieces import Piece

INDENT: Final = 4
_NOTHING_BEFORE: Final = frozenset({"COMMA", "SEMICOLON", "RPAR", "RSQB", "RBRACE", "DOT", "COLON"})
_NOTHING_BEHIND: Final = frozenset({"LPAR", "LSQB", "LBRACE", "DOT"})
_NAMES: Final = frozenset({"NAME", "FORALL"})


@dataclass
class Page:
    """Lines under way.

    Attributes:
        lines: those that are complete.
        indent: how far the line that is being written is indented.
        loose: whether braces have spaces inside, as they do in blocks.
    """

    lines: list[Line] = field(default_factory=list)
    indent: int = 0
    loose: bool = False
    _text: str = ""
    _last: Piece | None = None
    _is_opened: bool = True
    _waiting: list[tuple[Remark, bool]] = field(default_factory=list)

    @property
    def column(self) -> int:
        """Where the next word would stand at the earliest."""
        return len(self._text) or self.indent

    def write(self, piece: Piece) -> None:
        """Write a word; comments wait for the end of the line, unless it begins one."""
        if self._last is None:
            self._write_above(piece)
            self._text = " " * self.indent
        else:
            self._waiting += [(remark, False) for remark in piece.above]
            self._text += " " * self.needs_space(self._last, piece)
        self._text += piece.text
        self._last = piece
        if piece.behind:
            self._waiting.append((piece.behind, True))

    def end_line(self, indent: int, *, opens: bool = False) -> None:
        """Complete the line.

        Of several comments that wait, one can stand behind the line; the others stand above it.

        Arguments:
            indent: that of the next line.
            opens: whether no blank line may come next.
        """
        if self._last is not None:
            behind = self._waiting.pop()[0] if self._waiting and self._waiting[-1][1] else None
            words = self._text.lstrip()
            # above a bracket that ends something, comments are still inside of it
            margin = len(self._text) - len(words) + INDENT * (words[0] in ")]}")
            self.lines += [Line(f"{' ' * margin}{remark.text}") for remark, _ in self._waiting]
            self.lines.append(Line(self._text, behind))
            self._text, self._last, self._waiting = "", None, []
            self._is_opened = opens
        self.indent = indent

    def write_remarks(self, remarks: Iterable[Remark]) -> None:
        """Write comments on lines of their own."""
        for each in remarks:
            if each.spaced:
                self._write_blank()
            self.lines.append(Line(f"{' ' * self.indent}{each.text}"))
            self._is_opened = False

    def needs_space(self, last: Piece, piece: Piece) -> bool:
        """Tell whether two words on a line stand apart."""
        if self.loose and "LBRACE" in {last.kind, piece.kind}:
            return piece.kind != "RBRACE"
        if self.loose and piece.kind == "RBRACE":
            return True
        if piece.kind in _NOTHING_BEFORE or last.kind in _NOTHING_BEHIND:
            return False
        if piece.kind == "LPAR":
            return last.kind not in _NAMES
        return not (piece.kind == "LBRACE" and last.kind == "NAME")

    def measure(self, pieces: Iterable[Piece]) -> int:
        """Find how long words are on one line, behind those that stand there."""
        length, last = 0, self._last
        for piece in pieces:
            length += len(piece.text) + bool(last and self.needs_space(last, piece))
            last = piece
        return length

    def _write_above(self, piece: Piece) -> None:
        self.write_remarks(piece.above)
        if piece.spaced:
            self._write_blank()

    def _write_blank(self) -> None:
        if not self._is_opened:
            self.lines.append(Line(""))
