"""What a suite has shown, what it has not, and what no suite could show."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from covering import POLICY, USUAL, build_examiner, observe, read_by
from small_domain import ALICE, BOB, DOMAIN, NOTE, REPORT, build_records

from authz_service.coverage.assessment import Share, State, assess, write_percent
from authz_service.coverage.examiner import Examiner, Places
from authz_service.coverage.lessening import Target
from authz_service.coverage.prospects import find_prospects
from authz_service.errors import Place
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import load_policies
from authz_service.portal import DOMAIN as PORTAL
from authz_service.scenario.inquiry import Expectation, Inquiry
from authz_service.store.entity import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.coverage.assessment import Coverage
    from authz_service.policy.engine import Finding
    from authz_service.policy.request import Request
    from authz_service.store.database import Store
    from authz_service.store.entity import Reference

LONG: Final = 60_000
OURS: Final = Path(__file__).parent.parent / "policies"


@pytest.fixture
def records() -> Iterator[Store]:
    """The records, in memory."""
    store = build_records()
    yield store
    store.close()


def cover(store: Store, *requests: Request, text: str = POLICY) -> Coverage:
    """Ask questions, and find what they have shown."""
    examiner = build_examiner(text)
    observe(examiner, store, *requests)
    return assess(examiner, DOMAIN, time.monotonic, 60)


def find_states(coverage: Coverage) -> dict[str, list[State]]:
    """Find the state of each rule, and of both outcomes of each condition, by its text."""
    found = {}
    for file in coverage.files:
        for rule in file.rules:
            found[rule.text] = [rule.decided.state]
            found |= {each.text: [x.state for x in each.findings] for each in rule.conditions}
    return found


def test_what_was_shown_is_seen_and_all_else_is_not(records: Store) -> None:
    """The owner's question shows that the owner's rule decides, and nothing of the others."""
    states = find_states(cover(records, read_by(ALICE, REPORT)))

    assert [State.SEEN] == states['permit(user: User, "read", record: Record)']
    assert [State.SEEN, State.UNSEEN] == states['record.status = "active"']
    assert [State.UNSEEN, State.UNSEEN] == states['user.role = "admin"']


def test_conditions_stand_below_their_rule_in_the_order_of_the_text(records: Store) -> None:
    """Also where a clause goes through several rules."""
    [file] = cover(records).files

    assert [
        ("permit", 5, ["owns(user, record)", 'record.status = "active"']),
        ("permit", 9, ['user.role = "admin"']),
        ("forbid", 12, ['request.channel = "fax"', "request.subject in record.readers"]),
        ("owns", 16, ["record.owner = user"]),
    ] == [
        (rule.name, rule.span.line, [each.text for each in rule.conditions]) for rule in file.rules
    ]


def test_a_rule_that_no_question_comes_to_is_told(records: Store) -> None:
    """It is in no clause, so nothing of it could be seen; words for people are no such rule."""
    text = (
        f'{POLICY}reason("by_fax", "not by fax");\nforgotten(user: User) if user.role = "admin";\n'
    )
    [file] = cover(records, text=text).files

    assert (18,) == file.unused


def test_an_own_allow_is_a_rule_like_others(records: Store) -> None:
    """Also where its file has no other."""
    text = "allow(request: Request, _: String, record: Record) if record.owner = request.subject;\n"
    [file] = cover(records, read_by(ALICE, REPORT), text=text).files

    assert [("allow", State.SEEN, ["record.owner = request.subject"])] == [
        (each.name, each.decided.state, [x.text for x in each.conditions]) for each in file.rules
    ]
    assert () == file.unused


def test_what_no_small_store_shows_is_not_counted(records: Store) -> None:
    """Whoever is an admin is no member, so that the second condition never fails alone."""
    text = USUAL + (
        'permit(user: User, "read", _record: Record) if\n'
        '    user.role = "admin" and not user.role = "member";\n'
        'forbid("never", _: Request, "delete", _: Record);\n'
    )
    coverage = cover(records, read_by(BOB), read_by(ALICE), text=text)
    states = find_states(coverage)

    assert [State.NEVER, State.SEEN] == states['user.role = "member"']
    assert [State.SEEN, State.NEVER] == states['user.role = "admin"']
    assert 2 == coverage.rules.never


def test_each_cell_says_where_it_is_tested(records: Store) -> None:
    """The questions that are allowed, those that are denied, and those that nobody asked."""
    examiner = build_examiner()
    observe(examiner, records, read_by(ALICE, REPORT), read_by(BOB, NOTE, "fax"))
    examiner.settle([ask(2, ALICE, REPORT), ask(5, BOB, NOTE, "fax")])
    cells = assess(examiner, DOMAIN, time.monotonic, 60).cells
    tested = {tuple(each.cell): each.tested for each in cells if each.state is State.SEEN}

    assert {
        ("record", "user", "member", "read", "none"): Places(["records.yaml:2"], []),
        ("record", "user", "owner", "read", "none"): Places(["records.yaml:2"], []),
        ("record", "user", "readers", "read", "none"): Places(["records.yaml:2"], []),
        ("record", "user", "admin", "read", "fax"): Places([], ["records.yaml:5"]),
    } == tested


def test_the_same_question_before_and_after_a_step_stands_in_two_places(records: Store) -> None:
    """What was asked first is what stands first."""
    examiner = build_examiner()
    allowed, denied = ask_twice(examiner, records)
    examiner.settle([ask(3, ALICE, REPORT), ask(9, ALICE, REPORT)])
    [tested] = {
        (*each.allowed, *each.denied)
        for cell, each in examiner.seen.cells.items()
        if cell.relation == "owner"
    }

    assert (False, True) == (bool(allowed.reasons), bool(denied.reasons))
    assert ("records.yaml:3", "records.yaml:9") == tested


def ask_twice(examiner: Examiner, records: Store) -> list[Finding]:
    """Ask for the report while it is active, and again once it is archived."""
    found = observe(examiner, records, read_by(ALICE, REPORT))
    row = records.find_whole(REPORT)
    assert row is not None
    records.update(Row(REPORT, {**row.values, "status": "archived"}), 1)
    return found + observe(examiner, records, read_by(ALICE, REPORT))


def ask(line: int, subject: Reference, resource: Reference, channel: str | None = None) -> Inquiry:
    """A question of a scenario."""
    expected = Expectation(Place("records.yaml", line), "read", allowed=True)
    return Inquiry(expected, subject, resource, channel)


@pytest.mark.parametrize(
    ("states", "text", "percent"),
    [
        ([], "0 of 0 (100 %)", 100),
        ([State.SEEN, State.UNSEEN, State.NEVER], "1 of 2 (50 %)", 50),
        ([State.SEEN] * 1999 + [State.UNSEEN], "1999 of 2000 (99.9 %)", 99.95),
        ([State.NEVER], "0 of 0 (100 %)", 100),
    ],
)
def test_a_share_is_of_what_can_be(states: list[State], text: str, percent: float) -> None:
    """Nothing less than all is called 100 %."""
    share = Share.of(states)

    assert (text, percent) == (str(share), share.percent)


def test_percentages_are_rounded_down() -> None:
    """To one digit."""
    assert "66.6 %" == write_percent(200 / 3)


def test_what_could_be_shown_of_our_policies_is_shown_by_the_database() -> None:
    """Every rule, condition and cell has a question in a small store, but four, which are implied.

    An action lists its channels on the web and the app, or on the web alone.
    """
    examiner = Examiner(CompiledEngine(load_policies(OURS), PORTAL, LONG), PORTAL)
    targets = {each for exam in examiner.exams.values() for each in exam.targets}
    cells = {cell for frame in examiner.frames.values() for cell in frame.cells}
    found = find_prospects(examiner, PORTAL, targets | cells, time.monotonic, LONG)
    never = {
        f"{each.event.value} {each.span.line}" for each in found.never if isinstance(each, Target)
    }

    assert {"failed 14", "failed 20", "failed 21", "failed 53"} == never
    assert (set(), len(targets | cells) - 4) == (found.unknown, len(found.witnesses))


def test_what_takes_too_long_to_look_for_is_counted(records: Store) -> None:
    """Without time, nothing is known of what could be shown, and nothing is left out."""
    examiner = build_examiner()
    observe(examiner, records, read_by(ALICE, REPORT))
    coverage = assess(examiner, DOMAIN, time.monotonic, 0)

    assert (0, 0) == (coverage.rules.never, coverage.grid.never)
    assert len(coverage.prospects.unknown) > 0
