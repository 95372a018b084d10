"""Lists: who may, on what, and what somebody may, just so."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner
from performing import ROOT
from playing import find_faults, play

from authz_service.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.scenario.item import ItemOutcome

MOBILE: Final = "subscription/0470000001"
LISTS: Final = f"""\
cases:
  - on: {MOBILE}
    via: app
    lists:
      who: {{view_usage: [person/philip, person/mary], view_bills: person/philip}}
  - who: person/mary
    lists:
      what:
        view_usage: {MOBILE}
        view: [customer/123456789]
        access: []
  - who: person/mary
    on: [{MOBILE}, subscription/tv-1]
    lists: {{actions: [view_usage, activate_free_option]}}
"""
LINES: Final = [
    f"who can view_usage {MOBILE} via app",
    f"who can view_bills {MOBILE} via app",
    "what person/mary can view_usage",
    "what person/mary can view",
    "what person/mary can access",
    f"what person/mary can do on {MOBILE}",
    "what person/mary can do on subscription/tv-1",
]


def test_lists_are_looked_for(tmp_path: Path) -> None:
    """Who, over all types of subjects; what, over all that have the action; and which actions."""
    outcomes = play(tmp_path, LISTS)

    assert LINES == [str(each.item) for each in outcomes]
    assert [True] * 6 + [False] == [each.passed for each in outcomes]


def test_a_list_that_is_another_tells_what_is_too_much_and_what_lacks(tmp_path: Path) -> None:
    """Both, beside what was found."""
    text = (
        f"cases: [{{on: {MOBILE}, lists: {{who: {{view_usage: [person/mary, person/thomas]}}}}}}]"
    )
    [outcome] = play(tmp_path, text)

    assert not outcome.passed
    assert "person/mary, person/thomas" == outcome.expected
    assert [
        "person/mary, person/philip",
        "too much: person/philip",
        "lacking: person/thomas",
    ] == outcome.given.splitlines()


def test_nothing_has_a_word(tmp_path: Path) -> None:
    """An empty list is not an empty line."""
    outcome = play(tmp_path, LISTS)[6]

    assert ("activate_free_option, view_usage", "nothing") == (
        outcome.expected,
        outcome.given.splitlines()[0],
    )


@pytest.mark.parametrize("number", [0, 3, 6])
def test_the_command_looks_for_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Who pastes it sees what the scenario found."""
    monkeypatch.chdir(ROOT)
    outcome: ItemOutcome = play(tmp_path, LISTS)[number]
    found = {
        line
        for command in outcome.command.split("; ")
        for line in CliRunner().invoke(main, shlex.split(command)[1:]).stdout.splitlines()
    }

    assert set(outcome.given.splitlines()[0].replace("nothing", "").split(", ")) - {""} == found


def test_nothing_is_said_of_what_is_looked_for(tmp_path: Path) -> None:
    """It is as it is stored."""
    text = (
        "cases:\n  - {on: customer/123456789, with: {subject: {name: x}}, lists: {who: {view: []}}}"
    )

    assert [
        (
            "4:30: what is looked for is as it is stored, so nothing is said of the subject"
            " [searched_is_stored]"
        )
    ] == find_faults(tmp_path, text)


def test_a_list_sees_the_steps_before_it(tmp_path: Path) -> None:
    """As questions do."""
    text = (
        "cases:\n"
        "  - {on: customer/123456789, lists: {who: {manage_account: person/philip}}}\n"
        "  - do: {who: person/mary, action: become_administrator, on: customer/123456789,"
        " via: web}\n"
        "  - on: customer/123456789\n"
        "    lists: {who: {manage_account: [person/philip, person/mary]}}\n"
    )

    assert [True] * 3 == [each.passed for each in play(tmp_path, text)]
    assert [0, 0, 1] == [each.steps for each in play(tmp_path, text)]
