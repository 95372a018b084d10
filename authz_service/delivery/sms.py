"""Text messages: a letter as JSON, posted to a gateway that has a line to the phones."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from authz_service.errors import ChannelError, DeliveryError
from authz_service.store.outbox import SMS

if TYPE_CHECKING:
    from authz_service.delivery.texts import Letter

# The basic alphabet of GSM 03.38, in which a text message has room for 160 characters.
_GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_LONGEST: Final = 160
# Refusals that are about the message; all others are about the gateway, or its patience.
_ABOUT_THE_MESSAGE: Final = frozenset({400, 404, 409, 410, 413, 414, 415, 422})


@dataclass(frozen=True)
class Sms:
    """Sends text messages.

    Arguments:
        url: of the gateway.
        token: shows the gateway who posts; empty for nobody.
        timeout: seconds that each answer of the gateway may take.
        context: which certificates to trust; None for those that this machine trusts.
    """

    url: str
    token: str = field(default="", repr=False)
    timeout: int = 10
    context: ssl.SSLContext | None = field(default=None, repr=False)
    medium: str = field(default=SMS, init=False)

    def send(self, letter: Letter) -> None:
        """Send a letter; a redirect is not followed, for it would lead the text elsewhere.

        Raises:
            DeliveryError: when the gateway refuses it.
            ChannelError: when the gateway cannot be used.
        """
        status = self._post(letter)
        if 200 <= status < 300:  # noqa: PLR2004  # HTTP's own
            return
        kind = DeliveryError if status in _ABOUT_THE_MESSAGE else ChannelError
        raise kind.at("the gateway", "message_refused", f"refuses the message ({status})")

    def _post(self, letter: Letter) -> int:
        body = {"id": letter.id, "to": letter.address, "text": write_plainly(letter.text)}
        headers = {"Content-Type": "application/json", "Idempotency-Key": letter.id}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        parts = urlsplit(self.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            with contextlib.closing(self._connect()) as connection:
                connection.request("POST", target, json.dumps(body), headers)
                return connection.getresponse().status
        except (http.client.HTTPException, OSError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            message = f"cannot be used: {reason}"
            raise ChannelError.at("the gateway", "no_gateway", message) from None

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self.timeout)
        trusted = self.context or ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=self.timeout, context=trusted)


def write_plainly(text: str) -> str:
    """Write a text so that it fits into one text message.

    Accents that the phones' alphabet lacks go, and what is too long is cut. A text in another
    alphabet stays whole, and the gateway divides it.
    """
    plain = "".join(each if each in _GSM else _strip(each) for each in text)
    return plain[:_LONGEST] if _GSM.issuperset(plain) else text


def _strip(character: str) -> str:
    parts = unicodedata.normalize("NFKD", character)
    return "".join(each for each in parts if not unicodedata.combining(each))
