"""Lines of a file that is laid out anew, with comments above and behind them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH: Final = 100
_GAP: Final = 2


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


@dataclass(frozen=True)
class Line:
    """A line, and the comment behind it."""

    text: str
    remark: Remark | None = None


def join_lines(lines: Iterable[Line]) -> str:
    """Put lines together; comments behind lines that follow each other stay in one column."""
    written: list[str] = []
    for has_remark, group in groupby(lines, lambda line: line.remark is not None):
        same = list(group)
        if not has_remark:
            written += [line.text for line in same]
            continue
        columns = {line.remark.column for line in same if line.remark}
        widest = max(len(line.text) for line in same) if len(columns) == 1 else 0
        written += [
            f"{line.text:{widest}}{' ' * _GAP}{line.remark.text}" for line in same if line.remark
        ]
    return "".join(f"{line}\n" for line in written)
