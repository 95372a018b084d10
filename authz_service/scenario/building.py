"""The cases and steps of a scenario file as what is asked and done."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from authz_service.document import Mapping as Keys
from authz_service.document import follow, locate, locate_key
from authz_service.errors import Fault
from authz_service.policy.request import Said
from authz_service.scenario.facts import build_fact
from authz_service.scenario.inquiry import Expectation, Inquiry
from authz_service.scenario.listing import ACTIONS, WHAT, WHO, Listing
from authz_service.scenario.shape import find_places
from authz_service.scenario.step import Changed, Sent, Step
from authz_service.scenario.table import Row, TableReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz_service.document import Value
    from authz_service.errors import Place
    from authz_service.scenario.cast import Cast
    from authz_service.store.entity import Reference


# A few long lists multiply to more than a machine can hold.
_MOST_QUESTIONS: Final = 100_000


@dataclass(frozen=True)
class Exhaustive:
    """A case that must have every action of what it is about.

    Arguments:
        place: where it stands.
        types: of the resources.
        actions: that it has.
    """

    place: Place
    types: frozenset[str]
    actions: frozenset[str]


@dataclass(frozen=True)
class Case:
    """What a case asks.

    Arguments:
        written: the questions that it writes down.
        others: those about everyone else.
        listings: the lists that it asks for.
        exhaustive: what it must have; None where it may leave out what it likes.
        faults: what is wrong with it.
    """

    written: tuple[Inquiry, ...] = ()
    others: tuple[Inquiry, ...] = ()
    listings: tuple[Listing, ...] = ()
    exhaustive: Exhaustive | None = None
    faults: tuple[Fault, ...] = ()


class CaseBuilder:
    """Builds the cases of one scenario.

    Arguments:
        document: the file.
        scenario: what was read of it as a whole.
        cast: who there is; None where nobody knows.
    """

    def __init__(self, document: Value, scenario: Mapping[str, Any], cast: Cast | None) -> None:
        self._document = document
        self._tags = tuple(scenario.get("tags", ()))
        self._skip: str = scenario.get("skip", "")
        self._exhaustive: bool = scenario["exhaustive"]
        self._cast = cast
        self._count = 0

    def build_case(self, number: int, case: Mapping[str, Any]) -> Case:
        """Build what a case asks.

        Arguments:
            number: its position.
            case: what was read of it.
        """
        path = ("cases", number)
        place = locate(self._document, path)
        rows, faults = self._read_rows(path, case)
        expected = [each for row in rows for each in row.expected]
        if not expected and not faults and "lists" not in case:
            message = "this case asserts nothing; add `can:`, `cannot:` or `lists:`"
            faults.append(Fault(place, "asserts_nothing", message))
        common = self._find_common(path, case)
        others = self._find_others(path, case, rows, faults)
        self._count += _count([*rows, *others], case)
        if self._count > _MOST_QUESTIONS:
            message = f"with this case the file asks more than {_MOST_QUESTIONS:,} questions"
            return Case(faults=(Fault(place, "too_many_questions", f"{message}; split it"),))
        return Case(
            tuple(_multiply(rows, case, common)),
            tuple(_multiply(others, case, common)),
            tuple(self._build_listings(path, case, common)),
            self._find_exhaustive(place, case, expected),
            tuple(faults),
        )

    def build_step(self, number: int, case: Mapping[str, Any]) -> Step:
        """Build a step, as above."""
        step = _build_step(self._document, number, case)
        return replace(step, tags=self._tags, skip=self._skip)

    def _read_rows(
        self, path: tuple[str | int, ...], case: Mapping[str, Any]
    ) -> tuple[list[Row], list[Fault]]:
        """Find who can do what: the rows of a table, or the one that other cases are."""
        if "table" in case:
            reader = TableReader()
            rows = reader.read(follow(self._document, (*path, "table")))
            return [
                replace(row, expected=tuple(_limit(row.expected, case))) for row in rows
            ], reader.faults
        expected = tuple(_limit(_find_expected(self._document, path, case), case))
        faults = list(_find_twice(expected))
        return [Row(tuple(case["who"]), expected)] if expected else [], faults

    def _find_common(self, path: tuple[str | int, ...], case: Mapping[str, Any]) -> dict[str, Any]:
        written = ("with" if key == "said" else key for key in case)
        places = {key: locate_key(self._document, (*path, key)) for key in written}
        for number in range(len(case.get("missing", ()))):
            places[f"missing.{number}"] = locate(self._document, (*path, "missing", number))
        return {
            "said": Said(**case.get("said", {})),
            "tags": (*self._tags, *case.get("tags", ())),
            "skip": case.get("skip", self._skip),
            "places": places | dict(find_places(self._document, path, case)),
        }

    def _find_others(
        self,
        path: tuple[str | int, ...],
        case: Mapping[str, Any],
        rows: list[Row],
        faults: list[Fault],
    ) -> list[Row]:
        """Find who else there is, none of whom can do what somebody can."""
        if "everyone_else" not in case:
            return []
        place = locate_key(self._document, (*path, "everyone_else"))
        if self._cast is None:
            message = "`everyone_else` is everybody in the fixture, and no folder of them was named"
            faults.append(Fault(place, "no_fixtures", message))
            return []
        named = {subject: None for row in rows for subject in row.subjects}
        kinds = sorted({each.type for each in named})
        others = [each for kind in kinds for each in self._cast.find_all(kind) if each not in named]
        actions = {each.action: None for row in rows for each in row.expected if each.allowed}
        denied = tuple(Expectation(place, each, allowed=False) for each in actions)
        return [Row(tuple(others), denied)]

    def _build_listings(
        self, path: tuple[str | int, ...], case: Mapping[str, Any], common: dict[str, Any]
    ) -> Iterator[Listing]:
        lists, channels = case.get("lists", {}), case.get("via", (None,))
        path = (*path, "lists")
        for kind, asker, asked in ((WHO, "resource", "on"), (WHAT, "subject", "who")):
            for action, found in lists.get(kind, {}).items():
                place = locate_key(self._document, (*path, kind, action))
                expected = frozenset(map(str, found))
                for one, channel in itertools.product(case.get(asked, ()), channels):
                    about = {asker: one, "action": action, "channel": channel}
                    yield Listing(place, kind, expected, **about, **common)
        if ACTIONS in lists:
            place = locate_key(self._document, (*path, ACTIONS))
            for subject, resource, channel in itertools.product(case["who"], case["on"], channels):
                about = {"subject": subject, "resource": resource, "channel": channel}
                yield Listing(place, ACTIONS, frozenset(lists[ACTIONS]), **about, **common)

    def _find_exhaustive(
        self, place: Place, case: Mapping[str, Any], expected: list[Expectation]
    ) -> Exhaustive | None:
        if not case.get("exhaustive", self._exhaustive and bool(expected)):
            return None
        types = frozenset(each.type for each in case.get("on", ()))
        return Exhaustive(place, types, frozenset(each.action for each in expected))


def _count(rows: Iterable[Row], case: Mapping[str, Any]) -> int:
    """Count the questions of rows, before there are any."""
    things, channels = len(case.get("on", (None,))), len(case.get("via", (None,)))
    lists = len(case.get("who", (None,))) if "lists" in case else 0
    asked = sum(len(row.subjects) * len(row.expected) for row in rows)
    return (asked + lists) * things * channels


def _multiply(
    rows: Iterable[Row], case: Mapping[str, Any], common: dict[str, Any]
) -> Iterator[Inquiry]:
    """Ask each row of each subject, about each resource, by each channel."""
    for row in rows:
        asked = itertools.product(row.expected, row.subjects, case["on"], case.get("via", (None,)))
        yield from (Inquiry(*parts, **common) for parts in asked)


def _find_expected(
    document: Value, path: tuple[str | int, ...], case: Mapping[str, Any]
) -> Iterator[Expectation]:
    because = tuple(case.get("because", ()))
    for position, action in enumerate(case.get("can", ())):
        place = locate(document, (*path, "can", position))
        yield Expectation(place, action, allowed=True, because=because)
    missing = tuple(map(build_fact, case.get("missing", ())))
    for position, (action, reasons) in enumerate(case.get("cannot", ())):
        place = locate(document, (*path, "cannot", position))
        yield Expectation(place, action, allowed=False, reasons=reasons, missing=missing)


def _limit(expected: Iterable[Expectation], case: Mapping[str, Any]) -> Iterator[Expectation]:
    """Let denials have no other reasons than a case gives, where it says so."""
    limited = case.get("only_these_reasons", False)
    return (replace(each, only_these=limited and bool(each.reasons)) for each in expected)


def _find_twice(expected: Iterable[Expectation]) -> Iterator[Fault]:
    first: dict[str, Expectation] = {}
    for each in expected:
        other = first.setdefault(each.action, each)
        if other is not each:
            message = f"`{each.action}` is in line {other.place.line} already; a case names it once"
            yield Fault(each.place, "action_twice", message)


def _build_step(document: Value, number: int, case: Mapping[str, Any]) -> Step:
    path, done = ("cases", number), case["do"]
    said = dict(done.get("said", {}))
    told = said.get("action", {})
    sent = {name: value.field for name, value in told.items() if isinstance(value, Sent)}
    if sent:
        said["action"] = {name: value for name, value in told.items() if name not in sent}
    keys = {key: locate_key(document, (*path, key)) for key in case}
    told_of = {key: locate_key(document, (*path, "do", key)) for key in ("who", "action", "on")}
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
