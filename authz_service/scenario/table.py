"""A table of a scenario: who can do what, read cell by cell.

table:
  - [who,           view, manage_account]
  - [person/philip, yes,  yes]
  - [person/mary,   yes,  not_permitted]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authz_service.document import Scalar, Sequence
from authz_service.errors import Fault, quote
from authz_service.scenario.inquiry import Expectation
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.document import Value

_CORNER: Final = "who"
# YAML 1.1 takes these for truth values, YAML 1.2 some of them for words.
_YES: Final = frozenset({"yes", "true", "on"})
_NO: Final = frozenset({"no", "false", "off"})
_LEAST: Final = 2


@dataclass(frozen=True)
class Row:
    """What some people can do.

    Arguments:
        subjects: who; more than one where the row begins with a list.
        expected: a cell each.
    """

    subjects: tuple[Reference, ...]
    expected: tuple[Expectation, ...]


class TableReader:
    """Reads tables.

    Attributes:
        faults: what was wrong so far.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def read(self, table: Value) -> list[Row]:
        """Read one table; what cannot be read is among the faults, and left out."""
        rows = table.items if isinstance(table, Sequence) else ()
        if len(rows) < _LEAST:
            message = "must be a list of rows: first `[who, ACTION, ...]`, then one for each person"
            self._blame(table, "invalid_value", f"`table` {message}")
            return []
        actions = self._read_head(rows[0])
        found, lines = [], dict[Reference, int]()
        for each in rows[1:]:
            row = self._read_row(each, actions)
            if row is None:
                continue
            found.append(row)
            for subject in row.subjects:
                if subject in lines:
                    message = f"{quote(str(subject))} is in line {lines[subject]} already"
                    self._blame(each, "row_twice", f"{message}; a table has one row for each")
                lines.setdefault(subject, each.place.line)
        return found

    def _read_head(self, head: Value) -> list[str]:
        cells = head.items if isinstance(head, Sequence) else ()
        words = [_find_word(each) for each in cells]
        if len(words) < _LEAST or words[0] != _CORNER:
            message = f"a table begins with a row `[{_CORNER}, ACTION, ...]`"
            self._blame(head, "invalid_table", message)
            return []
        for number, cell in enumerate(cells[1:], start=1):
            if not words[number]:
                self._blame(cell, "invalid_cell", "must be the name of an action")
            elif words[number] in words[1:number]:
                message = f"{quote(words[number])} has a column already; a table has one for each"
                self._blame(cell, "action_twice", message)
        return words[1:]

    def _read_row(self, row: Value, actions: list[str]) -> Row | None:
        cells = row.items if isinstance(row, Sequence) else ()
        if not cells:
            self._blame(row, "invalid_table", "a row begins with who, as in `[person/mary, yes]`")
            return None
        if actions and len(cells) != len(actions) + 1:
            message = f"this row has {len(cells)} cells, and the first one has {len(actions) + 1}"
            self._blame(row, "invalid_table", message)
            return None
        who = tuple(_items(cells[0])) or (cells[0],)
        subjects = tuple(self._read_subjects(who))
        expected = tuple(self._read_cells(actions, cells[1:]))
        return Row(subjects, expected)

    def _read_subjects(self, cells: tuple[Value, ...]) -> Iterator[Reference]:
        for each in cells:
            try:
                yield Reference.parse(_find_word(each))
            except ValueError:
                self._blame(each, "invalid_cell", "must be an entity such as `person/mary`")

    def _read_cells(self, actions: list[str], cells: tuple[Value, ...]) -> Iterator[Expectation]:
        for action, cell in zip(actions, cells, strict=False):
            reasons = [cell] if isinstance(cell, Scalar) else _items(cell)
            if isinstance(cell, Scalar) and cell.text.lower() in _YES | _NO:
                yield Expectation(cell.place, action, allowed=cell.text.lower() in _YES)
            elif reasons and all(map(_find_word, reasons)):
                codes = tuple(map(_find_word, reasons))
                yield Expectation(cell.place, action, allowed=False, reasons=codes)
            else:
                message = "a cell is `yes`, `no`, the reason of a denial, or a list of reasons"
                self._blame(cell, "invalid_cell", message)

    def _blame(self, value: Value, code: str, message: str) -> None:
        self.faults.append(Fault(value.place, code, message))


def _items(value: Value) -> list[Value]:
    return list(value.items) if isinstance(value, Sequence) else []


def _find_word(value: Value) -> str:
    """Find the text that a cell is; empty where it is none."""
    return value.text if isinstance(value, Scalar) and value.kind == "str" else ""
