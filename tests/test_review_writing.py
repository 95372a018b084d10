"""The writings of a review: text, CSV and a page, whatever entities are called."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final

import pytest
from reviewing import fill, review

from authz_service.decision.review_page import write_page
from authz_service.decision.review_table import write_table
from authz_service.decision.review_text import write_text
from authz_service.store.entity import Reference, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.decision.review import Review
    from authz_service.store.database import Store

HOSTILE: Final = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    '=HYPERLINK("http://x.example";"a")',
    "+1",
    "-1",
    "@SUM(A1)",
    'a\r\nb, "c"\n',
    "\u202etxt.exe\x1b[31m",
    "</td></table>&lt;&amp;",
)
EMPTY_TAGS: Final = {"meta", "br"}


@pytest.fixture
def url(sqlite_url: str) -> str:
    """What is written does not depend on the database."""
    return sqlite_url


@pytest.fixture
def hostile(portal: Store) -> Review:
    """A review of a number whose users are called so as to do harm."""
    rows = [Row(Reference("customer", "1"), {"name": "One", "kind": "business"})]
    for each in HOSTILE:
        rows += [
            Row(Reference("person", each), {"name": each, "email": "x@mail.example"}),
            Row(
                Reference("membership", f"1/{each}"),
                {"customer": "1", "person": each, "role": "user"},
            ),
        ]
    fill(portal, rows)
    return review(portal, "customer/1")


@pytest.fixture
def empty(portal: Store) -> Review:
    """A review of a number on which nobody may do anything."""
    fill(portal, [Row(Reference("customer", "1"), {"name": "One", "kind": "residential"})])
    return review(portal, "customer/1")


class Page(HTMLParser):
    """What a page consists of."""

    def __init__(self, found: Review) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.closed_wrongly: list[str] = []
        self.feed("\n".join(write_page(found)))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag."""
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in EMPTY_TAGS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Take the end of one."""
        if self.open.pop() != tag:
            self.closed_wrongly.append(tag)

    def handle_data(self, data: str) -> None:
        """Take a text."""
        self.texts.append(data)


def read_table(found: Review) -> list[dict[str, Any]]:
    """Read the CSV of a review as a spreadsheet does."""
    text = "".join(f"{line}\n" for line in write_table(found))
    return list(csv.DictReader(io.StringIO(text, newline="")))


def ids(found: Review) -> Iterator[str]:
    """Go through the subjects of a review, as often as they have something."""
    return (str(each.subject) for each in found.grants)


def test_the_table_has_a_record_for_each_grant(hostile: Review) -> None:
    """Behind one of the review itself; what is in it is read as it was written."""
    first, *records = read_table(hostile)

    assert ("review", "customer/1") == (first["record"], first["resource"])
    assert first["details"].startswith(f"revision {hostile.revision}, ")
    assert list(ids(hostile)) == [each["subject"] for each in records]
    assert {"grant"} == {each["record"] for each in records}


def test_no_cell_of_the_table_begins_like_a_formula(portal: Store) -> None:
    """Wherever a name comes first, an apostrophe comes before it."""
    rows = [
        Row(Reference("person", "ann"), {"name": "Ann", "email": "x@mail.example"}),
        Row(Reference("customer", "1"), {"name": "One", "kind": "business"}),
        Row(Reference("membership", "1/ann"), {"customer": "1", "person": "ann", "role": "user"}),
    ]
    fill(portal, rows)
    cells = [
        cell
        for each in read_table(review(portal, "customer/1", via="=1+1"))
        for cell in each.values()
    ]

    assert "'=1+1" in cells
    assert [] == [each for each in cells if each.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_the_page_is_whole_and_holds_no_markup_of_others(hostile: Review) -> None:
    """Each tag is closed, none is strange, and every name is read as it is."""
    page = Page(hostile)
    text = "".join(page.texts)

    assert ([], []) == (page.open, page.closed_wrongly)
    assert {"script", "img", "link", "iframe"}.isdisjoint(page.tags)
    assert all(each in text for each in HOSTILE if "\r" not in each)


def test_the_page_needs_nothing_else(hostile: Review) -> None:
    """Its links lead to itself, to rules that it has; nothing is loaded and nothing is run."""
    page = Page(hostile)
    anchors = {f"#{value}" for name, value in page.attributes if name == "id"}
    links = {value for name, value in page.attributes if name == "href"}
    names = {name for name, _ in page.attributes}
    page_text = "\n".join(write_page(hostile))

    assert links
    assert links <= anchors
    assert {"src", "style", "onerror", "onclick"}.isdisjoint(names)
    assert [] == re.findall(r"url\(|@import", page_text)
    assert "default-src 'none'" in page_text


def test_the_page_is_fit_to_print(hostile: Review) -> None:
    """With a title, heads that come again on each sheet, and rows that are not torn apart."""
    page, text = Page(hostile), "\n".join(write_page(hostile))
    style = text[text.index("<style>") : text.index("</style>")]

    assert "<title>Access review of customer/1</title>" in text
    assert "@media print" in style
    assert "display: table-header-group" in style
    assert "break-inside: avoid" in style
    assert page.tags.count("table") == page.tags.count("thead") == len(set(ids(hostile)))


def test_the_page_has_the_rules_with_their_texts(hostile: Review) -> None:
    """Those that had a part in it, and no others."""
    page = Page(hostile)
    text = "".join(page.texts)

    assert "member(person, customer);" in text
    assert len(hostile.rules) == page.tags.count("pre")
    assert all(f"{each.place}\n{each.comment}" in text for each in hostile.rules)


def test_nothing_breaks_a_line_of_the_text(hostile: Review) -> None:
    """Nor moves what a terminal shows: such characters are written as escapes."""
    lines = list(write_text(hostile))
    subjects = [each for each in lines if each.startswith("person/")]

    assert len(HOSTILE) == len(subjects)
    assert 'person/a\\r\\nb, "c"\\n' in subjects
    assert all(each.isprintable() for each in lines)


def test_a_review_of_nothing_is_written(empty: Review) -> None:
    """It says that nobody may do anything, which is an answer."""
    page = Page(empty)

    assert "  found     nobody may do anything" in list(write_text(empty))
    assert ["review"] == [each["record"] for each in read_table(empty)]
    assert "nobody may do anything" in page.texts
    assert "table" not in page.tags


def test_those_that_are_counted_are_told_in_each_writing(portal: Store) -> None:
    """With how many they are, by which channels, and by which rule."""
    people = [
        Row(Reference("person", f"p{number}"), {"name": "x", "email": "x@mail.example"})
        for number in range(5)
    ]
    owner = {"customer": "1", "person": "p0", "role": "access_owner"}
    fill(
        portal,
        [
            *people,
            Row(Reference("customer", "1"), {"name": "One", "kind": "business"}),
            Row(Reference("membership", "1/p0"), owner),
        ],
    )
    found = review(portal, "customer/1", limit=3)
    turned = review(portal, "person/p1", limit=0)
    said = "4 more of type person may request_delegate_access on customer/1, via web, by "
    reverse = "person/p1 may request_delegate_access on 1 more of type customer, via web, by "
    record = read_table(found)[-1]

    assert any(said in each for each in write_text(found))
    assert said in "".join(Page(found).texts)
    assert ("others", "person", "customer/1", "4 not listed") == (
        *(record[each] for each in ("record", "subject", "resource")),
        record["details"],
    )
    assert any(reverse in each for each in write_text(turned))
