"""An entry of the decision log, and how entries become the lines of a block and back.

A line is an array, in the order of `_Line`, without what all entries of a block have in common:
that is the first line of the block. So writing costs a microsecond an entry, and a block compresses
to a tenth. What is given out of an entry is an object whose members have names.
"""

from __future__ import annotations

import json
import zlib
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec import DecodeError, Struct
from msgspec.json import Decoder, Encoder

from authz_service.policy.engine import Finding
from authz_service.policy.request import Request, Said, build_request, read_given
from authz_service.store.entity import Reference
from authz_service.store.journal import Lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from authz_service.decision.redaction import Redaction
    from authz_service.polar.schema import Schema

# A block is as long as this, or as one batch that is longer; no longer than the other.
_USUAL_BLOCK: Final = 500
_LONGEST_BLOCK: Final = 1_000
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


class Taken(NamedTuple):
    """Decisions that were made together: an entry each.

    Arguments:
        about: what they have in common with all others.
        kind: how they were asked for.
        at: when.
        microseconds: how long one of them took; of several, its share.
        client: the name of the API key; empty for none.
        requests: what was asked.
        findings: what was found, as many.
        found: how many a search found.
    """

    about: About
    kind: str
    at: datetime
    microseconds: int
    client: str
    requests: Sequence[Request]
    findings: Sequence[Finding]
    found: int | None = None


class _Line(Struct, array_like=True, gc=False):
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
    """A decision, as the log has it.

    Arguments:
        segment: the number of its segment.
        number: its own in the segment, from 1.
        about: what it has in common with those around it.
        kind: how it was asked for.
        at: when.
        microseconds: how long it took.
        client: the name of the API key; empty for none.
        found: how many a search found; None for what is no search.
        subject: who asked.
        action: what for.
        resource: on what.
        given: what was said about the request and the action.
        supplied: what was said of subject and resource, as `subject.role`.
        finding: the reasons, the rules and the revision.
        redacted: what was dropped or replaced before it was written, by its path.
    """

    segment: int
    number: int
    about: About
    kind: Kind
    at: datetime
    microseconds: int
    client: str
    found: int | None
    subject: Reference
    action: str
    resource: Reference
    given: Mapping[str, Any]
    supplied: Mapping[str, Any]
    finding: Finding
    redacted: Mapping[str, str]

    @property
    def id(self) -> str:
        """By which it is named."""
        return f"{self.segment}-{self.number}"

    @property
    def allowed(self) -> bool | None:
        """Whether the subject may; None for a search, which decides about many."""
        return None if self.found is not None else not self.finding.reasons

    @property
    def can_be_asked(self) -> bool:
        """Whether it is a question that can be asked again: no search, and whole."""
        return self.found is None and not self.redacted

    def rebuild_request(self, schema: Schema) -> Request:
        """Build the request again, to ask it; `can_be_asked` tells whether that makes sense.

        Raises:
            RequestError: when a value is not of the type that the schema declares by now.
        """
        if not self.supplied:
            given = read_given(schema, self.given, self.given)
            return Request(self.subject, self.action, self.resource, given)
        subject, resource = (_pick(self.supplied, part) for part in ("subject.", "resource."))
        said = Said(self.given, subject, self.given, resource)
        return build_request(schema, self.subject, self.action, self.resource, said)


_ENCODER: Final = Encoder()
_DECODER: Final = Decoder(_Line)
_ABOUT: Final = Decoder(About)


def write_blocks(taken: Iterable[Taken], redaction: Redaction | None) -> Iterator[Lines]:
    """Write decisions as the lines of blocks."""
    for group in _group(taken):
        rows = [row for each in group for row in _write_rows(each, redaction)]
        about = _ENCODER.encode(group[0].about) + b"\n"
        text = _encode_rows(rows)
        times = [each.at for each in group]
        lines = text.splitlines(keepends=True)
        yield Lines(about, lines, min(times), max(times), zlib.compress(about + text, _COMPRESSION))


def read_block(segment: int, first: int, data: bytes) -> Iterator[Entry]:
    """Read the entries of a block.

    Arguments:
        segment: its number.
        first: the number of the first entry.
        data: the block, as it is stored.

    Raises:
        ValueError: when it cannot be read.
    """
    about_line, _, text = unpack(data).partition(b"\n")
    try:
        about = _ABOUT.decode(about_line)
        lines = _decode_lines(text)
    except (DecodeError, msgspec.ValidationError) as error:
        raise ValueError(str(error)) from None
    for number, line in enumerate(lines, first):
        yield Entry(
            segment,
            number,
            about,
            line.kind,
            line.at,
            line.microseconds,
            line.client,
            line.found,
            line.subject,
            line.action,
            line.resource,
            line.given,
            line.supplied or {},
            line.finding,
            line.redacted or {},
        )


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
    found: dict[str, Any] = {
        "id": entry.id,
        "at": entry.at,
        "kind": entry.kind,
        "client": entry.client,
        "request": _describe_request(entry),
    }
    if entry.found is None:
        found["decision"] = entry.allowed
        found["reasons"] = entry.finding.reasons
        found["rules"] = entry.finding.rules
    else:
        found["found"] = entry.found
    return found | {
        "policy_digest": entry.about.policy_digest,
        "revision": entry.finding.revision,
        "engine": entry.about.engine,
        "microseconds": entry.microseconds,
        "redacted": entry.redacted,
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


def _group(taken: Iterable[Taken]) -> Iterator[list[Taken]]:
    """Put together what becomes a block."""
    group: list[Taken] = []
    size = 0
    for each in _split(taken):
        if group and (size >= _USUAL_BLOCK or each.about != group[0].about):
            yield group
            group, size = [], 0
        group.append(each)
        size += len(each.requests)
    if group:
        yield group


def _split(taken: Iterable[Taken]) -> Iterator[Taken]:
    for each in taken:
        for start in range(0, len(each.requests), _LONGEST_BLOCK):
            part = slice(start, start + _LONGEST_BLOCK)
            yield each._replace(requests=each.requests[part], findings=each.findings[part])


def _write_rows(taken: Taken, redaction: Redaction | None) -> list[tuple[Any, ...]]:
    _, kind, at, microseconds, client, requests, findings, found = taken
    if redaction is None:
        return [
            (kind, at, microseconds, client, found, *request[:4], request[4] or None, finding)
            for request, finding in zip(requests, findings, strict=True)
        ]
    rows: list[tuple[Any, ...]] = []
    for request, finding in zip(requests, findings, strict=True):
        seen, redacted = redaction.apply(request)
        supplied = seen.supplied or None
        row = (kind, at, microseconds, client, found, *seen[:4], supplied, finding, redacted)
        rows.append(row)
    return rows


def _encode_rows(rows: list[tuple[Any, ...]]) -> bytes:
    try:
        return _ENCODER.encode_lines(rows)
    except UnicodeEncodeError:
        return b"".join(encode(row) + b"\n" for row in rows)


def _encode_value(value: Any) -> Any:
    """Write what `json` does not know."""
    return msgspec.to_builtins(value)


def _decode_lines(text: bytes) -> list[_Line]:
    try:
        return _DECODER.decode_lines(text)
    except DecodeError:
        return [_decode_line(each) for each in text.splitlines()]


def _decode_line(line: bytes) -> _Line:
    try:
        return _DECODER.decode(line)
    except DecodeError:
        # an id can be half a character; `json` reads it
        return msgspec.convert(json.loads(line), _Line)


def _describe_request(entry: Entry) -> dict[str, Any]:
    parameters = entry.about.parameters
    context = {name: value for name, value in entry.given.items() if name not in parameters}
    said = {name: value for name, value in entry.given.items() if name in parameters}
    return {
        "subject": _describe_entity(entry.subject, _pick(entry.supplied, "subject.")),
        "action": {"name": entry.action} | _describe_properties(said),
        "resource": _describe_entity(entry.resource, _pick(entry.supplied, "resource.")),
        "context": {name: value for name, value in context.items() if value not in (None, [])},
    }


def _describe_entity(reference: Reference, supplied: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": reference.type, "id": reference.id} | _describe_properties(supplied)


def _describe_properties(said: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what nobody said."""
    left = {name: value for name, value in said.items() if value not in (None, [])}
    return {"properties": left} if left else {}


def _pick(supplied: Mapping[str, Any], part: str) -> dict[str, Any]:
    return {
        name.removeprefix(part): value for name, value in supplied.items() if name.startswith(part)
    }
