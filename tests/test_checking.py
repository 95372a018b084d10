"""Steps held against the domain before any is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
import small_domain

from authz_service.errors import ScenarioError
from authz_service.portal import DOMAIN
from authz_service.scenario.case import load_scenario
from authz_service.scenario.checking import check_scenario, read_changes

if TYPE_CHECKING:
    from pathlib import Path

HEAD: Final = "scenario: What is so\nfixture: f\ncases:\n"
DO: Final = f"{HEAD}  - do: {{who: person/a, action: step_down, on: customer/b}}\n    "
CHANGES: Final = f"{DO}changes: "
WITH: Final = f"{HEAD}  - do: {{who: person/a, action: confirm_code, on: delegate_request/b, with: "


def faults_of(tmp_path: Path, text: str) -> list[str]:
    """Find what is wrong with a scenario of the portal, without the name of the file."""
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        check_scenario(DOMAIN, load_scenario(path))
    return [str(each).removeprefix(f"{path}:") for each in caught.value.faults]


FAULTS: Final = {
    f"{DO}informs: {{a@x.example: [administrator_added, adminstrator_added]}}": [
        (
            "5:5: there is no message `adminstrator_added`; did you mean `administrator_added`?"
            " [unknown_message]"
        )
    ],
    f"{CHANGES}{{membreship/b/a: {{role: user}}}}": [
        "5:15: there is no entity type `membreship`; did you mean `membership`? [unknown_type]"
    ],
    f"{CHANGES}{{membreship/b/a: removed}}": [
        "5:15: there is no entity type `membreship`; did you mean `membership`? [unknown_type]"
    ],
    f"{CHANGES}{{membership/b/a: {{rol: user}}}}": [
        (
            "5:32: a membership has no attribute `rol` that is written here;"
            " did you mean `role`? [unknown_attribute]"
        )
    ],
    f"{CHANGES}{{customer/b: {{memberships: []}}}}": [
        (
            "5:28: a customer has no attribute `memberships` that is written here;"
            " there is `kind`, `name` [unknown_attribute]"
        )
    ],
    f"{CHANGES}{{membership/b/a: {{role: usr}}}}": [
        "5:38: `role` cannot be `usr`; did you mean `user`? [unknown_value]"
    ],
    f"{CHANGES}{{membership/b/a: {{role: true, customer: 7, excluded_from_administration: x}}}}": [
        (
            "5:38: YAML reads `true` as true or false, but `role` is text; write it in quotes:"
            ' "true" [not_text]'
        ),
        (
            "5:54: YAML reads `7` as a number, but `customer` is text; write it in quotes:"
            ' "7" [not_text]'
        ),
        ("5:87: `excluded_from_administration` must be `true` or `false`, not `x` [wrong_type]"),
    ],
    f"{CHANGES}{{delegate_request/b: {{applications: x, person: }}}}": [
        '5:50: `applications` must be a list, as in `["a", "b"]` [wrong_type]',
        "5:60: `person` must be the id of a person, not `nothing` [wrong_type]",
    ],
    f"{WITH}{{action: {{tokn: {{sent: code}}}}}}}}": [
        "4:87: no `action.tokn` comes with a question; did you mean `token`? [unknown_name]"
    ],
    f"{WITH}{{action: {{token: 7, terms_accepted: {{sent: code}}}}}}}}": [
        "4:87: `action.token` must be a string [wrong_type]",
        "4:97: `action.terms_accepted` must be a boolean [wrong_type]",
    ],
    f"{HEAD}  - do: {{who: person/a, action: manage_users, on: customer/b}}": [
        (
            "4:25: `manage_users` changes nothing; ask with `can:` whether it is allowed; there is"
            " `become_administrator`, `register_access_owner`, `request_delegate_access`,"
            " `step_down` [not_performable]"
        )
    ],
    f"{CHANGES}{{x/b: removed}}\n  - do: {{who: person/a, action: view, on: customer/b}}": [
        (
            "5:15: there is no entity type `x`; there is `access_owner_registration`,"
            " `application`, `application_grant`, `customer`, `delegate_request`, `membership`,"
            " `operator`, `person`, `subscription` [unknown_type]"
        ),
        (
            "6:25: `view` changes nothing; ask with `can:` whether it is allowed; there is"
            " `become_administrator`, `register_access_owner`, `request_delegate_access`,"
            " `step_down` [not_performable]"
        ),
    ],
}


@pytest.mark.parametrize(("text", "expected"), FAULTS.items(), ids=[repr(key) for key in FAULTS])
def test_what_the_domain_does_not_have_is_told(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    """Every fault has its line, says what is wrong, and which word was probably meant."""
    assert expected == faults_of(tmp_path, text)


@pytest.mark.parametrize(
    "done",
    [
        "{who: person/a, action: fly, on: customer/b}",
        "{who: person/a, action: step_down, on: plane/b}",
        "{who: plane/a, action: step_down, on: customer/b}",
    ],
)
def test_what_nobody_knows_can_be_tried(tmp_path: Path, done: str) -> None:
    """As with questions: that it is refused may be just what must be so."""
    path = tmp_path / "a.yaml"
    path.write_text(f"{HEAD}  - {{do: {done}, denied: unknown_action}}")

    check_scenario(DOMAIN, load_scenario(path))


def test_changes_are_read_as_the_feed_has_them(tmp_path: Path) -> None:
    """Times in UTC, lists in order, and nothing for what has no value."""
    path = tmp_path / "a.yaml"
    path.write_text(
        f"{DO}changes:\n"
        "      record/b: {created: 2026-01-05T10:00:00+01:00, readers: [b, a], size: 3, owner: ,"
        " secret: true}\n"
        "      record/c: removed\n"
    )
    [step] = load_scenario(path).steps
    wanted = read_changes(small_domain.DOMAIN.schema, step)
    values = {
        "created": "2026-01-05T09:00:00Z",
        "readers": ["a", "b"],
        "size": 3,
        "owner": None,
        "secret": True,
    }

    assert {"record/b": values, "record/c": None} == {
        str(key): each for key, each in (wanted or {}).items()
    }


def test_what_is_left_out_is_not_expected(tmp_path: Path) -> None:
    """A step without `changes` may change whatever it does."""
    path = tmp_path / "a.yaml"
    path.write_text(DO)
    [step] = load_scenario(path).steps

    assert read_changes(DOMAIN.schema, step) is None
