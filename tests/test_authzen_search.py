"""Who, what and which actions, by section 8 of the AuthZEN Authorization API 1.0."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest
from portal_service import (
    EVALUATION,
    SMITH,
    ask,
    call,
    open_client,
    read_error,
    send,
)
from reference import ENGINES

from authz_service.document import load_document, to_plain
from authz_service.portal import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from portal_service import Answer

SUBJECT: Final = "/access/v1/search/subject"
RESOURCE: Final = "/access/v1/search/resource"
ACTION: Final = "/access/v1/search/action"
PATHS: Final = (SUBJECT, RESOURCE, ACTION)

PHILIP: Final = {"type": "person", "id": "philip"}
MARY: Final = {"type": "person", "id": "mary"}
MOBILE: Final = {"type": "subscription", "id": "0470000001"}
USAGE: Final = {"name": "view_usage"}

WHO_SEES_USAGE: Final = {"subject": {"type": "person"}, "action": USAGE, "resource": MOBILE}
WHAT_PHILIP_SEES: Final = {
    "subject": PHILIP,
    "action": USAGE,
    "resource": {"type": "subscription"},
}
WHAT_MARY_MAY: Final = {"subject": MARY, "resource": MOBILE}
ASKED: Final = {SUBJECT: WHO_SEES_USAGE, RESOURCE: WHAT_PHILIP_SEES, ACTION: WHAT_MARY_MAY}

ANOTHER_KEY: Final = "of somebody else, and long enough to be one"

# Where what is asked, which parts and which of their members there must be.
NEEDED: Final = [
    (SUBJECT, "subject", "type"),
    (SUBJECT, "action", "name"),
    (SUBJECT, "resource", "type"),
    (SUBJECT, "resource", "id"),
    (RESOURCE, "subject", "type"),
    (RESOURCE, "subject", "id"),
    (RESOURCE, "action", "name"),
    (RESOURCE, "resource", "type"),
    (ACTION, "subject", "type"),
    (ACTION, "subject", "id"),
    (ACTION, "resource", "type"),
    (ACTION, "resource", "id"),
]

# All five subscriptions of the company, which Philip administers.
SUBSCRIPTIONS: Final = ["0470000001", "0470000002", "fixed-1", "internet-1", "tv-1"]


@pytest.fixture(scope="module", params=ENGINES)
def client(request: pytest.FixtureRequest) -> Iterator[FlaskClient]:
    """A client of the service for the company of Smith, deciding with each engine."""
    with open_client(engine=request.param, time_limit=60_000, search_time_limit=60_000) as opened:
        yield opened


def read(answer: Answer) -> list[dict[str, str]]:
    """Hold an answer to the shape of a page, and read its results."""
    assert (200, "application/json") == (answer.status, answer.headers["content-type"]), answer
    assert ["page", "results"] == list(answer.data), answer
    page, results = answer.data["page"], answer.data["results"]
    assert ["next_token", "count"] == list(page), answer
    assert isinstance(page["next_token"], str), answer
    assert len(results) == page["count"], answer
    return list(results)


def keys(answer: Answer) -> list[str]:
    """Read the ids, or the names, of the results."""
    return [each.get("id", each.get("name", "")) for each in read(answer)]


def walk(client: FlaskClient, path: str, asked: dict[str, Any], limit: int) -> list[list[str]]:
    """Go through all pages, saying the limit each time; give back what is on each."""
    pages, page = [], {"limit": limit}
    while True:
        answer = ask(client, {**asked, "page": page}, path)
        pages.append(keys(answer))
        token = answer.data["page"]["next_token"]
        if not token:
            return pages
        page = {"limit": limit, "token": token}


# what is found


def test_subjects_are_those_who_may(client: FlaskClient) -> None:
    """The administrator and the holder of the mobile, as type and id and nothing else."""
    answer = ask(client, WHO_SEES_USAGE, SUBJECT)

    assert [MARY, PHILIP] == read(answer)
    assert '{"type":"person","id":"mary"}' in answer.text


def test_resources_are_those_on_which_one_may(client: FlaskClient) -> None:
    """The administrator sees all subscriptions of the company, a user the own mobile."""
    mine = {**WHAT_PHILIP_SEES, "subject": MARY}

    assert SUBSCRIPTIONS == keys(ask(client, WHAT_PHILIP_SEES, RESOURCE))
    assert [MOBILE] == read(ask(client, mine, RESOURCE))


def test_actions_are_those_that_one_may(client: FlaskClient) -> None:
    """What a user may do with the own mobile, by name and nothing else."""
    expected = [{"name": "activate_free_option"}, {"name": "view_usage"}]

    assert expected == read(ask(client, WHAT_MARY_MAY, ACTION))


def test_the_context_counts(client: FlaskClient) -> None:
    """Onedrive is for the web: who comes by the app finds the other applications."""
    asked = {"subject": PHILIP, "action": {"name": "access"}, "resource": {"type": "application"}}
    found = {
        channel: keys(ask(client, {**asked, "context": {"channel": channel}}, RESOURCE))
        for channel in ("web", "app", "post")
    }

    assert {"123456789/onedrive"} == set(found["web"]) - set(found["app"])
    assert [] == found["post"]


@pytest.mark.parametrize("channel", ["web", "app", None])
def test_every_result_is_allowed_and_the_rest_is_not(
    client: FlaskClient, channel: str | None
) -> None:
    """Over the whole fixture: what a search finds is what single questions allow."""
    document = load_document(SMITH)
    assert document is not None
    stored = to_plain(document)
    people = [{"type": "person", "id": each} for each in stored["person"]]
    things = [{"type": "subscription", "id": each} for each in stored["subscription"]]
    names = DOMAIN.actions["subscription"]
    context = {"context": {"channel": channel}}

    def find(path: str, **asked: Any) -> list[str]:
        return keys(ask(client, {**asked, **context}, path))

    def may(who: dict[str, str], name: str, on: dict[str, str]) -> bool:
        asked = {"subject": who, "action": {"name": name}, "resource": on, **context}
        return bool(ask(client, asked, EVALUATION).data["decision"])

    allowed = {
        (who["id"], name, on["id"])
        for who, name, on in product(people, names, things)
        if may(who, name, on)
    }
    on_any, anybody = {"type": "subscription"}, {"type": "person"}
    by_resource = {
        (who["id"], name, each)
        for who, name in product(people, names)
        for each in find(RESOURCE, subject=who, action={"name": name}, resource=on_any)
    }
    by_subject = {
        (each, name, on["id"])
        for name, on in product(names, things)
        for each in find(SUBJECT, subject=anybody, action={"name": name}, resource=on)
    }
    by_action = {
        (who["id"], each, on["id"])
        for who, on in product(people, things)
        for each in find(ACTION, subject=who, resource=on)
    }

    assert allowed
    assert [allowed] * 3 == [by_resource, by_subject, by_action]


# what is asked


@pytest.mark.parametrize("made_up", [{"id": "nobody"}, {"id": 5}, {"properties": {"role": "x"}}])
def test_what_is_said_of_the_searched_entity_is_ignored(
    client: FlaskClient, made_up: dict[str, Any]
) -> None:
    """An id, even a made-up one, changes nothing; nor do attributes."""
    who = {**WHO_SEES_USAGE, "subject": {"type": "person", **made_up}}
    what = {**WHAT_PHILIP_SEES, "resource": {"type": "subscription", **made_up}}

    assert ["mary", "philip"] == keys(ask(client, who, SUBJECT))
    assert SUBSCRIPTIONS == keys(ask(client, what, RESOURCE))


@pytest.mark.parametrize("action", [USAGE, {"name": 3}, "view_usage", None, []])
def test_an_action_is_ignored_where_actions_are_searched(client: FlaskClient, action: Any) -> None:
    """Even one that is malformed."""
    answer = ask(client, {**WHAT_MARY_MAY, "action": action}, ACTION)

    assert ["activate_free_option", "view_usage"] == keys(answer)


@pytest.mark.parametrize(
    ("path", "part", "member"),
    NEEDED,
)
@pytest.mark.parametrize("wrong", [None, 123, ["x"], {}])
def test_what_is_needed_must_be_there(
    client: FlaskClient, path: str, part: str, member: str, wrong: object
) -> None:
    """A member that is missing or of a wrong type is 400, with its place, and so is its owner."""
    asked: dict[str, Any] = dict(ASKED[path])
    asked[part] = {**asked[part], member: wrong}
    answer = ask(client, asked, path)
    without = ask(client, {name: each for name, each in asked.items() if name != part}, path)

    assert (400, f"{part}.{member}") == (answer.status, read_error(answer)["where"])
    assert (400, part) == (without.status, read_error(without)["where"])


@pytest.mark.parametrize(
    ("path", "part", "member"),
    NEEDED,
)
def test_what_is_unknown_finds_nothing(
    client: FlaskClient, path: str, part: str, member: str
) -> None:
    """An unknown type, id or action is no error; there is nothing to find."""
    asked: dict[str, Any] = dict(ASKED[path])
    asked[part] = {**asked[part], member: "unheard-of"}

    assert [] == read(ask(client, asked, path))


@pytest.mark.parametrize("path", PATHS)
def test_what_is_not_known_is_ignored(client: FlaskClient, path: str) -> None:
    """Members that nobody has heard of disturb nothing, at any level."""
    odd = {name: {**each, "odd": {"a": [1]}} for name, each in ASKED[path].items()}
    page = {"odd": True, "properties": {"odd": 1}}
    answer = ask(client, {**odd, "odd": 1, "page": page}, path)

    assert keys(ask(client, ASKED[path], path)) == keys(answer)


@pytest.mark.parametrize("path", PATHS)
def test_the_order_of_members_does_not_count(client: FlaskClient, path: str) -> None:
    """The question may be written in any order."""
    turned = dict(reversed([*ASKED[path].items()]))

    assert keys(ask(client, ASKED[path], path)) == keys(ask(client, turned, path))


@pytest.mark.parametrize("path", PATHS)
def test_the_same_search_finds_the_same(client: FlaskClient, path: str) -> None:
    """Three equal calls have three equal answers."""
    texts = [ask(client, ASKED[path], path).text for _ in range(3)]

    assert texts[:1] * 3 == texts


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"no json", "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json"),
        (b'"subject"', "application/json"),
        (b'{"subject": {}, "subject": {}}', "application/json"),
        (json.dumps(WHO_SEES_USAGE).encode(), "text/plain"),
        (json.dumps(WHO_SEES_USAGE).encode(), None),
    ],
)
def test_what_is_no_json_object_is_refused(
    client: FlaskClient, path: str, body: bytes, content_type: str | None
) -> None:
    """A body that is not JSON, or not said to be, is 400."""
    assert 400 == send(client, path, body, content_type).status


@pytest.mark.parametrize("path", PATHS)
def test_a_charset_may_be_named(client: FlaskClient, path: str) -> None:
    """`application/json; charset=utf-8` is JSON too."""
    body = json.dumps(ASKED[path]).encode()

    assert 200 == send(client, path, body, "application/json; charset=utf-8").status


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_search_is_posted(client: FlaskClient, path: str, method: str) -> None:
    """Any other method is 405."""
    assert 405 == call(client, method, path).status


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_the_id_of_a_request_comes_back(client: FlaskClient, path: str, body: bytes) -> None:
    """The caller's id is echoed, on errors and on answers."""
    good = json.dumps(ASKED[path]).encode()
    answers = [
        send(client, path, each, headers=[("X-Request-ID", "a b/1")]) for each in (body, good)
    ]

    assert ["a b/1"] * 2 == [each.headers["x-request-id"] for each in answers]


# pages


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_all_pages_together_are_everything(client: FlaskClient, path: str, limit: int) -> None:
    """Each page but the last is full, and together they are what one page would be."""
    everything = keys(ask(client, ASKED[path], path))
    pages = walk(client, path, ASKED[path], limit)

    assert everything == [each for page in pages for each in page]
    assert [limit] * (len(pages) - 1) == [len(page) for page in pages[:-1]]
    assert 0 < len(pages[-1]) <= limit


def test_a_token_alone_goes_on(client: FlaskClient) -> None:
    """Without a limit, the pages that follow are as large as the first."""
    first = ask(client, {**WHAT_PHILIP_SEES, "page": {"limit": 2}}, RESOURCE)
    token = first.data["page"]["next_token"]
    second = ask(client, {**WHAT_PHILIP_SEES, "page": {"token": token}}, RESOURCE)

    assert SUBSCRIPTIONS[2:4] == keys(second)
    assert second.data["page"]["next_token"]


def test_an_empty_page_says_whether_there_is_more(client: FlaskClient) -> None:
    """A limit of nothing finds nothing, and goes on if there is anything."""
    empty = {"page": {"limit": 0}}
    some = ask(client, {**WHAT_PHILIP_SEES, **empty}, RESOURCE)
    none = ask(
        client, {**WHAT_PHILIP_SEES, **empty, "subject": {"type": "person", "id": "x"}}, RESOURCE
    )

    assert ([], True) == (keys(some), bool(some.data["page"]["next_token"]))
    assert ([], "") == (keys(none), none.data["page"]["next_token"])


@pytest.mark.parametrize("limit", [True, 2.0, -1, "2", [], {}, 1e300])
def test_a_limit_is_a_whole_number(client: FlaskClient, limit: object) -> None:
    """Anything else is 400, with its place."""
    answer = ask(client, {**WHAT_PHILIP_SEES, "page": {"limit": limit}}, RESOURCE)

    assert (400, "page.limit") == (answer.status, read_error(answer)["where"])


@pytest.mark.parametrize("page", [5, "2", [], True])
def test_a_page_is_an_object(client: FlaskClient, page: object) -> None:
    """Anything else is 400, with its place."""
    answer = ask(client, {**WHAT_PHILIP_SEES, "page": page}, RESOURCE)

    assert (400, "page") == (answer.status, read_error(answer)["where"])


def test_a_page_has_no_more_than_the_service_allows() -> None:
    """A larger limit is met with what a page can have, and a token for the rest."""
    with open_client(max_page=3) as client:
        pages = walk(client, RESOURCE, WHAT_PHILIP_SEES, 100)
        unasked = ask(client, WHAT_PHILIP_SEES, RESOURCE)

    assert [SUBSCRIPTIONS[:3], SUBSCRIPTIONS[3:]] == pages
    assert SUBSCRIPTIONS[:3] == keys(unasked)


# tokens that cannot be used


def take_token(client: FlaskClient) -> str:
    """Take the token behind the first two of Philip's subscriptions."""
    answer = ask(client, {**WHAT_PHILIP_SEES, "page": {"limit": 2}}, RESOURCE)
    return str(answer.data["page"]["next_token"])


def refuse(client: FlaskClient, token: object, path: str = RESOURCE, **changes: Any) -> str:
    """Have a token refused, and give back the code of the error."""
    asked = {**WHAT_PHILIP_SEES, "page": {"token": token}, **changes}
    answer = ask(client, asked, path)
    error = read_error(answer)
    assert (400, "page.token") == (answer.status, error["where"])
    return error["code"]


@pytest.mark.parametrize("garbled", ["x", "a.b", "..", "é", "\0", "e30.e30.e30", "x" * 10_000])
def test_a_garbled_token_is_refused(client: FlaskClient, garbled: str) -> None:
    """What is no token is told apart from one of somebody else."""
    assert "garbled_token" == refuse(client, garbled)


def test_a_token_that_was_cut_is_refused(client: FlaskClient) -> None:
    """Half a token leads nowhere."""
    token = take_token(client)

    assert {"garbled_token", "foreign_token"} >= {
        refuse(client, token[:length]) for length in range(1, len(token) - 1)
    }


def test_a_token_of_another_service_is_refused(client: FlaskClient) -> None:
    """A token is signed, so one that somebody else wrote is of no use."""
    with open_client(token_key=ANOTHER_KEY) as other:
        foreign = take_token(other)

    assert "foreign_token" == refuse(client, foreign)


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": MARY},
        {"action": {"name": "view_bills"}},
        {"resource": {"type": "customer"}, "action": {"name": "view"}},
        {"context": {"channel": "web"}},
    ],
)
def test_a_token_of_another_question_is_refused(
    client: FlaskClient, changes: dict[str, Any]
) -> None:
    """Whatever is asked otherwise, the token does not go on with it."""
    assert "token_of_another_question" == refuse(client, take_token(client), **changes)


def test_a_token_of_another_search_is_refused(client: FlaskClient) -> None:
    """What goes on with resources does not go on with actions, about the same entities."""
    answer = ask(client, {**WHAT_MARY_MAY, "page": {"limit": 1}}, ACTION)
    token = answer.data["page"]["next_token"]
    asked = {**WHO_SEES_USAGE, "page": {"token": token}}
    refused = ask(client, asked, SUBJECT)

    assert (400, "token_of_another_question") == (refused.status, read_error(refused)["code"])


def test_another_limit_is_refused_with_a_token(client: FlaskClient) -> None:
    """The pages of one search are of one size."""
    page = {"token": take_token(client), "limit": 3}
    answer = ask(client, {**WHAT_PHILIP_SEES, "page": page}, RESOURCE)

    assert (400, "limit_changed") == (answer.status, read_error(answer)["code"])


def test_what_does_not_count_may_change_with_a_token(client: FlaskClient) -> None:
    """A made-up id of what is looked for is no part of the question."""
    what = {"type": "subscription", "id": "made-up"}
    asked = {**WHAT_PHILIP_SEES, "resource": what, "page": {"token": take_token(client)}}

    assert SUBSCRIPTIONS[2:4] == keys(ask(client, asked, RESOURCE))


# searches that fail


def test_a_search_that_takes_too_long_is_no_short_list() -> None:
    """It is 503 and says what to narrow, rather than a list from which something is missing."""
    with open_client(engine="oso", search_time_limit=1, time_limit=60_000) as client:
        answer = ask(client, WHAT_PHILIP_SEES, RESOURCE)

    error = read_error(answer)
    assert (503, "search_timeout") == (answer.status, error["code"])
    assert "page.limit" in error["message"]
