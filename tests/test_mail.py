"""E-mail, handed to a real mail server: what arrives, what is refused, and what never leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from installation import find_port
from post_office import (
    PASSWORD,
    USER,
    open_gateway,
    open_mail_server,
    trust_certificate,
)

from authz_service.delivery.mail import Mail, write_message
from authz_service.delivery.texts import Letter, flatten
from authz_service.errors import ChannelError, DeliveryError

if TYPE_CHECKING:
    from email.message import EmailMessage

    from post_office import MailServer

LETTER: Final = Letter(
    id="b7f0",
    at=datetime(2026, 1, 5, 9, tzinfo=UTC),
    address="mary@smith.example",
    language="fr",
    subject="Un nouvel administrateur pour Smith é",
    text="Bonjour,\n\n.\nÀ bientôt\n",
)

HEADERS: Final = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
    "Content-Language",
]
# What a name could be made of by somebody who wants to write a header.
PIECES: Final = ["=?", "=", "?", "utf-8?q?", "utf-8?b?DQpCY2M6IHg=", "?=", "=0d=0a", "Bcc: x", "\n"]


def build_mail(server: MailServer, **changes: Any) -> Mail:
    """Build what sends to a server."""
    usual = Mail("localhost", server.port, "none", "noreply@portal.example", "MyProximus")
    return replace(usual, **changes)


def read_text(message: EmailMessage) -> str:
    """Read the text of a message, with the ends of lines that Python has."""
    return str(message.get_content()).replace("\r\n", "\n")


def refuse(mail: Mail, letter: Letter = LETTER) -> DeliveryError:
    """The error for a letter that is not sent."""
    with pytest.raises(DeliveryError) as caught:
        mail.send(letter)
    return caught.value


def test_a_letter_arrives_as_it_was_written(server: MailServer) -> None:
    """Accents, dots and lines are what they were."""
    build_mail(server).send(LETTER)
    [found] = server.messages

    assert (LETTER.subject, LETTER.text) == (found["Subject"], read_text(found))
    assert "MyProximus <noreply@portal.example>" == found["From"]
    assert [LETTER.address] == [found["To"]] == server.recipients
    assert ("fr", "auto-generated") == (found["Content-Language"], found["Auto-Submitted"])


def test_a_repeat_is_the_same(server: MailServer) -> None:
    """Whoever gets it twice can tell by its `Message-ID`."""
    mail = build_mail(server)
    mail.send(LETTER)
    mail.send(LETTER)
    first, second = server.messages

    assert ["<b7f0@portal.example>"] * 2 == server.ids
    assert first.as_bytes() == second.as_bytes()


def test_a_letter_goes_by_tls_with_a_login() -> None:
    """The server shows who it is, and then the service does."""
    with open_mail_server("starttls") as server:
        login = {"user": USER, "password": PASSWORD}
        build_mail(server, security="starttls", context=trust_certificate(), **login).send(LETTER)

        assert (1, [USER.encode()]) == (len(server.messages), server.logins)


def test_a_letter_goes_by_tls_from_the_first_byte() -> None:
    """As servers on port 465 have it."""
    with open_mail_server("tls") as server:
        build_mail(server, security="tls", context=trust_certificate()).send(LETTER)

        assert 1 == len(server.messages)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_that_cannot_show_who_it_is_gets_nothing(security: str) -> None:
    """Its certificate is nobody's that this machine trusts."""
    with open_mail_server(security) as server:
        mail = build_mail(server, security=security, user=USER, password=PASSWORD)
        error = refuse(mail)

        assert isinstance(error, ChannelError)
        assert "certificate" in str(error)
        assert ([], []) == (server.messages, server.logins)


def test_a_server_without_tls_gets_nothing(server: MailServer) -> None:
    """Somebody between could have taken the offer of TLS out of its words."""
    assert isinstance(refuse(build_mail(server, security="starttls")), ChannelError)
    assert [] == server.messages


def test_a_wrong_password_is_told_without_it() -> None:
    """The error says where to look."""
    with open_mail_server("starttls") as server:
        given = {"user": USER, "password": "wrong-one"}
        error = refuse(
            build_mail(server, security="starttls", context=trust_certificate(), **given)
        )

    assert isinstance(error, ChannelError)
    assert "(535 5.7.8)" in str(error)
    assert "wrong-one" not in str(error)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("550 5.1.1 nobody here", "refuses the recipient (550 5.1.1)"),
        ("450 later", "refuses the recipient (450)"),
    ],
)
def test_a_recipient_that_is_refused_is_told_in_numbers(
    server: MailServer, reply: str, expected: str
) -> None:
    """It is about this message, and the words of the server are not repeated."""
    server.replies[LETTER.address] = reply
    error = refuse(build_mail(server))

    assert DeliveryError is type(error)
    assert f"the mail server: {expected} [message_refused]" == str(error)


@pytest.mark.parametrize(
    ("kind", "reply"),
    [(DeliveryError, "554 no `Bonjour` here"), (ChannelError, "451 no `Bonjour` now")],
)
def test_a_message_that_is_refused_is_not_repeated(
    server: MailServer, kind: type[DeliveryError], reply: str
) -> None:
    """For good it is about the message, for now about the server."""
    server.answer = lambda: reply
    error = refuse(build_mail(server))

    assert kind is type(error)
    assert "Bonjour" not in str(error)


def test_a_server_that_is_not_there_is_told() -> None:
    """The error is about the channel."""
    error = refuse(Mail("127.0.0.1", find_port(), "none", "noreply@portal.example", "x"))

    assert isinstance(error, ChannelError)
    assert "the mail server: cannot be used: Connection refused [no_server]" == str(error)


def test_a_server_that_speaks_something_else_is_told() -> None:
    """A gateway is no mail server."""
    with open_gateway() as gateway:
        mail = Mail("127.0.0.1", gateway.port, "none", "noreply@portal.example", "x", timeout=1)

        assert isinstance(refuse(mail), ChannelError)


@pytest.mark.parametrize(
    "subject",
    [
        "Smith =?utf-8?q?x=0d=0aBcc:_evil@x.example?= ltd",
        "Smith =?utf-8?b?DQpCY2M6IGV2aWxAeC5leGFtcGxl?=",
        "==??utf-8?q?=0aBcc:_evil@x.example?=",
        "Smith" * 500,
        "é" * 500,
    ],
)
def test_no_subject_begins_another_header(server: MailServer, subject: str) -> None:
    """Not even one that looks encoded, which libraries decode."""
    build_mail(server).send(replace(LETTER, subject=subject))
    [found] = server.messages

    assert "evil" not in "".join(text for name, text in found.items() if name != "Subject")
    assert found["Bcc"] is None
    assert ["mary@smith.example"] == server.recipients


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(PIECES) | st.text(), max_size=12).map("".join))
def test_no_name_begins_another_header(name: str) -> None:
    """Whatever it is made of, the message can be written and has the headers that it always has."""
    letter = replace(LETTER, subject=f"About {flatten(name)}")
    data = write_message(letter, "noreply@portal.example", "MyProximus").as_bytes()
    found = BytesParser(policy=policy.default).parsebytes(data)

    assert HEADERS == found.keys()
    assert LETTER.text == read_text(found)


def test_a_subject_of_two_lines_is_refused() -> None:
    """Texts are flattened before; should one not be, nothing is sent."""
    with pytest.raises(ValueError, match="linefeed"):
        write_message(replace(LETTER, subject="a\nBcc: b@x.example"), "a@x.example", "x")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "mary",
        "mary@smith.example\nBcc: evil@x.example",
        "mary@smith.example\r\nRCPT TO:<evil@x.example>",
        "mary@smith.example\n",
        "mary@smith.example, evil@x.example",
        "<mary@smith.example>",
        "Mary <mary@smith.example>",
        "mary@smith.example>\x00",
        "=?utf-8?q?a=0d=0aBcc=3a_evil?=@x.example",
        "mary @smith.example",
        "mary..jones@smith.example",
        "mary@-smith.example",
        "m" * 250 + "@smith.example",
    ],
)
def test_what_is_no_address_is_refused(server: MailServer, address: str) -> None:
    """Nothing of it reaches a header or the server."""
    error = refuse(build_mail(server), replace(LETTER, address=address))

    assert "no_address" in str(error)
    assert [] == server.messages


@pytest.mark.parametrize("address", ["a@b", "o'hara+x@a-b.example", "x=y?z@smith.example"])
def test_an_unusual_address_is_one(server: MailServer, address: str) -> None:
    """What mail servers take is taken."""
    build_mail(server).send(replace(LETTER, address=address))

    assert [address] == server.recipients
