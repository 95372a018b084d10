"""Changes of files, and the scenarios that they can affect."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from small_domain import write_policy

from authz_service.errors import PolicyError
from authz_service.scenario.case import Scenario
from authz_service.scenario.runner import Runner
from authz_service.scenario.watching import Change, Watch, WatchedSuite
from authz_service.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from authz_service.scenario.result import ScenarioResult

POLICY: Final = 'allow(_: Request, "read", _: Record);'
FIXTURE: Final = """
user: {alice: {name: Alice, role: member, manager: null}}
record: {report: {status: active, readers: []}}
"""
SCENARIO: Final = """
scenario: What is so
fixture: %s
cases:
  - {who: user/alice, on: record/report, can: read}
"""
SETTINGS: Final = Settings(
    policies=Path("policies"), fixtures=Path("fixtures"), domain="small_domain"
)
PATHS: Final = (Path("scenarios"),)
ONE, TWO, THREE = (Path("scenarios", f"{name}.yaml") for name in ("one", "two", "three"))
FIRST, SECOND = Path("fixtures/first.yaml"), Path("fixtures/second.yaml")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project of two scenarios, each with a fixture of its own."""
    monkeypatch.chdir(tmp_path)
    write_policy(tmp_path, POLICY)
    for folder in ("fixtures", "scenarios"):
        Path(folder).mkdir()
    FIRST.write_text(FIXTURE)
    SECOND.write_text(FIXTURE)
    ONE.write_text(SCENARIO % "first")
    TWO.write_text(SCENARIO % "second")


def change_while_waiting(*edits: Callable[[], object]) -> Watch:
    """Watch the project, and make changes one after the other whenever nobody looks."""
    left = iter(edits)
    return Watch(SETTINGS, PATHS, lambda _seconds: next(left, lambda: None)())


def nothing() -> None:
    """Change nothing."""


def of_files(*paths: Path) -> Change:
    """Make a change of files."""
    return Change(policies=False, files=frozenset(paths))


@pytest.mark.parametrize(
    ("expected", "edit"),
    [
        (of_files(ONE), lambda: ONE.write_text("scenario: another")),
        (of_files(ONE), lambda: os.utime(ONE, ns=(1, 1))),
        (of_files(THREE), lambda: THREE.write_text("")),
        (of_files(TWO), TWO.unlink),
        (of_files(ONE, THREE), lambda: ONE.rename(THREE)),
        (of_files(SECOND), lambda: SECOND.write_text("")),
        (Change(policies=True, files=frozenset()), lambda: write_policy(Path(), POLICY + "\n")),
        (
            Change(policies=True, files=frozenset()),
            lambda: Path("policies", "more.polar").write_text(""),
        ),
    ],
)
def test_a_change_is_noticed(expected: Change, edit: Callable[[], object]) -> None:
    """Whatever it is: another text, a new file, one that has gone."""
    assert expected == change_while_waiting(nothing, edit).wait()


def test_what_is_being_written_is_waited_for() -> None:
    """An editor may write a file in several pieces, and several files."""
    watch = change_while_waiting(
        lambda: ONE.write_text(""),
        lambda: ONE.write_text("scenario: "),
        lambda: TWO.write_text(""),
    )

    assert of_files(ONE, TWO) == watch.wait()


def test_a_change_is_noticed_once() -> None:
    """The next one is another."""
    watch = change_while_waiting(
        lambda: ONE.write_text(""), nothing, nothing, lambda: TWO.write_text("")
    )
    watch.wait()

    assert of_files(TWO) == watch.wait()


def test_a_file_beside_is_no_change() -> None:
    """What is neither policy, fixture nor scenario affects nothing."""
    watch = change_while_waiting(
        lambda: Path("scenarios", "notes.txt").write_text(""), lambda: ONE.write_text("")
    )

    assert of_files(ONE) == watch.wait()


@pytest.fixture
def suite() -> WatchedSuite:
    """The scenarios of the project, which were run once."""
    suite = WatchedSuite(SETTINGS, PATHS, lambda: Runner(SETTINGS))
    suite.load()
    return suite


def paths_of(affected: Iterable[Scenario | ScenarioResult]) -> list[Path]:
    """Find the files of scenarios."""
    return [Path(each.path) for each in affected]


@pytest.mark.parametrize(
    ("expected", "change"),
    [
        ([ONE], of_files(ONE)),
        ([TWO], of_files(SECOND)),
        ([ONE, TWO], of_files(ONE, SECOND)),
        ([], of_files(Path("fixtures/other.yaml"))),
        ([ONE, TWO], Change(policies=True, files=frozenset())),
    ],
)
def test_what_a_change_can_affect_is_run(
    suite: WatchedSuite, expected: Sequence[Path], change: Change
) -> None:
    """A scenario by itself, a fixture those that begin with it, a policy everything."""
    assert expected == paths_of(suite.follow(change)[1])


def test_files_come_and_go(suite: WatchedSuite) -> None:
    """A new one is run, and one that has gone is not."""
    ONE.rename(THREE)
    _, affected = suite.follow(of_files(ONE, THREE))

    assert [THREE] == paths_of(affected)
    assert [TWO, THREE] == sorted(
        paths_of(suite.follow(Change(policies=True, files=frozenset()))[1]), key=[TWO, THREE].index
    )


def test_a_fixture_is_read_anew(suite: WatchedSuite) -> None:
    """What it held before is forgotten."""
    FIRST.write_text(FIXTURE.replace("report", "note"))
    ONE.write_text((SCENARIO % "first").replace("report", "note"))
    runner, affected = suite.follow(of_files(ONE, FIRST))
    [scenario] = affected
    assert isinstance(scenario, Scenario)

    assert [True] == [each.passed for each in runner.run(scenario)]


def test_a_scenario_that_was_broken_is_run_when_it_is_not(suite: WatchedSuite) -> None:
    """It is read each time."""
    ONE.write_text("scenario: x")
    _, [broken] = suite.follow(of_files(ONE))
    ONE.write_text(SCENARIO % "first")
    _, [whole] = suite.follow(of_files(ONE))

    assert [False, True] == [isinstance(each, Scenario) for each in (broken, whole)]


def test_policies_that_cannot_be_used_are_waited_for(suite: WatchedSuite) -> None:
    """Nothing is run by those before, whatever changes, until they can be used again."""
    change = Change(policies=True, files=frozenset())
    write_policy(Path(), "allow(")
    for each in (change, of_files(ONE)):
        with pytest.raises(PolicyError):
            suite.follow(each)
    write_policy(Path(), POLICY)

    assert [ONE, TWO] == paths_of(suite.follow(change)[1])
