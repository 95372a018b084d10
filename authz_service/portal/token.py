"""One-time tokens: they show that who confirms a request has read the message with the token.

A token is random, kept as a digest only, and ends: when it is used, when its time is over, or after
five wrong tries. A code of six digits is short, so digests are made to cost: trying all codes
against a copy of the table takes hours, and a code lives for ten minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import peewee

from authz_service.store.entity import InstantField

if TYPE_CHECKING:
    from datetime import datetime

    from authz_service.store.database import Store

_TRIES: Final = 5
_SALT_BYTES: Final = 16
# some ten milliseconds, and 4 MiB
_COST: Final = {"n": 2**12, "r": 8, "p": 1}
_CODE_DIGITS: Final = 6


class OneTimeToken(peewee.Model):
    """The one token of a request that can still be used."""

    request = peewee.TextField(primary_key=True)
    salt = peewee.TextField()
    digest = peewee.TextField()
    expires = InstantField()
    tries = peewee.IntegerField()

    class Meta:
        """The name of the table."""

        table_name = "one_time_token"


@dataclass(frozen=True)
class Kind:
    """A kind of token.

    Arguments:
        digits: how many digits it has; 0 for one that nobody types.
        lifetime: how long it can be used.
    """

    digits: int
    lifetime: timedelta

    def draw(self) -> str:
        """Draw a token that nobody can guess."""
        if self.digits:
            return f"{secrets.randbelow(10**self.digits):0{self.digits}d}"
        return secrets.token_urlsafe(32)


# DOMAIN: "24 h e-mail, 10 min code".
LINK: Final = Kind(0, timedelta(hours=24))
CODE: Final = Kind(_CODE_DIGITS, timedelta(minutes=10))


def issue(store: Store, request: str, kind: Kind, now: datetime) -> str:
    """Make the token of a request, in place of one that it had.

    Arguments:
        store: where its digest is kept, in the transaction that is open.
        request: the id of the request.
        kind: what kind of token.
        now: what time it is.
    """
    token, salt = kind.draw(), secrets.token_hex(_SALT_BYTES)
    end(store, request)
    values = {"salt": salt, "digest": _digest(token, salt), "expires": now + kind.lifetime}
    store.run(OneTimeToken.insert(request=request, tries=_TRIES, **values))
    return token


def is_right(store: Store, request: str, token: str, now: datetime) -> bool:
    """Tell whether this is the token of a request, which can still be used."""
    found = store.run(OneTimeToken.select().where(OneTimeToken.request == request).dicts())
    for row in found:
        if now < row["expires"] and row["tries"]:
            return hmac.compare_digest(row["digest"], _digest(token, row["salt"]))
    return False


def spend_try(store: Store, request: str) -> None:
    """Note a wrong try at the token of a request, if it has one."""
    is_left = (OneTimeToken.request == request) & (OneTimeToken.tries > 0)
    store.run(OneTimeToken.update(tries=OneTimeToken.tries - 1).where(is_left))


def end(store: Store, request: str) -> None:
    """End the token of a request, if it has one."""
    store.run(OneTimeToken.delete().where(OneTimeToken.request == request))


def _digest(token: str, salt: str) -> str:
    data = token.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(data, salt=salt.encode(), **_COST).hex()
