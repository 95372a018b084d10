"""Who may reach the service: its API keys, and what each is for.

While no key was ever made, whoever can reach the service is answered, and only this machine can.
From the first key on nobody is answered without a live one, whatever becomes of the keys.
"""

from __future__ import annotations

import hmac
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from authz_service.addresses import is_loopback
from authz_service.errors import (
    ForbiddenError,
    SettingError,
    StoreError,
    UnauthorizedError,
    UnavailableError,
)
from authz_service.store.keys import (
    USE_INTERVAL,
    Scope,
    digest_key,
    find_live_keys,
    has_keys,
    note_uses,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from authz_service.store.database import Store
    from authz_service.store.keys import Key

CHALLENGE: Final = 'Bearer realm="authz"'

# What a key must be for, by the beginning of a rule's path, the first that fits: for GET and HEAD,
# and for all else. Where none fits, as for the metadata and health, any live key will do.
SCOPES: Final[Mapping[str, tuple[Scope, Scope]]] = {
    "/access/v1/": (Scope.DECIDE, Scope.DECIDE),
    "/v1/explain": (Scope.EXPLAIN, Scope.EXPLAIN),
    "/v1/perform": (Scope.PERFORM, Scope.PERFORM),
    "/v1/entities": (Scope.ENTITIES_READ, Scope.ENTITIES_WRITE),
    "/v1/changes": (Scope.AUDIT, Scope.AUDIT),
    "/v1/decisions": (Scope.AUDIT, Scope.AUDIT),
    "/v1/policies": (Scope.POLICIES, Scope.POLICIES),
}

_READING: Final = frozenset({"GET", "HEAD"})
# For how long what was read of the keys counts: a key that is revoked opens nothing after that.
_FRESH_SECONDS: Final = 1.0
_NOTE_SECONDS: Final = 1.0
_LOGGER: Final = logging.getLogger(__name__)


def refuse_exposure(host: str, *, has_keys: bool) -> None:
    """Refuse to serve anybody but this machine while callers cannot show who they are.

    Arguments:
        host: the address to serve on.
        has_keys: whether an API key was ever made, so that callers must have one.

    Raises:
        SettingError: when others could reach the address.
    """
    if not has_keys and not is_loopback(host):
        message = (
            f"`{host}` can be reached from other machines, and no API key exists; serve on a "
            "loopback address such as 127.0.0.1, or make a key with `authz keys create`"
        )
        raise SettingError.at("host", "exposed_without_keys", message)


def find_scope(method: str, path: str) -> Scope | None:
    """Find what a key must be for; None where any will do.

    Arguments:
        method: of the request.
        path: of the rule that the request was found to fit. What the client wrote is not looked at:
            several spellings may lead to one view.
    """
    for beginning, (to_read, otherwise) in SCOPES.items():
        if path.startswith(beginning):
            return to_read if method in _READING else otherwise
    return None


@dataclass(frozen=True)
class _Known:
    """What was read of the keys, and which of them were shown since.

    Arguments:
        live: by their digests.
        is_open: whether there never was a key, so that none is asked for.
        shown: headers that hold live keys, by their hashes: making a digest of each key each time
            would cost more than all else that is done at the door.
    """

    live: Mapping[str, Key]
    is_open: bool
    shown: dict[int, tuple[str, Key]] = field(default_factory=dict)

    def find(self, authorization: str) -> Key | None:
        """Find the live key that a header holds; nothing is learnt from how long that takes."""
        place = hash(authorization)
        shown = self.shown.get(place)
        if shown and hmac.compare_digest(shown[0], authorization):
            return shown[1]
        scheme, _, text = authorization.partition(" ")
        text = text.strip()
        digest = digest_key(text)
        key = self.live.get(digest)
        if not key or scheme.lower() != "bearer" or not hmac.compare_digest(key.digest, digest):
            return None
        if authorization == f"Bearer {text}":  # one spelling a key, so that they cannot pile up
            self.shown[place] = authorization, key
        return key


class Guard:
    """Lets requests in that show a live key, or all while no key was ever made.

    The keys are read again when what was read is older than a second, by the thread that needs
    them: so a key that is revoked or has expired opens nothing after a second, and a new one opens
    what it is for after a second. While they cannot be read, nobody is let in.

    Safe to share between threads.

    Arguments:
        store: where the keys are.
        may_open: whether requests are let in without a key at all while there never was one.
        tell_time: tells the time of day.
        clock: tells the seconds that have passed.
        uses: is told which keys are used.
    """

    def __init__(
        self,
        store: Store,
        *,
        may_open: bool,
        tell_time: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
        uses: Uses | None = None,
    ) -> None:
        self.uses = uses or Uses(store, tell_time)
        self._store = store
        self._may_open = may_open
        self._tell_time = tell_time
        self._clock = clock
        self._reading = threading.Lock()
        self._known: _Known | None = None
        self._old_at = clock()

    def admit(self, authorization: str, scope: Scope | None) -> str:
        """Let a request in, or refuse it.

        Arguments:
            authorization: the header of that name; empty where there is none.
            scope: what the key must be for; None where any live one will do.

        Returns:
            the name of its key; empty while there never was one.

        Raises:
            UnauthorizedError: when it shows no live key.
            ForbiddenError: when its key is not for this.
            UnavailableError: when the keys cannot be read.
        """
        if self._clock() >= self._old_at:
            self._read_again()
        known = self._known
        if known is None:
            message = "the API keys cannot be read, so nobody is answered; the log says why"
            raise UnavailableError.at("Authorization", "unreadable_keys", message)
        if known.is_open:
            return ""
        key = known.find(authorization)
        if key is None:
            raise _refuse(authorization)
        self.uses.add(key.id)
        if scope is not None and scope not in key.scopes:
            message = f"the API key `{key.name}` is not for this; it lacks the scope `{scope}`"
            raise ForbiddenError.at("Authorization", "missing_scope", message)
        return key.name

    def _read_again(self) -> None:
        """Read the keys, unless another thread has just done that."""
        with self._reading:
            now = self._clock()
            if now < self._old_at:
                return
            try:
                self._known = self._read()
            except Exception as error:  # noqa: BLE001  # whatever it is, the door stays shut
                self._known = None
                _LOGGER.error("the API keys cannot be read: %s", error)  # noqa: TRY400  # one line
            # counted from before they were read
            self._old_at = now + _FRESH_SECONDS

    def _read(self) -> _Known:
        live = {each.digest: each for each in find_live_keys(self._store, self._tell_time())}
        # once there was a key the door stays shut, even if a store without any takes the place
        self._may_open = self._may_open and not live and not has_keys(self._store)
        return _Known(live, self._may_open)


class Uses:
    """Writes down when keys were last used, away from the threads that answer.

    A use is written within seconds, but not more than once a minute for each key. What cannot be
    written, as in a database that can only be read, is told to the log and forgotten.

    Arguments:
        store: where the keys are.
        tell_time: tells the time of day.
    """

    def __init__(self, store: Store, tell_time: Callable[[], datetime]) -> None:
        self._store = store
        self._tell_time = tell_time
        self._new: set[str] = set()
        self._noted: dict[str, datetime] = {}
        self.add = self._new.add  # costs an answer next to nothing

    def keep_noting(self) -> None:
        """Write uses down again and again: the work of a thread of its own."""
        while True:
            time.sleep(_NOTE_SECONDS)
            self.note()

    def note(self) -> None:
        """Write down what was used since the last time."""
        now = self._tell_time()
        due = [each for each in self._take() if self._is_due(each, now)]
        if not due:
            return
        self._noted.update(dict.fromkeys(due, now))
        try:
            note_uses(self._store, due, now)
        except StoreError as error:
            _LOGGER.warning("the use of API keys cannot be written down: %s", error)

    def _take(self) -> Iterable[str]:
        """Take what is new, while others may be adding to it."""
        while self._new:
            yield self._new.pop()

    def _is_due(self, key_id: str, now: datetime) -> bool:
        noted = self._noted.get(key_id)
        return noted is None or noted <= now - USE_INTERVAL


def _refuse(authorization: str) -> UnauthorizedError:
    """Refuse a request without saying of a key more than that it opens nothing."""
    if not authorization:
        message = "no API key came with the request; send `Authorization: Bearer KEY`"
        return UnauthorizedError.at("Authorization", "missing_key", message)
    message = (
        "the header holds no live API key, as `Bearer KEY`; one that has expired or was revoked"
        " opens nothing"
    )
    return UnauthorizedError.at("Authorization", "invalid_key", message)
