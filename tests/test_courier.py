"""Couriers: nothing is lost, nothing stops the others, and what cannot be delivered is dead."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from installation import find_port, wait_until

from authz_service.delivery.courier import Courier, Tally, Terms, delay
from authz_service.delivery.mail import Mail
from authz_service.delivery.sms import Sms
from authz_service.portal import DOMAIN
from authz_service.store.database import open_store
from authz_service.store.outbox import (
    DEAD,
    EMAIL,
    QUEUED,
    SENT,
    SMS,
    STATES,
    Notice,
    claim,
    find_due,
    find_messages,
    queue,
)

if TYPE_CHECKING:
    from conftest import RunSql
    from post_office import Gateway, MailServer

    from authz_service.delivery.courier import Channel
    from authz_service.store.database import Store

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
TERMS: Final = Terms(attempts=3, lease=timedelta(minutes=2))
CODE: Final = "481516"
ADDED: Final = Notice(
    EMAIL,
    "mary@smith.example",
    "en",
    "administrator_added",
    {"customer": "123456789", "customer_name": "Smith ltd", "person_name": "Thomas"},
)
TEXT: Final = Notice(
    SMS, "+32470000001", "nl", "delegate_code", {"code": CODE, "customer_name": "Smith ltd"}
)


@dataclass
class Clock:
    """Tells the time that it is set to."""

    now: datetime = field(default=NOW)

    def __call__(self) -> datetime:
        """Tell it."""
        return self.now

    def go_on(self, **parts: float) -> None:
        """Let time pass."""
        self.now += timedelta(**parts)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands until it is told to go on."""
    return Clock()


def hire(store: Store, channel: Channel, clock: Clock) -> Courier:
    """Build a courier who never comes late by chance."""
    return Courier(store, channel, DOMAIN.templates, TERMS, clock, lambda: 0)


def mail_to(server: MailServer) -> Mail:
    """Build what sends to a mail server."""
    return Mail("127.0.0.1", server.port, "none", "noreply@portal.example", "MyProximus")


def put(store: Store, *ids: str, notice: Notice = ADDED) -> None:
    """Queue messages."""
    with store.transaction():
        for each in ids:
            queue(store, notice, NOW, each)


def deliver(courier: Courier) -> Tally:
    """Let a courier deliver all that is due."""
    return courier.deliver_all(threading.Event())


def states(store: Store) -> dict[str, str]:
    """Tell the state of each message."""
    return {each.id: each.state for each in find_messages(store, STATES, 1_000)}


def test_what_is_due_is_delivered_and_marked(
    portal: Store, server: MailServer, clock: Clock
) -> None:
    """Once: a second round finds nothing."""
    put(portal, "a", "b")
    courier = hire(portal, mail_to(server), clock)

    assert Tally(sent=2) == deliver(courier)
    assert Tally() == deliver(courier)
    assert ["<a@portal.example>", "<b@portal.example>"] == server.ids
    assert {"a": SENT, "b": SENT} == states(portal)


def test_each_courier_carries_its_medium(
    portal: Store, server: MailServer, gateway: Gateway, clock: Clock
) -> None:
    """E-mail to the mail server, text messages to the gateway."""
    put(portal, "a")
    put(portal, "b", notice=TEXT)

    assert Tally(sent=1) == deliver(hire(portal, mail_to(server), clock))
    assert Tally(sent=1) == deliver(hire(portal, Sms(gateway.url), clock))
    assert ["<a@portal.example>"] == server.ids
    assert ["b"] == [each.data["id"] for each in gateway.posted]
    assert gateway.posted[0].data["text"].startswith(f"{CODE} is uw MyProximus-code")


def test_one_bad_message_does_not_stop_the_others(
    portal: Store, server: MailServer, clock: Clock
) -> None:
    """Whatever is wrong with it; each is tried again later."""
    put(portal, "b1", notice=replace(ADDED, address="nobody"))
    put(portal, "b2", notice=replace(ADDED, template="none"))
    put(portal, "b3", notice=replace(ADDED, fields={}))
    put(portal, "b4", notice=replace(ADDED, address="gone@smith.example"))
    put(portal, "c")
    server.replies["gone@smith.example"] = "550 no such user"

    assert Tally(sent=1, failed=4) == deliver(hire(portal, mail_to(server), clock))
    assert ["<c@portal.example>"] == server.ids
    assert {"b1": QUEUED, "b2": QUEUED, "b3": QUEUED, "b4": QUEUED, "c": SENT} == states(portal)


def test_more_bad_messages_than_are_looked_for_at_once_stop_no_other(
    portal: Store, server: MailServer, clock: Clock
) -> None:
    """The good one is behind all of them."""
    put(portal, *(f"a{number}" for number in range(150)), notice=replace(ADDED, address="x"))
    put(portal, "b")

    assert Tally(sent=1, failed=150) == deliver(hire(portal, mail_to(server), clock))


def test_an_unforeseen_error_is_told_by_its_name(
    portal: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Its words could hold what the message says."""

    class Broken:
        medium = SMS

        def send(self, letter: object) -> None:
            raise RuntimeError(f"no idea what {letter} is: {CODE}")

    put(portal, "a", notice=TEXT)

    assert Tally(failed=1) == deliver(hire(portal, Broken(), clock))
    [listed] = find_messages(portal, STATES, 10)
    assert "the message: fails in an unforeseen way: RuntimeError [accident]" == listed.error
    assert CODE not in caplog.text


def test_what_fails_again_and_again_is_dead(
    portal: Store, server: MailServer, clock: Clock
) -> None:
    """After as many tries as there may be, and with the last error."""
    put(portal, "a")
    server.replies[ADDED.address] = "550 5.1.1 no such user"
    courier = hire(portal, mail_to(server), clock)
    tallies = []
    for _ in range(4):
        tallies.append(deliver(courier))
        clock.go_on(hours=2)
    [listed] = find_messages(portal, [DEAD], 10)

    assert [Tally(failed=1), Tally(failed=1), Tally(dead=1), Tally()] == tallies
    assert (3, "550 5.1.1") == (listed.attempts, listed.error.partition("(")[2].partition(")")[0])


def test_what_failed_waits_for_its_next_try(
    portal: Store, server: MailServer, clock: Clock
) -> None:
    """Half a minute the first time, then twice as long."""
    put(portal, "a")
    server.replies[ADDED.address] = "450 later"
    courier = hire(portal, mail_to(server), clock)
    tallies = [deliver(courier)]
    for seconds in (29, 1, 59, 1):
        clock.go_on(seconds=seconds)
        tallies.append(deliver(courier))

    assert [Tally(failed=1), Tally(), Tally(failed=1), Tally(), Tally(dead=1)] == tallies


@pytest.mark.parametrize(
    ("expected", "attempt", "drawn"),
    [
        (30, 1, 0),
        (37.5, 1, 1),
        (60, 2, 0),
        (1_920, 7, 0),
        (3_600, 8, 0),
        (4_500, 8, 1),
        (3_600, 10_000, 0),
    ],
)
def test_waiting_grows_up_to_an_hour(expected: float, attempt: int, drawn: float) -> None:
    """And up to a quarter more, so that what failed together does not come back together."""
    assert expected == delay(attempt, drawn).total_seconds()


def test_a_channel_that_is_down_does_not_use_up_all_messages(
    portal: Store, gateway: Gateway, clock: Clock
) -> None:
    """After some failures in a row the rest waits; when it is back, all are delivered."""
    put(portal, *"abcdefgh", notice=TEXT)
    gateway.answer = lambda _: 503
    courier = hire(portal, Sms(gateway.url), clock)

    assert Tally(failed=3) == deliver(courier)
    assert Tally(failed=1) == deliver(courier)
    gateway.answer = lambda _: 200
    assert Tally(sent=4) == deliver(courier)
    clock.go_on(hours=1)
    assert Tally(sent=4) == deliver(courier)


def test_a_gateway_that_is_down_does_not_stop_e_mail(
    portal: Store, server: MailServer, clock: Clock
) -> None:
    """Each medium has a courier of its own."""
    put(portal, *"abcde", notice=TEXT)
    put(portal, "f")
    down = Sms(f"http://127.0.0.1:{find_port()}/")

    assert Tally(failed=3) == deliver(hire(portal, down, clock))
    assert Tally(sent=1) == deliver(hire(portal, mail_to(server), clock))


def test_a_token_is_in_its_message_only(
    portal: Store,
    gateway: Gateway,
    clock: Clock,
    run_sql: RunSql,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither the most talkative log nor errors nor, once it was sent, the database have it."""
    caplog.set_level(logging.DEBUG)
    put(portal, "a", notice=TEXT)
    gateway.answer = lambda _: 400
    courier = hire(portal, Sms(gateway.url), clock)
    deliver(courier)
    [failed] = find_messages(portal, STATES, 10)
    gateway.answer = lambda _: 200
    clock.go_on(minutes=1)
    deliver(courier)
    stored = run_sql("SELECT * FROM authz_message")

    assert [True, True] == [CODE in each.data["text"] for each in gateway.posted]
    assert "authz_message" in caplog.text
    assert CODE not in f"{caplog.text} {failed} {stored}"


def test_two_couriers_send_each_message_once(url: str, portal: Store, server: MailServer) -> None:
    """At work on one store at the same time, each on connections of its own."""
    ids = [f"m{number}" for number in range(60)]
    put(portal, *ids)
    stop, tallies = threading.Event(), list[Tally]()

    def work() -> None:
        store = open_store(url, DOMAIN)
        hire(store, mail_to(server), Clock()).run(stop, tallies.append)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for each in threads:
        each.start()
    wait_until(lambda: sum(each.sent for each in tallies) >= len(ids))
    stop.set()
    for each in threads:
        each.join()

    assert Tally(sent=60) == sum(tallies, Tally())
    assert sorted(f"<{each}@portal.example>" for each in ids) == sorted(server.ids)


def test_what_a_killed_sender_had_claimed_is_sent_by_another(
    portal: Store, server: MailServer, clock: Clock
) -> None:
    """When its lease is over, and not before."""
    put(portal, "a")
    [seen] = find_due(portal, EMAIL, NOW, 1)
    claim(portal, seen, NOW, TERMS.lease)
    courier = hire(portal, mail_to(server), clock)

    assert Tally() == deliver(courier)
    clock.go_on(minutes=2)
    assert Tally(sent=1) == deliver(courier)


def test_a_courier_stops_between_two_messages(
    portal: Store, server: MailServer, clock: Clock
) -> None:
    """What is on its way is finished, and the rest stays for others."""
    put(portal, *"abc")
    stop = threading.Event()

    def answer() -> str:
        stop.set()
        return "250 taken"

    server.answer = answer
    hire(portal, mail_to(server), clock).run(stop)

    assert {"a": SENT, "b": QUEUED, "c": QUEUED} == states(portal)
    assert 2 == len(find_due(portal, EMAIL, NOW, 10))


def test_a_courier_survives_its_database(
    portal: Store, server: MailServer, run_sql: RunSql, caplog: pytest.LogCaptureFixture
) -> None:
    """It says what is wrong, and delivers when the database can be used again."""
    put(portal, "a")
    run_sql("ALTER TABLE authz_message RENAME TO elsewhere")
    stop = threading.Event()
    courier = hire(portal, mail_to(server), Clock())
    thread = threading.Thread(target=courier.run, args=(stop,))
    thread.start()
    wait_until(lambda: "messages cannot be delivered" in caplog.text)
    run_sql("ALTER TABLE elsewhere RENAME TO authz_message")
    wait_until(lambda: len(server.messages) > 0)
    stop.set()
    thread.join()

    assert ["<a@portal.example>"] == server.ids
