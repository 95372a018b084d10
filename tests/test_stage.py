"""What a scenario has of its own: entities beside the fixture, and rounds that begin anew."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner
from performing import ROOT
from playing import build_runner, play, write

from authz_service.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

ANN: Final = """\
entities:
  person: {ann: {name: Ann, email: ann@x.example}}
  membership: {123456789/ann: {customer: "123456789", person: ann, role: administrator}}
"""
CAN: Final = "  - {who: person/ann, on: subscription/tv-1, via: [web, app], %s}\n"
ROUNDS: Final = """\
examples: [{person: mary}, {person: thomas}]
cases:
  - on: customer/123456789
    lists: {who: {manage_account: person/philip}}
  - do: {who: person/<person>, action: become_administrator, on: customer/123456789, via: web}
  - on: customer/123456789
    lists: {who: {manage_account: [person/philip, person/<person>]}}
"""


def test_entities_of_a_scenario_are_in_no_other(tmp_path: Path) -> None:
    """They are beside those of the fixture, which is shared, and gone with the scenario."""
    own = play(tmp_path, f"{ANN}cases:\n{CAN % 'can: view_bills'}")
    other = play(tmp_path, f"cases:\n{CAN % 'cannot: {view_bills: unknown_subject}'}")

    assert [True] * 4 == [each.passed for each in (*own, *other)]


def test_a_question_about_them_is_asked_again_by_its_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No fixture has them, so the command runs that question alone."""
    monkeypatch.chdir(ROOT)
    outcome = play(tmp_path, f"{ANN}cases:\n{CAN % 'cannot: view_bills'}")[0]
    result = CliRunner().invoke(main, shlex.split(outcome.command)[1:])

    assert 1 == result.exit_code
    assert "0 passed, 1 failed" == result.output.splitlines()[-1]


@pytest.mark.parametrize("order", [range(6), range(5, -1, -1), (4, 1, 2, 0, 5, 3)])
def test_each_example_of_a_file_begins_anew(tmp_path: Path, order: list[int]) -> None:
    """In whatever order its items are put, none sees the steps of another example."""
    with build_runner().open(write(tmp_path, ROUNDS)) as session:
        outcomes = {position: session.put(position) for position in order}

    assert dict.fromkeys(range(6), True) == {
        position: each.passed for position, each in outcomes.items()
    }
    assert [0, 0, 1, 0, 0, 1] == [outcomes[position].steps for position in range(6)]
