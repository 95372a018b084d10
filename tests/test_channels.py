"""The channels that settings describe, and what is refused of a description."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from small_domain import build_records

from authz_service.assembly import build_couriers
from authz_service.delivery.channels import build_channels, explain_silence
from authz_service.delivery.mail import Mail
from authz_service.delivery.sms import Sms
from authz_service.errors import SettingError
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.store.outbox import Notice, queue

PASSWORD: Final = "swordfish"  # noqa: S105  # of nobody
TOKEN: Final = "abc"  # noqa: S105  # of nobody
MAIL: Final = replace(Settings(), smtp_host="mail.example.com", mail_from="noreply@portal.example")


def test_without_settings_there_is_no_channel() -> None:
    """Nothing is sent to anybody by default."""
    assert [] == build_channels(Settings(), "x")


def test_a_host_turns_e_mail_on_and_a_url_text_messages() -> None:
    """With TLS, unless something else was chosen."""
    settings = replace(MAIL, sms_url="https://sms.example/", sms_token=TOKEN, smtp_user="u")
    settings = replace(settings, smtp_password=PASSWORD, delivery_timeout=7)
    mail = Mail(
        "mail.example.com", 587, "starttls", "noreply@portal.example", "x", "u", PASSWORD, timeout=7
    )

    assert [mail, Sms("https://sms.example/", TOKEN, 7)] == build_channels(settings, "x")


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        ("mail_from", {"mail_from": ""}),
        ("smtp_user", {"smtp_user": "u"}),
        ("smtp_user", {"smtp_password": "p"}),
        ("smtp_security", {"smtp_user": "u", "smtp_password": "p", "smtp_security": "none"}),
    ],
)
def test_half_a_description_is_refused(place: str, changes: dict[str, Any]) -> None:
    """Before anything is sent to anybody."""
    with pytest.raises(SettingError) as caught:
        build_channels(replace(MAIL, **changes), "x")

    assert [place] == [fault.where.name for fault in caught.value.faults]


def test_a_password_may_go_to_this_machine_in_the_clear() -> None:
    """Nobody is between."""
    settings = replace(MAIL, smtp_host="127.0.0.1", smtp_security="none", smtp_user="u")

    assert 1 == len(build_channels(replace(settings, smtp_password=PASSWORD), "x"))


def test_what_is_not_turned_on_is_told() -> None:
    """With how many messages wait for it."""
    store = build_records()
    with store.transaction():
        queue(store, Notice("sms", "1", "en", "x", {}), datetime(2026, 1, 5, tzinfo=UTC), "a")
    lines = explain_silence(Settings(), store)
    silence = explain_silence(MAIL, store)
    store.close()

    assert [
        "no e-mail is sent, for `smtp_host` is not set; 0 queued",
        "no text message is sent, for `sms_url` is not set; 1 queued",
    ] == lines
    assert lines[1:] == silence


def test_couriers_leave_a_message_to_its_sender_longer_than_it_takes() -> None:
    """A mail server is asked some ten times for one message, and may be slow each time."""
    store = build_records()
    [courier] = build_couriers(replace(MAIL, delivery_timeout=60), DOMAIN, store)
    store.close()

    assert courier.terms.lease.total_seconds() == 12 * 60
