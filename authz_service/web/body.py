"""What comes with a request: JSON, taken whole, or lines of it, put aside; and the reason."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

from flask import request
from werkzeug.exceptions import LengthRequired, RequestEntityTooLarge

from authz_service.errors import RequestError, RequestTooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON: Final = "application/json"
JSON_LINES: Final = "application/jsonl"
# What people called it before.
LINES: Final = (JSON_LINES, "application/x-ndjson")

# Why a client writes something.
REASON: Final = "X-Reason"
_LONGEST_REASON: Final = 1_000

# How many bytes are read at once: so many must come in the time that a client has for a body.
_CHUNK: Final = 1_024 * 1_024


def read_body(kind: str = JSON) -> bytes:
    """Take the body of a request; AuthZEN's certification wants 400 for any other type than JSON.

    Arguments:
        kind: the media type that it must have.
    """
    _check_type(kind)
    body = request.get_data(cache=False)
    # werkzeug cuts a body without a length at the limit, and does not say so
    if request.content_length is None and len(body) >= (request.max_content_length or 0):
        raise RequestEntityTooLarge
    return body


@contextmanager
def put_aside(most: int) -> Iterator[IO[bytes]]:
    """Put lines of JSON aside on the disk, whole, before anything is done with them.

    So a client that is slow keeps nobody from writing. A body without a length is refused: when it
    comes in chunks, the server does not tell one that broke off from one that is complete.

    Arguments:
        most: how many bytes there may be.
    """
    _check_type(*LINES)
    length = request.content_length
    if length is None:
        raise LengthRequired("send a `Content-Length`: only so it shows that nothing is missing")
    if length > most:
        message = f"the body is larger than {most} bytes; the setting is `max_import`"
        raise RequestTooLargeError.at("body", "request_entity_too_large", message)
    request.max_content_length = most
    with tempfile.TemporaryFile() as file:
        while piece := request.stream.read(_CHUNK):
            file.write(piece)
        if file.tell() != length:
            message = "the body broke off before its end; send it again"
            raise RequestError.at("body", "incomplete_body", message)
        file.seek(0)
        yield file


def _check_type(*types: str) -> None:
    if request.mimetype not in types:
        message = f"the Content-Type must be `{types[0]}`"
        raise RequestError.at("Content-Type", "wrong_content_type", message)


def read_reason() -> str:
    """Read why the client writes something, in words; empty where it does not say.

    Raises:
        RequestError: when the words cannot be read, or there are too many of them.
    """
    given = request.headers.get(REASON, "")
    try:
        reason = given.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise RequestError.at(REASON, "not_text", f"`{REASON}` must be text in UTF-8") from None
    if len(reason) > _LONGEST_REASON:
        message = f"`{REASON}` has at most {_LONGEST_REASON} characters; give a shorter one"
        raise RequestError.at(REASON, "reason_too_long", message)
    return reason
