"""The whole application once it has keys: every path, both doors, and what views learn."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest
from flask import g
from portal_service import (
    EVALUATION,
    EVALUATIONS,
    MARY_SEES_USAGE,
    METADATA,
    call,
    open_service,
    read_error,
    send,
)

from authz_service.store.keys import Scope, create_key, revoke_keys
from authz_service.web.app import create_app
from authz_service.web.patience import Patience
from authz_service.web.security import find_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from authz_service.store.database import Store

BODY: Final = json.dumps(MARY_SEES_USAGE).encode()
SEARCH: Final = "/access/v1/search/resource"
QUESTIONS: Final = [EVALUATION, EVALUATIONS, SEARCH, f"//{EVALUATION}", f"//{SEARCH}"]
CALLS: Final = [
    *(("POST", path) for path in QUESTIONS),
    ("GET", METADATA),
    ("GET", "/health"),
    ("GET", "/nothing"),
    ("PUT", EVALUATION),
    ("OPTIONS", EVALUATION),
]
# What any key opens, and what one does that is for policies.
FOR_ANY_KEY: Final = {"/health", METADATA}
FOR_POLICIES: Final = {"/v1/policies", "/v1/policies/activate"}


@dataclass(frozen=True)
class Keyed:
    """An application, and the store that holds its keys."""

    app: Flask
    store: Store

    def show(self, name: str, *scopes: str) -> tuple[str, str]:
        """Make a key, and give the header that shows it."""
        made = create_key(self.store, name, scopes, datetime.now(UTC))
        return "Authorization", f"Bearer {made.text}"


@pytest.fixture(params=["flask", "lean"])
def keyed(request: pytest.FixtureRequest) -> Iterator[Keyed]:
    """A service by either door."""
    with open_service() as service:
        patience = Patience(1, 10) if request.param == "lean" else None
        yield Keyed(create_app(service, patience), service.store)


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_nothing_is_answered_without_a_key(keyed: Keyed, method: str, path: str) -> None:
    """Health, metadata and what is not there included; the id of the request comes back."""
    keyed.show("shop", "decide")
    answer = call(keyed.app.test_client(), method, path, [("X-Request-ID", "7")])
    error = read_error(answer)

    assert (401, "missing_key", "Authorization") == (answer.status, error["code"], error["where"])
    assert 'Bearer realm="authz"' == answer.headers["www-authenticate"]
    assert "7" == answer.headers["x-request-id"]


@pytest.mark.parametrize("path", QUESTIONS)
def test_a_key_that_is_revoked_opens_nothing(keyed: Keyed, path: str) -> None:
    """It is told what an unknown one is told."""
    shown = keyed.show("shop", "decide")
    revoke_keys(keyed.store, "shop", datetime.now(UTC))
    answer = send(keyed.app.test_client(), path, BODY, headers=[shown])

    assert (401, "invalid_key") == (answer.status, read_error(answer)["code"])


@pytest.mark.parametrize("path", QUESTIONS)
def test_a_question_needs_a_key_that_decides(keyed: Keyed, path: str) -> None:
    """However the path is written; the error says what is missing, and the id comes back."""
    shown = keyed.show("feed", *(set(Scope) - {Scope.DECIDE}))
    client = keyed.app.test_client()
    answer = send(client, path, BODY, headers=[shown, ("X-Request-ID", "7")])
    error = read_error(answer)

    assert (403, "missing_scope", "7") == (
        answer.status,
        error["code"],
        answer.headers["x-request-id"],
    )
    assert "`decide`" in error["message"]
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("path", QUESTIONS)
def test_a_key_that_decides_asks(keyed: Keyed, path: str) -> None:
    """The answer is that of a service without keys."""
    shown = keyed.show("shop", "decide")

    assert 200 == send(keyed.app.test_client(), path, BODY, headers=[shown]).status


@pytest.mark.parametrize(
    ("status", "method", "path"),
    [
        (200, "GET", METADATA),
        (200, "GET", "/health"),
        (404, "GET", "/nothing"),
        (405, "GET", EVALUATION),
    ],
)
def test_any_live_key_sees_the_rest(keyed: Keyed, status: int, method: str, path: str) -> None:
    """Health, the metadata, and that something is not there."""
    shown = keyed.show("feed", "audit")

    assert status == call(keyed.app.test_client(), method, path, [shown]).status


@pytest.mark.parametrize("name", ["shop", ""])
def test_views_know_the_client(keyed: Keyed, name: str) -> None:
    """By the name of its key, and by none where there are no keys."""
    shown = [keyed.show(name, "audit")] if name else []
    keyed.app.add_url_rule("/whoami", view_func=lambda: {"client": g.client})

    assert {"client": name} == call(keyed.app.test_client(), "GET", "/whoami", shown).data


def test_keys_that_cannot_be_read_are_503(keyed: Keyed, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is answered then, and nobody but the log is told why."""
    keyed.store.close()  # a store in memory ends with that
    answers = [send(keyed.app.test_client(), path, BODY) for path in (EVALUATION, SEARCH)]

    assert [503, 503] == [each.status for each in answers]
    assert {"unreadable_keys"} == {read_error(each)["code"] for each in answers}
    assert "no such table" in caplog.text
    assert not any("no such table" in each.text for each in answers)


@pytest.mark.parametrize("path", ["", "/v1", "/access", "/access/v1", "/v1/entities"])
def test_every_rule_has_its_scope(path: str) -> None:
    """Below the path of the public URL too, whatever that is; two are for any key."""
    with open_service(public_url=f"https://pdp.example{path}") as service:
        app = create_app(service)
        key = create_key(service.store, "rules", ["policies"], datetime.now(UTC))
        shown = "Authorization", f"Bearer {key.text}"
        client = app.test_client()
        statuses = {
            rule.rule: call(client, method, rule.rule, [shown]).status
            for rule in app.url_map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        }
    opened = FOR_ANY_KEY | FOR_POLICIES
    opened |= {METADATA + path, *(path + each for each in opened)}

    assert {each for each, status in statuses.items() if status == 200} <= opened
    assert {each for each, status in statuses.items() if status == 403} == set(statuses) - opened


def test_every_scope_is_for_something() -> None:
    """No key is given what opens nothing."""
    paths = ["/access/v1/x", *(f"/v1/{each}" for each in ("explain", "perform", "changes"))]
    found = {find_scope("POST", each) for each in [*paths, "/v1/entities", "/v1/policies"]}

    assert {*Scope} == found | {find_scope("GET", "/v1/entities")}
