"""Why an answer is given: the rules of an allow, and what is missing for a denial."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest
from playing import play

if TYPE_CHECKING:
    from pathlib import Path

BILLS: Final = "{who: person/philip, on: subscription/0470000001, can: view_bills, because: %s}"
USAGE: Final = "{who: person/mary, on: subscription/0470000001, cannot: view_bills, missing: %s}"
ROLE: Final = "[{change: membership/123456789/mary, attributes: {role: [%s]}}]"


@pytest.mark.parametrize(
    ("passed", "because"),
    [
        (True, "administers"),
        (True, "permit"),
        (True, "subscriptions.polar:7"),
        (True, "policies/subscriptions.polar:12"),
        (True, "[permit, roles.polar:10]"),
        (False, "owns_access"),
        (False, "[permit, owns_access]"),
        (False, "customers.polar:5"),
    ],
)
def test_an_allow_is_held_against_its_rules(tmp_path: Path, *, passed: bool, because: str) -> None:
    """One clause that holds came by all of them."""
    [outcome] = play(tmp_path, f"cases: [{BILLS % because}]")

    assert passed == outcome.passed


def test_a_failure_shows_by_which_rules_it_is_allowed(tmp_path: Path) -> None:
    """With their places, to paste."""
    [outcome] = play(tmp_path, f"cases: [{BILLS % 'owns_access'}]")

    assert " explain person/philip view_bills " in outcome.command
    assert ["allow", "because owns_access"] == outcome.expected.splitlines()
    assert [
        "allow",
        "because permit subscriptions.polar:7 > administers roles.polar:8",
    ] == re.sub(r"\S*/", "", outcome.given).splitlines()


@pytest.mark.parametrize(
    ("passed", "missing"),
    [
        (True, ROLE % "access_owner, administrator"),
        (False, ROLE % "administrator"),
        (False, "[{remove: membership/123456789/mary}]"),
        (False, "[{say: {channel: web}}]"),
    ],
)
def test_a_denial_is_held_against_what_is_missing(
    tmp_path: Path, *, passed: bool, missing: str
) -> None:
    """The set is one of those that an explanation proposes, in any order."""
    [outcome] = play(tmp_path, f"cases: [{USAGE % missing}]")

    assert passed == outcome.passed


def test_a_failure_shows_what_is_missing_ready_to_paste(tmp_path: Path) -> None:
    """In the notation of the file; pasted, it passes."""
    [outcome] = play(tmp_path, f"cases: [{USAGE % '[{say: {channel: web}}]'}]")
    first, *facts = outcome.given.splitlines()
    pasted = "".join(f"    {line}\n" for line in facts)
    case = "  - who: person/mary\n    on: subscription/0470000001\n    cannot: view_bills\n"

    assert "deny: not_permitted (no rule permits this)" == first
    assert [
        "missing:",
        "  - change: membership/123456789/mary",
        "    attributes: {role: [administrator, access_owner]}",
    ] == facts
    assert [True] == [each.passed for each in play(tmp_path, f"cases:\n{case}{pasted}")]


def test_a_step_changes_what_is_missing(tmp_path: Path) -> None:
    """An explanation is of the state in which the question is asked."""
    text = (
        "cases:\n  - who: person/mary\n    on: customer/123456789\n    via: web\n"
        "    cannot: step_down\n    missing:\n"
        "      - change: membership/123456789/mary\n"
        "        attributes: {role: [administrator, access_owner]}\n"
        "  - do: {who: person/mary, action: become_administrator, on: customer/123456789,"
        " via: web}\n"
        "  - {who: person/mary, on: customer/123456789, via: web, can: step_down,"
        " because: administers}\n"
    )

    assert [True] * 3 == [each.passed for each in play(tmp_path, text)]


def test_the_wrong_answer_needs_no_explanation(tmp_path: Path) -> None:
    """What was expected of it is told all the same."""
    [outcome] = play(tmp_path, f"cases: [{(BILLS % 'permit').replace('philip', 'mary')}]")

    assert ["allow", "because permit"] == outcome.expected.splitlines()
    assert "deny: not_permitted (no rule permits this)" == outcome.given
