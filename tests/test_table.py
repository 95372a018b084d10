"""Tables: who can do what, cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from authz_service.errors import Place, ScenarioError
from authz_service.scenario.case import load_scenario

if TYPE_CHECKING:
    from pathlib import Path

HEAD: Final = "scenario: What is so\nfixture: f\ncases:\n  - on: [t/1, t/2]\n    table:\n"
TABLE: Final = """\
      - [who,          view, edit]
      - [p/a,          yes,  'No']
      - [[p/b, p/c],   true, late]
      - [p/d,          off,  [late, busy]]
    via: web
"""


def faults_of(folder: Path, rows: str) -> list[str]:
    """Find what is wrong with a table, without the name of its file."""
    path = folder / "a.yaml"
    path.write_text(HEAD + rows)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    return [str(each).removeprefix(f"{path}:") for each in caught.value.faults]


def test_each_cell_is_a_question_about_each_resource(tmp_path: Path) -> None:
    """Rows are people, columns actions; a reason is a denial with that reason."""
    path = tmp_path / "a.yaml"
    path.write_text(HEAD + TABLE)
    found = [
        (str(each), each.expected.allowed, each.expected.reasons)
        for each in load_scenario(path).inquiries
    ]
    expected = [
        (f"p/{who} {action} t/{number} via web", allowed, reasons)
        for row, cells in (
            ("a", [(True, ()), (False, ())]),
            ("bc", [(True, ()), (False, ("late",))]),
            ("d", [(False, ()), (False, ("late", "busy"))]),
        )
        for action, (allowed, reasons) in zip(("view", "edit"), cells, strict=True)
        for who in row
        for number in (1, 2)
    ]

    assert expected == found


def test_a_question_stands_where_its_cell_does(tmp_path: Path) -> None:
    """A failure leads to the line and the column."""
    path = tmp_path / "a.yaml"
    path.write_text(HEAD + TABLE)

    assert Place(str(path), 8, 30) == load_scenario(path).inquiries[8].place


FAULTS: Final = {
    "      - [who, view]\n": [
        (
            "6:7: `table` must be a list of rows: first `[who, ACTION, ...]`, then one for each"
            " person [invalid_value]"
        )
    ],
    "      - [person, view]\n      - [p/a, yes]\n": [
        "6:9: a table begins with a row `[who, ACTION, ...]` [invalid_table]"
    ],
    "      - [who, view, 7, view]\n      - [p/a, yes, no, no]\n": [
        "6:21: must be the name of an action [invalid_cell]",
        "6:24: `view` has a column already; a table has one for each [action_twice]",
    ],
    "      - [who, view]\n      - [p/a, yes, no]\n      - []\n      - p/b\n": [
        "7:9: this row has 3 cells, and the first one has 2 [invalid_table]",
        "8:9: a row begins with who, as in `[person/mary, yes]` [invalid_table]",
        "9:9: a row begins with who, as in `[person/mary, yes]` [invalid_table]",
    ],
    "      - [who, view]\n      - [p/a, yes]\n      - [[p/b, p/a], no]\n": [
        "8:9: `p/a` is in line 7 already; a table has one row for each [row_twice]"
    ],
    "      - [who, view, edit]\n      - [mary, {}, 7]\n      - [[], [], ]\n": [
        "7:10: must be an entity such as `person/mary` [invalid_cell]",
        (
            "7:16: a cell is `yes`, `no`, the reason of a denial, or a list of reasons"
            " [invalid_cell]"
        ),
        (
            "7:20: a cell is `yes`, `no`, the reason of a denial, or a list of reasons"
            " [invalid_cell]"
        ),
        "8:9: this row has 2 cells, and the first one has 3 [invalid_table]",
    ],
    "      - [who, view]\n      - [[], yes]\n": [
        "7:10: must be an entity such as `person/mary` [invalid_cell]"
    ],
}


@pytest.mark.parametrize(("rows", "expected"), FAULTS.items(), ids=[repr(key) for key in FAULTS])
def test_what_is_wrong_in_a_table_is_told_with_its_cell(
    tmp_path: Path, rows: str, expected: list[str]
) -> None:
    """Every fault has its line and column."""
    assert expected == faults_of(tmp_path, rows)
