"""The compiled engine: what it refuses to load, what it answers, and how it ends a long question.

That it answers as oso does is the business of the tests of agreement.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import cycle, islice, product
from typing import TYPE_CHECKING, Any, Final

import pytest
from small_domain import (
    ALICE,
    BOB,
    DOMAIN,
    NOON,
    NOTE,
    REPORT,
    ask_for,
    build_records,
)

from authz_service.errors import EvaluationTimeoutError, PolicyError, StoreError
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import PolicyFile, build_policy_set
from authz_service.store.database import open_store
from authz_service.store.entity import Reference, Row
from authz_service.store.writer import keep_revision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import RunSql

    from authz_service.policy.request import Request
    from authz_service.store.database import Store

LONG: Final = 60_000
DIARY: Final = Reference("record", "diary")
ZOE: Final = Reference("user", "zoe")

ALLOW: Final = "allow(_request: Request, _action: String, _record: Record);"
PERMITTED: Final = """
allow(request: Request, action: String, record: Record) if
    permit(request.subject, action, record) and
    not forbid(_reason, request, action, record);
permit(_user: User, "read", _record: Record);
forbid("kept", _request: Request, "delete", _record: Record);
"""


@pytest.fixture
def records(url: str) -> Iterator[Store]:
    """Two users and two records, in either database."""
    store = build_records(url)
    yield store
    store.close()


def compile_policy(*texts: str, time_limit: int = LONG) -> CompiledEngine:
    """Compile a policy, each text a file of its own."""
    files = [PolicyFile(f"{number}.polar", text) for number, text in enumerate(texts)]
    return CompiledEngine(build_policy_set("policies", files), DOMAIN, time_limit)


def test_an_engine_says_which_it_is() -> None:
    """An engine has a name, and the digest of the policies that it runs."""
    engine = compile_policy(ALLOW)
    digest = build_policy_set("elsewhere", [PolicyFile("0.polar", ALLOW)]).digest

    assert ("compiled", digest) == (engine.name, engine.policy_digest)


def test_an_answer_is_of_a_revision(records: Store) -> None:
    """That of the state from which it is: alone and among others, also of what is unknown."""
    engine = compile_policy(PERMITTED)
    asked = [ask_for(), ask_for(action="delete"), ask_for(resource=DIARY), ask_for(ZOE)]
    found = []
    for revision in (5, 6):
        keep_revision(records, revision)
        found += [engine.decide(records, each, NOON).revision for each in asked]
        found += [each.revision for each in engine.decide_many(records, asked, NOON)]

    assert [5] * 8 + [6] * 8 == found


def test_a_denial_has_all_its_reasons_sorted(records: Store) -> None:
    """Every forbid that applies is told, once and in the order of the codes."""
    engine = compile_policy(
        PERMITTED,
        """
        forbid("late", _request: Request, _action: String, _record: Record);
        forbid("busy", _request: Request, "read", _record: Record);
        forbid("late", _request: Request, "read", record: Record) if record.status = "active";
        forbid("done", _request: Request, "read", record: Record) if record.status = "archived";
        """,
    )

    assert ("busy", "late") == engine.reasons(records, ask_for(), NOON)


@pytest.mark.parametrize(
    ("expected", "action"),
    [((), "read"), (("kept", "not_permitted"), "delete"), (("not_permitted",), "write")],
)
def test_not_permitted_is_said_when_no_rule_permits(
    records: Store, expected: tuple[str, ...], action: str
) -> None:
    """What is forbidden is not permitted only where no permit holds."""
    assert expected == compile_policy(PERMITTED).reasons(records, ask_for(action=action), NOON)


def test_what_no_other_reason_explains_is_not_permitted(records: Store) -> None:
    """A denial has a reason even where a permit holds and no forbid applies."""
    engine = compile_policy(
        """
        allow(request: Request, action: String, record: Record) if
            permit(request.subject, action, record) and request.channel = "web";
        permit(_user: User, "read", _record: Record);
        """
    )

    assert ("not_permitted",) == engine.reasons(records, ask_for(), NOON)


@pytest.mark.parametrize(("expected", "action"), [((), "read"), (("not_permitted",), "write")])
def test_a_policy_may_have_allow_alone(
    records: Store, expected: tuple[str, ...], action: str
) -> None:
    """Without any permit or forbid, what is not allowed is not permitted."""
    engine = compile_policy('allow(_request: Request, "read", _record: Record);')

    assert expected == engine.reasons(records, ask_for(action=action), NOON)


@pytest.mark.parametrize("policy", [ALLOW, PERMITTED])
@pytest.mark.parametrize(
    ("expected", "subject", "resource"),
    [
        ("unknown_subject", ZOE, REPORT),
        ("unknown_resource", ALICE, DIARY),
        ("unknown_subject", ZOE, DIARY),
        ("unknown_subject", Reference("user", "Alice"), REPORT),
        ("unknown_subject", Reference("user", ""), REPORT),
        ("unknown_subject", Reference("user", "alice\0"), REPORT),
        ("unknown_resource", ALICE, Reference("record", "\ud800")),
        ("unknown_resource", ALICE, Reference("record", "' OR '1' = '1")),
        ("unknown_resource", ALICE, Reference("record", "%s ? %")),
    ],
)
def test_what_the_store_does_not_have_is_unknown(
    records: Store, policy: str, expected: str, subject: Reference, resource: Reference
) -> None:
    """A stranger is the one reason of a denial, whatever the policy allows."""
    request = ask_for(subject=subject, resource=resource)

    assert (expected,) == compile_policy(policy).reasons(records, request, NOON)


@pytest.mark.parametrize("word", ["web\0", "\ud800", "\0", "é", "' OR 1 = 1 --", "%s"])
def test_strange_words_are_unlike_others(records: Store, word: str) -> None:
    """What a caller says is a value like any other, also where no database could hold it."""
    engine = compile_policy(
        """
        allow(request: Request, "read", _record: Record) if
            request.channel in request.parts and
            not request.channel in ["web", nil] and
            not "web" in request.parts;
        """
    )
    said, others = {"channel": word}, {"parts": ["app", word]}

    assert () == engine.reasons(records, ask_for(context=said, parameters=others), NOON)
    assert ("not_permitted",) == engine.reasons(
        records, ask_for(context=said, parameters={"parts": ["app"]}), NOON
    )


@pytest.mark.parametrize(
    ("expected", "context", "parameters"),
    [
        ((), {"channel": "web"}, {"copies": 2, "parts": ["a", "b"]}),
        (("not_permitted",), {"channel": "app"}, {"copies": 2, "parts": ["a"]}),
        (("not_permitted",), {"channel": "web"}, {"parts": ["a"]}),
        (("not_permitted",), {"channel": "web"}, {"copies": 2}),
        (("not_permitted",), {"channel": "web"}, {"copies": 2, "parts": ["a"], "soft": True}),
    ],
)
def test_what_the_caller_says_reaches_policies(
    records: Store, expected: tuple[str, ...], context: dict[str, Any], parameters: dict[str, Any]
) -> None:
    """A rule can ask for the context and for the action's parameters; what was not said is nil."""
    engine = compile_policy(
        "allow(request: Request, _action: String, _record: Record) if"
        ' request.channel = "web" and request.copies = 2 and not request.soft = true and'
        ' "a" in request.parts;'
    )
    request = ask_for(context=context, parameters=parameters)

    assert expected == engine.reasons(records, request, NOON)


def test_the_time_reaches_policies(records: Store) -> None:
    """A rule can ask what time it is, in whichever zone it is told."""
    engine = compile_policy(
        "allow(request: Request, _action: String, record: Record) if record.created < request.now;"
    )
    before, after = datetime(2025, 12, 31, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)

    assert ("not_permitted",) == engine.reasons(records, ask_for(), before)
    assert () == engine.reasons(records, ask_for(), after)


def test_many_questions_get_the_answers_of_each(records: Store) -> None:
    """Asked together, in any mixture, each gets what it gets alone, in their order."""
    engine = compile_policy(
        PERMITTED
        + """
        permit(user: User, "write", record: Record) if record.owner = user;
        forbid("offline", request: Request, _action: String, _record: Record) if
            request.channel = "paper";
        forbid("late", request: Request, "write", record: Record) if record.created < request.now;
        forbid("part", request: Request, "write", _record: Record) if "a" in request.parts;
        """
    )
    requests = [
        ask_for(subject, action, record, {"channel": channel}, {"parts": parts})
        for subject, action, record, channel, parts in product(
            (ALICE, BOB, ZOE, Reference("user", "\udc80")),
            ("read", "write", "delete"),
            (REPORT, NOTE, DIARY, Reference("record", "é")),
            (None, "paper", "a\0b"),
            ([], ["a", "\udc80"]),
        )
    ]
    alone = [engine.reasons(records, each, NOON) for each in requests]

    assert alone == engine.reasons_many(records, requests, NOON)
    assert alone[::-1] == engine.reasons_many(records, requests[::-1], NOON)
    assert len(set(alone)) > 8


def test_no_questions_have_no_answers(records: Store) -> None:
    """Nothing is asked of the database."""
    assert [] == compile_policy(ALLOW).reasons_many(records, [], NOON)


def test_more_questions_than_a_statement_takes_are_answered(records: Store) -> None:
    """A batch of any size is cut to what the database takes at once."""
    engine = compile_policy(PERMITTED)
    requests = list(islice(cycle([ask_for(), ask_for(action="delete")]), 5_000))

    assert [(), ("kept", "not_permitted")] * 2_500 == engine.reasons_many(records, requests, NOON)


def test_nothing_is_remembered(records: Store) -> None:
    """A question sees what was stored since the one before it."""
    engine = compile_policy(ALLOW)
    before = engine.reasons(records, ask_for(resource=DIARY), NOON)
    with records.transaction():
        records.insert(Row(DIARY, {"status": "active"}))

    assert ("unknown_resource",) == before
    assert () == engine.reasons(records, ask_for(resource=DIARY), NOON)


def test_a_question_sees_the_transaction_that_it_is_asked_in(records: Store) -> None:
    """Inside a transaction, what is being written counts."""
    engine = compile_policy(ALLOW)
    with records.transaction():
        records.insert(Row(DIARY, {"status": "active"}))

        assert () == engine.reasons(records, ask_for(resource=DIARY), NOON)


def test_the_words_of_reasons_are_in_the_policy() -> None:
    """The facts `reason(code, message)` are found."""
    engine = compile_policy(ALLOW, 'reason("b", "B"); reason("a", "A");')

    assert {"a": "A", "b": "B"} == engine.find_messages()


def test_faults_of_all_files_are_told_at_once() -> None:
    """Every file that cannot be read is told with its place."""
    with pytest.raises(PolicyError) as caught:
        compile_policy(ALLOW, "f(1) if cut;", "if if;")

    assert ["policies/1.polar:1:9", "policies/2.polar:1:1"] == [
        str(fault.where) for fault in caught.value.faults
    ]


def test_faults_of_all_questions_are_told_at_once() -> None:
    """What cannot be compiled is told with its place when it is loaded, once for each place."""
    with pytest.raises(PolicyError) as caught:
        compile_policy(
            'allow(_: Request, "read", record: Record) if record.stauts = 1;\n'
            'allow(_: Request, "write", record: Record) if record.titel = 1;\n'
        )

    assert ["policies/0.polar:1:46", "policies/0.polar:2:47"] == [
        str(fault.where) for fault in caught.value.faults
    ]


@pytest.mark.parametrize(
    ("expected", "rules"),
    [
        (["write", "delete"], 'permit(_: User, "read", _: Record);'),
        (["delete"], 'permit(_: User, action, _: Record) if action in ["read", "write"];'),
        (["delete"], 'permit(_: User, action, _: Record) if "read" = action or action = "write";'),
        ([], "permit(_: User, _, _: Record);"),
        (["read", "write", "delete"], "permit(_: Record, _, _);"),
        (["delete"], 'permit(_, "read", _); permit(_, "write", _); permit(_, "delete", _: User);'),
        (["write"], 'permit(_, "read", _); forbid("no", _, "delete", _: Record);'),
        (["read", "write"], 'permit(_, "delete", _); forbid("no", r, _, _) if r.channel = "a";'),
        (["delete"], 'allow(_, action, _: Record) if action in ["read", "write"];'),
        (["write"], 'permit(_, "read", _); allow(_: Request, "delete", _);'),
    ],
)
def test_an_action_that_nobody_may_is_odd(expected: list[str], rules: str) -> None:
    """It is, when no rule permits it and none refuses it outright."""
    usual = "allow(request, action, record) if permit(request.subject, action, record)"
    but = " and not forbid(_, request, action, record)" if "forbid(" in rules else ""
    entry = f"{usual}{but};" if "permit(" in rules else ""
    warnings = compile_policy(entry, rules).warnings
    message = "no rule permits `{}` on a record, and none says that nobody may".format

    assert sorted(message(each) for each in expected) == [fault.message for fault in warnings]
    assert {"never_permitted"} >= {fault.code for fault in warnings}


def test_a_policy_without_allow_is_refused() -> None:
    """A policy that could never allow anything is a mistake."""
    with pytest.raises(PolicyError, match="no rule `allow`"):
        compile_policy("permit(_a, _b, _c);")


# Goes round and round among the readers, each before the next, and never closes the circle.
BUSY: Final = """
allow(_request: Request, _action: String, record: Record) if
    a in record.readers and b in record.readers and c in record.readers and
    d in record.readers and e in record.readers and
    a.name < b.name and b.name < c.name and c.name < d.name and d.name < e.name and
    e.name < a.name;
"""


@pytest.fixture
def crowded(records: Store) -> Store:
    """A record with many readers."""
    readers = [Reference("user", f"reader-{number}") for number in range(80)]
    with records.transaction():
        for reader in readers:
            records.insert(Row(reader, {"name": reader.id, "role": "member", "manager": None}))
        ids = tuple(reader.id for reader in readers)
        records.insert(Row(DIARY, {"status": "active", "readers": ids}))
    return records


def test_an_engine_like_another_answers_by_its_own_policies(records: Store) -> None:
    """What it takes over is only what says the same."""
    [same, other] = (f'allow(_: Request, "{action}", _: Record);' for action in ("read", "write"))
    first = compile_policy(same)
    again = CompiledEngine(compile_policy(other).policies, DOMAIN, LONG, alike=first)

    assert [(), ("not_permitted",)] == [
        first.reasons(records, ask_for(action=each), NOON) for each in ("read", "write")
    ]
    assert [("not_permitted",), ()] == [
        again.reasons(records, ask_for(action=each), NOON) for each in ("read", "write")
    ]


def test_a_question_that_takes_too_long_ends(crowded: Store) -> None:
    """The time limit is an error of its own, and the next question is answered."""
    engine = compile_policy(BUSY, time_limit=50)
    with pytest.raises(EvaluationTimeoutError, match="the setting is `time_limit`"):
        engine.reasons(crowded, ask_for(resource=DIARY), NOON)

    assert () == compile_policy(ALLOW).reasons(crowded, ask_for(resource=DIARY), NOON)


def test_many_questions_that_take_too_long_end(crowded: Store) -> None:
    """A statement for many is held to the limit as one for a single question is."""
    engine = compile_policy(BUSY, time_limit=50)
    with pytest.raises(EvaluationTimeoutError, match="time limit"):
        engine.reasons_many(crowded, [ask_for(), ask_for(resource=DIARY)], NOON)


def test_a_time_limit_is_that_of_the_question_alone(crowded: Store) -> None:
    """What follows a question in its transaction may take longer."""
    with crowded.transaction():
        compile_policy(ALLOW, time_limit=50).reasons(crowded, ask_for(), NOON)
        slow = {
            "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
            " WHERE i < 1000000) SELECT count(*) FROM n",
            "postgresql": "SELECT count(*) FROM generate_series(1, 1000000)",
        }

        assert [(1_000_000,)] == crowded.execute(slow, (), LONG)


def test_a_database_that_cannot_answer_is_an_error(url: str) -> None:
    """A store without tables is no denial of the engine's."""
    store = open_store(url, DOMAIN)
    with pytest.raises(StoreError, match="cannot be used"):
        compile_policy(ALLOW).reasons(store, ask_for(), NOON)
    store.close()


@pytest.mark.parametrize("url", ["postgresql_url"], indirect=True)
def test_a_lost_connection_fails_one_question_at_most(records: Store, run_sql: RunSql) -> None:
    """One that was cut is opened again, at the latest for the question after the next."""
    engine = compile_policy(ALLOW)
    run_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with suppress(StoreError):  # the server may not have said yet that it is cut
        engine.reasons(records, ask_for(), NOON)

    assert () == engine.reasons(records, ask_for(), NOON)


def test_threads_share_an_engine(url: str) -> None:
    """Eight threads that ask at once get the answers that one gets."""
    build_records(url).close()
    store = open_store(url, DOMAIN)
    policy = (
        PERMITTED,
        """
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
            [ALICE, BOB, ZOE], ["read", "write", "delete"], [REPORT, NOTE]
        )
    ]
    alone = [compile_policy(*policy).reasons(store, each, NOON) for each in everything]
    store.close()
    engine = compile_policy(*policy)

    def ask(first: int) -> list[tuple[str, ...]]:
        turn: list[Request] = [*everything[first:], *everything[:first]]
        try:
            return [engine.reasons(store, each, NOON) for each in islice(cycle(turn), 100)]
        finally:
            store.close()

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, range(8)))

    assert [
        list(islice(cycle([*alone[first:], *alone[:first]]), 100)) for first in range(8)
    ] == together
    assert {(), ("not_permitted",), ("watched",), ("unknown_subject",)} <= set(alone)
