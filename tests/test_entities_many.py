"""Many entities over HTTP: lines that are put aside, read to their end, and written all or none."""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING

import pytest
from entity_service import ABOUT_ANN, LINES, line, open_service
from installation import Installation, find_port, wait_until
from portal_service import POLICIES, SMITH, read_error

from authz_service.store.writer import find_changes, find_revision

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from entity_service import EntityService


@pytest.fixture
def service(url: str) -> Iterator[EntityService]:
    """The company of Smith, where little may be sent at once, and more as lines."""
    with open_service(url, max_body=1_024, max_import=100_000) as service:
        yield service


ANN = line("person", "ann", **ABOUT_ANN)


@pytest.mark.parametrize("content_type", [LINES, "application/x-ndjson", f"{LINES}; charset=utf-8"])
def test_lines_are_written(service: EntityService, content_type: str) -> None:
    """The answer says how many, and the revision of the last."""
    before = find_revision(service.store)
    role = {"customer": "123456789", "person": "ann", "role": "user"}
    grant = line("membership", "123456789/ann", **role)
    answer = service.post(ANN, grant, content_type=content_type)

    assert (200, {"written": 2, "revision": before + 2}) == (answer.status, answer.data)
    assert ["ann", "123456789/ann"] == [
        each.reference.id for each in find_changes(service.store, before, 10)
    ]


def test_more_may_be_sent_than_one_body_holds(service: EntityService) -> None:
    """The limit is one of its own."""
    lines = [line("person", f"p{number}", **ABOUT_ANN) for number in range(500)]

    assert 500 == service.post(*lines).data["written"]


def test_too_much_is_refused(service: EntityService) -> None:
    """413, and the setting is named."""
    answer = service.post(ANN, b"\n" * 100_000)

    assert 413 == answer.status
    assert "`max_import`" in read_error(answer)["message"]


def test_faults_are_told_with_their_lines(service: EntityService) -> None:
    """As a list for programs, and nothing is written."""
    before = find_revision(service.store)
    answer = service.post(ANN, b"{", line("person", "tom", name="Tom", email=3))
    error = answer.data["error"]

    assert (422, "body:2", "invalid_json") == (answer.status, error["where"], error["code"])
    assert [(2, "invalid_json"), (3, "wrong_type")] == [
        (each["line"], each["code"]) for each in error["faults"]
    ]
    assert before == find_revision(service.store)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_other_types_are_refused(service: EntityService, content_type: str) -> None:
    """A page of another site can send no lines without being asked first."""
    assert 400 == service.post(ANN, content_type=content_type).status


def test_nothing_is_written_for_nothing(service: EntityService) -> None:
    """No lines are no fault."""
    assert {"written": 0, "revision": find_revision(service.store)} == service.post(b"\n").data


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A service that runs."""
    folder: Path = tmp_path_factory.mktemp("installation")
    (folder / "fixtures").mkdir()
    (folder / "fixtures" / "smith.yaml").write_bytes(SMITH.read_bytes())
    installation = Installation(folder, find_port(), POLICIES)
    with installation.serve("--create"):
        yield installation


def test_lines_come_in_over_a_real_connection(installation: Installation) -> None:
    """As many as one likes."""
    lines = [line("operator", f"o{number}", name="O" * 100) for number in range(20_000)]
    body = b"\n".join(json.dumps(each).encode() for each in lines)
    answer = installation.call("POST", "/v1/entities", body, {"Content-Type": LINES})

    assert (200, 20_000) == (answer.status, answer.data["written"])


def test_a_body_without_a_length_is_refused(installation: Installation) -> None:
    """It would not show that it broke off."""
    body = [json.dumps(line("operator", "chunk", name="C")).encode()]
    answer = installation.call("POST", "/v1/entities", body, {"Content-Type": LINES})

    assert (411, "length_required") == (answer.status, read_error(answer)["code"])


@pytest.mark.parametrize("head", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_a_client_that_goes_half_way_writes_nothing(installation: Installation, head: str) -> None:
    """What came of its lines is forgotten, and the next is answered."""
    whole = json.dumps(line("operator", "half", name="H")).encode() + b"\n"
    if "chunked" in head:
        whole = b"%x\r\n%s\r\n" % (len(whole), whole)
    with socket.create_connection(("127.0.0.1", installation.port)) as client:
        start = f"POST /v1/entities HTTP/1.1\r\nHost: x\r\nContent-Type: {LINES}\r\n{head}\r\n\r\n"
        client.sendall(start.encode() + whole)
    wait_until(installation.answers)

    assert 404 == installation.call("GET", "/v1/entities/operator/half").status


def test_an_answer_has_its_headers_on_the_wire(installation: Installation) -> None:
    """The ETag, and no body where there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", installation.port)
    connection.request("HEAD", "/v1/entities/person/mary")
    response = connection.getresponse()
    found = response.read(), response.status, (response.getheader("ETag") or "")[:1]
    connection.close()

    assert (b"", 200, '"') == found
