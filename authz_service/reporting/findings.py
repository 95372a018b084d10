"""Findings for people, as JSON, and as commands to a GitHub workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authz_service.reporting.github import annotate
from authz_service.reporting.record import write_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.errors import Fault
    from authz_service.polar.checker import Findings


def write_findings(findings: Findings) -> Iterator[str]:
    """Write what was found line by line, each fault with the lines at its place."""
    for severity, fault in _find_severities(findings):
        yield f"{severity}: {fault}"
        yield from (f"    {line}" for line in fault.excerpt.splitlines())


def count_findings(findings: Findings) -> str:
    """Say how much was found."""
    return f"{_count(findings.errors, 'error')}, {_count(findings.warnings, 'warning')}"


def annotate_findings(findings: Findings) -> Iterator[str]:
    """Write what was found as commands, each with its code as the title."""
    for severity, fault in _find_severities(findings):
        yield annotate(severity, fault.where, fault.code, fault.message)


def write_findings_json(findings: Findings) -> dict[str, Any]:
    """Write what was found as an object."""
    return {
        "errors": [write_fault(fault) for fault in findings.errors],
        "warnings": [write_fault(fault) for fault in findings.warnings],
    }


def _find_severities(findings: Findings) -> Iterator[tuple[str, Fault]]:
    yield from (("error", fault) for fault in findings.errors)
    yield from (("warning", fault) for fault in findings.warnings)


def _count(faults: tuple[Fault, ...], word: str) -> str:
    return f"{len(faults)} {word}{'' if len(faults) == 1 else 's'}"
