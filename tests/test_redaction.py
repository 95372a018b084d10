"""What is kept out of the decision log: dropped, or a pseudonym; what was, is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from decision_log import ABOUT, ALLOWED, ask, note, open_log, opened_journal
from small_domain import DOMAIN

from authz_service.decision.lookup import Wanted, read_entries
from authz_service.decision.redaction import build_redaction
from authz_service.errors import SettingError
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from authz_service.decision.entry import Entry
    from authz_service.decision.redaction import Redaction
    from authz_service.policy.request import Request

KEY: Final = "a key that nobody can guess, or so we hope"
PSEUDONYM: Final = "hmac-sha256:"


def redact(drop: str = "", hash_: str = "", key: str = KEY) -> Redaction:
    """Build what redacts."""
    built = build_redaction(drop.split(), hash_.split(), key, DOMAIN.schema)
    assert built
    return built


def write(url: str, redaction: Redaction, request: Request) -> Entry:
    """Note a request in both ways, and read back what is the same of both."""
    with open_log(url, redaction=redaction) as log:
        note(log, request)
        log.note_many(ABOUT, log.count(), "shop", [request], [ALLOWED])
    with opened_journal(url) as journal:
        first, second = read_entries(journal)
    assert first.decided.subject == second.decided.subject
    assert first.decided.redacted == second.decided.redacted
    return first


def test_nothing_is_redacted_without_a_word() -> None:
    """There is nothing that redacts."""
    assert build_redaction((), (), "", DOMAIN.schema) is None


def test_pseudonyms_need_a_key() -> None:
    """Without one, whoever has the log finds the ids by trying."""
    with pytest.raises(SettingError, match="set `AUTHZ_LOG_KEY`"):
        build_redaction((), ("subject.id",), "", DOMAIN.schema)


def test_a_key_is_not_printed() -> None:
    """Whoever prints what redacts."""
    assert KEY not in repr(redact("subject.id"))


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("context.channel", "context.channel"),
        ("context.*", "context.channel"),
        ("action.properties.copies", "action.properties.copies"),
        ("action.properties.*", "action.properties.copies"),
        ("subject.properties.role", "subject.properties.role"),
        ("resource.properties.*", "resource.properties.status"),
        ("subject.id", "subject.id"),
        ("resource.id", "resource.id"),
    ],
)
def test_a_path_is_dropped(sqlite_url: str, path: str, told: str) -> None:
    """That alone; the entry says so, and cannot be asked again."""
    supplied = {"subject.role": "admin", "resource.status": "active"}
    request = ask(1, copies=2)._replace(supplied=supplied)
    entry = write(sqlite_url, redact(path), request)
    decided = entry.decided
    left: dict[str, Any] = {
        "subject.id": decided.subject.id,
        "resource.id": decided.resource.id,
        "context.channel": decided.given["channel"],
        "action.properties.copies": decided.given["copies"],
        "subject.properties.role": (decided.supplied or {})["subject.role"],
        "resource.properties.status": (decided.supplied or {})["resource.status"],
    }

    assert {told: "dropped"} == decided.redacted
    assert not left.pop(told)
    assert all(left.values())
    assert not entry.can_be_asked


def test_a_pseudonym_is_the_same_for_the_same_id(sqlite_url: str) -> None:
    """And another one with another key, or for another id."""
    entry = write(sqlite_url, redact(hash_="subject.id"), ask(1))
    found = entry.decided.subject

    assert {"subject.id": "hashed"} == entry.decided.redacted
    assert ("user", PSEUDONYM) == (found.type, found.id[: len(PSEUDONYM)])
    assert redact(hash_="subject.id").hash("ann") == found.id
    assert redact(hash_="subject.id", key=KEY[::-1]).hash("ann") != found.id
    assert redact(hash_="subject.id").hash("bob") != found.id


def test_what_is_dropped_and_hashed_is_dropped(sqlite_url: str) -> None:
    """The stricter word counts."""
    entry = write(sqlite_url, redact("subject.id", "subject.id"), ask(1))

    assert ("", {"subject.id": "dropped"}) == (entry.decided.subject.id, entry.decided.redacted)


def test_what_nobody_said_is_not_redacted(sqlite_url: str) -> None:
    """There is nothing to be hidden, and the entry can be asked again."""
    entry = write(sqlite_url, redact("action.properties.*"), ask(1))

    assert entry.can_be_asked


def test_nothing_of_what_was_redacted_is_in_the_file(sqlite_url: str) -> None:
    """However it is looked for."""
    write(sqlite_url, redact("context.channel", "subject.id"), ask(1, "secret", channel="hidden"))
    with opened_journal(sqlite_url) as journal:
        texts = [repr(each) for each in read_entries(journal)]

    assert texts
    assert not any(word in text for text in texts for word in ("secret", "hidden"))


def test_who_has_the_key_finds_by_the_id(sqlite_url: str) -> None:
    """A pseudonym is found by what it stands for, and an id from before as it is."""
    redaction = redact(hash_="subject.id")
    with open_log(sqlite_url) as log:
        note(log, ask(0))
    with open_log(sqlite_url, redaction=redaction) as log:
        note(log, ask(1), ask(2, "bob"))
    wanted = Wanted(who=Reference("user", "ann"), redaction=redaction)
    with opened_journal(sqlite_url) as journal:
        found = [each.decided.resource.id for each in read_entries(journal, wanted)]

    assert ["r0", "r1"] == found
