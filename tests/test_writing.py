"""Fixtures and scenarios that are written can be read, and say the same."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import small_domain
from hypothesis import given
from hypothesis import strategies as st

from authz_service.document import load_document, parse_document, to_plain
from authz_service.errors import Place
from authz_service.policy.missing import Fact
from authz_service.policy.request import Said
from authz_service.policy.situation import Demand
from authz_service.scenario.case import Scenario, load_scenario
from authz_service.scenario.inquiry import Expectation, Inquiry
from authz_service.scenario.writing import write_fixture, write_scenario
from authz_service.store.draft import DraftReader
from authz_service.store.entity import Reference, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

NOWHERE: Final = Place("")
ALLOWED: Final = Inquiry(
    Expectation(NOWHERE, "read", allowed=True),
    Reference("user", "alice"),
    Reference("record", "a/b: c"),
    "web",
    Said(action={"soft": True, "copies": 2, "parts": ["a", "no"]}, resource={"title": "1"}),
)
DENIED: Final = dataclasses.replace(
    ALLOWED,
    expected=Expectation(NOWHERE, "write", allowed=False, reasons=("late", "not_permitted")),
    channel=None,
    said=Said(),
)
REFUSED: Final = dataclasses.replace(DENIED, expected=Expectation(NOWHERE, "delete", allowed=False))
LIMITED: Final = dataclasses.replace(
    DENIED, expected=dataclasses.replace(DENIED.expected, action="share", only_these=True)
)
SCENARIO: Final = Scenario(
    Path("written.yaml"),
    "It is read: as it was",
    "a page",
    "records",
    datetime(2026, 1, 5, 12, tzinfo=UTC),
    (ALLOWED, DENIED, REFUSED, LIMITED),
)


def write_and_read(folder: Path, scenario: Scenario, comment: Sequence[str] = ()) -> Scenario:
    """Write a scenario into a folder, read it, and forget where."""
    path = folder / "written.yaml"
    path.write_text(write_scenario(scenario, comment), encoding="utf-8")
    found = load_scenario(path)
    items = [
        dataclasses.replace(each, expected=dataclasses.replace(each.expected, place=NOWHERE))
        for each in found.inquiries
    ]
    return dataclasses.replace(found, path=scenario.path, items=tuple(items))


LEAST: Final = dataclasses.replace(SCENARIO, source="", at=None, items=(DENIED,))
TAGGED: Final = dataclasses.replace(
    LEAST,
    items=(
        dataclasses.replace(DENIED, tags=("slow", "own"), skip="it is late"),
        dataclasses.replace(REFUSED, tags=("slow",), skip="all of it"),
    ),
    tags=("slow",),
    skip="all of it",
)


WHY: Final = dataclasses.replace(
    LEAST,
    items=(
        dataclasses.replace(
            ALLOWED,
            expected=dataclasses.replace(ALLOWED.expected, because=("permit", "a.polar:7")),
        ),
        dataclasses.replace(
            DENIED,
            expected=dataclasses.replace(
                DENIED.expected,
                missing=(
                    Fact("change", "record", "a: b", (("owner", Demand("=", ("alice", None))),)),
                    Fact("say", "", "", (("channel", Demand("not in", ("web",))),)),
                ),
            ),
        ),
    ),
)


@pytest.mark.parametrize("scenario", [SCENARIO, LEAST, TAGGED, WHY])
def test_a_scenario_is_read_as_it_was_written(tmp_path: Path, scenario: Scenario) -> None:
    """All that a question can say, and the least."""
    assert scenario == write_and_read(tmp_path, scenario)


def test_a_fixture_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Entities of several types, with nothing, lists, numbers and times."""
    path = tmp_path / "records.yaml"
    path.write_text(write_fixture(small_domain.ROWS, ["four entities"]), encoding="utf-8")
    reader = DraftReader(small_domain.DOMAIN.schema)
    reader.read(path)

    assert [] == reader.faults
    assert list(small_domain.ROWS) == [each.row for each in reader.drafts.values()]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    """Whatever YAML would take for something else is in quotes, and what it cannot hold escaped."""
    row = Row(Reference("user", "alice"), {"name": text})
    written = write_fixture([row], [text]).encode()
    document = parse_document(written, "written.yaml")
    assert document is not None

    assert {"user": {"alice": {"name": text}}} == to_plain(document)


def test_what_is_noted_of_a_question_stands_above_it() -> None:
    """Each on a line of its own, which is a comment."""
    notes = [f"note {number}\ncases: []" for number, _ in enumerate(SCENARIO.items)]
    lines = write_scenario(SCENARIO, notes=notes).splitlines()
    places = [lines.index(f"  # note {number}?cases: []") for number, _ in enumerate(notes)]

    assert [each for each, line in enumerate(lines) if "- who:" in line] == [
        each + 1 for each in places
    ]


def test_what_stands_above_is_a_comment(tmp_path: Path) -> None:
    """No line of it becomes a part of the file."""
    path = tmp_path / "written.yaml"
    path.write_text(write_fixture([], ["one", "two\nthree: 3"]), encoding="utf-8")

    assert "# one\n# two?three: 3\n" == path.read_text(encoding="utf-8")
    assert load_document(path) is None
