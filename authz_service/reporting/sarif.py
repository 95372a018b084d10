"""Findings in SARIF 2.1.0, which code scanners of GitHub and editors read."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.errors import Fault, Place
    from authz_service.polar.checker import Findings

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT: Final = "%SRCROOT%"
_ABOUT_POLICIES: Final = "What a policy may say, and how, is told in docs/policies.md."
_ABOUT_DOCUMENTS: Final = "How scenarios and fixtures are written is told in docs/scenarios.md."


def write_sarif(findings: Findings, version: str, root: Path) -> dict[str, Any]:
    """Write findings as a log of one run.

    Arguments:
        findings: what was found.
        version: that of this program.
        root: the folder to which files are relative, absolute.
    """
    told = [("error", each) for each in findings.errors]
    told += [("warning", each) for each in findings.warnings]
    rules = {fault.code: _write_rule(fault, level) for level, fault in reversed(told)}
    codes = sorted(rules)
    seen: Counter[tuple[str, ...]] = Counter()
    results = []
    for level, fault in told:
        location = _locate(fault.where, root)
        what = (fault.code, location["artifactLocation"]["uri"], fault.message)
        seen[what] += 1
        digest = hashlib.sha256("\0".join([*what, str(seen[what])]).encode()).hexdigest()
        results.append(
            {
                "ruleId": fault.code,
                "ruleIndex": codes.index(fault.code),
                "level": level,
                "message": {"text": fault.message},
                "locations": [{"physicalLocation": location}],
                # without the line, so that a finding is the same one after others have moved it
                "partialFingerprints": {"authzFinding/v1": digest},
            }
        )
    driver = {"name": "authz lint", "version": version, "rules": [rules[code] for code in codes]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _write_rule(fault: Fault, level: str) -> dict[str, Any]:
    about = _ABOUT_POLICIES if fault.where.name.endswith(".polar") else _ABOUT_DOCUMENTS
    return {
        "id": fault.code,
        "shortDescription": {"text": f"{fault.code.replace('_', ' ').capitalize()}."},
        "help": {"text": about},
        "defaultConfiguration": {"level": level},
    }


def _locate(place: Place, root: Path) -> dict[str, Any]:
    path = root / place.name
    if path.is_relative_to(root):
        file = {"uri": quote(path.relative_to(root).as_posix()), "uriBaseId": _ROOT}
    else:
        file = {"uri": path.as_uri()}
    region = {"startLine": place.line, "startColumn": place.column}
    known = {name: number for name, number in region.items() if number}
    return {"artifactLocation": file, **({"region": known} if place.line else {})}
