"""Rules into clauses: what a question comes to, and what is refused with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from small_domain import DOMAIN

from authz_service.errors import PolicyError
from authz_service.polar.reader import read_policy
from authz_service.polar.text import Source
from authz_service.policy.clauses import (
    Absent,
    Alias,
    Clause,
    Column,
    Comparison,
    Given,
    IsNull,
    LinkSource,
    ListSource,
    Literal,
    OneOf,
    RowSource,
)
from authz_service.policy.resolver import MOST_CLAUSES, Resolver
from authz_service.store.entity import find_references

if TYPE_CHECKING:
    from authz_service.policy.clauses import Condition

READ: Final = ("user", "read", "record")

SUBJECT: Final = Alias("subject", "user")
RECORD: Final = Alias("resource", "record")
USER_ID: Final = Column(SUBJECT, "id", "user")
STATUS: Final = Column(RECORD, "status", "String")
TITLE: Final = Column(RECORD, "title", "String", nullable=True)
OWNER: Final = Column(RECORD, "owner", "user", nullable=True)
CHANNEL: Final = Given("channel", "String")
ACTIVE: Final = Comparison("=", STATUS, Literal.of("active"))


def resolve(text: str) -> Resolver:
    """Read a policy of a single file."""
    reading = read_policy(Source("records.polar", text))
    assert () == reading.faults
    return Resolver(reading.statements, DOMAIN.schema, find_references(DOMAIN.models))


def allow_if(condition: str, rules: str = "") -> tuple[Clause, ...]:
    """Find the clauses of a policy that allows what a condition says."""
    head = "allow(request: Request, action: String, record: Record) if\n"
    return resolve(f"{head}{condition};\n{rules}").allow(*READ)


def only(*conditions: Condition) -> tuple[Clause, ...]:
    """Make the one clause that has these conditions, and no row of its own."""
    return (Clause((), conditions),)


@pytest.mark.parametrize(
    ("expected", "condition"),
    [
        (ACTIVE, 'record.status = "active"'),
        (Comparison("=", OWNER, USER_ID), "record.owner = request.subject"),
        (Comparison("same", TITLE, CHANNEL), "record.title = request.channel"),
        (Comparison("=", STATUS, CHANNEL), "record.status = request.channel"),
        (IsNull(TITLE), "record.title = nil"),
        (IsNull(TITLE, negated=True), "record.title matches String"),
        (OneOf(STATUS, (Literal.of("a"), Literal.of("b"))), 'record.status in ["a", "b"]'),
        (Absent(Clause((), (ACTIVE,))), 'not record.status = "active"'),
        (Absent(Clause((), (ACTIVE,))), 'record.status != "active"'),
        (ACTIVE, 'x = "active" and record.status = x'),
        (ACTIVE, 'record matches Record{status: "active"}'),
    ],
)
def test_a_comparison_becomes_a_condition(expected: Condition, condition: str) -> None:
    """What is not known before a question is asked becomes a condition on places."""
    assert only(expected) == allow_if(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "1 = 2",
        'action = "write"',
        "record.status = nil",
        "record.status = 3",
        "record = request.subject",
        "request.subject matches Record",
        'x = "a" and x in ["b", "c"]',
        "not record matches Record",
        'record.status = "active" and 1 = 2',
        "record.title in []",
    ],
)
def test_what_never_holds_leaves_no_clause(condition: str) -> None:
    """A condition that is false whatever is asked drops the clause."""
    assert () == allow_if(condition)


@pytest.mark.parametrize(
    "condition",
    ["1 = 1", 'action in ["read", "write"]', "record = record", "not record.status = 3"],
)
def test_what_always_holds_leaves_no_condition(condition: str) -> None:
    """A condition that is true whatever is asked is not asked."""
    assert only() == allow_if(condition)


def test_a_reference_is_followed_by_a_row() -> None:
    """An attribute behind a reference adds the row that it leads to, once for all its uses."""
    owner = Alias("user_0_0", "user")
    name, role = Column(owner, "name", "String"), Column(owner, "role", "String")

    assert (
        Clause(
            (RowSource(owner),),
            (
                Comparison("=", Column(owner, "id", "user"), OWNER),
                Comparison("=", name, Literal.of("Alice")),
                Comparison("=", role, Literal.of("admin")),
            ),
        ),
    ) == allow_if('record.owner.name = "Alice" and record.owner.role = "admin"')


def test_a_collection_of_references_adds_a_row() -> None:
    """An entity among those that refer to another is a row whose reference is that one."""
    report = Alias("user_0_0", "user")

    assert (
        Clause(
            (RowSource(report),),
            (
                Comparison("=", Column(report, "manager", "user", nullable=True), USER_ID),
                Comparison("=", OWNER, Column(report, "id", "user")),
            ),
        ),
    ) == allow_if("report in request.subject.reports and record.owner = report")


def test_a_known_entity_in_a_collection_adds_no_row() -> None:
    """Whether an entity at hand refers to another is asked of the entity at hand."""
    assert only(Comparison("=", OWNER, USER_ID)) == allow_if("record in request.subject.records")


def test_a_link_adds_a_pair() -> None:
    """An entity among those linked to another is one end of a link."""
    link = Alias("readers_0_0")

    assert (
        Clause(
            (LinkSource(link, "record", "readers"),),
            (
                Comparison("=", Column(link, "here", "record"), Column(RECORD, "id", "record")),
                Comparison("=", USER_ID, Column(link, "there", "user")),
            ),
        ),
    ) == allow_if("request.subject in record.readers")


def test_a_given_list_adds_an_item() -> None:
    """A value in a list that the caller gives is one of its items."""
    item = Alias("item_0_0")

    assert (
        Clause(
            (ListSource(item, "parts"),),
            (Comparison("=", TITLE, Column(item, "item", "String")),),
        ),
    ) == allow_if("record.title in request.parts")


def test_what_stands_in_not_is_a_clause_of_its_own() -> None:
    """Each way to hold what is denied is excluded; the rows that it needs are its own."""
    reader = Alias("readers_1_0")
    here = Comparison("=", Column(reader, "here", "record"), Column(RECORD, "id", "record"))
    there = Comparison("=", USER_ID, Column(reader, "there", "user"))
    excluded = Clause((LinkSource(reader, "record", "readers"),), (here, there))

    assert only(Absent(Clause((), (ACTIVE,))), Absent(excluded)) == allow_if(
        'not (record.status = "active" or request.subject in record.readers)'
    )


def test_for_all_is_not_any_that_is_not() -> None:
    """`forall` excludes one for which the condition holds and the consequence does not."""
    condition = "(reader in record.readers{} reader.manager = nil)"

    assert allow_if("not (reader in record.readers and not reader.manager = nil)") == allow_if(
        "forall" + condition.format(",")
    )


def test_each_way_is_a_clause() -> None:
    """Rules of one name and branches of `or` are ways of their own; two that are equal are one."""
    closed = Comparison("=", STATUS, Literal.of("closed"))
    rules = """
        fits(record: Record) if record.status = "active" or record.status = "closed";
        fits(record: Record{status: "active"});
        fits(_user: User);
    """

    assert (*only(ACTIVE), *only(closed)) == allow_if("fits(record)", rules)


def test_what_always_holds_needs_no_other_way() -> None:
    """Where one way has no condition, the others are left out."""
    assert only() == allow_if('(record.status = "active" or 1 = 1)')


@pytest.mark.parametrize(
    ("expected", "condition"),
    [
        (True, "record.owner = request.subject"),
        (True, "record.owner.manager = request.subject"),
        (True, "request.subject in record.readers"),
        (True, "record.title = request.subject.name"),
        (False, 'record.status = "active"'),
        (False, 'request.subject.role = "admin"'),
        (False, "not record.owner = request.subject"),
        (False, "record.title = request.channel and request.subject.name = request.channel"),
        (False, "record.owner = request.subject.manager"),  # nobody's is like nobody's
    ],
)
def test_a_clause_relates_whom_it_joins(expected: bool, condition: str) -> None:  # noqa: FBT001  # as above
    """What only excludes, or asks for each of the two by itself, relates nobody."""
    [clause] = allow_if(condition)

    assert expected == clause.relates


def test_a_clause_knows_its_rules() -> None:
    """The rules that were applied are told in their order, each with its place."""
    (clause,) = allow_if(
        "reads(request.subject, record)",
        "reads(user: User, record: Record) if owns(user, record);\n"
        "owns(user: User, record: Record) if record.owner = user;\n",
    )

    assert [("allow", 1), ("reads", 3), ("owns", 4)] == [
        (step.name, step.span.line) for step in clause.rules
    ]


def test_a_denied_clause_knows_its_rules() -> None:
    """What must not hold knows by which rules it would."""
    (clause,) = allow_if("not old(record)", 'old(record: Record) if record.status = "archived";')
    (condition,) = clause.conditions

    assert isinstance(condition, Absent)
    assert ["allow"] == [step.name for step in clause.rules]
    assert ["old"] == [step.name for step in condition.clause.rules]


def test_a_variable_gets_its_value_where_it_is_found() -> None:
    """A rule that is asked with a variable binds it by the first `=`, and holds it to its type."""
    rules = "owned(user: User, record: Record) if user = record.owner;"
    expected = (IsNull(OWNER, negated=True),)

    assert only(*expected) == allow_if("owned(_anyone, record)", rules)


def test_blocks_are_rules() -> None:
    """A role that a block says gives a permission is as good as a rule."""
    clauses = resolve(
        """
        actor User {}
        resource Record { permissions = ["read"]; roles = ["reader"]; "read" if "reader"; }
        has_role(user: User, "reader", record: Record) if record.owner = user;
        allow(request: Request, action: String, record: Record) if
            has_permission(request.subject, action, record);
        """
    ).allow(*READ)

    assert only(Comparison("=", OWNER, USER_ID)) == clauses


def test_forbids_are_told_by_their_reasons() -> None:
    """Each reason has the clauses of its rules, in the order of the reasons."""
    resolver = resolve(
        """
        forbid("old", _request: Request, "read", _record: Record{status: "archived"});
        forbid("dull", request: Request, action: String, _record: Record) if
            action = "read" and request.channel = nil;
        forbid("late", _request: Request, "write", _record: Record);
        """
    )

    assert [
        ("dull", only(IsNull(CHANNEL))),
        ("old", only(Comparison("=", STATUS, Literal.of("archived")))),
    ] == list(resolver.forbid(*READ).items())


def test_what_no_rule_says_has_no_clause() -> None:
    """Without a rule `permit`, nothing is permitted."""
    assert () == resolve("allow(_a, _b, _c);").permit(*READ)


# By what is wrong: the line and column, the code, and a condition that stands on the second line.
REFUSED: Final = {
    "an unknown attribute": (2, 1, "unknown_attribute", 'record.stauts = "a"'),
    "an unknown attribute, inside not": (2, 5, "unknown_attribute", 'not record.stauts = "a"'),
    "an unknown attribute of the request": (2, 1, "unknown_attribute", "request.chanel = nil"),
    "an attribute of a text": (2, 1, "unknown_attribute", "record.status.length = 1"),
    "an attribute of a collection": (2, 1, "unknown_attribute", "record.readers.name = 1"),
    "an attribute of nothing yet": (2, 1, "unbound_variable", "x.name = 1 and x = record.owner"),
    "a comparison of nothing yet": (2, 1, "unbound_variable", "x < 1 and x = record.size"),
    "a text before a number": (2, 1, "uncomparable", "record.status < 1"),
    "a text that is no number": (2, 1, "uncomparable", "record.status != 1"),
    "truth in order": (2, 1, "uncomparable", "record.secret < true"),
    "a list compared": (2, 1, "uncomparable", "record.readers = request.parts"),
    "a text as a condition": (2, 1, "no_condition", "record.status"),
    "what may be nil as a condition": (2, 1, "no_condition", "record.secret"),
    "in no collection": (2, 6, "no_collection", "1 in record.status"),
    "an unknown type": (2, 16, "unknown_type", "record matches Recrod"),
    "an unknown rule": (2, 1, "unknown_rule", "nothing(record)"),
    "a rule of other parameters": (2, 1, "unknown_rule", "endless(record, 1)"),
    "recursion": (3, 1, "recursion", "endless(record)"),
    "recursion, inside not": (3, 1, "recursion", "not endless(record)"),
    "recursion in a circle": (4, 1, "recursion", "ping(record)"),
    "text that no database holds": (2, 16, "unusable_text", 'record.title = "a\\0"'),
}


@pytest.mark.parametrize(
    ("line", "column", "code", "condition"), REFUSED.values(), ids=REFUSED.keys()
)
def test_what_cannot_be_resolved_is_refused(
    line: int, column: int, code: str, condition: str
) -> None:
    """A policy that means nothing is an error with its place, before anything is asked."""
    rules = "endless(x) if endless(x);\nping(x) if pong(x);\npong(x) if ping(x);\n"
    with pytest.raises(PolicyError) as caught:
        allow_if(condition, rules)

    (fault,) = caught.value.faults
    assert (f"records.polar:{line}:{column}", code) == (str(fault.where), fault.code)


def test_a_forbid_without_a_reason_is_refused() -> None:
    """A forbid must name its reason in every way in which it holds."""
    resolver = resolve("\nforbid(_code: String, _request, _action, _resource);")
    with pytest.raises(PolicyError, match=r"records.polar:2:1: .* gives no reason"):
        resolver.forbid(*READ)


@pytest.mark.parametrize(
    ("code", "condition"),
    [
        ("too_many_clauses", " and ".join(f"x{n} in record.readers" for n in range(60))),
        (
            "too_many_clauses",
            " and ".join(f"(record.size = {n} or record.title = nil)" for n in range(40)),
        ),
        (
            "too_many_clauses",
            " and ".join(f"(record.size = {n} or 1 = 2 or record.size = -{n})" for n in range(40)),
        ),
        ("too_many_clauses", " and ".join(f"record.size != {n}" for n in range(MOST_CLAUSES + 1))),
        ("nested_too_deep", "not (" * 30 + "record.size = 1" + ")" * 30),
        ("nested_too_deep", "r0(record)"),
    ],
    ids=["rows", "ways", "more ways", "conditions", "negations", "rules"],
)
def test_what_grows_without_measure_is_refused(code: str, condition: str) -> None:
    """A policy that would become more than a statement can hold ends in an error."""
    chain = "\n".join(f"r{n}(x) if r{n + 1}(x);" for n in range(300)) + "\nr300(_x);"
    with pytest.raises(PolicyError) as caught:
        allow_if(condition, chain)

    assert [code] == [fault.code for fault in caught.value.faults]


def test_a_long_condition_is_no_deep_one() -> None:
    """Very many conditions that are decided at once leave nothing."""
    assert only() == allow_if(" and ".join(["1 = 1"] * 2_000))


def list_terms(clause: Clause) -> list[list[tuple[int, int]]]:
    """List where the conditions of a clause are asked for, by line and column."""
    return [[(each.line, each.column) for each in found.terms] for found in clause.conditions]


def test_conditions_know_the_term_that_asks_for_them_and_the_calls_that_led_there() -> None:
    """From the inside out; a parameter with a pattern asks as well."""
    [clause] = allow_if(
        "mine(request.subject, record) and\nrecord.size > 3",
        'mine(user: User, record: Record{status: "active"}) if record.owner = user;',
    )

    assert [[(4, 18), (2, 1)], [(4, 55), (2, 1)], [(3, 1)]] == list_terms(clause)


def test_what_a_not_excludes_knows_its_own_terms() -> None:
    """The `not` itself asks for nothing."""
    [clause] = allow_if('record matches Record and not record.status = "active"')
    [absent] = clause.conditions
    assert isinstance(absent, Absent)

    assert [[]] == list_terms(clause)
    assert [[(2, 31)]] == list_terms(absent.clause)


def test_what_only_leads_to_a_row_is_no_condition_of_a_term() -> None:
    """A path that goes through a reference; the row itself is the term's."""
    [clause] = allow_if('record.owner.role = "admin"')

    assert [[], [(2, 1)]] == list_terms(clause)
    assert [(2, 1)] == [(each.line, each.column) for each in clause.sources[0].terms]


def test_where_it_is_written_makes_no_clause_another() -> None:
    """Two that say the same are one."""
    assert 1 == len(allow_if('record.status = "active" or record.status = "active"'))
