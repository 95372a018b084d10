"""Questions that were asked, read from lines."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from generated_policies import DOMAIN

from authz_service.errors import RequestError
from authz_service.policy.asked import Asked, read_asked
from authz_service.policy.request import Said, build_request
from authz_service.store.entity import Reference

QUESTION: Final = {
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "read"},
    "resource": {"type": "record", "id": "report"},
}
ALICE_READS: Final = (Reference("user", "alice"), "read", Reference("record", "report"))


def read(*lines: dict[str, Any] | bytes) -> list[Asked]:
    """Read some lines."""
    written = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]
    file = io.BytesIO(b"\n".join(written))
    return list(read_asked(file, "asked.jsonl", DOMAIN.schema, lambda _count: None))


def test_a_line_is_a_question() -> None:
    """Subject, action and resource are enough."""
    assert [Asked(build_request(DOMAIN.schema, *ALICE_READS))] == read(QUESTION)


def test_a_line_says_what_came_with_the_question() -> None:
    """Context, properties, the time and the client; what the domain does not have is ignored."""
    line = {
        "subject": {**QUESTION["subject"], "properties": {"role": "admin", "name": "x"}},
        "action": {"name": "read", "properties": {"parts": ["a"], "other": 1}},
        "resource": {**QUESTION["resource"], "properties": {"size": 3}},
        "context": {"channel": "web", "ip": "10.0.0.1"},
        "time": "2026-01-05T10:00:00+01:00",
        "client": "billing",
        "decision": True,
    }
    said = Said({"channel": "web"}, {"role": "admin"}, {"parts": ["a"]}, {"size": 3})
    request = build_request(DOMAIN.schema, *ALICE_READS, said)

    assert [Asked(request, datetime(2026, 1, 5, 9, tzinfo=UTC), "billing")] == read(line)


def test_empty_lines_are_passed_over() -> None:
    """A file may end with one, or with none."""
    assert 2 == len(read(QUESTION, b"", b"  ", QUESTION, b""))
    assert [] == read(b"")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("asked.jsonl:2: the line is no question: ", b"not json"),
        ("the line is no question: ", b"[1]"),
        ("the line is no question: ", b"\xff"),
        ("the line is no question: ", b'{"a":' * 5_000),
        ("missing required field `subject`", {"action": {"name": "read"}}),
        ("expected `str`, got `int`", {**QUESTION, "action": {"name": 1}}),
        ("invalid RFC3339", {**QUESTION, "time": "yesterday"}),
        ("`time` has no zone", {**QUESTION, "time": "2026-01-05T09:00:00"}),
        ("`context.channel` must be a string", {**QUESTION, "context": {"channel": 1}}),
    ],
)
def test_a_line_that_is_no_question_is_told_with_its_number(
    said: str, line: dict[str, Any] | bytes
) -> None:
    """Nothing is passed over in silence."""
    with pytest.raises(RequestError) as caught:
        read(QUESTION, line)

    assert said in str(caught.value)
    assert 2 == caught.value.faults[0].where.line


def test_a_line_without_an_end_is_not_read_whole() -> None:
    """No file is taken into memory as one line."""
    with pytest.raises(RequestError, match="it is longer than 16 MiB"):
        read(b" " * (16 * 1_024 * 1_024) + b"{")


def test_how_far_it_is_is_told() -> None:
    """All bytes are counted, once."""
    line = json.dumps(QUESTION).encode() + b"\n"
    told: list[int] = []
    list(read_asked(io.BytesIO(line * 2_500), "asked", DOMAIN.schema, told.append))

    assert [1_000 * len(line), 1_000 * len(line), 500 * len(line)] == told
