"""Scenario files: what testers write, read into what is asked and done, with what must come."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from authz_service.document import find_files, follow, load_document
from authz_service.errors import DocumentError, ScenarioError
from authz_service.scenario.building import Case, CaseBuilder
from authz_service.scenario.cast import Cast
from authz_service.scenario.contradiction import Memory, find_step_faults
from authz_service.scenario.examples import expand_examples
from authz_service.scenario.inquiry import Inquiry
from authz_service.scenario.shape import load_shape
from authz_service.scenario.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from authz_service.document import Value
    from authz_service.errors import Fault
    from authz_service.scenario.building import Exhaustive
    from authz_service.scenario.item import Item


@dataclass(frozen=True)
class Scenario:
    """One scenario file.

    Arguments:
        path: the file.
        title: what it shows, as a sentence.
        source: the document that it comes from; empty when it names none.
        fixture: which entities there are, as the name of a fixture file without its ending.
        at: what time it is; None for the real time.
        items: all that is asked and done, in the order of the file.
        tags: words by which it is picked.
        skip: why nothing of it is put; empty for one that is.
        entities: those that there are besides, as they stand in the file; None for none.
        exhaustive: the cases that must have every action of what they are about.
        starts: the positions of items at which everything begins anew, as for another example.
    """

    path: Path
    title: str
    source: str
    fixture: str
    at: datetime | None
    items: tuple[Item, ...]
    tags: tuple[str, ...] = ()
    skip: str = ""
    entities: Value | None = None
    exhaustive: tuple[Exhaustive, ...] = ()
    starts: tuple[int, ...] = (0,)

    @cached_property
    def inquiries(self) -> tuple[Inquiry, ...]:
        """All its questions for one answer."""
        return tuple(each for each in self.items if isinstance(each, Inquiry))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All its steps."""
        return tuple(each for each in self.items if isinstance(each, Step))


def load_scenario(path: Path, fixtures: Path | None = None) -> Scenario:
    """Read a scenario file.

    Arguments:
        path: the file.
        fixtures: the folder with the fixtures, which tells who `everyone_else` is; without one,
            a file that says so cannot be read.

    Raises:
        ScenarioError: with every fault of the file.
    """
    try:
        document = load_document(path)
    except DocumentError as error:
        raise ScenarioError(error.faults) from None
    if document is None:
        raise ScenarioError.at(str(path), "empty_file", "holds no scenario")
    expanded = expand_examples(document)
    document = expanded.document
    loaded = load_shape(document)
    own = follow(document, ["entities"]) if "entities" in loaded else None
    cast = Cast(fixtures / f"{loaded['fixture']}.yaml", own) if fixtures else None
    builder = CaseBuilder(document, loaded, cast)
    built = [
        builder.build_step(number, case) if "do" in case else builder.build_case(number, case)
        for number, case in enumerate(loaded["cases"])
    ]
    faults = _find_faults(built, expanded.starts, loaded["at"])
    if faults:
        raise ScenarioError(faults)
    counts = [0, *itertools.accumulate(len(_find_items(each)) for each in built)]
    return Scenario(
        path=path,
        title=loaded["scenario"],
        source=loaded["source"],
        fixture=loaded["fixture"],
        at=loaded["at"],
        items=tuple(item for each in built for item in _find_items(each)),
        tags=tuple(loaded.get("tags", ())),
        skip=loaded.get("skip", ""),
        entities=own,
        exhaustive=tuple(
            each.exhaustive for each in built if isinstance(each, Case) and each.exhaustive
        ),
        starts=tuple(counts[each] for each in expanded.starts),
    )


def find_scenario_files(paths: Iterable[Path]) -> list[Path]:
    """Find the scenario files that the paths stand for: a folder is all `.yaml` files below it.

    Raises:
        ScenarioError: for a path that does not exist, and for a folder without such a file.
    """
    try:
        return find_files(paths, below=True)
    except DocumentError as error:
        raise ScenarioError(error.faults) from None


def _find_items(built: Case | Step) -> tuple[Item, ...]:
    """Find what a case or a step comes to."""
    if isinstance(built, Step):
        return (built,)
    return (*built.written, *built.others, *built.listings)


def _find_faults(
    built: Sequence[Case | Step], starts: Sequence[int], at: datetime | None
) -> list[Fault]:
    """Find what is wrong with cases and steps, each by itself and with those before it."""
    faults: list[Fault] = []
    for start, end in itertools.pairwise([*starts, len(built)]):
        memory = Memory()
        for each in built[start:end]:
            if isinstance(each, Step):
                memory.forget()
                continue
            faults += each.faults
            if not each.faults:
                faults += memory.add(each.written, are_written=True)
                faults += memory.add(each.others, are_written=False)
        steps = [each for each in built[start:end] if isinstance(each, Step)]
        faults += find_step_faults(steps, at)
    return faults
