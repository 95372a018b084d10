"""Entities over HTTP, one by one: read, put under conditions, removed, and refused."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import pytest
from entity_service import ABOUT_ANN, ANN, MARY, NOW, open_service
from portal_service import JSON, read_error

from authz_service.store.writer import find_changes, find_revision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entity_service import EntityService

GRANT: Final = "/v1/entities/membership/123456789/ann"


@pytest.fixture
def service(url: str) -> Iterator[EntityService]:
    """The company of Smith."""
    with open_service(url) as service:
        yield service


def test_an_entity_is_read_with_its_revision(service: EntityService) -> None:
    """All attributes, and the revision as ETag as well."""
    answer = service.call("GET", MARY)

    assert 200 == answer.status
    assert ["type", "id", "attributes", "revision"] == list(answer.data)
    assert ("person", "mary") == (answer.data["type"], answer.data["id"])
    assert ["name", "email", "mobile", "language"] == list(answer.data["attributes"])
    assert f'"{answer.data["revision"]}"' == answer.headers["etag"]


def test_what_the_client_has_is_not_sent_again(service: EntityService) -> None:
    """Whoever names the revision gets 304 and no body."""
    tag = service.call("GET", MARY).headers["etag"]
    answer = service.call("GET", MARY, headers={"If-None-Match": tag})

    assert (304, "") == (answer.status, answer.text)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/entities/person/nobody", "unknown_entity"),
        ("/v1/entities/person/mary/", "unknown_entity"),
        ("/v1/entities/person//mary", "unknown_entity"),
        ("/v1/entities/person/a%00b", "unknown_entity"),
        ("/v1/entities/persn/mary", "unknown_type"),
        ("/v1/entities/authz_key/1", "unknown_type"),
        ("/v1/entities/person/", "not_found"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_is_not_there_is_not_found(
    service: EntityService, method: str, path: str, code: str
) -> None:
    """404, whether it is the entity or the type that there is not."""
    answer = service.call(method, path)

    assert (404, code) == (answer.status, read_error(answer)["code"])


def test_a_new_entity_is_made(service: EntityService) -> None:
    """201, with defaults for what is not said, and its revision."""
    before = find_revision(service.store)
    answer = service.put(ANN, ABOUT_ANN)

    assert (201, f'"{before + 1}"') == (answer.status, answer.headers["etag"])
    assert {**ABOUT_ANN, "mobile": None, "language": "en"} == answer.data["attributes"]
    assert answer.data == service.read(ANN)


def test_an_entity_is_replaced_whole(service: EntityService) -> None:
    """What is not said again is not kept."""
    service.put(ANN, {**ABOUT_ANN, "mobile": "0470", "language": "nl"})
    answer = service.put(ANN, ABOUT_ANN)

    assert 200 == answer.status
    assert {**ABOUT_ANN, "mobile": None, "language": "en"} == service.read(ANN)["attributes"]


def test_what_was_read_can_be_put(service: EntityService) -> None:
    """Members of the answer that are not written are passed over."""
    body = service.call("GET", MARY).text.encode()

    assert 200 == service.call("PUT", MARY, body, content_type=JSON).status


def test_each_write_is_in_the_feed(service: EntityService) -> None:
    """With its reason, and the time of the service."""
    before = find_revision(service.store)
    service.put(ANN, ABOUT_ANN, X_Reason="caf\u00c3\u00a9")
    service.call("DELETE", ANN, headers={"X-Reason": "gone"})
    made, gone = find_changes(service.store, before, 10)

    assert (NOW, "café", "") == (made.at, made.cause.reason, made.cause.client)
    assert (made.after, None, "gone") == (gone.before, gone.after, gone.cause.reason)


def test_an_id_may_have_slashes(service: EntityService) -> None:
    """Written as they are, or encoded."""
    answers = [
        service.put(f"/v1/entities/operator/{path}", {"name": "A"}).status
        for path in ("a/b", "a%2Fb", "a%2fb%3F", "a/b?")
    ]

    assert [201, 200, 201, 200] == answers
    assert "a/b?" == service.read("/v1/entities/operator/a/b%3f")["id"]


def test_an_id_may_be_any_text(service: EntityService) -> None:
    """In UTF-8, percent-encoded."""
    service.put("/v1/entities/operator/%C3%A9%20%F0%9F%98%80", {"name": "A"})

    assert "é \U0001f600" == service.read("/v1/entities/operator/%C3%A9%20%F0%9F%98%80")["id"]


def test_a_path_must_be_utf8(service: EntityService) -> None:
    """Bytes that are none would be another id than was meant."""
    body = json.dumps({"attributes": {"name": "A"}})
    path = {"PATH_INFO": "/v1/entities/operator/\xff"}  # as a server hands on `%FF`
    client = service.app.test_client()
    response = client.put(data=body, content_type=JSON, environ_overrides=path)

    assert (400, "not_text") == (response.status_code, response.get_json()["error"]["code"])


@pytest.mark.parametrize(
    ("attributes", "where", "code"),
    [
        ({"name": "Ann"}, "id", "missing_attribute"),
        ({**ABOUT_ANN, "name": 5}, "attributes.name", "wrong_type"),
        ({**ABOUT_ANN, "name": None}, "attributes.name", "wrong_type"),
        ({**ABOUT_ANN, "name": ["Ann"]}, "attributes.name", "wrong_type"),
        ({**ABOUT_ANN, "name": "a\0b"}, "attributes.name", "wrong_type"),
        ({**ABOUT_ANN, "language": "de"}, "attributes.language", "unknown_value"),
        ({**ABOUT_ANN, "id": "x"}, "attributes.id", "unknown_attribute"),
        ({**ABOUT_ANN, "revision": 1}, "attributes.revision", "unknown_attribute"),
        ({**ABOUT_ANN, "subscriptions": []}, "attributes.subscriptions", "unknown_attribute"),
        ({**ABOUT_ANN, "name; DROP": ""}, "attributes.name; DROP", "unknown_attribute"),
        ([], "attributes", "invalid_request"),
        (None, "attributes", "invalid_request"),
    ],
)
def test_what_cannot_be_an_entity_is_refused(
    service: EntityService, attributes: Any, where: str, code: str
) -> None:
    """400, and the member that is wrong; nothing is written."""
    before = find_revision(service.store)
    answer = service.put(ANN, attributes)
    error = read_error(answer)

    assert (400, where, code) == (answer.status, error["where"], error["code"])
    assert before == find_revision(service.store)


def test_all_that_is_wrong_is_told(service: EntityService) -> None:
    """At once, in one message."""
    error = read_error(service.put(ANN, {"name": 1, "email": 2, "nme": 3}))

    assert all(f"`{name}`" in error["message"] for name in ("name", "email", "nme"))


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"\xff", b'{"attributes": {"name": "A", "name": "B"}}', b"[" * 100_000],
)
def test_a_body_must_be_strict_json(service: EntityService, body: bytes) -> None:
    """As everywhere."""
    assert 400 == service.call("PUT", ANN, body, content_type=JSON).status


def test_a_body_is_about_the_entity_of_the_url(service: EntityService) -> None:
    """One that names another is refused."""
    body = json.dumps({"id": "tom", "attributes": ABOUT_ANN}).encode()
    error = read_error(service.call("PUT", ANN, body, content_type=JSON))

    assert ("id", "wrong_entity") == (error["where"], error["code"])


@pytest.mark.parametrize(
    ("path", "attributes", "code"),
    [
        ("subscription/1", {"customer": "1", "kind": "tv"}, "dangling_reference"),
        (
            "membership/x",
            {"customer": "123456789", "person": "philip", "role": "user"},
            "wrong_id",
        ),
        (
            "application/123456789/bills",
            {"customer": "123456789", "name": "other"},
            "wrong_id",
        ),
    ],
)
def test_an_entity_must_agree_with_others(
    service: EntityService, path: str, attributes: Any, code: str
) -> None:
    """409: it could be right in another state of the store."""
    answer = service.put(f"/v1/entities/{path}", attributes)

    assert (409, code) == (answer.status, read_error(answer)["code"])


def test_a_promise_holds_on_this_way_in(service: EntityService) -> None:
    """A second access owner is refused with the code of the promise."""
    service.put(ANN, ABOUT_ANN)
    role = {"customer": "123456789", "role": "access_owner"}
    first = service.put("/v1/entities/membership/123456789/mary", {**role, "person": "mary"})
    second = service.put(GRANT, {**role, "person": "ann"})

    assert (200, 409) == (first.status, second.status)
    assert "access_owner_taken" == read_error(second)["code"]


def test_the_kind_of_a_customer_may_change(service: EntityService) -> None:
    """Unless a promise would not hold for it as it would be then."""
    path = "/v1/entities/customer/123456789"
    name = {"name": "Smith ltd"}
    service.put("/v1/entities/membership/123456789/mary", role_of("mary", "administrator"))
    refused = service.put(path, {**name, "kind": "residential"})
    service.put("/v1/entities/membership/123456789/mary", role_of("mary", "user"))

    assert "residential_single_administrator" == read_error(refused)["code"]
    assert 200 == service.put(path, {**name, "kind": "residential"}).status


def role_of(person: str, role: str) -> dict[str, str]:
    """Write what a membership holds."""
    return {"customer": "123456789", "person": person, "role": role}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (MARY, {"If-Match": '"999999"'}, 412),
        (MARY, {"If-Match": "*"}, 200),
        (MARY, {"If-None-Match": "*"}, 412),
        (ANN, {"If-Match": "*"}, 412),
        (ANN, {"If-Match": '"0"'}, 412),
        (ANN, {"If-None-Match": "*"}, 201),
        (MARY, {"If-Match": ","}, 400),
        (MARY, {"If-Match": ""}, 400),
        (MARY, {"If-None-Match": ""}, 400),
    ],
)
def test_a_condition_must_hold(
    service: EntityService, path: str, headers: dict[str, str], status: int
) -> None:
    """And be one: what cannot be read is no leave to write."""
    body = json.dumps({"attributes": ABOUT_ANN}).encode()
    before = find_revision(service.store)

    assert status == service.call("PUT", path, body, headers, JSON).status
    assert (status < 300) == (find_revision(service.store) > before)


def test_a_weak_tag_is_no_match(service: EntityService) -> None:
    """A write wants to know exactly what it replaces."""
    tag = service.call("GET", MARY).headers["etag"]

    assert 412 == service.put(MARY, ABOUT_ANN, If_Match=f"W/{tag}").status
    assert 200 == service.put(MARY, ABOUT_ANN, If_Match=f'"x", {tag}').status


def test_of_many_that_replace_one_revision_one_wins(service: EntityService) -> None:
    """The others are told that it is another one by now."""
    tag = service.call("GET", MARY).headers["etag"]

    def put(number: int) -> int:
        try:
            return service.put(MARY, {**ABOUT_ANN, "name": f"Mary {number}"}, If_Match=tag).status
        finally:
            service.store.close()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(put, range(24)))

    assert [200, *[412] * 23] == sorted(found)


def test_an_entity_is_removed(service: EntityService) -> None:
    """204, and it is not there any more."""
    service.put(ANN, ABOUT_ANN)
    answer = service.call("DELETE", ANN)

    assert (204, "") == (answer.status, answer.text)
    assert 404 == service.call("GET", ANN).status


def test_an_entity_is_removed_on_a_condition(service: EntityService) -> None:
    """Of another revision it stays."""
    tag = service.put(ANN, ABOUT_ANN).headers["etag"]

    assert 412 == service.call("DELETE", ANN, headers={"If-Match": '"1"'}).status
    assert 204 == service.call("DELETE", ANN, headers={"If-Match": tag}).status


def test_what_others_refer_to_stays(service: EntityService) -> None:
    """The answer lists what stands in the way."""
    answer = service.call("DELETE", MARY)
    error = answer.data["error"]

    assert (409, "referred_to") == (answer.status, error["code"])
    assert 2 == error["count"]
    assert error["referred_to_by"] == [
        {"type": "membership", "id": "123456789/mary"},
        {"type": "subscription", "id": "0470000001"},
    ]
    assert 200 == service.call("GET", MARY).status


def test_at_most_twenty_are_listed(service: EntityService) -> None:
    """And all are counted."""
    for number in range(30):
        attributes = {"customer": "123456789", "kind": "tv"}
        service.put(f"/v1/entities/subscription/s{number}", attributes)
    error = service.call("DELETE", "/v1/entities/customer/123456789").data["error"]

    assert 20 == len(error["referred_to_by"])
    assert error["count"] > 30
    assert f"and {error['count'] - 20} more" in error["message"]


def test_a_reference_in_a_list_counts(service: EntityService) -> None:
    """An application that a request names stays; the request can go."""
    service.put(
        "/v1/entities/application/123456789/bills", {"customer": "123456789", "name": "bills"}
    )
    asked = {"customer": "123456789", "person": "mary", "kind": "fixed", "status": "submitted"}
    path = "/v1/entities/delegate_request/r1"
    service.put(path, {**asked, "applications": ["123456789/bills"]})
    error = service.call("DELETE", "/v1/entities/application/123456789/bills").data["error"]

    assert [{"type": "delegate_request", "id": "r1"}] == error["referred_to_by"]
    assert ["123456789/bills"] == service.read(path)["attributes"]["applications"]
    assert [204, 204] == [
        service.call("DELETE", each).status
        for each in (path, "/v1/entities/application/123456789/bills")
    ]


@pytest.mark.parametrize("reason", ["x" * 1_001, "\xff"])
def test_a_reason_is_short_text(service: EntityService, reason: str) -> None:
    """Anything else is refused, and nothing is written."""
    answer = service.put(ANN, ABOUT_ANN, X_Reason=reason)

    assert (400, "X-Reason") == (answer.status, read_error(answer)["where"])
    assert 404 == service.call("GET", ANN).status


def test_an_id_is_not_too_long(service: EntityService) -> None:
    """An index of the database holds it."""
    longest = service.put(f"/v1/entities/operator/{'%C3%A9' * 500}", {"name": "A"})
    longer = service.put(f"/v1/entities/operator/{'a' * 1_001}", {"name": "A"})

    assert (201, 400) == (longest.status, longer.status)
    assert "id_too_long" == read_error(longer)["code"]
