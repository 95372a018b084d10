"""Coverage as one page of HTML, which needs nothing else and is fit to print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.coverage.assessment import State
from authz_service.coverage.grid_table import find_tables
from authz_service.coverage.marks import find_marks
from authz_service.coverage.text import say_mark, write_summary
from authz_service.page import CLOSE, open_page, write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from authz_service.coverage.assessment import CellCoverage, Coverage, FileCoverage
    from authz_service.coverage.grid import Cell
    from authz_service.coverage.grid_table import GridTable
    from authz_service.coverage.marks import Mark

    # The address on the page of the questions in each cell.
    Anchors = Mapping[Cell, str]

_STYLE: Final = """\
pre { line-height: 1.5; }
.number { color: #888; user-select: none; }
.seen { background: #d5f0d5; }
.part { background: #ffeeba; }
.unseen { background: #ffd0d0; font-weight: bold; }
.never { background: #ddd; }
mark { color: inherit; }
td a, td span { font-family: monospace; padding: 0 0.15rem; text-decoration: none; color: inherit; }
@media print {
  mark, td a, td span { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
_LEGEND: Final = (
    ("seen", "all of it was seen"),
    ("part", "some of it was"),
    ("unseen", "nothing of it was"),
    ("never", "no store with at most two entities of each type can show it"),
)
# A cell can be tested by hundreds of questions; these show where to look.
_MOST_PLACES: Final = 12


def write_page(coverage: Coverage) -> Iterator[str]:
    """Write coverage as a page, line by line: the policies, the grid, and where it is tested."""
    yield from open_page("What the scenarios show of the policies", _STYLE)
    for line in write_summary(coverage):
        yield f"<p>{write_text(line)}</p>"
    legend = ", ".join(f'<mark class="{name}">{says}</mark>' for name, says in _LEGEND)
    yield f"<p>{legend}</p>"
    for file in coverage.files:
        yield from _write_file(file)
    tested = [each for each in coverage.cells if each.state is State.SEEN]
    anchors = {each.cell: f"cell-{number}" for number, each in enumerate(tested, 1)}
    for table in find_tables(coverage):
        yield from _write_table(table, anchors)
    yield from _write_places(tested, anchors)
    yield CLOSE


def _write_file(file: FileCoverage) -> Iterator[str]:
    marks: dict[int, list[Mark]] = {}
    for each in find_marks(file):
        marks.setdefault(each.line, []).append(each)
    yield f"<section><h2>{write_text(file.source.name)}</h2><pre>"
    lines = file.source.text.rstrip("\n").split("\n")
    width = len(str(len(lines)))
    for number, line in enumerate(lines, 1):
        text = "".join(_mark_line(line.rstrip("\r"), marks.get(number, ())))
        yield f'<span class="number">{number:{width}}</span>  {text}'
    yield "</pre></section>"


def _mark_line(line: str, marks: Iterable[Mark]) -> Iterator[str]:
    done = 0
    for mark in marks:
        start, end = mark.start - 1, mark.end - 1
        if start >= done:  # a shorthand of a block can stand for a rule and for its condition
            yield write_text(line[done:start])
            about = f'class="{mark.kind}" title="{write_text(mark.says)}"'
            yield f"<mark {about}>{write_text(line[start:end])}</mark>"
            done = end
    yield write_text(line[done:])


def _write_table(table: GridTable, anchors: Anchors) -> Iterator[str]:
    names = [table.name_column(each) for each in table.columns]
    heads = "".join(f'<th scope="col">{write_text(each)}</th>' for each in ("", *names, "via"))
    yield f"<section><h2>{write_text(table.resource)}</h2>"
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for action, channels in table.rows.items():
        cells = (
            "".join(_write_cell(cell, anchors) for cell in table.find_cells(column, action))
            for column in table.columns
        )
        row = "".join(f"<td>{each}</td>" for each in (*cells, write_text(", ".join(channels))))
        yield f'<tr><th scope="row">{write_text(action)}</th>{row}</tr>'
    yield "</tbody></table></section>"


def _write_cell(cell: CellCoverage, anchors: Anchors) -> str:
    says = write_text(f"{cell.cell.relation} via {cell.cell.channel}: {cell.state.value}")
    about = f'class="{cell.state.value}" title="{says}"'
    mark = write_text(say_mark(cell))
    if cell.cell not in anchors:
        return f"<span {about}>{mark}</span>"
    return f'<a {about} href="#{anchors[cell.cell]}">{mark}</a>'


def _write_places(tested: Sequence[CellCoverage], anchors: Anchors) -> Iterator[str]:
    if not tested:
        return
    yield "<section><h2>Where the cells are tested</h2><table><tbody>"
    for each in tested:
        cell, places = each.cell, each.tested
        who = f"{cell.subject}, {cell.relation}"
        what = f"{cell.action} on {cell.resource}, via {cell.channel}"
        cells = (who, what, _list("allowed", places.allowed), _list("denied", places.denied))
        row = "".join(f"<td>{write_text(each)}</td>" for each in cells)
        yield f'<tr id="{anchors[cell]}">{row}</tr>'
    yield "</tbody></table></section>"


def _list(answer: str, places: list[str]) -> str:
    if not places:
        return ""
    more = len(places) - _MOST_PLACES
    listed = ", ".join(places[:_MOST_PLACES])
    return f"{answer}: {listed}{f' and {more} more' if more > 0 else ''}"
