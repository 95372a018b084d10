"""A run in the Test Anything Protocol, version 14."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from authz_service.scenario.result import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.scenario.result import ItemResult, Run, ScenarioResult


def write_tap(run: Run) -> Iterator[str]:
    """Write a run, line by line: a point for each question and step, with what went wrong."""
    yield "TAP version 14"
    points = [(each, item) for each in run.scenarios for item in each.items or (None,)]
    yield f"1..{len(points)}" + ("" if points else " # SKIP nothing was run")
    for number, (result, item) in enumerate(points, 1):
        yield from _write_point(number, result, item)
    if run.interrupted:
        yield "Bail out! broken off; this is what was run"


def _write_point(number: int, result: ScenarioResult, item: ItemResult | None) -> Iterator[str]:
    if item is None:
        yield f"not ok {number} - {_escape(result.path)}"
        yield from _write_block({"errors": [str(each) for each in result.faults]})
        return
    is_ok = item.status in {Status.PASSED, Status.SKIPPED}
    skip = f" # SKIP {_escape(item.message)}" if item.status is Status.SKIPPED else ""
    said = _escape(f"{item.place.name}: {item.name}")
    yield f"{'ok' if is_ok else 'not ok'} {number} - {said}{skip}"
    if is_ok:
        return
    told: dict[str, Any] = {"at": {"file": item.place.name, "line": item.place.line}}
    if item.message:
        told["errors"] = item.message.splitlines()
    else:
        told |= {"expected": item.expected, "given": item.given}
        told |= {"explanation": item.explanation, "command": item.command}
        told |= {"steps_before": item.steps} if item.steps else {}
    yield from _write_block(told)


def _write_block(told: dict[str, Any]) -> Iterator[str]:
    """Write a block of YAML, of which JSON is a part."""
    yield "  ---"
    for name, value in told.items():
        yield f"  {name}: {json.dumps(value)}"
    yield "  ..."


def _escape(text: str) -> str:
    """Write text so that nothing in it ends the line, or begins a directive."""
    said = "".join(each if each.isprintable() else " " for each in text)
    return said.replace("\\", "\\\\").replace("#", "\\#")
