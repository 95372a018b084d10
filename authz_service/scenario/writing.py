"""Scenarios and fixtures written as files, so that reading them gives the same."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from authz_service.policy.said import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authz_service.scenario.case import Inquiry, Scenario
    from authz_service.store.entity import Row

# What YAML takes for text without quotes, wherever it stands.
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_/-]*(?: [A-Za-z0-9_/-]+)*", re.ASCII)
_WORDS_OF_YAML: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def write_fixture(rows: Iterable[Row], comment: Sequence[str] = ()) -> str:
    """Write entities as a fixture file.

    Arguments:
        rows: the entities.
        comment: lines that stand above them.
    """
    lines = _write_comment(comment)
    types: dict[str, list[Row]] = {}
    for row in rows:
        types.setdefault(row.reference.type, []).append(row)
    for kind, same in types.items():
        lines.append(f"{kind}:")
        lines += [f"  {_write(each.reference.id)}: {_write(each.values)}" for each in same]
    return "\n".join([*lines, ""])


def write_scenario(scenario: Scenario, comment: Sequence[str] = ()) -> str:
    """Write the questions of a scenario as its file.

    Arguments:
        scenario: which; it has no steps.
        comment: lines that stand above it.
    """
    lines = _write_comment(comment)
    lines.append(f"scenario: {_write(scenario.title)}")
    if scenario.source:
        lines.append(f"source: {_write(scenario.source)}")
    lines.append(f"fixture: {_write(scenario.fixture)}")
    if scenario.at is not None:
        lines.append(f"at: {_write(scenario.at)}")
    if scenario.tags:
        lines.append(f"tags: {_write(scenario.tags)}")
    if scenario.skip:
        lines.append(f"skip: {_write(scenario.skip)}")
    lines.append("cases:")
    for each in scenario.inquiries:
        lines += _write_inquiry(scenario, each)
    return "\n".join([*lines, ""])


def _write_inquiry(scenario: Scenario, inquiry: Inquiry) -> Iterator[str]:
    yield f"  - who: {_write(str(inquiry.subject))}"
    yield f"    on: {_write(str(inquiry.resource))}"
    if inquiry.channel is not None:
        yield f"    via: {_write(inquiry.channel)}"
    said = {part: getattr(inquiry.said, part) for part in PARTS if getattr(inquiry.said, part)}
    if said:
        yield f"    with: {_write(said)}"
    expected, action = inquiry.expected, _write(inquiry.action)
    if expected.allowed:
        yield f"    can: {action}"
    elif expected.reasons:
        yield "    cannot:"
        yield f"      - {action}: {_write(expected.reasons)}"
    else:
        yield f"    cannot: {action}"
    own = inquiry.tags[len(scenario.tags) :]
    if own:
        yield f"    tags: {_write(own)}"
    if inquiry.skip != scenario.skip:
        yield f"    skip: {_write(inquiry.skip)}"


def _write_comment(lines: Iterable[str]) -> list[str]:
    return [
        f"# {''.join(each if each.isprintable() else '?' for each in line)}".rstrip()
        for line in lines
    ]


def _write(value: Any) -> str:
    """Write a value in one line, so that YAML reads the same."""
    match value:
        case dict():
            entries = (f"{_write(name)}: {_write(each)}" for name, each in value.items())
            return f"{{{', '.join(entries)}}}"
        case list() | tuple():
            return f"[{', '.join(map(_write, value))}]"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case str() if _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML:
            return value
        case str():
            return f'"{"".join(map(_escape, value))}"'
        case _:
            return json.dumps(value)


def _escape(character: str) -> str:
    if character in {'"', "\\"}:
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
