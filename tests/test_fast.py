"""The compiled decoder: it reads what is usual as the schemas do, and leaves all else to them."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import settings as tuned
from hypothesis import strategies as st
from portal_service import MARY_SEES_BILLS, MARY_SEES_USAGE, PHILIP_SEES_BILLS

from authz_service.errors import AuthzError
from authz_service.portal import DOMAIN
from authz_service.strict_json import parse_json
from authz_service.web import fast, wire

BODY: Final = json.dumps(MARY_SEES_USAGE).encode()
SAID: Final = {
    **MARY_SEES_USAGE,
    "action": {"name": "view_usage", "properties": {"applications": ["a:b", "c"], "n": [1, None]}},
    "context": {"channel": "app", "at:": "12:30", "risk": 0.5, "new": True, "none": None},
}
# Of these a few are usual, most nearly so.
_TEXTS: Final = st.sampled_from(["person", "mary", "a:b", "é", '"', "\\", "", "channel"])
_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXTS, inner, max_size=2),
    max_leaves=4,
)
_MAPPINGS: Final = st.dictionaries(_TEXTS, _VALUES, max_size=3)
_ENTITIES: Final = st.fixed_dictionaries(
    {"type": _TEXTS, "id": _TEXTS}, optional={"properties": _MAPPINGS, "x": _VALUES}
)
_ACTIONS: Final = st.fixed_dictionaries({"name": _TEXTS}, optional={"properties": _MAPPINGS})
_PARTS: Final = {"subject": _ENTITIES, "action": _ACTIONS, "resource": _ENTITIES}
_MORE: Final = {"context": _MAPPINGS | st.none()}
_QUESTIONS: Final = st.fixed_dictionaries(_PARTS, optional=_MORE)
_OPTIONS: Final = st.fixed_dictionaries(
    {},
    optional={
        "evaluations_semantic": st.sampled_from([*wire.Semantic, "none", None]),
        "reasons": st.sampled_from([True, False, None, 1]),
    },
)
_ITEMS: Final = _QUESTIONS | st.fixed_dictionaries({}, optional={**_PARTS, **_MORE})
_BATCHES: Final = st.fixed_dictionaries(
    {"evaluations": st.lists(_ITEMS, max_size=3)},
    optional={**_PARTS, **_MORE, "options": _OPTIONS},
)


@pytest.mark.parametrize("data", [MARY_SEES_USAGE, MARY_SEES_BILLS, SAID])
def test_a_usual_question_is_read(data: dict[str, Any]) -> None:
    """The usual question becomes the request that the schemas make of it, whatever is said."""
    expected = wire.read_evaluation(data, DOMAIN.schema)

    assert expected == fast.find_evaluation(json.dumps(data).encode(), DOMAIN.schema)


@pytest.mark.parametrize(
    "batch",
    [
        {"evaluations": [MARY_SEES_USAGE, SAID]},
        {**SAID, "evaluations": [{}, {"action": {"name": "view_bills"}}, PHILIP_SEES_BILLS]},
        {**SAID, "evaluations": [{"context": {}}, {"context": {"channel": "web"}}]},
        {
            **MARY_SEES_USAGE,
            "evaluations": [{}],
            "options": {"reasons": True, "evaluations_semantic": "deny_on_first_deny"},
        },
    ],
    ids=["whole", "inherited", "contexts", "options"],
)
def test_a_usual_batch_is_read(batch: dict[str, Any]) -> None:
    """Items become what the schemas make of them, with what they inherit, object by object."""
    expected = wire.read_batch(batch, DOMAIN.schema, 10)

    assert expected == fast.find_batch(json.dumps(batch).encode(), DOMAIN.schema, 10)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        BODY[:-1],
        BODY + b"x",
        BODY[:-1] + b', "x": 1}',
        BODY[:-1] + b', "context": null}',
        BODY[:-1] + b', "context": {"a": {"b": 1}}}',
        BODY[:-1] + b', "context": {"a": 1, "a": 1}}',
        BODY[:-1] + b', "context": {"a": "b:c", "a": 1}}',
        BODY[:-1] + b', "context": {"a": "\\u003a", "a": 1}}',
        BODY[:-1] + b', "context": {"a": 1e999}}',
        BODY[:-1] + b', "context": {"a": ' + b"9" * 20 + b"}}",
        BODY[:-1] + b', "context": {"channel": 3}}',
        BODY[:-1] + b', "action": {"name": "view_bills"}}',
        BODY.replace(b'"id"', b'"id": "philip", "id"', 1),
        BODY.replace(b'"id"', b'"properties": {}, "id"', 1),
        BODY.replace(b"mary", b"m\\u0061ry"),
        BODY.replace(b"mary", b"m\xffry"),
        BODY.replace(b'"mary"', b"7"),
        BODY.replace(b'"mary"', b"null"),
        b"[" * 100_000,
    ],
)
def test_what_is_unusual_is_left_to_the_schemas(body: bytes) -> None:
    """What may be refused, or is only seldom met, is not read here; nor is it as a batch."""
    batch = body[:-1] + b', "evaluations": [{}]}'

    assert fast.find_evaluation(body, DOMAIN.schema) is None
    assert fast.find_batch(batch, DOMAIN.schema, 10) is None


@pytest.mark.parametrize(
    "batch",
    [
        MARY_SEES_USAGE,
        {**MARY_SEES_USAGE, "evaluations": []},
        {**MARY_SEES_USAGE, "evaluations": None},
        {**MARY_SEES_USAGE, "evaluations": [{}] * 11},
        {**MARY_SEES_USAGE, "evaluations": [{"subject": {}}]},
        {**MARY_SEES_USAGE, "evaluations": [1]},
        {"evaluations": [{"subject": MARY_SEES_USAGE["subject"]}]},
        {**MARY_SEES_USAGE, "evaluations": [{}], "options": {"reasons": 1}},
        {**MARY_SEES_USAGE, "evaluations": [{}], "options": {"evaluations_semantic": "none"}},
    ],
)
def test_an_unusual_batch_is_left_to_the_schemas(batch: dict[str, Any]) -> None:
    """A batch without items, with too many of them or with an incomplete one is not read here."""
    assert fast.find_batch(json.dumps(batch).encode(), DOMAIN.schema, 10) is None


@given(data=_QUESTIONS | _BATCHES, raw=st.booleans(), again=st.booleans())
@tuned(deadline=None, max_examples=500)
def test_nothing_is_read_otherwise(data: dict[str, Any], *, raw: bool, again: bool) -> None:
    """Whatever is read here, the schemas read alike, and do not refuse."""
    body = json.dumps(data, ensure_ascii=not raw).encode()
    if again:  # the whole once more inside of itself: members of the same names
        body = body[:-1] + b"," + body[1:]
    found = fast.find_evaluation(body, DOMAIN.schema), fast.find_batch(body, DOMAIN.schema, 10)
    try:
        strict = parse_json(body)
        one = found[0] and wire.read_evaluation(strict, DOMAIN.schema)
        many = found[1] and wire.read_batch(strict, DOMAIN.schema, 10)
    except AuthzError:
        one = many = None

    assert (one, many) == found
