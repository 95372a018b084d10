"""Which questions are put, and in which order."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from authz_service.errors import ScenarioError
from authz_service.scenario.case import load_scenario
from authz_service.scenario.failed import Failed
from authz_service.scenario.selection import Selection, shuffle

if TYPE_CHECKING:
    from authz_service.scenario.case import Scenario

CASES: Final = """
scenario: Users see their own mobile
fixture: smith
tags: mobile
cases:
  - {who: [person/mary, person/thomas], on: subscription/1, can: view_usage, tags: [slow, odd]}
  - {who: person/mary, on: subscription/1, cannot: view_bills, tags: slow}
  - do: {who: person/mary, action: step_down, on: customer/1}
  - {who: person/mary, on: subscription/1, can: [view_usage, view_bills, view, manage]}
"""


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """A scenario of eight items: three questions, a step, and four questions."""
    monkeypatch.chdir(tmp_path)
    path = Path("scenarios", "smith.yaml")
    path.parent.mkdir()
    path.write_text(CASES)
    return load_scenario(path)


@pytest.mark.parametrize(
    ("expected", "patterns"),
    [
        (range(8), ()),
        (range(8), ("scenarios/smith.yaml",)),
        (range(8), ("smith.yaml",)),
        (range(8), ("smith",)),
        (range(8), ("*smi*",)),
        (range(8), ("Users see their own mobile",)),
        ([1], ("*thomas*",)),
        ([2, 5], ("*view_bills*",)),
        ([3], ("do *",)),
        ([1, 3], ("*thomas*", "do *")),
        ([4], ("person/mary view_usage subscription/1 (2)",)),
        ([], ("thomas",)),
        ([], ("SMITH",)),
    ],
)
def test_patterns_pick_by_path_title_and_question(
    scenario: Scenario, expected: list[int], patterns: tuple[str, ...]
) -> None:
    """What fits one of them is put; of a path or a title, all that is in the file."""
    assert [*expected] == Selection(patterns).pick(scenario)


@pytest.mark.parametrize(
    ("expected", "tags"),
    [
        (range(8), ("mobile",)),
        ([0, 1, 2], ("slow",)),
        ([0, 1], ("odd",)),
        ([0, 1, 2], ("odd", "slow")),
        ([3, 4, 5, 6, 7], ("not:slow",)),
        ([2], ("slow", "not:odd")),
        ([], ("not:mobile",)),
        ([], ("sl",)),
    ],
)
def test_tags_pick_and_leave_out(
    scenario: Scenario, expected: list[int], tags: tuple[str, ...]
) -> None:
    """One of several is enough; one that is left out is left out whatever else there is."""
    assert [*expected] == Selection(tags=tags).pick(scenario)


def test_everything_that_is_said_must_fit(scenario: Scenario) -> None:
    """A pattern, a tag and the last run together."""
    failed = Failed({"scenarios/smith.yaml": frozenset({"person/mary view_bills subscription/1"})})

    assert [2] == Selection(("*mary*",), ("slow",), failed).pick(scenario)
    assert [] == Selection(("*mary*",), ("odd", "not:slow"), failed).pick(scenario)


@pytest.mark.parametrize(
    ("said", "selection"),
    [
        (
            "--only: no path, title or question is like `smth`; did you mean `smith`?",
            Selection(("smth",)),
        ),
        (
            "--only: no path, title or question is like `*mray*`",
            Selection(("*smith*", "*mray*")),
        ),
        ("did you mean `person/mary`?", Selection(("person/mray*",))),
        (
            "--tag: nothing has the tag `slo`; did you mean `slow`?",
            Selection(tags=("slo",)),
        ),
        (
            "--only: no question fits all that was said; leave something out",
            Selection(("do *",), ("slow",)),
        ),
        (
            "--tag: no question fits all that was said; leave something out",
            Selection(tags=("not:mobile",)),
        ),
    ],
)
def test_what_picks_nothing_is_told_with_the_nearest_names(
    scenario: Scenario, said: str, selection: Selection
) -> None:
    """A misspelt word must not look like a run in which all is well."""
    with pytest.raises(ScenarioError) as caught:
        selection.refuse_nothing([scenario])

    assert said in str(caught.value)


def test_shuffling_leaves_steps_where_they_are(scenario: Scenario) -> None:
    """What is put between them is put between them, in another order."""
    shuffled = shuffle(scenario, range(8), random.Random(1))  # noqa: S311  # no secret

    assert ({0, 1, 2}, [3], {4, 5, 6, 7}) == (
        {*shuffled[:3]},
        shuffled[3:4],
        {*shuffled[4:]},
    )
    assert [*range(8)] != shuffled


def test_a_seed_is_an_order(scenario: Scenario) -> None:
    """Who has the seed of a run can run it again."""
    orders = [shuffle(scenario, range(8), random.Random(seed)) for seed in (1, 1, 2)]  # noqa: S311

    assert orders[0] == orders[1] != orders[2]
