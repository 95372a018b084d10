"""The endpoints over HTTP: what they take, what they refuse, and what every answer carries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from portal_service import (
    EVALUATION,
    EVALUATIONS,
    JSON,
    MARY_SEES_BILLS,
    MARY_SEES_USAGE,
    METADATA,
    POLICIES,
    WAYS,
    ask,
    call,
    open_client,
    read_error,
    send,
)
from reference import ENGINES

from authz_service import assembly
from authz_service.policy.source import load_policies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

BODY: Final = json.dumps(MARY_SEES_USAGE).encode()
HEALTH: Final = "/health"

on_each_endpoint: Final = pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS])


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def client(request: pytest.FixtureRequest) -> Iterator[FlaskClient]:
    """A client of the service for the company of Smith, by each engine and door."""
    engine, door = request.param
    with open_client(engine=engine, door=door) as opened:
        yield opened


def leave_out(member: str) -> dict[str, Any]:
    """Put a question together that lacks one member, as in `subject.id`."""
    part, _, name = member.partition(".")
    if not name:
        return {key: value for key, value in MARY_SEES_USAGE.items() if key != part}
    kept = {key: value for key, value in MARY_SEES_USAGE[part].items() if key != name}
    return {**MARY_SEES_USAGE, part: kept}


@on_each_endpoint
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
    ],
)
def test_json_is_answered_with_json(client: FlaskClient, path: str, content_type: str) -> None:
    """A valid body is answered 200 with a JSON object, whatever parameters its type has."""
    answer = send(client, path, BODY, content_type)

    assert (200, JSON) == (answer.status, answer.headers["content-type"])
    assert {"decision": True} == answer.data


@on_each_endpoint
@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/xml",
        "application/merge-patch+json",
        "application/jsonx",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "json",
    ],
)
def test_another_content_type_is_refused(
    client: FlaskClient, path: str, content_type: str | None
) -> None:
    """Any other content type, and none at all, is 400."""
    answer = send(client, path, BODY, content_type)

    assert (400, "wrong_content_type") == (answer.status, read_error(answer)["code"])


@on_each_endpoint
@pytest.mark.parametrize("body", [b"{", b"mary", b"subject=mary", b"<a/>", b"\xff\xfe", b"\x00"])
def test_a_body_that_is_not_json_is_refused(client: FlaskClient, path: str, body: bytes) -> None:
    """What is not JSON is 400."""
    answer = send(client, path, body)

    assert (400, "invalid_json") == (answer.status, read_error(answer)["code"])


@on_each_endpoint
def test_an_empty_body_is_refused(client: FlaskClient, path: str) -> None:
    """Nothing at all is 400."""
    answer = send(client, path, b"")

    assert (400, "invalid_json") == (answer.status, read_error(answer)["code"])


@on_each_endpoint
@pytest.mark.parametrize("body", [b"[]", b'"mary"', b"3", b"null", b"true"])
def test_a_body_that_is_no_object_is_refused(client: FlaskClient, path: str, body: bytes) -> None:
    """An array, a text, a number and null at the top are 400."""
    answer = send(client, path, body)

    assert (400, "invalid_request") == (answer.status, read_error(answer)["code"])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", EVALUATION, "POST"),
        ("PUT", EVALUATION, "POST"),
        ("PATCH", EVALUATION, "POST"),
        ("DELETE", EVALUATION, "POST"),
        ("GET", EVALUATIONS, "POST"),
        ("PUT", EVALUATIONS, "POST"),
        ("POST", METADATA, "GET"),
        ("POST", HEALTH, "GET"),
        ("BREW", HEALTH, "GET"),
    ],
)
def test_another_method_is_refused(
    client: FlaskClient, method: str, path: str, allowed: str
) -> None:
    """A method that an endpoint does not have is 405, and `Allow` says which it has."""
    answer = call(client, method, path)

    assert (405, "method_not_allowed") == (answer.status, read_error(answer)["code"])
    assert allowed in answer.headers["allow"].split(", ")


@on_each_endpoint
@pytest.mark.parametrize(
    "member",
    [
        "subject",
        "subject.type",
        "subject.id",
        "action",
        "action.name",
        "resource",
        "resource.type",
        "resource.id",
    ],
)
def test_a_missing_member_is_refused(client: FlaskClient, path: str, member: str) -> None:
    """A required member that is not there is 400, and the error names it."""
    answer = ask(client, leave_out(member), path)
    error = read_error(answer)

    assert (400, "invalid_request", member) == (answer.status, error["code"], error["where"])
    assert f"`{member}` is missing" == error["message"]


@on_each_endpoint
@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"subject": "mary"}, "subject"),
        ({"subject": ["mary"]}, "subject"),
        ({"subject": {"type": "person", "id": 7}}, "subject.id"),
        ({"subject": {"type": True, "id": "mary"}}, "subject.type"),
        ({"subject": {"type": "person", "id": "mary", "properties": []}}, "subject.properties"),
        ({"action": "view_usage"}, "action"),
        ({"action": {"name": 123}}, "action.name"),
        ({"action": {"name": {"a": 1}}}, "action.name"),
        ({"action": {"name": "view_usage", "properties": 3}}, "action.properties"),
        ({"resource": 3}, "resource"),
        ({"resource": {"type": [], "id": "0470000001"}}, "resource.type"),
        ({"resource": {"type": "subscription", "id": 1.5}}, "resource.id"),
        (
            {"resource": {"type": "subscription", "id": "a", "properties": "b"}},
            "resource.properties",
        ),
        ({"context": "web"}, "context"),
        ({"context": [1]}, "context"),
        ({"context": {"channel": 3}}, "context.channel"),
        ({"context": {"channel": ["web"]}}, "context.channel"),
    ],
)
def test_a_member_of_a_wrong_type_is_refused(
    client: FlaskClient, path: str, change: dict[str, Any], where: str
) -> None:
    """A member that is not of its type is 400, and the error names it."""
    answer = ask(client, {**MARY_SEES_USAGE, **change}, path)

    assert (400, where) == (answer.status, read_error(answer)["where"])


@on_each_endpoint
@pytest.mark.parametrize("member", ["subject", "action", "resource"])
def test_a_required_member_that_is_null_is_missing(
    client: FlaskClient, path: str, member: str
) -> None:
    """Null is no subject, no action and no resource."""
    answer = ask(client, {**MARY_SEES_USAGE, member: None}, path)

    assert (400, member) == (answer.status, read_error(answer)["where"])


@on_each_endpoint
def test_unknown_members_are_ignored(client: FlaskClient, path: str) -> None:
    """Members that AuthZEN does not have change nothing, at the top and inside each object."""
    extra = {"x": [1], "decision": False, "error": {"code": "none"}}
    data = {part: {**value, **extra} for part, value in MARY_SEES_USAGE.items()}

    assert {"decision": True} == ask(client, {**data, **extra}, path).data


@on_each_endpoint
@pytest.mark.parametrize("data", [MARY_SEES_USAGE, MARY_SEES_BILLS], ids=["allow", "deny"])
def test_the_order_of_members_means_nothing(
    client: FlaskClient, path: str, data: dict[str, Any]
) -> None:
    """The same members the other way round are the same question."""
    turned = {part: dict(reversed(data[part].items())) for part in reversed(data)}

    assert ask(client, data, path).text == ask(client, turned, path).text


@on_each_endpoint
@pytest.mark.parametrize(
    "body",
    [
        BODY[:-1] + b', "subject": {"type": "person", "id": "philip"}}',
        BODY.replace(b'"id": "mary"', b'"id": "mary", "id": "philip"'),
        BODY[:-1] + b', "x": "\\ud800"}',
        BODY[:-1] + b', "x": NaN}',
        BODY[:-1] + b', "x": [Infinity]}',
        BODY[:-1] + b', "x": -Infinity}',
        BODY[:-1] + b', "x": 1e400}',
        BODY[:-1] + b', "x": ' + b"7" * 5_000 + b"}",
        BODY[:-1] + b', "x": ' + b"[" * 1_000 + b"]" * 1_000 + b"}",
        b"[" * 1_000 + b"]" * 1_000,
        b'{"subject":' * 1_000 + b"1" + b"}" * 1_000,
        b"[" * 500_000,
    ],
    ids=[
        "duplicate-subject",
        "duplicate-id",
        "lone-surrogate",
        "nan",
        "infinity",
        "minus-infinity",
        "huge-number",
        "huge-integer",
        "deep-member",
        "deep-array",
        "deep-object",
        "unclosed",
    ],
)
def test_hostile_json_is_refused(client: FlaskClient, path: str, body: bytes) -> None:
    """JSON that confuses parsers, or exhausts them, is 400 however harmless it looks."""
    answer = send(client, path, body)

    assert (400, "invalid_json") == (answer.status, read_error(answer)["code"])


@on_each_endpoint
def test_a_body_over_the_limit_is_refused(client: FlaskClient, path: str) -> None:
    """Two megabytes are 413, whatever is in them."""
    answer = send(client, path, BODY + b" " * 2_000_000)

    assert (413, "request_entity_too_large") == (answer.status, read_error(answer)["code"])


@on_each_endpoint
def test_a_body_may_be_as_large_as_the_limit(path: str) -> None:
    """`max_body` bytes are read, and one more is not."""
    with open_client(max_body=1_024) as client:
        statuses = [send(client, path, BODY.ljust(size)).status for size in (1_024, 1_025)]

    assert [200, 413] == statuses


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (EVALUATION, MARY_SEES_USAGE),
        (EVALUATION, MARY_SEES_BILLS),
        (EVALUATIONS, {**MARY_SEES_USAGE, "evaluations": [{}]}),
    ],
    ids=["allow", "deny", "batch"],
)
def test_an_answer_says_which_policies_gave_it(
    client: FlaskClient, path: str, data: dict[str, Any]
) -> None:
    """`X-Policy-Digest` is the digest of the policies as they lie in their folder."""
    expected = load_policies(POLICIES).digest

    assert expected == ask(client, data, path).headers["x-policy-digest"]


@pytest.mark.parametrize("engine", ENGINES)
def test_health_says_what_is_serving(engine: str) -> None:
    """A healthy service says so, with its engine and policies, and nobody keeps the answer."""
    with open_client(engine=engine) as client:
        answer = call(client, "GET", HEALTH)
    digest = load_policies(POLICIES).digest

    assert (200, "no-store") == (answer.status, answer.headers["cache-control"])
    # where oso cannot be installed, that is said
    unheld = {} if assembly.has_reference() else {"reference": None}
    assert {"status": "ok", "engine": engine, "policy_digest": digest, **unheld} == answer.data
