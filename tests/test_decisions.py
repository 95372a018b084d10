"""The decision log of a service: what it notes at either door, and what it gives out of it."""

from __future__ import annotations

import dataclasses
import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from portal_service import (
    EVALUATION,
    EVALUATIONS,
    MARY_SEES_BILLS,
    MARY_SEES_USAGE,
    POLICIES,
    SMITH,
    ask,
    call,
    question,
    read_error,
)

from authz_service import assembly, storage
from authz_service.decision.log_settings import build_log
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.store.keys import create_key
from authz_service.store.writer import find_revision
from authz_service.web.app import create_app
from authz_service.web.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from portal_service import Answer

    from authz_service.store.database import Store

DECISIONS: Final = "/v1/decisions"
MARY_STEPS_UP: Final = {
    "subject": {"type": "person", "id": "mary"},
    "action": {"name": "become_administrator"},
    "resource": {"type": "customer", "id": "123456789"},
    "context": {"channel": "web"},
}


@dataclasses.dataclass(frozen=True)
class Logged:
    """A service whose decisions are noted, before they are answered.

    Arguments:
        client: asks it.
        store: its entities.
    """

    client: FlaskClient
    store: Store

    def read(self, query: str = "") -> list[dict[str, Any]]:
        """Read the log over HTTP."""
        answer = call(self.client, "GET", f"{DECISIONS}?{query}")
        assert 200 == answer.status, answer
        return [json.loads(each) for each in answer.text.splitlines()]


@contextmanager
def open_logged(url: str, door: str = "flask", **changes: Any) -> Iterator[Logged]:
    """Open such a service over the company of Smith."""
    chosen = {"database": url, "policies": POLICIES, "log": "strict", **changes}
    settings = dataclasses.replace(Settings(), **chosen)
    storage.load_into_store(settings, [Path(SMITH)])
    log = build_log(settings, DOMAIN, storage.tell_time)
    engine = assembly.build_engine(settings, DOMAIN)
    store = storage.open_existing_store(settings, DOMAIN)
    service = assembly.put_together(settings, DOMAIN, engine, store, log=log)
    app = create_app(service, Patience(1, 10) if door == "lean" else None)
    try:
        yield Logged(app.test_client(), store)
    finally:
        if log:
            log.close()
        store.close()


@pytest.fixture(params=["flask", "lean"])
def logged(request: pytest.FixtureRequest, url: str) -> Iterator[Logged]:
    """A service by either door."""
    with open_logged(url, request.param) as opened:
        yield opened


def test_a_question_is_noted(logged: Logged) -> None:
    """With the answer, and the state from which it is."""
    ask(logged.client, MARY_SEES_USAGE)
    ask(logged.client, MARY_SEES_BILLS)
    first, second = logged.read()

    assert MARY_SEES_USAGE == {key: first["request"][key] for key in MARY_SEES_USAGE}
    assert [(True, []), (False, ["not_permitted"])] == [
        (each["decision"], each["reasons"]) for each in (first, second)
    ]
    assert {find_revision(logged.store)} == {first["revision"], second["revision"]}
    assert ["check", "compiled", ""] == [first[name] for name in ("kind", "engine", "client")]


def test_an_allow_names_its_rule_where_only_one_could(logged: Logged) -> None:
    """The bills are for administrators, by one rule; usage is seen by two."""
    for person, action in (("philip", "view_bills"), ("philip", "view_usage")):
        ask(logged.client, question(person, action, "0470000001"))
    [[rule], several] = [each["rules"] for each in logged.read()]

    assert rule.startswith(f"{POLICIES}/subscriptions.polar:")
    assert [] == several


def test_a_denial_names_the_rule_that_forbids(logged: Logged) -> None:
    """Where the reason has one rule."""
    data = {**MARY_STEPS_UP, "action": {"name": "delegate_part"}}
    ask(logged.client, data)
    [entry] = logged.read()

    assert entry["reasons"]
    assert all(each.rpartition(":")[2].isdigit() for each in entry["rules"])


def test_each_question_of_a_batch_is_noted(logged: Logged) -> None:
    """In their order; what is no question is not, and what was not asked is not."""
    items: list[Any] = [MARY_SEES_USAGE, {}, MARY_SEES_BILLS]
    ask(logged.client, {"evaluations": items}, EVALUATIONS)
    stop = {"evaluations_semantic": "deny_on_first_deny"}
    batch = [MARY_SEES_BILLS, MARY_SEES_USAGE]
    ask(logged.client, {"evaluations": batch, "options": stop}, EVALUATIONS)

    assert [True, False, False] == [each["decision"] for each in logged.read()]


def test_words_that_nobody_knows_are_noted(logged: Logged) -> None:
    """Alone and in a batch."""
    strange = question("mary", "fly", "0470000001")
    ask(logged.client, strange)
    ask(logged.client, {"evaluations": [strange, MARY_SEES_USAGE]}, EVALUATIONS)

    assert [["unknown_action"], ["unknown_action"], []] == [
        each["reasons"] for each in logged.read()
    ]


@pytest.mark.parametrize(
    ("what", "hidden", "count"),
    [("subject", "subject", 2), ("resource", "resource", 1), ("action", "action", 2)],
)
def test_a_search_is_noted(logged: Logged, what: str, hidden: str, count: int) -> None:
    """With what was asked, and how many were found."""
    ask(logged.client, MARY_SEES_USAGE, f"/access/v1/search/{what}")
    [entry] = logged.read()
    open_part = entry["request"][hidden]

    assert (f"search_{what}", count) == (entry["kind"], entry["found"])
    assert "" == open_part.get("id", open_part.get("name"))


def test_what_is_performed_is_noted_once(logged: Logged) -> None:
    """With the state on which it was decided; a repeat is not decided again."""
    before = find_revision(logged.store)
    headers = {"Idempotency-Key": "once"}
    for _ in range(2):
        logged.client.post("/v1/perform", json=MARY_STEPS_UP, headers=headers)
    logged.client.post("/v1/perform", json=MARY_STEPS_UP)
    first, second = logged.read()

    assert ["perform"] * 2 == [first["kind"], second["kind"]]
    assert [True, False] == [first["decision"], second["decision"]]
    assert [before, before + 1] == [first["revision"], second["revision"]]


def test_what_only_the_doing_needs_is_not_noted(logged: Logged) -> None:
    """A one-time token comes near no log."""
    data = {
        "subject": {"type": "person", "id": "mary"},
        "action": {"name": "confirm_code", "properties": {"token": "secret-137"}},
        "resource": {"type": "delegate_request", "id": "none"},
    }
    logged.client.post("/v1/perform", json=data)
    text = call(logged.client, "GET", DECISIONS).text

    assert "confirm_code" in text
    assert "secret-137" not in text


def test_the_client_is_noted(logged: Logged) -> None:
    """By the name of its key; the log is for keys that audit."""
    made = [
        create_key(logged.store, name, [scope], storage.tell_time()).text
        for name, scope in (("shop", "decide"), ("auditor", "audit"))
    ]
    shop, auditor = ({"Authorization": f"Bearer {each}"} for each in made)
    logged.client.post(EVALUATION, json=MARY_SEES_USAGE, headers=shop)
    answers = [logged.client.get(DECISIONS, headers=each) for each in (shop, auditor)]

    assert [403, 200] == [each.status_code for each in answers]
    assert "shop" == json.loads(answers[1].text)["client"]


@pytest.fixture
def three(url: str) -> Iterator[Logged]:
    """A service that has answered three questions, in pages of two."""
    with open_logged(url, max_page=2) as opened:
        for each in (MARY_SEES_USAGE, MARY_SEES_BILLS, question("thomas", "view_bills", "tv-1")):
            ask(opened.client, each)
        yield opened


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("who=person/mary", 2),
        ("on=subscription/tv-1", 1),
        ("action=view_usage", 1),
        ("decision=deny", 2),
        ("decision=allow", 1),
        ("reason=not_permitted", 2),
        ("client=shop", 0),
        ("client=", 2),
        ("since=2999-01-01T00:00:00Z", 0),
        ("until=2000-01-01T00:00:00Z", 0),
        ("limit=1", 1),
        ("limit=0", 0),
    ],
)
def test_the_log_is_filtered(three: Logged, query: str, count: int) -> None:
    """As on the command line."""
    assert count == len(three.read(query))


def test_the_log_is_read_page_by_page(three: Logged) -> None:
    """By the header that says where to go on; where it stays the same there is no more."""
    after = "0.0"
    found: list[str] = []
    ends: list[str] = []
    while len(ends) < 2 or ends[-1] != ends[-2]:
        answer = call(three.client, "GET", f"{DECISIONS}?after={after}")
        found += [json.loads(each)["id"] for each in answer.text.splitlines()]
        after = answer.headers["x-next-after"]
        ends.append(after)

    assert ["1-1", "1-2", "1-3"] == found


@pytest.mark.parametrize("kind", ["application/jsonl", "application/x-ndjson"])
def test_lines_have_the_type_that_is_asked_for(three: Logged, kind: str) -> None:
    """Both names of it are known."""
    answer = call(three.client, "GET", DECISIONS, [("Accept", kind)])

    assert kind == answer.headers["content-type"].partition(";")[0]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("who=mary", "who"),
        ("on=", "on"),
        ("since=yesterday", "since"),
        ("until=1", "until"),
        ("decision=maybe", "decision"),
        ("after=x", "after"),
        ("limit=x", "limit"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(three: Logged, query: str, where: str) -> None:
    """With its name."""
    answer: Answer = call(three.client, "GET", f"{DECISIONS}?{query}")

    assert (400, where) == (answer.status, read_error(answer)["where"])


def test_without_a_log_there_is_none(url: str) -> None:
    """And nothing is made for it."""
    with open_logged(url, log="off") as opened:
        ask(opened.client, MARY_SEES_USAGE)
        answer = call(opened.client, "GET", DECISIONS)

    assert (404, "no_log") == (answer.status, read_error(answer)["code"])


@pytest.mark.parametrize("door", ["flask", "lean"])
@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS])
def test_what_cannot_be_noted_is_not_answered(sqlite_url: str, door: str, path: str) -> None:
    """It is 503, at either door; the answer says nothing of the decision."""
    with open_logged(sqlite_url, door, log_wait=50) as opened:
        (Path(sqlite_url.removeprefix("sqlite:///")).parent / "portal-decisions.db").write_bytes(
            b"garbage" * 1_000
        )
        data = {"evaluations": [MARY_SEES_USAGE]} if path == EVALUATIONS else MARY_SEES_USAGE
        answer = ask(opened.client, data, path)

    assert (503, "log_unavailable") == (answer.status, read_error(answer)["code"])
