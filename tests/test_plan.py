"""How questions are asked of a database: with which parts, and in which sizes."""

from __future__ import annotations

import pytest
from small_domain import ALICE, DOMAIN, NOON, REPORT, ask_for

from authz_service.polar.reader import read_policy
from authz_service.polar.text import Source
from authz_service.policy.condition import SQLITE
from authz_service.policy.plan import Plan, Question
from authz_service.policy.reasons import NOT_PERMITTED, UNKNOWN_SUBJECT
from authz_service.policy.resolver import Resolver
from authz_service.policy.sql import StatementBuilder
from authz_service.store.entity import find_references

READ = ("user", "read", "record")
SPLIT = """
allow(request: Request, action: String, record: Record) if
    permit(request.subject, action, record) and
    not forbid(_reason, request, action, record);
"""
PERMITS = """
permit(user: User, "read", record: Record) if record.owner = user or user in record.readers;
permit(user: User, "read", record: Record) if record.owner.manager = user;
"""
FORBIDS = """
forbid("archived", _r: Request, "read", record: Record) if record.status = "archived";
forbid("archived", _r: Request, "read", record: Record) if record.owner.role = "admin";
forbid("small", request: Request, "read", record: Record) if
    reader in record.readers and reader != request.subject and record.size < 3;
"""


def plan_of(policy: str) -> Plan:
    """Plan how the question is asked whether a user may read a record."""
    statements = read_policy(Source("records.polar", policy)).statements
    resolver = Resolver(statements, DOMAIN.schema, find_references(DOMAIN.models))
    allow = None if resolver.is_split("record") else resolver.allow(*READ)
    question = Question(allow, resolver.permit(*READ), resolver.forbid(*READ))
    return Plan(StatementBuilder(DOMAIN.models), READ, question, {"parts"})


def test_an_answer_is_read() -> None:
    """First whether it is permitted, then the reasons in their order."""
    plan = plan_of(SPLIT + PERMITS + FORBIDS)

    assert () == plan.read("200")
    assert ("archived",) == plan.read("210")
    assert ("archived", NOT_PERMITTED, "small") == plan.read("111")
    assert (NOT_PERMITTED,) == plan.read("100")
    assert (UNKNOWN_SUBJECT,) == plan.read("010")


def test_the_rules_that_decided_are_named_where_that_is_certain() -> None:
    """The one rule that permits, and of each reason the one that forbids."""
    one = PERMITS.splitlines()[1]
    certain, uncertain = plan_of(SPLIT + one + FORBIDS), plan_of(SPLIT + PERMITS + FORBIDS)

    assert ("records.polar:5",) == certain.find("200", 7).rules
    assert ("records.polar:8",) == certain.find("101", 7).rules
    assert () == certain.find("110", 7).rules
    assert () == certain.find("100", 7).rules
    assert () == uncertain.find("200", 7).rules


def test_what_was_found_is_of_a_revision() -> None:
    """The same answer from another state is another finding."""
    plan = plan_of(SPLIT + PERMITS + FORBIDS)

    assert [7, 8] == [plan.find("200", revision).revision for revision in (7, 8)]


def test_an_answer_that_says_whether_it_is_allowed_is_read() -> None:
    """Where `allow` is asked it stands first, and what explains a denial behind it."""
    plan = plan_of(SPLIT + PERMITS + FORBIDS + 'allow(_: Request, "read", _record: Record);')

    assert () == plan.read("2011")
    assert ("archived",) == plan.read("1110")
    assert (NOT_PERMITTED,) == plan.read("1100")
    assert (UNKNOWN_SUBJECT,) == plan.read("0100")


@pytest.mark.parametrize(("count", "lines"), [(1, 1), (2, 2), (3, 4), (5, 8), (200, 256)])
def test_statements_come_in_few_sizes(count: int, lines: int) -> None:
    """What is missing to the next power of two is filled up with nothing."""
    plan = plan_of(SPLIT + PERMITS + FORBIDS)
    texts, bound = plan.bind_many(range(count), [ask_for()] * count, NOON)
    width = len(bound) // lines

    assert lines * width == texts[SQLITE].count("?")
    assert [0, "alice", "report"] == sorted(bound[:width], key=str)
    assert [None] * width * (lines - count) == bound[count * width :]


def test_no_statement_binds_more_than_sqlite_takes() -> None:
    """The more a question brings, the fewer questions go together."""
    wide = SPLIT + PERMITS
    wide += "".join(
        f'forbid("c{number}", request: Request, "read", record: Record) if {condition};'
        for number, condition in enumerate(
            (
                "request.copies = record.size",
                "request.channel = record.title",
                "request.soft = record.secret",
                "record.created < request.now",
                '"a" in request.parts',
            )
        )
    )
    plan = plan_of(wide)
    _, bound = plan.bind_many(range(plan.most), [ask_for()] * plan.most, NOON)

    assert plan.most <= len(bound) <= 32_766


def test_one_question_and_many_bind_the_same() -> None:
    """A value is put into words that a database takes in either way."""
    given = (
        '"a" in request.parts and request.now > record.created and request.channel = record.title'
    )
    plan = plan_of(SPLIT.replace("not forbid", f"{given} and not forbid") + PERMITS + FORBIDS)
    request = ask_for(ALICE, "read", REPORT, {"channel": "\udc80"}, {"parts": ["a\0", "é"]})
    (number, *values) = plan.bind_many([7], [request], NOON)[1]

    assert 7 == number
    assert set(plan.decide.pick(plan.values(request, NOON))) == set(values)
