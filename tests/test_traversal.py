"""Ways through a syntax tree."""

from __future__ import annotations

import pytest

from authz_service.polar import syntax
from authz_service.polar.reader import read_policy
from authz_service.polar.syntax import Rule
from authz_service.polar.text import Source
from authz_service.polar.traversal import find_calls, find_conditions, find_nodes, find_variables


def read_rule(text: str) -> Rule:
    """Read the one rule of a text."""
    (rule,) = read_policy(Source("p.polar", text)).statements

    assert isinstance(rule, Rule)
    return rule


@pytest.mark.parametrize(
    ("expected", "body"),
    [
        (["a"], "a(x)"),
        (["a", "b"], "a(x) and b(x)"),
        (["a", "b", "c"], "a(x) or (not b(x) and c(x))"),
        (["a", "b"], "forall(a(x), not b(x))"),
        ([], "x = 1"),
    ],
)
def test_calls_are_found_wherever_they_are(expected: list[str], body: str) -> None:
    """Calls are found in the order of the text, under everything that combines conditions."""
    assert expected == [call.name for call in find_calls(read_rule(f"f(x) if {body};").body)]


def test_what_combines_conditions_is_left_out() -> None:
    """Only conditions that combine no others are found."""
    rule = read_rule("f(x) if a(x) and not (x = 1 or x in [1]) and forall(x < 2, x matches User);")

    assert ["Call", "Comparison", "Membership", "Comparison", "Match"] == [
        type(each).__name__ for each in find_conditions(rule.body)
    ]


def test_a_fact_has_no_conditions() -> None:
    """A rule without a body asks nothing."""
    assert [] == list(find_conditions(read_rule("f(1);").body))


def test_what_was_refused_is_no_condition() -> None:
    """Nothing is said of what could not be used."""
    body = read_policy(Source("p.polar", "f(x) if x := 1 and a(x);")).statements[0]

    assert isinstance(body, Rule)
    assert ["Call"] == [type(each).__name__ for each in find_conditions(body.body)]


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("a b", "f(a, b);"),
        ("a b a", "f(a: User{name: b}) if a.x.y = 1;"),
        ("a b a c", "f(a) if b in [a, c];"),
        ("a b c", "f(a) if g(b) or not c.d matches User;"),
        ("a b c", 'f("x", a) if forall(b = 1, c < 2);'),
        ("_ _", "f(_, _);"),
    ],
)
def test_every_mention_of_a_variable_is_found(expected: str, text: str) -> None:
    """Variables are found in patterns, paths, lists and calls, in the order of the text."""
    assert expected == " ".join(each.name for each in find_variables(read_rule(text)))


def test_every_node_is_found_with_itself() -> None:
    """A tree is gone through from its root, and the pieces after each other."""
    nodes = list(find_nodes(read_rule("f(a) if a = 1;")))

    assert [
        syntax.Rule,
        syntax.Parameter,
        syntax.Variable,
        syntax.Comparison,
        syntax.Variable,
        syntax.Constant,
    ] == [type(each) for each in nodes]
