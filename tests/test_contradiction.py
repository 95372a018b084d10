"""What a scenario says against itself, or twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from playing import find_faults, play

if TYPE_CHECKING:
    from pathlib import Path

ASK: Final = "  - {who: person/mary, on: customer/123456789, via: web, %s}\n"
STEP: Final = (
    "  - do: {who: person/mary, action: become_administrator, on: customer/123456789, via: web}\n"
)
VIEW: Final = "`person/mary view customer/123456789 via web`"

FAULTS: Final = {
    f"cases:\n{ASK % 'can: view'}{ASK % 'cannot: view'}": [
        f"5:66: {VIEW} is denied here and allowed in line 4; one of them is wrong [contradiction]"
    ],
    f"cases:\n{ASK % 'cannot: {view: not_permitted}'}{ASK % 'can: [view, manage_account]'}": [
        f"5:64: {VIEW} is allowed here and denied in line 4; one of them is wrong [contradiction]"
    ],
    f"cases:\n{ASK % 'can: view'}{ASK % 'can: view'}": [
        f"5:63: {VIEW} is asked in line 4 already; leave one out [asked_twice]"
    ],
    "cases:\n"
    "  - {who: [person/mary, person/mary], on: customer/123456789, via: web, can: view}\n": [
        f"4:78: {VIEW} is asked in line 4 already; leave one out [asked_twice]"
    ],
    "cases:\n"
    "  - {who: person/mary, on: customer/123456789, via: web, can: view, everyone_else: cannot}\n"
    "  - {who: person/thomas, on: customer/123456789, via: [web, app], can: view}\n": [
        (
            "5:72: `person/thomas view customer/123456789 via web` is allowed here and denied in"
            " line 4; one of them is wrong [contradiction]"
        )
    ],
}


@pytest.mark.parametrize(("text", "expected"), FAULTS.items(), ids=[repr(key) for key in FAULTS])
def test_a_contradiction_is_an_error(tmp_path: Path, text: str, expected: list[str]) -> None:
    """It has the place of the second, and the line of the first."""
    assert expected == find_faults(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        f"cases:\n{ASK % 'cannot: manage_account'}{STEP}{ASK % 'can: manage_account'}",
        f"cases:\n{ASK % 'can: view'}{STEP}{ASK % 'can: view'}",
        f"cases:\n{ASK % 'cannot: manage_users'}{ASK % 'cannot: {manage_users: not_permitted}'}",
        f"cases:\n{ASK % 'can: view'}{ASK % 'can: view, because: member'}",
        f"cases:\n{ASK % 'can: view'}{(ASK % 'can: view').replace('web', 'app')}",
        (
            "examples: [{action: view}, {action: view}]\n"
            "cases: [{who: person/mary, on: customer/123456789, can: <action>}]"
        ),
        (
            "cases:\n  - {who: person/philip, on: customer/123456789, can: manage_account,"
            " everyone_else: cannot}\n"
            "  - {who: person/mary, on: customer/123456789, cannot: manage_account}\n"
        ),
    ],
)
def test_what_differs_can_be_asked_again(tmp_path: Path, text: str) -> None:
    """After a step, in another round, for another reason, or where the file does not list it."""
    assert {True} == {each.passed for each in play(tmp_path, text)}


def test_a_file_asks_no_more_than_can_be_held(tmp_path: Path) -> None:
    """It is refused before there are so many questions."""
    who = ", ".join(f"person/{number}" for number in range(1_000))
    text = f"cases:\n  - {{who: [{who}], on: [{who}], can: view}}\n"

    assert [
        (
            "4:5: with this case the file asks more than 100,000 questions; split it"
            " [too_many_questions]"
        )
    ] == find_faults(tmp_path, text)


def test_a_case_that_is_exhaustive_has_every_action(tmp_path: Path) -> None:
    """What it leaves out is an error, never a denial; a case may be excepted."""
    mobile = "subscription/0470000001"
    text = (
        "exhaustive: true\ncases:\n"
        f"  - {{who: person/mary, on: {mobile}, can: [view_usage, activate_free_option],\n"
        "      cannot: [view_bills, manage_options]}\n"
        f"  - {{on: {mobile}, via: web, table: [[who, view_usage], [person/mary, yes]]}}\n"
        f"  - {{who: person/mary, on: {mobile}, via: app, can: view_usage, exhaustive: false}}\n"
        f"  - {{who: person/mary, on: {mobile}, lists: {{who: {{view_bills: person/philip}}}}}}\n"
    ).replace("who: person/mary, on: subscription/0470000001, lists", f"on: {mobile}, lists")
    lacking = "`view_bills`, `manage_options`, `activate_paid_option`, `activate_free_option`"

    assert [
        (
            "5:5: this case is exhaustive and lacks `activate_paid_option` on a subscription;"
            " say what must come [not_exhaustive]"
        ),
        (
            f"7:5: this case is exhaustive and lacks {lacking} on a subscription;"
            " say what must come [not_exhaustive]"
        ),
    ] == find_faults(tmp_path, text)
