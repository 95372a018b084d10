"""`authz review`, with the companies of the fixtures."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner
from entity_service import line
from reference import require_reference

from authz_service.cli.main import main

if TYPE_CHECKING:
    from click.testing import Result

ROOT: Final = Path(__file__).parent.parent
SMITH: Final = "123456789"


def run(*words: object) -> Result:
    """Run a command."""
    return CliRunner().invoke(main, list(map(str, words)))


def review(*words: object, fixture: str = "smith") -> Result:
    """Review something of a fixture."""
    path = ROOT / "fixtures" / f"{fixture}.yaml"
    return run("review", *words, "--fixture", path, "--policies", ROOT / "policies")


def without_time(result: Result) -> list[str]:
    """Leave out when it was asked."""
    assert 0 == result.exit_code, result.output
    return [each for each in result.stdout.splitlines() if "asked at" not in each]


@pytest.mark.parametrize(
    "words",
    [
        ("--customer", SMITH),
        (f"--customer={SMITH}",),
        ("--format", "text", "--customer", SMITH, "--as", "resource"),
    ],
)
def test_an_entity_is_named_in_several_ways(words: tuple[str, ...]) -> None:
    """As `type/id`, or with its type as an option; all of them come to the same."""
    assert without_time(review(f"customer/{SMITH}")) == without_time(review(*words))


def test_a_type_of_several_words_is_an_option_too() -> None:
    """With hyphens, as options have them."""
    found = without_time(review("--delegate-request", "mobile-submitted", fixture="bakery"))

    assert "Access review of delegate_request/mobile-submitted" == found[0]
    assert "person/bram" in found


def test_a_person_is_reviewed_in_text() -> None:
    """A line for each thing that they may do, with channel, revision and rule."""
    found = [each.split() for each in without_time(review("--person", "mary"))]
    rule = "policies/subscriptions.polar:19"

    assert ["view_usage", "subscription/0470000001", "any", "since", "8", "by", rule] in [
        [*each[:-1], each[-1].removeprefix(f"{ROOT}/")] for each in found if each
    ]


def test_an_operator_has_what_belongs_to_nobody() -> None:
    """Each step is open on one registration, each in its turn."""
    found = without_time(review("--operator", "rita", fixture="bakery"))
    steps = {each.split()[0] for each in found if "access_owner_registration/" in each}

    assert {"view", "record_call", "send_agreement", "record_agreement", "confirm"} <= steps


def review_other(name: str, *words: str) -> list[dict[str, str]]:
    """Review something of another domain, as a table."""
    folder = ROOT / "tests" / "domains" / name
    [fixture] = (folder / "fixtures").iterdir()
    paths = ("--fixture", fixture, "--policies", folder / "policies")
    options = ("--domain", f"domains.{name}", "--format", "csv", "--limit", "100")
    result = run("review", *words, *options, *paths)
    assert 0 == result.exit_code, result.output
    return [each for each in csv.DictReader(result.stdout.splitlines()) if each["rules"]]


def test_what_belongs_to_an_entity_is_found_step_by_step() -> None:
    """The drives of an account, their folders, and the files in those; nothing of another one."""
    found = {each["resource"] for each in review_other("folders", "--account", "firm")}
    files = {"file/plan", "file/minutes", "file/wages", "file/bonus"}

    assert files | {"drive/main", "folder/plans", "folder/payroll"} == found


@pytest.mark.parametrize(
    ("column", "expected", "options"),
    [
        ("subject", {"employee/joe"}, ()),
        ("resource", {"employee/joe", "employee/lena"}, ("--as", "resource")),
    ],
)
def test_what_can_be_both_is_reviewed_as_either(
    column: str, expected: set[str], options: tuple[str, ...]
) -> None:
    """What Joe may, or who may do what on him, and on Lena, whose manager he is."""
    found = review_other("staff", "--employee", "joe", *options)

    assert expected == {each[column] for each in found}


def test_what_is_stored_nowhere_cannot_be_reviewed() -> None:
    """Nobody knows which invoices there are."""
    folder = ROOT / "tests" / "domains" / "invoices"
    paths = ("--fixture", folder / "fixtures" / "office.yaml", "--policies", folder / "policies")
    result = run("review", "--invoice", "1", "--domain", "domains.invoices", *paths)

    assert (2, "") == (result.exit_code, result.stdout)
    assert "no `invoice` is stored" in result.stderr


@pytest.mark.parametrize("form", ["text", "csv", "html"])
def test_a_file_takes_what_would_be_printed(tmp_path: Path, form: str) -> None:
    """It is there when it is whole."""
    words = ("--customer", SMITH, "--format", form, "--now", "2026-01-05T09:00:00Z")
    printed, file = review(*words), tmp_path / "review"
    written = review(*words, "--to", file)

    assert (0, "") == (written.exit_code, written.stdout)
    assert printed.stdout_bytes == file.read_bytes()
    assert [file] == list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["text", "csv", "html"])
def test_what_no_text_can_hold_is_written_as_an_escape(form: str) -> None:
    """A terminal may hand on half a character."""
    result = review("--customer", SMITH, "--format", form, "--via", "\udcff")

    assert 0 == result.exit_code
    assert "\\udcff" in result.stdout


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Nothing is left of it."""
    result = review("--customer", SMITH, "--to", tmp_path / "nowhere" / "review.html")

    assert (2, "") == (result.exit_code, result.stdout)
    assert "cannot be written" in result.stderr


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("there is no entity type `customr`; did you mean `customer`?", ("--customr", SMITH)),
        ("there is no `person/nobody` in the store", ("--person", "nobody")),
        ("`customer` is no type of subject", ("--customer", SMITH, "--as", "subject")),
        ("nobody acts on a membership", ("--membership", f"{SMITH}/mary")),
        ("name one entity, as TYPE/ID or --TYPE ID", ("person/mary", "person/philip")),
        ("name one entity, as TYPE/ID or --TYPE ID", ("--customer",)),
        ("name one entity, as TYPE/ID or --TYPE ID", ("--formt", "html", "person/mary")),
        ("`mary` is not of the form type/id", ("mary",)),
        ("Missing argument", ()),
        (
            "nothing is said of the subject",
            ("--person", "mary", "--with", "subject.name=Mary"),
        ),
        ("no `context.weather` comes with", ("--person", "mary", "--with", "context.weather=x")),
        ("there is no such folder", ("--person", "mary", "--policies", "nowhere")),
    ],
)
def test_what_cannot_be_reviewed_ends_with_2(said: str, words: tuple[str, ...]) -> None:
    """With what is wrong, and nothing else."""
    fixture = ROOT / "fixtures" / "smith.yaml"
    result = run("review", "--policies", ROOT / "policies", "--fixture", fixture, *words)

    assert (2, "") == (result.exit_code, result.stdout)
    assert said in result.stderr


def test_policies_that_do_not_compile_end_with_2(tmp_path: Path) -> None:
    """As for every command that asks."""
    (tmp_path / "broken.polar").write_text("allow(a, b, c) if d;")
    fixture = ROOT / "fixtures" / "smith.yaml"
    result = run("review", "--person", "mary", "--fixture", fixture, "--policies", tmp_path)

    assert (2, "") == (result.exit_code, result.stdout)
    assert "broken.polar:1" in result.stderr


def test_the_database_is_reviewed_as_of_a_moment(url: str, tmp_path: Path) -> None:
    """Since a role was written again, its grants have stood since then; before, since before."""
    at = ("--database", url)
    run("load", ROOT / "fixtures" / "smith.yaml", *at)
    values = {"customer": SMITH, "person": "philip", "role": "administrator"}
    again = line("membership", f"{SMITH}/philip", **values, excluded_from_administration=True)
    (tmp_path / "again.jsonl").write_text(json.dumps(again) + "\n")
    run("import", tmp_path / "again.jsonl", *at)
    words = ("review", "--person", "philip", "--format", "csv", "--policies", ROOT / "policies")
    found = [
        next(
            each["since"]
            for each in csv.DictReader(run(*words, *at, *more).stdout.splitlines())
            if each["action"] == "manage_account"
        )
        for more in ((), ("--at", "17"))
    ]

    assert ["18", "5"] == found


def test_a_search_that_takes_too_long_ends_with_2() -> None:
    """A part is never written as if it were all there is."""
    require_reference()
    result = review("--customer", SMITH, "--engine", "oso", "--search-time-limit", "1")

    assert (2, "") == (result.exit_code, result.stdout)
    assert "search_timeout" in result.stderr


def test_help_has_an_example_that_works() -> None:
    """The examples of `--help` can be pasted."""
    lines = run("review", "--help").output.splitlines()
    first = next(each.split() for each in lines if each.strip().startswith("authz review"))

    assert 0 == review(*first[2:]).exit_code
