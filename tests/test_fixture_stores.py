"""Stores of scenarios, which begin as a fixture has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from small_domain import ALICE, DOMAIN, NOTE, REPORT

from authz_service.errors import FixtureError
from authz_service.scenario.fixtures import FixtureStores
from authz_service.store.database import BrokenPromiseError
from authz_service.store.entity import Row

if TYPE_CHECKING:
    from pathlib import Path

FIXTURE: Final = """
user: {alice: {name: Alice, role: member, manager: null}}
record: {report: {status: active, owner: alice, readers: [alice]}}
"""


@pytest.fixture
def fixture(tmp_path: Path) -> Path:
    """A file with Alice and her report."""
    path = tmp_path / "records.yaml"
    path.write_text(FIXTURE)
    return path


def test_a_store_holds_what_the_fixture_does(fixture: Path) -> None:
    """Lists and references too."""
    found = FixtureStores(DOMAIN).build(fixture).find_whole(REPORT)

    assert found
    assert ("alice", ("alice",)) == (found.values["owner"], found.values["readers"])


def test_stores_of_one_fixture_do_not_see_each_other(fixture: Path) -> None:
    """What is written into one is not in another, nor in those that are made later."""
    stores = FixtureStores(DOMAIN)
    one, other = stores.build(fixture), stores.build(fixture)
    with one.transaction():
        one.insert(Row(NOTE, {"status": "active"}))

    assert one.find(NOTE)
    assert [None, None] == [each.find(NOTE) for each in (other, stores.build(fixture))]


def test_a_copy_keeps_its_promises(fixture: Path) -> None:
    """Its tables are those of any other store."""
    store = FixtureStores(DOMAIN).build(fixture)
    with pytest.raises(BrokenPromiseError), store.transaction():
        store.delete(ALICE)


def test_a_file_is_read_until_it_is_said_to_have_changed(fixture: Path) -> None:
    """Once for all scenarios that begin with it."""
    stores = FixtureStores(DOMAIN)
    stores.build(fixture)
    fixture.write_text(FIXTURE.replace("report:", "note:"))
    before = stores.build(fixture)
    stores.forget(fixture)
    after = stores.build(fixture)

    assert [True, False] == [each.find(REPORT) is not None for each in (before, after)]


def test_a_broken_fixture_has_the_same_faults_for_every_scenario(fixture: Path) -> None:
    """So that they can be told once."""
    fixture.write_text("record: {report: {status: lost}}")
    stores = FixtureStores(DOMAIN)
    caught = []
    for _ in range(2):
        with pytest.raises(FixtureError) as error:
            stores.build(fixture)
        caught.append(error.value.faults)

    assert caught[0] == caught[1]
    assert caught[0]
