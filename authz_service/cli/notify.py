"""`authz notify`: deliver the messages of the outbox."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

import click

from authz_service import assembly, storage
from authz_service.cli.options import takes_settings
from authz_service.delivery.channels import explain_silence
from authz_service.delivery.courier import Tally
from authz_service.errors import EXIT_DENY, SettingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.delivery.courier import Courier
    from authz_service.settings import Settings

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
DELIVERY: Final = (
    "smtp_host",
    "smtp_port",
    "smtp_security",
    "smtp_user",
    "mail_from",
    "sms_url",
    "delivery_attempts",
    "delivery_timeout",
)


@click.command()
@click.option(
    "--once", is_flag=True, help="Deliver what is due and end; exit code 1 if anything failed."
)
@takes_settings("database", "domain", *DELIVERY)
def notify(settings: Settings, *, once: bool) -> None:
    """Deliver the messages that are queued, by e-mail and by text message, until stopped.

    A message that fails is tried again later, and in the end given up: see `authz messages`. Any
    number of these commands can run at once.

    \b
    Example:
      authz notify --smtp-host mail.example.com --mail-from noreply@example.com
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    domain = storage.find_domain(settings.domain)
    store = storage.open_existing_store(settings, domain)
    try:
        couriers = assembly.build_couriers(settings, domain, store)
        if not couriers:
            message = "is not set, nor is `sms_url`, so nothing can be sent; set one of them"
            raise SettingError.at("smtp_host", "no_channel", message)
        for line in explain_silence(settings, store):
            click.echo(line)
        with _stopped_by_signals() as stop:
            total = _deliver_once(couriers, stop) if once else _deliver(couriers, stop)
    finally:
        store.close()
    click.echo(f"in all: {total}")
    if once and (total.failed or total.dead):
        sys.exit(EXIT_DENY)


def _deliver_once(couriers: list[Courier], stop: threading.Event) -> Tally:
    tallies = [each.deliver_all(stop, _teller(each)) for each in couriers]
    return sum(tallies, Tally())


def _deliver(couriers: list[Courier], stop: threading.Event) -> Tally:
    """Let each courier work in a thread of its own, so that none waits for another's channel."""
    tallies: list[Tally] = []

    def work(courier: Courier) -> None:
        tell = _teller(courier)

        def note(tally: Tally) -> None:
            tallies.append(tally)
            tell(tally)

        courier.run(stop, note)

    click.echo("delivering; stop with Ctrl-C")
    threads = [threading.Thread(target=work, args=(each,), daemon=True) for each in couriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(tallies, Tally())


def _teller(courier: Courier) -> Any:
    return lambda tally: click.echo(f"{courier.channel.medium}: {tally}")


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Let the signals that end a program end the delivering, after the message that is on its way.

    A second one ends the program at once.
    """
    stop = threading.Event()

    def end(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
