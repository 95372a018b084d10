"""The channels that the settings describe, and what is wrong with their description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.addresses import is_loopback
from authz_service.delivery.mail import Mail
from authz_service.delivery.sms import Sms
from authz_service.errors import Fault, Place, SettingError
from authz_service.store.outbox import EMAIL, SMS, count_queued

if TYPE_CHECKING:
    from authz_service.delivery.courier import Channel
    from authz_service.settings import Settings
    from authz_service.store.database import Store

# What a medium is called, and the setting that turns it on.
_SWITCHES: Final = {EMAIL: ("e-mail", "smtp_host"), SMS: ("text message", "sms_url")}


def build_channels(settings: Settings, name: str) -> list[Channel]:
    """Build the channels that are turned on.

    Arguments:
        settings: where they lead.
        name: of the sender, for people.

    Raises:
        SettingError: when a description is only half there, or would give away the password.
    """
    channels: list[Channel] = []
    if settings.smtp_host:
        _refuse_half_mail(settings)
        channels.append(
            Mail(
                host=settings.smtp_host,
                port=settings.smtp_port,
                security=settings.smtp_security,
                sender=settings.mail_from,
                name=name,
                user=settings.smtp_user,
                password=settings.smtp_password,
                timeout=settings.delivery_timeout,
            )
        )
    if settings.sms_url:
        channels.append(Sms(settings.sms_url, settings.sms_token, settings.delivery_timeout))
    return channels


def explain_silence(settings: Settings, store: Store) -> list[str]:
    """Say which media are not turned on, and how many messages wait for that."""
    lines = []
    for medium, (name, switch) in _SWITCHES.items():
        if not getattr(settings, switch):
            count = count_queued(store, medium)
            lines.append(f"no {name} is sent, for `{switch}` is not set; {count} queued")
    return lines


def _refuse_half_mail(settings: Settings) -> None:
    faults = []
    if not settings.mail_from:
        message = "is needed where `smtp_host` is set; give the address from which e-mail comes"
        faults.append(Fault(Place("mail_from"), "no_sender", message))
    if bool(settings.smtp_user) != bool(settings.smtp_password):
        message = "is half of a login; give `smtp_user` and `smtp_password`, or neither"
        faults.append(Fault(Place("smtp_user"), "half_login", message))
    is_open = settings.smtp_security == "none" and not is_loopback(settings.smtp_host)
    if settings.smtp_user and is_open:
        message = "would send the password in the clear; use `starttls` or `tls`"
        faults.append(Fault(Place("smtp_security"), "open_password", message))
    if faults:
        raise SettingError(faults)
