"""A run as one page of HTML, which needs nothing else and is fit to print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.page import CLOSE, open_page, write_text
from authz_service.scenario.failure import describe_failure
from authz_service.scenario.result import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.scenario.result import ItemResult, Run, ScenarioResult

_STYLE: Final = """\
.passed { color: #060; }
.failed, .error { color: #a00; font-weight: bold; }
.skipped { color: #750; }
summary { cursor: pointer; }
"""
_BAD: Final = frozenset({Status.FAILED, Status.ERROR})


def write_run_page(run: Run) -> Iterator[str]:
    """Write a run as a page, line by line: the counts, what failed, and a table a scenario."""
    yield from open_page("Scenarios", _STYLE)
    if run.interrupted:
        yield "<p><strong>Broken off: this is what was run.</strong></p>"
    yield "<dl>"
    for name, value in _tell_counts(run):
        yield f"<dt>{write_text(name)}</dt><dd>{write_text(value)}</dd>"
    yield "</dl>"
    bad = [item for each in run.scenarios for item in each.items if item.status in _BAD]
    broken = [each for each in run.scenarios if each.faults]
    if bad or broken:
        yield "<section><h2>Not as expected</h2>"
        for each in broken:
            yield from _write_told(map(str, each.faults))
        for item in bad:
            yield from _write_told(describe_failure(item))
        yield "</section>"
    for each in run.scenarios:
        yield from _write_scenario(each)
    yield CLOSE


def _tell_counts(run: Run) -> Iterator[tuple[str, object]]:
    for status in Status:
        yield str(status), run.count(status)
    yield "scenarios not run", run.broken
    yield "seconds", f"{run.seconds:.1f}"
    if run.seed is not None:
        yield "shuffled by", run.seed


def _write_told(lines: Iterator[str] | list[str]) -> Iterator[str]:
    yield f'<pre class="rule">{write_text(chr(10).join(lines))}</pre>'


def _write_scenario(result: ScenarioResult) -> Iterator[str]:
    title = f"{result.path}: {result.title}" if result.title else result.path
    yield f"<section><h2>{write_text(title)}</h2>"
    if result.items:
        heads = "".join(f'<th scope="col">{each}</th>' for each in ("Line", "What", "Came"))
        yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
        for each in result.items:
            yield _write_row(each)
        yield "</tbody></table>"
    else:
        yield '<p class="error">could not be run</p>'
    yield "</section>"


def _write_row(item: ItemResult) -> str:
    came = f"{item.status}: {item.message}" if item.status is Status.SKIPPED else str(item.status)
    cells = [item.place.line, item.name]
    written = "".join(f"<td>{write_text(each)}</td>" for each in cells)
    return f'<tr>{written}<td class="{item.status}">{write_text(came)}</td></tr>'
