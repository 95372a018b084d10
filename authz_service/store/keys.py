"""API keys: which clients may call, and for what.

A key is `authz_`, its public id, `_` and 256 random bits. It is shown once, when it is made; the
store has a SHA-256 digest of it and nothing else. Nobody can try so many secrets, so a plain digest
is enough: only what people choose, or what is short, needs one that is made to cost.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from authz_service.errors import ApiKeyError, Fault, Place, quote, suggest
from authz_service.store.system import ApiKey
from authz_service.store.writer import hold_revision

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import peewee

    from authz_service.store.database import Store

# With which a scanner finds a key that somebody left lying about.
_PREFIX: Final = "authz"
# An id is digits and a name begins with a letter, so that one is never taken for the other.
_ID_DIGITS: Final = 12
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")
_KEY: Final = re.compile(rf"{_PREFIX}_([0-9]{{{_ID_DIGITS}}})_.*", re.DOTALL)
_SECRET_BYTES: Final = 32
# How often the use of a key is written down, at the most.
USE_INTERVAL: Final = timedelta(minutes=1)


class Scope(StrEnum):
    """What a key may be for."""

    DECIDE = "decide"
    EXPLAIN = "explain"
    PERFORM = "perform"
    ENTITIES_READ = "entities:read"
    ENTITIES_WRITE = "entities:write"
    AUDIT = "audit"
    POLICIES = "policies"


class KeyState(StrEnum):
    """Whether a key opens anything."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Key:
    """A key as the store knows it, without what is secret.

    Arguments:
        id: its public part.
        name: of the client that has it; two live keys have the same one while it is rotated.
        digest: of the whole key, in hexadecimal digits.
        scopes: what it is for.
        created: when it was made.
        expires: when it ends; None for never.
        used: when it was last used, to the minute; None for never.
        revoked: when it was revoked; None where it was not.
    """

    id: str
    name: str
    digest: str = field(repr=False)
    scopes: frozenset[str]
    created: datetime
    expires: datetime | None = None
    used: datetime | None = None
    revoked: datetime | None = None

    def state(self, now: datetime) -> KeyState:
        """Tell whether it opens anything at a time."""
        if self.revoked is not None:
            return KeyState.REVOKED
        is_over = self.expires is not None and self.expires <= now
        return KeyState.EXPIRED if is_over else KeyState.LIVE


@dataclass(frozen=True)
class NewKey:
    """A key that has just been made.

    Arguments:
        key: what the store knows of it.
        text: what the client sends; nobody can find it again.
    """

    key: Key
    text: str = field(repr=False)


def digest_key(text: str) -> str:
    """Find by what the store knows a key."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_scopes(words: Iterable[str]) -> frozenset[Scope]:
    """Read the names of scopes.

    Raises:
        ApiKeyError: with every one that there is not, or when there are none at all.
    """
    given = sorted(set(words))
    unknown = [word for word in given if word not in list(Scope)]
    if unknown:
        raise ApiKeyError(
            Fault(Place("scope"), "unknown_scope", f"there is no scope {_name_scope(word)}")
            for word in unknown
        )
    if not given:
        message = "a key without a scope opens nothing; name at least one"
        raise ApiKeyError.at("scope", "no_scope", message)
    return frozenset(map(Scope, given))


def create_key(
    store: Store,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    expires: datetime | None = None,
) -> NewKey:
    """Make a key for a client that has no live one.

    Arguments:
        store: where it is kept.
        name: of the client.
        scopes: what it is for.
        now: when it is made.
        expires: when it ends; None for never.

    Raises:
        ApiKeyError: when the name or a scope cannot be used, or the client has a live key.
    """
    if not _NAME.fullmatch(name) or _KEY.fullmatch(name):
        message = (
            f"{quote(_hide_secret(name))} is no name of a key; use a letter, then letters, digits,"
            " `.`, `_` and `-`, 64 at the most"
        )
        raise ApiKeyError.at("name", "invalid_name", message)
    wanted = read_scopes(scopes)
    with store.transaction():
        hold_revision(store)  # so that nobody makes another at the same time
        if _find_live(store, name, now):
            message = f"{quote(name)} has a live key; `authz keys rotate {name}` makes the next one"
            raise ApiKeyError.at("name", "taken_name", message)
        return _insert(store, name, wanted, now, expires)


def rotate_key(
    store: Store,
    name: str,
    overlap: timedelta,
    now: datetime,
    expires: datetime | None = None,
) -> NewKey:
    """Make the next key of a client; the one before ends when the overlap is over.

    Arguments:
        store: where they are kept.
        name: of the client.
        overlap: how long both are live.
        now: when it is made.
        expires: when the new key ends; None for after as long a life as that of the one before.

    Raises:
        ApiKeyError: when there is no such client, or it does not have exactly one live key.
    """
    with store.transaction():
        hold_revision(store)
        live = _find_live(store, name, now)
        if len(live) != 1:
            raise _not_one(store, name, live)
        [old] = live
        if expires is None and old.expires is not None:
            expires = now + (old.expires - old.created)
        _end(store, old, overlap, now)
        return _insert(store, name, old.scopes, now, expires)


def revoke_keys(store: Store, name_or_id: str, now: datetime) -> list[Key]:
    """Revoke a key by its id, or all live keys of a client by its name.

    Whoever has found a key somewhere may also give that itself.

    Returns:
        those that were live until now.

    Raises:
        ApiKeyError: when there is no such key.
    """
    with store.transaction():
        hold_revision(store)
        keys = find_keys(store)
        word = _hide_secret(name_or_id)
        meant = [each for each in keys if word in {each.id, each.name}]
        if not meant:
            raise _unknown(word, keys)
        live = [each for each in meant if each.state(now) is KeyState.LIVE]
        for each in live:
            store.run(ApiKey.update(revoked=now).where(ApiKey.id == each.id))
        return [replace(each, revoked=now) for each in live]


def find_keys(store: Store) -> list[Key]:
    """Find all keys that there ever were, by name, the oldest first."""
    return _read(store, ApiKey.select().order_by(ApiKey.name, ApiKey.created))


def find_live_keys(store: Store, now: datetime) -> list[Key]:
    """Find the keys that open something."""
    goes_on = ApiKey.expires.is_null() | (ApiKey.expires > now)
    return _read(store, ApiKey.select().where(ApiKey.revoked.is_null() & goes_on))


def has_keys(store: Store) -> bool:
    """Tell whether there ever was a key: from then on nobody is answered without one."""
    return bool(store.run(ApiKey.select(ApiKey.id).limit(1).tuples()))


def note_uses(store: Store, ids: Iterable[str], now: datetime) -> None:
    """Write down that keys were used, where that was not done within the last minute."""
    is_due = ApiKey.used.is_null() | (ApiKey.used <= now - USE_INTERVAL)
    store.run(ApiKey.update(used=now).where(ApiKey.id.in_(list(ids)) & is_due))


def _insert(
    store: Store, name: str, scopes: Iterable[str], now: datetime, expires: datetime | None
) -> NewKey:
    number = f"{secrets.randbelow(10**_ID_DIGITS):0{_ID_DIGITS}d}"
    text = f"{_PREFIX}_{number}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    key = Key(number, name, digest_key(text), frozenset(scopes), now, expires)
    row = {"scopes": " ".join(sorted(key.scopes)), "created": now, "expires": expires}
    store.run(ApiKey.insert(id=key.id, name=name, digest=key.digest, **row))
    return NewKey(key, text)


def _end(store: Store, old: Key, overlap: timedelta, now: datetime) -> None:
    """End a key after the overlap, unless it ends before by itself."""
    end = now + overlap
    if end <= now:
        change = ApiKey.update(revoked=now)
    else:
        change = ApiKey.update(expires=min(end, old.expires or end))
    store.run(change.where(ApiKey.id == old.id))


def _find_live(store: Store, name: str, now: datetime) -> list[Key]:
    return [each for each in find_live_keys(store, now) if each.name == name]


def _read(store: Store, query: peewee.ModelSelect[ApiKey]) -> list[Key]:
    return [
        Key(**{**row, "scopes": frozenset(row["scopes"].split())})
        for row in store.run(query.dicts())
    ]


def _not_one(store: Store, name: str, live: list[Key]) -> ApiKeyError:
    """Say why there is not exactly one key to rotate."""
    keys = find_keys(store)
    if live:
        message = (
            f"{quote(name)} is being rotated, and has two live keys; wait until the older one ends,"
            " or revoke one of them by its id"
        )
        return ApiKeyError.at("name", "rotating_name", message)
    if any(each.name == name for each in keys):
        message = f"{quote(name)} has no live key; `authz keys create` makes one"
        return ApiKeyError.at("name", "no_live_key", message)
    return _unknown(name, keys)


def _unknown(word: str, keys: Iterable[Key]) -> ApiKeyError:
    shown = _hide_secret(word)
    message = f"there is no key {quote(shown)}{suggest(shown, {each.name for each in keys})}"
    return ApiKeyError.at("name", "unknown_key", message)


def _hide_secret(word: str) -> str:
    """Take only the id of what is a key: no message repeats one."""
    found = _KEY.fullmatch(word)
    return found[1] if found else word


def _name_scope(word: str) -> str:
    shown = _hide_secret(word)
    return quote(shown) + suggest(shown, list(Scope))
