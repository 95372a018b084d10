"""Request bodies: strict JSON is read as it is, everything else refused in our words."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import Fault, Place, RequestError
from authz_service.strict_json import parse_json

# All that JSON can say, within what every parser agrees on.
VALUES: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
).filter(lambda value: "Infinity" not in json.dumps(value))


def nest(levels: int) -> bytes:
    """Write an object that is as many levels deep."""
    return b'{"a":' * levels + b"1" + b"}" * levels


def refuse(body: bytes) -> Fault:
    """Have a body refused, and give back the one fault that it has."""
    with pytest.raises(RequestError) as caught:
        parse_json(body)
    (fault,) = caught.value.faults
    return fault


@given(st.dictionaries(st.text(), VALUES, max_size=3), st.sampled_from([True, False]))
def test_an_object_is_read_as_it_is(data: dict[str, Any], escaped: object) -> None:
    """Whatever is proper JSON comes through unchanged, escaped or not."""
    assert data == parse_json(json.dumps(data, ensure_ascii=bool(escaped)).encode())


@given(st.binary(max_size=50) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_a_body_is_an_object_or_a_fault(body: bytes) -> None:
    """Any bytes at all are an object or one fault that says why not."""
    try:
        found: object = parse_json(body)
    except RequestError as error:
        found = error.faults

    assert isinstance(found, dict) or (isinstance(found, tuple) and len(found) == 1)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is not JSON: expecting value"),
        (b" ", "the body is not JSON: expecting value"),
        (b"{", "the body is not JSON: expecting property name enclosed in double quotes"),
        (b"{'a': 1}", "the body is not JSON: expecting property name enclosed in double quotes"),
        (b"{} {}", "the body is not JSON: extra data"),
        (b'{"a": 01}', "the body is not JSON: expecting ',' delimiter"),
        (b'{"a": "\n"}', "the body is not JSON: invalid control character at"),
        (b'{"a": NaN}', "the body holds NaN, which is not JSON"),
        (b'{"a": Infinity}', "the body holds Infinity, which is not JSON"),
        (b'{"a": [-Infinity]}', "the body holds -Infinity, which is not JSON"),
        (b'{"a": 1e999}', "the body holds a number that is too large"),
        (b'{"a": -1e999}', "the body holds a number that is too large"),
        (b'{"a": 1, "a": 1}', "the body names the member `a` twice in one object"),
        (b'{"a": 1, "\\u0061": 1}', "the body names the member `a` twice in one object"),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', "the body names the member `b` twice in one object"),
        (b'{"a": "\\ud800"}', "the body is not Unicode text in UTF-8"),
        (b'{"\\uDfFf": 1}', "the body is not Unicode text in UTF-8"),
        (b'{"a": "\\ude00\\ud83d"}', "the body is not Unicode text in UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "the body is not Unicode text in UTF-8"),
        (b'{"a": "caf\xe9"}', "the body is not Unicode text in UTF-8"),
        ("{}".encode("utf-16"), "the body is not Unicode text in UTF-8"),
        (nest(65), "the body is nested deeper than 64 levels"),
        (nest(1_000), "the body is nested deeper than 64 levels"),
        (b"[" * 100_000, "the body is nested deeper than 64 levels"),
    ],
)
def test_what_is_not_strict_json_is_refused(body: bytes, message: str) -> None:
    """Whatever two parsers could read differently, or not at all, is refused, and named."""
    fault = refuse(body)

    assert ("body", "invalid_json", message) == (fault.where.name, fault.code, fault.message)


def test_a_mistake_in_json_has_its_line_and_column() -> None:
    """The place of a mistake is where the mistake is."""
    assert Place("body", 2, 7) == refuse(b'{"a": 1,\n "b": x}').where


@pytest.mark.parametrize("body", [b"null", b"3", b'"a"', b"[]", b"[{}]", b"true"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    """JSON that is not an object is no request."""
    expected = Fault(Place("body"), "invalid_request", "the body must be a JSON object")

    assert expected == refuse(body)


@pytest.mark.parametrize("number", [b"9" * 5_000, b"-" + b"9" * 5_000, b"9" * 500_000])
def test_a_huge_integer_is_refused_in_our_words(number: bytes) -> None:
    """An integer of thousands of digits is refused as other huge numbers are."""
    expected = "the body holds a number that is too large"

    assert expected == refuse(b'{"a": ' + number + b"}").message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        ('{"a": "\\\\ud800"}', {"a": "\\ud800"}),
        ('{"a": "😀"}', {"a": "😀"}),
        ('{"a": "' + "[" * 100 + '"}', {"a": "[" * 100}),
        ('{"a": "\\"' + "[" * 100 + '\\\\"}', {"a": '"' + "[" * 100 + "\\"}),
        ('{"a": [' + "[]," * 100 + "[]]}", {"a": [[]] * 101}),
        ('{"a": {"b": 1}, "c": {"b": 1}}', {"a": {"b": 1}, "c": {"b": 1}}),
        ('{"a": 9007199254740993}', {"a": 9007199254740993}),
    ],
    ids=[
        "pair-of-surrogates",
        "escaped-backslash",
        "emoji",
        "brackets-in-text",
        "quotes-in-text",
        "wide-not-deep",
        "same-name-elsewhere",
        "large-integer",
    ],
)
def test_what_only_looks_odd_is_read(text: str, expected: dict[str, Any]) -> None:
    """What resembles a forbidden thing, and is none, is read."""
    assert expected == parse_json(text.encode())


def test_nesting_is_fine_up_to_the_limit() -> None:
    """64 levels are read; one more is refused, as above."""
    assert ["a"] == list(parse_json(nest(64)))


def test_a_long_name_is_cut_in_the_message() -> None:
    """A message does not repeat a name of any length."""
    name = b'"' + b"n" * 1_000 + b'"'
    fault = refuse(b"{" + name + b":1," + name + b":1}")

    assert len(fault.message) < 200
