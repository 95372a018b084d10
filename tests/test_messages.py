"""`authz messages`: what is listed, what never is, and how the dead come back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner

from authz_service.cli.main import main
from authz_service.store.outbox import (
    DEAD,
    EMAIL,
    SMS,
    Notice,
    claim,
    find_due,
    mark_failed,
    mark_sent,
    queue,
)

if TYPE_CHECKING:
    from click.testing import Result

    from authz_service.store.database import Store

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
LATER: Final = NOW + timedelta(minutes=1)
CODE: Final = {"code": "481516"}


@pytest.fixture
def outbox(portal: Store) -> Store:
    """An outbox with a message of each state."""
    with portal.transaction():
        queue(portal, Notice(EMAIL, "mary@x.example", "en", "sent_one", CODE), NOW, "a")
        queue(portal, Notice(EMAIL, "ma\x1b[2Jry@x.example", "en", "dead_one", CODE), NOW, "b")
        queue(portal, Notice(SMS, "+32470000001", "en", "queued_one", CODE), LATER, "c")
    for seen in find_due(portal, EMAIL, NOW, 10):
        message = claim(portal, seen, NOW, timedelta(minutes=1))
        assert message
        if seen.id == "a":
            mark_sent(portal, message, LATER)
        else:
            mark_failed(portal, message, "the mail server: refuses the recipient (550)", None)
    return portal


def run(url: str, *words: str) -> Result:
    """Run a command about messages."""
    return CliRunner().invoke(main, ["messages", *words, f"--database={url}"])


def ids_of(result: Result) -> list[str]:
    """Tell which messages are listed."""
    return [line.split()[0] for line in result.stdout.splitlines()]


@pytest.mark.usefixtures("outbox")
def test_messages_are_listed_without_what_they_say(url: str) -> None:
    """A line each, the oldest first; what a terminal would obey is left out."""
    result = run(url, "list")

    assert (
        "a sent 2026-01-05T09:01:00Z email mary@x.example sent_one, 1 try\n"
        "b dead 2026-01-05T09:00:00Z email ma?[2Jry@x.example dead_one, 1 try:"
        " the mail server: refuses the recipient (550)\n"
        "c queued 2026-01-05T09:01:00Z sms +32470000001 queued_one, 0 tries\n"
    ) == result.stdout
    assert "481516" not in result.output


@pytest.mark.usefixtures("outbox")
@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (["b"], ["--state=dead"]),
        (["a", "c"], ["--state=sent", "--state=queued"]),
        (["a"], ["--limit=1"]),
    ],
)
def test_a_listing_can_be_narrowed(url: str, expected: list[str], words: list[str]) -> None:
    """By states, and to so many."""
    assert expected == ids_of(run(url, "list", *words))


@pytest.mark.usefixtures("outbox")
def test_a_listing_says_that_there_is_more(url: str) -> None:
    """Beside the listing, so that programs can read that."""
    assert "and more; `--limit` shows them\n" == run(url, "list", "--limit=2").stderr
    assert "" == run(url, "list", "--limit=3").stderr


@pytest.mark.usefixtures("outbox")
def test_programs_read_json(url: str) -> None:
    """An object a line."""
    lines = run(url, "list", "--json").stdout.splitlines()
    found: list[dict[str, Any]] = [json.loads(line) for line in lines]

    assert {
        "id": "a",
        "state": "sent",
        "medium": "email",
        "address": "mary@x.example",
        "template": "sent_one",
        "at": "2026-01-05T09:00:00Z",
        "due": "2026-01-05T09:01:00Z",
        "sent": "2026-01-05T09:01:00Z",
        "attempts": 1,
        "error": "",
    } == found[0]
    assert [DEAD, None] == [found[1]["state"], found[1]["sent"]]
    assert "481516" not in "".join(lines)


@pytest.mark.usefixtures("portal")
def test_an_empty_outbox_lists_nothing(url: str) -> None:
    """And says so."""
    result = run(url, "list")

    assert (0, "", "no messages\n") == (result.exit_code, result.stdout, result.stderr)


@pytest.mark.parametrize("words", [["b"], ["b", "b"], ["--all"]])
def test_the_dead_are_queued_again(url: str, outbox: Store, words: list[str]) -> None:
    """By their ids, or all of them."""
    result = run(url, "retry", *words)

    assert (0, "1 queued again\n") == (result.exit_code, result.stdout)
    assert "b" in [each.id for each in find_due(outbox, EMAIL, datetime.now(UTC), 10)]


@pytest.mark.usefixtures("outbox")
def test_what_is_not_dead_is_not_queued_again(url: str) -> None:
    """Each is told, and nothing changes."""
    result = run(url, "retry", "a", "b", "x")

    assert 2 == result.exit_code
    assert ["`a`", "`x`"] == [line.split(": ")[1] for line in result.stderr.splitlines()]
    assert ["b"] == ids_of(run(url, "list", "--state=dead"))


@pytest.mark.usefixtures("outbox")
@pytest.mark.parametrize("words", [[], ["b", "--all"]])
def test_a_retry_says_of_which(url: str, words: list[str]) -> None:
    """Either ids or all."""
    result = run(url, "retry", *words)

    assert 2 == result.exit_code
    assert "Give the IDs of dead messages, or --all." in result.stderr
