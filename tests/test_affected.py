"""What a change of policies can affect of scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from small_domain import DOMAIN, write_policy

from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import load_policies
from authz_service.scenario.affected import Changed, find_affected, find_changed
from authz_service.scenario.case import load_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

POLICY: Final = """
allow(_: Request, "read", record: Record) if record.status = "active";
allow(request: Request, "write", record: Record) if record.owner = request.subject;
"""
READ: Final = ("user", "read", "record")
WRITE: Final = ("user", "write", "record")
QUESTIONS: Final = """
scenario: What is so
fixture: any
cases:
  - {who: user/alice, on: record/report, can: [read, write]}
  - {who: user/alice, on: record/report, can: write, because: allow}
  - {who: user/alice, lists: {what: {read: record/report}}}
  - {who: user/alice, lists: {what: {write: record/report}}}
  - {who: user/alice, on: record/report, lists: {actions: [read, write]}}
  - {on: record/report, lists: {who: {write: user/alice}}}
"""


def compile_text(folder: Path, text: str) -> CompiledEngine:
    """Compile policies."""
    return CompiledEngine(load_policies(write_policy(folder, text)), DOMAIN, 60_000)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ({READ}, POLICY.replace("active", "archived")),
        ({WRITE}, POLICY.replace("record.owner = request.subject", "record.owner = nil")),
        (set(), POLICY.replace("\n", "\n\n") + "# a remark"),
        (set(), POLICY.replace("record", "which")),
        ({READ, WRITE}, "allow(_: Request, _, _: Record);"),
    ],
)
def test_what_comes_to_other_conditions_is_changed(
    tmp_path: Path, expected: set[object], text: str
) -> None:
    """Neither where a rule stands nor what its variables are called is a change."""
    old, new = compile_text(tmp_path, POLICY), compile_text(tmp_path, text)
    changed = find_changed(old, new)

    assert expected == {each for each in changed.answers if each in {READ, WRITE}}


@pytest.mark.parametrize(
    ("expected", "changed"),
    [
        ([], Changed(frozenset(), frozenset({READ}))),
        ([2], Changed(frozenset(), frozenset({WRITE}))),
        ([0, 3, 5], Changed(frozenset({READ}), frozenset({READ}))),
        ([1, 2, 4, 5, 6], Changed(frozenset({WRITE}), frozenset({WRITE}))),
    ],
)
def test_items_are_affected_by_what_they_ask(
    tmp_path: Path, expected: Sequence[int], changed: Changed
) -> None:
    """A list by each question that it may stand for; a rule as the reason, where it has moved."""
    file = tmp_path / "questions.yaml"
    file.write_text(QUESTIONS)

    assert expected == find_affected(load_scenario(file), changed)


@pytest.mark.parametrize(
    ("expected", "action"), [([], "view"), ([0, 1], "become_administrator"), ([0, 1], "view_bills")]
)
def test_steps_are_affected_together(expected: Sequence[int], action: str, tmp_path: Path) -> None:
    """What is done may be seen by all that follows."""
    file = tmp_path / "steps.yaml"
    file.write_text(
        """
scenario: What is done
fixture: any
cases:
  - do: {who: person/mary, action: become_administrator, on: customer/1}
  - {who: person/mary, on: customer/1, can: view_bills}
"""
    )

    key = "person", action, "customer"
    changed = Changed(frozenset({key}), frozenset({key}))

    assert expected == list(find_affected(load_scenario(file), changed))


def test_a_rule_that_has_moved_is_another_reason(tmp_path: Path) -> None:
    """What is decided is the same, and the rule by which has another line."""
    old = compile_text(tmp_path, POLICY)
    new = compile_text(tmp_path, POLICY.replace("allow(request", "\nallow(request"))
    changed = find_changed(old, new)

    assert frozenset() == changed.answers
    assert WRITE in changed.rules
    assert READ not in changed.rules
