"""AuthZEN over real HTTP: a server of the records, its certification's domain, asked from outside.

The questions follow the sections of the AuthZEN Authorization API 1.0. What the rules are, is in
domains/records/policies.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from installation import TESTS, Installation, find_port
from portal_service import EVALUATION, EVALUATIONS, METADATA, read_decisions, read_error
from vengtoo import (
    Action,
    BatchEvalItem,
    BatchEvaluationRequest,
    BatchOptions,
    EvaluationRequest,
    Resource,
    SearchRequest,
    Subject,
    Vengtoo,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORDS: Final = TESTS / "domains" / "records"
ADMIN: Final = {"role": "admin"}
ARCHIVED: Final = {"status": "archived"}
SOFT: Final = {"soft": True}
# Nothing that a rule looks at, whatever JSON can say.
EXTRA: Final = {"a": [1, {"b": None}], "c": {"d": 2.5}, "e": None, "f": True, "g": "admin"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A server of the records."""
    folder: Path = tmp_path_factory.mktemp("records")
    (folder / "fixtures").mkdir()
    for path in [*RECORDS.glob("fixtures/*.yaml"), *RECORDS.glob("lists/*.yaml")]:
        (folder / "fixtures" / path.name).symlink_to(path)
    installed = Installation(folder, find_port(), RECORDS / "policies", "domains.records")
    with installed.serve("--create"):
        yield installed


def question(
    user: str,
    action: str,
    record: str,
    said: tuple[dict[str, Any], dict[str, Any], dict[str, Any]] = ({}, {}, {}),
) -> dict[str, Any]:
    """Put a question together, with what is said of the user, the action and the record."""
    of_user, of_action, of_record = ({"properties": each} if each else {} for each in said)
    return {
        "subject": {"type": "user", "id": user, **of_user},
        "action": {"name": action, **of_action},
        "resource": {"type": "record", "id": record, **of_record},
    }


ALICE_READS: Final = question("alice", "read", "record-1")
BOB_WRITES: Final = question("bob", "write", "record-1")
BODY: Final = json.dumps(ALICE_READS).encode()

DECISIONS: Final = [
    # what is stored
    (True, question("alice", "read", "record-1")),
    (True, question("alice", "read", "record-2")),
    (True, question("bob", "read", "record-1")),
    (True, question("alice", "write", "record-1")),
    (False, question("alice", "write", "record-2")),
    (False, question("bob", "write", "record-1")),
    (True, question("bob", "write", "record-2")),
    (False, question("alice", "delete", "record-1")),
    (False, question("carol", "read", "record-1")),
    (False, question("alice", "read", "record-3")),
    (False, question("alice", "print", "record-1")),
    # what is said of the user, the action and the record
    (False, question("alice", "write", "record-1", ({}, {}, ARCHIVED))),
    (True, question("alice", "write", "record-2", ({}, {}, {"status": "active"}))),
    (True, question("alice", "write", "record-1", (ADMIN, {}, ARCHIVED))),
    (True, question("alice", "write", "record-2", (ADMIN, {}, {}))),
    (False, question("bob", "write", "record-2", ({"role": "member"}, {}, {}))),
    (True, question("alice", "delete", "record-1", ({}, SOFT, {}))),
    (False, question("alice", "delete", "record-1", ({}, {"soft": False}, {}))),
    (False, question("bob", "delete", "record-1", (ADMIN, SOFT, {}))),
    # in the wrong place it is nothing
    (False, question("alice", "write", "record-2", ({}, ADMIN, ADMIN))),
    (True, question("alice", "write", "record-1", (ARCHIVED, ARCHIVED, {}))),
    (False, question("alice", "delete", "record-1", (SOFT, {}, SOFT))),
    # what is stored and not marked, nobody can say otherwise
    (False, question("bob", "delete", "record-1", ({"id": "alice"}, SOFT, {}))),
    (False, question("carol", "read", "record-1", ({"id": "alice", "role": "admin"}, {}, {}))),
    (False, question("alice", "write", "record-2", ({}, {}, {"id": "record-1"}))),
]


# one question


@pytest.mark.parametrize(("expected", "data"), DECISIONS)
def test_a_question_is_decided(
    service: Installation, data: dict[str, Any], *, expected: bool
) -> None:
    """The decision is 200 and a JSON boolean, by what is said before what is stored."""
    answer = service.ask(data)

    assert (200, "application/json") == (answer.status, answer.headers["content-type"])
    assert answer.data["decision"] is expected
    assert isinstance(answer.data.get("context", {}), dict)


@pytest.mark.parametrize(("expected", "data"), DECISIONS)
def test_what_no_rule_looks_at_is_ignored(
    service: Installation, data: dict[str, Any], *, expected: bool
) -> None:
    """Other properties, other members, a context, and the order of the members change nothing."""
    more = {
        part: {"more": 1, **value, "properties": {**EXTRA, **value.get("properties", {})}}
        for part, value in reversed(data.items())
    }
    more["context"] = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}
    answer = service.ask({"more": [], **more})

    assert answer.data["decision"] is expected


def test_what_is_said_holds_for_one_question(service: Installation) -> None:
    """The next question is about what is stored again."""
    writes = question("alice", "write", "record-1", (ADMIN, {}, ARCHIVED))
    archived = question("alice", "write", "record-2")
    answers = [service.ask(each).data["decision"] for each in (archived, writes, archived)]

    assert [False, True, False] == answers


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("subject.properties.role", ({"role": ["admin"]}, {}, {})),
        ("action.properties.soft", ({}, {"soft": "true"}, {})),
        ("resource.properties.status", ({}, {}, {"status": 1})),
    ],
)
def test_a_property_of_another_type_is_a_bad_request(
    service: Installation, where: str, said: tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
) -> None:
    """What a rule could look at must be what it expects."""
    answer = service.ask(question("alice", "read", "record-1", said))

    assert (400, where) == (answer.status, read_error(answer)["where"])


@pytest.mark.parametrize("said", [{"role": None}, {}])
def test_a_null_is_as_if_it_were_not_said(service: Installation, said: dict[str, Any]) -> None:
    """What is stored counts then."""
    answer = service.ask(question("bob", "write", "record-2", (said, {}, {"status": None})))

    assert {"decision": True} == answer.data


def test_the_same_question_has_the_same_answer(service: Installation) -> None:
    """Asked three times it is answered alike, to the byte."""
    assert 1 == len({service.ask(BOB_WRITES).text for _ in range(3)})


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (BODY, "text/plain"),
        (BODY, "application/merge-patch+json"),
        (b"", "application/json"),
        (b'{ "subject": { "type": "user"', "application/json"),
        (b"[]", "application/json"),
        (b'"text"', "application/json"),
        (b"null", "application/json"),
        (b"{}", "application/json"),
        (BODY.replace(b'"alice"', b"1"), "application/json"),
        (BODY.replace(b'"id"', b'"di"'), "application/json"),
        (BODY.replace(b'{"name": "read"}', b'"read"'), "application/json"),
    ],
)
def test_what_is_no_question_is_a_bad_request(
    service: Installation, body: bytes, content_type: str
) -> None:
    """Another type, no JSON, no object, and members that are missing or wrong are 400."""
    answer = service.call("POST", EVALUATION, body, {"Content-Type": content_type})

    assert 400 == answer.status
    read_error(answer)


def test_a_content_type_may_have_parameters(service: Installation) -> None:
    """A charset changes nothing."""
    content_type = {"Content-Type": "application/json; charset=utf-8"}

    assert {"decision": True} == service.call("POST", EVALUATION, BODY, content_type).data


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS])
def test_questions_are_posted(service: Installation, method: str, path: str) -> None:
    """Any other method is 405."""
    assert 405 == service.call(method, path, BODY).status


@pytest.mark.parametrize(("expected", "body"), [(200, BODY), (400, b"[]")])
def test_the_id_of_a_request_comes_back(service: Installation, expected: int, body: bytes) -> None:
    """`X-Request-ID` is echoed, with an answer and with an error."""
    answer = service.call("POST", EVALUATION, body, {"X-Request-ID": "bfe9eb29-ab87"})

    assert (expected, "bfe9eb29-ab87") == (answer.status, answer.headers["x-request-id"])


# several questions


def test_a_batch_is_decided_in_its_order(service: Installation) -> None:
    """All questions above together get the answers that each gets alone."""
    answer = service.ask({"evaluations": [data for _, data in DECISIONS]}, EVALUATIONS)

    assert [expected for expected, _ in DECISIONS] == read_decisions(answer)


@pytest.mark.parametrize(
    ("expected", "record"),
    [
        (False, None),
        (False, {"type": "record", "id": "record-1", "properties": ARCHIVED}),
        (True, {"type": "record", "id": "record-1"}),
        (True, {"type": "record", "id": "record-2", "properties": {"status": "active"}}),
        (False, {"id": "record-1"}),
        (False, {"type": "record", "properties": {"status": "active"}}),
    ],
)
def test_an_item_takes_a_default_whole_or_not_at_all(
    service: Installation, record: dict[str, Any] | None, *, expected: bool
) -> None:
    """Neither the id nor the properties of a default mix with those of an item."""
    default = question("alice", "write", "record-1", ({}, {}, ARCHIVED))
    item = {"resource": record} if record else {}
    answer = service.ask({**default, "evaluations": [item]}, EVALUATIONS)

    assert [expected] == read_decisions(answer)


@pytest.mark.parametrize(
    ("expected", "semantic"),
    [
        ([True, False, True, False], "execute_all"),
        ([True, False], "deny_on_first_deny"),
        ([True], "permit_on_first_permit"),
    ],
)
def test_a_batch_ends_where_it_is_decided(
    service: Installation, expected: list[bool], semantic: str
) -> None:
    """The list ends with the item that decides; an item that is not complete is a denial."""
    actions = ["read", "write", "read", None]
    items = [{"action": {"name": each} if each else {}} for each in actions]
    data = {**BOB_WRITES, "evaluations": items, "options": {"evaluations_semantic": semantic}}

    assert expected == read_decisions(service.ask(data, EVALUATIONS))


@pytest.mark.parametrize("more", [{}, {"evaluations": []}])
def test_a_batch_without_items_is_a_question(service: Installation, more: dict[str, Any]) -> None:
    """It is answered as one, without a list."""
    assert {"decision": True} == service.ask({**ALICE_READS, **more}, EVALUATIONS).data


@pytest.mark.parametrize(
    "more",
    [
        {"evaluations": {}},
        {"evaluations": [1]},
        {"evaluations": [{}], "options": []},
        {"evaluations": [{}], "options": {"evaluations_semantic": "none"}},
    ],
)
def test_what_is_no_batch_is_a_bad_request(service: Installation, more: dict[str, Any]) -> None:
    """A batch that is malformed as a whole is 400."""
    answer = service.ask({**ALICE_READS, **more}, EVALUATIONS)

    assert 400 == answer.status
    read_error(answer)


# metadata


def test_the_metadata_lead_to_the_endpoints(service: Installation) -> None:
    """Each endpoint that is listed answers where it says."""
    answer = service.call("GET", METADATA)
    urls = [url for name, url in answer.data.items() if name.startswith("access_")]

    assert service.url == answer.data["policy_decision_point"]
    assert [200, 200] == [service.ask(ALICE_READS, url[len(service.url) :]).status for url in urls]


# a client that others wrote


# searches


def test_pages_are_followed_to_the_end(service: Installation) -> None:
    """All that alice sees in lists, seven at a time; the tokens alone go on."""
    asked = {
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "view"},
        "resource": {"type": "record"},
    }
    pages, page = [], {"limit": 7}
    while True:
        answer = service.ask({**asked, "page": page}, "/access/v1/search/resource")
        pages.append([each["id"] for each in answer.data["results"]])
        page = {"token": answer.data["page"]["next_token"]}
        if not page["token"]:
            break

    assert [7, 7, 7] == [len(each) for each in pages]
    assert [*map(str, range(101, 121)), "record-1"] == [each for page in pages for each in page]


@pytest.fixture
def client(service: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vengtoo]:
    """A client as its own documentation makes it; no proxy stands between."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Vengtoo(api_key="key", base_url=service.url) as opened:
        yield opened


def test_another_ones_client_asks_a_question(client: Vengtoo) -> None:
    """It sends a key that nobody asks for, and understands the decision."""
    record = Resource("record", "record-1")

    assert client.check(Subject("user", "alice"), "read", record)
    assert not client.check(Subject("user", "bob"), "write", record)
    assert not client.check(Subject("user", "alice"), "read", Resource("record"))


def test_another_ones_client_says_more(client: Vengtoo) -> None:
    """What it says of subject, action and resource counts."""
    writes = EvaluationRequest(
        subject=Subject("user", "alice", properties={"role": "admin"}),
        resource=Resource("record", "record-1", properties={"status": "archived"}),
        action=Action("write"),
    )
    deletes = EvaluationRequest(
        subject=Subject("user", "alice"),
        resource=Resource("record", "record-1"),
        action=Action("delete", properties={"soft": False}),
        context={"ip": "192.168.1.1"},
    )

    assert [True, False] == [client.evaluate(each).decision for each in (writes, deletes)]


@pytest.mark.parametrize(
    ("expected", "semantic"),
    [([True, False, True], "execute_all"), ([True, False], "deny_on_first_deny")],
)
def test_another_ones_client_asks_several(
    client: Vengtoo, expected: list[bool], semantic: str
) -> None:
    """Its batch is answered item by item, and ends at the first denial when it says so."""
    answer = client.evaluate_batch(
        BatchEvaluationRequest(
            subject=Subject("user", "bob"),
            resource=Resource("record", "record-1"),
            evaluations=[BatchEvalItem(action=Action(each)) for each in ("read", "write", "read")],
            options=BatchOptions(semantic),
        )
    )

    assert expected == [each.decision for each in answer.evaluations]


def test_another_ones_client_knows_whom_it_asks(client: Vengtoo, service: Installation) -> None:
    """The metadata tell it that it asks the right service."""
    assert client.verify_policy_decision_point(service.url)
    assert not client.verify_policy_decision_point("https://pdp.example")


def test_another_ones_client_searches(client: Vengtoo) -> None:
    """It finds who reads a record, which records Bob writes, and what he may do to one."""
    alice, bob = Subject("user", "alice"), Subject("user", "bob")
    record = Resource("record", "record-2")
    users = SearchRequest(subject=Subject("user"), action=Action("read"), resource=record)
    records = SearchRequest(subject=bob, action=Action("write"), resource=Resource("record"))
    actions = SearchRequest(subject=bob, resource=record)

    assert [alice.to_dict(), bob.to_dict()] == client.search_subject(users).results
    assert [record.to_dict()] == client.search_resource(records).results
    assert [{"name": "read"}, {"name": "write"}] == client.search_action(actions).results
