"""What came of steps, held against what was expected, in words."""

from __future__ import annotations

from typing import Any, Final

import pytest

from authz_service.decision.answer import Decision, Reason
from authz_service.errors import Place
from authz_service.scenario.outcome import Deeds, StepOutcome
from authz_service.scenario.step import Step
from authz_service.store.entity import Reference
from authz_service.store.outbox import Notice

ENTRY: Final = Reference("entry", "1")
OTHER: Final = Reference("entry", "2")
USER: Final = {"role": "user", "notes": []}
ADMINISTRATOR: Final = {"role": "administrator", "notes": ["a"]}


def change(before: Any, after: Any, reference: Reference = ENTRY) -> dict[str, Any]:
    """Make a change."""
    return {"type": reference.type, "id": reference.id, "before": before, "after": after}


PROMOTED: Final = change(USER, ADMINISTRATOR)
MADE: Final = change(None, USER, OTHER)
REMOVED: Final = change(USER, None)
TO_A: Final = Notice("email", "a@x.example", "en", "hello", {})
TO_B: Final = Notice("sms", "047", "en", "code", {})


def done(*changes: dict[str, Any], notices: tuple[Notice, ...] = ()) -> Deeds:
    """Make what a step did that was allowed."""
    return Deeds(Decision((), "sha256:0"), changes, notices)


def refused(*codes: str) -> Deeds:
    """Make what a step did that was denied."""
    return Deeds(Decision(tuple(Reason(code, f"it is {code}") for code in codes), "sha256:0"))


def outcome_of(deeds: Deeds | None, wanted: Any = None, **expected: Any) -> StepOutcome:
    """Make an outcome of a step and what it did."""
    subject = Reference("person", "mary")
    step = Step(Place("a.yaml", 1, 1), subject, "send", ENTRY, **expected)
    return StepOutcome(step, wanted, deeds, "authz perform", obstacle="" if deeds else "no code")


@pytest.mark.parametrize(
    ("passed", "deeds", "wanted"),
    [
        (True, done(), None),
        (True, done(PROMOTED, MADE), None),
        (False, refused("late"), None),
        (False, None, None),
        (True, done(), {}),
        (False, done(PROMOTED), {}),
        (True, done(PROMOTED), {ENTRY: {"role": "administrator"}}),
        (True, done(PROMOTED), {ENTRY: ADMINISTRATOR}),
        (False, done(PROMOTED), {ENTRY: {"role": "user"}}),
        (False, done(PROMOTED), {ENTRY: {"notes": []}}),
        (False, done(PROMOTED), {ENTRY: None}),
        (False, done(PROMOTED), {OTHER: {"role": "administrator"}}),
        (False, done(), {ENTRY: {"role": "administrator"}}),
        (False, done(PROMOTED, MADE), {ENTRY: {"role": "administrator"}}),
        (True, done(PROMOTED, MADE), {OTHER: {"role": "user"}, ENTRY: {"notes": ["a"]}}),
        (True, done(REMOVED), {ENTRY: None}),
        (False, done(REMOVED), {ENTRY: {"role": "user"}}),
        (False, refused("late"), {}),
    ],
)
def test_changes_are_held_against_the_expected(
    *, passed: bool, deeds: Deeds | None, wanted: Any
) -> None:
    """Those entities change and no others, and the values that are named are right."""
    assert passed == outcome_of(deeds, wanted).passed


@pytest.mark.parametrize(
    ("passed", "wanted", "changes"),
    [
        (
            True,
            {ENTRY: {"role": "user"}},
            [MADE | {"id": "1"}, PROMOTED, change(ADMINISTRATOR, USER)],
        ),
        (True, {ENTRY: None}, [PROMOTED, change(ADMINISTRATOR, None)]),
        (True, {}, [PROMOTED, change(ADMINISTRATOR, USER)]),
        (True, {}, [change(None, USER), change(USER, None)]),
        (True, {}, [change(USER, USER)]),
    ],
)
def test_what_is_changed_twice_is_told_as_it_is_in_the_end(
    *, passed: bool, wanted: Any, changes: list[dict[str, Any]]
) -> None:
    """What is as it was before has not changed."""
    assert passed == outcome_of(done(*changes), wanted).passed


@pytest.mark.parametrize(
    ("passed", "notices", "informs"),
    [
        (True, (TO_A, TO_B), None),
        (True, (), {}),
        (False, (TO_A,), {}),
        (True, (TO_A,), {"a@x.example": ("hello",)}),
        (False, (), {"a@x.example": ("hello",)}),
        (False, (TO_A,), {"a@x.example": ("goodbye",)}),
        (False, (TO_A,), {"b@x.example": ("hello",)}),
        (False, (TO_A, TO_B), {"a@x.example": ("hello",)}),
        (True, (TO_A, TO_B), {"047": ("code",), "a@x.example": ("hello",)}),
        (False, (TO_A, TO_A), {"a@x.example": ("hello",)}),
        (True, (TO_A, TO_A), {"a@x.example": ("hello", "hello")}),
    ],
)
def test_messages_are_held_against_the_expected(
    *, passed: bool, notices: tuple[Notice, ...], informs: Any
) -> None:
    """Those messages are queued and no others, each as often as it is named."""
    assert passed == outcome_of(done(notices=notices), informs=informs).passed


@pytest.mark.parametrize(
    ("passed", "deeds", "denied"),
    [
        (True, refused("late"), ("late",)),
        (True, refused("busy", "late"), ("late",)),
        (True, refused("busy", "late"), ("late", "busy")),
        (False, refused("busy"), ("late",)),
        (False, refused("late"), ("late", "busy")),
        (False, done(), ("late",)),
        (False, refused("late", "evaluation_error"), ("late",)),
        (True, refused("unknown_subject"), ("unknown_subject",)),
        (False, None, ("late",)),
    ],
)
def test_a_denial_is_held_against_the_expected(
    *, passed: bool, deeds: Deeds | None, denied: tuple[str, ...]
) -> None:
    """As that of a question: wanted reasons are there, and mishaps are wanted by name."""
    assert passed == outcome_of(deeds, denied=denied).passed


def test_a_denial_that_did_something_all_the_same_has_not_passed() -> None:
    """What is refused leaves nothing behind, neither a change nor a message."""
    decision = refused("late").decision

    assert not outcome_of(Deeds(decision, (PROMOTED,)), denied=("late",)).passed
    assert not outcome_of(Deeds(decision, notices=(TO_A,)), denied=("late",)).passed


@pytest.mark.parametrize(
    ("words", "wanted", "expected"),
    [
        (["done"], None, {}),
        (["done", "changes nothing"], {}, {}),
        (
            ["done", "changes entry/1: role user, notes []", "changes entry/2: removed"],
            {ENTRY: USER, OTHER: None},
            {},
        ),
        (["done", "informs nobody"], None, {"informs": {}}),
        (["done", "informs a: hello, bye"], None, {"informs": {"a": ("hello", "bye")}}),
        (["denied, with late, busy"], None, {"denied": ("late", "busy")}),
    ],
)
def test_the_expected_has_words(words: list[str], wanted: Any, expected: dict[str, Any]) -> None:
    """What was expected is said in lines, and nothing of what was left open."""
    assert words == outcome_of(done(), wanted, **expected).expected.splitlines()


@pytest.mark.parametrize(
    ("words", "deeds", "wanted"),
    [
        (["nothing: no code"], None, None),
        (["denied: late (it is late), busy (it is busy)"], refused("late", "busy"), None),
        (["done", "changes nothing", "informs nobody"], done(), None),
        (
            [
                "done",
                'changes entry/1: role administrator, notes ["a"]',
                "informs 047: code",
                "informs a@x.example: hello, hello",
            ],
            done(PROMOTED, notices=(TO_A, TO_B, TO_A)),
            None,
        ),
        (
            ["done", "changes entry/1: role administrator", "informs nobody"],
            done(PROMOTED),
            {ENTRY: {"role": "user"}},
        ),
        (
            [
                "done",
                "changes entry/1: removed",
                "changes entry/2: role user, notes []",
                "informs nobody",
            ],
            done(REMOVED, MADE),
            {ENTRY: {"role": "user"}},
        ),
    ],
)
def test_what_came_has_words(words: list[str], deeds: Deeds | None, wanted: Any) -> None:
    """What came is said whole: of what was expected those values, of all else what is new."""
    assert words == outcome_of(deeds, wanted).given.splitlines()
