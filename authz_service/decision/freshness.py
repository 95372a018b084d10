"""How new the state is from which questions are answered, held against what they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.errors import RevisionError
from authz_service.store.writer import find_revision

if TYPE_CHECKING:
    from authz_service.store.database import Store

MIN_REVISION: Final = "min_revision"


def know_no_revision(_revision: int) -> None:
    """Refuse whatever revision is named, where nobody can tell what the store has reached.

    Raises:
        RevisionError: always.
    """
    raise _refuse("what the store has reached is not known here")


class Freshness:
    """Knows which revision the store has reached; made for one request, before it is answered.

    The store is asked only when a question names a revision. What it has reached, it has reached
    for good, so an answer that is found afterwards is from a state at least that new.

    Arguments:
        store: from which the request is answered.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reached = 0

    def require(self, revision: int) -> None:
        """Refuse to answer from a state that is older than a revision.

        Raises:
            RevisionError: when the store has not reached it; names what it has reached.
        """
        if revision > self._reached:
            self._reached = find_revision(self._store)
        if revision > self._reached:
            raise _refuse(f"the store has reached revision {self._reached} only; ask again later")


def _refuse(message: str) -> RevisionError:
    return RevisionError.at(f"context.{MIN_REVISION}", "revision_not_reached", message)
