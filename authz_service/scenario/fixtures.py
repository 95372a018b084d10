"""Stores that begin as a fixture has it: the file is read once, and copied for each scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz_service import storage
from authz_service.errors import FixtureError
from authz_service.store.database import open_store
from authz_service.store.url import MEMORY

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.errors import Fault
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain


class FixtureStores:
    """Makes stores in memory that hold a fixture and nothing else.

    Arguments:
        domain: says which entities there are.
    """

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._read: dict[Path, Store | tuple[Fault, ...]] = {}

    def build(self, fixture: Path) -> Store:
        """Make a store with what a fixture file holds.

        Raises:
            FixtureError: when the file cannot be loaded.
        """
        if fixture not in self._read:
            try:
                self._read[fixture] = storage.build_fixture_store(fixture, self._domain)
            except FixtureError as error:
                self._read[fixture] = error.faults
        read = self._read[fixture]
        if isinstance(read, tuple):
            raise FixtureError(read)
        store = open_store(MEMORY, self._domain)
        read.copy_to(store)
        return store

    def forget(self, fixture: Path) -> None:
        """Forget what a file holds, for it has changed."""
        read = self._read.pop(fixture, ())
        if not isinstance(read, tuple):
            read.close()

    def close(self) -> None:
        """Forget what all files hold."""
        for each in tuple(self._read):
            self.forget(each)
