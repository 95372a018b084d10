"""Which rules can answer which calls, and which ask themselves."""

from __future__ import annotations

import pytest
import small_domain

from authz_service.polar.blocks import expand_blocks
from authz_service.polar.calls import CallGraph, find_fixed
from authz_service.polar.reader import read_policy
from authz_service.polar.syntax import Block, Call, Query
from authz_service.polar.text import Source
from authz_service.polar.types import Universe, build_scope


def build_graph(text: str) -> CallGraph:
    """Build the graph of a policy of the small domain."""
    statements = read_policy(Source("p.polar", text)).statements
    blocks = {each.type_name: each for each in statements if isinstance(each, Block)}
    return CallGraph(expand_blocks(statements), Universe(small_domain.DOMAIN.schema, blocks))


def find_cycles(text: str) -> list[str]:
    """Name the rules of each circle."""
    return [" ".join(rule.name for rule in cycle) for cycle in build_graph(text).find_cycles()]


@pytest.mark.parametrize(
    ("expected", "rule", "argument"),
    [
        (True, "g(_);", "x"),
        (True, "g(_: User);", "x"),
        (False, "g(_: Record);", "x"),
        (True, "g(_: String);", "x.name"),
        (True, 'g("a");', "x.name"),
        (False, "g(1);", "x.name"),
        (True, 'g("a");', '"a"'),
        (False, 'g("a");', '"b"'),
        (False, 'g(_y: "a");', '"b"'),
        (True, 'g(_y: "a");', '"a"'),
        (True, "g(1);", "1.0"),
        (False, "g(1);", "true"),
        (False, "g(true);", "1"),
        (True, "g(nil);", "nil"),
        (True, "g(_: User);", "nil"),
        (False, "g(_: User);", "x.reports"),
        (True, "g(_: Usr);", "x"),
        (True, "g(_: User);", "unknown"),
    ],
)
def test_a_rule_answers_what_fits(expected: bool, rule: str, argument: str) -> None:  # noqa: FBT001  # a value of the table
    """A call is answered by rules whose words are its own and whose types its arguments can be."""
    text = f"f(x: User) if g({argument}) and x = x; {rule}"
    asking, answering = expand_blocks(read_policy(Source("p.polar", text)).statements)
    universe = Universe(small_domain.DOMAIN.schema, {})
    (call,) = [each for each in getattr(asking.body, "conditions", ()) if isinstance(each, Call)]
    kinds = [build_scope(asking, universe).kind(each) for each in call.arguments]

    assert expected == CallGraph((answering,), universe).could_answer(answering, call, kinds)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (["f"], "f(x) if f(x);"),
        (["f g"], "f(x) if g(x); g(x) if f(x);"),
        (["f"], "f(x) if f(x); f(x) if x = 1;"),
        ([], "f(x) if g(x); g(x) if h(x) and h(x); h(_);"),
        ([], "f(x) if f(x, 1); f(_, _);"),
        ([], "f(u: User) if f(u.name); f(_: String);"),
        (["f"], "f(x) if x matches User or f(x);"),
        ([], "f(x: String) if (y matches User and f(y)) or y = x;"),
    ],
)
def test_circles_are_found(expected: list[str], text: str) -> None:
    """A circle is told by the rules on it, the first one first."""
    assert expected == find_cycles(text)


def test_roles_in_a_circle_are_found() -> None:
    """What blocks stand for may go in a circle too."""
    text = 'actor User {} resource Record { roles = ["a", "b"]; "a" if "b"; "b" if "a"; }'

    assert ["has_role has_role"] == find_cycles(text)


def test_a_role_on_the_same_type_is_a_circle() -> None:
    """A folder in a folder in a folder has no number of levels."""
    text = (
        'actor User { roles = ["boss"]; relations = {chief: User}; "boss" if "boss" on "chief"; }'
    )

    assert ["has_role"] == find_cycles(text)


def test_the_same_roles_on_each_level_are_no_circle() -> None:
    """A role that rests on the role of the same name one level up ends at the top."""
    text = """
    actor User {}
    resource User { roles = ["reader"]; }
    resource Record {
      roles = ["reader", "writer"];
      relations = {owner: User};
      "reader" if "writer";
      "reader" if "reader" on "owner";
    }
    has_role(user: User, "reader", other: User) if user = other;
    has_relation(user: User, "owner", record: Record) if record.owner = user;
    """

    assert [] == find_cycles(text)


def test_a_long_chain_exhausts_no_stack() -> None:
    """The way down is as long as the policy."""
    links = "".join(f"f{number}(x) if f{number + 1}(x);" for number in range(2000))

    assert [] == find_cycles(f"{links} f2000(_);")


def test_a_long_circle_is_found() -> None:
    """So is the way round."""
    links = "".join(f"f{number}(x) if f{(number + 1) % 2000}(x);" for number in range(2000))
    (cycle,) = build_graph(links).find_cycles()

    assert 2000 == len(cycle)


def test_what_is_asked_is_known() -> None:
    """Rules are asked by rules and by inline queries, as far as their arguments fit."""
    text = 'f(x) if g("a") and x = 1; g("a"); g("b"); h(1); h("a"); ?= h(1);'
    statements = read_policy(Source("p.polar", text)).statements
    rules = expand_blocks(statements)
    graph = CallGraph(rules, Universe(small_domain.DOMAIN.schema, {}))
    asked = graph.find_asked([each.condition for each in statements if isinstance(each, Query)])

    assert [False, True, False, True, False] == [id(rule) in asked for rule in rules]


def test_a_parameter_may_name_its_value() -> None:
    """A value stands in place of a variable or behind it."""
    (rule,) = expand_blocks(
        read_policy(Source("p.polar", 'f("a", _x: "b", _y: User, _z);')).statements
    )
    fixed = [find_fixed(each) for each in rule.parameters]

    assert ["a", "b", None, None] == [each.value if each else None for each in fixed]
