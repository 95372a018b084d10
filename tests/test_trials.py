"""Trials in the store: one at a time, what comes of them, and what folders held; on both."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from authz_service.errors import RequestConflictError
from authz_service.store.policies import (
    KeptPolicies,
    Origin,
    find_activations,
    find_last,
    get_policies,
    keep_policies,
)
from authz_service.store.trials import (
    LEASE,
    Trial,
    TrialState,
    begin_trial,
    end_trial,
    find_trial,
    forget_refusal,
    is_news,
    note_folder,
    renew_trial,
)

if TYPE_CHECKING:
    from authz_service.store.database import Store

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
OLD: Final = KeptPolicies("sha256:1a", {"a.polar": "one"})
NEW: Final = KeptPolicies("sha256:1b", {"a.polar": "two"}, "signed")
MINE: Final = "mine"
FAULTS: Final = {"faults": ["it is wrong"]}


def begin(store: Store, token: str = MINE, now: datetime = NOW) -> Trial:
    """Begin to try the new policies."""
    trial = Trial(NEW.digest, Origin.BUNDLE, "root", now, token, now + LEASE)
    begin_trial(store, trial)
    return trial


def state(store: Store) -> TrialState:
    """Tell what has come of the last trial."""
    found = find_trial(store)
    assert found
    return found.state


def test_there_is_no_trial_at_first(store: Store) -> None:
    """Nothing was tried yet."""
    assert find_trial(store) is None


def test_a_trial_is_found_by_all(store: Store) -> None:
    """What is tried, from where, and for whom."""
    trial = begin(store)

    assert trial == find_trial(store)
    assert TrialState.UNDER_WAY == state(store)


def test_only_one_is_tried_at_a_time(store: Store) -> None:
    """Another one is told so."""
    begin(store)
    with pytest.raises(RequestConflictError, match="sha256:1b is being tried"):
        begin(store, "other", NOW + LEASE - SECOND)


def test_of_several_that_begin_at_once_one_does(store: Store) -> None:
    """They wait for each other."""
    begun: list[str] = []
    together = threading.Barrier(4)

    def try_to_begin(number: int) -> None:
        together.wait()
        try:
            begin(store, f"token-{number}")
        except RequestConflictError:
            begun.append("conflict")
        else:
            begun.append("begun")
        store.close()

    threads = [threading.Thread(target=try_to_begin, args=(each,)) for each in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert ["begun", "conflict", "conflict", "conflict"] == sorted(begun)


def test_who_is_not_heard_of_has_ended(store: Store) -> None:
    """Then another one may be tried, and the first comes to nothing."""
    first = begin(store)
    second = begin(store, "other", NOW + LEASE)

    assert not end_trial(store, first, {}, NOW, NEW)
    assert find_last(store) is None
    assert end_trial(store, second, {}, NOW, NEW)


def test_who_is_heard_of_goes_on(store: Store) -> None:
    """For as long as it takes."""
    renew_trial(store, begin(store), NOW + 5 * SECOND)
    with pytest.raises(RequestConflictError):
        begin(store, "other", NOW + LEASE)


def test_what_is_accepted_serves(store: Store) -> None:
    """In the same transaction, with all that is known of it."""
    keep_policies(store, OLD, "ann", NOW)
    end_trial(store, begin(store), {"passed": 3}, NOW + SECOND, NEW)
    last = find_last(store)

    assert last
    assert TrialState.ACTIVATED == state(store)
    assert NEW == get_policies(store, last.digest)
    assert (Origin.BUNDLE, "root", {"passed": 3}) == (last.origin, last.who, last.verdict)


def test_what_is_refused_does_not_serve(store: Store) -> None:
    """It is kept why."""
    keep_policies(store, OLD, "ann", NOW)
    end_trial(store, begin(store), FAULTS, NOW, None)
    found = find_trial(store)

    assert found
    assert (TrialState.REFUSED, FAULTS) == (found.state, found.verdict)
    assert [OLD.digest] == [each.digest for each in find_activations(store)]


def test_a_refusal_is_forgotten(store: Store) -> None:
    """And nothing else is."""
    end_trial(store, begin(store), FAULTS, NOW, None)
    forget_refusal(store)
    found = find_trial(store)
    begin(store)
    forget_refusal(store)

    assert found is None
    assert TrialState.UNDER_WAY == state(store)


def test_a_set_is_signed_later(store: Store) -> None:
    """Its text is kept once, with the signature that came last."""
    for signature in ("", "first", "", "second"):
        keep_policies(store, KeptPolicies(OLD.digest, OLD.files, signature), "ann", NOW)

    assert "second" == get_policies(store, OLD.digest).signature


def test_what_a_folder_held_before_is_no_news(store: Store) -> None:
    """What it holds since is, also what served once."""
    keep_policies(store, OLD, "ann", NOW)
    note_folder(store, "here", NEW.digest, NOW)
    note_folder(store, "there", OLD.digest, NOW)

    assert not is_news(store, "here", NEW.digest)
    assert is_news(store, "here", OLD.digest)


def test_of_a_folder_that_nobody_knows_what_served_is_no_news(store: Store) -> None:
    """A machine that comes late brings nothing back."""
    keep_policies(store, OLD, "ann", NOW)

    assert not is_news(store, "elsewhere", OLD.digest)
    assert is_news(store, "elsewhere", NEW.digest)


def test_folders_of_long_ago_are_forgotten(store: Store) -> None:
    """Machines come and go."""
    keep_policies(store, OLD, "ann", NOW)
    note_folder(store, "gone", NEW.digest, NOW)
    note_folder(store, "here", NEW.digest, NOW + timedelta(days=500))

    assert not is_news(store, "gone", OLD.digest)
