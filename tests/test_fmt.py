"""`authz fmt`: which files it formats, what it tells, and what it leaves alone."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner

from authz_service.cli.main import main

if TYPE_CHECKING:
    from click.testing import Result

RAGGED: Final = "foo( 1 );\n"
NEAT: Final = "foo(1);\n"
BROKEN: Final = "foo(1;\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every command runs in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fmt(*words: str, text: str = "") -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["fmt", *words], input=text)


def write(name: str, text: str) -> Path:
    """Write a file of the folder, byte for byte."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def test_the_folders_of_the_settings_are_formatted() -> None:
    """Policies, fixtures, and scenarios in folders of any depth; other files are left alone."""
    names = ["rules/a.polar", "scenarios/b/c.yaml", "data/d.yaml", "rules/.old/e.polar"]
    ragged = [write(name, RAGGED if "polar" in name else "a:   b\n") for name in names]
    write("data/e.txt", "a:   b\n")
    result = fmt("--policies", "rules", "--fixtures", "data")

    assert 0 == result.exit_code
    assert [
        *[f"formatted {name}" for name in names[:3]],
        "3 files formatted, 0 in format already",
    ] == result.output.splitlines()
    assert [NEAT, "a: b\n", "a: b\n", RAGGED] == [path.read_text() for path in ragged]


def test_a_second_run_changes_nothing() -> None:
    """What is in its format is not written again."""
    path = write("a.polar", RAGGED)
    fmt("a.polar")
    before = path.stat().st_mtime_ns, path.stat().st_ino
    result = fmt("a.polar")

    assert (0, "0 files formatted, 1 in format already\n") == (result.exit_code, result.output)
    assert before == (path.stat().st_mtime_ns, path.stat().st_ino)


def test_check_only_tells() -> None:
    """It ends with 1 while something would change."""
    path = write("a.polar", RAGGED)
    write("b.polar", NEAT)
    result = fmt("--check", ".")

    assert 1 == result.exit_code
    assert "would format a.polar\n1 file would be formatted, 1 in format already\n" == result.output
    assert RAGGED == path.read_text()
    assert 0 == fmt("--check", "b.polar").exit_code


def test_diff_shows_what_would_change() -> None:
    """And changes nothing."""
    path = write("a.polar", f"# why\n{RAGGED}")
    result = fmt("--diff", "a.polar")

    assert 1 == result.exit_code
    assert ["@@ -1,2 +1,2 @@", " # why", "-foo( 1 );", "+foo(1);"] == result.output.splitlines()[
        3:7
    ]
    assert f"# why\n{RAGGED}" == path.read_text()


def test_what_cannot_be_read_stays_and_the_others_are_formatted() -> None:
    """Each fault has its place; the command ends with 2."""
    broken, ragged = write("a.polar", BROKEN), write("b.polar", RAGGED)
    write("c.yaml", "a: [\n")
    write("d.polar", "\ufefffoo(1);\n")
    Path("e.polar").write_bytes(b"\xff")
    result = fmt(".")

    assert 2 == result.exit_code
    assert "1 file formatted, 0 in format already, 4 could not be" == result.stdout.splitlines()[-1]
    assert ["a.polar:1:6", "c.yaml:2:1", "d.polar:1:1", "e.polar"] == [
        line.split(": ")[1] for line in result.stderr.splitlines() if line.startswith("error: ")
    ]
    assert (BROKEN, NEAT) == (broken.read_text(), ragged.read_text())


@pytest.mark.parametrize(
    ("name", "code"),
    [("nothing", "missing_file"), ("a.txt", "unknown_kind"), ("b", "unknown_kind")],
)
def test_a_path_without_anything_to_format_is_told(name: str, code: str) -> None:
    """Nobody believes then that it was formatted."""
    write("a.txt", "")
    Path("b").mkdir()
    result = fmt(name)

    assert 2 == result.exit_code
    assert result.stderr.startswith(f"error: {name}: ")
    assert f"[{code}]" in result.stderr


def test_what_is_too_large_is_refused() -> None:
    """Before it is read whole."""
    path = write("a.polar", "#" * (4 * 1024 * 1024 + 1))
    result = fmt("a.polar")

    assert 2 == result.exit_code
    assert "a.polar: is larger than 4 MiB; " in result.stderr
    assert 2 == fmt("-", "--as", "yaml", text=path.read_text()).exit_code


def test_without_policies_there_is_nothing_to_format() -> None:
    """The folder that is missing is named."""
    result = fmt()

    assert 2 == result.exit_code
    assert "policies: there is no such file or folder [missing_file]" in result.stderr


def test_the_mode_of_a_file_stays() -> None:
    """Although it is replaced; nothing else is left in the folder."""
    path = write("a.polar", RAGGED)
    path.chmod(0o750)
    fmt("a.polar")

    assert (NEAT, 0o750) == (path.read_text(), stat.S_IMODE(path.stat().st_mode))
    assert ["a.polar"] == [each.name for each in Path().iterdir()]


def test_a_link_stays_one() -> None:
    """What it leads to is formatted."""
    path = write("else/a.polar", RAGGED)
    link = Path("b.polar")
    link.symlink_to(path)
    result = fmt("b.polar")

    assert 0 == result.exit_code
    assert (True, NEAT) == (link.is_symlink(), path.read_text())


def test_a_file_that_is_read_only_is_refused() -> None:
    """Whoever made it so meant it."""
    path = write("a.polar", RAGGED)
    path.chmod(0o444)
    result = fmt("a.polar")

    assert (2, RAGGED) == (result.exit_code, path.read_text())
    assert "a.polar: cannot be written: it is read-only [unwritable_file]" in result.stderr


@pytest.mark.parametrize(
    ("kind", "ragged", "neat"), [("polar", RAGGED, NEAT), ("yaml", "a:   é\r\n", "a: é\n")]
)
def test_the_standard_input_is_formatted_to_the_standard_output(
    kind: str, ragged: str, neat: str
) -> None:
    """As editors want it; nothing else is printed."""
    result = fmt("-", "--as", kind, text=ragged)

    assert (0, neat.encode(), b"") == (result.exit_code, result.stdout_bytes, result.stderr_bytes)


def test_the_standard_input_can_be_checked() -> None:
    """It has no name but `-`."""
    result = fmt("-", "--as", "polar", "--check", text=RAGGED)

    assert (1, "would format -\n") == (result.exit_code, result.output)


def test_a_broken_standard_input_gives_no_output() -> None:
    """An editor keeps what it has."""
    result = fmt("-", "--as", "polar", text=BROKEN)

    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith("error: -:1:6: ")


@pytest.mark.parametrize("words", [["-"], ["--as", "yaml"], ["-", "a.polar", "--as", "polar"]])
def test_the_standard_input_comes_alone_and_says_what_it_is(words: list[str]) -> None:
    """There is no name to tell it by."""
    result = fmt(*words)

    assert 2 == result.exit_code
    assert "give `-` alone, with `--as polar` or `--as yaml`" in result.stderr
