"""A request body, or a line of a file, as JSON: I-JSON (RFC 7493), an object, of bounded depth."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, Final

from authz_service.errors import Place, RequestError, quote

_DEEPEST: Final = 64
_LONGEST_INTEGER: Final = 309  # digits of the largest double
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_BRACKET: Final = re.compile(r"[\[\]{}]")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(body: bytes, what: str = "body") -> dict[str, Any]:
    """Read a request body, strictly: I-JSON (RFC 7493), an object, of bounded depth.

    Arguments:
        body: what was sent, in UTF-8.
        what: how it is called in messages, and the place of what is wrong.

    Raises:
        RequestError: when it is anything else.
    """
    try:
        text = body.decode("utf-8")
        _check_depth(text)
        data = json.loads(
            text,
            object_pairs_hook=_build_object,
            parse_constant=_refuse_constant,
            parse_float=_parse_float,
            parse_int=_parse_int,
        )
        if _SURROGATE.search(text):
            json.dumps(data, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        message = f"the {what} is not Unicode text in UTF-8"
        raise RequestError.at(what, "invalid_json", message) from None
    except json.JSONDecodeError as error:
        place = Place(what, error.lineno, error.colno)
        message = f"the {what} is not JSON: {error.msg[0].lower()}{error.msg[1:]}"
        raise RequestError.at(place, "invalid_json", message) from None
    except ValueError as error:
        raise RequestError.at(what, "invalid_json", f"the {what} {error}") from None
    if not isinstance(data, dict):
        raise RequestError.at(what, "invalid_request", f"the {what} must be a JSON object")
    return data


def _check_depth(text: str) -> None:
    """Refuse deep nesting before any parser recurses into it."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > _DEEPEST:
            raise ValueError(f"is nested deeper than {_DEEPEST} levels")


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"names the member {quote(twice)} twice in one object")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"holds {name}, which is not JSON")


def _parse_int(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise ValueError("holds a number that is too large")
    return int(text)


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("holds a number that is too large")
    return number
