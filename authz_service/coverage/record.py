"""Coverage as JSON, for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.coverage.assessment import Coverage, FileCoverage, Finding, Share

_VERSION: Final = 1


def write_record(coverage: Coverage) -> Iterator[str]:
    """Write coverage as the lines of one object."""
    record = {
        "version": _VERSION,
        "rules": _write_share(coverage.rules),
        "grid": _write_share(coverage.grid),
        "files": [_write_file(each) for each in coverage.files],
        "cells": [
            {
                **each.cell._asdict(),
                "state": each.state.value,
                "allowed": each.tested.allowed,
                "denied": each.tested.denied,
            }
            for each in coverage.cells
        ],
    }
    yield from json.dumps(record, indent=2, ensure_ascii=False).splitlines()


def _write_share(share: Share) -> dict[str, Any]:
    return {
        "seen": share.seen,
        "possible": share.possible,
        "never": share.never,
        "percent": round(share.percent, 2),
    }


def _write_file(file: FileCoverage) -> dict[str, Any]:
    return {
        "file": file.source.name,
        "rules": [
            {
                "line": rule.span.line,
                "rule": rule.name,
                "text": rule.text,
                "decided": _write_finding(rule.decided),
                "conditions": [
                    {
                        "line": each.span.line,
                        "column": each.span.column,
                        "text": each.text,
                        "held": _write_finding(each.held),
                        "failed": _write_finding(each.failed),
                    }
                    for each in rule.conditions
                ],
            }
            for rule in file.rules
        ],
        "unused": list(file.unused),
    }


def _write_finding(finding: Finding) -> dict[str, Any]:
    return {"state": finding.state.value, "questions": finding.count}
