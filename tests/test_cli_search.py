"""`authz who`, `authz what` and `authz can`, with the company of Smith in the default database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner
from reference import require_reference

from authz_service import storage
from authz_service.cli.main import main
from authz_service.settings import Settings

if TYPE_CHECKING:
    from click.testing import Result

ROOT: Final = Path(__file__).parent.parent
SMITH: Final = ROOT / "fixtures" / "smith.yaml"
MOBILE: Final = "subscription/0470000001"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every command runs in a folder with nothing but the policies and a database."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").symlink_to(ROOT / "policies")
    storage.load_into_store(Settings(), [SMITH])
    return tmp_path


def run(*words: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(main, words)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (["person/mary", "person/philip"], ("who", "view_usage", MOBILE)),
        (["person/philip"], ("who", "view_bills", MOBILE, "--via", "app")),
        (["person/philip"], ("who", "view_bills", MOBILE, "--type", "person")),
        ([MOBILE], ("what", "person/mary", "view_usage", "subscription")),
        (["activate_free_option", "view_usage"], ("can", "person/mary", MOBILE)),
    ],
)
def test_what_is_found_is_listed(expected: list[str], words: tuple[str, ...]) -> None:
    """A line for each, and exit code 0."""
    result = run(*words)

    assert (0, expected, "") == (result.exit_code, result.stdout.splitlines(), result.stderr)


@pytest.mark.parametrize(
    "words",
    [
        ("who", "delegate_part", "customer/123456789"),
        ("who", "view_bills", MOBILE, "--via", "post"),
        ("who", "view_bills", MOBILE, "--type", "operator"),
        ("what", "person/nobody", "view_usage", "subscription"),
        ("can", "person/thomas", MOBILE),
        ("can", "person/mary", "subscription/none"),
    ],
)
def test_nothing_found_ends_with_1(words: tuple[str, ...]) -> None:
    """Where there is nothing, nothing is printed; a count is 0."""
    result, counted = run(*words), run(*words, "--count")

    assert (1, "") == (result.exit_code, result.output)
    assert (1, "0\n") == (counted.exit_code, counted.output)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ("2", ("who", "view_usage", MOBILE)),
        ("5", ("what", "person/philip", "view_usage", "subscription")),
        ("5", ("can", "person/philip", MOBILE)),
    ],
)
def test_a_count_takes_the_place_of_the_list(expected: str, words: tuple[str, ...]) -> None:
    """With `--count` the number alone is printed."""
    result = run(*words, "--count")

    assert (0, f"{expected}\n") == (result.exit_code, result.output)


@pytest.mark.parametrize("words", [("who", "view_usage", MOBILE), ("can", "person/philip", MOBILE)])
def test_more_than_a_page_is_listed_whole(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """However small the pages are, all of them are gone through."""
    whole = run(*words).output
    monkeypatch.setenv("AUTHZ_MAX_PAGE", "1")

    assert whole == run(*words).output


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("`view_usaeg` is no action on a subscription; did you", ("who", "view_usaeg", MOBILE)),
        (
            "`persn` is no type of subject; did you",
            ("who", "view_usage", MOBILE, "--type", "persn"),
        ),
        ("`subscripton` is no type of resource; did you", ("can", "person/mary", "subscripton/1")),
        ("`bill` is no type of resource; there is", ("what", "person/mary", "view_bills", "bill")),
        ("`membership` is no type of resource", ("can", "person/mary", "membership/1")),
        ("`person` is not of the form type/id", ("can", "person", MOBILE)),
        (
            "what is looked for is as it is stored, so nothing is said of the subject",
            ("who", "view_usage", MOBILE, "--with", "subject.name=Mary"),
        ),
        (
            "what is looked for is as it is stored, so nothing is said of the resource",
            ("what", "person/mary", "view_usage", "subscription", "--with", "resource.kind=tv"),
        ),
        (
            "no `subject.name` comes with a question: it is stored",
            ("what", "person/mary", "view_usage", "subscription", "--with", "subject.name=x"),
        ),
        ("there is no such folder", ("can", "person/mary", MOBILE, "--policies", "nowhere")),
        ("there is no such file", ("can", "person/mary", MOBILE, "--database", "sqlite:///no.db")),
    ],
)
def test_what_cannot_be_asked_ends_with_2(said: str, words: tuple[str, ...]) -> None:
    """A slip of the pen is told apart from finding nothing."""
    result = run(*words)

    assert (2, "") == (result.exit_code, result.stdout)
    assert said in result.stderr


@pytest.mark.parametrize(
    ("expected", "named"),
    [
        ("request_delegate_access\n", "240817365/cloud"),
        ("", "240817365/cloud/photos"),
    ],
)
def test_a_search_can_come_with_more(expected: str, named: str) -> None:
    """What is said with it counts: nobody asks for a part of an application."""
    words = ("can", "person/yusuf", "customer/240817365", "--via", "web")
    fixture = str(ROOT / "fixtures" / "bakery.yaml")
    said = f'action.applications=["{named}"]'

    assert expected == run(*words, "--fixture", fixture, "--with", said).output


def test_a_fixture_and_a_time_can_be_chosen(folder: Path) -> None:
    """What is asked of a fixture is not asked of the database."""
    (folder / "empty.yaml").write_text("operator: {olga: {name: Olga}}\n")
    options = ("--fixture", "empty.yaml", "--now", "2026-01-05T09:00:00Z")
    words = ("can", "person/mary", MOBILE, *options)

    assert (1, "") == (run(*words).exit_code, run(*words).output)


def test_the_reference_finds_the_same() -> None:
    """With `--engine both`, either engine looks, and they must agree."""
    require_reference()
    words = ("who", "view_usage", MOBILE, "--search-time-limit", "60000")

    assert run(*words).output == run(*words, "--engine", "both").output


def test_a_search_that_takes_too_long_ends_with_2() -> None:
    """Nothing is listed as if it were all there is."""
    require_reference()
    result = run("who", "view_usage", MOBILE, "--engine", "oso", "--search-time-limit", "1")

    assert (2, "") == (result.exit_code, result.stdout)
    assert "search_timeout" in result.stderr


@pytest.mark.parametrize("command", ["who", "what", "can"])
def test_help_has_an_example_that_works(command: str) -> None:
    """The example of `--help` can be pasted."""
    lines = run(command, "--help").output.splitlines()
    example = next(line.split() for line in lines if line.strip().startswith(f"authz {command}"))

    assert 0 == run(*example[1:]).exit_code
