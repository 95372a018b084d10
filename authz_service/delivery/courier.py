"""The courier: claims what is due, sends it, and marks what came of it, again and again."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from authz_service.delivery.texts import write_letter
from authz_service.errors import AuthzError, ChannelError, DeliveryError
from authz_service.store.outbox import claim, find_due, mark_failed, mark_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from threading import Event

    from authz_service.delivery.texts import Letter
    from authz_service.store.database import Store
    from authz_service.store.outbox import Claimed
    from authz_service.store.template import Template

_LOGGER: Final = logging.getLogger(__name__)

# How many messages are looked for at once.
_BATCH: Final = 100
# After so many failures of the channel, one after the other, the rest waits.
_PATIENCE: Final = 3
_REST_SECONDS: Final = 1.0
_FIRST_DELAY: Final = timedelta(seconds=30)
_LONGEST_DELAY: Final = timedelta(hours=1)
_MOST_DOUBLINGS: Final = 16


class Channel(Protocol):
    """A way to people."""

    @property
    def medium(self) -> str:
        """Which messages go by it."""

    def send(self, letter: Letter) -> None:
        """Send a letter.

        Raises:
            DeliveryError: when this one cannot be sent.
            ChannelError: when none can be.
        """


@dataclass(frozen=True)
class Terms:
    """How long is tried.

    Arguments:
        attempts: after so many failures a message is dead.
        lease: how long a message that is being sent is left to its sender.
    """

    attempts: int
    lease: timedelta


@dataclass(frozen=True)
class Tally:
    """What came of some messages.

    Arguments:
        sent: how many were.
        failed: how many are to be tried again.
        dead: how many failed for the last time.
    """

    sent: int = 0
    failed: int = 0
    dead: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.sent + other.sent, self.failed + other.failed, self.dead + other.dead)

    def __str__(self) -> str:
        """Write it for people."""
        return f"{self.sent} sent, {self.failed} to be tried again, {self.dead} dead"


@dataclass(eq=False)
class Courier:
    """Delivers the messages of one medium; any number of them may work on a store.

    Arguments:
        store: has the outbox.
        channel: by which they go.
        templates: what they say.
        terms: how long is tried.
        clock: tells the time.
        draw: gives a number from 0 to 1, so that messages that failed together come apart.
    """

    store: Store
    channel: Channel
    templates: Mapping[str, tuple[Template, ...]]
    terms: Terms
    clock: Callable[[], datetime]
    draw: Callable[[], float]
    _failures: int = field(default=0, init=False)  # of the channel, one after the other

    def run(self, stop: Event, tell: Callable[[Tally], None] = lambda _: None) -> None:
        """Deliver until stopped; a database that cannot be used is asked again and again.

        Arguments:
            stop: ends it, after the message that is being sent.
            tell: is told what came of each round that had any message.
        """
        try:
            while not stop.is_set():
                if self._run_round(stop, tell) == Tally() or self._is_channel_down:
                    stop.wait(_REST_SECONDS)
        finally:
            self.store.close()

    def _run_round(self, stop: Event, tell: Callable[[Tally], None]) -> Tally:
        try:
            tally = self.deliver_due(stop)
        except Exception as error:  # noqa: BLE001  # nothing may end what nobody would start again
            _LOGGER.error("messages cannot be delivered: %s", _explain(error))  # noqa: TRY400  # no words of others
            return Tally()
        if tally != Tally():
            tell(tally)
        return tally

    def deliver_all(self, stop: Event, tell: Callable[[Tally], None] = lambda _: None) -> Tally:
        """Deliver what is due until nothing is, or the channel fails again and again; as above.

        Raises:
            StoreError: when the database cannot be used.
        """
        total = Tally()
        while not stop.is_set():
            tally = self.deliver_due(stop)
            if tally == Tally():
                break
            tell(tally)
            total += tally
            if self._is_channel_down:
                break
        return total

    def deliver_due(self, stop: Event) -> Tally:
        """Deliver some of what is due; when the channel fails again and again, the rest waits.

        Raises:
            StoreError: when the database cannot be used; what was sent and could not be marked is
                sent again when its lease is over.
        """
        tally = Tally()
        for seen in find_due(self.store, self.channel.medium, self.clock(), _BATCH):
            if stop.is_set():
                break
            message = claim(self.store, seen, self.clock(), self.terms.lease)
            if message is None:
                continue
            error = self._try(message)
            tally += self._mark(message, error)
            self._failures = self._failures + 1 if isinstance(error, ChannelError) else 0
            if self._is_channel_down:
                break
        return tally

    @property
    def _is_channel_down(self) -> bool:
        return self._failures >= _PATIENCE

    def _try(self, message: Claimed) -> DeliveryError | None:
        try:
            self.channel.send(write_letter(self.templates, message))
        except DeliveryError as error:
            return error
        except Exception as error:  # noqa: BLE001  # one bad message must not stop the others
            words = f"fails in an unforeseen way: {_explain(error)}"
            return DeliveryError.at("the message", "accident", words)
        return None

    def _mark(self, message: Claimed, error: DeliveryError | None) -> Tally:
        now = self.clock()
        if error is None:
            mark_sent(self.store, message, now)
            return Tally(sent=1)
        is_last = message.attempt >= self.terms.attempts
        retry = None if is_last else now + delay(message.attempt, self.draw())
        mark_failed(self.store, message, str(error), retry)
        fate = "is dead" if is_last else "is tried again later"
        _LOGGER.warning("message %s %s: %s", message.id, fate, error)
        return Tally(dead=1) if is_last else Tally(failed=1)


def _explain(error: Exception) -> str:
    """Tell an error in our words, or by its name: words of others could repeat a message."""
    return str(error) if isinstance(error, AuthzError) else type(error).__name__


def delay(attempt: int, drawn: float) -> timedelta:
    """Tell how long to wait after a failure: each time twice as long, up to an hour, and some more.

    Arguments:
        attempt: the how manieth try has failed, from 1.
        drawn: a number from 0 to 1, for which up to a quarter is added.
    """
    doubled: timedelta = _FIRST_DELAY * 2 ** min(attempt - 1, _MOST_DOUBLINGS)
    return min(doubled, _LONGEST_DELAY) * (1 + drawn / 4)
