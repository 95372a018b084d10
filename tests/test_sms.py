"""Text messages, posted to a real gateway: what it gets, what it may answer, what fits in one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest
from installation import find_port
from post_office import load_certificate, open_gateway, trust_certificate

from authz_service.delivery.sms import Sms, write_plainly
from authz_service.delivery.texts import Letter
from authz_service.errors import ChannelError, DeliveryError

if TYPE_CHECKING:
    from post_office import Gateway

LETTER: Final = Letter(
    id="c3a1",
    at=datetime(2026, 1, 5, 9, tzinfo=UTC),
    address="+32470000001",
    language="en",
    subject="",
    text="123456 is your code",
)


def refuse(sms: Sms) -> DeliveryError:
    """The error for a letter that is not sent."""
    with pytest.raises(DeliveryError) as caught:
        sms.send(LETTER)
    return caught.value


def test_a_letter_is_posted_with_its_id(gateway: Gateway) -> None:
    """Body and headers are those of the documentation."""
    Sms(f"{gateway.url}?account=7", "sword~fish").send(LETTER)
    [found] = gateway.posted

    assert "/messages?account=7" == found.path
    assert {"id": "c3a1", "to": "+32470000001", "text": "123456 is your code"} == found.data
    assert ("c3a1", "Bearer sword~fish", "application/json") == tuple(
        found.headers[each] for each in ("idempotency-key", "authorization", "content-type")
    )


def test_without_a_token_none_is_sent(gateway: Gateway) -> None:
    """A gateway may know its callers by other means."""
    Sms(gateway.url).send(LETTER)

    assert "authorization" not in gateway.posted[0].headers


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        *((DeliveryError, each) for each in (400, 404, 409, 422)),
        *((ChannelError, each) for each in (301, 302, 307, 308, 401, 403, 429, 500, 503)),
    ],
)
def test_a_refusal_is_told_by_its_status(
    gateway: Gateway, kind: type[DeliveryError], status: int
) -> None:
    """It is about the message or about the gateway."""
    gateway.answer = lambda _: status
    error = refuse(Sms(gateway.url))

    assert kind is type(error)
    assert f"the gateway: refuses the message ({status}) [message_refused]" == str(error)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(gateway: Gateway, status: int) -> None:
    """It would lead a code elsewhere."""
    with open_gateway() as elsewhere:
        gateway.answer = lambda _: status
        gateway.headers["Location"] = elsewhere.url
        refuse(Sms(gateway.url))

        assert [] == elsewhere.posted


def test_a_gateway_that_is_not_there_is_told() -> None:
    """The error is about the channel, and names no token."""
    error = refuse(Sms(f"http://127.0.0.1:{find_port()}/x", "swordfish"))

    assert isinstance(error, ChannelError)
    assert "the gateway: cannot be used: Connection refused [no_gateway]" == str(error)


def test_a_gateway_that_shows_who_it_is_gets_the_message() -> None:
    """By TLS, and nobody else does."""
    with open_gateway(load_certificate()) as gateway:
        url = f"https://localhost:{gateway.port}/"
        Sms(url, context=trust_certificate()).send(LETTER)
        error = refuse(Sms(url))

        assert 1 == len(gateway.posted)
        assert "certificate" in str(error)


def test_what_it_is_told_is_not_shown() -> None:
    """Neither the token of the gateway nor what the letter says stands in a traceback."""
    shown = repr((Sms("https://x.example", "swordfish"), replace(LETTER, subject="swordfish")))

    assert "swordfish" not in shown
    assert "123456" not in shown


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("123456 for Smith & Co", "123456 for Smith & Co"),
        ("Café Noel, Francois", "Café Noël, François"),
        ("x" * 160, "x" * 300),
        ("code для Анны", "code для Анны"),
    ],
)
def test_a_text_fits_into_one_message(expected: str, text: str) -> None:
    """Accents that phones lack go, what is too long is cut, other alphabets stay."""
    assert expected == write_plainly(text)
