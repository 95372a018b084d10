"""A run for other programs, and as a page."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import pytest
import yaml
from run_results import ALL, BROKEN, DONE, ERROR, FAILED, FILE, PASSED, SKIPPED, run_of, scenario_of

from authz_service.errors import Place
from authz_service.reporting.github import write_annotations
from authz_service.reporting.junit import write_junit
from authz_service.reporting.record import write_record
from authz_service.reporting.run_page import write_run_page
from authz_service.reporting.tap import write_tap
from authz_service.scenario.failure import describe_failure

if TYPE_CHECKING:
    from authz_service.scenario.result import Run

# What every format has to get over: its own signs, ends of lines, and what no text should hold.
HOSTILE: Final = (
    "<b>&\"']]> # SKIP \\ ::error::%0A \r\n\t--- "
    "\N{NULL}\x1b[31m \N{LINE SEPARATOR}\ufffe é \U0001f600"
)
NASTY: Final = run_of(
    replace(
        scenario_of(
            replace(PASSED, name=HOSTILE),
            replace(SKIPPED, message=HOSTILE),
            replace(
                FAILED, place=Place(HOSTILE, 1, 1), name=HOSTILE, given=HOSTILE, explanation=HOSTILE
            ),
            replace(ERROR, message=HOSTILE),
        ),
        title=HOSTILE,
    ),
    replace(BROKEN, path=HOSTILE, faults=(replace(BROKEN.faults[0], message=HOSTILE),)),
)

# The elements of the schema that build servers share, with their attributes; of a test case, those
# that say where it is are an addition that all of them take.
_COUNTS: Final = {"name", "tests", "failures", "errors", "skipped", "time"}
JUNIT: Final = {
    "testsuites": (_COUNTS, {"testsuite"}),
    "testsuite": (_COUNTS, {"testcase"}),
    "testcase": (
        {"classname", "name", "file", "line", "time"},
        {"failure", "error", "skipped"},
    ),
    "failure": ({"message", "type"}, set[str]()),
    "error": ({"message", "type"}, set[str]()),
    "skipped": ({"message"}, set[str]()),
}


def parse_junit(run: Run) -> ET.Element:
    """Write a run as XML and read that again."""
    return ET.fromstring("\n".join(write_junit(run)).encode())  # noqa: S314  # it is our own


@pytest.mark.parametrize("run", [ALL, NASTY, run_of()], ids=["usual", "hostile", "empty"])
def test_junit_is_of_the_usual_schema(run: Run) -> None:
    """Whatever the run is, there is no other element and no other attribute."""
    root = parse_junit(run)

    assert "testsuites" == root.tag
    for each in root.iter():
        attributes, children = JUNIT[each.tag]
        assert attributes == set(each.attrib)
        assert {child.tag for child in each} <= children
        assert len(each) <= 1 or each.tag.startswith("testsuite")


def test_junit_counts_each_suite_and_all_of_them() -> None:
    """A scenario that could not be run is a case with an error."""
    root = parse_junit(ALL)
    names = ("tests", "failures", "errors", "skipped")

    assert ["6", "2", "2", "1"] == [root.attrib[each] for each in names]
    assert [["5", "2", "1", "1"], ["1", "0", "1", "0"]] == [
        [suite.attrib[each] for each in names] for suite in root
    ]


def test_junit_says_where_a_case_is_and_why_it_failed() -> None:
    """A build server shows the line, and the whole failure below it."""
    [case] = [
        each for each in parse_junit(ALL).iter("testcase") if each.find("failure") is not None
    ][:1]
    failure = case.find("failure")

    assert (FILE, "8", "0.250") == (case.attrib["file"], case.attrib["line"], case.attrib["time"])
    assert failure is not None
    assert "why:      person/mary may not view_usage" in str(failure.text)


def test_what_xml_cannot_hold_is_replaced() -> None:
    """A NUL in a message does not make the whole report unreadable."""
    [skipped] = parse_junit(NASTY).iter("skipped")

    assert "--- \ufffd\ufffd[31m" in skipped.attrib["message"]


def test_tap_numbers_what_it_announced() -> None:
    """The plan comes first; each point has the next number."""
    lines = list(write_tap(ALL))
    points = [each for each in lines if each.startswith(("ok ", "not ok "))]

    assert ["TAP version 14", "1..6"] == lines[:2]
    assert [
        f"ok 1 - {FILE}: {PASSED.name}",
        f"not ok 2 - {FILE}: {PASSED.name}",
        f"ok 3 - {FILE}: {PASSED.name} # SKIP nobody knows yet",
        f"not ok 4 - {FILE}: {PASSED.name}",
    ] == points[:4]
    assert "not ok 6 - scenarios/b.yaml" == points[-1]


def test_tap_says_why_in_yaml() -> None:
    """What is between the marks is YAML."""
    text = "\n".join(write_tap(ALL))
    blocks = [each.partition("\n  ...")[0] for each in text.split("  ---\n")[1:]]
    told: list[dict[str, Any]] = [yaml.safe_load(each) for each in blocks]

    assert {
        "at": {"file": FILE, "line": 8},
        "expected": "allow",
        "given": FAILED.given,
        "explanation": FAILED.explanation,
        "command": "authz check b",
    } == told[0]
    assert {"errors": ["KeyError: 'x' (members.py, line 3)"]} == {"errors": told[1]["errors"]}
    assert 1 == told[2]["steps_before"]


def test_nothing_in_a_name_is_a_directive_of_tap() -> None:
    """A name cannot skip itself, or begin a line."""
    lines = list(write_tap(NASTY))
    assert ["1..5"] == lines[1:2]
    assert [True, True] == [each.startswith("ok ") for each in lines[2:4]]
    points = [each for each in lines if "ok " in each[:7]]

    assert 5 == len(points)
    assert 1 == sum(" # SKIP" in each.replace("\\#", "") for each in points)
    assert all(each.isprintable() for each in lines)


def test_a_run_that_was_broken_off_bails_out() -> None:
    """A reader of TAP then knows that there would have been more."""
    run = replace(run_of(scenario_of(PASSED)), interrupted=True)

    assert "Bail out! broken off; this is what was run" == list(write_tap(run))[-1]


def test_json_has_everything() -> None:
    """With a version, for programs that read it."""
    record = json.loads("\n".join(write_record(replace(ALL, seed=7))))
    items = record["scenarios"][0]["items"]

    assert {
        "version": 1,
        "passed": 1,
        "failed": 2,
        "skipped": 1,
        "error": 1,
        "broken": 1,
        "seconds": 2.5,
        "seed": 7,
        "interrupted": False,
    } == {name: value for name, value in record.items() if name != "scenarios"}
    assert {
        "name": PASSED.name,
        "kind": "question",
        "line": 8,
        "column": 11,
        "tags": ["quick"],
        "status": "passed",
        "seconds": 0.25,
    } == items[0]
    assert (
        items[0]
        | {
            "status": "failed",
            "expected": "allow",
            "given": FAILED.given,
            "explanation": FAILED.explanation,
            "command": "authz check b",
            "steps_before": 0,
        }
        == items[1]
    )
    assert ["nobody knows yet", ERROR.message] == [each["message"] for each in items[2:4]]
    assert {
        "path": "scenarios/b.yaml",
        "title": "About b",
        "seconds": 0.0,
        "faults": [
            {
                "file": "fixtures/b.yaml",
                "line": 3,
                "column": 1,
                "code": "unknown_type",
                "message": "there is no type `x`",
            }
        ],
        "items": [],
    } == record["scenarios"][1]


def test_json_holds_whatever_there_is() -> None:
    """What is hostile elsewhere is text here."""
    record = json.loads("\n".join(write_record(NASTY)))

    assert HOSTILE == record["scenarios"][0]["title"]


def test_github_is_told_what_failed_and_what_is_skipped() -> None:
    """What passed is nothing to look at."""
    lines = list(
        write_annotations(run_of(scenario_of(PASSED, FAILED, SKIPPED, ERROR, DONE), BROKEN))
    )

    at = f"file={FILE},line=8,col=11"
    failure = "%0A".join(describe_failure(FAILED))
    error = "%0A".join(describe_failure(ERROR))

    assert [
        f"::error {at},title=not as expected::{failure}",
        f"::notice {at},title=skipped::{PASSED.name}%0Anobody knows yet",
        f"::error {at},title=cannot be put::{error}",
        (
            "::error file=fixtures/b.yaml,line=3,col=1,title=cannot be run::"
            "there is no type `x` [unknown_type]"
        ),
    ] == lines


def test_github_is_told_a_fault_once() -> None:
    """However many scenarios it keeps from being run."""
    assert 1 == len(list(write_annotations(run_of(BROKEN, replace(BROKEN, path="c.yaml")))))


def test_nothing_in_a_name_is_a_command_to_github() -> None:
    """Each command is a line, and its properties end where they should."""
    lines = list(write_annotations(NASTY))

    assert [4, 4] == [
        len(lines),
        sum(len(each.splitlines()) for each in lines) - _separators(lines),
    ]
    assert all(each.startswith(("::error file=", "::notice file=")) for each in lines)
    assert all("::" not in each.split("::", 2)[1] for each in lines)


def _separators(lines: list[str]) -> int:
    """Count what only Unicode takes for the end of a line."""
    return sum(each.count("\N{LINE SEPARATOR}") for each in lines)


class _Page(HTMLParser):
    """Notes which elements a page has, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, and refuse what would fetch something."""
        self.elements.add(tag)
        assert {"src", "href"}.isdisjoint(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def read_page(run: Run) -> _Page:
    """Write a run as a page, and read that."""
    page = _Page()
    page.feed("\n".join(write_run_page(run)))
    return page


def test_a_page_shows_counts_failures_and_every_item() -> None:
    """One page, which fetches nothing."""
    text = read_page(replace(ALL, seed=7)).text

    assert all(each in text for each in ("scenarios not run", "shuffled by", PASSED.name))
    assert FAILED.explanation in text
    assert "skipped: nobody knows yet" in text
    assert "fixtures/b.yaml:3:1: there is no type `x`" in text


def test_a_page_without_failures_has_no_section_for_them() -> None:
    """Nothing is as bad as an empty heading."""
    assert "Not as expected" not in read_page(run_of(scenario_of(PASSED))).text


def test_nothing_in_a_name_is_html() -> None:
    """A name is text, whatever it holds."""
    assert read_page(ALL).elements == read_page(NASTY).elements
