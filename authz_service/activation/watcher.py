"""Watches the folder of policies, and has tried what comes to stand there.

Whoever saves files does so one after the other. So a folder is read once nothing changed in it
between two looks.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final, Protocol

from authz_service.activation.candidate import SIGNATURE, load_folder
from authz_service.errors import PolicyError, RequestConflictError, StoreError
from authz_service.store.policies import Origin
from authz_service.store.trials import is_news, note_folder

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from authz_service.activation.keeper import Keeper
    from authz_service.store.database import Store

_LOGGER: Final = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 0.3

# What tells one state of a folder from another, without reading its files.
_State = tuple[tuple[str, int, int, int], ...]


class Nudge(Protocol):
    """Whatever says that the folder is to be tried now, changed or not."""

    def is_set(self) -> bool:
        """Tell whether somebody said so."""

    def clear(self) -> None:
        """Forget it."""


class Watcher:
    """Watches one folder; for one thread.

    Arguments:
        folder: which.
        place: names it among those of all machines.
        who: wants it to serve.
        keeper: has it tried.
        store: where it is noted what was in it.
        clock: tells the time, with its zone.
        is_watched: whether a change alone has the folder tried.
    """

    def __init__(  # noqa: PLR0913  # what is watched, for whom, and where it is noted
        self,
        folder: Path,
        *,
        place: str,
        who: str,
        keeper: Keeper,
        store: Store,
        clock: Callable[[], datetime],
        is_watched: bool = True,
    ) -> None:
        self._is_watched = is_watched
        self._folder = folder
        self._place = place
        self._who = who
        self._keeper = keeper
        self._store = store
        self._clock = clock
        # how the folder was when it was looked at last, and when it was dealt with last
        self._seen: _State | None = None
        self._done: _State | None = None
        self._is_failing = False

    def run(self, stop: threading.Event, nudge: Nudge) -> None:
        """Look again and again: the work of a thread of its own.

        Arguments:
            stop: ends it.
            nudge: has the folder tried, changed or not.
        """
        while not stop.wait(_LOOK_SECONDS):
            is_wanted = nudge.is_set()
            if not is_wanted and not self._is_watched:
                continue
            if self.look(is_wanted=is_wanted) and is_wanted:
                nudge.clear()

    def look(self, *, is_wanted: bool = False) -> bool:
        """Look at the folder, and have it tried when it has changed and come to rest.

        Arguments:
            is_wanted: have it tried in any case.

        Returns:
            whether it was dealt with.
        """
        state = tuple(_look_at(self._folder))
        is_at_rest, self._seen = state == self._seen, state
        if not is_at_rest or (state == self._done and not is_wanted):
            return False
        try:
            self.deal(is_wanted=is_wanted)
        except RequestConflictError:  # when the other is done, it is this one's turn
            return False
        except StoreError as error:
            if not self._is_failing:
                _LOGGER.error("policies cannot be taken from the folder: %s", error)  # noqa: TRY400  # one line
            self._is_failing = True
            return False
        self._done, self._is_failing = state, False
        return True

    def deal(self, *, is_wanted: bool = False) -> None:
        """Have tried what the folder holds, unless that has been dealt with before.

        Arguments:
            is_wanted: have it tried in any case.

        Raises:
            RequestConflictError: while something else is being tried.
            StoreError: when the database cannot write.
        """
        digest = ""
        try:
            candidate = load_folder(self._folder)
            digest = candidate.digest
            if is_wanted or is_news(self._store, self._place, digest):
                attempt = self._keeper.begin(candidate, self._who)
                if attempt:
                    self._keeper.finish(attempt)
        except PolicyError as error:
            self._keeper.refuse(Origin.FOLDER, self._who, error, digest)
            digest = ""  # signed later, or by another key, the same files are news
        note_folder(self._store, self._place, digest, self._clock())


def _look_at(folder: Path) -> Iterator[tuple[str, int, int, int]]:
    """Look at what a policy set is made of in a folder."""
    try:
        names = sorted(each for each in os.listdir(folder) if _is_part(each))  # noqa: PTH208  # the names
    except OSError as error:
        yield "", error.errno or 0, 0, 0
        return
    for name in names:
        try:
            about = (folder / name).stat()
        except OSError as error:
            yield name, error.errno or 0, 0, 0
        else:
            yield name, about.st_mtime_ns, about.st_size, about.st_ino


def _is_part(name: str) -> bool:
    return name == SIGNATURE or name.endswith(".polar")
