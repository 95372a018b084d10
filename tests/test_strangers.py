"""Names that stand for nothing are errors, with the nearest that does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from playing import find_faults, play

if TYPE_CHECKING:
    from pathlib import Path

CASE: Final = "cases:\n  - {who: person/mary, on: subscription/0470000001, %s}\n"
MARY: Final = CASE % "cannot: view_bills, missing: [%s]"
DO: Final = (
    "cases:\n  - do: {who: person/mary, action: become_administrator, on: customer/123456789}"
)
STEP: Final = "cases:\n  - do: {who: %s, action: %s, on: %s}\n"

FAULTS: Final = {
    "cases:\n  - {who: person/mery, on: subscription/0470000003, can: view_usage}": [
        (
            "4:6: there is no `person/mery` in the fixture; did you mean `person/mary`?"
            " [unknown_entity]"
        ),
        (
            "4:24: there is no `subscription/0470000003` in the fixture; did you mean"
            " `subscription/0470000002`? [unknown_entity]"
        ),
    ],
    "cases:\n  - {who: persn/mary, on: subscripton/1, can: view_usage}": [
        ("4:6: `persn` is no type of subject; did you mean `person`? [unknown_subject]"),
        (
            "4:23: `subscripton` is no type of resource; did you mean `subscription`?"
            " [unknown_resource]"
        ),
    ],
    CASE % "can: view_usge": [
        (
            "4:58: `view_usge` is no action on a subscription; did you mean `view_usage`?"
            " [unknown_action]"
        )
    ],
    CASE % "cannot: {view_bills: [not_permited]}": [
        (
            "4:61: no policy gives the reason `not_permited`; did you mean `not_permitted`?"
            " [unknown_reason]"
        )
    ],
    CASE % "can: view_usage, because: [administrs]": [
        "4:70: `administrs` is no rule of the policies; did you mean `administers`? [unknown_rule]"
    ],
    MARY % "{change: membership/123456789/mery, attributes: {role: user}}": [
        (
            "4:83: there is no `membership/123456789/mery` in the fixture; did you mean"
            " `membership/123456789/mary`? [unknown_entity]"
        ),
    ],
    MARY % "{change: membership/123456789/mary, attributes: {rol: user}}, {add: persn}": [
        ("4:83: a membership has no attribute `rol`; did you mean `role`? [unknown_attribute]"),
        "4:145: there is no entity type `persn`; did you mean `person`? [unknown_type]",
    ],
    MARY % "{say: {chanel: web}}": [
        "4:83: nothing that is called `chanel` can be said; did you mean `channel`? [unknown_name]"
    ],
    STEP % ("person/mery", "become_administrator", "customer/123456780"): [
        (
            "4:10: there is no `person/mery` in the fixture; did you mean `person/mary`?"
            " [unknown_entity]"
        ),
        (
            "4:58: there is no `customer/123456780` in the fixture; did you mean"
            " `customer/123456789`? [unknown_entity]"
        ),
    ],
    STEP % ("person/mary", "become_administrater", "customer/123456789"): [
        (
            "4:28: `become_administrater` is no action on a customer; did you mean"
            " `become_administrator`? [unknown_action]"
        )
    ],
    f"{DO}\n    denied: not_permited": [
        (
            "5:5: no policy gives the reason `not_permited`; did you mean `not_permitted`?"
            " [unknown_reason]"
        )
    ],
    "cases:\n  - {on: customer/1, lists: {who: {view: [person/mery]}}}": [
        (
            "4:6: there is no `customer/1` in the fixture; did you mean `customer/123456789`?"
            " [unknown_entity]"
        ),
        (
            "4:36: there is no `person/mery` in the fixture; did you mean `person/mary`?"
            " [unknown_entity]"
        ),
    ],
    "cases:\n  - {who: person/mary, lists: {what: {veiw: [persn/a], view: [persn/b]}}}": [
        "4:39: `veiw` is no action on anything; did you mean `view`? [unknown_action]",
        (
            "4:39: `persn` is no type of resource; there is `access_owner_registration`,"
            " `application`, `customer`, `delegate_request`, `subscription` [unknown_resource]"
        ),
        (
            "4:56: `persn` is no type of resource; there is `access_owner_registration`,"
            " `application`, `customer`, `delegate_request`, `subscription` [unknown_resource]"
        ),
    ],
    "cases:\n  - {who: person/mary, on: customer/123456789, lists: {actions: [viev]}}": [
        "4:56: `viev` is no action on a customer; did you mean `view`? [unknown_action]"
    ],
    "entities: {person: {ann: {name: Ann, rle: x}, mary: {name: M, email: m@x.example}},"
    " membership: {1/ann: {customer: '1', person: ann, role: user}}}\n"
    + CASE
    % "can: view_usage": [
        "3:21: `person/ann` lacks `email`; write `email:` and text [missing_attribute]",
        (
            "3:38: a person has no attribute `rle` that is written here; there is `email`,"
            " `language`, `mobile`, `name` [unknown_attribute]"
        ),
        "3:47: `person/mary` is in the store already; an id is used once [duplicate_id]",
        "3:116: there is no customer `1` [dangling_reference]",
    ],
}


@pytest.mark.parametrize(("text", "expected"), FAULTS.items(), ids=[repr(key) for key in FAULTS])
def test_a_name_that_stands_for_nothing_is_an_error(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    """Every fault has its place, and names what was probably meant."""
    assert expected == find_faults(tmp_path, text)


def test_what_does_not_exist_can_be_asked_for_by_name(tmp_path: Path) -> None:
    """A question that expects just that is none that is misspelt."""
    text = (
        "cases:\n"
        "  - {who: [person/x, robot/x], on: customer/123456789, cannot: {view: unknown_subject}}\n"
        "  - {who: person/mary, on: [x/1, customer/1], cannot: {view: unknown_resource}}\n"
        "  - {who: person/mary, on: customer/123456789, cannot: {fly: unknown_action}}\n"
        "  - do: {who: person/x, action: step_down, on: customer/123456789}\n"
        "    denied: unknown_subject\n"
    )

    assert [True] * 6 == [each.passed for each in play(tmp_path, text)]


def test_what_a_step_makes_can_be_named_before_and_after_it(tmp_path: Path) -> None:
    """Its own ids, those that are made up, and whatever changes."""
    ask = (
        "do: {who: person/yusuf, action: request_delegate_access, on: customer/240817365, via: web"
    )
    said = "with: {action: {kind: mobile, applications: [240817365/cloud]}}}"
    text = (
        f"cases:\n  - {ask}, {said}\n    new: ask-1\n  - {ask}, {said}\n"
        "  - {who: person/yusuf, on: [delegate_request/ask-1, delegate_request/new-1], can: view}\n"
    )

    assert [True] * 4 == [each.passed for each in play(tmp_path, text, fixture="bakery")]
