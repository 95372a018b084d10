"""The feed over HTTP and on the command line: in pages, as lines or as events, and resumable."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from entity_service import ABOUT_ANN, ANN, open_service
from portal_service import read_error

from authz_service.cli.main import main
from authz_service.store.writer import find_revision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entity_service import EntityService
    from portal_service import Answer

CHANGES = "/v1/changes"


@pytest.fixture
def service(url: str) -> Iterator[EntityService]:
    """The company of Smith, in pages of ten."""
    with open_service(url, max_page=10) as service:
        yield service


def read(answer: Answer) -> list[dict[str, Any]]:
    """Read lines."""
    assert 200 == answer.status, answer
    return [json.loads(each) for each in answer.text.splitlines()]


def test_a_line_says_what_became_of_what_and_why(service: EntityService) -> None:
    """Every member, in its order."""
    before = find_revision(service.store)
    service.put(ANN, ABOUT_ANN, X_Reason="she joined")
    answer = service.call("GET", f"{CHANGES}?after={before}")

    assert "application/jsonl" == answer.headers["content-type"]
    assert [
        {
            "revision": before + 1,
            "at": "2026-01-05T09:00:00Z",
            "type": "person",
            "id": "ann",
            "before": None,
            "after": {**ABOUT_ANN, "mobile": None, "language": "en"},
            "who": "",
            "client": "",
            "action": "",
            "reason": "she joined",
        }
    ] == read(answer)


def test_the_feed_is_read_on_page_by_page(service: EntityService) -> None:
    """To its end, each line once, by the header that says where to go on."""
    last, after = find_revision(service.store), "0"
    found: list[int] = []
    while len(found) < last:
        answer = service.call("GET", f"{CHANGES}?after={after}")
        found += [each["revision"] for each in read(answer)]
        assert str(last) == answer.headers["x-revision"]
        after = answer.headers["x-next-after"]
    end = service.call("GET", f"{CHANGES}?after={after}")

    assert last > 10
    assert list(range(1, last + 1)) == found
    assert [] == read(end)
    assert after == end.headers["x-next-after"]


@pytest.mark.parametrize(("limit", "count"), [("0", 0), ("1", 1), ("10", 10), ("1000000", 10)])
def test_a_page_is_bounded(service: EntityService, limit: str, count: int) -> None:
    """By what is asked for, and by the service."""
    answer = service.call("GET", f"{CHANGES}?limit={limit}")

    assert count == len(read(answer))
    assert str(count) == answer.headers["x-next-after"]


def test_the_feed_is_read_as_events(service: EntityService) -> None:
    """Each has its revision as id, and who reads them is told when to come again."""
    answer = service.call("GET", f"{CHANGES}?limit=2", headers={"Accept": "text/event-stream"})
    lines = read(service.call("GET", f"{CHANGES}?limit=2"))
    first, *events, end = answer.text.split("\n\n")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert ("retry: 1000", "") == (first, end)
    assert ["id: 1", "id: 2"] == [each.partition("\n")[0] for each in events]
    assert lines == [json.loads(each.partition("data: ")[2]) for each in events]


def test_events_are_resumed(service: EntityService) -> None:
    """What a browser says when it comes again wins over the URL, which it keeps."""
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "5"}
    answer = service.call("GET", f"{CHANGES}?after=1&limit=1", headers=headers)

    assert "id: 6" in answer.text.splitlines()


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("after=-1", "after"),
        ("after=", "after"),
        ("after=1.0", "after"),
        ("after=%D9%A1", "after"),
        ("after=" + "9" * 30, "after"),
        ("limit=x", "limit"),
    ],
)
def test_a_question_must_be_whole_numbers(service: EntityService, query: str, where: str) -> None:
    """Anything else is refused."""
    answer = service.call("GET", f"{CHANGES}?{query}")

    assert (400, where) == (answer.status, read_error(answer)["where"])


def test_who_is_ahead_of_the_store_is_told(service: EntityService) -> None:
    """It is another store, or an older one, and its revisions mean something else."""
    revision = find_revision(service.store)
    error = read_error(answer := service.call("GET", f"{CHANGES}?after={revision + 1}"))

    assert (409, "revision_not_reached") == (answer.status, error["code"])
    assert f"revision {revision} only" in error["message"]


def test_the_command_prints_the_feed(service: EntityService, url: str) -> None:
    """The same lines."""
    expected = service.call("GET", f"{CHANGES}?after=7").text
    printed = CliRunner().invoke(main, ["changes", "--after", "7", "--database", url]).output

    assert expected == "".join(printed.splitlines(keepends=True)[:10])


def test_the_command_follows_the_feed(service: EntityService, url: str) -> None:
    """What is written while it runs is printed."""
    revision = find_revision(service.store)
    code = "from authz_service.cli.main import main; main()"
    options = ["changes", "--follow", "--after", str(revision), "--database", url]
    command = [sys.executable, "-c", code, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        service.put(ANN, ABOUT_ANN)
        first = json.loads(process.stdout.readline())
        service.call("DELETE", ANN)
        second = json.loads(process.stdout.readline())
        process.terminate()

    assert [revision + 1, revision + 2] == [first["revision"], second["revision"]]
