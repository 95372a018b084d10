"""Nobody talks their way in: what a caller says of an entity never counts for more than the store.

The portal marks no attribute, so whatever is said of a subject or a resource, each answer stays as
it is, to the byte.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

import portal_service
import pytest
from portal_service import EVALUATION, EVALUATIONS, ROOT, ask, open_client, read_reasons

from authz_service.portal import DOMAIN
from authz_service.portal.entities import Application, Customer, DelegateRequest, Subscription
from authz_service.store.entity import type_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from authz_service.store.entity import Entity

ALL_FIXTURES: Final = ROOT / "fixtures"
CHANNELS: Final = ("web", "app")

# Each hinges on what the store says of the resource or the subject, named behind it.
HINGING: Final = [
    ("person/jonas view_usage subscription/fixed-2", "kind: it is no mobile"),
    ("person/jonas activate_free_option subscription/fixed-2", "kind: it is no mobile"),
    ("person/bram view_usage subscription/0470000012", "holder: it is Sofie's"),
    ("person/sofie view_usage subscription/0470000012", "holder: it is hers"),
    ("person/philip view_bills subscription/0470000011", "customer: it is the bakery's"),
    ("person/nadia view_bills subscription/0470000011", "customer: it is the bakery's"),
    ("person/greet manage_bizz_club_points customer/402915738", "kind: it is residential"),
    ("person/tim become_administrator customer/402915738", "kind: it is residential"),
    ("person/lena register_access_owner customer/517730264", "kind: it is residential"),
    ("person/philip manage_bizz_club_points customer/123456789", "kind: it is a business"),
    ("person/nadia manage_users customer/240817365", "memberships: Els has the access"),
    ("person/hanne become_administrator customer/240817365", "memberships: she is excluded"),
    ("person/philip access application/123456789/onedrive", "name: it is for the web"),
    ("person/karim access application/240817365/cloud", "grants: he has none for it"),
    ("person/philip access application/240817365/cloud", "customer: it is the bakery's"),
    ("person/els approve delegate_request/fixed-rejected", "status: it is rejected"),
    ("person/els approve delegate_request/fixed-submitted", "status: it is submitted"),
    ("person/yusuf confirm_code delegate_request/fixed-approved", "kind: it is no mobile one"),
    ("person/bram withdraw delegate_request/fixed-submitted", "person: it is Yusuf's"),
    ("operator/rita confirm access_owner_registration/submitted", "status: it is submitted"),
    ("person/els view access_owner_registration/called", "person: it is Pierre's"),
    ("operator/nobody record_call access_owner_registration/submitted", "id: there is none"),
]

ATTRIBUTES: Final = [
    (kind, name) for kind, each in DOMAIN.schema.types.items() for name in each.attributes
]
IDS: Final = ["mary", "jonas", "philip", "bram", "els", "rita", "123456789", "240817365"]
GRANTS: Final = ["240817365/karim/bill_analysis", "240817365/onedrive"]
ODD: Final[list[Any]] = ["", True, False, None, 0, 2.5, [], {}, ["access_owner"], {"id": "els"}]
WORDS: Final = ["onedrive", "cloud", "administrator", "access_owner", "user"]


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    """A client of the service for all customers of the fixtures."""
    with open_client(ALL_FIXTURES, max_batch=10_000) as opened:
        yield opened


def questions(subject: dict[str, Any], resource: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask everything above by each channel, with what is said of the subject and the resource."""
    found = []
    for text, _ in HINGING:
        who, action, on = (part.split("/", 1) for part in text.split(" "))
        found += [
            {
                "subject": {"type": who[0], "id": who[1], "properties": subject},
                "action": {"name": action[0]},
                "resource": {"type": on[0], "id": on[1], "properties": resource},
                "context": {"channel": channel},
            }
            for channel in CHANNELS
        ]
    return found


def answers(client: FlaskClient, asked: list[dict[str, Any]]) -> list[str]:
    """Ask everything at once, and give back each answer with its reasons, as text."""
    data = {"evaluations": asked, "options": {"reasons": True}}
    return [json.dumps(each) for each in ask(client, data, EVALUATIONS).data["evaluations"]]


@pytest.mark.parametrize(("kind", "name"), ATTRIBUTES, ids=str)
def test_what_is_said_of_an_attribute_changes_nothing(
    client: FlaskClient, kind: str, name: str
) -> None:
    """Whatever is brought for it, for the subject and the resource, the answers are the same."""
    choices = DOMAIN.schema.types[kind].attributes[name].choices
    values = [*choices, *IDS, *GRANTS, *WORDS, *ODD]
    asked = [each for value in values for each in questions({name: value}, {name: value})]
    stored = answers(client, questions({}, {}))

    assert stored * len(values) == answers(client, asked)


def test_one_question_is_as_firm_as_many(client: FlaskClient) -> None:
    """Alone as well, a question is answered as the store has it, whatever comes with it."""
    lie = {"kind": "mobile", "holder": "jonas", "customer": "123456789", "id": "0470000011"}
    told = {"memberships": ["240817365/els"], "id": "els", "role": "administrator"}
    wanted = [ask(client, each).text for each in questions({}, {})]

    assert wanted == [ask(client, each, EVALUATION).text for each in questions(told, lie)]


def test_the_questions_are_allowed_and_denied(client: FlaskClient) -> None:
    """Some of each, so that a lie could change either; and no denial is for want of words."""
    decided = [ask(client, each).data for each in questions({}, {})]
    allowed = [each for each in decided if each["decision"]]
    reasons = {code for each in decided if not each["decision"] for code in read_reasons(each)}

    assert min(len(allowed), len(decided) - len(allowed)) >= len(CHANNELS) * 4
    assert not reasons & {"evaluation_error", "unknown_action", "unknown_resource"}


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        (Subscription, "kind", "mobile"),
        (Customer, "kind", "business"),
        (Application, "name", "cloud"),
        (DelegateRequest, "status", "submitted"),
        (DelegateRequest, "kind", "mobile"),
    ],
)
def test_the_questions_would_show_it(
    monkeypatch: pytest.MonkeyPatch, model: type[Entity], name: str, value: str
) -> None:
    """Were the attribute marked, a lie about it would change an answer."""
    monkeypatch.setattr(model, "supplied", frozenset({name}))
    monkeypatch.setattr(portal_service, "DOMAIN", dataclasses.replace(DOMAIN))
    about = [
        number
        for number, each in enumerate(questions({}, {}))
        if each["resource"]["type"] == type_name(model)
    ]
    with open_client(ALL_FIXTURES) as client:
        stored = answers(client, questions({}, {}))
        told = answers(client, questions({}, {name: value}))

    assert [stored[each] for each in about] != [told[each] for each in about]
