"""The outbox: messages that are owed, claimed by one, tried again, given up and queued anew."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from store_suite import reader

from authz_service.errors import StoreError
from authz_service.store.outbox import (
    DEAD,
    EMAIL,
    QUEUED,
    SENT,
    SMS,
    STATES,
    Claimed,
    Due,
    Notice,
    claim,
    count_queued,
    find_due,
    find_messages,
    mark_failed,
    mark_sent,
    queue,
    retry_dead,
)
from authz_service.store.writer import Cause, write

if TYPE_CHECKING:
    from conftest import RunSql

    from authz_service.store.database import Store

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
LEASE: Final = timedelta(minutes=2)
TOKEN: Final = "swordfish é \U0001f600 \x00"  # noqa: S105  # what must not be seen
NOTICE: Final = Notice("email", "mary@x.example", "fr", "welcome", {"name": "M", "token": TOKEN})
FIELDS: Final = "SELECT fields FROM authz_message ORDER BY id"


def put(store: Store, *ids: str, notice: Notice = NOTICE, now: datetime = NOW) -> None:
    """Queue messages in one transaction."""
    with store.transaction():
        for each in ids:
            queue(store, notice, now, each)


def take(store: Store, now: datetime = NOW) -> Claimed:
    """Claim the message that waits longest."""
    [seen] = find_due(store, EMAIL, now, 1)
    message = claim(store, seen, now, LEASE)
    assert message
    return message


def ids_due(store: Store, now: datetime = NOW) -> list[str]:
    """Tell which e-mail may be tried."""
    return [each.id for each in find_due(store, EMAIL, now, 10)]


def test_what_is_queued_is_due_at_once(store: Store) -> None:
    """Those that wait longest come first, and no more than were asked for."""
    put(store, "c", now=NOW + timedelta(seconds=1))
    put(store, "b", "a")

    assert [Due("a", NOW), Due("b", NOW)] == find_due(store, EMAIL, NOW, 10)
    assert ["a", "b", "c"] == ids_due(store, NOW + timedelta(seconds=1))
    assert ["a"] == [each.id for each in find_due(store, EMAIL, NOW, 1)]


def test_each_medium_has_its_own(store: Store) -> None:
    """E-mail does not wait behind text messages."""
    put(store, "a", notice=Notice(SMS, "+32470000001", "en", "code", {}))
    put(store, "b", "c")

    assert ["a"] == [each.id for each in find_due(store, SMS, NOW, 10)]
    assert (2, 1) == (count_queued(store, EMAIL), count_queued(store, SMS))


def test_a_message_is_owed_with_what_it_tells_about(store: Store) -> None:
    """A transaction that fails leaves none."""

    def fail() -> None:
        with write(store, Cause(), NOW) as writer:
            writer.insert(reader("mary"))
            queue(writer.store, NOTICE, NOW, "a")
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert [] == find_messages(store, STATES, 10)


def test_a_claim_gives_all_that_was_queued(store: Store) -> None:
    """Whatever the texts of its fields are."""
    put(store, "a")
    later = NOW + timedelta(seconds=5)

    assert Claimed("a", NOTICE, NOW, 1) == take(store, later)


def test_what_is_claimed_is_left_alone(store: Store) -> None:
    """Until the lease is over; then its sender was killed, and it is tried again."""
    put(store, "a")
    take(store)

    assert [] == ids_due(store, NOW + LEASE - timedelta(microseconds=1))
    assert 2 == take(store, NOW + LEASE).attempt


def test_one_of_many_claims_a_message(store: Store) -> None:
    """However many have seen it at the same time."""
    put(store, "a")
    [seen] = find_due(store, EMAIL, NOW, 1)

    def try_it(_: int) -> bool:
        found = claim(store, seen, NOW, LEASE)
        store.close()
        return found is not None

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(try_it, range(16)))

    assert 1 == sum(won)


def test_a_claim_by_another_clock_is_a_claim(store: Store) -> None:
    """Two machines need not have the same time: what counts is what they have seen."""
    put(store, "a")
    [seen] = find_due(store, EMAIL, NOW, 1)
    claim(store, seen, NOW - timedelta(hours=1), LEASE)

    assert claim(store, seen, NOW, LEASE) is None


def test_what_was_sent_says_nothing_any_more(store: Store, run_sql: RunSql) -> None:
    """Its fields could have held a token; where and when stays."""
    put(store, "a")
    message = take(store)
    mark_sent(store, message, NOW + timedelta(seconds=1))
    [listed] = find_messages(store, [SENT], 10)

    assert [("{}",)] == run_sql(FIELDS)
    assert ("mary@x.example", "welcome", NOW, NOW + timedelta(seconds=1)) == (
        listed.address,
        listed.template,
        listed.at,
        listed.sent,
    )
    assert [] == ids_due(store, NOW + timedelta(days=1))


def test_what_failed_is_tried_again_when_it_is_due(store: Store) -> None:
    """It keeps what it says, and the error is listed."""
    put(store, "a")
    mark_failed(store, take(store), "no server", NOW + timedelta(minutes=5))
    [listed] = find_messages(store, [QUEUED], 10)

    assert [] == ids_due(store, NOW + timedelta(minutes=4))
    assert ("no server", 1) == (listed.error, listed.attempts)
    assert (NOTICE, 2) == (
        (message := take(store, NOW + timedelta(minutes=5))).notice,
        message.attempt,
    )


def test_what_is_dead_is_not_tried(store: Store) -> None:
    """It is listed with its error."""
    put(store, "a", "b")
    mark_failed(store, take(store), "nobody there", None)

    assert ["b"] == ids_due(store, NOW + timedelta(days=1))
    assert [("a", DEAD, "nobody there")] == [
        (each.id, each.state, each.error) for each in find_messages(store, [DEAD], 10)
    ]


def test_a_late_failure_does_not_undo_a_delivery(store: Store) -> None:
    """A sender whose lease was over fails after another has sent the message."""
    put(store, "a")
    slow = take(store)
    mark_sent(store, take(store, NOW + LEASE), NOW + LEASE)
    mark_failed(store, slow, "too slow", None)

    assert [SENT] == [each.state for each in find_messages(store, STATES, 10)]


def test_a_late_failure_does_not_count_for_another(store: Store) -> None:
    """A message that somebody else is sending stays theirs."""
    put(store, "a")
    slow = take(store)
    take(store, NOW + LEASE)
    mark_failed(store, slow, "too slow", NOW)

    assert [] == ids_due(store, NOW + LEASE)


def test_a_late_delivery_counts(store: Store) -> None:
    """What was sent is sent, though it has been given up meanwhile."""
    put(store, "a")
    slow = take(store)
    mark_failed(store, take(store, NOW + LEASE), "no server", None)
    mark_sent(store, slow, NOW + LEASE)

    assert [(SENT, "")] == [(each.state, each.error) for each in find_messages(store, STATES, 10)]


def test_the_dead_are_queued_again(store: Store) -> None:
    """As if they had never been tried, with what they say."""
    put(store, "a", "b", "c")
    for _ in range(3):
        mark_failed(store, take(store), "no server", None)
    later = NOW + timedelta(days=2)

    assert 1 == retry_dead(store, ["b"], later)
    assert (Claimed("b", NOTICE, NOW, 1), []) == (take(store, later), ids_due(store, later))
    assert 2 == retry_dead(store, None, later)


def test_only_the_dead_are_queued_again(store: Store) -> None:
    """Each id that is none is told, and nothing changes."""
    put(store, "a", "b")
    mark_failed(store, take(store), "no server", None)
    with pytest.raises(StoreError) as caught:
        retry_dead(store, ["a", "b", "x"], NOW)

    assert ["`b`", "`x`"] == [each.where.name for each in caught.value.faults]
    assert 1 == len(find_messages(store, [DEAD], 10))


def test_a_listing_never_holds_what_a_message_says(store: Store) -> None:
    """Neither do the messages themselves, where they are shown."""
    put(store, "a")
    shown = repr((find_messages(store, STATES, 10), take(store), NOTICE))

    assert "swordfish" not in shown


def test_a_listing_is_in_order(store: Store) -> None:
    """The oldest first, and no more than were asked for."""
    put(store, "b", now=NOW + timedelta(hours=1))
    put(store, "c", "a")

    assert ["a", "c"] == [each.id for each in find_messages(store, STATES, 2)]


@pytest.mark.parametrize("message_id", ["", "a b", "a\n", "a>", "é", "-a", "x" * 65])
def test_an_id_that_could_mean_more_is_refused(store: Store, message_id: str) -> None:
    """It stands in headers."""
    with pytest.raises(ValueError, match="is no id of a message"):
        put(store, message_id)


def test_a_medium_that_nobody_serves_is_refused(store: Store) -> None:
    """It would wait for ever."""
    with pytest.raises(ValueError, match="`fax` is no medium; use one of email, sms"):
        put(store, "a", notice=Notice("fax", "1", "en", "x", {}))


def test_an_id_is_used_once(store: Store) -> None:
    """A second message of the same id ends the transaction."""
    put(store, "a")
    with pytest.raises(StoreError):
        put(store, "a")

    assert 1 == count_queued(store, EMAIL)
