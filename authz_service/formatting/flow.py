"""What stands in braces and brackets: in one line, in several, or in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz_service.formatting.lines import WIDTH, Line
from authz_service.formatting.nodes import Branch, Leaf

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz_service.formatting.nodes import Entry, Node


def has_remarks(node: Node) -> bool:
    """Tell whether there is a comment in a value."""
    if isinstance(node, Leaf):
        return False
    inside = any(each.above or each.behind or has_remarks(each.value) for each in node.entries)
    return inside or bool(node.end)


def write_in_one_line(node: Node) -> str:
    """Write a value that has no comments in one line."""
    if isinstance(node, Leaf):
        return node.text
    return _enclose(node, ", ".join(map(_write_entry, node.entries)))


def write_flow(branch: Branch, column: int) -> list[Line]:
    """Write a collection in as many lines as it takes.

    Arguments:
        branch: which.
        column: at which it begins; the first line is given without what stands before it.
    """
    opening, closing = _find_brackets(branch)
    lines: list[Line] = []
    text, begun = opening, False
    for entry in branch.entries:
        comma = "," * (entry is not branch.entries[-1])
        if entry.above:
            lines += [Line(text)] * bool(text.strip())
            lines += [Line(f"{' ' * column} {each.text}") for each in entry.above]
            text, begun = " " * (column + 1), False
        length = len(_write_entry(entry)) + 1
        used = len(text) if lines else column + len(text)
        if begun and used + 1 + length > WIDTH:
            lines.append(Line(text))
            text, begun, used = " " * (column + 1), False, column + 1
        text += " " * begun
        is_whole = used + begun + length <= WIDTH and not has_remarks(entry.value)
        if is_whole or isinstance(entry.value, Leaf):
            text += _write_entry(entry)
        else:
            start = f"{entry.key.text}: " if entry.key else ""
            first, *others = write_flow(entry.value, used + begun + len(start))
            inner = [Line(f"{text}{start}{first.text}", first.remark), *others]
            lines += inner[:-1]
            text = inner[-1].text
        text, begun = text + comma, True
        if entry.behind:
            lines.append(Line(text, entry.behind))
            text, begun = " " * (column + 1), False
    if branch.end:
        lines += [Line(text)] * begun
        lines += [Line(f"{' ' * column} {each.text}") for each in branch.end]
        text = " " * column
    return [*lines, Line(f"{text}{closing}")]


def find_table(branch: Branch) -> dict[int, str]:
    """Find the entries of a collection that are rows of a table, each as its line.

    A table is what somebody put in columns, each row on a line, however long that is.

    Arguments:
        branch: a collection in lines.
    """
    rows = {
        number: (entry, entry.value)
        for number, entry in enumerate(branch.entries)
        if isinstance(entry.value, Branch) and entry.value.is_flow and entry.is_whole
    }
    if not any(entry.is_wide for entry, _ in rows.values()):
        return {}
    widest = max(len(_write_start(entry)) for entry, _ in rows.values())
    columns = _find_columns(value for _, value in rows.values())
    return {
        number: f"{_write_start(entry):{widest}} {_write_row(value, columns)}"
        for number, (entry, value) in rows.items()
    }


def _find_columns(rows: Iterable[Branch]) -> dict[tuple[str, ...], int]:
    """Find how wide columns are: of what has the same names up to the next column."""
    widths: dict[tuple[str, ...], int] = {}
    for row in rows:
        for number, entry in enumerate(row.entries[:-1]):
            names = _find_names(row, number)
            widths[names] = max(widths.get(names, 0), len(_write_entry(entry)) + 1)
    return widths


def _find_names(row: Branch, number: int) -> tuple[str, ...]:
    return tuple(each.key.said if each.key else "" for each in row.entries[: number + 2])


def _write_row(row: Branch, widths: dict[tuple[str, ...], int]) -> str:
    cells = [
        f"{_write_entry(entry) + ',':{widths[_find_names(row, number)]}}"
        for number, entry in enumerate(row.entries[:-1])
    ]
    return _enclose(row, " ".join([*cells, *map(_write_entry, row.entries[-1:])]))


def _write_start(entry: Entry) -> str:
    return f"{entry.key.text}:" if entry.key else "-"


def _write_entry(entry: Entry) -> str:
    value = write_in_one_line(entry.value)
    return f"{entry.key.text}: {value}".rstrip() if entry.key else value


def _enclose(branch: Branch, text: str) -> str:
    opening, closing = _find_brackets(branch)
    return f"{opening}{text}{closing}"


def _find_brackets(branch: Branch) -> tuple[str, str]:
    return ("{", "}") if branch.is_mapping else ("[", "]")
