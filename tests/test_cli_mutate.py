"""`authz mutate`: what is printed and written, and how it ends."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner
from toy_policy import FAILING, OPTIONS, POLICY, SCENARIO, write_project

from authz_service.cli.main import main

if TYPE_CHECKING:
    from click.testing import Result

NAME: Final = "records-6-drop-rule-1"
CHANGE: Final = (
    'without forbid("archived", _request: Request, "write", _record: Record{status: "archived"})'
)
SURVIVOR: Final = f"survived: policies/records.polar:6:1: forbid: drop-rule {CHANGE}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the project."""
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    """Drop rules, and do what else is said."""
    return CliRunner().invoke(main, ["mutate", *OPTIONS, *words])


def drop_rules(*words: str) -> Result:
    """Drop rules in the file about records."""
    return run("--operator", "drop-rule", "--only", "rec*", *words)


def test_a_survivor_is_printed_with_what_would_kill_it() -> None:
    """The change, both files, and how many mutants there were."""
    result = drop_rules()
    lines = result.output.splitlines()

    assert 1 == result.exit_code
    assert [SURVIVOR, "", f"# fixtures/{NAME}.yaml"] == lines[:3]
    assert f"# scenarios/{NAME}.yaml" in lines
    assert "      - write: [archived]" in lines
    assert re.fullmatch(r"3 mutants in \d+ s, \d+ a minute", lines[-3])
    assert ["     2 killed by a scenario", "     1 survived"] == lines[-2:]


def test_what_is_written_kills_the_survivor() -> None:
    """Run again, the scenarios of the project leave none."""
    first, again = drop_rules("--to", "."), drop_rules()

    assert f"wrote scenarios/{NAME}.yaml" in first.stderr
    assert (0, ["3 killed by a scenario"]) == (
        again.exit_code,
        [line.strip() for line in again.output.splitlines()[1:]],
    )


def test_many_survivors_are_cut_short() -> None:
    """The first ones are printed, and it is said how many there are more."""
    result = drop_rules("--limit", "0")

    assert "and 1 more; see them with --limit, or --to" == result.output.splitlines()[0]


def test_several_processes_come_to_the_same() -> None:
    """In the same order."""
    alone, together = (json.loads(run("--json", "-j", each).output) for each in ("1", "2"))
    for each in (alone, together):
        del each["seconds"], each["a_minute"], each["kills"]

    assert alone == together


def test_programs_get_all_of_it() -> None:
    """What became of each, and of the survivors how to kill them."""
    written: dict[str, Any] = json.loads(drop_rules("--json").output)
    [survivor] = written["survived"]

    assert (3, 0, 2, 1) == (
        written["mutants"],
        written["untried"],
        written["fates"]["killed"],
        written["fates"]["survived"],
    )
    assert (NAME, "forbid", "policies/records.polar", 6, 1, "") == tuple(
        survivor[name] for name in ("name", "rule", "file", "line", "column", "after")
    )
    assert "cannot" in survivor["scenario"]
    assert {"scenarios/records.yaml": ["records-1-drop-rule-1", "records-3-drop-rule-1"]} == (
        written["kills"]
    )


def test_scenarios_that_kill_nothing_are_told(folder: Path) -> None:
    """And how many mutants nothing else kills."""
    (folder / "scenarios" / "idle.yaml").write_text(
        SCENARIO.replace("scenario: ", "skip: later\nscenario: Not ")
    )
    lines = drop_rules("--kills", "--limit", "0").output.splitlines()

    assert [
        "scenarios/idle.yaml kills 0, 0 of them alone",
        "scenarios/records.yaml kills 2, 2 of them alone",
    ] == [line for line in lines if " kills " in line]


def test_what_no_scenario_is_to_blame_for_is_listed_where_asked_for(folder: Path) -> None:
    """With what is wrong with it."""
    same = "user in record.readers and user = user;"
    write_project(folder, POLICY.replace("user in record.readers;", same))
    options = ("--operator", "drop-condition", "--only", "records.polar", "--limit", "0")
    brief, full = run(*options), run(*options, "--verbose")

    assert "without user = user: equivalent" not in brief.output
    assert "drop-condition without user = user: equivalent in all small stores" in full.output


def test_only_an_action_is_looked_at() -> None:
    """What concerns no question about it does not count."""
    lines = drop_rules("--action", "read").output.splitlines()

    assert lines[0].startswith("1 mutant in ")
    assert ["     1 killed by a scenario"] == lines[1:]


def test_when_the_time_is_over_it_is_not_known() -> None:
    """Nothing survived so far, but that means nothing."""
    result = drop_rules("--seconds", "0.000001")

    assert 2 == result.exit_code
    assert "the time was over before all mutants were tried" in result.stderr
    assert "     3 not tried, for the time was over" in result.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "record.polar"], "no policy file is called `record.polar`; did you mean"),
        (["--action", "rad"], "there is no action `rad`; did you mean `read`?"),
        (
            ["--only", "allow*", "--operator", "widen-list"],
            "holds nothing that could be",
        ),
        (["nowhere"], "nowhere: there is no such file or folder"),
        (["--policies", "nowhere"], "nowhere: there is no such folder"),
    ],
)
def test_what_cannot_be_done_is_told(words: list[str], message: str) -> None:
    """In a sentence."""
    result = run(*words)

    assert (2, True) == (result.exit_code, message in result.stderr)


def test_scenarios_that_fail_already_say_nothing(folder: Path) -> None:
    """They would kill every mutant."""
    (folder / "scenarios" / "records.yaml").write_text(FAILING)
    result = drop_rules()

    assert 2 == result.exit_code
    assert "scenarios/records.yaml:" in result.stderr
    assert "is not as expected by the policies as they are; see `authz test`" in result.stderr


def test_hostile_words_do_no_harm(folder: Path) -> None:
    """They are text in the mutant, in what is printed, and in the files that are written."""
    hostile = r'"\n# \" ; permit(_: User, _: String, _: Record)"'
    policy = POLICY.replace('"archived", _request', f"{hostile}, _request")
    name = "records of \x1b[31mours\x07.polar"
    write_project(folder, policy)
    Path("policies/records.polar").rename(f"policies/{name}")
    result = run("--operator", "drop-rule", "--only", "rec*", "--to", "kept")

    assert 1 == result.exit_code
    assert ["records-of-31mours--6-drop-rule-1.yaml"] == [
        each.name for each in Path("kept/scenarios").iterdir()
    ]
