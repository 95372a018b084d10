"""The watcher: a folder that changes is tried once it has come to rest."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from clinic_sets import (
    CLERKS_READ,
    CLOSED,
    NOW,
    build_candidate,
    build_keeper,
    build_settings,
    open_clinic,
    write_set,
)

from authz_service.activation.candidate import write_signature
from authz_service.activation.signature import load_trust, make_key, sign
from authz_service.activation.watcher import Watcher
from authz_service.errors import RequestConflictError
from authz_service.store.policies import Origin, find_activations, find_last
from authz_service.store.trials import LEASE, Trial, TrialState, begin_trial, find_trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authz_service.activation.signature import Trust
    from authz_service.store.database import Store


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    """A store of the clinic, in which its policies serve."""
    with open_clinic(sqlite_url) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with those policies."""
    write_set(tmp_path / "policies")
    return tmp_path / "policies"


def watch(store: Store, folder: Path, place: str = "here", trust: Trust | None = None) -> Watcher:
    """Watch a folder; what comes there is tried in this process."""
    settings = build_settings(store.url, folder.parent)
    keeper = build_keeper(settings, store, trust)
    return Watcher(folder, place=place, who="root", keeper=keeper, store=store, clock=lambda: NOW)


def settle(watcher: Watcher) -> bool:
    """Look until it has come to rest."""
    return watcher.look() or watcher.look()


def serving(store: Store) -> str:
    """Tell which policies serve."""
    last = find_last(store)
    assert last
    return last.digest


def refused(store: Store) -> list[str]:
    """Name what is wrong with the policies that were refused last."""
    trial = find_trial(store)
    if trial is None or trial.state is not TrialState.REFUSED:
        return []
    return [each["code"] for each in trial.verdict["faults"]]


def test_what_comes_to_a_folder_serves(store: Store, folder: Path) -> None:
    """With where it is from, and for whom."""
    watcher = watch(store, folder)
    settle(watcher)
    digest = write_set(folder, CLERKS_READ).digest
    settle(watcher)
    last = find_last(store)

    assert last
    assert (digest, Origin.FOLDER, "root") == (last.digest, last.origin, last.who)
    assert 10 == last.verdict["gained"]


def test_a_folder_is_dealt_with_once_it_has_come_to_rest(store: Store, folder: Path) -> None:
    """Whoever saves files does so one after the other."""
    watcher = watch(store, folder)
    settle(watcher)
    found = []
    for text in ("# 1", "# 12", "# 123"):
        write_set(folder, text)
        found.append(watcher.look())
    found.append(watcher.look())

    assert [False, False, False, True] == found
    assert 2 == len(find_activations(store))


def test_a_folder_that_stays_is_left_alone(store: Store, folder: Path) -> None:
    """However often it is looked at."""
    watcher = watch(store, folder)

    assert [False, True, False, False] == [watcher.look() for _ in range(4)]
    assert find_trial(store) is None


@pytest.mark.parametrize(
    ("more", "code"), [("permit(", "no_polar"), ("permit(a, b, c) if d(a, b, c);", "unknown_rule")]
)
def test_what_cannot_serve_is_refused_and_healed_by_the_next(
    store: Store, folder: Path, more: str, code: str
) -> None:
    """What served before goes on all the while."""
    watcher = watch(store, folder)
    settle(watcher)
    before = serving(store)
    write_set(folder, more)
    settle(watcher)
    said, meanwhile = refused(store), serving(store)
    write_set(folder)
    settle(watcher)

    assert code in said
    assert before == meanwhile == serving(store)
    assert find_trial(store) is None


def test_a_folder_that_is_gone_is_refused(store: Store, folder: Path) -> None:
    """And what comes back is taken."""
    watcher = watch(store, folder)
    settle(watcher)
    shutil.rmtree(folder)
    settle(watcher)
    said = refused(store)
    digest = write_set(folder, CLOSED).digest
    settle(watcher)

    assert ["no_policies"] == said
    assert digest == serving(store)


def test_a_file_that_leads_nowhere_is_refused(store: Store, folder: Path) -> None:
    """A link to itself, a folder, or a pipe, at which a reader would wait."""
    watcher = watch(store, folder)
    settle(watcher)
    (folder / "loop.polar").symlink_to("loop.polar")
    (folder / "dir.polar").mkdir()
    os.mkfifo(folder / "pipe.polar")
    settle(watcher)

    assert ["unreadable_file"] * 3 == refused(store)


def test_what_the_folder_held_all_along_does_not_come_back(store: Store, folder: Path) -> None:
    """After a bundle, for the same server and for those that start later, here and elsewhere."""
    watcher = watch(store, folder)
    settle(watcher)
    settings = build_settings(store.url, folder.parent)
    keeper = build_keeper(settings, store)
    attempt = keeper.begin(build_candidate(CLOSED), "ann")
    assert attempt
    keeper.finish(attempt)
    bundled = serving(store)
    (folder / "main.polar").touch()
    for each in (watcher, watch(store, folder), watch(store, folder, "elsewhere")):
        settle(each)

    assert bundled == serving(store)


def test_what_came_while_nobody_looked_serves(store: Store, folder: Path) -> None:
    """Also what served once, where something else was there since."""
    first = write_set(folder).digest
    settle(watch(store, folder))
    second = write_set(folder, CLOSED).digest
    settle(watch(store, folder))
    write_set(folder)
    settle(watch(store, folder))

    assert [first, second, first] == [each.digest for each in find_activations(store)]


def test_a_folder_is_tried_when_somebody_says_so(store: Store, folder: Path) -> None:
    """Whatever has become of it before."""
    watcher = watch(store, folder)
    settle(watcher)
    keeper = build_keeper(build_settings(store.url, folder.parent), store)
    attempt = keeper.begin(build_candidate(CLOSED), "ann")
    assert attempt
    keeper.finish(attempt)

    assert watcher.look(is_wanted=True)
    assert write_set(folder).digest == serving(store)


def test_a_folder_waits_for_what_is_being_tried(store: Store, folder: Path) -> None:
    """Then it is its turn."""
    watcher = watch(store, folder)
    settle(watcher)
    digest = write_set(folder, CLOSED).digest
    begin_trial(store, Trial("sha256:x", Origin.BUNDLE, "ann", NOW, "other", NOW + LEASE))
    waited = settle(watcher)
    ended = Trial("sha256:x", Origin.BUNDLE, "ann", NOW + LEASE, "third", NOW)
    begin_trial(store, ended)

    assert not waited
    assert watcher.look()
    assert digest == serving(store)


def test_two_are_not_tried_at_once(store: Store, folder: Path) -> None:
    """The second is told so."""
    keeper = build_keeper(build_settings(store.url, folder.parent), store)
    assert keeper.begin(build_candidate(CLOSED), "ann")
    with pytest.raises(RequestConflictError):
        keeper.begin(build_candidate(CLERKS_READ), "bob")


def test_a_folder_that_nobody_signed_is_refused(store: Store, folder: Path, tmp_path: Path) -> None:
    """Where keys are trusted; what was signed is taken, until it is changed."""
    (tmp_path / "trusted.pem").write_text(make_key().public)
    watcher = watch(store, folder, trust=load_trust(str(tmp_path / "trusted.pem")))
    write_set(folder, CLOSED)
    settle(watcher)

    assert ["unsigned_policies"] == refused(store)
    assert 1 == len(find_activations(store))


def test_what_is_signed_later_serves(store: Store, folder: Path, tmp_path: Path) -> None:
    """The same files are tried again, once their signature stands beside them."""
    key, private, trusted = make_key(), tmp_path / "release.key", tmp_path / "trusted.pem"
    private.write_text(key.private)
    trusted.write_text(key.public)
    watcher = watch(store, folder, trust=load_trust(str(trusted)))
    digest = write_set(folder, CLERKS_READ).digest
    settle(watcher)

    assert ["unsigned_policies"] == refused(store)
    write_signature(folder, sign(digest, private))
    settle(watcher)
    assert [] == refused(store)
    assert digest == serving(store)
