"""Everyone else: whoever is in the fixture, or in the scenario itself, and is not named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from playing import find_faults, play, write

from authz_service.errors import ScenarioError
from authz_service.scenario.case import load_scenario

if TYPE_CHECKING:
    from pathlib import Path

ANN: Final = "entities: {person: {ann: {name: Ann, email: ann@x.example, mobile: null}}}\n"
CASE: Final = (
    "cases:\n  - who: person/philip\n    on: subscription/tv-1\n    via: [web, app]\n"
    "    can: view_bills\n    cannot: []\n    everyone_else: cannot\n"
).replace("    cannot: []\n", "")
TABLE: Final = (
    "cases:\n  - on: customer/123456789\n    via: web\n    everyone_else: cannot\n    table:\n"
    "      - [who, view, manage_account, manage_users]\n      - [person/philip, yes, yes, no]\n"
    "      - [[person/mary, person/thomas], yes, no, no]\n"
)


def test_nobody_else_can(tmp_path: Path) -> None:
    """Each of the others is asked about what somebody can, on the same and by the same channels."""
    text = f"{ANN}{CASE}"
    scenario = write(tmp_path, text)
    others = [each for each in scenario.inquiries if not each.expected.allowed]

    assert [
        f"person/{name} view_bills subscription/tv-1 via {channel}"
        for name in ("mary", "thomas", "ann")
        for channel in ("web", "app")
    ] == [str(each) for each in others]
    assert {9} == {each.place.line for each in others}
    assert [True] * 8 == [each.passed for each in play(tmp_path, text)]


def test_who_is_not_in_a_table_can_nothing_of_it(tmp_path: Path) -> None:
    """Nothing, that is, that somebody in the table can."""
    scenario = write(tmp_path, f"{ANN}{TABLE}")

    assert [
        "person/ann view customer/123456789 via web",
        "person/ann manage_account customer/123456789 via web",
    ] == [str(each) for each in scenario.inquiries[9:]]


def test_somebody_else_who_can_fails(tmp_path: Path) -> None:
    """The failure names who that is."""
    text = "cases: [{who: person/mary, on: customer/123456789, can: view, everyone_else: cannot}]"
    failed = [str(each.item) for each in play(tmp_path, text) if not each.passed]

    assert [f"person/{name} view customer/123456789" for name in ("philip", "thomas")] == failed


def test_who_everyone_else_is_must_be_known(tmp_path: Path) -> None:
    """Nothing is left out silently: not without fixtures, and not where one cannot be read."""
    path = tmp_path / "a.yaml"
    write(tmp_path, CASE)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)

    assert ["no_fixtures"] == [each.code for each in caught.value.faults]
    assert ["missing_file"] == [
        each.rpartition("[")[2][:-1] for each in find_faults(tmp_path, CASE, fixture="nowhere")
    ]
