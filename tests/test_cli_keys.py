"""`authz keys`: what it prints, and what it never prints."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner

from authz_service.cli.main import main

if TYPE_CHECKING:
    from click.testing import Result

SMITH: Final = str(Path(__file__).parent.parent / "fixtures" / "smith.yaml")
KEY: Final = re.compile(r"authz_([0-9]{12})_[A-Za-z0-9_-]{43}")
TIME: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"


@pytest.fixture(autouse=True)
def database(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database that holds the company Smith, and no key."""
    monkeypatch.setenv("AUTHZ_DATABASE", url)
    assert 0 == CliRunner().invoke(main, ["load", SMITH]).exit_code
    return url


def run(*words: str) -> Result:
    """Run `authz keys`."""
    return CliRunner().invoke(main, ["keys", *words])


def create(name: str = "shop", *options: str) -> str:
    """Make a key, and give it."""
    result = run("create", name, "--scope", "decide", *options)
    assert 0 == result.exit_code, result.output
    return result.stdout.splitlines()[-1]


def list_keys() -> list[dict[str, Any]]:
    """List the keys, as programs do."""
    found: list[dict[str, Any]] = json.loads(run("list", "--json").stdout)
    return found


def states() -> list[tuple[str, str]]:
    """The names and states of all keys."""
    return [(each["name"], each["state"]) for each in list_keys()]


def test_a_new_key_stands_alone_on_the_last_line() -> None:
    """Before it stands what was made, and that it is shown once."""
    result = run("create", "shop", "--scope", "perform", "--scope", "decide")
    first, made, note, key = result.stdout.splitlines()
    found = KEY.fullmatch(key)

    assert (0, "") == (result.exit_code, result.stderr)
    assert found
    assert "this is the first key: within a second nobody is answered without one" == first
    assert f"made {found[1]} of shop, without an end: decide, perform" == made
    assert "this is the key; it is shown once, and nobody can find it again:" == note


def test_the_next_key_is_not_the_first() -> None:
    """What the first changes is said once."""
    create()

    assert "first key" not in run("create", "feed", "--scope", "audit").output


def test_a_key_can_expire() -> None:
    """After so many days, which are told."""
    result = run("create", "shop", "--scope", "decide", "--expires", "30")
    [key] = list_keys()

    assert re.search(f"of shop, until {TIME}: decide", result.stdout)
    assert key["expires"] > key["created"]


@pytest.mark.parametrize("days", ["0", "-1", "9999", "x"])
def test_a_key_lives_for_whole_days(days: str) -> None:
    """Anything else is refused, and nothing is made."""
    assert 2 == run("create", "shop", "--scope", "decide", "--expires", days).exit_code
    assert [] == list_keys()


def test_the_list_has_everything_but_secrets() -> None:
    """For people a line each, with the names of the columns."""
    text = create("shop", "--scope", "audit")
    found = KEY.fullmatch(text)
    head, row = run("list").stdout.splitlines()

    assert found
    assert ["name", "id", "state", "scopes", "created", "expires", "used"] == head.split()
    assert re.fullmatch(f"shop +{found[1]} +live +audit,decide +{TIME} +never +never", row)


def test_the_list_is_json_for_programs() -> None:
    """The same, with what is not there as null."""
    text = create()
    result = run("list", "--json")
    [key] = json.loads(result.stdout)

    assert re.fullmatch(TIME, key.pop("created"))
    assert {
        "name": "shop",
        "id": text.split("_")[1],
        "state": "live",
        "scopes": ["decide"],
        "expires": None,
        "used": None,
        "revoked": None,
    } == key
    assert text.split("_", 2)[2] not in result.output


def test_an_empty_list_is_empty() -> None:
    """For programs and for people."""
    assert "[]\n" == run("list", "--json").stdout
    assert 1 == len(run("list").stdout.splitlines())


def test_a_key_is_revoked_by_its_name() -> None:
    """What was revoked is told, and shown in the list from then on."""
    text = create()
    result = run("revoke", "shop")

    assert f"revoked {text.split('_')[1]} of shop\n" == result.stdout
    assert [("shop", "revoked")] == states()


def test_a_key_is_revoked_by_its_id_or_by_itself() -> None:
    """And it is not printed again."""
    texts = [create("shop"), create("feed")]
    results = [run("revoke", texts[0].split("_")[1]), run("revoke", texts[1])]

    assert [0, 0] == [each.exit_code for each in results]
    assert [("feed", "revoked"), ("shop", "revoked")] == states()
    assert texts[1] not in results[1].output


def test_revoking_twice_changes_nothing() -> None:
    """It is no error, for what is wanted is so."""
    create()
    run("revoke", "shop")
    result = run("revoke", "shop")

    assert (0, "nothing to revoke: it is not live\n") == (result.exit_code, result.stdout)


def test_a_key_is_rotated_with_an_overlap() -> None:
    """Both are live; when the one before ends is told."""
    old = create()
    result = run("rotate", "shop", "--overlap", "2")
    *_, new = result.stdout.splitlines()

    assert KEY.fullmatch(new)
    assert re.match(f"{old.split('_')[1]} of shop ends at {TIME}\n", result.stdout)
    assert [("shop", "live"), ("shop", "live")] == states()


def test_a_key_is_rotated_without_an_overlap() -> None:
    """The one before is revoked."""
    create()
    result = run("rotate", "shop", "--overlap", "0")

    assert 0 == result.exit_code
    assert [("shop", "revoked"), ("shop", "live")] == states()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ("create", "shop", "--scope", "decide"),
            "name: `shop` has a live key; `authz keys rotate shop` makes the next one [taken_name]",
        ),
        (
            ("create", "feed", "--scope", "decied"),
            "scope: there is no scope `decied`; did you mean `decide`? [unknown_scope]",
        ),
        (
            ("revoke", "shpo"),
            "name: there is no key `shpo`; did you mean `shop`? [unknown_key]",
        ),
        (
            ("rotate", "shpo"),
            "name: there is no key `shpo`; did you mean `shop`? [unknown_key]",
        ),
    ],
)
def test_a_slip_of_the_pen_is_an_error(words: tuple[str, ...], expected: str) -> None:
    """It is told with what was probably meant, and nothing changes."""
    create()
    before = list_keys()
    result = run(*words)

    assert (2, "", f"error: {expected}\n") == (result.exit_code, result.stdout, result.stderr)
    assert before == list_keys()


def test_a_key_without_scopes_is_not_made() -> None:
    """The option is required."""
    assert 2 == run("create", "shop").exit_code
    assert [] == list_keys()


@pytest.mark.parametrize(
    "words", [("create", "shop", "--scope", "decide"), ("list",), ("revoke", "x"), ("rotate", "x")]
)
def test_there_are_no_keys_without_a_store(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command makes one on the way."""
    path = tmp_path / "nothing.db"
    monkeypatch.setenv("AUTHZ_DATABASE", f"sqlite:///{path}")
    result = run(*words)

    assert 2 == result.exit_code
    assert "[no_database]" in result.stderr
    assert not path.exists()
