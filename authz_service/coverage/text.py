"""Coverage as text: how much was seen, and what was not, with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.coverage.assessment import State, write_percent
from authz_service.coverage.grid_table import find_tables
from authz_service.coverage.lessening import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz_service.coverage.assessment import CellCoverage, Coverage, FileCoverage, Finding
    from authz_service.coverage.grid_table import GridTable

NEVER_SEEN: Final = {
    Event.DECIDED: "never decided",
    Event.HELD: "never held",
    Event.FAILED: "never failed while the rest held",
}
_LONGEST: Final = 60
_LEGEND: Final = "+ allowed, - denied, * both, . not tested, x in no small store"


def write_text(coverage: Coverage) -> Iterator[str]:
    """Write coverage as lines."""
    yield from write_summary(coverage)
    for file in coverage.files:
        yield from _write_file(file)
    tables = [each for each in find_tables(coverage) if _has_blank(each)]
    if tables:
        yield ""
        yield f"the grid, where cells are blank ({_LEGEND}):"
    for table in tables:
        yield from _write_table(table)


def write_summary(coverage: Coverage) -> Iterator[str]:
    """Write how much was seen, in a few lines."""
    rules, grid = coverage.rules, coverage.grid
    yield f"outcomes of rules and conditions: {rules} seen"
    yield f"cells of the grid: {grid} tested"
    if rules.never or grid.never:
        parts = [f"{rules.never} outcomes"] * bool(rules.never)
        parts += [f"{grid.never} cells"] * bool(grid.never)
        why = "which no store with at most two entities of each type can show"
        yield f"not counted: {' and '.join(parts)}, {why}"
    unknown = len(coverage.prospects.unknown)
    if unknown:
        yield f"of {unknown} it is not known whether any store can show them; they are counted"


def write_lack(coverage: Coverage, wanted: float) -> str:
    """Write that coverage is below what is wanted."""
    lacks = [
        f"{write_percent(share.percent)} of {what}"
        for what, share in (("rules and conditions", coverage.rules), ("the grid", coverage.grid))
        if share.percent < wanted
    ]
    return f"coverage is below {wanted:g} %: {' and '.join(lacks)}"


def _write_file(file: FileCoverage) -> Iterator[str]:
    lines = [(line, "", "no question comes to this rule") for line in file.unused]
    for rule in file.rules:
        if rule.decided.state is not State.SEEN:
            lines.append((rule.span.line, rule.text, _describe([rule.decided])))
            continue  # so nothing was seen of its conditions either, or little
        for condition in rule.conditions:
            unseen = [each for each in condition.findings if each.state is not State.SEEN]
            if unseen:
                lines.append((condition.span.line, condition.text, _describe(unseen)))
    if lines:
        yield ""
        yield file.source.name
    for line, text, what in sorted(lines):
        short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        yield f"  {line:4}  {short}: {what}" if short else f"  {line:4}  {what}"


def _describe(findings: Iterable[Finding]) -> str:
    return ", ".join(
        NEVER_SEEN[each.target.event]
        + (", which no small store can show" if each.state is State.NEVER else "")
        for each in findings
    )


def _has_blank(table: GridTable) -> bool:
    return any(each.state is State.UNSEEN for each in table.cells.values())


def _write_table(table: GridTable) -> Iterator[str]:
    names = [table.name_column(each) for each in table.columns]
    first = max(map(len, (table.resource, *table.rows))) + 2
    yield ""
    yield f"{table.resource:{first}}{'  '.join(names)}"
    for action, channels in table.rows.items():
        marks = [
            "".join(map(say_mark, table.find_cells(column, action))).ljust(len(name))
            for column, name in zip(table.columns, names, strict=True)
        ]
        yield f"{action:{first}}{'  '.join(marks)}  via {', '.join(channels)}"


def say_mark(cell: CellCoverage) -> str:
    """Say in one sign what is known of a cell."""
    if cell.state is State.NEVER:
        return "x"
    if cell.state is State.UNSEEN:
        return "."
    if cell.tested.allowed:
        return "*" if cell.tested.denied else "+"
    return "-"
