"""Several questions at once, by section 7 of the AuthZEN Authorization API 1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from portal_service import (
    EVALUATIONS,
    MARY_SEES_BILLS,
    MARY_SEES_USAGE,
    PHILIP_SEES_BILLS,
    THOMAS_SEES_MARYS_USAGE,
    WAYS,
    ask,
    open_client,
    read_decisions,
    read_error,
    read_reasons,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from portal_service import Answer

ALLOW: Final = MARY_SEES_USAGE
DENY: Final = MARY_SEES_BILLS
INCOMPLETE: Final = {"subject": {"type": "person"}}

USAGE: Final = {"name": "view_usage"}
BILLS: Final = {"name": "view_bills"}


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def client(request: pytest.FixtureRequest) -> Iterator[FlaskClient]:
    """A client of the service for the company of Smith, by each engine and door."""
    engine, door = request.param
    with open_client(engine=engine, door=door) as opened:
        yield opened


def ask_all(client: FlaskClient, *items: object, **members: Any) -> Answer:
    """Ask a batch: its items, and its other members."""
    return ask(client, {**members, "evaluations": list(items)}, EVALUATIONS)


def stop_on(semantic: str) -> dict[str, str]:
    """Write the options that say when a batch stops."""
    return {"evaluations_semantic": semantic}


@pytest.mark.parametrize(
    "items", [{}, {"evaluations": []}, {"evaluations": None}], ids=["absent", "empty", "null"]
)
def test_without_items_it_is_a_single_question(
    client: FlaskClient, items: dict[str, object]
) -> None:
    """The answer to a batch without items is a decision, with its reasons, and no array."""
    answers = [ask(client, {**each, **items}, EVALUATIONS).data for each in (ALLOW, DENY)]

    assert [ask(client, ALLOW).data, ask(client, DENY).data] == answers


@pytest.mark.parametrize("items", [{}, {"evaluations": []}], ids=["absent", "empty"])
@pytest.mark.parametrize("missing", ["subject", "action", "resource"])
def test_without_items_an_incomplete_question_is_refused(
    client: FlaskClient, items: dict[str, object], missing: str
) -> None:
    """A batch without items that lacks a member is 400, as a single question is."""
    asked = {part: value for part, value in ALLOW.items() if part != missing}
    answer = ask(client, {**asked, **items}, EVALUATIONS)

    assert (400, missing) == (answer.status, read_error(answer)["where"])


def test_results_come_in_the_order_of_the_request(client: FlaskClient) -> None:
    """Each result stands where its question stands."""
    answer = ask_all(client, ALLOW, DENY, PHILIP_SEES_BILLS, THOMAS_SEES_MARYS_USAGE, ALLOW)

    assert [True, False, True, False, True] == read_decisions(answer)


def test_every_item_is_answered_by_default(client: FlaskClient) -> None:
    """Without a semantic neither a deny nor a permit stops the batch."""
    answer = ask_all(client, DENY, ALLOW, DENY, ALLOW)

    assert [False, True, False, True] == read_decisions(answer)


def test_execute_all_answers_every_item(client: FlaskClient) -> None:
    """Under `execute_all` there are as many results as questions, errors included."""
    items = (DENY, ALLOW, INCOMPLETE, ALLOW)
    answer = ask_all(client, *items, options=stop_on("execute_all"))

    assert [False, True, False, True] == read_decisions(answer)


@pytest.mark.parametrize("options", [{}, None, {"evaluations_semantic": None}])
def test_options_are_optional(client: FlaskClient, options: object) -> None:
    """Empty options and null are no options."""
    assert [False, True] == read_decisions(ask_all(client, DENY, ALLOW, options=options))


def test_the_value_of_an_item_beats_the_default(client: FlaskClient) -> None:
    """An item that has a member uses its own."""
    answer = ask_all(client, {"action": BILLS}, {}, **ALLOW)

    assert [False, True] == read_decisions(answer)


@pytest.mark.parametrize("missing", ["subject", "action", "resource"])
def test_an_item_inherits_what_it_lacks(client: FlaskClient, missing: str) -> None:
    """A member that an item lacks, or has as null, is the one at the top."""
    item = {part: value for part, value in ALLOW.items() if part != missing}
    defaults = {missing: ALLOW[missing]}

    answer = ask_all(client, item, {**item, missing: None}, **defaults)

    assert [True, True] == read_decisions(answer)


def test_the_context_is_inherited_and_replaced_too(client: FlaskClient) -> None:
    """A context of an item replaces the one at the top, whole."""
    by_fax = {"channel": "fax"}
    items: list[dict[str, Any]] = [{}, {"context": {"channel": "app"}}, {"context": {}}]
    answer = ask_all(client, *items, **ALLOW, context=by_fax)

    assert [False, True, True] == read_decisions(answer)


@pytest.mark.parametrize(
    ("item", "where"),
    [
        ({"subject": {"id": "philip"}}, "subject.type"),
        ({"subject": {"type": "person"}}, "subject.id"),
        ({"resource": {"id": "0470000001"}}, "resource.type"),
        ({"resource": {"type": "subscription"}}, "resource.id"),
        ({"action": {"properties": {}}}, "action.name"),
        ({"subject": {}}, "subject.id"),
    ],
)
def test_an_object_is_replaced_whole(
    client: FlaskClient, item: dict[str, object], where: str
) -> None:
    """An object of an item borrows neither type nor id nor name from the default."""
    answer = ask_all(client, item, **ALLOW)

    assert [False] == read_decisions(answer)
    assert where == answer.data["evaluations"][0]["context"]["error"]["where"]


def test_properties_are_not_borrowed(client: FlaskClient) -> None:
    """An action of an item has its own properties, not those of the default."""
    parts = {"name": "request_delegate_access", "properties": {"applications": ["a/part"]}}
    whole = {"name": "request_delegate_access"}
    defaults = {
        "subject": {"type": "person", "id": "mary"},
        "action": parts,
        "resource": {"type": "customer", "id": "123456789"},
        "context": {"channel": "web"},
    }
    answer = ask_all(client, {}, {"action": whole}, **defaults, options={"reasons": True})
    reasons = [read_reasons(item) for item in answer.data["evaluations"]]

    assert [["no_access_owner", "partial_delegation"], ["no_access_owner"]] == reasons


def test_an_empty_item_inherits_everything(client: FlaskClient) -> None:
    """`{}` asks what stands at the top."""
    assert [True, True] == read_decisions(ask_all(client, {}, {}, **ALLOW))


def test_an_incomplete_item_is_denied_in_its_place(client: FlaskClient) -> None:
    """An item that is not complete is a deny at its index, and the batch is still 200."""
    answer = ask_all(client, ALLOW, INCOMPLETE, ALLOW)

    assert [True, False, True] == read_decisions(answer)


def test_an_incomplete_item_tells_that_it_is_no_real_deny(client: FlaskClient) -> None:
    """The context of such a deny holds the error, in the shape of all errors."""
    answer = ask_all(client, {}, action=USAGE, resource=ALLOW["resource"])
    error = {
        "code": "invalid_request",
        "message": "`subject` is missing",
        "where": "subject",
    }

    assert [{"decision": False, "context": {"error": error}}] == answer.data["evaluations"]


@pytest.mark.parametrize(
    ("item", "code", "where"),
    [
        ({"subject": "mary"}, "invalid_request", "subject"),
        ({"action": 3}, "invalid_request", "action"),
        ({"resource": []}, "invalid_request", "resource"),
        ({"context": "web"}, "invalid_request", "context"),
        ({"action": {"name": 123}}, "invalid_request", "action.name"),
        ({"context": {"channel": 3}}, "wrong_type", "context.channel"),
    ],
)
def test_an_item_of_wrong_types_is_denied_in_its_place(
    client: FlaskClient, item: dict[str, object], code: str, where: str
) -> None:
    """A member of a wrong type inside an item is that item's error, no more."""
    answer = ask_all(client, item, {}, **ALLOW)

    assert [False, True] == read_decisions(answer)
    error = answer.data["evaluations"][0]["context"]["error"]
    assert (code, where) == (error["code"], error["where"])


def test_no_subject_anywhere_is_a_deny(client: FlaskClient) -> None:
    """A single item without a subject, own or inherited, is 200 with one deny."""
    answer = ask_all(client, {"action": USAGE}, resource=ALLOW["resource"])

    assert [False] == read_decisions(answer)


@pytest.mark.parametrize(
    "default", [{}, {"type": "subscription"}, {"id": 3}, "a subscription", None]
)
def test_a_default_that_nobody_uses_may_be_anything(client: FlaskClient, default: object) -> None:
    """A default that is not complete is fine when every item has its own."""
    items = [{"resource": ALLOW["resource"]}, {"resource": ALLOW["resource"], "action": BILLS}]
    answer = ask_all(client, *items, **{**ALLOW, "resource": default})

    assert [True, False] == read_decisions(answer)


def test_there_is_no_decision_beside_the_results(client: FlaskClient) -> None:
    """The answer to a batch is the array and nothing else."""
    assert ["evaluations"] == list(ask_all(client, ALLOW, DENY).data)


@pytest.mark.parametrize(
    ("semantic", "items", "expected"),
    [
        ("deny_on_first_deny", [ALLOW, ALLOW, DENY, ALLOW], [True, True, False]),
        ("deny_on_first_deny", [DENY, ALLOW], [False]),
        ("deny_on_first_deny", [ALLOW, DENY], [True, False]),
        ("deny_on_first_deny", [ALLOW, ALLOW], [True, True]),
        ("permit_on_first_permit", [DENY, DENY, ALLOW, DENY], [False, False, True]),
        ("permit_on_first_permit", [ALLOW, DENY], [True]),
        ("permit_on_first_permit", [DENY, ALLOW], [False, True]),
        ("permit_on_first_permit", [DENY, DENY], [False, False]),
    ],
)
def test_a_batch_stops_where_it_is_decided(
    client: FlaskClient, semantic: str, items: list[object], expected: list[bool]
) -> None:
    """The result that decides is the last one; when none does, all come back."""
    answer = ask_all(client, *items, options=stop_on(semantic))

    assert expected == read_decisions(answer)


def test_an_error_of_an_item_counts_as_a_deny(client: FlaskClient) -> None:
    """`deny_on_first_deny` stops at an item that is not complete."""
    answer = ask_all(client, ALLOW, INCOMPLETE, ALLOW, options=stop_on("deny_on_first_deny"))

    assert [True, False] == read_decisions(answer)


def test_an_error_of_an_item_is_no_permit(client: FlaskClient) -> None:
    """`permit_on_first_permit` passes over an item that is not complete."""
    items = (INCOMPLETE, ALLOW, DENY)
    answer = ask_all(client, *items, options=stop_on("permit_on_first_permit"))

    assert [False, True] == read_decisions(answer)


@pytest.mark.parametrize("semantic", ["all", "EXECUTE_ALL", "", 1, True, [], {}])
def test_an_unknown_semantic_is_refused(client: FlaskClient, semantic: object) -> None:
    """A semantic that AuthZEN does not have is 400, and the message lists those that it has."""
    answer = ask_all(client, ALLOW, options={"evaluations_semantic": semantic})
    error = read_error(answer)

    assert (400, "options.evaluations_semantic") == (answer.status, error["where"])
    assert "execute_all, deny_on_first_deny, permit_on_first_permit" in error["message"]


def test_items_need_no_defaults(client: FlaskClient) -> None:
    """Nothing at the top is fine when every item is complete."""
    assert [True, False] == read_decisions(ask_all(client, ALLOW, DENY))


def test_equal_batches_have_equal_answers(client: FlaskClient) -> None:
    """Asked three times, a batch is answered alike to the byte: no times, no ids."""
    items = (ALLOW, DENY, INCOMPLETE)
    texts = {ask_all(client, *items, options={"reasons": True}).text for _ in range(3)}

    assert 1 == len(texts)


@pytest.mark.parametrize(
    ("member", "value", "where"),
    [
        ("evaluations", {}, "evaluations"),
        ("evaluations", "all", "evaluations"),
        ("evaluations", 3, "evaluations"),
        ("evaluations", True, "evaluations"),
        ("evaluations", ["mary"], "evaluations.0"),
        ("evaluations", [{}, []], "evaluations.1"),
        ("evaluations", [{}, None], "evaluations.1"),
        ("options", [], "options"),
        ("options", "all", "options"),
        ("options", 3, "options"),
    ],
)
def test_a_malformed_batch_is_refused(
    client: FlaskClient, member: str, value: object, where: str
) -> None:
    """`evaluations` is an array of objects and `options` an object; anything else is 400."""
    answer = ask(client, {**ALLOW, "evaluations": [{}], member: value}, EVALUATIONS)

    assert (400, where) == (answer.status, read_error(answer)["where"])


def test_a_null_item_is_refused_in_our_words(client: FlaskClient) -> None:
    """An item that is null is told of like any other item that is no object."""
    error = read_error(ask_all(client, None))

    assert "`evaluations.0` must be an object" == error["message"]


def test_unknown_options_are_ignored(client: FlaskClient) -> None:
    """Options that we do not know change nothing."""
    answer = ask_all(client, DENY, ALLOW, options={"parallel": True, "limit": [3]})

    assert [False, True] == read_decisions(answer)


def test_a_batch_gives_no_reasons_unless_asked(client: FlaskClient) -> None:
    """A deny in a batch is a bare decision by default."""
    answer = ask_all(client, ALLOW, DENY)

    assert [{"decision": True}, {"decision": False}] == answer.data["evaluations"]


@pytest.mark.parametrize("value", [False, None])
def test_a_batch_gives_no_reasons_when_told_not_to(client: FlaskClient, value: object) -> None:
    """`reasons` false or null is the same as none."""
    answer = ask_all(client, DENY, options={"reasons": value})

    assert [{"decision": False}] == answer.data["evaluations"]


def test_a_batch_gives_reasons_when_asked(client: FlaskClient) -> None:
    """With `options.reasons` each deny says why, as a single question does, and no allow does."""
    answer = ask_all(client, ALLOW, DENY, options={"reasons": True})

    assert [ask(client, ALLOW).data, ask(client, DENY).data] == answer.data["evaluations"]


@pytest.mark.parametrize("value", [1, 0, "true", "yes", [], {}])
def test_reasons_are_true_or_false(client: FlaskClient, value: object) -> None:
    """Whatever is nearly true is 400."""
    answer = ask_all(client, DENY, options={"reasons": value})

    assert (400, "options.reasons") == (answer.status, read_error(answer)["where"])


def test_an_unknown_entity_is_a_deny_in_its_place(client: FlaskClient) -> None:
    """What is not known is denied with its own reason, in a batch as well."""
    unknown: list[dict[str, Any]] = [
        {"subject": {"type": "person", "id": "nobody"}},
        {"resource": {"type": "subscription", "id": "nothing"}},
        {"action": {"name": "no_thing"}},
    ]
    answer = ask_all(client, *unknown, {}, **ALLOW, options={"reasons": True})
    reasons = [read_reasons(item) for item in answer.data["evaluations"][:3]]

    assert [["unknown_subject"], ["unknown_resource"], ["unknown_action"]] == reasons
    assert [False, False, False, True] == read_decisions(answer)


def test_a_batch_may_be_as_large_as_the_limit() -> None:
    """As many items as `max_batch` says are answered."""
    with open_client(max_batch=2) as client:
        assert [True, False] == read_decisions(ask_all(client, ALLOW, DENY))


def test_a_batch_over_the_limit_is_refused_whole() -> None:
    """One item more is 413, and the message says how many there may be."""
    with open_client(max_batch=2) as client:
        answer = ask_all(client, ALLOW, DENY, ALLOW)
    error = read_error(answer)

    assert (413, "batch_too_large") == (answer.status, error["code"])
    assert "a batch has at most 2 items, this one has 3; split it" == error["message"]


def test_a_batch_over_the_limit_is_refused_before_its_items_are_read() -> None:
    """Wrong items beyond the limit do not each cost a sentence: it is 413 as well."""
    with open_client(max_batch=2) as client:
        answer = ask_all(client, 1, 2, 3)

    assert (413, "batch_too_large") == (answer.status, read_error(answer)["code"])
