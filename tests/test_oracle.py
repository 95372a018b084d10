"""Questions asked of oso: what it refuses to load, what it answers, and that errors never allow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import cycle, islice, product
from typing import TYPE_CHECKING, Final

import pytest
from reference import load_oracle
from small_domain import (
    ALICE,
    BOB,
    DOMAIN,
    NOON,
    NOTE,
    REPORT,
    ask_for,
    build_decider,
    build_oracle,
    build_records,
    write_policy,
)

from authz_service.errors import EvaluationTimeoutError, PolicyError
from authz_service.policy.source import load_policies
from authz_service.store.database import open_store
from authz_service.store.entity import Reference, Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authz_service.policy.oracle import Oracle
    from authz_service.policy.request import Request
    from authz_service.store.database import Store

LONG: Final = 60_000

# Alice and Bob read whatever they are readers of, if a condition holds.
READERS: Final = """
allow(request: Request, action: String, record: Record) if
    action = "read" and request.subject in record.readers and {};
"""

# Reading is permitted to everybody, and forbidden for what a test adds.
FORBIDDEN: Final = """
allow(request: Request, action: String, record: Record) if
    permit(request.subject, action, record) and
    not forbid(_reason, request, action, record);
permit(_user: User, "read", _record: Record);
forbid("kept", _request: Request, "delete", _record: Record);
"""


@pytest.fixture
def records() -> Iterator[Store]:
    """Two users and two records."""
    store = build_records()
    yield store
    store.close()


def codes(decided_by: Oracle, store: Store, request: Request) -> list[str]:
    """Decide a request, and give back the codes of its reasons."""
    return [reason.code for reason in build_decider(decided_by, store).check(request).reasons]


@pytest.mark.parametrize(
    ("expected", "condition"),
    [
        (True, 'record.status = "active"'),
        (False, 'record.status = "archived"'),
        (True, 'not record.status = "archived"'),
        (False, 'not record.status = "active"'),
        (True, "record.owner = request.subject"),
        (True, 'record.owner.name = "Alice"'),
        (True, 'record matches Record{status: "active"}'),
        (False, 'not record matches Record{status: "active"}'),
        (True, 'reader in record.readers and reader.role = "admin"'),
        (True, "report in request.subject.reports and report in record.readers"),
        (True, "record in record.owner.records"),
        (True, "record.size > 2"),
        (True, "record.secret = false"),
        (True, 'record.id = "report"'),
    ],
)
def test_a_rule_sees_the_attributes_of_entities(
    tmp_path: Path, records: Store, condition: str, *, expected: bool
) -> None:
    """Values, other entities and collections are what the store has."""
    oracle = build_oracle(tmp_path, READERS.format(condition))

    assert ([] if expected else ["not_permitted"]) == codes(oracle, records, ask_for())


MISTAKES: Final = {
    "an attribute": 'record.stauts = "active"',
    "an attribute, inside not": 'not record.stauts = "archived"',
    "an attribute, inside not twice": 'not (not record.stauts = "active")',
    "an attribute, inside a rule inside not": "not is_archived(record)",
    "a neighbour's attribute": 'record.owner.nmae = "Alice"',
    "a neighbour's attribute, inside not": 'not record.owner.nmae = "Alice"',
    "a collection's attribute, inside not": "not has_reader_of_rank(record)",
    "a field pattern": 'record matches Record{stauts: "active"}',
    "a field pattern, inside not": 'not record matches Record{stauts: "archived"}',
    "a field pattern of a parameter, inside not": "not is_archived_by_pattern(record)",
    "the request's attribute": 'request.chanel = "web"',
    "the request's attribute, inside not": 'not request.chanel = "app"',
    "the subject's attribute, inside not": 'not request.subject.rle = "admin"',
    "the time's attribute": "request.now.yaer = 2026",
    "the time's attribute, inside not": "not request.now.yaer = 2025",
    "an attribute of a text, inside not": "not record.status.lenght = 3",
    "an attribute of a number, inside not": "not record.size.hugeness = 3",
    "an attribute of a truth value, inside not": "not record.secret.is_secret = true",
    "an attribute of a list, inside not": "not record.readers.lenght = 2",
    "an attribute of the action, inside not": "not action.nmae = 1",
    "a name with two underscores, inside not": "not record.__secret = true",
    "a name of Python's, inside not": 'not record.__class__ = "Record"',
    "a name of the engine's, inside not": "not record._row = 1",
    "a name of the engine's in the request, inside not": "not request._values = 1",
    "a method, inside not": "not record.is_archived()",
    "a method of a text, inside not": 'not record.status.starts_with("arch")',
    "a call of an attribute, inside not": 'not record.status("archived") = true',
    "a class's attribute, inside not": "not Record._type = 1",
    "an impossible comparison": "record.status > 3",
    "an impossible comparison, inside not": "not record.status > 3",
    "a class that does not exist": "other = new Recrod() and other = record",
    "itself": "endless(record)",
    "itself, inside not": "not endless(1)",
}
MISTAKEN_RULES: Final = """
is_archived(record: Record) if record.stauts = "archived";
is_archived_by_pattern(_record: Record{stauts: "archived"});
has_reader_of_rank(record: Record) if reader in record.readers and reader.rank = 1;
endless(x) if endless(x);
"""


@pytest.mark.parametrize("condition", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_in_a_rule_denies(tmp_path: Path, records: Store, condition: str) -> None:
    """What goes wrong in a rule is the one reason of a denial, wherever in the rule it is."""
    oracle = build_oracle(tmp_path, READERS.format(condition) + MISTAKEN_RULES)

    assert ["evaluation_error"] == codes(oracle, records, ask_for())


GOOD_AND_BAD: Final = {
    "two rules that allow": (
        "allow(_request: Request, _action: String, _record: Record);",
        "allow(_request: Request, _action: String, record: Record) if record.stauts = 1;",
        "",
    ),
    "two rules that permit": (
        'permit(_user: User, "write", _record: Record);',
        'permit(_user: User, "write", record: Record) if record.stauts = 1;',
        FORBIDDEN,
    ),
    "two rules that forbid": (
        'forbid("busy", _request: Request, "read", _record: Record);',
        'forbid("idle", _request: Request, "read", record: Record) if record.stauts = 1;',
        FORBIDDEN,
    ),
    "a helper behind not": (
        'is_open(record: Record) if record.status = "active";',
        'is_open(record: Record) if record.stauts = "active";',
        FORBIDDEN
        + 'forbid("closed", _request: Request, _action: String, record: Record) if '
        + "not is_open(record);",
    ),
    "a helper behind not, twice": (
        'is_open(record: Record) if record.status = "active";',
        'is_open(record: Record) if record.stauts = "active";',
        """
        allow(_request: Request, _action: String, record: Record) if not is_closed(record);
        is_closed(record: Record) if not is_open(record);
        """,
    ),
}


@pytest.mark.parametrize("order", [1, -1], ids=["bad rule last", "bad rule first"])
@pytest.mark.parametrize("rules", GOOD_AND_BAD.values(), ids=GOOD_AND_BAD.keys())
def test_a_rule_does_not_make_good_what_goes_wrong_in_another(
    tmp_path: Path, records: Store, rules: tuple[str, str, str], order: int
) -> None:
    """A mistake in one of two rules denies, in whichever order they stand."""
    *pair, rest = rules
    oracle = build_oracle(tmp_path, "\n".join([rest, *pair[::order]]))
    action = "write" if "write" in pair[0] else "read"

    assert ["evaluation_error"] == codes(oracle, records, ask_for(action=action))


@pytest.mark.parametrize(
    ("expected", "condition"),
    [
        (False, "record.owner = request.subject"),
        (True, "not record.owner = request.subject"),
        (True, "record.owner = nil"),
        (False, "not record.owner = nil"),
        (False, 'record.title = "Report"'),
        (True, 'not record.title = "Report"'),
        (True, 'record.title != "Report"'),
        (False, "record.size = 3"),
        (True, "not record.size = 3"),
        (False, "record.secret = true"),
        (False, "record.secret = false"),
        (True, "not record.secret = false"),
        (True, "not record.created = request.now"),
        (False, 'record.title in ["Report", "Note"]'),
        (True, 'not record.title in ["Report", "Note"]'),
        (True, "record.owner = record.size"),
        (False, 'record matches Record{title: "Report"}'),
    ],
)
def test_nothing_is_a_value_of_its_own(
    tmp_path: Path, records: Store, condition: str, *, expected: bool
) -> None:
    """An attribute without a value is unlike everything but nil, also inside not."""
    policy = READERS.replace("request.subject in record.readers", "request matches Request")
    oracle = build_oracle(tmp_path, policy.format(condition))

    assert ([] if expected else ["not_permitted"]) == codes(oracle, records, ask_for(resource=NOTE))


def test_a_denial_has_all_its_reasons_sorted(tmp_path: Path, records: Store) -> None:
    """Every forbid that applies is told, once and in the order of the codes."""
    oracle = build_oracle(
        tmp_path,
        FORBIDDEN
        + """
        forbid("late", _request: Request, _action: String, _record: Record);
        forbid("busy", _request: Request, "read", _record: Record);
        forbid("late", _request: Request, "read", record: Record) if record.status = "active";
        forbid("done", _request: Request, "read", record: Record) if record.status = "archived";
        """,
    )

    assert ("busy", "late") == oracle.reasons(records, ask_for(), NOON)


@pytest.mark.parametrize(
    ("expected", "action"), [(("late",), "read"), (("late", "not_permitted"), "write")]
)
def test_not_permitted_is_said_when_no_rule_permits(
    tmp_path: Path, records: Store, expected: tuple[str, ...], action: str
) -> None:
    """What is forbidden is not permitted only where no permit holds."""
    rule = 'forbid("late", _request: Request, _action: String, _record: Record);'
    oracle = build_oracle(tmp_path, FORBIDDEN + rule)

    assert expected == oracle.reasons(records, ask_for(action=action), NOON)


def test_what_no_other_reason_explains_is_not_permitted(tmp_path: Path, records: Store) -> None:
    """A denial has a reason even where a permit holds and no forbid applies."""
    oracle = build_oracle(
        tmp_path,
        """
        allow(request: Request, action: String, record: Record) if
            permit(request.subject, action, record) and request.channel = "web";
        permit(_user: User, "read", _record: Record);
        """,
    )

    assert ("not_permitted",) == oracle.reasons(records, ask_for(), NOON)


@pytest.mark.parametrize(("expected", "action"), [((), "read"), (("not_permitted",), "write")])
def test_a_policy_may_have_allow_alone(
    tmp_path: Path, records: Store, expected: tuple[str, ...], action: str
) -> None:
    """Without any permit or forbid, what is not allowed is not permitted."""
    oracle = build_oracle(tmp_path, 'allow(_request: Request, "read", _record: Record);')

    assert expected == oracle.reasons(records, ask_for(action=action), NOON)


def test_a_forbid_that_leaves_its_reason_open_denies(tmp_path: Path, records: Store) -> None:
    """A forbid that applies for whatever reason has none to give, which is a mistake."""
    rule = "forbid(_code: String, _request: Request, _action: String, _record: Record);"
    oracle = build_oracle(tmp_path, FORBIDDEN + rule)

    assert ["evaluation_error"] == codes(oracle, records, ask_for())


ALLOW: Final = "allow(_request: Request, _action: String, _record: Record);\n"

# By what is wrong: the line and column where it stands, what is said of it, and the policy.
REFUSED: Final = {
    "text that is no Polar": ((2, 1, "did not expect"), ALLOW + "if if;"),
    "a rule without an end": ((2, 15, "hit the end of the file"), ALLOW + "f(_x) if 1 = 1\n"),
    "a rule that does not exist": (
        (2, 10, "undefined rule: nothing"),
        ALLOW + "f(x) if  nothing(x);",
    ),
    "a type that does not exist": ((2, 7, "Unknown specializer Rcord"), ALLOW + "f(_x: Rcord);"),
    "a type that does not exist in a condition": (
        (2, 19, "Unknown specializer Rcord"),
        ALLOW + "f(x) if x matches Rcord;",
    ),
    "a variable that is used once": ((2, 3, "Singleton variable x"), ALLOW + "f(x);"),
    "and beside or without parentheses": (
        (2, 9, "without parentheses"),
        ALLOW + "f(x) if x = 1 and x = 2 or x = 3;",
    ),
    "an inline query that fails": ((2, 4, "Inline query failed"), ALLOW + "?= 1 = 2;"),
    "an allow of four": ((1, 1, "Different number"), "allow(_a, _b, _c, _d);"),
    "an allow of two": ((1, 1, "Different number"), "allow(_a, _b);"),
    "a permit of four": ((2, 1, "permit"), ALLOW + "permit(_a, _b, _c, _d);"),
    "a forbid of three": ((2, 1, "forbid"), ALLOW + 'forbid("late", _b, _c);'),
    "a forbid for any reason": ((2, 1, "forbid"), ALLOW + "forbid(_code, _b, _c, _d);"),
    "a forbid for a number": ((2, 1, "forbid"), ALLOW + "forbid(3, _b, _c, _d);"),
    "a reason of one": ((2, 1, "reason"), ALLOW + 'reason("late");'),
}


@pytest.mark.parametrize(("told", "policy"), REFUSED.values(), ids=REFUSED.keys())
def test_a_policy_with_a_mistake_is_refused(
    tmp_path: Path, told: tuple[int, int, str], policy: str
) -> None:
    """What oso refuses or warns of is an error with file, line and column, on one line."""
    line, column, said = told

    with pytest.raises(PolicyError) as caught:
        build_oracle(tmp_path, policy)

    (fault,) = caught.value.faults
    assert f"{tmp_path}/policies/records.polar:{line}:{column}" == str(fault.where)
    assert said in fault.message
    assert "\n" not in fault.message


@pytest.mark.parametrize(
    ("said", "policy"),
    [
        ("does not contain an allow rule", ""),
        ("does not contain an allow rule", "# nothing yet\n"),
        ("does not contain an allow rule", "permit(_user, _action, _record);"),
        ("undefined rule `nothing`", ALLOW + "?= nothing(1);"),
    ],
)
def test_a_mistake_without_a_place_is_the_folders(tmp_path: Path, said: str, policy: str) -> None:
    """Where oso names no line, the folder is at fault."""
    with pytest.raises(PolicyError, match=said) as caught:
        build_oracle(tmp_path, policy)

    assert f"{tmp_path}/policies" == str(caught.value.faults[0].where)


def test_a_mistake_is_told_with_its_own_file(tmp_path: Path) -> None:
    """Where there are several files, the one with the mistake is named."""
    folder = write_policy(tmp_path, ALLOW)
    (folder / "b topic.polar").write_text("\nf(x);")

    with pytest.raises(PolicyError) as caught:
        load_oracle(load_policies(folder), DOMAIN)

    assert f"{folder}/b topic.polar:2:3" == str(caught.value.faults[0].where)


def test_rules_of_one_name_may_stand_in_several_files(tmp_path: Path, records: Store) -> None:
    """All files of a folder are one policy."""
    folder = write_policy(tmp_path, 'allow(_request: Request, "read", _record: Record);')
    (folder / "write.polar").write_text('allow(_request: Request, "write", _record: Record);')
    oracle = load_oracle(load_policies(folder), DOMAIN)

    assert [[], [], ["not_permitted"]] == [
        codes(oracle, records, ask_for(action=action)) for action in ("read", "write", "delete")
    ]


def test_an_inline_query_that_holds_is_no_obstacle(tmp_path: Path, records: Store) -> None:
    """A policy may assert what is so about itself."""
    oracle = build_oracle(tmp_path, ALLOW + "f(1);\n?= f(1);\n?= not f(2);")

    assert () == oracle.reasons(records, ask_for(), NOON)


def test_loading_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What oso would print is told by the error alone."""
    with pytest.raises(PolicyError):
        build_oracle(tmp_path, "f(1);")

    assert ("", "") == capsys.readouterr()


def test_an_engine_says_which_it_is(tmp_path: Path) -> None:
    """An engine has a name, and the digest of the policies that it runs."""
    oracle = build_oracle(tmp_path, ALLOW)

    assert ("oso", load_policies(tmp_path / "policies").digest) == (
        oracle.name,
        oracle.policy_digest,
    )


@pytest.mark.parametrize(
    ("expected", "facts"),
    [
        ({}, ""),
        ({"late": "it is too late"}, 'reason("late", "it is too late");'),
        ({"a": "A", "b": "B"}, 'reason("b", "B"); reason("a", "A");'),
    ],
)
def test_the_words_of_reasons_are_in_the_policy(
    tmp_path: Path, expected: dict[str, str], facts: str
) -> None:
    """The facts `reason(code, message)` are found; a policy need not have any."""
    assert expected == build_oracle(tmp_path, ALLOW + facts).find_messages()


def test_the_time_reaches_policies(tmp_path: Path, records: Store) -> None:
    """A rule can ask what time it is."""
    oracle = build_oracle(
        tmp_path,
        "allow(request: Request, _action: String, record: Record) if record.created < request.now;",
    )
    before, after = datetime(2025, 12, 31, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)

    assert ("not_permitted",) == oracle.reasons(records, ask_for(), before)
    assert () == oracle.reasons(records, ask_for(), after)


@pytest.mark.parametrize(
    ("expected", "request_"),
    [
        ((), ask_for(context={"channel": "web"}, parameters={"copies": 2, "parts": ["a", "b"]})),
        (
            ("not_permitted",),
            ask_for(context={"channel": "app"}, parameters={"copies": 2, "parts": ["a"]}),
        ),
        (("not_permitted",), ask_for(context={"channel": "web"}, parameters={"parts": ["a"]})),
        (("not_permitted",), ask_for(context={"channel": "web"}, parameters={"copies": 2})),
    ],
)
def test_what_the_caller_says_reaches_policies(
    tmp_path: Path, records: Store, expected: tuple[str, ...], request_: Request
) -> None:
    """A rule can ask for the context and for the action's parameters; what was not said is nil."""
    oracle = build_oracle(
        tmp_path,
        "allow(request: Request, _action: String, _record: Record) if"
        ' request.channel = "web" and request.copies = 2 and request.soft = nil and'
        ' "a" in request.parts;',
    )

    assert expected == oracle.reasons(records, request_, NOON)


@pytest.mark.parametrize(
    ("expected", "subject", "resource"),
    [
        ("unknown_subject", Reference("user", "zoe"), REPORT),
        ("unknown_resource", ALICE, Reference("record", "diary")),
        ("unknown_subject", Reference("user", "zoe"), Reference("record", "diary")),
        ("unknown_subject", Reference("user", ""), REPORT),
        ("unknown_subject", Reference("user", "Alice"), REPORT),
    ],
)
def test_what_the_store_does_not_have_is_unknown(
    tmp_path: Path, records: Store, expected: str, subject: Reference, resource: Reference
) -> None:
    """A stranger is the one reason of a denial, whatever the policy allows."""
    request = ask_for(subject=subject, resource=resource)

    assert (expected,) == build_oracle(tmp_path, ALLOW).reasons(records, request, NOON)


def test_nothing_is_remembered(tmp_path: Path, records: Store) -> None:
    """A question sees what was stored since the one before it."""
    oracle = build_oracle(tmp_path, ALLOW)
    diary = Reference("record", "diary")
    before = oracle.reasons(records, ask_for(resource=diary), NOON)
    with records.transaction():
        records.insert(Row(diary, {"status": "active"}))

    assert ("unknown_resource",) == before
    assert () == oracle.reasons(records, ask_for(resource=diary), NOON)


# Each keeps oso busy for far longer than the milliseconds beside it: with reading entities, with
# looking at those that it has read, and with nothing but Polar.
BUSY: Final = {
    "reading": (
        1,
        """
        reader in record.readers and reader.name = "nobody" and
        report in reader.reports and report.name = "nobody"
        """,
    ),
    "comparing": (
        50,
        """
        a in record.readers and b in record.readers and c in record.readers and
        a.role = "member" and b.role = "member" and c.role = "member" and c.name = "nobody"
        """,
    ),
    "counting": (
        1,
        """
        record matches Record and
        a in [1, 2, 3, 4, 5, 6, 7, 8, 9] and b in [1, 2, 3, 4, 5, 6, 7, 8, 9] and
        c in [1, 2, 3, 4, 5, 6, 7, 8, 9] and d in [1, 2, 3, 4, 5, 6, 7, 8, 9] and
        e in [1, 2, 3, 4, 5, 6, 7, 8, 9] and a + b + c + d + e = 45
        """,
    ),
}


@pytest.fixture
def crowded() -> Iterator[Store]:
    """A record with many readers."""
    store = build_records()
    readers = [Reference("user", f"reader-{number}") for number in range(40)]
    values = {"role": "member", "manager": None}
    with store.transaction():
        for reader in readers:
            store.insert(Row(reader, {**values, "name": reader.id}))
        ids = tuple(reader.id for reader in readers)
        store.insert(Row(Reference("record", "ledger"), {"status": "active", "readers": ids}))
    yield store
    store.close()


@pytest.mark.parametrize(("time_limit", "condition"), BUSY.values(), ids=BUSY.keys())
def test_a_question_that_takes_too_long_is_denied(
    tmp_path: Path, crowded: Store, time_limit: int, condition: str
) -> None:
    """The time limit ends a question, whatever the time goes into."""
    policy = (
        "allow(_request: Request, _action: String, _record: Record);"
        f"allow(_request: Request, _action: String, record: Record) if {condition};"
    )
    oracle = build_oracle(tmp_path, policy, time_limit)
    request = ask_for(resource=Reference("record", "ledger"))

    assert ["evaluation_timeout"] == codes(oracle, crowded, request)


def test_the_time_limit_is_an_error_of_its_own(tmp_path: Path, crowded: Store) -> None:
    """Who asks the engine is told what went on and which setting is to blame."""
    policy = READERS.replace("request.subject in record.readers", "request matches Request")
    oracle = build_oracle(tmp_path, policy.format(BUSY["reading"][1]), time_limit=1)

    with pytest.raises(EvaluationTimeoutError, match="time limit; the setting is `time_limit`"):
        oracle.reasons(crowded, ask_for(resource=Reference("record", "ledger")), NOON)


def test_a_question_after_one_that_failed_is_answered(tmp_path: Path, records: Store) -> None:
    """Neither an error nor the time limit leaves anything behind."""
    oracle = build_oracle(tmp_path, READERS.format(MISTAKES["itself"]) + MISTAKEN_RULES)
    failed = codes(oracle, records, ask_for())

    assert ["evaluation_error"] == failed
    assert ["not_permitted"] == codes(oracle, records, ask_for(action="write"))


def test_threads_share_an_engine(tmp_path: Path) -> None:
    """Eight threads that ask at once get the answers that one gets."""
    url = f"sqlite:///{tmp_path / 'records.db'}"
    build_records(url).close()
    store = open_store(url, DOMAIN)
    oracle = build_oracle(
        tmp_path,
        FORBIDDEN
        + """
        permit(user: User, "write", record: Record) if record.owner = user;
        permit(user: User{role: "admin"}, "delete", record: Record) if user in record.readers;
        forbid("archived", _request: Request, _action: String, _record: Record{status: "archived"});
        forbid("watched", request: Request, "write", _record: Record) if
            report in request.subject.reports and report.role = "admin";
        """,
    )
    everything = [
        ask_for(subject, action, resource)
        for subject, action, resource in product(
            [ALICE, BOB, Reference("user", "zoe")], ["read", "write", "delete"], [REPORT, NOTE]
        )
    ]

    alone = [oracle.reasons(store, request, NOON) for request in everything]
    store.close()

    def ask(first: int) -> list[tuple[str, ...]]:
        turn = [*everything[first:], *everything[:first]]
        try:
            return [oracle.reasons(store, request, NOON) for request in islice(cycle(turn), 200)]
        finally:
            store.close()

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, range(8)))

    assert [
        list(islice(cycle([*alone[first:], *alone[:first]]), 200)) for first in range(8)
    ] == together
    assert {(), ("not_permitted",), ("watched",), ("unknown_subject",)} <= set(alone)
