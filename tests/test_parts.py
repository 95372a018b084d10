"""A difference cut into parts: each leads to its pairs, or is counted as a product."""

from __future__ import annotations

import pytest
from test_folding import clauses_of

from authz_service.policy.parts import Part, Relation, find_gains, is_linked, merge, rewrite

NEVER = "false = true"


def parts_of(old: str, new: str) -> list[Part]:
    """Find the parts of what one condition allows and another one does not."""
    relations = (Relation(clauses_of(each), ()) for each in (old, new))
    return [part for gain in find_gains(*relations) for part in gain.parts]


@pytest.mark.parametrize(
    ("expected", "condition"),
    [
        (True, "record.owner = request.subject"),
        (True, "request.subject in record.readers"),
        (True, "record.owner.manager = request.subject"),
        (True, "one in request.subject.reports and one = record.owner"),
        (True, "request.subject.name = record.title"),
        (False, "record.owner = nil"),
        (True, "request.subject in record.owner.reports"),
        (False, "not record.owner = request.subject"),
        (False, "request.subject.name < record.title"),
        (False, 'request.subject.name = "a" and record.title = "a"'),
    ],
)
def test_what_equals_connect_is_linked(expected: bool, condition: str) -> None:  # noqa: FBT001  # expected first
    """By columns of rows that are equal one leads from the subject to the resource."""
    assert expected == any(map(is_linked, clauses_of(condition)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("record.secret = true", "record.secret = true"),
        ("record.secret = true", "record.secret = true and record.owner = request.subject"),
        (
            "request.subject in record.readers",
            "request.subject in record.readers and record.size = 1",
        ),
    ],
)
def test_what_the_old_policy_allows_as_well_leaves_nothing(old: str, new: str) -> None:
    """It is seen from the clauses alone; no database is asked."""
    assert [] == parts_of(old, new)


@pytest.mark.parametrize(
    "old",
    [
        "not record.owner = request.subject",
        "not request.subject in record.readers",
        "not (request.subject in record.readers or record.owner = request.subject)",
    ],
)
def test_what_must_not_not_hold_leads_to_its_pairs(old: str) -> None:
    """Everybody, but for those for whom the old policy did not hold: they are linked."""
    parts = parts_of(old, "record.secret = record.secret")

    assert parts
    assert all(each.is_linked for each in parts)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (NEVER, "record.secret = record.secret"),
        (NEVER, "not request.subject in record.readers"),
        ('record.title = "a" and request.subject.name = "a"', "record.secret = record.secret"),
        (
            'record.title = "a" and not request.subject in record.readers',
            "record.secret = record.secret",
        ),
        ("_one in request.subject.reports and record.size = 1", "record.size != 2"),
    ],
)
def test_what_is_not_linked_is_counted(old: str, new: str) -> None:
    """Each part is linked, or a product of which the linked pairs are taken off."""
    parts = parts_of(old, new)

    assert parts
    assert all(each.is_linked or each.is_product for each in parts)


def test_an_order_between_both_cannot_be_counted() -> None:
    """No equality leads from the one to the other, and it is true of neither alone."""
    [part] = parts_of(NEVER, "record.title < request.subject.name")

    assert (False, False) == (part.is_linked, part.is_product)


def test_very_many_parts_are_left_as_they_are() -> None:
    """Cutting ends, however much must not hold."""
    [everything] = clauses_of("record.secret = record.secret")
    knots = tuple(
        clause
        for number in range(12)
        for clause in clauses_of(
            f'record.size = {number} and request.subject.name = "{number}" and record.title = "x"'
        )
    )

    assert 200 < len(list(rewrite(Part(everything, knots)))) < 1_000


def test_rows_that_are_put_together_keep_apart() -> None:
    """Two clauses that each need a row of a type need one each."""
    [first] = clauses_of("one in request.subject.reports and one.name = record.title")
    [second] = clauses_of('one in request.subject.reports and one.role = "admin"')
    both = merge(first, second)

    assert 2 == len({each.alias for each in both.sources})
    assert len(first.conditions) + len(second.conditions) == len(both.conditions)
