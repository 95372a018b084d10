"""Conditions held against the types of what they compare: each fault, and its near miss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
import small_domain

from authz_service.polar import syntax
from authz_service.polar.checker import check_statements
from authz_service.polar.conditions import quoted
from authz_service.polar.reader import read_policy
from authz_service.polar.syntax import Constant, Span
from authz_service.polar.text import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz_service.polar.syntax import Statement

RULE: Final = 'may(user: User, "read", record: Record, request: Request) if\n'
# what makes every variable of the rule used
USED: Final = "user = record.owner and request.soft = true and\n"
NOWHERE: Final = Span("p.polar", 1, 1, 1, 2)


def check(condition: str) -> list[str]:
    """Check one condition on a user, a record and the request; it begins at 3:1."""
    text = f"{RULE}{USED}{condition};"
    source = Source("p.polar", text)
    reading = read_policy(source)

    assert () == reading.faults
    return tell(source, reading.statements)


def tell(source: Source, statements: Sequence[Statement]) -> list[str]:
    """Say what is wrong, without the file; that nothing is allowed is no concern here."""
    findings = check_statements([source], statements, small_domain.DOMAIN.schema)
    told = [str(each).removeprefix("p.polar:") for each in findings.errors]
    return [each for each in told if not each.endswith("[no_allow]")]


@pytest.mark.parametrize(
    ("expected", "condition"),
    [
        (
            [("3:7: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            '"x" = user.nme',
        ),
        (
            [("3:8: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            '(not ((user.nme = "x")))',
        ),
        (
            [("3:9: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            '"x" in [user.nme]',
        ),
        (
            [("3:24: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            'user matches User{nme: "x"}',
        ),
        (
            [("3:20: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            'user matches {nme: "x"}',
        ),
        (
            [("3:46: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            'record matches Record{owner: {manager: {nme: "x"}}}',
        ),
        (
            [("3:23: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            'r in user.reports and r.nme = "x"',
        ),
        (
            [("3:27: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            'forall(r in user.reports, r.nme = "x")',
        ),
        (
            [("3:22: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            'u = user.manager and u.nme = "x"',
        ),
        (
            ["3:1: a String has no attribute `length` [unknown_attribute]"],
            "record.title.length = 1",
        ),
        (
            [
                (
                    "3:1: `record.owner.reports` is a collection of User; take one with `each "
                    "in record.owner.reports` [is_a_collection]"
                )
            ],
            'record.owner.reports.name = "x"',
        ),
        (
            [
                (
                    "3:1: compares a collection of User with User, which are never the same "
                    "[different_types]"
                )
            ],
            "user.reports = user",
        ),
        (
            [
                (
                    "3:1: compares a whole collection; take one of it with `each in ...` "
                    "[is_a_collection]"
                )
            ],
            "user.reports = record.readers",
        ),
        (
            [
                (
                    "3:1: compares a whole collection; take one of it with `each in ...` "
                    "[is_a_collection]"
                ),
                (
                    "3:22: compares a whole collection; take one of it with `each in ...` "
                    "[is_a_collection]"
                ),
            ],
            "x = user.reports and x = record.readers",
        ),
        (
            [("3:1: compares Integer with String, which are never the same [different_types]")],
            'record.size = "1"',
        ),
        (
            [("3:1: compares Boolean with Integer, which are never the same [different_types]")],
            "record.secret = 0",
        ),
        (
            [("3:1: compares DateTime with String, which are never the same [different_types]")],
            'record.created = "2026-01-01"',
        ),
        (
            ["3:1: compares User with String, which are never the same [different_types]"],
            'record.owner = "alice"',
        ),
        (
            ["3:1: compares User with String, which are never the same [different_types]"],
            "record.owner = user.name",
        ),
        (
            ["3:1: compares User with Record, which are never the same [different_types]"],
            "user == record",
        ),
        (
            [("3:1: compares User with Integer, which are never the same [different_types]")],
            "user != record.size",
        ),
        (["3:1: `<` puts no order among Boolean [no_order]"], "record.secret < true"),
        (["3:1: `<` puts no order among User [no_order]"], "user < record.owner"),
        (["3:1: `<` puts no order among nil [no_order]"], "record.size < nil"),
        (
            [("3:1: compares Integer with User, which are never the same [different_types]")],
            "record.size < record.owner",
        ),
        (
            ["3:1: `<` puts no order among a collection of User [no_order]"],
            "user.reports < record.readers",
        ),
        (
            ['3:13: `role` is never `"adnim"`; did you mean `admin`? [unknown_word]'],
            'user.role = "adnim"',
        ),
        (
            ['3:14: `role` is never `"adnim"`; did you mean `admin`? [unknown_word]'],
            'user.role != "adnim"',
        ),
        (
            ['3:1: `role` is never `"adnim"`; did you mean `admin`? [unknown_word]'],
            '"adnim" == user.role',
        ),
        (
            ['3:24: `role` is never `"membr"`; did you mean `member`? [unknown_word]'],
            'user.role in ["admin", "membr"]',
        ),
        (
            ['3:23: `role` is never `"adnim"`; did you mean `admin`? [unknown_word]'],
            'r = user.role and r = "adnim"',
        ),
        (
            ['3:25: `role` is never `"adnim"`; did you mean `admin`? [unknown_word]'],
            'user matches User{role: "adnim"}',
        ),
        (
            [
                (
                    "3:1: compares two values that are written out; it is always the same "
                    "[never_changes]"
                )
            ],
            '"x" = "x"',
        ),
        (
            [
                (
                    "3:1: compares two values that are written out; it is always the same "
                    "[never_changes]"
                )
            ],
            "1 < 2",
        ),
        (
            ["3:9: is a User and no collection; compare with `=` [no_collection]"],
            "user in record.owner",
        ),
        (
            ["3:8: is a String and no collection; compare with `=` [no_collection]"],
            '"x" in record.title',
        ),
        (
            [
                (
                    "3:1: looks for Record in a collection of User, where there is none "
                    "[different_types]"
                )
            ],
            "record in record.readers",
        ),
        (
            [
                (
                    "3:1: looks for String in a collection of Boolean or Integer, where there "
                    "is none [different_types]"
                )
            ],
            "user.name in [1, true]",
        ),
        (
            [
                (
                    "3:1: looks for Integer in a collection of String, where there is none "
                    "[different_types]"
                )
            ],
            "1 in request.parts",
        ),
        (["3:1: a User is never a Record [never_matches]"], "user matches Record"),
        (["3:14: there is no type `Usr`; did you mean `User`? [unknown_type]"], "user matches Usr"),
        (["3:1: a String is never a User [never_matches]"], "user.name matches User"),
        (
            ["3:30: `owner` is User, never Record [different_types]"],
            "record matches Record{owner: Record{size: 1}}",
        ),
        (
            ["3:30: `owner` is User, never Record [different_types]"],
            "record matches Record{owner: record}",
        ),
        (
            ['3:29: `size` is Integer, never `"x"` [different_types]'],
            'record matches Record{size: "x"}',
        ),
        (
            ["3:32: `readers` is a collection of User, never User [different_types]"],
            "record matches Record{readers: user}",
        ),
        (
            ['3:31: `status` is never `"actve"`; did you mean `active`? [unknown_word]'],
            'record matches Record{status: "actve"}',
        ),
        (
            [("3:1: is a value, not a condition; compare it, as in `... = true` [no_condition]")],
            "user",
        ),
        (
            [("3:1: is a value, not a condition; compare it, as in `... = true` [no_condition]")],
            "record.secret",
        ),
        (
            [("3:1: is a value, not a condition; compare it, as in `... = true` [no_condition]")],
            "true",
        ),
        (
            [("3:44: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            '(o = record.owner or o = user.manager) and o.nme = "x"',
        ),
        (
            ["3:44: a String has no attribute `name` [unknown_attribute]"],
            '(o = record.owner or o = record.title) and o.name = "x"',
        ),
        (
            ["3:20: a User is never a Record [never_matches]"],
            "o matches User and o matches Record",
        ),
        (
            [
                (
                    "3:24: compares Integer or String with Boolean, which are never the same "
                    "[different_types]"
                )
            ],
            '(x = 1 or x = "a") and x = true',
        ),
        (
            ["3:16: is an Integer and no collection; compare with `=` [no_collection]"],
            "record.size in record.size",
        ),
        (
            [
                (
                    "3:1: looks for a collection of User in a collection of User, where there "
                    "is none [different_types]"
                )
            ],
            "user.reports in [user]",
        ),
        (
            [("3:5: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            'not user.nme = "x"',
        ),
        (
            [("3:1: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            'user.nme in ["x"]',
        ),
        (
            [("3:1: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            'user.nme matches "x"',
        ),
        (
            [("3:1: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            'user.nme < "x"',
        ),
        (
            [("3:7: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            '"x" < record.owner.manager.nme',
        ),
        (
            [("3:1: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            'request.subject.nme = "x"',
        ),
        (
            [("3:21: a User has no attribute `nme`; did you mean `name`? [unknown_attribute]")],
            '(user.name = "x" or user.nme = "y")',
        ),
        (
            [("3:1: a Request has no attribute `sofd`; did you mean `soft`? [unknown_attribute]")],
            "request.sofd = true",
        ),
        (
            ['3:24: `role` is never `"adnim"`; did you mean `admin`? [unknown_word]'],
            'request.subject.role = "adnim"',
        ),
        (
            [
                (
                    "3:22: a User has no attribute `status`; there is `id`, `manager`, `name`, "
                    "`records`, `reports`, `role` [unknown_attribute]"
                )
            ],
            (
                '((x matches User and x.status = "active") or (x matches Record and '
                'x.status = "active"))'
            ),
        ),
    ],
)
def test_a_wrong_condition_is_told(expected: list[str], condition: str) -> None:
    """Exactly what is wrong is told, with its place and what to write instead."""
    assert expected == check(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "record.size = 1.0",
        "record.created < request.now",
        "record.size <= 1.5",
        'user.name = "adnim"',
        "1 in [1, 2]",
        "user in record.readers",
        'user.name in [1, "x"]',
        "user.name in []",
        '"x" in request.parts',
        "user.name matches String",
        "nil matches User",
        'record matches Record{owner: User{name: "x"}}',
        "record matches Record{owner: user}",
        "record matches Record{size: nil}",
        ('((x matches User and x.role = "admin") or (x matches Record and x.status = "active"))'),
        'user.name = "x"',
    ],
)
def test_a_near_miss_is_not_told(condition: str) -> None:
    """What may be so is not refused."""
    assert [] == check(condition)


def test_a_condition_is_no_value() -> None:
    """A condition in place of a value is refused, though the reader builds none."""
    truth = Constant(NOWHERE, value=True)
    inner = syntax.Comparison(NOWHERE, "=", syntax.Variable(NOWHERE, "x"), truth)
    body = syntax.Membership(NOWHERE, inner, syntax.ListTerm(NOWHERE, (truth,)))
    rule = syntax.Rule(
        NOWHERE, "forbid", tuple(syntax.Parameter(NOWHERE, truth) for _ in range(4)), body
    )

    assert "1:1: is a condition where a value is needed [no_value]" in tell(
        Source("p.polar", " "), [rule]
    )


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ('`"a"`', "a"),
        ("`nil`", None),
        ("`true`", True),
        ("`false`", False),
        ("`1`", 1),
        ("`-1.5`", -1.5),
    ],
)
def test_a_constant_is_shown_as_it_is_written(
    expected: str,
    value: str | float | bool | None,  # noqa: FBT001  # a value of the table
) -> None:
    """Messages speak Polar."""
    assert expected == quoted(Constant(NOWHERE, value))
