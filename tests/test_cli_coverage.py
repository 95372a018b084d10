"""`authz test --coverage` and `--suggest`: what is told and written, and how it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner

from authz_service.cli.main import main

if TYPE_CHECKING:
    from click.testing import Result

DOMAINS: Final = Path(__file__).parent / "domains"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(name: str, *options: str | Path) -> Result:
    """Run scenarios of a small domain: by default all that it has, on a copy of its fixtures."""
    if not Path("fixtures").exists():
        shutil.copytree(DOMAINS / name / "fixtures", "fixtures")
    settings = ["--policies", DOMAINS / name / "policies", "--domain", f"domains.{name}"]
    arguments = ["test", "-q", DOMAINS / name / "scenarios", *settings, *options]
    return CliRunner().invoke(main, [str(each) for each in arguments], catch_exceptions=False)


@pytest.mark.parametrize("name", ["expenses", "tenants"])
def test_what_is_suggested_passes_and_leaves_nothing_untested(name: str) -> None:
    """Whatever the domain: with the suggestions, all is tested that can be."""
    before = run(name, "--fail-under", "100")
    suggested = run(name, "--suggest", "--to", ".")
    after = run(name, "scenarios", "--fail-under", "100")

    assert (1, 0, 0) == (before.exit_code, suggested.exit_code, after.exit_code)
    assert ", 0 failed" in after.stdout
    assert all("tags: [unconfirmed]" in each.read_text() for each in Path("scenarios").iterdir())


def test_what_is_suggested_is_printed_where_no_folder_is_named() -> None:
    """As files, each with its name; nothing is written."""
    result = run("gitclub", "--suggest")

    assert "\n# scenarios/suggested-" in result.stdout
    assert "# by user (no relation), via any\n" in result.stdout
    assert not Path("scenarios").exists()


def test_a_file_that_is_there_is_kept() -> None:
    """It may be confirmed by now."""
    Path("scenarios").mkdir()
    Path("scenarios/suggested-club.yaml").write_text("mine")
    result = run("gitclub", "--suggest", "--to", ".")

    assert 2 == result.exit_code
    assert "is there already, and is kept as it is" in result.stderr
    assert "mine" == Path("scenarios/suggested-club.yaml").read_text()


def test_the_text_comes_after_the_run() -> None:
    """Also where nothing else is said than that it is wanted."""
    lines = run("gitclub", "--coverage").stdout.splitlines()

    assert lines[0].endswith("passed, 0 failed")
    assert ["", "outcomes of rules and conditions: 76 of 78 (97.4 %) seen"] == lines[1:3]


def test_each_form_goes_to_its_file() -> None:
    """And then nothing of it is printed."""
    kinds = ["cobertura", "html", "json", "lcov", "text"]
    result = run("gitclub", *(f"--coverage={kind}=found.{kind}" for kind in kinds))

    assert 1 == len(result.stdout.splitlines())
    assert [True] * 5 == [Path(f"found.{kind}").stat().st_size > 0 for kind in kinds]
    assert 76 == json.loads(Path("found.json").read_text())["rules"]["seen"]


def test_too_little_ends_with_1_and_says_what_lacks() -> None:
    """Of the grid, here; the smaller share counts."""
    enough = run("gitclub", "--fail-under", "80")
    too_little = run("gitclub", "--fail-under", "97")

    assert (0, 1) == (enough.exit_code, too_little.exit_code)
    assert "coverage is below 97 %: 80.8 % of the grid" == too_little.stdout.splitlines()[-1]


def test_a_report_on_the_standard_output_stays_alone() -> None:
    """The text goes elsewhere then."""
    result = run("gitclub", "--report", "json", "--coverage")

    assert json.loads(result.stdout)
    assert "rules and conditions: 76 of 78" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--coverage=xml=a"], "`xml` is no form of coverage; write KIND=FILE, with one of"),
        (["--coverage=html"], "`html` goes to a file; write html=FILE"),
        (["--coverage=lcov=a", "--coverage=lcov=b"], "`--coverage` is given twice for `lcov`"),
        (["--to", "."], "`--to` is for what is suggested; add `--suggest`"),
        (["--coverage=text", "--jobs", "2"], "coverage is of one run in one process"),
        (
            ["--suggest", "--watch"],
            "coverage is of one run in one process; leave out `--jobs`, `--watch`",
        ),
        (["--fail-under", "101"], "101"),
    ],
)
def test_what_makes_no_sense_is_refused(options: list[str], message: str) -> None:
    """With advice, and before anything is run."""
    result = run("gitclub", *options)

    assert 2 == result.exit_code
    assert message in result.stderr
    assert "" == result.stdout


def test_a_file_that_cannot_be_written_is_told() -> None:
    """Once the run is over."""
    result = run("gitclub", "--coverage=html=nowhere/found.html")

    assert 2 == result.exit_code
    assert "nowhere/found.html: cannot be written" in result.stderr


def test_what_fails_ends_with_1_however_much_is_tested() -> None:
    """And coverage is told all the same."""
    Path("wrong.yaml").write_text(
        "scenario: Nobody reads\nfixture: club\n"
        "cases:\n  - {who: user/ann, on: organization/acme, cannot: read}\n"
    )
    result = run("gitclub", "wrong.yaml", "--fail-under", "0")

    assert 1 == result.exit_code
    assert "rules and conditions: " in result.stdout
