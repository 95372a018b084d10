"""E-mail: a letter as a message of RFC 5322, handed to a mail server by SMTP."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from typing import TYPE_CHECKING, Final

from authz_service.addresses import MAIL_ADDRESS
from authz_service.errors import ChannelError, DeliveryError
from authz_service.store.outbox import EMAIL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.delivery.texts import Letter

# The three numbers with which servers say more (RFC 3463). Their words could repeat the message.
_ENHANCED: Final = re.compile(rb"\b[245]\.[0-9]{1,3}\.[0-9]{1,3}\b")
_FOR_GOOD: Final = 500  # a reply below this one may be another later


@dataclass(frozen=True)
class Mail:
    """Sends e-mail.

    Arguments:
        host: of the mail server.
        port: of the mail server.
        security: `none`, `starttls` or `tls`; with the latter two, nothing goes to a server that
            cannot show who it is.
        sender: the address from which it comes.
        name: of the sender, for people.
        user: with which to log in; empty for nobody.
        password: of the user.
        timeout: seconds that each answer of the server may take.
        context: which certificates to trust; None for those that this machine trusts.
    """

    host: str
    port: int
    security: str
    sender: str
    name: str
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: int = 10
    context: ssl.SSLContext | None = field(default=None, repr=False)
    medium: str = field(default=EMAIL, init=False)

    def send(self, letter: Letter) -> None:
        """Send a letter.

        Raises:
            DeliveryError: when it cannot be sent, or the server refuses it.
            ChannelError: when the server cannot be used.
        """
        message = write_message(letter, self.sender, self.name)
        with _explained(), self._open() as server:
            server.send_message(message, self.sender, [letter.address])

    @contextlib.contextmanager
    def _open(self) -> Iterator[smtplib.SMTP]:
        server = self._connect()
        try:
            if self.security == "starttls":
                server.starttls(context=self._trust())
            if self.user:
                server.login(self.user, self.password)
            yield server
            # what the server has accepted is sent, however it takes its leave
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            server.close()

    def _connect(self) -> smtplib.SMTP:
        own_name = socket.gethostname()  # the library would ask name servers for a longer one
        if self.security != "tls":
            return smtplib.SMTP(self.host, self.port, own_name, timeout=self.timeout)
        return smtplib.SMTP_SSL(
            self.host, self.port, own_name, timeout=self.timeout, context=self._trust()
        )

    def _trust(self) -> ssl.SSLContext:
        return self.context or ssl.create_default_context()


def write_message(letter: Letter, sender: str, name: str) -> EmailMessage:
    """Write an e-mail, whose every repeat is the same, its `Message-ID` included.

    Arguments:
        letter: what it says, and to whom.
        sender: the address from which it comes.
        name: of the sender, for people.

    Raises:
        DeliveryError: when the address is none.
    """
    if not MAIL_ADDRESS.fullmatch(letter.address):
        words = "is no address of e-mail; the message keeps it, so queue another one"
        raise DeliveryError.at("the address", "no_address", words)
    message = EmailMessage(policy.SMTP)
    message["From"] = Address(name, addr_spec=sender)
    message["To"] = Address(addr_spec=letter.address)
    # the library would decode what looks encoded, and let the line ends in it begin other headers
    message["Subject"] = letter.subject.replace("=?", "= ?")
    message["Date"] = letter.at
    message["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2]}>"
    # so that nothing that answers by itself answers (RFC 3834)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="quoted-printable")
    message["Content-Language"] = letter.language
    return message


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn what goes wrong into our errors, in words that repeat nothing of the message."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        [(code, reply)] = error.recipients.values()
        raise _refused(DeliveryError, "the recipient", code, reply) from None
    except smtplib.SMTPDataError as error:
        kind = DeliveryError if error.smtp_code >= _FOR_GOOD else ChannelError
        raise _refused(kind, "the message", error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPResponseException as error:
        numbers = _numbers(error.smtp_code, error.smtp_error)
        message = f"refuses to work for this service ({numbers}); look at the settings of `smtp_*`"
        raise ChannelError.at("the mail server", "server_refuses", message) from None
    except (smtplib.SMTPException, OSError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        message = f"cannot be used: {reason}"
        raise ChannelError.at("the mail server", "no_server", message) from None


def _refused(kind: type[DeliveryError], what: str, code: int, reply: bytes | str) -> DeliveryError:
    message = f"refuses {what} ({_numbers(code, reply)})"
    return kind.at("the mail server", "message_refused", message)


def _numbers(code: int, reply: bytes | str) -> str:
    data = reply.encode("ascii", "replace") if isinstance(reply, str) else reply
    found = _ENHANCED.search(data)
    return f"{code} {found.group().decode()}" if found else str(code)
