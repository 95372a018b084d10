"""Which policies a server begins with: those that served last, or what came to the folder since."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from authz_service.activation.candidate import load_folder
from authz_service.activation.keeper import Keeper
from authz_service.activation.signature import load_trust
from authz_service.activation.verdict import Verdict
from authz_service.activation.watcher import Watcher
from authz_service.errors import PolicyError, RequestConflictError, StoreError
from authz_service.policy.kept import open_kept
from authz_service.store.policies import find_last, get_policies, keep_policies
from authz_service.store.trials import TrialState, find_trial, note_folder
from authz_service.store.writer import write_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from authz_service.activation.candidate import Candidate
    from authz_service.activation.signature import Trust
    from authz_service.policy.source import PolicySet
    from authz_service.settings import Settings
    from authz_service.store.database import Store
    from authz_service.store.policies import Activation


@dataclass(frozen=True)
class Doorkeeper:
    """What looks after the policies of one server.

    Arguments:
        settings: which folder, whose signatures count, and what policies have to pass.
        who: runs the server.
        clock: tells the time, with its zone.
        new_id: makes what nobody else has.
    """

    settings: Settings
    who: str
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    @property
    def trust(self) -> Trust:
        """Whose signatures count.

        Raises:
            SettingError: when the keys cannot be read.
        """
        return load_trust(self.settings.policy_keys)

    @property
    def place(self) -> str:
        """Names the folder among those of all machines."""
        return f"{socket.gethostname()}:{self.settings.policies.resolve()}"

    def build_watcher(self, store: Store) -> Watcher:
        """Build what watches the folder, over a store of its thread's own."""
        return Watcher(
            self.settings.policies,
            place=self.place,
            who=self.who,
            keeper=Keeper(self.settings, store, self.trust, self.clock, new_id=self.new_id),
            store=store,
            clock=self.clock,
            is_watched=self.settings.watch == "on",
        )

    def load_first(self) -> Candidate:
        """Read the folder, where no policies served before.

        Raises:
            PolicyError: when it cannot be read, or is not signed as it must be.
        """
        candidate = load_folder(self.settings.policies)
        self.trust.require(candidate.digest, candidate.signature, candidate.place)
        return candidate

    def keep_first(self, store: Store, candidate: Candidate) -> None:
        """Note that the folder serves from now on.

        Raises:
            StoreError: when the database cannot write.
        """
        keep_policies(store, candidate.pack(), self.who, self.clock())
        note_folder(store, self.place, candidate.digest, self.clock())

    def find_next(self, store: Store, before: Activation, tell: Callable[[str], None]) -> PolicySet:
        """Find what to begin with, where policies served before.

        What came to the folder since is tried first.

        Arguments:
            store: that knows which served.
            before: which served last.
            tell: is told why it is not what is in the folder.

        Raises:
            PolicyError: when what served may not, or cannot be used any more.
            StoreError: when the database cannot be used.
        """
        try:
            self.build_watcher(store).deal()
        except RequestConflictError as error:
            tell(str(error))
        except StoreError as error:
            tell(f"what is in the folder is not tried: {error}")
        last = find_last(store) or before
        kept = get_policies(store, last.digest)
        self.trust.require(kept.digest, kept.signature, kept.digest)
        if _find_digest(self.settings.policies) != last.digest:
            since, folder = write_time(last.at), self.settings.policies
            tell(
                f"serving {last.digest}, from a {last.origin} by {last.who} at {since}, and not"
                f" what is in `{folder}`; `authz policy status` tells more"
            )
            for each in _find_refusal(store):
                tell(each)
        return open_kept(kept, str(self.settings.policies))


def _find_digest(folder: Path) -> str:
    try:
        return load_folder(folder).digest
    except PolicyError:
        return ""


def _find_refusal(store: Store) -> Iterator[str]:
    trial = find_trial(store)
    if trial and trial.state is TrialState.REFUSED:
        yield from (f"refused: {each}" for each in Verdict.parse(trial.verdict).faults)
