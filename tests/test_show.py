"""What a policy became, on the command line: cli/show.py."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner

from authz_service.cli.main import main

if TYPE_CHECKING:
    from click.testing import Result

ROOT: Final = Path(__file__).parent.parent


def show(*words: str) -> Result:
    """Run the command on the policies of the project."""
    return CliRunner().invoke(main, ["show", *words, "--policies", str(ROOT / "policies")])


def test_it_says_when_something_is_permitted_and_by_which_rules() -> None:
    """The clauses of a question stand in words, each with its rules and their places."""
    result = show("view_usage", "subscription", "--no-sql")

    assert 0 == result.exit_code
    assert (
        "  permitted when\n"
        '    - the kind of the resource is "mobile"\n'
        "    - the holder of the resource is the subject\n"
        f"    by permit {ROOT}/policies/subscriptions.polar:19\n"
    ) in result.stdout


def test_it_says_when_something_is_forbidden() -> None:
    """The clauses of a forbid stand under its reason."""
    result = show("become_administrator", "--no-sql")

    assert "  forbidden, residential_single_administrator, when\n" in result.stdout


def test_it_shows_the_statement_of_both_databases() -> None:
    """The statements are those that run, with their placeholders."""
    result = show("view_bills")
    sqlite, postgresql = (
        result.stdout.partition(f"{name}:\n    ")[2].splitlines()[0]
        for name in ("SQLite", "PostgreSQL")
    )

    assert '"subject"."id" = ?' in sqlite
    assert '"subject"."id" = %s' in postgresql


def test_every_type_that_has_the_action_is_shown() -> None:
    """Without a type, an action is shown on all that have it, for every type of subject."""
    result = show("view", "--no-sql")
    titles = [line for line in result.stdout.splitlines() if line and line[0] != " "]

    assert [
        "operator view customer",
        "person view customer",
        "operator view access_owner_registration",
        "person view access_owner_registration",
        "operator view delegate_request",
        "person view delegate_request",
    ] == titles


def test_what_nobody_may_is_never_permitted() -> None:
    """A question without a permit says so."""
    assert "  permitted when: never\n" in show("delegate_part", "--no-sql").stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["veiw_bills"], "there is no action `veiw_bills`; did you mean `view_bills`?"),
        (
            ["view_bills", "customer"],
            "`view_bills` is no action on `customer`; there is `subscription`",
        ),
    ],
)
def test_a_word_that_is_not_known_is_told(words: list[str], expected: str) -> None:
    """A misspelt action, or one of another type, is refused with the nearest."""
    result = show(*words)

    assert 2 == result.exit_code
    assert expected in result.stderr
