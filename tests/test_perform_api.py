"""Performing over HTTP: the answer, the headers, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from portal_service import open_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

SMITH: Final = "123456789"


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    """A client of the service over the example company."""
    with open_client() as client:
        yield client


def body(who: str = "mary", name: str = "become_administrator", **members: Any) -> dict[str, Any]:
    """What somebody does on the number of the company, from the web."""
    return {
        "subject": {"type": "person", "id": who},
        "action": {"name": name},
        "resource": {"type": "customer", "id": SMITH},
        "context": {"channel": "web"},
        **members,
    }


def can_manage(client: FlaskClient, who: str) -> bool:
    """Ask whether somebody may manage the account."""
    answer = client.post("/access/v1/evaluation", json=body(who, "manage_account"))
    return bool(answer.get_json()["decision"])


def test_what_is_allowed_is_done(client: FlaskClient) -> None:
    """The next question is answered by what is so now."""
    before = can_manage(client, "mary")
    answer = client.post("/v1/perform", json=body())

    assert not before
    assert 200 == answer.status_code
    assert answer.get_json()["decision"] is True
    assert [f"{SMITH}/mary"] == [each["id"] for each in answer.get_json()["changes"]]
    assert can_manage(client, "mary")
    assert "X-Policy-Digest" in answer.headers


def test_what_is_denied_is_not(client: FlaskClient) -> None:
    """The answer has the reasons, as an evaluation has."""
    asked = client.post("/access/v1/evaluation", json=body("philip"))
    done = client.post("/v1/perform", json=body("philip"))

    assert 200 == done.status_code
    assert asked.get_json() == done.get_json()
    assert "not_permitted" == done.get_json()["context"]["reasons"][0]["code"]


def test_a_repeat_with_a_key_gets_the_same_bytes(client: FlaskClient) -> None:
    """The first answer, to the last byte; without the key it is a denial by now."""
    headers = {"Idempotency-Key": "4711"}
    first, again = (client.post("/v1/perform", json=body(), headers=headers) for _ in range(2))

    assert first.data == again.data
    assert client.post("/v1/perform", json=body()).get_json()["decision"] is False


def test_a_key_used_for_something_else_is_a_conflict(client: FlaskClient) -> None:
    """409, in the one shape of errors."""
    headers = {"Idempotency-Key": "4711"}
    client.post("/v1/perform", json=body(), headers=headers)
    answer = client.post("/v1/perform", json=body("thomas"), headers=headers)

    assert 409 == answer.status_code
    assert "key_reused" == answer.get_json()["error"]["code"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"action": {"name": "manage_account"}}, "not_performable"),
        ({"subject": "mary"}, "invalid_request"),
        ({"resource": {"type": "customer"}}, "invalid_request"),
        ({"context": {"channel": 1}}, "wrong_type"),
        (
            {"action": {"name": "register_access_owner", "properties": {"terms_accepted": "yes"}}},
            "wrong_type",
        ),
        (
            {"action": {"name": "request_delegate_access", "properties": {"kind": ["fixed"]}}},
            "wrong_type",
        ),
        ({"action": {"name": "step_down", "properties": {"token": 123456}}}, "wrong_type"),
    ],
)
def test_what_cannot_be_read_is_refused(
    client: FlaskClient, change: dict[str, Any], code: str
) -> None:
    """400, and nothing is done."""
    answer = client.post("/v1/perform", json=body(**change))

    assert 400 == answer.status_code
    assert code == answer.get_json()["error"]["code"]


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_only_post_performs(client: FlaskClient, method: str) -> None:
    """Nothing happens by looking."""
    answer = getattr(client, method)("/v1/perform")

    assert 405 == answer.status_code
    assert "POST" in answer.headers["Allow"]


def test_a_key_that_is_none_is_refused(client: FlaskClient) -> None:
    """It is too long to be one."""
    answer = client.post("/v1/perform", json=body(), headers={"Idempotency-Key": "x" * 300})

    assert (400, "invalid_key") == (answer.status_code, answer.get_json()["error"]["code"])
    assert not can_manage(client, "mary")
