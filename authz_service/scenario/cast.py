"""Which entities a scenario has from the beginning: those of its fixture, and its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz_service.document import Mapping, load_document
from authz_service.errors import DocumentError
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authz_service.document import Value


class Cast:
    """Finds entities by their type; reads the fixture once it is asked.

    What is wrong with the fixture is told where it is loaded.

    Arguments:
        fixture: its file.
        own: the entities of the scenario itself, as they stand in its file; None for none.
    """

    def __init__(self, fixture: Path, own: Value | None) -> None:
        self._fixture = fixture
        self._own = own
        self._documents: list[Value] | None = None

    def find_all(self, kind: str) -> Iterator[Reference]:
        """Find all entities of a type, in the order of the files."""
        if self._documents is None:
            self._documents = list(self._load())
        for document in self._documents:
            for key, group in document.entries if isinstance(document, Mapping) else ():
                if key.text == kind and isinstance(group, Mapping):
                    yield from (Reference(kind, each.text) for each, _ in group.entries)

    def _load(self) -> Iterator[Value]:
        try:
            document = load_document(self._fixture)
        except DocumentError:
            document = None
        yield from (each for each in (document, self._own) if each)
