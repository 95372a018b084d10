"""The service for the company of Smith: built in this process, asked as callers ask it."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reference import ENGINES, require_reference

from authz_service import assembly, storage
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.web.app import create_app
from authz_service.web.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

ROOT: Final = Path(__file__).parent.parent
POLICIES: Final = ROOT / "policies"
SMITH: Final = ROOT / "fixtures" / "smith.yaml"

EVALUATION: Final = "/access/v1/evaluation"
EVALUATIONS: Final = "/access/v1/evaluations"
METADATA: Final = "/.well-known/authzen-configuration"
JSON: Final = "application/json"

# Who decides, and the door at which questions come in: Flask's own, or the one in front of it.
WAYS: Final = (*((engine, "flask") for engine in ENGINES), ("compiled", "lean"))


def question(person: str, action: str, subscription: str) -> dict[str, Any]:
    """Put a question together: may the person do this to the subscription?"""
    return {
        "subject": {"type": "person", "id": person},
        "action": {"name": action},
        "resource": {"type": "subscription", "id": subscription},
    }


# Mary and Thomas each see the usage of the mobile that they hold; Philip, the administrator, sees
# the bills as well.
MARY_SEES_USAGE: Final = question("mary", "view_usage", "0470000001")
MARY_SEES_BILLS: Final = question("mary", "view_bills", "0470000001")
THOMAS_SEES_MARYS_USAGE: Final = question("thomas", "view_usage", "0470000001")
PHILIP_SEES_BILLS: Final = question("philip", "view_bills", "internet-1")


@dataclass(frozen=True)
class Answer:
    """What came back.

    Arguments:
        status: the HTTP status.
        headers: by their names in lower case.
        text: the body.
    """

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def data(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.text)


@contextmanager
def open_service(
    fixture: Path = SMITH, clock: Callable[[], datetime] = storage.tell_time, **changes: Any
) -> Iterator[assembly.Service]:
    """Build the service over a fixture in memory, with changes to the settings."""
    if changes.get("engine", "compiled") != "compiled":
        require_reference()
    settings = Settings(**{"policies": POLICIES, **changes})
    engine = assembly.build_engine(settings, DOMAIN)
    store = storage.build_fixture_store(fixture, DOMAIN)
    try:
        yield assembly.put_together(settings, DOMAIN, engine, store, clock)
    finally:
        store.close()


@contextmanager
def open_app(
    fixture: Path = SMITH,
    clock: Callable[[], datetime] = storage.tell_time,
    door: str = "flask",
    **changes: Any,
) -> Iterator[Flask]:
    """Build the application over such a service."""
    with open_service(fixture, clock, **changes) as service:
        yield create_app(service, Patience(1, 10) if door == "lean" else None)


@contextmanager
def open_client(fixture: Path = SMITH, **changes: Any) -> Iterator[FlaskClient]:
    """Open a client of such an application."""
    with open_app(fixture, **changes) as app:
        yield app.test_client()


def send(
    client: FlaskClient,
    path: str,
    body: bytes,
    content_type: str | None = JSON,
    headers: Iterable[tuple[str, str]] = (),
) -> Answer:
    """Post anything."""
    return _read_answer(
        client.post(path, data=body, content_type=content_type, headers=list(headers))
    )


def call(
    client: FlaskClient, method: str, path: str, headers: Iterable[tuple[str, str]] = ()
) -> Answer:
    """Call with any method, without a body."""
    return _read_answer(client.open(path, method=method, headers=list(headers)))


def ask(client: FlaskClient, data: Any, path: str = EVALUATION) -> Answer:
    """Ask a question, or a batch of them, as JSON."""
    return send(client, path, json.dumps(data).encode())


def read_error(answer: Answer) -> dict[str, str]:
    """Hold an answer to the one shape that all errors have, and read the error."""
    assert JSON == answer.headers["content-type"], answer
    assert ["error"] == list(answer.data), answer
    error = answer.data["error"]
    assert ["code", "message", "where"] == list(error), answer
    assert all(isinstance(value, str) and value for value in error.values()), answer
    assert re.fullmatch("[a-z_]+", error["code"]), answer
    return dict(error)


def read_decisions(answer: Answer) -> list[bool]:
    """Hold an answer to the shape of a batch that was answered, and read the decisions."""
    assert 200 == answer.status, answer
    assert ["evaluations"] == list(answer.data), answer
    decisions = [item["decision"] for item in answer.data["evaluations"]]
    assert all(isinstance(decision, bool) for decision in decisions), answer
    return decisions


def read_reasons(decision: dict[str, Any]) -> list[str]:
    """Hold a denial to its shape, and read the codes of its reasons."""
    assert ["decision", "context"] == list(decision), decision
    assert decision["decision"] is False, decision
    assert ["reasons"] == list(decision["context"]), decision
    reasons = decision["context"]["reasons"]
    assert all(["code", "message"] == list(reason) for reason in reasons), decision
    assert all(reason["message"] for reason in reasons), decision
    return [reason["code"] for reason in reasons]


def _read_answer(response: TestResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, response.get_data(as_text=True))
