"""A run as JSON, for programs: docs/scenarios.md says what each key means."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from authz_service.scenario.result import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.errors import Fault
    from authz_service.scenario.result import ItemResult, Run, ScenarioResult

# One more where a key goes, or comes to mean something else; a new key is not that.
_VERSION: Final = 1


def write_record(run: Run) -> Iterator[str]:
    """Write a run as one object of JSON, line by line."""
    record = {
        "version": _VERSION,
        **{str(status): run.count(status) for status in Status},
        "broken": run.broken,
        "seconds": round(run.seconds, 3),
        "seed": run.seed,
        "interrupted": run.interrupted,
        "scenarios": [_write_scenario(each) for each in run.scenarios],
    }
    yield from json.dumps(record, indent=1, ensure_ascii=False).split("\n")


def _write_scenario(result: ScenarioResult) -> dict[str, Any]:
    return {
        "path": result.path,
        "title": result.title,
        "seconds": round(result.seconds, 6),
        "faults": [write_fault(each) for each in result.faults],
        "items": [_write_item(each) for each in result.items],
    }


def _write_item(result: ItemResult) -> dict[str, Any]:
    written: dict[str, Any] = {
        "name": result.name,
        "kind": result.kind,
        "line": result.place.line,
        "column": result.place.column,
        "tags": list(result.tags),
        "status": str(result.status),
        "seconds": round(result.seconds, 6),
    }
    if result.message:
        written["message"] = result.message
    if result.status is Status.FAILED:
        written |= {
            "expected": result.expected,
            "given": result.given,
            "explanation": result.explanation,
            "command": result.command,
            "steps_before": result.steps,
        }
    return written


def write_fault(fault: Fault) -> dict[str, Any]:
    """Write what is wrong, and where, as JSON has it."""
    return {
        "file": fault.where.name,
        "line": fault.where.line,
        "column": fault.where.column,
        "code": fault.code,
        "message": fault.message,
    }
