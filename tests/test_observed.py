"""An engine that tells what it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from covering import POLICY, compile_text, read_by
from small_domain import ALICE, BOB, NOON, NOTE, REPORT, build_records

from authz_service.policy.observed import Observed
from authz_service.policy.request import Page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from authz_service.policy.engine import Finding
    from authz_service.policy.request import Request
    from authz_service.store.database import Store

QUESTIONS = [read_by(ALICE, REPORT), read_by(BOB, NOTE), read_by(ALICE, NOTE)]


@pytest.fixture
def records() -> Iterator[Store]:
    """The records, in memory."""
    store = build_records()
    yield store
    store.close()


class Notes:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Request, Finding]] = []
        self.engine = Observed(compile_text(POLICY), self.note)

    def note(self, _store: Store, request: Request, _now: datetime, finding: Finding) -> None:
        """Note a question, and what was found."""
        self.told.append((request, finding))


def test_it_decides_as_the_engine_does_and_tells_each_question(records: Store) -> None:
    """One by one, and many at once."""
    one, many = Notes(), Notes()
    plain = [compile_text(POLICY).decide(records, each, NOON) for each in QUESTIONS]

    assert plain == [one.engine.decide(records, each, NOON) for each in QUESTIONS]
    assert plain == many.engine.decide_many(records, QUESTIONS, NOON)
    assert list(zip(QUESTIONS, plain, strict=True)) == one.told == many.told


def test_it_is_called_as_the_engine_is(records: Store) -> None:
    """By name and policies, and in what it finds in a search, which it does not tell."""
    notes, plain = Notes(), compile_text(POLICY)
    page = Page("", 10, 60_000)
    found = notes.engine.search(records, QUESTIONS[0], "resource", page, NOON)

    assert (plain.name, plain.policies, plain.policy_digest, plain.find_messages()) == (
        notes.engine.name,
        notes.engine.policies,
        notes.engine.policy_digest,
        notes.engine.find_messages(),
    )
    assert ["report"] == found
    assert [] == notes.told
