"""The text of a policy file, and faults that point into it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from authz_service.errors import Fault, Place

if TYPE_CHECKING:
    from authz_service.polar.syntax import Span

_WIDEST: Final = 120


@dataclass(frozen=True)
class Source:
    """One file of Polar: its name in messages, and its text."""

    name: str
    text: str

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines of the text, without what ends them."""
        return tuple(self.text.split("\n"))

    def find(self, span: Span) -> slice:
        """Find what stands somewhere, as a part of the text."""
        start, end = (
            self._starts[line - 1] + column - 1
            for line, column in ((span.line, span.column), (span.end_line, span.end_column))
        )
        return slice(start, end)

    def read(self, span: Span) -> str:
        """Read what stands somewhere."""
        return self.text[self.find(span)]

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        """Where each line begins."""
        return tuple(accumulate((len(line) + 1 for line in self.lines), initial=0))


def make_fault(source: Source, span: Span, code: str, message: str) -> Fault:
    """Build a fault with its place and the line underlined there."""
    line = source.lines[span.line - 1]
    end = span.end_column if span.end_line == span.line else len(line) + 1
    # of a long line, only the part that matters
    cut = max(0, span.column - 1 - _WIDEST // 2) if len(line) > _WIDEST else 0
    shown = _make_visible(line[cut : cut + _WIDEST].rstrip("\r"))
    before = span.column - 1 - cut
    marks = "^" * max(1, min(end - span.column, len(shown) - before))
    margin = re.sub(r"[^\t]", " ", shown[:before])
    number = str(span.line)
    excerpt = f"{number} | {shown}\n{' ' * len(number)} | {margin}{marks}"
    return Fault(Place(span.file, span.line, span.column), code, message, excerpt)


def _make_visible(line: str) -> str:
    """Replace what a terminal would obey instead of showing it; tabs stay."""
    return "".join(each if each.isprintable() or each == "\t" else "\ufffd" for each in line)
