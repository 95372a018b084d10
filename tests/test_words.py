"""Clauses in words: policy/words.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from small_domain import DOMAIN, write_policy

from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import load_policies
from authz_service.policy.words import describe_clause, describe_origin

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.policy.clauses import Clause


def compile_condition(folder: Path, condition: str) -> Clause:
    """Compile one condition on a user, a record and the request to its one clause."""
    text = (
        'allow(request: Request, "read", record: Record) if\n'
        "    about(request.subject, request, record);\n"
        "about(user: User, request: Request, record: Record) if\n"
        f"    user = user and request = request and record = record and {condition};"
    )
    engine = CompiledEngine(load_policies(write_policy(folder, text)), DOMAIN, 1_000)
    question = engine.find_question("user", "read", "record")
    assert question is not None
    assert question.allow is not None
    (clause,) = question.allow
    return clause


@pytest.mark.parametrize(
    ("expected", "condition"),
    [
        (["always"], "1 = 1"),
        (["the owner of the resource is the subject"], "record.owner = user"),
        (['the status of the resource is "a"'], 'record.status = "a"'),
        (['the status of the resource is "a" or "b"'], 'record.status in ["a", "b"]'),
        (["the owner of the resource is nil"], "record.owner = nil"),
        (["the created of the resource is less than request.now"], "record.created < request.now"),
        (
            ["it is not so that", "  the owner of the resource is the subject"],
            "not record.owner = user",
        ),
        (
            [
                "there is a record, record_0_0",
                "the owner of record_0_0 is the subject",
                'the status of record_0_0 is "a"',
            ],
            'other in user.records and other.status = "a"',
        ),
    ],
)
def test_a_clause_is_said_in_words(tmp_path: Path, expected: list[str], condition: str) -> None:
    """Each condition is a line, and what must not hold is indented."""
    assert expected == list(describe_clause(compile_condition(tmp_path, condition)))


def test_a_clause_says_where_it_comes_from(tmp_path: Path) -> None:
    """The rules are named in the order in which they were asked, with file and line."""
    clause = compile_condition(tmp_path, "record.owner = user")
    steps = [step.rpartition("/")[2] for step in describe_origin(clause).split(" > ")]

    assert ["records.polar:1", "records.polar:3"] == steps
    assert describe_origin(clause).startswith("allow ")
