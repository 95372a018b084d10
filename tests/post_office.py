"""A mail server and a gateway for text messages, both real, that keep what they are given."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from installation import find_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

    from aiosmtpd.smtp import SMTP, Envelope, Session

# Of `localhost`, for these tests only, valid for a hundred years.
CERTIFICATE: Final = Path(__file__).parent / "certificates" / "localhost.pem"

USER: Final = "authz"
PASSWORD: Final = "swordfish"  # noqa: S105  # of the server below


@dataclass
class MailServer:
    """What a mail server has been given, and how it behaves.

    Arguments:
        port: where it listens.
        messages: what it has accepted, in its order.
        recipients: to whom, in the same order.
        replies: what it says to a recipient, instead of accepting.
        answer: what it says to each message; it is called when it has the whole of it.
        logins: who logged in.
    """

    port: int = field(default_factory=find_port)
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    answer: Callable[[], str] = lambda: "250 taken"
    logins: list[bytes] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The `Message-ID` of each message."""
        return [str(each["Message-ID"]) for each in self.messages]

    async def handle_RCPT(  # noqa: N802  # the library's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Accept or refuse a recipient."""
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # the library's name
        """Keep a message, then answer."""
        data = envelope.content
        assert isinstance(data, bytes)
        self.messages.append(BytesParser(policy=policy.default).parsebytes(data))
        self.recipients += envelope.rcpt_tos
        return self.answer()

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        """Let the one user in."""
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login)
        is_right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=is_right, handled=False)


@contextlib.contextmanager
def open_mail_server(security: str = "none") -> Iterator[MailServer]:
    """Run a mail server on a port of its own: `none`, `starttls` with a login, or `tls`."""
    server = MailServer()
    context = load_certificate()
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        ssl_context=context if security == "tls" else None,
        tls_context=context if security == "starttls" else None,
        require_starttls=security == "starttls",
        auth_required=security == "starttls",
        auth_require_tls=security == "starttls",
        authenticator=server.authenticate,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


@dataclass(frozen=True)
class Posted:
    """What the gateway was given: path, headers by their names in lower case, and the JSON."""

    path: str
    headers: dict[str, str]
    data: Any


@dataclass
class Gateway:
    """What a gateway has been given, and how it behaves.

    Arguments:
        port: where it listens.
        posted: what it has accepted or refused, in its order.
        answer: gives the status for what was posted.
        headers: of each answer.
    """

    port: int
    posted: list[Posted] = field(default_factory=list)
    answer: Callable[[Posted], int] = lambda _: 202
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self.port}/messages"


@contextlib.contextmanager
def open_gateway(context: ssl.SSLContext | None = None) -> Iterator[Gateway]:
    """Run a gateway on a port of its own, with TLS where there is a context."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found = {name.lower(): text for name, text in self.headers.items()}
            posted = Posted(self.path, found, json.loads(body))
            gateway.posted.append(posted)
            self.send_response(gateway.answer(posted))
            for name, text in gateway.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            gateway.posted.append(Posted(self.path, {}, None))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    gateway = Gateway(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def load_certificate() -> ssl.SSLContext:
    """Load what a server shows."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


def trust_certificate() -> ssl.SSLContext:
    """Trust what such a server shows, and nothing else."""
    return ssl.create_default_context(cafile=str(CERTIFICATE))
