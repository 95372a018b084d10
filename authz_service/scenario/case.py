"""Scenario files: what testers write, read into questions with their expected answers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from authz_service.document import find_files, load_document, locate, locate_key
from authz_service.errors import DocumentError, Fault, ScenarioError
from authz_service.policy.request import Said
from authz_service.policy.said import CHANNEL, write_said
from authz_service.scenario.shape import load_shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from authz_service.document import Value
    from authz_service.errors import Place
    from authz_service.store.entity import Reference


@dataclass(frozen=True)
class Expectation:
    """What must come of one action.

    Arguments:
        place: where the file says so.
        action: the action's name.
        allowed: whether the subject must be allowed to.
        reasons: codes that must be among those of the denial.
    """

    place: Place
    action: str
    allowed: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inquiry:
    """One question of a scenario: an expectation about one subject, resource and channel.

    Arguments:
        expected: the action, and what must come of it.
        subject: who asks.
        resource: on which entity.
        channel: by which channel; None for a question that names none.
        said: what else comes with the question.
        places: where the file says each of that, by part and name: `action.soft`.
    """

    expected: Expectation
    subject: Reference
    resource: Reference
    channel: str | None
    said: Said = field(default_factory=Said)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    @property
    def all_said(self) -> Said:
        """All that comes with the question, the channel included."""
        if self.channel is None:
            return self.said
        return replace(self.said, context={**self.said.context, CHANNEL: self.channel})

    def __str__(self) -> str:
        """Write the question in one line."""
        via = f" via {self.channel}" if self.channel is not None else ""
        said = " ".join(["", "with", *write_said(self.said)]) if self.said != Said() else ""
        return f"{self.subject} {self.expected.action} {self.resource}{via}{said}"


@dataclass(frozen=True)
class Scenario:
    """One scenario file.

    Arguments:
        path: the file.
        title: what it shows, as a sentence.
        source: the document that it comes from; empty when it names none.
        fixture: which entities there are, as the name of a fixture file without its ending.
        at: what time it is; None for the real time.
        inquiries: all its questions, in the order of the file.
    """

    path: Path
    title: str
    source: str
    fixture: str
    at: datetime | None
    inquiries: tuple[Inquiry, ...]


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        ScenarioError: with every fault of the file.
    """
    try:
        document = load_document(path)
    except DocumentError as error:
        raise ScenarioError(error.faults) from None
    if document is None:
        raise ScenarioError.at(str(path), "empty_file", "holds no scenario")
    loaded = load_shape(document)
    inquiries = []
    faults: list[Fault] = []
    for number, case in enumerate(loaded["cases"]):
        expected = tuple(_expectations(document, number, case))
        faults += _contradictions(locate(document, ("cases", number)), expected)
        said, places = Said(**case.get("said", {})), dict(_places(document, number, case))
        inquiries += [
            Inquiry(*parts, said, places)
            for parts in itertools.product(
                expected, case["who"], case["on"], case.get("via", (None,))
            )
        ]
    if faults:
        raise ScenarioError(faults)
    return Scenario(
        path=path,
        title=loaded["scenario"],
        source=loaded["source"],
        fixture=loaded["fixture"],
        at=loaded["at"],
        inquiries=tuple(inquiries),
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


def _expectations(document: Value, number: int, case: Mapping[str, Any]) -> Iterator[Expectation]:
    for position, action in enumerate(case.get("can", ())):
        place = locate(document, ("cases", number, "can", position))
        yield Expectation(place, action, allowed=True)
    for position, (action, reasons) in enumerate(case.get("cannot", ())):
        place = locate(document, ("cases", number, "cannot", position))
        yield Expectation(place, action, allowed=False, reasons=reasons)


def _places(document: Value, number: int, case: Mapping[str, Any]) -> Iterator[tuple[str, Place]]:
    """Find where a case says what comes with its questions."""
    if "via" in case:
        yield f"context.{CHANNEL}", locate_key(document, ("cases", number, "via"))
    for part, names in case.get("said", {}).items():
        for name in names:
            place = locate_key(document, ("cases", number, "with", part, name))
            yield f"{part}.{name}", place


def _contradictions(place: Place, expected: tuple[Expectation, ...]) -> Iterator[Fault]:
    if not expected:
        message = "this case asserts nothing; add `can:` or `cannot:`"
        yield Fault(place, "asserts_nothing", message)
    first: dict[str, Expectation] = {}
    for each in expected:
        other = first.setdefault(each.action, each)
        if other is not each:
            message = f"`{each.action}` is in line {other.place.line} already; a case names it once"
            yield Fault(each.place, "action_twice", message)
