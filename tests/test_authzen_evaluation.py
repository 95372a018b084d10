"""A single question, by section 6 of the AuthZEN Authorization API 1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from portal_service import (
    MARY_SEES_BILLS,
    MARY_SEES_USAGE,
    PHILIP_SEES_BILLS,
    THOMAS_SEES_MARYS_USAGE,
    WAYS,
    ask,
    open_client,
    question,
    read_reasons,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

QUESTIONS: Final = [
    pytest.param(MARY_SEES_USAGE, True, id="own-usage"),
    pytest.param(MARY_SEES_BILLS, False, id="own-bills"),
    pytest.param(THOMAS_SEES_MARYS_USAGE, False, id="usage-of-somebody-else"),
    pytest.param(PHILIP_SEES_BILLS, True, id="bills-for-the-administrator"),
]

ACCESS_TO_ONEDRIVE: Final = {
    "subject": {"type": "person", "id": "mary"},
    "action": {"name": "access"},
    "resource": {"type": "application", "id": "123456789/onedrive"},
    "context": {"channel": "app"},
}

DELEGATE_ACCESS_TO_PHOTOS: Final = {
    "subject": {"type": "person", "id": "mary"},
    "action": {
        "name": "request_delegate_access",
        "properties": {"applications": ["123456789/onedrive/photos"]},
    },
    "resource": {"type": "customer", "id": "123456789"},
    "context": {"channel": "web"},
}


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def client(request: pytest.FixtureRequest) -> Iterator[FlaskClient]:
    """A client of the service for the company of Smith, by each engine and door."""
    engine, door = request.param
    with open_client(engine=engine, door=door) as opened:
        yield opened


@pytest.mark.parametrize(("data", "expected"), QUESTIONS)
def test_the_decision_is_a_boolean(
    client: FlaskClient, data: dict[str, Any], *, expected: bool
) -> None:
    """The answer is 200 and has the decision, a JSON boolean, allow or deny."""
    answer = ask(client, data)

    assert (200, expected) == (answer.status, answer.data["decision"])


def test_a_deny_is_no_http_error(client: FlaskClient) -> None:
    """A deny is an answer like any other: 200, never 403."""
    answer = ask(client, MARY_SEES_BILLS)

    assert (200, "application/json") == (answer.status, answer.headers["content-type"])


def test_an_allow_says_no_more_than_that(client: FlaskClient) -> None:
    """An allow has no context, for nothing stands against it."""
    assert {"decision": True} == ask(client, MARY_SEES_USAGE).data


def test_a_deny_says_why(client: FlaskClient) -> None:
    """The context of a deny is an object that holds the reasons, each with code and message."""
    expected = {
        "decision": False,
        "context": {"reasons": [{"code": "not_permitted", "message": "no rule permits this"}]},
    }

    assert expected == ask(client, MARY_SEES_BILLS).data


def test_a_deny_gives_every_reason(client: FlaskClient) -> None:
    """Everything that stands against a request is told, sorted by code."""
    reasons = read_reasons(ask(client, ACCESS_TO_ONEDRIVE).data)

    assert ["not_offered_on_channel", "not_permitted"] == reasons


@pytest.mark.parametrize(("data", "expected"), QUESTIONS)
@pytest.mark.parametrize("context", [{}, None], ids=["empty", "null"])
def test_context_is_optional(
    client: FlaskClient, data: dict[str, Any], context: object, *, expected: bool
) -> None:
    """No context, an empty one and null are the same."""
    answers = [ask(client, each).data for each in (data, {**data, "context": context})]

    assert [expected, expected] == [answer["decision"] for answer in answers]


@pytest.mark.parametrize(("data", "expected"), QUESTIONS)
def test_context_that_no_policy_asks_for_is_ignored(
    client: FlaskClient, data: dict[str, Any], *, expected: bool
) -> None:
    """Time and address in the context change nothing."""
    context = {"time": "2026-01-05T09:00:00Z", "ip": "192.0.2.1"}

    assert expected == ask(client, {**data, "context": context}).data["decision"]


@pytest.mark.parametrize(("data", "expected"), QUESTIONS)
def test_other_properties_do_not_disturb(
    client: FlaskClient, data: dict[str, Any], *, expected: bool
) -> None:
    """Properties that mean nothing here, of any JSON value, are ignored everywhere."""
    extra = {"properties": {"a": [1, {"b": None}], "c": {"d": 2.5}, "e": None, "f": True}}
    asked = {part: {**value, **extra} for part, value in data.items()}

    assert expected == ask(client, asked).data["decision"]


@pytest.mark.parametrize(("data", "expected"), QUESTIONS)
def test_the_same_request_has_the_same_answer(
    client: FlaskClient, data: dict[str, Any], *, expected: bool
) -> None:
    """Asked three times, it is answered three times alike, to the byte."""
    answers = [ask(client, data) for _ in range(3)]

    assert [expected] * 3 == [answer.data["decision"] for answer in answers]
    assert 1 == len({answer.text for answer in answers})


@pytest.mark.parametrize(
    ("part", "properties"),
    [
        ("subject", {"role": "administrator"}),
        ("subject", {"memberships": [{"customer": "123456789", "role": "administrator"}]}),
        ("subject", {"id": "philip", "type": "operator"}),
        ("resource", {"holder": "thomas", "kind": "mobile"}),
        ("resource", {"customer": None}),
        ("resource", {"id": "0470000002", "type": "subscription"}),
    ],
)
def test_nobody_talks_their_way_in(
    client: FlaskClient, part: str, properties: dict[str, Any]
) -> None:
    """What the store knows of subject and resource counts, not what the caller says of them."""
    said = {**THOMAS_SEES_MARYS_USAGE[part], "properties": properties}
    answer = ask(client, {**THOMAS_SEES_MARYS_USAGE, part: said})

    assert ask(client, THOMAS_SEES_MARYS_USAGE).data == answer.data
    assert ["not_permitted"] == read_reasons(answer.data)


@pytest.mark.parametrize(
    ("part", "properties"),
    [
        ("subject", {"memberships": [], "role": "nobody"}),
        ("resource", {"holder": None, "kind": "internet", "customer": "987654321"}),
    ],
)
def test_nobody_is_talked_out(client: FlaskClient, part: str, properties: dict[str, Any]) -> None:
    """An allow stays one, whatever the caller says of subject and resource."""
    said = {**MARY_SEES_USAGE[part], "properties": properties}

    assert {"decision": True} == ask(client, {**MARY_SEES_USAGE, part: said}).data


@pytest.mark.parametrize(
    ("channel", "expected"), [("web", True), ("app", True), (None, True), ("fax", False)]
)
def test_the_channel_reaches_the_policies(
    client: FlaskClient, channel: str | None, *, expected: bool
) -> None:
    """What the policies ask of the context, they get."""
    asked = {**MARY_SEES_USAGE, "context": {"channel": channel}}

    assert expected == ask(client, asked).data["decision"]


def test_the_parameters_of_an_action_reach_the_policies(client: FlaskClient) -> None:
    """What the policies ask of the action, they get: asking for part of a product is a reason."""
    whole = {**DELEGATE_ACCESS_TO_PHOTOS, "action": {"name": "request_delegate_access"}}
    reasons = [read_reasons(ask(client, data).data) for data in (whole, DELEGATE_ACCESS_TO_PHOTOS)]

    assert [["no_access_owner"], ["no_access_owner", "partial_delegation"]] == reasons


@pytest.mark.parametrize(
    ("part", "value", "reason", "message"),
    [
        ("subject", {"type": "person", "id": "nobody"}, "unknown_subject", "no such subject"),
        ("subject", {"type": "person", "id": ""}, "unknown_subject", "no such subject"),
        ("subject", {"type": "persson", "id": "mary"}, "unknown_subject", "did you mean `person`?"),
        ("subject", {"type": "customer", "id": "123456789"}, "unknown_subject", "`customer` is no"),
        (
            "resource",
            {"type": "subscription", "id": "0479999999"},
            "unknown_resource",
            "no such resource",
        ),
        (
            "resource",
            {"type": "subscripton", "id": "0470000001"},
            "unknown_resource",
            "did you mean `subscription`?",
        ),
        ("resource", {"type": "person", "id": "mary"}, "unknown_resource", "`person` is no"),
        ("action", {"name": "view_usages"}, "unknown_action", "did you mean `view_usage`?"),
        ("action", {"name": "view"}, "unknown_action", "no action on a subscription"),
        ("action", {"name": ""}, "unknown_action", "no action on a subscription"),
    ],
)
def test_what_is_not_known_is_denied(
    client: FlaskClient, part: str, value: dict[str, str], reason: str, message: str
) -> None:
    """An unknown subject, resource or action is a deny with a reason of its own, and a hint."""
    decision = ask(client, {**MARY_SEES_USAGE, part: value}).data

    assert [reason] == read_reasons(decision)
    assert message in decision["context"]["reasons"][0]["message"]


@pytest.mark.parametrize(
    "name",
    ["mary\x00", "x" * 100_000, "'; DROP TABLE person; --", "mary/../philip", "\u202eyram", "🙂"],
    ids=["nul", "long", "sql", "path", "right-to-left", "emoji"],
)
def test_an_odd_name_is_a_stranger(client: FlaskClient, name: str) -> None:
    """Whatever text an id is, it is compared and nothing else."""
    decision = ask(client, question(name, "view_usage", "0470000001")).data

    assert ["unknown_subject"] == read_reasons(decision)
