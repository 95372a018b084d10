"""Inline queries: what a policy says must be so of itself, tried when it is loaded."""

from __future__ import annotations

from typing import Final

import pytest
from small_domain import DOMAIN

from authz_service.errors import PolicyError
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import PolicyFile, build_policy_set

POLICY: Final = """
allow(_request: Request, "read", record: Record) if is_open("read") and named(record, "a");
is_open("read");
is_open(word) if word in ["write", "delete"];
named(record: Record, name: String) if record.title = name;
kept(_record: Record);
"""


def load(query: str) -> None:
    """Compile a policy with an inline query."""
    files = [PolicyFile("records.polar", f"{POLICY}{query}\n")]
    CompiledEngine(build_policy_set("policies", files), DOMAIN, 60_000)


@pytest.mark.parametrize(
    "query",
    [
        '?= is_open("read");',
        '?= is_open("write") and is_open("delete");',
        "?= is_open(_word);",
        '?= not is_open("print");',
        '?= x in ["a", "b"] and x = "b";',
        "?= forall(x in [1, 2], x < 3);",
    ],
)
def test_what_holds_is_passed_over(query: str) -> None:
    """A policy that is as it says can be used."""
    load(query)


@pytest.mark.parametrize(
    "query",
    [
        '?= is_open("print");',
        '?= is_open("read") and is_open("print");',
        '?= not is_open("read");',
        "?= forall(x in [1, 2], x < 2);",
    ],
)
def test_what_does_not_hold_is_refused(query: str) -> None:
    """A policy that is not as it says is not used, and the query is underlined."""
    with pytest.raises(PolicyError, match="query_fails") as caught:
        load(query)
    (fault,) = caught.value.faults

    assert "policies/records.polar:7:4" == str(fault.where)
    assert query in fault.excerpt
    assert "^^^" in fault.excerpt


@pytest.mark.parametrize(
    ("query", "code"),
    [('?= named(_record, "a");', "unbound_variable"), ("?= kept(_record);", "undecided_query")],
)
def test_what_the_policy_alone_cannot_decide_is_refused(query: str, code: str) -> None:
    """There are no entities when a policy is loaded, and nobody asks anything yet."""
    with pytest.raises(PolicyError, match=code):
        load(query)


def test_all_that_cannot_be_resolved_is_told_at_once() -> None:
    """Queries that fail and rules that cannot be compiled are faults of one error."""
    with pytest.raises(PolicyError) as caught:
        load('?= is_open("print");\n?= is_open("copy");\nallow(_r: Request, "write", _x) if f(1);')

    assert ["query_fails", "query_fails", "unknown_rule"] == [
        each.code for each in caught.value.faults
    ]
