"""The follower: what a process answers by is what the store says, or what it was before."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from clinic_sets import (
    CLOSED,
    NOW,
    READS,
    build_service,
    build_set,
    build_settings,
    open_clinic,
)

from authz_service.activation.follower import Follower
from authz_service.activation.signature import Trust, load_trust, make_key, sign
from authz_service.policy.kept import pack_policies
from authz_service.store.policies import Origin, keep_policies
from authz_service.store.system import PolicyText
from authz_service.store.trials import LEASE, Trial, begin_trial, end_trial, forget_refusal
from authz_service.web.app import build_app, build_guard, build_keeper
from authz_service.web.front import Front

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import peewee
    from flask.testing import FlaskClient

    from authz_service.store.database import Store
    from authz_service.store.policies import KeptPolicies


class Followed:
    """An application that follows its store."""

    def __init__(self, store: Store, folder: Path, trust: Trust) -> None:
        settings = build_settings(store.url, folder)
        self.front = Front(build_service(settings, store, build_set()))
        self.follower = Follower(self.front.desk.service, trust, self.front.swap)
        service = self.front.desk.service
        keeper, guard = build_keeper(service), build_guard(service)
        app = build_app(self.front, keeper, None, guard, problems=lambda: self.follower.problems)
        self.client: FlaskClient = app.test_client()
        self.store = store

    def ask(self) -> tuple[bool, str]:
        """Ask a question that the closed clinic denies; give back by which policies it answers."""
        answer = self.client.post("/access/v1/evaluation", json=READS)
        return answer.json["decision"], answer.headers["X-Policy-Digest"]  # type: ignore[index]  # it is there

    def health(self) -> dict[str, Any]:
        """Ask how it is."""
        answer = self.client.get("/health")
        assert 200 == answer.status_code
        return dict(answer.json or {})

    def activate(self, policies: KeptPolicies) -> None:
        """Have policies serve."""
        keep_policies(self.store, policies, "ann", NOW)


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    """A store of the clinic, in which its policies serve."""
    with open_clinic(sqlite_url) as opened:
        yield opened


@pytest.fixture
def followed(store: Store, tmp_path: Path) -> Followed:
    """A process that trusts everybody."""
    return Followed(store, tmp_path, Trust())


def test_what_the_store_says_takes_over(followed: Followed) -> None:
    """The answer is of the new set, and so is the header; nothing is wrong."""
    before = followed.ask()
    followed.activate(pack_policies(build_set(CLOSED)))
    followed.follower.look()

    assert (True, build_set().digest) == before
    assert (False, build_set(CLOSED).digest) == followed.ask()
    assert "ok" == followed.health()["status"]


def test_what_served_before_is_released(followed: Followed) -> None:
    """However often policies are swapped, the memory holds those that serve."""
    engines = []
    for more in (CLOSED, "# more"):
        engines.append(weakref.ref(followed.front.desk.service.explainer.engine))
        followed.ask()
        followed.activate(pack_policies(build_set(more)))
        followed.follower.look()
    gc.collect()

    assert [None, None] == [each() for each in engines]


def test_what_serves_stays_where_nothing_changed(followed: Followed) -> None:
    """It is not built again."""
    desk = followed.front.desk
    followed.follower.look()
    followed.follower.look()

    assert desk is followed.front.desk


@pytest.mark.parametrize("more", ["permit(", CLOSED])
def test_what_cannot_be_used_does_not_take_over(followed: Followed, more: str) -> None:
    """It does not compile here, or is not what was kept: health says so."""
    policies = pack_policies(build_set(more))
    followed.activate(policies)
    if more == CLOSED:
        followed.store.run(altered())
    followed.follower.look()
    health = followed.health()

    assert (True, build_set().digest) == followed.ask()
    assert "degraded" == health["status"]
    assert health["problems"]


def altered() -> peewee.ModelUpdate:
    """Change all that is kept."""
    return PolicyText.update(files="{}")


def test_what_is_wrong_is_over_with_the_next_set(followed: Followed) -> None:
    """It heals by itself."""
    followed.activate(pack_policies(build_set("permit(")))
    followed.follower.look()
    followed.activate(pack_policies(build_set(CLOSED)))
    followed.follower.look()

    assert "ok" == followed.health()["status"]
    assert (False, build_set(CLOSED).digest) == followed.ask()


def test_a_refusal_is_told_by_each_process(followed: Followed) -> None:
    """Whichever of them had it tried, until it is forgotten."""
    trial = Trial("sha256:1", Origin.FOLDER, "ann", NOW, "mine", NOW + LEASE)
    fault = {"code": "no_polar", "message": "it is wrong", "where": "a.polar:1"}
    verdict = {"faults": [fault], "passed": None, "gained": None, "lost": None, "notes": []}
    begin_trial(followed.store, trial)
    end_trial(followed.store, trial, verdict, NOW, None)
    followed.follower.look()
    told = followed.health()
    forget_refusal(followed.store)
    followed.follower.look()

    assert ["a.polar:1: it is wrong [no_polar]"] == told["problems"]
    assert "ok" == followed.health()["status"]


def test_what_is_not_signed_does_not_take_over(store: Store, tmp_path: Path) -> None:
    """However it came into the store; what is signed does."""
    made = make_key()
    (tmp_path / "trusted.pem").write_text(made.public)
    (tmp_path / "key").write_text(made.private)
    followed = Followed(store, tmp_path, load_trust(str(tmp_path / "trusted.pem")))
    closed = pack_policies(build_set(CLOSED))
    followed.activate(closed)
    followed.follower.look()
    told, meanwhile = followed.health(), followed.ask()
    followed.activate(pack_policies(build_set()))
    signature = sign(closed.digest, tmp_path / "key")
    followed.activate(replace(closed, signature=signature))
    followed.follower.look()

    assert "[unsigned_policies]" in told["problems"][0]
    assert (True, build_set().digest) == meanwhile
    assert (False, closed.digest) == followed.ask()


def test_the_places_of_rules_are_those_of_the_folder(followed: Followed) -> None:
    """Wherever the policies came from."""
    followed.activate(pack_policies(build_set(CLOSED)))
    followed.follower.look()
    explained = followed.client.post("/v1/explain", json=READS).json or {}
    [ground] = explained["explanation"]["forbidding"]

    assert ground["rules"][0]["place"].endswith("policies/more.polar:1")
