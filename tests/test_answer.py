"""Bodies to bodies, without HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from portal_service import MARY_SEES_BILLS, MARY_SEES_USAGE, POLICIES, SMITH

from authz_service import assembly, storage
from authz_service.errors import RequestError
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.web.answer import Responder

if TYPE_CHECKING:
    from collections.abc import Iterator

ALLOW: Final = b'{"decision":true}'
DENY: Final = (
    b'{"decision":false,"context":{"reasons":'
    b'[{"code":"not_permitted","message":"no rule permits this"}]}}'
)


@pytest.fixture(scope="module")
def responder() -> Iterator[Responder]:
    """What answers for the company of Smith; a batch has at most three questions."""
    engine = assembly.build_engine(Settings(policies=POLICIES), DOMAIN)
    store = storage.build_fixture_store(SMITH, DOMAIN)
    yield Responder(assembly.build_decider(engine, DOMAIN, store), max_batch=3)
    store.close()


def write(data: dict[str, Any], *, is_usual: bool) -> bytes:
    """Write a body that is read fast, or one that is not, for a member that means nothing."""
    return json.dumps(data if is_usual else {**data, "x": None}).encode()


@pytest.mark.parametrize("is_usual", [True, False])
@pytest.mark.parametrize(("data", "expected"), [(MARY_SEES_USAGE, ALLOW), (MARY_SEES_BILLS, DENY)])
def test_a_question_is_answered(
    responder: Responder, data: dict[str, Any], expected: bytes, *, is_usual: bool
) -> None:
    """The answer is the same, to the byte, however the question was read."""
    assert expected + b"\n" == responder.evaluation(write(data, is_usual=is_usual))


@pytest.mark.parametrize("is_usual", [True, False])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [b'{"decision":false}', ALLOW]),
        ({"reasons": True}, [DENY, ALLOW]),
        ({"reasons": True, "evaluations_semantic": "deny_on_first_deny"}, [DENY]),
    ],
)
def test_a_batch_is_answered(
    responder: Responder, options: dict[str, Any], expected: list[bytes], *, is_usual: bool
) -> None:
    """So is a batch, whatever its options."""
    batch = {"evaluations": [MARY_SEES_BILLS, MARY_SEES_USAGE], "options": options}
    answer = responder.evaluations(write(batch, is_usual=is_usual))

    assert b'{"evaluations":[' + b",".join(expected) + b"]}\n" == answer


def test_a_batch_without_items_is_a_question(responder: Responder) -> None:
    """It is answered as one."""
    assert ALLOW + b"\n" == responder.evaluations(write(MARY_SEES_USAGE, is_usual=True))


def test_what_is_wrong_is_raised(responder: Responder) -> None:
    """A body that is refused is no answer; whoever stands at the door says so in its own way."""
    with pytest.raises(RequestError):
        responder.evaluation(b"{}")
    with pytest.raises(RequestError, match="at most 3 items"):
        responder.evaluations(json.dumps({"evaluations": [{}] * 4}).encode())
