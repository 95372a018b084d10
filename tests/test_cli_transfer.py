"""`authz import` and `authz export`: files and pipes, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner
from entity_service import ABOUT_ANN, line

from authz_service.cli.main import main

if TYPE_CHECKING:
    from click.testing import Result

FIXTURES: Final = Path(__file__).parent.parent / "fixtures"
ANN: Final = json.dumps(line("person", "ann", **ABOUT_ANN)) + "\n"


def run(*arguments: object, given: str | bytes = "") -> Result:
    """Run a command."""
    return CliRunner().invoke(main, list(map(str, arguments)), input=given)


def test_a_file_is_imported_into_a_new_database(url: str, tmp_path: Path) -> None:
    """The tables are made, and what was written is told."""
    (tmp_path / "people.jsonl").write_text(ANN)
    result = run("import", tmp_path / "people.jsonl", "--database", url)

    assert (0, "1 entity imported into ") == (result.exit_code, result.output[:23])
    assert "ann" == json.loads(run("export", "--database", url).output)["id"]


def test_what_was_exported_is_imported_by_a_pipe(url: str, tmp_path: Path) -> None:
    """To the same store."""
    run("load", FIXTURES, "--database", url)
    exported = run("export", "-", "--database", url).stdout_bytes
    copy = f"sqlite:///{tmp_path}/copy.db"
    run("import", "-", "--database", copy, given=exported)

    assert exported
    assert exported == run("export", "--database", copy).stdout_bytes


def test_one_type_is_exported(url: str, tmp_path: Path) -> None:
    """Into a file, which is there when it is whole."""
    run("load", FIXTURES, "--database", url)
    result = run("export", tmp_path / "out.jsonl", "--type", "operator", "--database", url)
    kinds = {json.loads(each)["type"] for each in (tmp_path / "out.jsonl").read_text().splitlines()}

    assert (0, {"operator"}) == (result.exit_code, kinds)
    assert [] == list(tmp_path.glob("*.partial"))


def test_an_unknown_type_is_told(url: str) -> None:
    """With the one that was probably meant."""
    result = run("export", "--type", "operatr", "--database", url)

    assert 2 == result.exit_code
    assert "did you mean `operator`?" in result.output


def test_faults_are_told_with_the_file_and_the_line(url: str) -> None:
    """A line each, and nothing is written."""
    result = run("import", "-", "--database", url, given=ANN + "{\n" + ANN)

    assert 2 == result.exit_code
    assert [("<stdin>:2", "[invalid_json]"), ("<stdin>:3", "[duplicate_id]")] == [
        (each.split(": ")[1], each.split()[-1]) for each in result.output.splitlines()
    ]
    assert 2 == run("export", "--database", url).exit_code


def test_the_reason_is_in_the_feed(url: str) -> None:
    """As it was given."""
    run("import", "-", "--database", url, "--reason", "from the old system", given=ANN)

    assert "from the old system" == json.loads(run("changes", "--database", url).output)["reason"]


@pytest.mark.parametrize("target", ["missing/out.jsonl", "."])
def test_a_file_that_cannot_be_written_is_told(url: str, tmp_path: Path, target: str) -> None:
    """In one line."""
    run("import", "-", "--database", url, given=ANN)
    result = run("export", tmp_path / target, "--database", url)

    assert 2 == result.exit_code
    assert "[unwritable_file]" in result.output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
def test_a_full_disk_is_told(url: str, tmp_path: Path) -> None:
    """In one line, while the database is still being read; no half of a file is left."""
    lines = "".join(
        json.dumps(line("operator", f"o{number}", name="O" * 100)) + "\n" for number in range(3_000)
    )
    run("import", "-", "--database", url, given=lines)
    (tmp_path / "out.jsonl.partial").symlink_to("/dev/full")
    result = run("export", tmp_path / "out.jsonl", "--database", url)

    assert 2 == result.exit_code
    assert "cannot be written: No space left on device" in result.output
    assert [] == list(tmp_path.glob("out.*"))
