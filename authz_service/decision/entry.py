"""An entry of the decision log, and how entries become the lines of a block and back.

A line is an array, in the order of `Decided`, without what all entries of a block have in common:
that is the first line of the block. So writing costs a microsecond an entry, and a block compresses
to a tenth. What is given out of an entry is an object whose members have names.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec import DecodeError, Struct
from msgspec.json import Decoder, Encoder

from authz_service.policy.engine import Finding
from authz_service.policy.request import Request, Said, build_request, read_given
from authz_service.store.entity import Reference
from authz_service.store.journal import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from authz_service.decision.redaction import Redaction
    from authz_service.polar.schema import Schema

_BLOCK: Final = 1_000
# More compression takes several times as long, and saves a fifth.
_COMPRESSION: Final = 1


class Kind(StrEnum):
    """What came to be decided, and how."""

    CHECK = "check"
    PERFORM = "perform"
    SEARCH_SUBJECT = "search_subject"
    SEARCH_RESOURCE = "search_resource"
    SEARCH_ACTION = "search_action"


class About(Struct, frozen=True, array_like=True):
    """What the entries of a block have in common.

    Arguments:
        policy_digest: which policy set decided.
        engine: which engine.
        parameters: the names that were said about the action; all others, about the request.
    """

    policy_digest: str
    engine: str
    parameters: tuple[str, ...]


# A decision as it is taken: about, kind, time, nanoseconds, client, request, finding, found. It is
# a tuple, for each question waits until it is made.
Noted = tuple[About, Kind, datetime, int, str, Request, Finding, int | None]
# A decision before it is written: the members of `Decided`, in their order.
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Written:
    """Decisions that are lines.

    Arguments:
        about: what they have in common.
        since: the time of the earliest.
        until: the time of the latest.
        text: a line each; as one text, for many small ones cost more memory than they hold.
    """

    about: About
    since: datetime
    until: datetime
    text: bytes


class Decided(Struct, array_like=True, frozen=True, gc=False):
    """A decision, as the log has it.

    Arguments:
        kind: how it was asked for.
        at: when.
        microseconds: how long it took; of several that were decided together, its share.
        client: the name of the API key; empty for none.
        found: how many a search found; None for what is no search.
        subject: who asked.
        action: what for.
        resource: on what.
        given: what was said about the request and the action.
        supplied: what was said of subject and resource, as `subject.role`; None for nothing.
        finding: the reasons, the rules and the revision.
        redacted: what was dropped or replaced before it was written, by its path; None for nothing.
    """

    kind: Kind
    at: datetime
    microseconds: int
    client: str
    found: int | None
    subject: Reference
    action: str
    resource: Reference
    given: dict[str, Any]
    supplied: dict[str, Any] | None
    finding: Finding
    redacted: dict[str, str] | None = None


class Entry(NamedTuple):
    """An entry of the log.

    Arguments:
        segment: the number of its segment.
        number: its own in the segment, from 1.
        about: what it has in common with those around it.
        decided: the decision.
    """

    segment: int
    number: int
    about: About
    decided: Decided

    @property
    def id(self) -> str:
        """By which it is named."""
        return f"{self.segment}-{self.number}"

    @property
    def allowed(self) -> bool | None:
        """Whether the subject may; None for a search, which decides about many."""
        return None if self.decided.found is not None else not self.decided.finding.reasons

    @property
    def can_be_asked(self) -> bool:
        """Whether it is a question that can be asked again: no search, and whole."""
        return self.decided.found is None and not self.decided.redacted

    def rebuild_request(self, schema: Schema) -> Request:
        """Build the request again, to ask it; `can_be_asked` tells whether that makes sense.

        Raises:
            RequestError: when a value is not of the type that the schema declares by now.
        """
        decided = self.decided
        given = decided.given
        if not decided.supplied:
            known = read_given(schema, given, given)
            return Request(decided.subject, decided.action, decided.resource, known)
        subject, resource = (_pick(decided.supplied, part) for part in ("subject.", "resource."))
        said = Said(given, subject, given, resource)
        return build_request(schema, decided.subject, decided.action, decided.resource, said)


_ENCODER: Final = Encoder()
_DECODER: Final = Decoder(Decided)
_ABOUT: Final = Decoder(About)


def write_noted(noted: Sequence[Noted], redaction: Redaction | None) -> Iterator[Written]:
    """Write decisions that were taken one by one."""
    for about, group in groupby(noted, itemgetter(0)):
        part = list(group)
        rows = [
            (kind, at, took // 1_000, client, found, *request[:4], request[4] or None, finding)
            for _, kind, at, took, client, request, finding, found in part
        ]
        times = [each[2] for each in part]
        yield Written(about, min(times), max(times), write_rows(rows, redaction))


def write_rows(rows: Sequence[Row], redaction: Redaction | None) -> bytes:
    """Write decisions as lines."""
    if redaction:
        rows = [redaction.apply(row) for row in rows]
    try:
        return _ENCODER.encode_lines(rows)
    except UnicodeEncodeError:
        return b"".join(encode(row) + b"\n" for row in rows)


def write_blocks(written: Written) -> Iterator[Lines]:
    """Cut lines into blocks."""
    header = _ENCODER.encode(written.about) + b"\n"
    lines = written.text.splitlines(keepends=True)
    for start in range(0, len(lines), _BLOCK):
        part = lines[start : start + _BLOCK]
        data = zlib.compress(header + b"".join(part), _COMPRESSION)
        yield Lines(header, part, written.since, written.until, data)


def read_block(segment: int, first: int, data: bytes) -> Iterator[Entry]:
    """Read the entries of a block.

    Arguments:
        segment: its number.
        first: the number of the first entry.
        data: the block, as it is stored.

    Raises:
        ValueError: when it cannot be read.
    """
    header, _, text = unpack(data).partition(b"\n")
    yield from read_lines(segment, first, header, text)


def read_lines(segment: int, first: int, header: bytes, text: bytes) -> Iterator[Entry]:
    """Read the entries of a block that was unpacked; as above.

    Arguments:
        segment: its number.
        first: the number of the first entry.
        header: its first line.
        text: all others.

    Raises:
        ValueError: when they cannot be read.
    """
    try:
        about = _ABOUT.decode(header)
        decided = _decode_lines(text)
    except DecodeError as error:  # a value of a wrong type is one as well
        raise ValueError(str(error)) from None
    for number, each in enumerate(decided, first):
        yield Entry(segment, number, about, each)


def unpack(data: bytes) -> bytes:
    """Unpack the lines of a block.

    Raises:
        ValueError: when that cannot be done.
    """
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(str(error)) from None


def describe(entry: Entry) -> dict[str, Any]:
    """Write an entry as JSON has it; `request` is what can be asked again over HTTP."""
    decided, finding = entry.decided, entry.decided.finding
    answer: dict[str, Any] = {"found": decided.found}
    if decided.found is None:
        answer = {
            "decision": entry.allowed,
            "reasons": finding.reasons,
            "rules": finding.rules,
        }
    return {
        "id": entry.id,
        "at": decided.at,
        "kind": decided.kind,
        "client": decided.client,
        "request": _describe_request(entry),
        **answer,
        "policy_digest": entry.about.policy_digest,
        "revision": finding.revision,
        "engine": entry.about.engine,
        "microseconds": decided.microseconds,
        "redacted": decided.redacted or {},
    }


def write_entry(entry: Entry) -> bytes:
    """Write an entry as JSON on one line, without its end."""
    return encode(describe(entry))


def encode(data: Any) -> bytes:
    """Write JSON on one line; what is no text in Unicode is escaped."""
    try:
        return _ENCODER.encode(data)
    except UnicodeEncodeError:
        return json.dumps(data, default=_encode_value, separators=(",", ":")).encode()


def _encode_value(value: Any) -> Any:
    """Write what `json` does not know."""
    return msgspec.to_builtins(value)


def _decode_lines(text: bytes) -> list[Decided]:
    try:
        return _DECODER.decode_lines(text)
    except DecodeError:
        return [_decode_line(each) for each in text.splitlines()]


def _decode_line(line: bytes) -> Decided:
    try:
        return _DECODER.decode(line)
    except DecodeError:
        # an id can be half a character; `json` reads it
        return msgspec.convert(json.loads(line), Decided)


def _describe_request(entry: Entry) -> dict[str, Any]:
    decided, parameters = entry.decided, entry.about.parameters
    given, supplied = decided.given, decided.supplied or {}
    said = {name: value for name, value in given.items() if name in parameters}
    context = {name: value for name, value in given.items() if name not in parameters}
    return {
        "subject": _describe_entity(decided.subject, _pick(supplied, "subject.")),
        "action": {"name": decided.action, **_describe_properties(said)},
        "resource": _describe_entity(decided.resource, _pick(supplied, "resource.")),
        "context": _leave_out_nothing(context),
    }


def _describe_entity(reference: Reference, supplied: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": reference.type, "id": reference.id, **_describe_properties(supplied)}


def _describe_properties(said: Mapping[str, Any]) -> dict[str, Any]:
    left = _leave_out_nothing(said)
    return {"properties": left} if left else {}


def _leave_out_nothing(said: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what nobody said."""
    return {name: value for name, value in said.items() if value not in (None, [])}


def _pick(supplied: Mapping[str, Any], part: str) -> dict[str, Any]:
    return {
        name.removeprefix(part): value for name, value in supplied.items() if name.startswith(part)
    }
