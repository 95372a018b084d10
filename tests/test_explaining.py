"""Explanations on the command line and over HTTP, with the company of Smith."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from entity_service import NOW, open_service
from portal_service import JSON

from authz_service.cli.main import main
from authz_service.document import parse_time
from authz_service.policy.kept import pack_policies
from authz_service.policy.source import PolicyFile, build_policy_set, load_policies
from authz_service.store.policies import keep_policies
from authz_service.store.writer import find_revision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result
    from entity_service import EntityService

ROOT = Path(__file__).parent.parent
EXPLAIN = "/v1/explain"


@pytest.fixture
def service(url: str) -> Iterator[EntityService]:
    """The company of Smith."""
    with open_service(url) as service:
        yield service


def explain(*words: str, fixture: str = "smith") -> Result:
    """Run the command on a fixture."""
    paths = ["--fixture", str(ROOT / "fixtures" / f"{fixture}.yaml")]
    paths += ["--policies", str(ROOT / "policies")]
    return CliRunner().invoke(main, ["explain", *words, *paths])


def ask(service: EntityService, who: str, action: str, on: str, **context: Any) -> dict[str, Any]:
    """Ask for an explanation over HTTP."""
    subject, resource = (
        dict(zip(("type", "id"), each.split("/", 1), strict=True)) for each in (who, on)
    )
    body = {"subject": subject, "action": {"name": action}, "resource": resource}
    answer = service.call(
        "POST", EXPLAIN, json.dumps({**body, "context": context}).encode(), content_type=JSON
    )
    assert 200 == answer.status, answer
    found: dict[str, Any] = answer.data
    return found


@pytest.mark.parametrize(
    ("code", "who"), [(0, "person/philip"), (1, "person/mary"), (1, "person/nobody")]
)
def test_the_exit_code_is_that_of_a_check(code: int, who: str) -> None:
    """Also where the subject is unknown, of which nothing else is to be said."""
    result = explain(who, "view_bills", "subscription/0470000001")

    assert (code, ["allow", "deny"][code]) == (result.exit_code, result.stdout.splitlines()[0])


def test_what_is_no_action_is_told_as_by_a_check() -> None:
    """An unknown action has its reason, and no clauses."""
    result = explain("person/mary", "view_bill", "subscription/0470000001")

    assert (
        "deny\nperson/mary may not view_bill on subscription/0470000001: `view_bill` is no action"
        " on a subscription; did you mean `view_bills`?\n"
    ) == result.stdout


def test_forbids_stand_first() -> None:
    """With the rule, and with what would have to change for all of them."""
    result = explain(
        *("person/tim", "become_administrator", "customer/402915738", "--via", "app"),
        fixture="peeters",
    )
    titles = [line for line in result.stdout.splitlines()[2:] if line and not line.startswith(" ")]

    assert [
        "forbidden, not_offered_on_channel",
        "forbidden, residential_single_administrator",
        "permitted",
        "for another answer, one of these",
    ] == titles
    assert (
        "membership 402915738/greet would need role `delegate` or `user` and the request would have"
        " to come with channel `web`"
    ) in result.stdout


def test_json_is_what_http_gives(service: EntityService) -> None:
    """But for the places, which are named from where the policies were found."""
    printed = explain("person/mary", "view_bills", "subscription/0470000001", "--json")
    given = ask(service, "person/mary", "view_bills", "subscription/0470000001")

    assert given["explanation"]["missing"] == json.loads(printed.stdout)["explanation"]["missing"]
    assert given["decision"] is json.loads(printed.stdout)["decision"] is False


def test_an_allow_tells_the_rule_and_the_revision_of_what_it_saw(service: EntityService) -> None:
    """The clause that holds stands first, with the entity that it holds by."""
    found = ask(service, "person/philip", "view_bills", "subscription/0470000001")
    first = found["explanation"]["permitting"][0]

    assert first["holds"]
    assert {
        "entity": "membership/123456789/philip",
        "revision": 5,
        "attributes": {"customer": "123456789", "person": "philip", "role": "administrator"},
    } == first["evidence"][0]
    assert [] == found["explanation"]["missing"]


def test_a_new_entity_is_proposed_where_none_comes_near(service: EntityService) -> None:
    """With what it has to hold, and not with what it may choose."""
    service.put("/v1/entities/person/ann", {"name": "Ann", "email": "ann@smith.example"})
    found = ask(service, "person/ann", "view", "customer/123456789", channel="web")
    [missing] = found["explanation"]["missing"]

    assert {
        "deed": "add",
        "type": "membership",
        "id": "new 1",
        "attributes": {"person": {"one_of": ["ann"]}, "customer": {"one_of": ["123456789"]}},
    } == missing["facts"][0]
    assert "ann would need a membership on customer 123456789" == missing["sentence"]


def test_a_question_that_is_not_as_agreed_is_refused(service: EntityService) -> None:
    """As one that asks for the decision alone."""
    answer = service.call("POST", EXPLAIN, b"{}", content_type=JSON)

    assert (400, "invalid_request") == (answer.status, answer.data["error"]["code"])


def test_an_explanation_may_name_a_revision(service: EntityService) -> None:
    """One that was not reached is refused."""
    question = {
        "subject": {"type": "person", "id": "mary"},
        "action": {"name": "view"},
        "resource": {"type": "customer", "id": "123456789"},
        "context": {"min_revision": 1_000},
    }
    answer = service.call("POST", EXPLAIN, json.dumps(question).encode(), content_type=JSON)

    assert (409, "revision_not_reached") == (answer.status, answer.data["error"]["code"])


def test_the_past_is_explained_by_what_was_so_then(service: EntityService) -> None:
    """Where the policies of then are not kept, those of now explain it, and that is said."""
    role = {"customer": "123456789", "person": "mary", "role": "administrator"}
    before = find_revision(service.store)
    service.put("/v1/entities/membership/123456789/mary", role)
    asked = "person/mary", "view_bills", "subscription/0470000001"
    now, then = ask(service, *asked), ask(service, *asked, at=before)

    assert (True, False) == (now["decision"], then["decision"])
    assert before == then["explanation"]["revision"]
    assert "at" not in now["explanation"]
    assert parse_time(then["explanation"]["at"]).tzinfo
    assert not then["explanation"]["policies_kept"]


def test_the_past_is_explained_by_the_policies_of_then(service: EntityService) -> None:
    """Those that are kept, with their digest."""
    texts = {each.name: each.text for each in load_policies(ROOT / "policies").files}
    texts["subscriptions.polar"] = "# Nobody may do anything with a subscription then.\n"
    files = [PolicyFile(name, text) for name, text in texts.items()]
    old = build_policy_set("policies", files)
    keep_policies(service.store, pack_policies(old), "tess", NOW)
    last = find_revision(service.store)
    found = ask(service, "person/philip", "view_bills", "subscription/0470000001", at=last)

    assert (False, old.digest) == (found["decision"], found["explanation"]["policy_digest"])
    assert found["explanation"]["policies_kept"]


@pytest.mark.parametrize(
    ("status", "code", "at"),
    [
        (400, "wrong_type", True),
        (400, "wrong_type", -1),
        (400, "wrong_type", "yesterday"),
        (409, "revision_not_reached", 1_000),
        (409, "time_to_come", "2096-01-05T09:00:00Z"),
    ],
)
def test_a_moment_that_cannot_be_asked_is_refused(
    service: EntityService, status: int, code: str, at: Any
) -> None:
    """With the way out."""
    question = {
        "subject": {"type": "person", "id": "mary"},
        "action": {"name": "view"},
        "resource": {"type": "customer", "id": "123456789"},
        "context": {"at": at},
    }
    answer = service.call("POST", EXPLAIN, json.dumps(question).encode(), content_type=JSON)

    assert (status, code) == (answer.status, answer.data["error"]["code"])


def test_an_entity_that_was_not_there_is_told(service: EntityService) -> None:
    """With the revision with which it came."""
    before = find_revision(service.store)
    service.put("/v1/entities/person/ann", {"name": "Ann", "email": "ann@smith.example"})
    question = {
        "subject": {"type": "person", "id": "ann"},
        "action": {"name": "view"},
        "resource": {"type": "customer", "id": "123456789"},
        "context": {"at": before},
    }
    answer = service.call("POST", EXPLAIN, json.dumps(question).encode(), content_type=JSON)

    assert (404, "not_there_then") == (answer.status, answer.data["error"]["code"])
