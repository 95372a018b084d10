"""Records of CSV, in which no spreadsheet finds a formula."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# With which a cell begins that a spreadsheet takes for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
# Before Python 3.13 of all ends of lines only these are quoted inside a cell.
_END: Final = "\r\n"


def write_record(cells: Iterable[object]) -> str:
    """Write a record on one line, without its end; a text like a formula gets an apostrophe."""
    text = io.StringIO()
    csv.writer(text, lineterminator=_END).writerow(map(_write_cell, cells))
    return text.getvalue().removesuffix(_END)


def _write_cell(value: object) -> object:
    if isinstance(value, (int, float)):
        return value
    return f"'{value}" if str(value).startswith(_FORMULA) else value
