"""What failed when it was run last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from run_results import BROKEN, ERROR, FAILED, FILE, PASSED, SKIPPED, UNDONE, scenario_of

from authz_service.errors import ScenarioError
from authz_service.scenario.failed import Failed, keep_failed, load_failed

NAMES = [PASSED.name, UNDONE.name]


def test_nothing_is_known_before_the_first_run(tmp_path: Path) -> None:
    """That nothing failed is another thing."""
    assert None is load_failed(tmp_path)


def test_what_is_kept_can_be_read(tmp_path: Path) -> None:
    """With what could not be run at all, and whatever names there are."""
    failed = Failed({"a.yaml": None, "b é.yaml": frozenset({'person/"x" \n', "y"})})
    keep_failed(failed, tmp_path)

    assert failed == load_failed(tmp_path)


def test_nothing_else_is_left_behind(tmp_path: Path) -> None:
    """The folder keeps itself out of git."""
    keep_failed(Failed({}), tmp_path)

    assert [".gitignore", "last-failed.json"] == sorted(
        each.name for each in (tmp_path / ".authz").iterdir()
    )
    assert "*\n" == (tmp_path / ".authz" / ".gitignore").read_text()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"version": 2, "failed": {}}', '{"version": 1, "failed": [1]}', "\xff"],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    """With the file, and what to do about it."""
    keep_failed(Failed({}), tmp_path)
    (tmp_path / ".authz" / "last-failed.json").write_text(text, "latin-1")

    with pytest.raises(ScenarioError, match=r"last-failed\.json: cannot be read: .*; remove it"):
        load_failed(tmp_path)


def test_what_cannot_be_kept_is_told(tmp_path: Path) -> None:
    """The next run would not know."""
    (tmp_path / ".authz").write_text("a file")

    with pytest.raises(ScenarioError, match=r"cannot be written: .*; `--failed` will not know"):
        keep_failed(Failed({}), tmp_path)


def test_a_run_adds_what_failed_in_it() -> None:
    """What went wrong, too; what passed or was skipped is not among it."""
    result = scenario_of(FAILED, replace(ERROR, name="b"), replace(SKIPPED, name="c"))
    failed = Failed({}).update([(result, [FAILED.name, "b", "c"])])

    assert Failed({FILE: frozenset({FAILED.name, "b"})}) == failed
    assert failed.has(Path(FILE), "b")
    assert not failed.has(Path(FILE), "c")


def test_a_run_takes_out_what_passes_now() -> None:
    """And leaves what was not run as it was."""
    before = Failed({FILE: frozenset(NAMES), "other.yaml": frozenset({"x"})})

    assert Failed({FILE: frozenset({UNDONE.name}), "other.yaml": frozenset({"x"})}) == (
        before.update([(scenario_of(PASSED), NAMES)])
    )


def test_what_is_no_more_has_not_failed() -> None:
    """A question that was removed from the file is forgotten."""
    before = Failed({FILE: frozenset(NAMES)})

    assert Failed({}) == before.update([(scenario_of(PASSED), [PASSED.name])])


def test_of_a_scenario_that_could_not_be_run_everything_failed() -> None:
    """Until it can be."""
    failed = Failed({}).update([(BROKEN, ())])

    assert failed.has(Path("scenarios/b.yaml"), "whatever")
    assert failed.has_some(Path("scenarios/b.yaml"))
    assert Failed({}) == failed.update([(replace(BROKEN, faults=(), items=(PASSED,)), NAMES)])


def test_a_path_is_the_same_however_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the folder in which the tests are run."""
    monkeypatch.chdir(tmp_path)
    failed = Failed({}).update([(replace(BROKEN, path=f"{tmp_path}/./scenarios/b.yaml"), ())])

    assert failed.has_some(Path("scenarios/b.yaml"))
