"""How questions of one kind are asked of a database, and how what comes back is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from authz_service.policy.condition import NOW_SLOT, RESOURCE_SLOT, SUBJECT_SLOT
from authz_service.policy.engine import Finding
from authz_service.policy.reasons import NOT_PERMITTED, UNKNOWN_SUBJECT
from authz_service.policy.search import AFTER_SLOT, LIMIT_SLOT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from authz_service.policy.clauses import Clause
    from authz_service.policy.request import Page, Request
    from authz_service.policy.sql import Statement, StatementBuilder

# A type of subject, an action, and a type of resource.
Key = tuple[str, str, str]

# What an answer says of the first question, and of the others.
_NO_SUBJECT: Final = "0"
_ALLOWED: Final = "2"
_HOLDS: Final = "1"

# What one statement may bind: SQLite takes 32,766 values.
_MOST_VALUES: Final = 32_000
# More at once are no faster (benchmarks/README.md), and their statements take more memory.
_MOST_AT_ONCE: Final = 256
# Answers are all alike, each a few truth values, so what they say is kept.
_MOST_READ: Final = 256


@dataclass(frozen=True)
class Question:
    """When the answer to a question is yes, and what the reasons for a no are.

    Arguments:
        allow: holds when the subject may; None when that is: permitted and not forbidden.
        permit: holds when it is permitted, whatever forbids it.
        forbid: holds when it is forbidden, by reason, in the order of the reasons.
    """

    allow: tuple[Clause, ...] | None
    permit: tuple[Clause, ...]
    forbid: Mapping[str, tuple[Clause, ...]]

    @property
    def parts(self) -> tuple[tuple[Clause, ...], tuple[tuple[Clause, ...], ...]]:
        """What must hold for a yes, and what must not."""
        if self.allow is None:
            return self.permit, tuple(self.forbid.values())
        return self.allow, ()

    @property
    def is_silent(self) -> bool:
        """Whether the answer is always no, and no rule says outright that it is."""
        allowed, _ = self.parts
        refused = any(clause.always for clauses in self.forbid.values() for clause in clauses)
        return not allowed and not refused


@dataclass(frozen=True)
class Ask:
    """A statement, and how values are put in the order in which it binds them.

    Arguments:
        texts: by dialect.
        pick: puts values in that order.
        size: how many values it binds.
    """

    texts: Mapping[str, str]
    pick: Callable[[Sequence[Any]], tuple[Any, ...]]
    size: int


class Plan:
    """The statements for questions of one kind.

    Safe to share between threads.

    Arguments:
        builder: of the statements.
        key: which kind.
        question: what it was compiled to.
        lists: the names of what is given as a list.

    Attributes:
        decide: gives one row with an answer, and none where the subject or the resource is unknown.
        is_known: says which of the two is.
        most: how many questions one statement takes.
        find: reads off an answer, and the revision beside it, what was found.
    """

    def __init__(
        self, builder: StatementBuilder, key: Key, question: Question, lists: Collection[str]
    ) -> None:
        self._types = key[0], key[2]
        self._builder = builder
        self._question = question
        self._codes = tuple(question.forbid)
        self._parts = [question.permit, *question.forbid.values()]
        self._has_allow = question.allow is not None
        if question.allow is not None:
            self._parts.insert(0, question.allow)
        statement = builder.decide(*self._types, self._parts)
        slots = {*statement.slots} - {SUBJECT_SLOT, RESOURCE_SLOT, NOW_SLOT}
        self._supplied = tuple(sorted(each for each in slots if "." in each))
        given = slots.difference(self._supplied)
        self._scalars = tuple(sorted(given.difference(lists)))
        self._lists = tuple(sorted(given.intersection(lists)))
        self._has_now = NOW_SLOT in statement.slots
        named = (*self._scalars, *self._lists, *self._supplied)
        self._slots = (SUBJECT_SLOT, RESOURCE_SLOT, *named, NOW_SLOT)
        self.decide = self._build(statement)
        self.is_known = self._build(builder.is_known(*self._types))
        self._many: dict[int, Ask] = {}
        self._searches: dict[str, Statement] = {}
        self.most = min(_MOST_AT_ONCE, _power_of_two(_MOST_VALUES // len(self._slots)) // 2)
        self.find = lru_cache(_MOST_READ)(self._find)
        self._allowing = _find_rule(self._parts[0])
        self._forbidding = {code: _find_rule(each) for code, each in question.forbid.items()}
        self._forbidding[NOT_PERMITTED] = ""  # of no rule, mostly

    def values(self, request: Request, now: datetime) -> list[Any]:
        """Put what a request brings in the order from which statements pick."""
        given = request.given
        values = [write_value(request.subject.id), write_value(request.resource.id)]
        values += [write_value(given[name]) for name in self._scalars]
        if self._lists:
            values += [write_list(given[name]) for name in self._lists]
        if self._supplied:
            values += [write_value(request.supplied.get(name)) for name in self._supplied]
        if self._has_now:
            values.append(_store_time(now))
        return values

    def bind(self, request: Request, now: datetime) -> dict[str, Any]:
        """Find what a request brings, by the slots of statements."""
        return dict(zip(self._slots, self.values(request, now), strict=False))

    def bind_many(
        self, numbers: Sequence[int], requests: Sequence[Request], now: datetime
    ) -> tuple[Mapping[str, str], list[Any]]:
        """Find the statement that decides several questions, and what it binds.

        Arguments:
            numbers: what the answers begin with.
            requests: at most `most` of them.
            now: the time.
        """
        ask = self._find_many(_power_of_two(len(requests)))
        lines = zip(numbers, *ask.pick(self._columns(requests, now)), strict=True)
        bound = list(chain.from_iterable(lines))
        return ask.texts, bound + [None] * (ask.size - len(bound))

    def bind_search(
        self, searched: str, request: Request, page: Page, now: datetime
    ) -> tuple[Mapping[str, str], list[Any]]:
        """Find the statement that lists who, or what, would be allowed, and what it binds.

        Arguments:
            searched: `subject` or `resource`.
            request: of which the searched id is not looked at.
            page: which of those that are found.
            now: the time.
        """
        statement = self._find_search(searched)
        # a search binds no more than a check of the same question does, and its page
        known = self.bind(request, now)
        known |= {AFTER_SLOT: write_value(page.after), LIMIT_SLOT: page.limit}
        return statement.texts, [known[slot] for slot in statement.slots]

    def _find_search(self, searched: str) -> Statement:
        statement = self._searches.get(searched)
        if statement is None:
            statement = self._builder.search(*self._types, searched, *self._question.parts)
            self._searches[searched] = statement
        return statement

    def _columns(self, requests: Sequence[Request], now: datetime) -> list[list[Any]]:
        """Put what several requests bring in the same order, each value of all of them."""
        columns = [
            _store_all([each.subject.id for each in requests]),
            _store_all([each.resource.id for each in requests]),
        ]
        columns += [_store_all([each.given[name] for each in requests]) for name in self._scalars]
        for name in self._lists:
            columns.append([write_list(each.given[name]) for each in requests])
        for name in self._supplied:
            columns.append([write_value(each.supplied.get(name)) for each in requests])
        if self._has_now:
            columns.append([_store_time(now)] * len(requests))
        return columns

    def _find_many(self, count: int) -> Ask:
        ask = self._many.get(count)
        if ask is None:
            statement = self._builder.decide_many(*self._types, self._parts, count)
            size = count * (len(statement.slots) + 1)
            ask = self._many.setdefault(count, self._build(statement, size))
        return ask

    def _build(self, statement: Statement, size: int = 0) -> Ask:
        places = [self._slots.index(slot) for slot in statement.slots]
        return Ask(statement.texts, _build_picker(places), size or len(places))

    def _find(self, answer: str, revision: int) -> Finding:
        reasons = self.read(answer)
        known = [self._forbidding.get(each, "") for each in reasons] or [self._allowing]
        return Finding(reasons, tuple(each for each in known if each), revision)

    def read(self, answer: str) -> tuple[str, ...]:
        """Read the reasons off an answer."""
        first, others = answer[0], answer[1:]
        if first == _NO_SUBJECT:
            return (UNKNOWN_SUBJECT,)
        holds = [each == _HOLDS for each in others]
        permitted, *forbidden = holds if self._has_allow else (first == _ALLOWED, *holds)
        if first == _ALLOWED and (self._has_allow or not any(forbidden)):
            return ()
        codes = {code for code, each in zip(self._codes, forbidden, strict=True) if each}
        if not permitted:
            codes.add(NOT_PERMITTED)
        return tuple(sorted(codes)) or (NOT_PERMITTED,)


def _build_picker(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Build what picks the values at some places; of what is not stored there may be none."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[each] for each in places)


def _find_rule(clauses: Sequence[Clause]) -> str:
    """Find the one rule that all clauses came by, with its place; empty where there are several."""
    first = (step for each in clauses for step in each.rules[:1])
    places = {f"{step.span.file}:{step.span.line}" for step in first}
    return places.pop() if len(places) == 1 else ""


def _power_of_two(count: int) -> int:
    """The first that is not smaller; few sizes of statements, so that all of them are kept."""
    return 1 << (count - 1).bit_length()


def write_value(value: Any) -> Any:
    """Put what no database can hold, and so is like nothing in it, into words that it takes."""
    if not isinstance(value, str) or (value.isascii() and "\0" not in value):
        return _store_time(value) if isinstance(value, datetime) else value
    data = value.encode("utf-8", "surrogatepass")
    is_text = b"\0" not in data and value == data.decode("utf-8", "replace")
    return value if is_text else "\uffff" + data.hex()


def _store_all(values: list[Any]) -> list[Any]:
    """Do so with many, which mostly are plain texts."""
    try:
        text = "".join(values)
    except TypeError:  # some are no texts
        return [write_value(each) for each in values]
    is_plain = text.isascii() and "\0" not in text
    return values if is_plain else [write_value(each) for each in values]


def write_list(values: Sequence[Any]) -> str:
    """Put a list into the text that stands for it."""
    return json.dumps(_store_all(list(values)))


def _store_time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")
