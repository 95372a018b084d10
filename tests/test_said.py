"""What people say with a question: policy/said.py."""

from __future__ import annotations

import re
from typing import Any, Final

import generated_policies
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_domain import ALICE, REPORT

from authz_service.errors import RequestError
from authz_service.policy.request import Said, build_request
from authz_service.policy.said import PARTS, build_checked_request, read_said, write_said
from authz_service.store.entity import Reference

SCHEMA: Final = generated_policies.DOMAIN.schema

WHOLE: Final = Said(
    context={"channel": "web"},
    subject={"role": "admin"},
    action={"soft": True, "copies": 2, "parts": ["a"]},
    resource={"status": "archived", "created": "2026-01-05T09:00:00Z"},
)


def faults_of(
    said: Said, subject: Reference = ALICE, resource: Reference = REPORT
) -> list[tuple[str, str]]:
    """Find what is wrong with what is said, as code and sentence."""
    with pytest.raises(RequestError) as caught:
        build_checked_request(SCHEMA, subject, "read", resource, said)
    assert all(f"`{fault.where}`" in fault.message for fault in caught.value.faults)
    return [(fault.code, fault.message) for fault in caught.value.faults]


@pytest.mark.parametrize("said", [Said(), WHOLE])
def test_what_the_domain_takes_is_said(said: Said) -> None:
    """Where each name is one of the domain's, the request is the one that a program would make."""
    expected = build_request(SCHEMA, ALICE, "read", REPORT, said)

    assert expected == build_checked_request(SCHEMA, ALICE, "read", REPORT, said)


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("no `subject.rol` comes with a question; did you mean `role`?", Said(subject={"rol": 1})),
        ("no `subject.status` comes with a question; there is `role`", Said(subject={"status": 1})),
        ("no `subject.name` comes with a question: it is stored", Said(subject={"name": "x"})),
        ("no `resource.id` comes with a question: it is stored", Said(resource={"id": "x"})),
        (
            "no `resource.readers` comes with a question: it is stored",
            Said(resource={"readers": 1}),
        ),
        ("no `action.sotf` comes with a question; did you mean `soft`?", Said(action={"sotf": 1})),
        ("no `action.channel` comes with a question; ", Said(action={"channel": "web"})),
        ("no `context.soft` comes with a question; there is `channel`", Said({"soft": True})),
        ("no `context.` comes with a question; there is `channel`", Said({"": True})),
    ],
)
def test_a_name_that_does_not_count_is_refused(expected: str, said: Said) -> None:
    """A slip of the pen, and what the store knows better, are told with what was meant."""
    [(code, message)] = faults_of(said)

    assert "unknown_name" == code
    assert message.startswith(expected)


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("`subject.role` must be a string", Said(subject={"role": 7})),
        ("`resource.size` must be an integer", Said(resource={"size": "3"})),
        ("`resource.created` must be a time such as", Said(resource={"created": "soon"})),
        ("`action.soft` must be a boolean", Said(action={"soft": "true"})),
        ("`action.parts` must be a list, each item a string", Said(action={"parts": "a"})),
        ("`context.channel` must be a string", Said(context={"channel": ["web"]})),
    ],
)
def test_a_value_of_another_type_is_refused(expected: str, said: Said) -> None:
    """The value must be what the domain says, and is named as people name it."""
    [(code, message)] = faults_of(said)

    assert "wrong_type" == code
    assert message.startswith(expected)


def test_everything_is_told_at_once() -> None:
    """Names that do not count and values of another type have a fault each."""
    said = Said({"x": 1}, {"role": 1}, {"soft": 1}, {"x": 1})

    assert ["wrong_type", "unknown_name", "unknown_name", "wrong_type"] == [
        code for code, _ in faults_of(said)
    ]


def test_what_is_said_of_an_unknown_type_is_left_to_the_decision() -> None:
    """Nobody knows which attributes it has; the answer says that there is no such type."""
    stranger, said = Reference("stranger", "x"), Said(subject={"x": 1}, resource={"x": 1})

    assert {} == build_checked_request(SCHEMA, stranger, "read", stranger, said).supplied


@pytest.mark.parametrize(
    ("expected", "texts"),
    [
        (Said(), []),
        (Said(action={"soft": True}), ["action.soft=true"]),
        (Said(action={"copies": -2}), ["action.copies=-2"]),
        (Said(action={"parts": ["a", "b"]}), ['action.parts=["a", "b"]']),
        (Said(subject={"role": "admin"}), ["subject.role=admin"]),
        (Said(subject={"role": "true"}), ['subject.role="true"']),
        (Said(resource={"title": ""}), ["resource.title="]),
        (Said(resource={"title": "a=b"}), ["resource.title=a=b"]),
        (Said(resource={"title": "007"}), ["resource.title=007"]),
        (Said(resource={"a.b": "["}), ["resource.a.b=["]),
        (Said(resource={"title": "[" * 100_000}), ["resource.title=" + "[" * 100_000]),
        (Said(resource={"created": "2026-01-05"}), ["resource.created=2026-01-05"]),
        (Said({"ticket": "x"}, resource={"size": 1}), ["resource.size=1", "context.ticket=x"]),
    ],
)
def test_what_is_said_can_be_written_as_text(expected: Said, texts: list[str]) -> None:
    """A value is JSON where it parses, and else text."""
    assert expected == read_said(texts)


@pytest.mark.parametrize(
    ("expected", "texts"),
    [
        ("`soft` is not of the form PART.NAME=VALUE, as in action.soft=true", ["soft"]),
        ("`action.soft` is not of the form PART.NAME=VALUE", ["action.soft"]),
        ("`soft=true` is not of the form PART.NAME=VALUE", ["soft=true"]),
        ("`action.=true` is not of the form PART.NAME=VALUE", ["action.=true"]),
        ("`acton` is no part of a question; did you mean `action`?", ["acton.soft=true"]),
        ("`x` is no part of a question; there is `action`, `context`, ", ["x.soft=true"]),
        ("`action.soft` is said twice", ["action.soft=true", "action.soft=true"]),
        ("`action.soft` is null; leave out what is not said", ["action.soft=null"]),
    ],
)
def test_what_says_nothing_is_refused(expected: str, texts: list[str]) -> None:
    """A text of another form is told, with the form or with what was meant."""
    with pytest.raises(ValueError, match="^" + re.escape(expected)):
        read_said(texts)


SCALARS: Final = st.one_of(st.booleans(), st.integers(), st.text(), st.sampled_from(["1", '"a"']))
NAMES: Final = st.text(min_size=1).filter(lambda name: "=" not in name)
VALUES: Final = st.dictionaries(NAMES, SCALARS | st.lists(SCALARS), max_size=3)


@given(parts=st.fixed_dictionaries(dict.fromkeys(PARTS, VALUES)))
def test_what_is_written_is_read_as_the_same(parts: dict[str, Any]) -> None:
    """Whatever can be said is said again by its text, number for number and text for text."""
    said = Said(**parts)

    assert repr(said) == repr(read_said(write_said(said)))
