"""A question may name a revision: it is answered from a state at least that new, or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from entity_service import open_service
from portal_service import (
    EVALUATION,
    EVALUATIONS,
    JSON,
    MARY_SEES_USAGE,
    POLICIES,
    SMITH,
    open_client,
    read_error,
    send,
)

from authz_service.cli.main import main
from authz_service.store.writer import find_revision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entity_service import EntityService
    from portal_service import Answer

SEARCH = "/access/v1/search/resource"
MEMBER = "/v1/entities/membership/123456789/thomas"


@pytest.fixture
def service(url: str) -> Iterator[EntityService]:
    """The company of Smith."""
    with open_service(url) as service:
        yield service


def ask(service: EntityService, path: str, revision: Any, **members: Any) -> Answer:
    """Ask with a revision in the context of the top level."""
    data = {**MARY_SEES_USAGE, "context": {"channel": "web", "min_revision": revision}, **members}
    return service.call("POST", path, json.dumps(data).encode(), content_type=JSON)


@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS, SEARCH])
def test_what_is_reached_is_answered(service: EntityService, path: str) -> None:
    """As without it."""
    revision = find_revision(service.store)

    assert 200 == ask(service, path, revision).status
    assert 200 == ask(service, path, 0).status
    assert ask(service, path, None).data == ask(service, path, revision).data


@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS, SEARCH])
def test_what_is_not_reached_is_refused(service: EntityService, path: str) -> None:
    """With the revision that is; once it is reached, it is answered."""
    revision = find_revision(service.store)
    error = read_error(answer := ask(service, path, revision + 1))
    service.put("/v1/entities/operator/olga", {"name": "Olga"})

    assert (409, "revision_not_reached") == (answer.status, error["code"])
    assert "context.min_revision" == error["where"]
    assert f"revision {revision} only" in error["message"]
    assert 200 == ask(service, path, revision + 1).status


def test_a_write_is_seen_by_who_names_its_revision(service: EntityService) -> None:
    """Thomas is made administrator, and sees the usage of Mary."""
    question = {"subject": {"type": "person", "id": "thomas"}}
    role = {"customer": "123456789", "person": "thomas", "role": "administrator"}
    before = ask(service, EVALUATION, 0, **question).data["decision"]
    revision = service.put(MEMBER, role).data["revision"]

    assert (False, True) == (
        before,
        ask(service, EVALUATION, revision, **question).data["decision"],
    )


@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS, SEARCH])
@pytest.mark.parametrize("revision", [-1, 1.0, "1", True, [1], {}])
def test_a_revision_is_a_whole_number(service: EntityService, path: str, revision: Any) -> None:
    """Anything else is refused, and not passed over."""
    answer = ask(service, path, revision)

    assert (400, "context.min_revision") == (answer.status, read_error(answer)["where"])


def test_an_item_that_is_too_new_is_answered_in_its_place(service: EntityService) -> None:
    """As one that is not complete; one with a context of its own does not inherit."""
    items: list[Any] = [{}, {"context": {"channel": "web"}}, {"context": {"min_revision": 1}}]
    answer = ask(service, EVALUATIONS, 999_999, evaluations=items)
    first, second, third = answer.data["evaluations"]

    assert 200 == answer.status
    assert (False, "revision_not_reached") == (first["decision"], first["context"]["error"]["code"])
    assert [True, True] == [second["decision"], third["decision"]]


@pytest.mark.parametrize("semantic", ["deny_on_first_deny", "permit_on_first_permit"])
def test_a_batch_that_stops_counts_it_as_a_denial(service: EntityService, semantic: str) -> None:
    """A denial ends the one, and does not end the other."""
    items: list[Any] = [{}, {"context": {}}, {"context": {}}]
    options = {"evaluations_semantic": semantic}
    answer = ask(service, EVALUATIONS, 999_999, evaluations=items, options=options)
    found = [each["decision"] for each in answer.data["evaluations"]]

    assert ([False] if semantic == "deny_on_first_deny" else [False, True]) == found


@pytest.mark.parametrize("context", [b'{"min_revision":9}', b'{"min\\u005frevision":9}'])
def test_no_door_overlooks_it(context: bytes) -> None:
    """Neither of the two, however it is spelt."""
    body = json.dumps(MARY_SEES_USAGE).encode()[:-1] + b',"context":' + context + b"}"
    for door in ("flask", "lean"):
        with open_client(door=door) as client:
            assert 200 == send(client, EVALUATION, body).status
            assert 409 == send(client, EVALUATION, body.replace(b":9", b":99")).status


def test_the_command_takes_a_revision() -> None:
    """And ends with 2 where it is not reached."""
    options = ["--fixture", str(SMITH), "--policies", str(POLICIES), "--min-revision"]
    question = ["check", "person/mary", "view_usage", "subscription/0470000001"]
    reached = CliRunner().invoke(main, [*question, *options, "1"])
    not_reached = CliRunner().invoke(main, [*question, *options, "1000"])

    assert (0, "allow\n") == (reached.exit_code, reached.output)
    assert 2 == not_reached.exit_code
    assert "[revision_not_reached]" in not_reached.output
