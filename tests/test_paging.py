"""Pages and their tokens, without anything that is searched."""

from __future__ import annotations

import dataclasses
from typing import Final

import pytest
from itsdangerous import URLSafeSerializer
from small_domain import BOB, NOTE, ask_for

from authz_service.decision.paging import Asked, Pager
from authz_service.errors import RequestError
from authz_service.policy.request import Page

KEY: Final = "a key that nobody can guess, or so we hope"
PAGER: Final = Pager(KEY, most=10, time_limit=50)
ASKED: Final = Asked("subject", ask_for(), "sha256:" + "a" * 64)


def refuse(token: str, asked: Asked = ASKED, limit: int | None = None) -> str:
    """Have a token refused, and give back the code of the one fault."""
    with pytest.raises(RequestError) as caught:
        PAGER.open(asked, limit, token)
    (fault,) = caught.value.faults
    assert "begin the search again" in fault.message
    return fault.code


@pytest.mark.parametrize(("expected", "limit"), [(10, None), (10, 10), (10, 11), (3, 3), (0, 0)])
def test_a_search_begins_with_as_much_as_is_wanted(expected: int, limit: int | None) -> None:
    """The first page has as many as are asked for, and no more than there may be."""
    assert Page("", expected, 50) == PAGER.open(ASKED, limit, "")


@pytest.mark.parametrize("after", ["alice", "", "é/ü \U0001f600", "x" * 10_000])
def test_a_token_leads_behind_an_id(after: str) -> None:
    """Whatever the id is, the page that follows begins behind it, and is as large as the first."""
    token = PAGER.next_token(ASKED, Page("", 3, 50), after)

    assert Page(after, 3, 50) == PAGER.open(ASKED, None, token) == PAGER.open(ASKED, 3, token)


def test_a_token_is_no_longer_good_for_other_policies() -> None:
    """What was found so far may be wrong by now."""
    token = PAGER.next_token(ASKED, Page("", 3, 50), "alice")
    changed = dataclasses.replace(ASKED, policy_digest="sha256:" + "b" * 64)

    assert "policy_changed" == refuse(token, changed)


def test_a_token_of_another_version_is_refused() -> None:
    """A token that this key signed, in a form that is not ours any more, or not yet."""
    signer = URLSafeSerializer(KEY, salt="authz-service search")

    assert ["stale_token", "stale_token", "garbled_token"] == [
        refuse(signer.dumps(payload)) for payload in ({"version": 0}, {}, ["alice"])
    ]


def test_what_is_open_is_no_part_of_the_question() -> None:
    """The id of what is searched may change, that of what is given may not."""
    token = PAGER.next_token(ASKED, Page("", 3, 50), "alice")
    other = dataclasses.replace(ASKED, request=ask_for(subject=BOB))
    elsewhere = dataclasses.replace(ASKED, request=ask_for(resource=NOTE))

    assert "alice" == PAGER.open(other, None, token).after
    assert "token_of_another_question" == refuse(token, elsewhere)


def test_what_is_said_is_part_of_the_question() -> None:
    """Context, parameters and what is supplied tie a token."""
    token = PAGER.next_token(ASKED, Page("", 3, 50), "alice")
    said = [
        ask_for(context={"channel": "web"}),
        ask_for(parameters={"copies": 1}),
        ask_for()._replace(supplied={"resource.title": "x"}),
    ]

    assert ["token_of_another_question"] * 3 == [
        refuse(token, dataclasses.replace(ASKED, request=each)) for each in said
    ]
