"""Coverage as text, as a page, and for other programs."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import pytest
from covering import POLICY, build_examiner, observe, read_by
from small_domain import ALICE, BOB, DOMAIN, NOTE, REPORT, build_records

from authz_service.coverage.assessment import assess
from authz_service.coverage.cobertura import write_cobertura
from authz_service.coverage.lcov import write_lcov
from authz_service.coverage.page import write_page
from authz_service.coverage.record import write_record
from authz_service.coverage.text import write_lack, write_text
from authz_service.errors import Place
from authz_service.scenario.inquiry import Expectation, Inquiry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.coverage.assessment import Coverage

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)

# The elements of Cobertura's document type: attributes, and children in their order.
_RATES: Final = {"line-rate", "branch-rate", "complexity"}
_COUNTS: Final = {"lines-covered", "lines-valid", "branches-covered", "branches-valid"}
COBERTURA: Final[dict[str, tuple[set[str], list[str]]]] = {
    "coverage": (_RATES | _COUNTS | {"version", "timestamp"}, ["sources", "packages"]),
    "sources": (set(), ["source"]),
    "source": (set(), []),
    "packages": (set(), ["package"]),
    "package": (_RATES | {"name"}, ["classes"]),
    "classes": (set(), ["class"]),
    "class": (_RATES | {"name", "filename"}, ["methods", "lines"]),
    "methods": (set(), []),
    "lines": (set(), ["line"]),
    "line": ({"number", "hits", "branch", "condition-coverage"}, ["conditions"]),
    "conditions": (set(), ["condition"]),
    "condition": ({"number", "type", "coverage"}, []),
}


def cover(text: str = POLICY, place: str = "records.yaml") -> Coverage:
    """Ask the owner for the report, and an admin by fax for the note, and assess that."""
    examiner = build_examiner(text)
    store = build_records()
    observe(examiner, store, read_by(ALICE, REPORT), read_by(BOB, NOTE, "fax"))
    store.close()
    expected = Expectation(Place(place, 7), "read", allowed=True)
    examiner.settle([Inquiry(expected, ALICE, REPORT, None), Inquiry(expected, BOB, NOTE, "fax")])
    return assess(examiner, DOMAIN, time.monotonic, 60)


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    """What two questions show."""
    return cover()


def test_the_text_says_how_much_was_seen_and_what_was_not(coverage: Coverage) -> None:
    """Each thing with its line, and the grid where it is blank."""
    assert [
        "outcomes of rules and conditions: 8 of 16 (50 %) seen",
        "cells of the grid: 4 of 20 (20 %) tested",
        "not counted: 5 cells, which no store with at most two entities of each type can show",
        "",
        "policies/records.polar",
        "     6  owns(user, record): never failed while the rest held",
        '     7  record.status = "active": never failed while the rest held',
        '     9  permit(user: User, "read", _record: Record): never decided',
        '    13  request.channel = "fax": never failed while the rest held',
    ] == list(write_text(coverage))[:9]


def test_the_text_has_a_table_for_each_type(coverage: Coverage) -> None:
    """A row for each action, a sign for each channel."""
    lines = list(write_text(coverage))

    assert [
        "record  admin  member  owner  readers  no relation",
        "read    .-.    +..     +..    +..      xxx          via none, fax, other",
    ] == lines[-4:-2]


def test_what_lacks_is_said_of_each_that_is_below(coverage: Coverage) -> None:
    """Of the rules, of the grid, or of both."""
    both = write_lack(coverage, 70)
    grid = write_lack(coverage, 50)

    assert "coverage is below 70 %: 50 % of rules and conditions and 20 % of the grid" == both
    assert "coverage is below 50 %: 20 % of the grid" == grid


def test_lcov_has_a_branch_for_each_outcome(coverage: Coverage) -> None:
    """Functions are rules; what was not seen of a line that was hit is taken 0 times."""
    lines = list(write_lcov(coverage))

    assert ["TN:", "SF:policies/records.polar", "FN:5,permit:5", "FN:9,permit:9"] == lines[:4]
    assert ["BRDA:7,0,0,1", "BRDA:7,0,1,0"] == [each for each in lines if "BRDA:7" in each]
    assert ["BRDA:10,0,0,-", "BRDA:10,0,1,-"] == [each for each in lines if "BRDA:10" in each]
    assert "end_of_record" == lines[-1]


def test_lcov_counts_what_it_lists(coverage: Coverage) -> None:
    """The sums are those of the lines."""
    lines = [each.partition(":") for each in write_lcov(coverage)]
    found = {name: int(value) for name, _, value in lines if name[-1] in "FH" and value.isdigit()}
    hits = [value.rpartition(",")[2] for name, _, value in lines if name == "DA"]
    taken = [value.rpartition(",")[2] for name, _, value in lines if name == "BRDA"]

    assert (len(hits), len(taken)) == (found["LF"], found["BRF"])
    assert sum(each != "0" for each in hits) == found["LH"]
    assert sum(each not in {"0", "-"} for each in taken) == found["BRH"]


def parse_cobertura(coverage: Coverage) -> ET.Element:
    """Write coverage as XML and read that again."""
    return ET.fromstring("\n".join(write_cobertura(coverage, NOW)).encode())  # noqa: S314  # ours


def find_elements(element: ET.Element) -> Iterator[ET.Element]:
    """Find an element and all in it."""
    yield element
    for each in element:
        yield from find_elements(each)


def test_cobertura_is_of_its_document_type(coverage: Coverage) -> None:
    """Only the elements and attributes that it has, children in its order."""
    for element in find_elements(parse_cobertura(coverage)):
        attributes, children = COBERTURA[element.tag]
        order = [children.index(each.tag) for each in element]

        assert element.attrib.keys() <= attributes
        assert sorted(order) == order


def test_cobertura_says_how_much_of_a_line_was_seen(coverage: Coverage) -> None:
    """In words for people, and for each outcome."""
    root = parse_cobertura(coverage)
    lines = {each.get("number"): each for each in root.iter("line")}

    assert "50% (1/2)" == lines["7"].get("condition-coverage")
    assert ["100%", "0%"] == [each.get("coverage") for each in lines["7"].iter("condition")]
    assert {"hits": "1", "number": "5", "branch": "false"} == lines["5"].attrib
    assert ("policies/records.polar", "1767603600000") == (
        next(root.iter("class")).get("filename"),
        root.get("timestamp"),
    )


def test_json_has_all_that_is_known(coverage: Coverage) -> None:
    """Shares, rules with their conditions, and cells with the places of their questions."""
    record: dict[str, Any] = json.loads("\n".join(write_record(coverage)))
    [cell] = [each for each in record["cells"] if each["denied"]]

    assert 1 == record["version"]
    assert {"seen": 8, "possible": 16, "never": 0, "percent": 50.0} == record["rules"]
    assert {
        "line": 7,
        "column": 5,
        "text": 'record.status = "active"',
        "held": {"state": "seen", "questions": 1},
        "failed": {"state": "unseen", "questions": 0},
    } == record["files"][0]["rules"][0]["conditions"][1]
    assert {
        "resource": "record",
        "subject": "user",
        "relation": "admin",
        "action": "read",
        "channel": "fax",
        "state": "seen",
        "allowed": [],
        "denied": ["records.yaml:7"],
    } == cell


class _Page(HTMLParser):
    """What a page shows: the elements, what is marked, and where links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags = Counter[str]()
        self.marks: list[tuple[str, str]] = []
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self._kind = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        self.tags[tag] += 1
        self._kind = about["class"] if tag == "mark" else ""
        self.links |= {about["href"]} if "href" in about else set()
        self.ids |= {about["id"]} if "id" in about else set()

    def handle_data(self, data: str) -> None:
        if self._kind:
            self.marks.append((self._kind, data))
            self._kind = ""


def test_the_page_marks_the_text_of_the_policies(coverage: Coverage) -> None:
    """Each rule by its name, each condition as it is written."""
    marks = _Page("\n".join(write_page(coverage))).marks

    assert {
        ("seen", "permit"),
        ("part", 'record.status = "active"'),
        ("unseen", 'user.role = "admin"'),
    } <= {*marks}


def test_cells_of_the_page_lead_to_the_questions(coverage: Coverage) -> None:
    """Each link leads somewhere on the page."""
    page = _Page("\n".join(write_page(coverage)))

    assert 4 == len(page.links)
    assert {each.removeprefix("#") for each in page.links} == page.ids


def test_nothing_hostile_gets_into_a_report() -> None:
    """Neither the text of a policy nor the name of a file is markup, or ends a line."""
    policy = POLICY.replace('"active"', '"<script>&\'\x1b"')
    coverage = cover(policy, place="<script>&\"'\x1b.yaml")
    page = "\n".join(write_page(coverage))

    assert 0 == _Page(page).tags["script"]
    assert "<script>" not in page
    assert list(parse_cobertura(coverage).iter("class"))
    assert all("\n" not in each for each in write_lcov(coverage))
