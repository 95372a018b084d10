"""Clauses into statements: one tree in two dialects, and nothing of a question in the text."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest
from small_domain import DOMAIN

from authz_service.polar.reader import read_policy
from authz_service.polar.text import Source
from authz_service.policy.condition import (
    NOW_SLOT,
    POSTGRESQL,
    RESOURCE_SLOT,
    SQLITE,
    SUBJECT_SLOT,
)
from authz_service.policy.resolver import Resolver
from authz_service.policy.sql import StatementBuilder
from authz_service.store.entity import find_references

if TYPE_CHECKING:
    from authz_service.policy.clauses import Clause
    from authz_service.policy.sql import Statement

# What stands around the answer to the second question, where the first is never so.
BEFORE: Final = (
    'SELECT (CASE WHEN FALSE THEN \'2\' WHEN EXISTS(SELECT 1 FROM "user" AS "subject"'
    " WHERE \"subject\".\"id\" = ?) THEN '1' ELSE '0' END || CASE WHEN "
)
AFTER: Final = (
    ' THEN \'1\' ELSE \'0\' END), (SELECT "t1"."revision" FROM "authz_state" AS "t1")'
    ' FROM "record" AS "resource" WHERE "resource"."id" = ?'
)


@pytest.fixture(scope="module")
def builder() -> StatementBuilder:
    """Builds statements about users and records."""
    return StatementBuilder(DOMAIN.models)


def clauses_of(condition: str) -> tuple[Clause, ...]:
    """Find the clauses of a policy that allows what a condition says."""
    text = f"allow(request: Request, action: String, record: Record) if {condition};"
    statements = read_policy(Source("records.polar", text)).statements
    resolver = Resolver(statements, DOMAIN.schema, find_references(DOMAIN.models))
    return resolver.allow("user", "read", "record")


def statement_of(builder: StatementBuilder, condition: str) -> Statement:
    """Build the statement that asks something that is never so, and a condition."""
    return builder.decide("user", "record", [(), clauses_of(condition)])


def body_of(statement: Statement, dialect: str) -> str:
    """Read what a statement asks of subject and resource."""
    text = statement.texts[dialect]
    mark = "?" if dialect == SQLITE else "%s"
    before, after = BEFORE.replace("?", mark), AFTER.replace("?", mark)
    assert text.startswith(before)
    assert text.endswith(after)
    return text.removeprefix(before).removesuffix(after)


BODIES: Final = {
    'record.status = "active"': ('"resource"."status" = \'active\'', ""),
    'not record.status = "active"': ('NOT "resource"."status" = \'active\'', ""),
    'not record.title = "a"': ('NOT COALESCE("resource"."title" = \'a\', FALSE)', ""),
    'record.title != "a"': ('NOT COALESCE("resource"."title" = \'a\', FALSE)', ""),
    "record.title = nil": ('"resource"."title" IS NULL', ""),
    "record.secret = false": ('"resource"."secret" = FALSE', ""),
    "record.size > 2.5": ('"resource"."size" > 2.5', ""),
    "record.size in [1, 2]": ('"resource"."size" IN (1, 2)', ""),
    "record.owner = request.subject": (
        '"resource"."owner_id" = ?',
        '"resource"."owner_id" = %s',
    ),
    "record.title = request.channel": (
        '"resource"."title" IS ?',
        '"resource"."title" IS NOT DISTINCT FROM CAST(%s AS TEXT)',
    ),
    "record.created < request.now": (
        '"resource"."created" < ?',
        '"resource"."created" COLLATE "C" < CAST(%s AS TEXT)',
    ),
    'record.title = "it\'s 100%"': (
        "\"resource\".\"title\" = 'it''s 100%'",
        "\"resource\".\"title\" = 'it''s 100%%'",
    ),
    "request.subject in record.readers": (
        (
            'EXISTS(SELECT 1 FROM "record_user_through" AS "readers_0_0"'
            ' WHERE ("readers_0_0"."record_id" = ? AND ? = "readers_0_0"."user_id"))'
        ),
        (
            'EXISTS(SELECT 1 FROM "record_user_through" AS "readers_0_0"'
            ' WHERE ("readers_0_0"."record_id" = %s AND %s = "readers_0_0"."user_id"))'
        ),
    ),
    '"a" in request.parts': (
        (
            'EXISTS(SELECT 1 FROM json_each(?) AS "item_0_0"'
            ' WHERE CAST("item_0_0"."value" AS TEXT) = \'a\')'
        ),
        (
            'EXISTS(SELECT 1 FROM jsonb_array_elements_text(CAST(%s AS JSONB)) AS "item_0_0"'
            ' ("value") WHERE CAST("item_0_0"."value" AS TEXT) = \'a\')'
        ),
    ),
    'not record.owner.name = "a"': (
        (
            'NOT EXISTS(SELECT 1 FROM "user" AS "user_1_0"'
            ' WHERE ("user_1_0"."id" = "resource"."owner_id" AND "user_1_0"."name" = \'a\'))'
        ),
        "",
    ),
    '(record.size = 1 or record.size = 2) and record.status = "a"': (
        '("resource"."status" = \'a\' AND ("resource"."size" = 1 OR "resource"."size" = 2))',
        "",
    ),
    "1 = 2": ("FALSE", ""),
    "1 = 1": ("TRUE", ""),
}


@pytest.mark.parametrize(("condition", "bodies"), BODIES.items(), ids=BODIES.keys())
def test_a_condition_is_written_in_both_dialects(
    builder: StatementBuilder, condition: str, bodies: tuple[str, str]
) -> None:
    """Each database is asked in its own words, and nothing under `NOT` can be null."""
    statement = statement_of(builder, condition)
    sqlite, postgresql = bodies

    assert sqlite == body_of(statement, SQLITE)
    assert (postgresql or sqlite) == body_of(statement, POSTGRESQL)


def test_what_a_question_brings_is_bound(builder: StatementBuilder) -> None:
    """Ids, time and everything given are parameters, in the order of the text."""
    statement = statement_of(
        builder,
        "record.owner = request.subject and record.created < request.now and"
        ' request.channel = "web" and "a" in request.parts and record.size = request.copies',
    )

    assert (
        SUBJECT_SLOT,
        SUBJECT_SLOT,
        NOW_SLOT,
        "channel",
        "copies",
        "parts",
        RESOURCE_SLOT,
    ) == statement.slots
    assert len(statement.slots) == statement.texts[SQLITE].count("?")
    assert len(statement.slots) == statement.texts[POSTGRESQL].count("%s")


def test_all_questions_are_one_statement(builder: StatementBuilder) -> None:
    """Each set of clauses is a digit of one row, which there is only with the entities."""
    statement = builder.decide(
        "user", "record", [clauses_of("record.size = 1"), (), clauses_of("1 = 1")]
    )

    assert (
        "SELECT (CASE WHEN \"resource\".\"size\" = 1 THEN '2' ELSE '1' END"
        " || CASE WHEN FALSE THEN '1' ELSE '0' END || CASE WHEN TRUE THEN '1' ELSE '0' END)"
        ', (SELECT "t1"."revision" FROM "authz_state" AS "t1")'
        ' FROM "user" AS "subject", "record" AS "resource"'
        ' WHERE ("subject"."id" = ? AND "resource"."id" = ?)'
    ) == statement.texts[SQLITE]
    assert (SUBJECT_SLOT, RESOURCE_SLOT) == statement.slots


@pytest.mark.parametrize(
    "condition",
    [
        "record.owner = request.subject",
        "request.subject in record.readers",
        "report in request.subject.reports and report in record.readers",
        "record.owner.manager = request.subject",
        "record in request.subject.records",
    ],
)
def test_a_subject_that_something_refers_to_is_not_looked_for(
    builder: StatementBuilder, condition: str
) -> None:
    """No reference leads nowhere, so only who is denied is looked for."""
    text = builder.decide("user", "record", [clauses_of(condition)]).texts[SQLITE]

    assert text.startswith("SELECT CASE WHEN ")
    assert text.endswith(
        ' THEN \'2\' WHEN EXISTS(SELECT 1 FROM "user" AS "subject" WHERE "subject"."id" = ?)'
        " THEN '1' ELSE '0' END"
        ', (SELECT "t1"."revision" FROM "authz_state" AS "t1")'
        ' FROM "record" AS "resource" WHERE "resource"."id" = ?'
    )


@pytest.mark.parametrize(
    ("condition", "other"),
    [
        ('request.subject.role = "admin"', ""),
        ('record.owner = request.subject or record.status = "active"', ""),
        ("record.owner != request.subject", ""),
        ("not record.owner = request.subject", ""),
        ("record.owner = request.subject", 'request.subject.role = "admin"'),
        ("record.owner = request.subject", 'not request.subject.role = "admin"'),
    ],
)
def test_any_other_subject_is_looked_for(
    builder: StatementBuilder, condition: str, other: str
) -> None:
    """Its row is needed for what is asked of it, and to show that it is there at all."""
    questions = [clauses_of(condition), *([clauses_of(other)] if other else [])]
    text = builder.decide("user", "record", questions).texts[SQLITE]

    assert text.endswith(
        ' FROM "user" AS "subject", "record" AS "resource"'
        ' WHERE ("subject"."id" = ? AND "resource"."id" = ?)'
    )


def test_many_requests_are_one_statement(builder: StatementBuilder) -> None:
    """What would be bound stands in a table of values, with a line for each request."""
    clauses = clauses_of("record.owner = request.subject and record.size = request.copies")
    statement = builder.decide_many("user", "record", [clauses], 2)
    asked = (
        ' SELECT {joined}("asked"."number" || \':\' || CASE WHEN'
        ' ("resource"."owner_id" = "asked"."value_0" AND "resource"."size" {same} {copies})'
        ' THEN \'2\' WHEN EXISTS(SELECT 1 FROM "user" AS "subject" WHERE "subject"."id" ='
        " \"asked\".\"value_0\") THEN '1' ELSE '0' END, ',')"
        ', (SELECT "t1"."revision" FROM "authz_state" AS "t1")'
        ' FROM "asked", "record" AS "resource" WHERE "resource"."id" = "asked"."value_2"'
    )
    names = '"number", "value_0", "value_1", "value_2"'

    assert (
        f'WITH "asked" ({names}) AS (VALUES (?, ?, ?, ?), (?, ?, ?, ?))'
        + asked.format(joined="group_concat", same="IS", copies='"asked"."value_1"')
    ) == statement.texts[SQLITE]
    assert (
        f'WITH "asked" ({names}) AS (VALUES (CAST(%s AS BIGINT), CAST(%s AS TEXT),'
        " CAST(%s AS BIGINT), CAST(%s AS TEXT)), (%s, %s, %s, %s))"
        + asked.format(
            joined="string_agg",
            same="IS NOT DISTINCT FROM",
            copies='CAST("asked"."value_1" AS BIGINT)',
        )
    ) == statement.texts[POSTGRESQL]
    assert (SUBJECT_SLOT, "copies", RESOURCE_SLOT) == statement.slots


def test_what_is_unknown_is_one_statement(builder: StatementBuilder) -> None:
    """Whether there is the subject, whether there is the resource, and the revision."""
    statement = builder.is_known("user", "record")

    assert (
        'SELECT EXISTS(SELECT 1 FROM "user" AS "subject" WHERE "subject"."id" = ?),'
        ' EXISTS(SELECT 1 FROM "record" AS "resource" WHERE "resource"."id" = ?)'
        ', (SELECT "t1"."revision" FROM "authz_state" AS "t1")'
    ) == statement.texts[SQLITE]
    assert (SUBJECT_SLOT, RESOURCE_SLOT) == statement.slots


@pytest.mark.parametrize(
    "text",
    ["'", "''", "\\'", "'; DROP TABLE record; --", "?", "%s", "%", "%%", "\n", "é", ""],
)
def test_a_text_of_a_policy_is_that_text(builder: StatementBuilder, text: str) -> None:
    """Whatever a policy writes between quotes, SQLite reads back as it is."""
    written = text.replace("\\", "\\\\").replace("\n", "\\n")
    body = body_of(statement_of(builder, f'record.status = "{written}"'), SQLITE)
    literal = body.removeprefix('"resource"."status" = ')
    with closing(sqlite3.connect(":memory:")) as connection:
        (found,) = connection.execute(f"SELECT {literal}").fetchone()  # the point

    assert text == found


def test_references_are_found_by_the_collections_that_they_make() -> None:
    """A collection seen from the other side is named with the attribute behind it."""
    references = find_references(DOMAIN.models)

    assert ("manager", "owner") == (references["user", "reports"], references["user", "records"])
