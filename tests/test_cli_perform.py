"""`authz perform` and `authz steps`: doing from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner

from authz_service.cli.main import main

if TYPE_CHECKING:
    from click.testing import Result

ROOT: Final = Path(__file__).parent.parent
MARY: Final = ("person/mary", "become_administrator", "customer/123456789", "--via", "web")


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A store of the example company."""
    url = f"sqlite:///{tmp_path / 'portal.db'}"
    run("load", str(ROOT / "fixtures" / "smith.yaml"), "--database", url)
    return url


def run(*arguments: str) -> Result:
    """Run the command line."""
    return CliRunner().invoke(main, list(arguments))


def perform(database: str, *arguments: str) -> Result:
    """Perform something on a store."""
    return run("perform", *arguments, "--database", database, "--policies", str(ROOT / "policies"))


def test_what_changed_is_printed(database: str) -> None:
    """The entity, what of it, from what to what."""
    result = perform(database, *MARY)

    assert 0 == result.exit_code
    assert "  membership/123456789/mary: role user -> administrator\n" in result.output
    assert result.output.startswith("done, revision ")


def test_a_denial_has_its_reasons_and_its_exit_code(database: str) -> None:
    """What was done cannot be done again."""
    perform(database, *MARY)
    result = perform(database, *MARY)

    assert 1 == result.exit_code
    assert result.output.startswith("denied\n  not_permitted: ")


def test_a_key_repeats_the_answer(database: str) -> None:
    """For a script that does not know whether it was heard."""
    first, again = (perform(database, *MARY, "--key", "k1", "--json") for _ in range(2))

    assert first.output == again.output
    assert json.loads(first.output)["decision"] is True


def test_a_new_entity_is_printed_whole(database: str) -> None:
    """What a registration is made of, its id first."""
    asked = ("person/mary", "register_access_owner", "customer/123456789", "--via", "web")
    result = perform(database, *asked, "--with", "action.terms_accepted=true")

    assert 0 == result.exit_code, result.output
    assert ": new, customer 123456789, person mary, terms_accepted true, status submitted" in (
        result.output
    )


def test_a_slip_of_the_pen_is_told(database: str) -> None:
    """What only the doing needs is known here, and what was meant is said."""
    result = perform(database, *MARY, "--with", "action.tokn=1")

    assert 2 == result.exit_code
    assert "did you mean `token`?" in result.output


def test_a_denial_as_json(database: str) -> None:
    """As the service answers."""
    result = perform(database, "person/philip", *MARY[1:], "--json")

    assert {"not_permitted"} == {
        each["code"] for each in json.loads(result.output)["context"]["reasons"]
    }


def test_the_steps_are_printed_with_who_takes_them() -> None:
    """A tester reads what happens."""
    result = run("steps")

    assert "  submitted -> approved: approve, by the access owner\n" in result.output
    assert "    an e-mail with the link goes to the requester\n" in result.output


def test_a_domain_may_have_no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then that is said."""
    monkeypatch.syspath_prepend(str(ROOT / "tests"))
    result = run("steps", "--domain", "domains.records")

    assert "this domain has no state machines\n" == result.output
