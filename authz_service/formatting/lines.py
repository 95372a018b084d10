"""Lines of a file that is laid out anew, with comments above and behind them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH: Final = 100


class Remark(NamedTuple):
    """A comment.

    Arguments:
        text: from its `#` on, without the white space at its end.
        column: at which it stood, counted from 0.
        spaced: whether there was a blank line before it.
    """

    text: str
    column: int
    spaced: bool = False


class Line(NamedTuple):
    """A line, and the comment behind it."""

    text: str
    remark: Remark | None = None


_BLANK: Final = Line("")


def join_lines(lines: Sequence[Line]) -> str:
    """Put lines together; comments that stood in one column of a paragraph stay in one."""
    written: list[str] = []
    for is_blank, group in groupby(lines, lambda line: line == _BLANK):
        paragraph = list(group)
        written += [""] * len(paragraph) if is_blank else _join_paragraph(paragraph)
    return "".join(f"{line}\n" for line in written)


def _join_paragraph(lines: Sequence[Line]) -> Iterator[str]:
    widest: dict[int, int] = {}
    for text, remark in lines:
        if remark:
            widest[remark.column] = max(widest.get(remark.column, 0), len(text))
    for text, remark in lines:
        yield f"{text:{widest[remark.column]}}  {remark.text}" if remark else text
