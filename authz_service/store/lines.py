"""Entities and changes as JSON: a line each, and how a line is read."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from msgspec import DecodeError, Struct
from msgspec.json import Decoder, Encoder

from authz_service.errors import RequestError
from authz_service.strict_json import parse_json

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINE: Final = "line"


class Line(Struct, gc=False):
    """A line that holds an entity; its attributes are not looked at yet."""

    type: str
    id: str
    attributes: dict[str, Any]


_DECODER: Final = Decoder(Line)
_ENCODER: Final = Encoder()
# `type`, `id` and `attributes`
_MEMBERS: Final = len(Line.__struct_fields__)
_ATTRIBUTES: Final = attrgetter("attributes")


def write_json(data: Any) -> bytes:
    """Write JSON on one line, without the end of the line."""
    return _ENCODER.encode(data)


def read_usual_lines(lines: Sequence[bytes]) -> list[Line] | None:
    """Read lines at once; None where one of them is not usual, so each is to be read by itself.

    The compiled decoder passes over members that it does not know and takes the last of several of
    one name; when there are as many colons as members were decoded, it has done neither.
    """
    try:
        found = list(map(_DECODER.decode, lines))
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    members = _MEMBERS * len(found) + sum(map(len, map(_ATTRIBUTES, found)))
    data = b"".join(lines)
    return found if data.count(b":") == members and b"\\" not in data else None


def read_line(data: bytes) -> Line:
    """Read a line as strictly as the body of a request; members that are not known are ignored.

    Raises:
        RequestError: when it is not of the agreed form; the place is within the line.
    """
    usual = read_usual_lines([data])
    if usual:
        return usual[0]
    found = parse_json(data, _LINE)
    for name, kind, wanted in (
        ("type", str, "text"),
        ("id", str, "text"),
        ("attributes", dict, "an object"),
    ):
        if name not in found:
            raise RequestError.at(_LINE, "invalid_request", f"`{name}` is missing")
        if not isinstance(found[name], kind):
            raise RequestError.at(_LINE, "invalid_request", f"`{name}` must be {wanted}")
    return Line(found["type"], found["id"], found["attributes"])
