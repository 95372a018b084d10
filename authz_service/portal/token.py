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
from authz_service.store.prepared import Prepared, slot

if TYPE_CHECKING:
    from datetime import datetime

    from authz_service.store.database import Store

_TRIES: Final = 5
_SALT_BYTES: Final = 16
# some ten milliseconds, and 4 MiB
_COST: Final = {"n": 2**12, "r": 8, "p": 1}
_CODE_DIGITS: Final = 6
_AS_TEXT: Final = InstantField()


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


_ROW: Final = ("request", "salt", "digest", "expires", "tries")
_IS_IT: Final = OneTimeToken.request == slot("request")
_INSERT: Final = Prepared(lambda: OneTimeToken.insert({name: slot(name) for name in _ROW}))
_FIND: Final = Prepared(
    lambda: OneTimeToken.select(
        OneTimeToken.salt, OneTimeToken.digest, OneTimeToken.expires, OneTimeToken.tries
    ).where(_IS_IT)
)
_DELETE: Final = Prepared(lambda: OneTimeToken.delete().where(_IS_IT))
_SPEND: Final = Prepared(
    lambda: OneTimeToken.update(tries=OneTimeToken.tries - 1).where(_IS_IT, OneTimeToken.tries > 0)
)


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
    expires = _AS_TEXT.db_value(now + kind.lifetime)
    values = {"salt": salt, "digest": _digest(token, salt), "expires": expires}
    store.ask(_INSERT, request=request, tries=_TRIES, **values)
    return token


def is_right(store: Store, request: str, token: str, now: datetime) -> bool:
    """Tell whether this is the token of a request, which can still be used."""
    for salt, digest, expires, tries in store.ask(_FIND, request=request):
        if str(_AS_TEXT.db_value(now)) < expires and tries:
            return hmac.compare_digest(digest, _digest(token, salt))
    return False


def spend_try(store: Store, request: str) -> None:
    """Note a wrong try at the token of a request, if it has one."""
    store.ask(_SPEND, request=request)


def end(store: Store, request: str) -> None:
    """End the token of a request, if it has one."""
    store.ask(_DELETE, request=request)


def _digest(token: str, salt: str) -> str:
    data = token.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(data, salt=salt.encode(), **_COST).hex()
