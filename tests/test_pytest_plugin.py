"""Scenarios as pytest items."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

pytest_plugins = ["pytester"]

# Importing hypothesis takes a second, which every run inside a test would need.
INI: Final = """\
[pytest]
filterwarnings =
    error
    ignore:unclosed database in <sqlite3:ResourceWarning
addopts = -p no:hypothesispytest
"""
ROOT: Final = Path(__file__).parent.parent

SCENARIO: Final = """\
scenario: Users see their own mobile only
fixture: smith
cases:
  - who: [person/mary, person/philip]
    on: subscription/0470000001
    via: [web, app]
    can: view_usage
  - who: person/thomas
    on: subscription/0470000001
    cannot:
      - view_bills: not_permitted
"""
WRONG: Final = SCENARIO.replace("who: person/thomas", "who: person/philip")


# Greet makes room for Tim.
STEPS: Final = """\
scenario: Room is made
fixture: peeters
cases:
  - {who: person/tim, on: customer/402915738, via: web, cannot: become_administrator}
  - do: {who: person/greet, action: step_down, on: customer/402915738, via: web}
    changes: {membership/402915738/greet: {role: user}}
  - {who: person/tim, on: customer/402915738, via: web, can: become_administrator}
"""
ROOM: Final = (
    "person/tim become_administrator customer/402915738 via web",
    "do person/greet step_down customer/402915738 via web",
    "person/tim become_administrator customer/402915738 via web (2)",
)


# A record that can be read until it is made.
CLOCK: Final = """
allow(request: Request, _action: String, record: Record) if
    not record.created < request.now;
"""
RECORDS: Final = """
user: {alice: {name: Alice, role: member, manager: null}}
record: {note: {status: active, created: 2027-01-01T00:00:00Z}}
"""
TIMED: Final = """
scenario: There is a time for everything
fixture: records
at: {at}
cases: [{{who: user/alice, on: record/note, {answer}: read}}]
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with the policies and fixtures of this one, and no scenario yet."""
    pytester.makeini(INI)
    for name in ("policies", "fixtures"):
        (pytester.path / name).symlink_to(ROOT / name)
    return pytester


def write(project: pytest.Pytester, path: str, text: str = SCENARIO) -> Path:
    """Write a file of the project, and the folders that it is in."""
    file = project.path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def collected(project: pytest.Pytester, *options: str) -> list[str]:
    """Find the names of all items."""
    lines = project.runpytest("--collect-only", "-q", *options).outlines
    return [line for line in lines if "::" in line]


def test_every_question_is_an_item(project: pytest.Pytester) -> None:
    """Each question has a name of its own, in the order of the file."""
    write(project, "scenarios/smith.yaml")

    assert [
        f"scenarios/smith.yaml::{question}"
        for question in (
            "person/mary view_usage subscription/0470000001 via web",
            "person/mary view_usage subscription/0470000001 via app",
            "person/philip view_usage subscription/0470000001 via web",
            "person/philip view_usage subscription/0470000001 via app",
            "person/thomas view_bills subscription/0470000001",
        )
    ] == collected(project)


def test_every_question_is_asked(project: pytest.Pytester) -> None:
    """What is as expected passes."""
    write(project, "scenarios/smith.yaml")

    project.runpytest().assert_outcomes(passed=5)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (2, "mary"),
        (1, "mary and app"),
        (4, "view_usage"),
        (1, "view_bills and not mary"),
        (0, "nobody"),
    ],
)
def test_questions_are_selected_by_their_words(
    project: pytest.Pytester, expected: int, words: str
) -> None:
    """`-k` picks questions by who, what, on which and by which channel."""
    write(project, "scenarios/smith.yaml")

    assert expected == len(collected(project, "-k", words))


def test_a_question_is_run_by_its_name(project: pytest.Pytester) -> None:
    """The name that a run prints runs that question again."""
    write(project, "scenarios/smith.yaml")
    name = "scenarios/smith.yaml::person/mary view_usage subscription/0470000001 via app"

    project.runpytest(name).assert_outcomes(passed=1)


def test_a_failure_says_what_one_needs(project: pytest.Pytester) -> None:
    """A failure shows place, expectation, answer and command, and nothing of Python."""
    write(project, "scenarios/smith.yaml", WRONG)
    result = project.runpytest()
    result.assert_outcomes(passed=4, failed=1)
    question = "person/philip view_bills subscription/0470000001"
    start = next(
        number
        for number, line in enumerate(result.outlines)
        if line == f"scenarios/smith.yaml:11:9: {question}"
    )

    assert [
        "  expected: deny, with not_permitted",
        "  came:     allow",
    ] == result.outlines[start + 1 : start + 3]
    why = (
        f"  why:      {question.replace(' view', ' may view').replace(' sub', ' on sub')}, by polic"
    )
    assert result.outlines[start + 3].startswith(why)
    command = rf"  ask:      \S*authz check {question} --fixture fixtures/smith.yaml"
    assert re.match(command, result.outlines[start + 4])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


TAGGED: Final = SCENARIO.replace("cases:", "tags: mobile\ncases:").replace(
    "    cannot:", "    tags: [slow, odd-one]\n    cannot:"
)


@pytest.mark.parametrize(
    ("expected", "words"),
    [(1, "odd-one"), (4, "mobile and not slow")],
)
def test_tags_are_marks(project: pytest.Pytester, expected: int, words: str) -> None:
    """`-m` picks by the tags of scenarios and of their cases."""
    write(project, "scenarios/smith.yaml", TAGGED)

    assert expected == len(collected(project, "-m", words, "--strict-markers"))


@pytest.mark.parametrize("tag", ["xfail", "_own"])
def test_a_tag_that_means_something_to_pytest_is_refused(
    project: pytest.Pytester, tag: str
) -> None:
    """A tag picks; it must not make what fails pass."""
    write(project, "scenarios/smith.yaml", TAGGED.replace("mobile", tag))
    result = project.runpytest()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*smith.yaml: pytest has a meaning of its own for `{tag}`; *"])


def test_what_is_skipped_says_why(project: pytest.Pytester) -> None:
    """It is not put: it would fail."""
    skipped = WRONG.replace("    cannot:", "    skip: nobody has decided yet\n    cannot:")
    write(project, "scenarios/smith.yaml", skipped)
    result = project.runpytest("-rs")

    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * nobody has decided yet"])


def test_a_scenario_that_is_skipped_needs_no_fixture(project: pytest.Pytester) -> None:
    """It may be written before there is one."""
    later = SCENARIO.replace("fixture: smith", "fixture: nothing\nskip: later")
    write(project, "scenarios/smith.yaml", later)

    project.runpytest().assert_outcomes(skipped=5)


def test_every_step_is_an_item(project: pytest.Pytester) -> None:
    """In the order of the file; what is asked before and after has two names."""
    write(project, "scenarios/room.yaml", STEPS)

    assert [f"scenarios/room.yaml::{each}" for each in ROOM] == collected(project)
    project.runpytest().assert_outcomes(passed=3)


@pytest.mark.parametrize(("expected", "words"), [(1, "do and greet"), (2, "tim"), (1, "2)")])
def test_steps_are_taken_for_what_is_selected(
    project: pytest.Pytester, expected: int, words: str
) -> None:
    """Each item is put as if all before it were."""
    write(project, "scenarios/room.yaml", STEPS)
    selection = [f"scenarios/room.yaml::{ROOM[2]}"] if words == "2)" else ["-k", words]

    project.runpytest(*selection).assert_outcomes(passed=expected)


def test_items_of_a_file_may_run_in_several_processes(project: pytest.Pytester) -> None:
    """Each process takes the steps that its items need."""
    family = "customer/402915738"
    more = "".join(
        f"  - {{who: person/{who}, on: {family}, via: web, can: view}}\n"
        f"  - do: {{who: person/{who}, action: become_administrator, on: {family}, via: web}}\n"
        f"  - do: {{who: person/{who}, action: step_down, on: {family}, via: web}}\n"
        for who in ("tim", "greet", "tim", "greet")
    )
    write(project, "scenarios/room.yaml", STEPS + more)

    project.runpytest("-n", "3", "--dist", "load").assert_outcomes(passed=15)


def test_a_step_that_failed_says_what_one_needs(project: pytest.Pytester) -> None:
    """What was expected of it, what came, and the command; nothing of Python."""
    write(project, "scenarios/room.yaml", STEPS.replace("role: user", "role: delegate"))
    result = project.runpytest()

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            f"scenarios/room.yaml:5:5: {ROOM[1]}",
            "  expected: done",
            "            changes membership/402915738/greet: role delegate",
            "  came:     done",
            "            changes membership/402915738/greet: role user",
            "            informs nobody",
            "  do:       *authz perform person/greet step_down *",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize("options", [(), ("-n", "3", "--dist", "load")], ids=["one", "many"])
def test_a_broken_step_is_told_once(project: pytest.Pytester, options: tuple[str, ...]) -> None:
    """What comes after it is put all the same, in whichever process."""
    write(project, "scenarios/room.yaml", STEPS.replace("    changes", "    new: a\n    changes"))
    result = project.runpytest(*options)

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["  error:    scenarios/room.yaml:6:5: `new`: `step_down` makes no entity *"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_broken_file_is_an_error_with_its_faults(project: pytest.Pytester) -> None:
    """A file that cannot be run is told with all that is wrong with it; nothing is run."""
    write(project, "scenarios/smith.yaml")
    write(project, "scenarios/broken.yaml", "scenario: x\ncases: []\n")
    result = project.runpytest()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR collecting scenarios/broken.yaml*",
            "scenarios/broken.yaml:1:1: lacks `fixture:` [[]missing_key[]]",
            "scenarios/broken.yaml:2:8: `cases` asks nothing; add a case [[]invalid_value[]]",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_what_the_domain_does_not_take_is_an_error_with_its_place(
    project: pytest.Pytester,
) -> None:
    """A misspelt name in `with` is told with its line, before any question is asked."""
    said = SCENARIO.replace("    on:", "    with: {action: {aplications: [x]}}\n    on:", 1)
    write(project, "scenarios/smith.yaml", said)
    result = project.runpytest()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["scenarios/smith.yaml:*: no `action.aplications` comes with a question; *"]
    )


def test_a_broken_fixture_is_an_error_with_its_faults(project: pytest.Pytester) -> None:
    """A fixture that cannot be loaded is told once, without a traceback; nothing is run."""
    write(project, "scenarios/smith.yaml", SCENARIO.replace("smith", "nobody"))
    result = project.runpytest()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["fixtures/nobody.yaml: there is no such file or folder [[]missing_file[]]"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_a_broken_policy_is_an_error(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the policies cannot be used, no scenario is run."""
    write(project, "scenarios/smith.yaml")
    write(project, "broken/a.polar", "allow(_a, _b, _c);\nf(x);")
    monkeypatch.setenv("AUTHZ_POLICIES", "broken")
    result = project.runpytest()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["broken/a.polar:2:3: `x` is used once only*"])


def test_an_unknown_setting_is_an_error(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings are those of the environment, and are read as strictly."""
    write(project, "scenarios/smith.yaml")
    monkeypatch.setenv("AUTHZ_POLICEIS", "policies")
    result = project.runpytest()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*did you mean `AUTHZ_POLICIES`?*"])


def test_the_time_is_the_scenarios(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Questions are asked at the time that the file names."""
    write(project, "clock/a.polar", CLOCK)
    write(project, "times/records.yaml", RECORDS)
    write(project, "scenarios/before.yaml", TIMED.format(at="2026-01-01T00:00:00Z", answer="can"))
    write(project, "scenarios/after.yaml", TIMED.format(at="2028-01-01T00:00:00Z", answer="cannot"))
    for name, value in (
        ("POLICIES", "clock"),
        ("FIXTURES", "times"),
        ("DOMAIN", "small_domain"),
    ):
        monkeypatch.setenv(f"AUTHZ_{name}", value)

    project.runpytest().assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        (5, "scenarios/smith.yaml"),
        (5, "scenarios/deep/down/smith.yaml"),
        (5, "portal/scenarios/smith.yaml"),
        (0, "smith.yaml"),
        (0, "elsewhere/smith.yaml"),
        (0, "scenarios.yaml"),
        (0, "scenarios/smith.yml"),
        (0, "scenarios/smith.yaml.txt"),
        (0, "old_scenarios/smith.yaml"),
    ],
)
def test_only_scenarios_are_collected(project: pytest.Pytester, expected: int, path: str) -> None:
    """A `.yaml` file is a scenario where a folder above it is named `scenarios`."""
    write(project, path)

    assert expected == len(collected(project))


@pytest.mark.parametrize(
    ("expected", "folder"), [(5, "cases"), (5, "what is so"), (0, "scenarios")]
)
def test_the_folders_can_have_other_names(
    project: pytest.Pytester, expected: int, folder: str
) -> None:
    """The ini option `authz_scenarios` says how the folders are called."""
    project.makeini(INI + 'authz_scenarios = cases "what is so"')
    write(project, f"{folder}/smith.yaml")

    assert expected == len(collected(project))


def test_other_yaml_files_are_left_alone(project: pytest.Pytester) -> None:
    """What is no scenario is not even read, and Python tests run beside scenarios."""
    write(project, "config/broken.yaml", "a: [")
    write(project, "scenarios/smith.yaml")
    project.makepyfile(test_of_something_else="def test_it() -> None:\n    assert True\n")

    project.runpytest().assert_outcomes(passed=6)


def test_relative_settings_start_from_the_root(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenarios run from any folder of the project; places are as seen from there."""
    file = write(project, "scenarios/smith.yaml", WRONG)
    monkeypatch.chdir(file.parent)
    result = project.runpytest()

    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["smith.yaml:11:9: person/philip view_bills *"])


def test_an_item_knows_its_line(project: pytest.Pytester) -> None:
    """Tools that show where a test stands are led to the line of the question."""
    write(project, "scenarios/smith.yaml")
    items, _ = project.inline_genitems()

    assert [7, 7, 7, 7, 11] == [item.location[1] + 1 for item in items]  # type: ignore[operator]  # it has a line
    assert {"scenarios/smith.yaml"} == {item.location[0] for item in items}


def test_the_package_is_imported_for_scenarios_only(project: pytest.Pytester) -> None:
    """A run without scenarios does not import what decides."""
    project.makepyfile(
        test_imports="""
        import sys

        def test_it() -> None:
            assert {"authz_service.settings", "oso", "peewee"}.isdisjoint(sys.modules)
        """
    )

    project.runpytest_subprocess().assert_outcomes(passed=1)
