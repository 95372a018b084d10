"""`authz equivalent`: what is printed and written, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner
from mutants import DIFFERENT, POLICIES, SAME, change

from authz_service.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result
    from mutants import Change

NAME: Final = "person-activate_free_option-subscription"
PRINTED: Final = """person/ann activate_free_option subscription/subscription-1
  old: allow
  new: deny, with not_permitted

# fixtures/person-activate_free_option-subscription.yaml
# Found by `authz equivalent`: the smallest store on which two policies differ.
# `old` says allow;
# `new` says deny, with not_permitted.
person:
  ann: {name: ann, email: ann}
customer:
  customer-1: {kind: residential, name: customer-1}
subscription:
  subscription-1: {customer: customer-1, kind: mobile, holder: ann}

# scenarios/person-activate_free_option-subscription.yaml
# Found by `authz equivalent`: the smallest store on which two policies differ.
# `old` says allow;
# `new` says deny, with not_permitted.
# This passes by `old` and fails by `new`.
scenario: activate_free_option on a subscription by a person
fixture: person-activate_free_option-subscription
cases:
  - who: person/ann
    on: subscription/subscription-1
    can: activate_free_option
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own, in which our policies are `old`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").symlink_to(POLICIES)
    return tmp_path


def save(changed: Change, folder: Path) -> None:
    """Write policies that are changed as `new`."""
    (folder / "new").mkdir()
    for each in change(*changed).files:
        (folder / "new" / each.name).write_text(each.text)


def call(*options: str) -> Result:
    """Compare both."""
    return CliRunner().invoke(main, ["equivalent", "old", "new", *options])


def test_a_difference_is_printed_as_files_to_keep(folder: Path) -> None:
    """The question, both answers, and below them the store and a scenario."""
    save(DIFFERENT["action dropped"], folder)
    result = call()

    assert (PRINTED, 1) == (result.output, result.exit_code)


def test_no_difference_is_told_with_what_was_looked_at(folder: Path) -> None:
    """How many stores, with how many entities, and what is the same without any."""
    save(SAME["what is written out"], folder)
    result = call()

    assert 0 == result.exit_code
    assert (
        "no difference in 6 stores with at most 2 of each type, asked 6 questions;"
        " 50 of 52 kinds of questions come to the same conditions\n"
    ) == result.output


def test_the_same_policies_are_told_to_be_the_same() -> None:
    """No store has to be looked at."""
    result = CliRunner().invoke(main, ["equivalent", "old", "old"])

    assert "no difference: all 52 kinds of questions come to the same conditions\n" == result.output


def test_a_difference_is_written_into_the_folders_of_a_project(folder: Path) -> None:
    """`authz test` finds it there."""
    save(DIFFERENT["action dropped"], folder)
    result = call("--to", "kept")
    options = ["--fixtures", "kept/fixtures", "--policies"]
    passed = [
        CliRunner().invoke(main, ["test", "kept/scenarios", *options, each]).exit_code
        for each in ("old", "new")
    ]

    assert f"wrote kept/scenarios/{NAME}.yaml" in result.stderr
    assert [0, 1] == passed


def test_what_is_there_already_is_not_overwritten(folder: Path) -> None:
    """Somebody may have made it their own."""
    save(DIFFERENT["action dropped"], folder)
    mine = folder / "kept" / "fixtures" / f"{NAME}.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    result = call("--to", "kept")

    assert 2 == result.exit_code
    assert f"kept/fixtures/{NAME}.yaml: is there already, and is kept as it is" in result.stderr
    assert "mine" == mine.read_text()


def test_a_folder_that_cannot_be_made_is_told(folder: Path) -> None:
    """A file is in the way."""
    save(DIFFERENT["action dropped"], folder)
    (folder / "kept").mkdir()
    (folder / "kept" / "fixtures").write_text("")
    result = call("--to", "kept")

    assert 2 == result.exit_code
    assert "is there already" in result.stderr or "cannot be written" in result.stderr


@pytest.mark.parametrize(
    ("changed", "is_different"),
    [(DIFFERENT["action dropped"], True), (SAME["what is written out"], False)],
)
def test_programs_get_one_object(folder: Path, changed: Change, *, is_different: bool) -> None:
    """With the same that people are told."""
    save(changed, folder)
    told: dict[str, Any] = json.loads(call("--json").stdout)
    difference = told.pop("difference")

    assert is_different == (difference is not None)
    assert {"questions", "same", "entities", "stores", "asked", "left_out"} == told.keys()
    if difference:
        assert {"allowed": True, "reasons": []} == difference["old"]
        assert {"allowed": False, "reasons": ["not_permitted"]} == difference["new"]
        assert NAME == difference["name"]
        assert difference["fixture"] in PRINTED
        assert difference["scenario"] in PRINTED


def test_what_is_not_looked_at_is_no_success(folder: Path) -> None:
    """Where the bounds do not do, nothing is known."""
    save(SAME["list negated"], folder)
    result = call("--stores", "10")

    assert 2 == result.exit_code
    assert "there are too many stores for person view_usage subscription" in result.stderr
    assert "raise `--stores` and `--seconds`" in result.stderr


def test_only_an_action_that_there_is_can_be_compared() -> None:
    """A slip of the pen would compare nothing."""
    result = CliRunner().invoke(main, ["equivalent", "old", "old", "--action", "view_bils"])

    assert 2 == result.exit_code
    assert "there is no action `view_bils`; did you mean `view_bills`?" in result.stderr


def test_policies_that_cannot_be_used_are_told_with_their_place(folder: Path) -> None:
    """As every command does."""
    save(("roles", "membership.role", "membership.rol"), folder)
    result = call()

    assert 2 == result.exit_code
    assert "new/roles.polar:11:5: a Membership has no attribute `rol`" in result.stderr


def test_policies_that_are_not_there_are_told() -> None:
    """The folder is named."""
    result = call()

    assert 2 == result.exit_code
    assert "error: new: is no folder, nor can it be a revision" in result.stderr
