"""Clauses under what is known of a question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from generated_policies import DOMAIN

from authz_service.polar.reader import read_policy
from authz_service.polar.text import Source
from authz_service.policy.folding import OTHER, find_values, fold_all
from authz_service.policy.resolver import Resolver
from authz_service.store.entity import find_references

if TYPE_CHECKING:
    from authz_service.policy.clauses import Clause

SILENT: Final[dict[str, Any]] = {"channel": None, "soft": None, "copies": None, "parts": []}


def clauses_of(condition: str) -> tuple[Clause, ...]:
    """Find the clauses of a policy that allows what a condition says."""
    text = f"allow(request: Request, _: String, record: Record) if record = record and {condition};"
    statements = read_policy(Source("records.polar", text)).statements
    resolver = Resolver(statements, DOMAIN.schema, find_references(DOMAIN.models))
    return resolver.allow("user", "read", "record")


@pytest.mark.parametrize(
    ("expected", "condition"),
    [
        ({}, "record.title = nil"),
        ({}, "record.created < request.now"),
        ({"channel": (None, "web", OTHER)}, 'request.channel = "web"'),
        ({"channel": (None, "app", "web", OTHER)}, 'not request.channel in ["web", "app"]'),
        ({"channel": (None, OTHER)}, "request.channel = nil"),
        ({"channel": ()}, 'request.channel = record.title or request.channel = "web"'),
        ({"channel": ()}, 'request.channel < "web"'),
        ({"soft": (None, False, True)}, "request.soft = true"),
        ({"soft": (None, False, True)}, "request.soft = record.secret"),
        ({"copies": (None, 2, OTHER)}, "request.copies = 2"),
        ({"parts": ()}, '"a" in request.parts'),
    ],
)
def test_the_values_that_stand_for_all_are_found(
    expected: dict[str, tuple[Any, ...]], condition: str
) -> None:
    """Each word that is named, nothing, and anything else; none where they cannot be listed."""
    assert expected == find_values(clauses_of(condition))


@pytest.mark.parametrize(
    ("expected", "condition", "said"),
    [
        ("true = true", 'request.channel = "web"', {"channel": "web"}),
        ("false = true", 'request.channel = "web"', {"channel": "app"}),
        ("false = true", 'request.channel = "web"', {"channel": None}),
        ("false = true", 'request.channel = "web"', {"channel": OTHER}),
        ("true = true", 'not request.channel = "web"', {"channel": OTHER}),
        ("true = true", 'request.channel in ["web", "app"]', {"channel": "app"}),
        ("true = true", 'request.channel in ["web", nil]', {"channel": None}),
        ("false = true", "request.channel = nil", {"channel": OTHER}),
        ("record.title = nil", "request.channel = record.title", {"channel": None}),
        ("false = true", "request.channel < record.title", {"channel": None}),
        ("false = true", '"a" in request.parts', {"parts": []}),
        ("true = true", 'not "a" in request.parts', {"parts": []}),
        ("request.copies < record.size", "request.copies < record.size", {"copies": 2}),
        ("true = true", "request.copies < 3", {"copies": 2}),
        ("record.secret = true", "record.secret = request.soft", {"soft": True}),
        ("record.secret = false", "request.soft = record.secret", {"soft": False}),
        ("record.secret = nil", "record.secret = request.soft", {"soft": None}),
        ("record.size = 1", 'record.size = 1 and request.channel = "web"', {"channel": "web"}),
        (
            "not (record.size = 1)",
            'not (record.size = 1 and request.channel = "web")',
            {"channel": "web"},
        ),
        (
            "true = true",
            'not (record.size = 1 and request.channel = "web")',
            {"channel": "app"},
        ),
    ],
)
def test_what_is_decided_falls_away(expected: str, condition: str, said: dict[str, Any]) -> None:
    """What is left is about rows, as if the policy had said no more."""
    assert clauses_of(expected) == fold_all(clauses_of(condition), {**SILENT, **said})


def test_what_is_left_knows_its_rules() -> None:
    """A clause that was folded came by the same rules."""
    clauses = clauses_of('record.size = 1 and request.channel = "web"')
    [folded] = fold_all(clauses, {**SILENT, "channel": "web"})

    assert clauses[0].rules == folded.rules
