"""URLs and addresses that settings may name, and whether they stay on this machine."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Final
from urllib.parse import urlsplit

_PUBLIC_URL: Final = re.compile(
    r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*"
)
_GATEWAY_URL: Final = re.compile(
    r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?"
    r"(\?[A-Za-z0-9._~&=%/-]*)?"
)
# A dot-atom of RFC 5322 and a domain: nothing in it means anything to a header or to a mail server.
# `=?` would begin what libraries decode.
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
MAIL_ADDRESS: Final = re.compile(
    rf"(?=.{{3,254}}\Z)(?!.*=\?){_ATOM}(\.{_ATOM})*@[A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9-]+)*"
)


def parse_public_url(text: str) -> str:
    """Read the URL of a service, without a final slash.

    Raises:
        ValueError: when it cannot be used; says so.
    """
    if not _PUBLIC_URL.fullmatch(text):
        raise ValueError("give a URL of scheme, host, port and path, without a final slash")
    _refuse_open_url(text)
    return text


def parse_gateway_url(text: str) -> str:
    """Read the URL of somebody else's service, which may have a query; raises as above."""
    if not _GATEWAY_URL.fullmatch(text):
        raise ValueError("give a URL of scheme, host, port, path and query, without a user")
    _refuse_open_url(text)
    return text


def _refuse_open_url(text: str) -> None:
    parts = urlsplit(text)
    if parts.port == 0:  # what is above 65535 is refused by urllib
        raise ValueError("the port is a number from 1 to 65535")
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("give an https URL (http only for a loopback address)")


def parse_mail_address(text: str) -> str:
    """Read an address for e-mail; raises as above."""
    if not MAIL_ADDRESS.fullmatch(text):
        raise ValueError("give an address such as `noreply@example.com`")
    return text


def is_loopback(host: str) -> bool:
    """Tell whether every address that a host name stands for stays on this machine."""
    try:
        found = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(address[0]).is_loopback for *_, address in found)
