"""Scenarios and fixtures written as files, so that reading them gives the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz_service.policy.said import PARTS
from authz_service.scenario.facts import write_facts
from authz_service.scenario.notation import write_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authz_service.scenario.case import Scenario
    from authz_service.scenario.inquiry import Inquiry
    from authz_service.store.entity import Row


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
        lines += [
            f"  {write_value(each.reference.id)}: {write_value(each.values)}" for each in same
        ]
    return "\n".join([*lines, ""])


def write_scenario(
    scenario: Scenario, comment: Sequence[str] = (), notes: Sequence[str] = ()
) -> str:
    """Write the questions of a scenario as its file.

    Arguments:
        scenario: which; it has no steps.
        comment: lines that stand above it.
        notes: a line for each question, to stand above that; none at all, or one for each.
    """
    lines = _write_comment(comment)
    lines.append(f"scenario: {write_value(scenario.title)}")
    if scenario.source:
        lines.append(f"source: {write_value(scenario.source)}")
    lines.append(f"fixture: {write_value(scenario.fixture)}")
    if scenario.at is not None:
        lines.append(f"at: {write_value(scenario.at)}")
    if scenario.tags:
        lines.append(f"tags: {write_value(scenario.tags)}")
    if scenario.skip:
        lines.append(f"skip: {write_value(scenario.skip)}")
    lines.append("cases:")
    for number, each in enumerate(scenario.inquiries):
        lines += [f"  {line}" for line in _write_comment(notes[number : number + 1])]
        lines += _write_inquiry(scenario, each)
    return "\n".join([*lines, ""])


def _write_inquiry(scenario: Scenario, inquiry: Inquiry) -> Iterator[str]:
    yield f"  - who: {write_value(str(inquiry.subject))}"
    yield f"    on: {write_value(str(inquiry.resource))}"
    if inquiry.channel is not None:
        yield f"    via: {write_value(inquiry.channel)}"
    said = {part: getattr(inquiry.said, part) for part in PARTS if getattr(inquiry.said, part)}
    if said:
        yield f"    with: {write_value(said)}"
    expected, action = inquiry.expected, write_value(inquiry.action)
    if expected.allowed:
        yield f"    can: {action}"
        if expected.because:
            yield f"    because: {write_value(expected.because)}"
    elif expected.reasons:
        yield "    cannot:"
        yield f"      - {action}: {write_value(expected.reasons)}"
    else:
        yield f"    cannot: {action}"
    if expected.only_these:
        yield "    only_these_reasons: true"
    if expected.missing:
        yield "    missing:"
        yield from (f"      {line}" for line in write_facts(expected.missing))
    own = inquiry.tags[len(scenario.tags) :]
    if own:
        yield f"    tags: {write_value(own)}"
    if inquiry.skip != scenario.skip:
        yield f"    skip: {write_value(inquiry.skip)}"


def _write_comment(lines: Iterable[str]) -> list[str]:
    return [
        f"# {''.join(each if each.isprintable() else '?' for each in line)}".rstrip()
        for line in lines
    ]
