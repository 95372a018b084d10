"""Examples: what is written once is asked of many values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from authz_service.errors import Place, ScenarioError
from authz_service.scenario.case import load_scenario

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.scenario.case import Scenario

START: Final = "scenario: What is so\nfixture: f\n"
CASE: Final = (
    "{examples: [%s], who: person/<name>, on: thing/<name>/<part>, can: <action>, tags: keep <x}"
)


def load(folder: Path, text: str) -> Scenario:
    """Write a scenario, and read it."""
    path = folder / "a.yaml"
    path.write_text(START + text)
    return load_scenario(path)


def faults_of(folder: Path, text: str) -> list[str]:
    """Find what is wrong with a scenario, without its name."""
    with pytest.raises(ScenarioError) as caught:
        load(folder, text)
    return [str(each).rpartition("a.yaml:")[2] for each in caught.value.faults]


def test_a_case_is_asked_once_for_each_example(tmp_path: Path) -> None:
    """A placeholder is replaced in a text; where it is all of it, by a value of any kind."""
    examples = "{name: a, part: 1x, action: view}, {name: b, part: '2', action: [edit, view]}"
    scenario = load(tmp_path, f"cases:\n  - {CASE % examples}")
    expected = [
        "person/a view thing/a/1x",
        "person/b edit thing/b/2",
        "person/b view thing/b/2",
    ]

    assert expected == [str(each) for each in scenario.items]
    assert {("keep <x",)} == {each.tags for each in scenario.items}
    assert (0,) == scenario.starts


def test_a_question_of_an_example_stands_where_its_case_does(tmp_path: Path) -> None:
    """A failure leads to the case, and its line tells the example."""
    text = "cases:\n- examples: [{x: a}, {x: b}]\n  who: p/<x>\n  on: t/1\n  can: view\n"
    places = [each.place for each in load(tmp_path, text).items]

    assert [Place(str(tmp_path / "a.yaml"), 7, 8)] * 2 == places


def test_the_examples_of_a_file_repeat_all_of_it_from_the_beginning(tmp_path: Path) -> None:
    """Each round has its steps, which count for nobody else; keys are filled in as well."""
    text = (
        "examples: [{x: a, m: 1}, {x: b, m: 2}]\ncases:\n"
        "  - {who: p/<x>, on: t/1, can: view}\n"
        "  - {do: {who: p/<x>, action: go, on: t/1}, new: n, after: {hours: <m>},"
        " changes: {t/<x>: removed}}\n"
    )
    scenario = load(tmp_path, text)
    changed = [str(one.reference) for each in scenario.steps for one in each.changes or ()]

    assert [
        "p/a view t/1",
        "do p/a go t/1",
        "p/b view t/1",
        "do p/b go t/1",
    ] == [str(each) for each in scenario.items]
    assert (0, 2) == scenario.starts
    assert ["t/a", "t/b"] == changed
    assert [1, 2] == [each.after.seconds // 3600 for each in scenario.steps]


def test_what_looks_like_a_placeholder_is_text_where_there_are_no_examples(tmp_path: Path) -> None:
    """So no id needs an escape."""
    [item] = load(tmp_path, "cases: [{who: p/<x>, on: t/1, can: view}]").items

    assert "p/<x> view t/1" == str(item)


MANY: Final = ", ".join(["{x: a}"] * 5_001)
FAULTS: Final = {
    f"examples: [{MANY}]\ncases:\n"
    "  - {who: p/<x>, on: t/1, can: view}\n  - {who: p/2, on: t/1, can: view}\n": [
        "3:11: `examples` make more than 10,000 cases; split the file [too_many_cases]"
    ],
    f"cases:\n  - {CASE % '{nam: a, part: b, action: c}'}": [
        "4:18: `<nam>` stands nowhere; leave `nam` out [unused_placeholder]",
        ("4:53: the example in line 4 has no `name`; did you mean `nam`? [unknown_placeholder]"),
    ],
    f"cases:\n  - {CASE % '{name: 7, part: [b], action: c}'}": [
        (
            "4:24: `<name>` stands within a text, so its values must be text; write them in quotes"
            " [not_text]"
        ),
        (
            "4:33: `<part>` stands within a text, so its values must be text; write them in quotes"
            " [not_text]"
        ),
    ],
    f"cases:\n  - {CASE % '[a]'}": [
        "4:17: an example is names with values, as in `{person: mary}` [invalid_value]"
    ],
    "examples: {x: a}\ncases: [{who: p/<x>, on: t/1, can: view}]": [
        (
            "3:11: `examples` must be a list such as `[{person: mary}, {person: thomas}]`"
            " [invalid_value]"
        )
    ],
    "examples: [{x: a}]\ncases: [{examples: [{y: b}], who: p/<x>, on: t/<y>, can: view}]": [
        (
            "4:20: the scenario has `examples:` for all its cases; leave out one of them"
            " [examples_twice]"
        ),
    ],
    "cases: [{examples: [{x: view}], on: t/1, lists: {who: {view: [], <x>: [p/1]}}}]": [
        "3:66: an example makes `view` a key that is there already [duplicate_key]"
    ],
    "cases: [{examples: [{x: ''}], who: p/1, on: t/1, can: <x>}]": [
        "3:55: `can` is empty [invalid_value]"
    ],
    "cases: [{examples: [{x: a}], do: {who: p/<x>, action: go, on: t/1}}]": [
        "3:10: a step has no `examples:`; what is asked stands in a case of its own [unknown_key]"
    ],
}


@pytest.mark.parametrize(
    ("text", "expected"), FAULTS.items(), ids=[repr(key[:60]) for key in FAULTS]
)
def test_a_placeholder_that_is_not_known_or_not_used_is_an_error(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    """Every fault has its place, and says what is wrong."""
    assert expected == faults_of(tmp_path, text)
