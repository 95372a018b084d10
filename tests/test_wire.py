"""JSON to requests and decisions to JSON, without HTTP."""

from __future__ import annotations

from typing import Any, Final

import pytest
from portal_service import MARY_SEES_BILLS, MARY_SEES_USAGE

from authz_service.decision.answer import Decision, Reason, write_decision
from authz_service.errors import Fault, Place, RequestError, RequestTooLargeError
from authz_service.policy.request import Request
from authz_service.portal import DOMAIN
from authz_service.store.entity import Reference
from authz_service.web import wire
from authz_service.web.wire import Semantic

MARY: Final = Reference("person", "mary")
MOBILE: Final = Reference("subscription", "0470000001")
SAID_NOTHING: Final[dict[str, Any]] = {"channel": None, "applications": []}
USAGE_REQUEST: Final = Request(MARY, "view_usage", MOBILE, SAID_NOTHING)
BILLS_REQUEST: Final = Request(MARY, "view_bills", MOBILE, SAID_NOTHING)


def refuse_question(data: dict[str, Any]) -> list[tuple[str, str]]:
    """Have a question refused, and give back what is told, by place."""
    with pytest.raises(RequestError) as caught:
        wire.read_evaluation(data, DOMAIN.schema)
    return [(fault.where.name, fault.message) for fault in caught.value.faults]


def read_batch(*items: object, **members: object) -> wire.Batch:
    """Read a batch that has items."""
    batch = wire.read_batch({"evaluations": list(items), **members}, DOMAIN.schema, 10)
    assert batch is not None
    return batch


def test_a_question_is_read() -> None:
    """Subject, action and resource become a request in which the caller said nothing more."""
    assert USAGE_REQUEST == wire.read_evaluation(MARY_SEES_USAGE, DOMAIN.schema)


def test_what_the_caller_says_is_read() -> None:
    """Declared context and parameters of the action come along; the rest does not."""
    data = {
        **MARY_SEES_USAGE,
        "context": {"channel": "web", "ip": "192.0.2.1"},
        "action": {"name": "view_usage", "properties": {"applications": ["a"], "b": 1}},
    }
    expected = {"channel": "web", "applications": ["a"]}

    assert expected == wire.read_evaluation(data, DOMAIN.schema).given


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            {},
            [
                ("action", "`action` is missing"),
                ("resource", "`resource` is missing"),
                ("subject", "`subject` is missing"),
            ],
        ),
        (
            {"subject": {}, "action": {}, "resource": {}},
            [
                ("action.name", "`action.name` is missing"),
                ("resource.id", "`resource.id` is missing"),
                ("resource.type", "`resource.type` is missing"),
                ("subject.id", "`subject.id` is missing"),
                ("subject.type", "`subject.type` is missing"),
            ],
        ),
        (
            {"subject": "mary", "action": None, "resource": {"type": 1, "id": ["a"]}},
            [
                ("action", "`action` is missing"),
                ("resource.id", "`resource.id` must be a string"),
                ("resource.type", "`resource.type` must be a string"),
                ("subject", "`subject` must be an object"),
            ],
        ),
        (
            {**MARY_SEES_USAGE, "context": []},
            [("context", "`context` must be an object")],
        ),
        (
            {**MARY_SEES_USAGE, "subject": {"type": "person", "id": "mary", "properties": "all"}},
            [("subject.properties", "`subject.properties` must be an object")],
        ),
        (
            {
                **MARY_SEES_USAGE,
                "context": {"channel": 3},
                "action": {"name": "view_usage", "properties": {"applications": "onedrive"}},
            },
            [
                (
                    "action.properties.applications",
                    "`action.properties.applications` must be a list, each item a string",
                ),
                ("context.channel", "`context.channel` must be a string"),
            ],
        ),
    ],
    ids=["empty", "hollow", "wrong-types", "context", "properties", "declared"],
)
def test_everything_that_is_wrong_is_told(
    data: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """A question is refused with all its faults at once, sorted by place."""
    assert expected == refuse_question(data)


def test_null_is_absent() -> None:
    """An optional member that is null is as if it were not there."""
    data = {
        "subject": {**MARY_SEES_USAGE["subject"], "properties": None},
        "action": {**MARY_SEES_USAGE["action"], "properties": None},
        "resource": {**MARY_SEES_USAGE["resource"], "properties": None},
        "context": None,
    }

    assert USAGE_REQUEST == wire.read_evaluation(data, DOMAIN.schema)


@pytest.mark.parametrize(
    "data", [{}, {"evaluations": []}, {"evaluations": None}], ids=["absent", "empty", "null"]
)
def test_a_batch_without_items_is_none(data: dict[str, object]) -> None:
    """Without items it is a single question, and left to be read as one."""
    assert wire.read_batch({**MARY_SEES_USAGE, **data}, DOMAIN.schema, 10) is None


def test_items_are_read_with_what_they_inherit() -> None:
    """Each item is a whole request, in order."""
    batch = read_batch({}, {"action": {"name": "view_bills"}}, **MARY_SEES_USAGE)

    assert (USAGE_REQUEST, BILLS_REQUEST) == batch.items


def test_an_item_that_is_wrong_is_kept_as_its_error() -> None:
    """What is wrong with an item is no concern of the others."""
    good, bad, other = read_batch(MARY_SEES_USAGE, {"action": {}}, MARY_SEES_BILLS).items

    assert (USAGE_REQUEST, BILLS_REQUEST) == (good, other)
    assert isinstance(bad, RequestError)
    assert ["action.name", "resource", "subject"] == [each.where.name for each in bad.faults]


def test_a_batch_executes_all_without_reasons_by_default() -> None:
    """Without options nothing stops the batch, and it gives no reasons."""
    batch = read_batch({}, **MARY_SEES_USAGE)

    assert (Semantic.EXECUTE_ALL, False) == (batch.semantic, batch.with_reasons)


@pytest.mark.parametrize("semantic", list(Semantic))
def test_a_semantic_is_read(semantic: Semantic) -> None:
    """Each of the three semantics is known by its name."""
    batch = read_batch({}, options={"evaluations_semantic": semantic.value})

    assert semantic is batch.semantic


def test_a_batch_over_the_limit_is_too_large() -> None:
    """One item more than there may be is refused."""
    with pytest.raises(RequestTooLargeError) as caught:
        wire.read_batch({"evaluations": [{}] * 11}, DOMAIN.schema, 10)

    assert "batch_too_large" == caught.value.faults[0].code


def test_an_allow_is_written() -> None:
    """An allow is that and no more."""
    assert {"decision": True} == write_decision(Decision((), "digest"), with_reasons=True)


def test_a_deny_is_written_with_its_reasons() -> None:
    """A deny carries its reasons where they are wanted, and none where not."""
    denied = Decision((Reason("a", "first"), Reason("b", "second")), "digest")
    reasons = [{"code": "a", "message": "first"}, {"code": "b", "message": "second"}]
    written = [write_decision(denied, with_reasons=wanted) for wanted in (True, False)]
    expected = [{"decision": False, "context": {"reasons": reasons}}, {"decision": False}]

    assert expected == written


def test_several_faults_are_written_as_one_error() -> None:
    """The code and place are those of the first fault, the message is that of all."""
    error = RequestError(
        [Fault(Place("b"), "late", "two"), Fault(Place("a", 1, 2), "early", "one")]
    )
    expected = {"error": {"code": "early", "message": "one; two", "where": "a:1:2"}}

    assert expected == wire.write_error(error)


def test_the_message_about_many_faults_is_short() -> None:
    """After ten sentences the rest is only counted."""
    error = RequestError(Fault(Place(f"a{number:02}"), "wrong", "no") for number in range(12))
    expected = "; ".join(["no"] * 10) + "; and 2 more"

    assert expected == wire.write_error(error)["error"]["message"]


def test_the_error_of_an_item_is_a_deny() -> None:
    """In a batch the error is the context of a denial."""
    error = RequestError.at("subject", "invalid_request", "`subject` is missing")
    expected = {"decision": False, "context": wire.write_error(error)}

    assert expected == wire.write_item_error(error)
