"""Findings in SARIF: what the schema of 2.1.0 requires, and what code scanners make use of."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from authz_service.errors import Fault, Place
from authz_service.polar.checker import Findings
from authz_service.reporting.sarif import write_sarif

ROOT: Final = Path("/project")
FAULT: Final = Fault(Place("policies/a.polar", 3, 7), "unknown_rule", "there is no rule `é`")
ODD: Final = Fault(Place("fixtures/b c.yaml", 1), "unused_fixture", "no scenario uses this fixture")
FINDINGS: Final = Findings((FAULT,), (ODD,))

# The essentials of the schema that OASIS publishes, for what is written here.
_MESSAGE: Final = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string", "minLength": 1}},
}
_LEVEL: Final = {"enum": ["none", "note", "warning", "error"]}
_RULE: Final = {
    "type": "object",
    "required": ["id", "shortDescription", "help"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "shortDescription": _MESSAGE,
        "help": _MESSAGE,
        "defaultConfiguration": {"type": "object", "properties": {"level": _LEVEL}},
    },
}
_REGION: Final = {
    "type": "object",
    "required": ["startLine"],
    "additionalProperties": False,
    "properties": {
        "startLine": {"type": "integer", "minimum": 1},
        "startColumn": {"type": "integer", "minimum": 1},
    },
}
_LOCATION: Final = {
    "type": "object",
    "required": ["physicalLocation"],
    "properties": {
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "additionalProperties": False,
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "required": ["uri"],
                    "additionalProperties": False,
                    "properties": {
                        # a reference as RFC 3986 has it
                        "uri": {
                            "type": "string",
                            "pattern": r"^([A-Za-z0-9._~/:-]|%[0-9A-F]{2})+$",
                        },
                        "uriBaseId": {"type": "string"},
                    },
                },
                "region": _REGION,
            },
        }
    },
}
_RESULT: Final = {
    "type": "object",
    "required": ["message", "ruleId", "level", "locations"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": _LEVEL,
        "message": _MESSAGE,
        "locations": {"type": "array", "items": _LOCATION},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
SCHEMA: Final = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string", "minLength": 1},
                                    "version": {"type": "string"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": _RULE,
                                    },
                                },
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {"type": "array", "items": _RESULT},
                },
            },
        },
    },
}


def write(findings: Findings) -> dict[str, Any]:
    """Write a log, and give its only run."""
    [run] = write_sarif(findings, "1.2", ROOT)["runs"]
    return dict(run)


def uris_of(name: str) -> list[dict[str, str]]:
    """Find how a file is called."""
    run = write(Findings((Fault(Place(name, 1), "x", "y"),), ()))
    return [each["locations"][0]["physicalLocation"]["artifactLocation"] for each in run["results"]]


@pytest.mark.parametrize(
    "findings",
    [
        FINDINGS,
        Findings((), ()),
        Findings((Fault(Place("policies"), "no_allow", "there is no rule"),), ()),
        Findings((Fault(Place("/else/wh%re.polar", 1, 1), "x", "y"), FAULT), (ODD, ODD)),
    ],
)
def test_a_log_has_what_the_schema_requires(findings: Findings) -> None:
    """With and without findings, lines and columns."""
    Draft202012Validator.check_schema(SCHEMA)
    log = write_sarif(findings, "1.2", ROOT)

    assert [] == [each.message for each in Draft202012Validator(SCHEMA).iter_errors(log)]


def test_a_finding_has_its_rule_level_message_and_place() -> None:
    """Errors come first."""
    run = write(FINDINGS)
    first, second = run["results"]
    rules = run["tool"]["driver"]["rules"]

    assert ("unknown_rule", "error", "there is no rule `é`") == (
        first["ruleId"],
        first["level"],
        first["message"]["text"],
    )
    assert {
        "artifactLocation": {"uri": "policies/a.polar", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "startColumn": 7},
    } == first["locations"][0]["physicalLocation"]
    assert "warning" == second["level"]
    assert ["unknown_rule", "unused_fixture"] == [
        rules[each["ruleIndex"]]["id"] for each in (first, second)
    ]


def test_a_rule_says_what_it_is_about() -> None:
    """Its help names the page for its kind of file."""
    first, second = write(FINDINGS)["tool"]["driver"]["rules"]

    assert ("Unknown rule.", "error") == (
        first["shortDescription"]["text"],
        first["defaultConfiguration"]["level"],
    )
    assert "docs/policies.md" in first["help"]["text"]
    assert "docs/scenarios.md" in second["help"]["text"]


def test_files_are_called_by_relative_uris() -> None:
    """Those elsewhere by absolute ones; what URIs do not hold is written in percent."""
    relative = {"uri": "a%20%C3%A9/b.yaml", "uriBaseId": "%SRCROOT%"}

    assert [relative] == uris_of("a é/b.yaml")
    assert [relative] == uris_of("/project/a é/b.yaml")
    assert [{"uri": "file:///else/b.yaml"}] == uris_of("/else/b.yaml")


def test_a_finding_is_recognized_after_it_has_moved() -> None:
    """Its fingerprint is without its line; of two that are alike, each has its own."""
    moved = Fault(Place("policies/a.polar", 30, 7), FAULT.code, FAULT.message)
    [before] = write(Findings((FAULT,), ()))["results"]
    both = write(Findings((FAULT, moved), ()))["results"]
    prints = [each["partialFingerprints"]["authzFinding/v1"] for each in both]

    assert before["partialFingerprints"]["authzFinding/v1"] == prints[0]
    assert 2 == len(set(prints))
