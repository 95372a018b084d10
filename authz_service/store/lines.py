"""Entities and changes as JSON: a line each, and how a line is read."""

from __future__ import annotations

from typing import Any, Final

from msgspec import DecodeError, Struct
from msgspec.json import Decoder, Encoder

from authz_service.errors import RequestError
from authz_service.strict_json import parse_json

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


def write_json(data: Any) -> bytes:
    """Write JSON on one line, without the end of the line."""
    return _ENCODER.encode(data)


def read_line(data: bytes) -> Line:
    """Read a line as strictly as the body of a request; members that are not known are ignored.

    A compiled decoder reads the usual line. It passes over members that it does not know and takes
    the last of several of one name; when there are as many colons as members were decoded, it has
    done neither.

    Raises:
        RequestError: when it is not of the agreed form; the place is within the line.
    """
    try:
        line = _DECODER.decode(data)
        if b"\\" not in data and data.count(b":") == _MEMBERS + len(line.attributes):
            return line
    except (DecodeError, UnicodeDecodeError, RecursionError):
        pass
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
