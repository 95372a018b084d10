"""The text of a policy file, and faults that point into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
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


def make_fault(source: Source, span: Span, code: str, message: str) -> Fault:
    """Build a fault with its place and the line underlined there."""
    place = Place(span.file, span.line, span.column)
    line = source.text.split("\n")[span.line - 1]
    width = span.end_column - span.column if span.end_line == span.line else len(line)
    marks = "^" * max(1, min(width, len(line) + 1 - span.column))
    if len(line) > _WIDEST:  # show the part of a long line that matters
        cut = max(0, span.column - 1 - _WIDEST // 2)
        line, marks = line[cut : cut + _WIDEST], marks[: _WIDEST // 2]
        span = replace(span, column=span.column - cut)
    number = str(span.line)
    excerpt = f"{number} | {line}\n{' ' * len(number)} | {' ' * (span.column - 1)}{marks}"
    return Fault(place, code, message, excerpt)
