"""Scenario files: what testers write, read into questions and steps with what must come of them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from authz_service.document import Mapping as Keys
from authz_service.document import find_files, follow, load_document, locate, locate_key
from authz_service.errors import DocumentError, Fault, ScenarioError
from authz_service.policy.request import Said
from authz_service.policy.said import add_channel, write_said
from authz_service.scenario.shape import find_places, load_shape
from authz_service.scenario.step import Changed, Sent, Step

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
        tags: words by which it is picked, those of its scenario included.
        skip: why it is not put; empty for one that is.
        places: where the file says each of that, by part and name: `action.soft`.
    """

    expected: Expectation
    subject: Reference
    resource: Reference
    channel: str | None
    said: Said = field(default_factory=Said)
    tags: tuple[str, ...] = ()
    skip: str = ""
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    @property
    def place(self) -> Place:
        """Where the file asks it."""
        return self.expected.place

    @property
    def action(self) -> str:
        """What for, by name."""
        return self.expected.action

    @property
    def all_said(self) -> Said:
        """All that comes with the question, the channel included."""
        return add_channel(self.said, self.channel)

    def __str__(self) -> str:
        """Write the question in one line."""
        via = f" via {self.channel}" if self.channel is not None else ""
        said = " ".join(["", "with", *write_said(self.said)]) if self.said != Said() else ""
        return f"{self.subject} {self.action} {self.resource}{via}{said}"


@dataclass(frozen=True)
class Scenario:
    """One scenario file.

    Arguments:
        path: the file.
        title: what it shows, as a sentence.
        source: the document that it comes from; empty when it names none.
        fixture: which entities there are, as the name of a fixture file without its ending.
        at: what time it is; None for the real time.
        items: all its questions and steps, in the order of the file.
        tags: words by which it is picked.
        skip: why nothing of it is put; empty for one that is.
    """

    path: Path
    title: str
    source: str
    fixture: str
    at: datetime | None
    items: tuple[Inquiry | Step, ...]
    tags: tuple[str, ...] = ()
    skip: str = ""

    @property
    def inquiries(self) -> tuple[Inquiry, ...]:
        """All its questions."""
        return tuple(each for each in self.items if isinstance(each, Inquiry))

    @property
    def steps(self) -> tuple[Step, ...]:
        """All its steps."""
        return tuple(each for each in self.items if isinstance(each, Step))


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
    items: list[Inquiry | Step] = []
    faults: list[Fault] = []
    tags, skip = tuple(loaded.get("tags", ())), loaded.get("skip", "")
    for number, case in enumerate(loaded["cases"]):
        if "do" in case:
            step = _build_step(document, number, case)
            faults += _find_idle(step)
            items.append(replace(step, tags=tags, skip=skip))
        else:
            items += [
                replace(each, tags=(*tags, *each.tags), skip=each.skip or skip)
                for each in _build_inquiries(document, number, case, faults)
            ]
    steps = [each for each in items if isinstance(each, Step)]
    faults += [*_find_repeated(steps), *_find_late(steps, loaded["at"])]
    if faults:
        raise ScenarioError(faults)
    return Scenario(
        path=path,
        title=loaded["scenario"],
        source=loaded["source"],
        fixture=loaded["fixture"],
        at=loaded["at"],
        items=tuple(items),
        tags=tags,
        skip=skip,
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


def _build_inquiries(
    document: Value, number: int, case: Mapping[str, Any], faults: list[Fault]
) -> list[Inquiry]:
    path = ("cases", number)
    expected = tuple(_expectations(document, number, case))
    faults += _contradictions(locate(document, path), expected)
    common: dict[str, Any] = {
        "said": Said(**case.get("said", {})),
        "tags": tuple(case.get("tags", ())),
        "skip": case.get("skip", ""),
        "places": dict(find_places(document, path, case)),
    }
    return [
        Inquiry(*parts, **common)
        for parts in itertools.product(expected, case["who"], case["on"], case.get("via", (None,)))
    ]


def _build_step(document: Value, number: int, case: Mapping[str, Any]) -> Step:
    path, done = ("cases", number), case["do"]
    said = dict(done.get("said", {}))
    told = said.get("action", {})
    sent = {name: value.field for name, value in told.items() if isinstance(value, Sent)}
    if sent:
        said["action"] = {name: value for name, value in told.items() if name not in sent}
    keys = {key: locate_key(document, (*path, key)) for key in case}
    told_of = {"action": locate_key(document, (*path, "do", "action"))}
    return Step(
        place=keys["do"],
        subject=done["who"],
        action=done["action"],
        resource=done["on"],
        channel=done.get("via"),
        said=Said(**said),
        sent=sent,
        after=timedelta(**case.get("after", {})),
        new=case.get("new", ""),
        changes=_build_changes(document, path, case["changes"]) if "changes" in case else None,
        informs=case.get("informs"),
        denied=tuple(case.get("denied", ())),
        places=keys | told_of | dict(find_places(document, (*path, "do"), done)),
    )


def _build_changes(
    document: Value, path: tuple[str | int, ...], references: tuple[Reference, ...]
) -> tuple[Changed, ...]:
    written = follow(document, (*path, "changes"))
    entries = written.entries if isinstance(written, Keys) else ()
    return tuple(
        Changed(key.place, reference, value if isinstance(value, Keys) else None)
        for reference, (key, value) in zip(references, entries, strict=True)
    )


def _find_idle(step: Step) -> Iterator[Fault]:
    """Find what is said of a step that must be denied, and so does nothing."""
    for key in ("new", "changes", "informs"):
        if step.denied and key in step.places:
            message = f"`{key}` says what a step does, and one that is `denied` does nothing"
            yield Fault(
                step.places[key], "denied_does_nothing", f"{message}; leave one of them out"
            )


def _find_repeated(steps: list[Step]) -> Iterator[Fault]:
    first: dict[str, Step] = {}
    for each in steps:
        other = first.setdefault(each.new, each) if each.new else each
        if other is not each:
            line = other.places["new"].line
            message = f"`{each.new}` is in line {line} already; each new entity has its own id"
            yield Fault(each.places["new"], "id_twice", message)


def _find_late(steps: list[Step], at: datetime | None) -> Iterator[Fault]:
    """Find a step that puts the clock forward beyond all times."""
    now = at
    for each in steps:
        try:
            now = now + each.after if now else None
        except OverflowError:
            message = "puts the clock forward beyond all times; begin with an earlier `at`"
            yield Fault(each.places["after"], "clock_overflow", f"`after` {message}")
            return


def _expectations(document: Value, number: int, case: Mapping[str, Any]) -> Iterator[Expectation]:
    for position, action in enumerate(case.get("can", ())):
        place = locate(document, ("cases", number, "can", position))
        yield Expectation(place, action, allowed=True)
    for position, (action, reasons) in enumerate(case.get("cannot", ())):
        place = locate(document, ("cases", number, "cannot", position))
        yield Expectation(place, action, allowed=False, reasons=reasons)


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
