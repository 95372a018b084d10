"""What kind of value each piece of a rule stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
import small_domain

from authz_service.polar.blocks import expand_blocks
from authz_service.polar.reader import read_policy
from authz_service.polar.schema import Attribute
from authz_service.polar.syntax import Block, Variable
from authz_service.polar.text import Source
from authz_service.polar.types import (
    UNKNOWN,
    Kind,
    Universe,
    build_scope,
    find_conditions_in,
    unite,
)

if TYPE_CHECKING:
    from authz_service.polar.syntax import Rule

STRING: Final = Kind(frozenset({"String"}))
INTEGER: Final = Kind(frozenset({"Integer"}))
FLOAT: Final = Kind(frozenset({"Float"}))
NIL: Final = Kind(frozenset({"nil"}))
USER: Final = Kind(frozenset({"User"}))
USERS: Final = Kind(frozenset({"User"}), many=True)
EITHER: Final = Kind(frozenset({"User", "Record"}))


def build_universe(text: str) -> Universe:
    """Give the types that the policies of the small domain can name."""
    statements = read_policy(Source("p.polar", text)).statements
    blocks = {each.type_name: each for each in statements if isinstance(each, Block)}
    return Universe(small_domain.DOMAIN.schema, blocks)


def read_rule(text: str) -> Rule:
    """Read the one rule of a text."""
    return expand_blocks(read_policy(Source("p.polar", text)).statements)[0]


def find_kind(text: str, name: str = "x") -> str:
    """Say in words what is known of a variable of a rule."""
    rule = read_rule(text)
    scope = build_scope(rule, build_universe(text))
    return scope.kind(Variable(rule.span, name)).shown


@pytest.mark.parametrize(
    ("expected", "one", "other"),
    [
        (True, STRING, STRING),
        (False, STRING, INTEGER),
        (True, INTEGER, FLOAT),
        (True, UNKNOWN, USERS),
        (True, NIL, USER),
        (False, USERS, USER),
        (False, NIL, USERS),
        (True, EITHER, USER),
        (False, EITHER, STRING),
    ],
)
def test_kinds_fit_both_ways(expected: bool, one: Kind, other: Kind) -> None:  # noqa: FBT001  # a value of the table
    """Two kinds fit when a value can be of both."""
    assert (expected, expected) == (one.fits(other), other.fits(one))


@pytest.mark.parametrize(
    ("expected", "kinds"),
    [
        (UNKNOWN, []),
        (USER, [USER, USER]),
        (EITHER, [USER, Kind(frozenset({"Record"}))]),
        (UNKNOWN, [USER, UNKNOWN]),
        (UNKNOWN, [USER, USERS]),
    ],
)
def test_kinds_are_united(expected: Kind, kinds: list[Kind]) -> None:
    """What is one of several is known when each of them is."""
    assert expected == unite(kinds)


def test_words_of_different_attributes_are_not_mixed() -> None:
    """The words of one attribute say nothing of another."""
    role = Attribute("role", "String", choices=("admin",))
    status = Attribute("status", "String", choices=("active",))
    kinds = [Kind(STRING.names, attribute=each) for each in (role, status)]

    assert (STRING, kinds[0]) == (unite(kinds), unite(kinds[:1] * 2))


@pytest.mark.parametrize(
    ("expected", "name"),
    [
        ("User", "User"),
        ("DateTime", "DateTime"),
        ("Request", "Request"),
        ("User", "Actor"),
        ("Record", "Resource"),
        ("something unknown", "Usr"),
        ("something unknown", "nil"),
    ],
)
def test_a_name_stands_for_a_kind(expected: str, name: str) -> None:
    """Types and the unions of blocks have names; nothing is known of other names."""
    assert expected == build_universe("actor User {} resource Record {}").named(name).shown


def test_there_is_no_union_without_blocks() -> None:
    """`Actor` and `Resource` are there only when a block says what they are."""
    assert {"Actor", "Resource"}.isdisjoint(build_universe("").names)


@pytest.mark.parametrize(
    ("expected", "rule"),
    [
        ("something unknown", "f(x);"),
        ("User", "f(x: User);"),
        ("String", 'f(x: "a");'),
        ("User", "f(r: Record) if x = r.owner;"),
        ("User", "f(r: Record) if r.owner = x;"),
        ("User", "f(r: Record) if x in r.readers;"),
        ("a collection of User", "f(r: Record) if x = r.readers;"),
        ("Integer", "f(_: Record{size: x});"),
        ("String", "f(_: Record{owner: {manager: {name: x}}});"),
        ("Integer", "f(r) if r matches Record{size: x};"),
        ("User", "f(r: Record) if r matches {owner: x};"),
        ("String", "f(r: Record) if x = y.name and y = r.owner;"),
        ("String", "f(q: Request) if x = q.subject.name;"),
        ("DateTime", "f(q: Request) if x = q.now;"),
        ("Integer or String", 'f(_) if x in ["a", 1];'),
        ("something unknown", "f(y) if x in [1, y];"),
        ("something unknown", "f(_) if x in [];"),
        ("something unknown", "f(_) if x = nil;"),
        ("something unknown", "f(_) if not x = 1;"),
        ("something unknown", "f(_) if forall(x = 1, x = 2);"),
        ("something unknown", "f(_) if x < 1;"),
        ("something unknown", "f(r: Record) if x = r.sise;"),
        ("something unknown", "f(r: Record) if x = r.readers.name;"),
        ("something unknown", "f(_: Record{sise: x});"),
        ("Integer or String", 'f(_) if x = 1 or x = "a";'),
        ("something unknown", "f(y) if x = 1 or y = 2;"),
        ("Integer", "f(x: Integer) if x = 1 or x = 2;"),
        ("User", "f(x) if x matches User;"),
        ("User", "f(x) if x matches User and x matches Record;"),
        ("User", "f(x: Actor) if x matches User; actor User {} actor Record {}"),
        ("Record or User", "f(x: Actor); actor User {} actor Record {}"),
    ],
)
def test_a_rule_says_what_a_variable_is(expected: str, rule: str) -> None:
    """A kind is learnt from parameters, patterns, `=`, `in` and `matches`, outside of `not`."""
    assert expected == find_kind(rule)


def test_nothing_is_learnt_of_an_unnamed_variable() -> None:
    """Each `_` is another variable."""
    assert "something unknown" == find_kind("f(_: User, _: Record);", "_")


@pytest.mark.parametrize(
    ("expected", "body"),
    [
        (["User", "Record"], "x matches User or x matches Record"),
        (["Integer", "something unknown"], "not x = 1 and x < 2"),
        (["Integer", "Integer"], "forall(x < 2, x = 1)"),
        (["Integer", "Integer"], "(x = 1 or y = 1) and x = 2"),
        (["User", "User"], "not (x matches User and x = y)"),
    ],
)
def test_a_branch_knows_more(expected: list[str], body: str) -> None:
    """What a branch says of a variable is known in that branch."""
    rule = read_rule(f"f(x, y) if ({body});")
    scope = build_scope(rule, build_universe(""))
    found = [
        inner.kind(Variable(rule.span, "x")).shown
        for _, inner in find_conditions_in(rule.body, scope)
    ]

    assert expected == found[:2]
