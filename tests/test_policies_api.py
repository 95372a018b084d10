"""The policies over HTTP: a bundle is tried beside, and what has come of it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from clinic_sets import (
    CLOSED,
    build_candidate,
    build_keeper,
    build_service,
    build_set,
    build_settings,
    open_clinic,
)
from installation import wait_until
from portal_service import Answer, read_error

from authz_service import storage
from authz_service.activation.bundle import TAR, write_bundle
from authz_service.activation.signature import load_trust, make_key, sign
from authz_service.store.keys import create_key
from authz_service.store.policies import Origin
from authz_service.store.trials import LEASE, Trial, begin_trial
from authz_service.web.app import build_app, build_guard
from authz_service.web.front import Front

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authz_service.store.database import Store

ACTIVATE: Final = "/v1/policies/activate"
POLICIES: Final = "/v1/policies"


class Clinic:
    """An application over a clinic in which policies serve."""

    def __init__(self, store: Store, folder: Path, **changes: Any) -> None:
        settings = build_settings(store.url, folder, **changes)
        service = build_service(settings, store, build_set())
        trust = load_trust(settings.policy_keys)
        keeper = build_keeper(settings, store, trust, storage.tell_time)
        app = build_app(Front(service), keeper, None, build_guard(service))
        self._client = app.test_client()

    def call(
        self, method: str, path: str, body: bytes = b"", kind: str = TAR, key: str = ""
    ) -> Answer:
        """Call it."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        response = self._client.open(
            path, method=method, data=body, content_type=kind, headers=headers
        )
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, found, response.get_data(as_text=True))

    def send(self, more: str = "", signature: str = "") -> Answer:
        """Send a bundle."""
        return self.call("POST", ACTIVATE, write_bundle(build_candidate(more, signature=signature)))

    def wait(self) -> Any:
        """Wait until nothing is being tried, and tell what has come of it."""
        wait_until(lambda: self.call("GET", POLICIES).data["trial"]["state"] != "under way")
        return self.call("GET", POLICIES).data


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    """A store of the clinic, in which its policies serve."""
    with open_clinic(sqlite_url) as opened:
        yield opened


@pytest.fixture
def clinic(store: Store, tmp_path: Path) -> Clinic:
    """A clinic without keys."""
    return Clinic(store, tmp_path)


def test_a_bundle_is_tried_and_serves(clinic: Clinic) -> None:
    """The answer comes at once, and says where to look."""
    answer = clinic.send(CLOSED)
    digest = build_set(CLOSED).digest
    found = clinic.wait()

    assert (202, {"digest": digest, "state": "under way"}) == (answer.status, answer.data)
    assert POLICIES == answer.headers["location"]
    assert (digest, "bundle") == (found["serves"]["digest"], found["serves"]["from"])
    assert "activated" == found["trial"]["state"]
    assert [digest, build_set().digest] == [each["digest"] for each in found["history"]]


def test_a_bundle_that_cannot_serve_is_refused(clinic: Clinic) -> None:
    """What is wrong is told, place by place, and what served goes on."""
    answer = clinic.send("permit(")
    found = clinic.wait()
    [fault, *_] = found["trial"]["verdict"]["faults"]

    assert 202 == answer.status
    assert ("refused", build_set().digest) == (found["trial"]["state"], found["serves"]["digest"])
    assert ("no_polar", "body/more.polar:1:7") == (fault["code"], fault["where"])


def test_what_serves_already_is_told(clinic: Clinic) -> None:
    """Nothing is tried."""
    answer = clinic.send()

    assert (200, build_set().digest) == (answer.status, answer.data["digest"])
    assert clinic.call("GET", POLICIES).data["trial"] is None


def test_a_second_bundle_waits_for_the_first(clinic: Clinic, store: Store) -> None:
    """It is 409 until then."""
    now = datetime.now(UTC)
    begin_trial(store, Trial("sha256:1", Origin.BUNDLE, "ann", now, "other", now + LEASE))
    answer = clinic.send(CLOSED)

    assert (409, "another_under_way") == (answer.status, read_error(answer)["code"])


def test_a_trial_whose_process_has_ended_is_told(clinic: Clinic, store: Store) -> None:
    """It comes to nothing, and keeps nobody from trying the next."""
    past = datetime.now(UTC) - timedelta(minutes=1)
    begin_trial(store, Trial("sha256:1", Origin.BUNDLE, "ann", past, "other", past + LEASE))

    assert "broken off" == clinic.call("GET", POLICIES).data["trial"]["state"]
    assert 202 == clinic.send(CLOSED).status
    assert "activated" == clinic.wait()["trial"]["state"]


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"garbage", TAR, (400, "no_bundle")),
        (b"", TAR, (400, "no_bundle")),
        (b"{}", "application/json", (400, "wrong_content_type")),
        (bytes(2_000_000), TAR, (413, "request_entity_too_large")),
    ],
)
def test_what_is_no_bundle_is_refused_at_once(
    clinic: Clinic, body: bytes, kind: str, expected: tuple[int, str]
) -> None:
    """Nothing is tried, and nothing is degraded by it."""
    answer = clinic.call("POST", ACTIVATE, body, kind)

    assert expected == (answer.status, read_error(answer)["code"])
    assert clinic.call("GET", POLICIES).data["trial"] is None


def test_only_what_is_signed_is_tried(store: Store, tmp_path: Path) -> None:
    """Where keys are trusted: 422 for what nobody signed, or was changed since."""
    made = make_key()
    (tmp_path / "trusted.pem").write_text(made.public)
    (tmp_path / "key").write_text(made.private)
    clinic = Clinic(store, tmp_path, policy_keys=str(tmp_path / "trusted.pem"))
    signature = sign(build_set(CLOSED).digest, tmp_path / "key")
    answers = [clinic.send(CLOSED), clinic.send("# other", signature)]

    assert [(422, "unsigned_policies"), (422, "wrong_signature")] == [
        (each.status, read_error(each)["code"]) for each in answers
    ]
    assert 202 == clinic.send(CLOSED, signature).status
    assert build_set(CLOSED).digest == clinic.wait()["serves"]["digest"]


def test_only_a_key_for_policies_opens(store: Store, clinic: Clinic) -> None:
    """Both to look and to send."""
    now = datetime.now(UTC)
    made = {scope: create_key(store, scope, [scope], now).text for scope in ("policies", "decide")}
    bundle = write_bundle(build_candidate())
    found = [
        clinic.call(method, path, bundle, key=made[scope]).status
        for scope in ("decide", "policies")
        for method, path in (("GET", POLICIES), ("POST", ACTIVATE))
    ]

    assert [403, 403, 200, 200] == found
    assert 401 == clinic.call("GET", POLICIES).status
