"""`authz test`: its options, what it prints, and how it ends."""

from __future__ import annotations

import itertools
import json
import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner
from crashing import write_project

from authz_service.cli.main import main
from authz_service.cli.reports import WRITERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from click.testing import Result

SETTINGS: Final = {"AUTHZ_DOMAIN": "crashing"}
ROOT: Final = Path(__file__).parent.parent
# A process of its own finds the domain of the tests, and colours nothing.
ENVIRONMENT: Final = SETTINGS | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
PROGRAM: Final = (sys.executable, "-c", "from authz_service.cli.main import main; main()", "test")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, in which the project is written."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "AUTHZ_DOMAIN"):
        monkeypatch.delenv(name, raising=False)


def run(*words: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["test", *words], env=SETTINGS)


def start(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process, and a group, of its own."""
    return subprocess.run(
        [*PROGRAM, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
        env=ENVIRONMENT,
    )


def fail(name: str) -> None:
    """Make the questions of a scenario fail."""
    path = Path("scenarios", f"{name}.yaml")
    path.write_text(path.read_text().replace("can: read", "cannot: read"))


def marks(lines: Iterable[str]) -> list[str]:
    """Find the marks of scenarios with their names."""
    found = (re.match(r"(ok  |FAIL|skip|ERROR) scenarios/(\w+)", line) for line in lines)
    return [f"{each[1].strip()} {each[2]}" for each in found if each]


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (["ok a", "ok b", "ok c"], []),
        (["ok b"], ["--only", "b"]),
        (["ok a", "ok c"], ["--only", "About a", "--only", "*c.yaml"]),
        (["ok b"], ["--only", "do *nothing*"]),
    ],
)
def test_some_are_picked(tmp_path: Path, expected: list[str], words: list[str]) -> None:
    """The others are not even told."""
    write_project(tmp_path, a="read", b="nothing read", c="read")
    result = run(*words)

    assert (expected, 0) == (marks(result.stdout.splitlines()), result.exit_code)


def test_what_picks_nothing_ends_with_2(tmp_path: Path) -> None:
    """With the nearest name; a suite in which nothing is run is not green."""
    write_project(tmp_path, alpha="read")
    result = run("--only", "alhpa")

    assert 2 == result.exit_code
    assert (
        "error: --only: no path, title or question is like `alhpa`; did you mean `alpha`?"
        " [nothing_picked]\n"
    ) == result.stderr


def test_what_is_broken_is_told_whatever_is_picked(tmp_path: Path) -> None:
    """It may be what was meant."""
    write_project(tmp_path, a="read", b="read")
    Path("scenarios", "b.yaml").write_text("scenario: About b")
    result = run("--only", "About b")

    assert 2 == result.exit_code
    assert result.stdout.startswith("ERROR scenarios/b.yaml:1:1: lacks `cases:`")


def test_only_what_failed_is_run_again(tmp_path: Path) -> None:
    """As long as it fails."""
    write_project(tmp_path, a="read", b="read nothing", c="crash read")
    fail("b")
    first, second = run(), run("--failed", "--verbose")
    fail_no_more = Path("scenarios", "b.yaml")
    fail_no_more.write_text(fail_no_more.read_text().replace("cannot: read", "can: read"))
    third, fourth = run("--failed"), run("--failed")

    assert ["ok a", "FAIL b", "FAIL c"] == marks(first.stdout.splitlines())
    assert [
        "     FAIL user/alice read record/report",
        "     FAIL do user/alice crash record/report",
    ] == [line for line in second.stdout.splitlines() if re.match(" {5}(FAIL|ok) ", line)]
    assert ["ok b", "FAIL c"] == marks(third.stdout.splitlines())
    assert ["FAIL c"] == marks(fourth.stdout.splitlines())
    assert [2, 2, 2, 2] == [each.exit_code for each in (first, second, third, fourth)]


def test_where_nothing_failed_nothing_is_run(tmp_path: Path) -> None:
    """And that is said."""
    write_project(tmp_path, a="read")
    run()
    result = run("--failed")

    assert (0, "nothing here failed when it was run last\n") == (result.exit_code, result.stdout)


def test_without_a_last_run_nothing_is_known(tmp_path: Path) -> None:
    """That nothing failed would be a guess."""
    write_project(tmp_path, a="read")
    result = run("--failed")

    assert (2, "error: --failed: nothing was run here before; run all scenarios first") == (
        result.exit_code,
        result.stderr.partition(" [")[0],
    )


def test_a_run_that_cannot_be_kept_is_told_all_the_same(tmp_path: Path) -> None:
    """The tests are what matters."""
    write_project(tmp_path, a="read")
    Path(".authz").write_text("a file")
    result = run()

    assert (0, ["ok a"]) == (result.exit_code, marks(result.stdout.splitlines()))
    assert result.stderr.startswith("warning: .authz/last-failed.json: cannot be ")


def test_a_seed_is_an_order(tmp_path: Path) -> None:
    """It is printed, and gives the same order again."""
    write_project(tmp_path, **dict.fromkeys("abcdefgh", "read"))
    first = run("--shuffle")
    found = re.fullmatch(r"shuffled by the seed (\d+)", first.stdout.splitlines()[0])
    assert found
    second, other = run("--shuffle", found[1]), run("--shuffle", str(int(found[1]) ^ 1))
    orders = [marks(each.stdout.splitlines()) for each in (first, second, other)]

    assert first.stdout == second.stdout
    assert sorted(orders[0]) == sorted(orders[2]) == [f"ok {each}" for each in "abcdefgh"]
    assert orders[0] != orders[2]


@pytest.mark.parametrize("seed", ["scenarios", "1.5", "1000000", "٣", ""])
def test_what_is_no_seed_is_told(tmp_path: Path, seed: str) -> None:
    """A path behind the option is taken for one."""
    write_project(tmp_path, a="read")
    result = run(f"--shuffle={seed}")

    assert 2 == result.exit_code
    assert "is no whole number below 1000000; without one, write `--shuffle` last" in result.stderr


def test_a_crash_is_told_and_the_others_are_run(tmp_path: Path) -> None:
    """Then the run is no success, and no mere failure."""
    write_project(tmp_path, a="crash read", b="read")
    result = run()
    lines = result.stdout.splitlines()

    assert (2, ["FAIL a", "ok b"]) == (result.exit_code, marks(lines))
    assert any(
        line.startswith("       error:    KeyError: 'x' (crashing.py, line ") for line in lines
    )
    assert "2 passed, 0 failed, 1 error: 2 questions, 1 step" == lines[-1]


def test_ctrl_c_tells_what_was_run(tmp_path: Path) -> None:
    """And writes it, with the exit code that shells give."""
    write_project(tmp_path, a="read", b="interrupt", c="read")
    result = run("--report", "json=run.json")
    record = json.loads(Path("run.json").read_text())

    assert (130, ["ok a"]) == (result.exit_code, marks(result.stdout.splitlines()))
    assert "broken off; this is what was run" == result.stdout.splitlines()[-1]
    assert (True, 1) == (record["interrupted"], record["passed"])


def test_ctrl_c_ends_the_processes(tmp_path: Path) -> None:
    """Those at work as well; the output is closed once the last of them is gone."""
    write_project(tmp_path, a="read", b="interrupt_group", c="read")
    done = start("--jobs", "2")

    assert 130 == done.returncode
    assert "broken off; this is what was run" == done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_processes_tell_in_the_order_of_the_files(tmp_path: Path) -> None:
    """A process that is killed loses the scenario that it was at; the others are run."""
    write_project(tmp_path, a="read", b="end_process read", c="crash", d="read")
    done = start("-j", "3")
    lines = done.stdout.splitlines()

    assert (2, ["ok a", "ERROR b", "FAIL c", "ok d"]) == (done.returncode, marks(lines))
    assert (
        "ERROR scenarios/b.yaml: the process that ran it has ended by SIGKILL; run it alone,"
        " without `--jobs` [process_lost]"
    ) in lines
    assert "2 passed, 0 failed, 1 error: 2 questions, 1 step" == lines[-1]


def test_text_makes_room_for_a_report_on_the_standard_output(tmp_path: Path) -> None:
    """So that it can be piped; others go into their files."""
    write_project(tmp_path, a="read")
    result = run("--report", "json", "--report", "tap=run.tap", "--shuffle", "7")

    assert 7 == json.loads(result.stdout)["seed"]
    assert ["shuffled by the seed 7", "1 passed, 0 failed"] == [
        result.stderr.splitlines()[each] for each in (0, -1)
    ]
    assert "TAP version 14" == Path("run.tap").read_text().splitlines()[0]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("`junitt` is no kind of report; write KIND=FILE, with one of github, html", ["junitt=x"]),
        ("`json` and `tap` cannot both go to the standard output", ["json", "tap=-"]),
        ("`json` and `tap` cannot both go to `x`", ["json=x", "tap=x"]),
    ],
)
def test_reports_that_cannot_be_written_are_told(
    tmp_path: Path, said: str, words: list[str]
) -> None:
    """Before anything is run."""
    write_project(tmp_path, a="read")
    result = run(*(f"--report={each}" for each in words))

    assert (2, "") == (result.exit_code, result.stdout)
    assert said in " ".join(result.stderr.split())


def test_a_report_that_cannot_be_written_ends_with_2(tmp_path: Path) -> None:
    """Whoever reads it would see the one before."""
    write_project(tmp_path, a="read")
    result = run("--report", "junit=nowhere/run.xml")

    assert (2, ["ok a"]) == (result.exit_code, marks(result.stdout.splitlines()))
    assert "error: nowhere/run.xml: cannot be written: No such file" in result.stderr


def test_policies_that_cannot_be_used_are_in_the_reports(tmp_path: Path) -> None:
    """So that no old report looks like this run."""
    write_project(tmp_path, a="read")
    Path("policies", "records.polar").write_text("allow(")
    result = run("--report", "json=run.json")
    record = json.loads(Path("run.json").read_text())

    assert (2, "") == (result.exit_code, result.stdout)
    assert ["policies"] == [each["path"] for each in record["scenarios"]]
    assert "policies/records.polar" == record["scenarios"][0]["faults"][0]["file"]


@pytest.mark.parametrize(
    ("expected", "words", "environment"),
    [
        (True, ["--color", "always"], {}),
        (True, ["--color", "always"], {"NO_COLOR": "1"}),
        (False, ["--color", "never"], {}),
        (False, [], {}),
    ],
)
def test_colours_are_for_terminals(
    tmp_path: Path, *, expected: bool, words: list[str], environment: dict[str, str]
) -> None:
    """Unless they are asked for."""
    write_project(tmp_path, a="read")
    result = CliRunner().invoke(main, ["test", *words], env=SETTINGS | environment, color=True)

    assert expected == ("\x1b[32m" in result.stdout)


def test_a_terminal_has_colours_and_is_told_how_far_it_is(tmp_path: Path) -> None:
    """The bar makes room for each line, and is below it again."""
    write_project(tmp_path, a="read", b="read")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(PROGRAM, stdout=theirs, stderr=theirs, env=ENVIRONMENT)
    os.close(theirs)
    shown = ""
    with suppress(OSError):  # how Linux says that nobody writes any more
        while piece := os.read(ours, 4_096):
            shown += piece.decode()
    os.close(ours)

    assert 0 == process.wait()
    assert "\r\x1b[K\x1b[32mok  \x1b[0m scenarios/a.yaml: About a (1 question)\r\n" in shown
    assert re.search(r"question\)\r\n.*running  \[#+-+\]   50%.*\r\x1b\[K.*scenarios/b", shown)


def test_little_or_much_is_told(tmp_path: Path) -> None:
    """Of a run in which all is well, one line, or a line for each question."""
    write_project(tmp_path, a="read nothing")

    assert ["2 passed, 0 failed: 1 question, 1 step"] == run("-q").stdout.splitlines()
    assert 4 == len(run("-v").stdout.splitlines())
    assert 2 == run("-q", "-v").exit_code


def test_watching_goes_on_until_ctrl_c(tmp_path: Path) -> None:
    """Through policies that cannot be used, too."""
    write_project(tmp_path, a="read", b="read")
    policy = Path("policies", "records.polar")
    whole = policy.read_text()
    process = subprocess.Popen(
        [*PROGRAM, "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRONMENT,
    )
    with process:
        seen = [read_until_watching(process)]
        fail("b")
        seen.append(read_until_watching(process))
        policy.write_text("allow(")
        seen.append(read_until_watching(process))
        policy.write_text(whole)
        seen.append(read_until_watching(process))
        process.send_signal(signal.SIGINT)

    assert [["ok a", "ok b"], ["FAIL b"], [], []] == [marks(each) for each in seen]
    assert any("what failed still does" in each for each in seen[3])
    assert any(each.startswith("error: policies/records.polar:") for each in seen[2])
    assert 130 == process.returncode


def read_until_watching(process: subprocess.Popen[str]) -> list[str]:
    """Read what a process prints before it waits for the next change."""
    assert process.stdout
    return list(itertools.takewhile(lambda line: not line.startswith("watching "), process.stdout))


def test_watching_writes_no_reports(tmp_path: Path) -> None:
    """They would be of whatever was run last."""
    write_project(tmp_path, a="read")
    result = run("--watch", "--report", "json=run.json")

    assert 2 == result.exit_code
    assert "leave out `--report`" in " ".join(result.stderr.split())


def test_the_docs_name_every_option() -> None:
    """And every kind of report."""
    text = (ROOT / "docs" / "scenarios.md").read_text()
    options = re.findall(r"--[a-z-]+", run("--help").stdout)
    settings = {"--policies", "--domain", "--fixtures", "--scenarios", "--engine"}
    named = {*options} - settings - {"--help", "--report"}

    assert [] == [
        each for each in sorted(named) if f"`{each}" not in text and f" {each}" not in text
    ]
    assert [] == [each for each in WRITERS if f"| `{each}` |" not in text]
