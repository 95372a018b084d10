"""What a question shows of the policies: which rules decided, which conditions held or failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from covering import POLICY, USUAL, build_examiner, compile_text, read_by, show
from small_domain import ALICE, BOB, NOON, NOTE, REPORT, build_records

from authz_service.store.entity import Reference, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.store.database import Store

CARL = Reference("user", "carl")
OWNS = "owns(user, record)"
OWNER = "record.owner = user"
ACTIVE = 'record.status = "active"'
ADMIN = 'user.role = "admin"'
FAX = 'request.channel = "fax"'
READER = "request.subject in record.readers"
BY_OWNER = 'permit(user: User, "read", record: Record)'
BY_ADMIN = 'permit(user: User, "read", _record: Record)'
BY_FAX = 'forbid("by_fax", request: Request, "read", record: Record)'


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """The records, on either database."""
    store = build_records(url)
    yield store
    store.close()


@pytest.fixture
def records() -> Iterator[Store]:
    """The records, in memory."""
    store = build_records()
    yield store
    store.close()


def test_the_rule_that_permits_and_its_conditions_are_seen(store: Store) -> None:
    """The owner is permitted by one rule, and that by another; what forbids needs the fax."""
    seen = show(build_examiner(), store, read_by(ALICE, REPORT))

    assert {
        f"decided: {BY_OWNER}",
        "decided: owns(user: User, record: Record)",
        f"held: {OWNS}",
        f"held: {OWNER}",
        f"held: {ACTIVE}",
    } == seen


@pytest.mark.parametrize(
    ("subject", "resource", "channel", "seen"),
    [
        # two conditions of the owner's rule fail, so neither alone
        (ALICE, NOTE, None, {f"failed: {ADMIN}", f"failed: {FAX}"}),
        # a reader does not own it, but is permitted as an admin all the same
        (BOB, REPORT, None, {f"decided: {BY_ADMIN}", f"held: {ADMIN}"}),
        # by fax, it shows that a reader is one, for others are refused
        (BOB, REPORT, "fax", {f"decided: {BY_ADMIN}", f"held: {ADMIN}", f"held: {READER}"}),
        # who is refused is not seen to be permitted
        (BOB, NOTE, "fax", {f"decided: {BY_FAX}", f"held: {FAX}", f"failed: {READER}"}),
        (CARL, REPORT, "web", {f"failed: {each}" for each in (OWNS, OWNER, ADMIN, FAX)}),
    ],
    ids=["two fail", "another rule", "absent", "hidden", "one fails"],
)
def test_a_question_shows_what_alone_made_the_difference(
    records: Store, subject: Reference, resource: Reference, channel: str | None, seen: set[str]
) -> None:
    """A condition is seen to fail where the answer, or a reason, is another without it."""
    records.insert(Row(CARL, {"name": "Carl", "role": "member"}))

    assert seen == show(build_examiner(), records, read_by(subject, resource, channel))


@pytest.mark.parametrize("subject", [ALICE, BOB, CARL])
@pytest.mark.parametrize("resource", [REPORT, NOTE])
@pytest.mark.parametrize("channel", [None, "fax"])
def test_what_fails_is_what_is_missed_when_it_is_left_out(
    records: Store, subject: Reference, resource: Reference, channel: str | None
) -> None:
    """A condition is seen to fail just where the policy without its text answers otherwise."""
    records.insert(Row(CARL, {"name": "Carl", "role": "member"}))
    asked = read_by(subject, resource, channel)
    reasons = compile_text(POLICY).reasons(records, asked, NOON)
    missed = set()
    for each in (OWNS, OWNER, ACTIVE, ADMIN, FAX, READER):
        changed = compile_text(POLICY.replace(each, "1 = 1", 1))
        if changed.reasons(records, asked, NOON) != reasons:
            missed.add(f"failed: {each}")
    seen = show(build_examiner(), records, asked)

    assert missed == {each for each in seen if each.startswith("failed: ")}


def test_whoever_is_not_stored_shows_nothing(records: Store) -> None:
    """The answer is of no rule."""
    assert set() == show(build_examiner(), records, read_by(CARL))


def test_an_own_allow_is_looked_at_as_a_whole(records: Store) -> None:
    """What its `not` refuses is seen to hold, for without it the answer is another."""
    examiner = build_examiner(
        'allow(request: Request, "read", record: Record) if\n'
        "    record matches Record and not refused(request, record);\n"
        'refused(_: Request, record: Record) if record.status = "archived";\n'
        'allow(_: Request, "write", _: Record);\nallow(_: Request, "delete", _: Record);\n'
    )
    seen = show(examiner, records, read_by(BOB, NOTE))

    assert {
        "decided: refused(_: Request, record: Record)",
        "held: refused(request, record)",
        'held: record.status = "archived"',
    } == seen


@pytest.mark.parametrize(
    ("name", "seen"), [("Alice", {'failed: record.owner.role = "admin"'}), ("Bob", set())]
)
def test_what_is_left_out_leaves_the_others_about_the_same_row(
    records: Store, name: str, seen: set[str]
) -> None:
    """Without the first condition, the second one still asks the owner, not anybody of the name."""
    examiner = build_examiner(
        USUAL + 'permit(user: User, "read", record: Record) if\n'
        f'    user matches User and record.owner.role = "admin" and record.owner.name = "{name}";\n'
        'forbid("x", _: Request, "delete", _: Record);\n'
    )

    assert seen == show(examiner, records, read_by(ALICE))


def test_a_question_of_very_many_clauses_is_asked_in_parts(store: Store) -> None:
    """No statement is larger than the databases take."""
    names = [*(f"n{number}" for number in range(150)), "Alice"]
    rule = (
        'permit(user: User, "read", record: Record) if user.name = "{0}" and record.title = "{0}";'
    )
    last = 'permit(user: User, "read", record: Record) if user.name = "Alice" and record.size = 3;'
    rules = "\n".join([*map(rule.format, names), last])
    examiner = build_examiner(f'{USUAL}{rules}\nforbid("x", _: Request, "delete", _: Record);\n')
    seen = show(examiner, store, read_by(ALICE, REPORT))

    assert {'held: user.name = "Alice"', "held: record.size = 3"} < seen
