"""Of many at once, from several processes, exactly one has what only one can have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest
from racing import Wanted, race

from authz_service.store.entity import Reference, Row
from authz_service.store.system import Message
from authz_service.store.writer import Cause, find_revision, write

if TYPE_CHECKING:
    from authz_service.store.database import Store

CLIENTS: Final = 50
PROCESSES: Final = 4
NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.fixture
def crowd(portal: Store) -> Store:
    """A home and a firm, each with fifty members; each of the firm's is one signature away."""
    with write(portal, Cause(), NOW) as writer:
        writer.insert(Row(Reference("operator", "rita"), {"name": "Rita"}))
        for number, kind in (("home", "residential"), ("firm", "business")):
            writer.insert(Row(Reference("customer", number), {"name": number, "kind": kind}))
        for each in range(CLIENTS):
            person = f"p{each}"
            values = {"name": person, "email": f"{person}@example.com"}
            writer.insert(Row(Reference("person", person), values))
            for number in ("home", "firm"):
                member = {"customer": number, "person": person, "role": "user"}
                writer.insert(Row(Reference("membership", f"{number}/{person}"), member))
            form = {"customer": "firm", "person": person, "status": "agreement_signed"}
            reference = Reference("access_owner_registration", f"form-{each}")
            writer.insert(Row(reference, {**form, "terms_accepted": True}))
    return portal


def test_one_becomes_the_administrator_of_a_home(url: str, crowd: Store) -> None:
    """AU: "there can only be one administrator"; all others are told so."""
    wanted = [
        Wanted(f"person/p{each}", "become_administrator", "customer/home")
        for each in range(CLIENTS)
    ]
    before = find_revision(crowd)
    found = race(url, wanted, PROCESSES)

    assert 1 == found.count(())
    assert CLIENTS - 1 == found.count(("residential_single_administrator",))
    assert before + 1 == find_revision(crowd)


def test_one_becomes_the_access_owner_of_a_firm(url: str, crowd: Store) -> None:
    """GS: "one Access Owner"; the other registrations stay where they were."""
    wanted = [
        Wanted("operator/rita", "confirm", f"access_owner_registration/form-{each}")
        for each in range(CLIENTS)
    ]
    found = race(url, wanted, PROCESSES)

    assert 1 == found.count(())
    assert CLIENTS - 1 == found.count(("access_owner_taken",))
    assert 1 == len(crowd.run(Message.select()))


def test_a_key_sent_many_times_at_once_is_one_deed(url: str, crowd: Store) -> None:
    """All get the first answer, and one message goes out."""
    wanted = [Wanted("person/p1", "become_administrator", "customer/firm", "k1")] * 20
    before = find_revision(crowd)
    found = race(url, wanted, PROCESSES)

    assert [()] * 20 == found
    assert before + 1 == find_revision(crowd)
