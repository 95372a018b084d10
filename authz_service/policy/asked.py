"""Questions that were asked, as lines of JSON: the body of a question, with when and by whom.

    {"subject": {"type": "person", "id": "mary"}, "action": {"name": "view_usage"},
     "resource": {"type": "subscription", "id": "0470000001"}, "context": {"channel": "app"},
     "time": "2026-01-05T09:00:00Z", "client": "billing"}

on one line. Everything but subject, action and resource can be left out, and other members are
ignored, so that a log may say more.
"""

from __future__ import annotations

from datetime import datetime  # msgspec reads it
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from authz_service.errors import Fault, Place, RequestError
from authz_service.policy.request import Request, Said, build_request  # noqa: TC001  # a type of ours
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authz_service.polar.schema import Schema

# Bytes; far more than the service takes as one question.
_LONGEST_LINE: Final = 16 * 1_024 * 1_024
# After how many lines it is told how far it is.
_CHUNK: Final = 1_000


class Asked(NamedTuple):
    """A question that was asked.

    Arguments:
        request: the question.
        time: when; None where that is not known.
        client: by whom; empty where that is not known.
    """

    request: Request
    time: datetime | None = None
    client: str = ""


class _Entity(Struct, gc=False):
    type: str
    id: str
    properties: dict[str, Any] | None = None


class _Action(Struct, gc=False):
    name: str
    properties: dict[str, Any] | None = None


class _Line(Struct):
    subject: _Entity
    action: _Action
    resource: _Entity
    context: dict[str, Any] | None = None
    time: datetime | None = None
    client: str | None = None


_DECODER: Final = Decoder(_Line)


def read_asked(
    file: IO[bytes], name: str, schema: Schema, tell: Callable[[int], None]
) -> Iterator[Asked]:
    """Read questions, a line each; empty lines are passed over.

    Arguments:
        file: the lines.
        name: stands for the file in the places of faults.
        schema: the vocabulary; what it does not declare is ignored.
        tell: is told how many bytes were read since it was told before.

    Raises:
        RequestError: at the first line that is no question.
    """
    read = 0
    for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE + 1), b""), start=1):
        read += len(line)
        if number % _CHUNK == 0:
            tell(read)
            read = 0
        if line.isspace():
            continue
        try:
            yield _read(line, schema)
        except RequestError as error:
            faults = (
                Fault(Place(name, number), each.code, f"{each.where}: {each.message}")
                for each in error.faults
            )
            raise RequestError(faults) from None
        except (DecodeError, ValueError, RecursionError) as error:
            message = f"the line is no question: {_shorten(error)}"
            raise RequestError.at(Place(name, number), "invalid_line", message) from None
    tell(read)


def _read(line: bytes, schema: Schema) -> Asked:
    """Read a line.

    Raises:
        RequestError: when a value is of a wrong type.
        ValueError: when it is no question.
    """
    if len(line) > _LONGEST_LINE:
        raise ValueError(f"it is longer than {_LONGEST_LINE // 1_024**2} MiB")
    found = _DECODER.decode(line)
    if found.time is not None and found.time.tzinfo is None:
        raise ValueError("`time` has no zone; write it as 2026-01-05T09:00:00Z")
    subject, action, resource = found.subject, found.action, found.resource
    said = Said(
        found.context or {},
        subject.properties or {},
        action.properties or {},
        resource.properties or {},
    )
    request = build_request(
        schema,
        Reference(subject.type, subject.id),
        action.name,
        Reference(resource.type, resource.id),
        said,
    )
    return Asked(request, found.time, found.client or "")


def _shorten(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:1].lower() + text[1:]
