"""The compiled engine against oso: one policy, one store, one question, one answer from both.

The conditions below use every construct of the Polar that is accepted, most of them on attributes
that may be nil, and under `not` as well.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import test_policies
from reference import load_oracle, require_reference
from small_domain import ALICE, BOB, DOMAIN, NOON, NOTE, REPORT, ROWS, ask_for

from authz_service import assembly, portal, storage
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.request import Request, read_given
from authz_service.policy.source import PolicyFile, build_policy_set, load_policies
from authz_service.scenario.case import load_scenario
from authz_service.scenario.runner import Runner
from authz_service.settings import Settings
from authz_service.store.database import open_store
from authz_service.store.entity import Reference, Row
from authz_service.store.url import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.policy.oracle import Oracle
    from authz_service.policy.source import PolicySet
    from authz_service.store.database import Store

ROOT: Final = Path(__file__).parent.parent
LONG: Final = 60_000
STORES: Final = 20

CONDITIONS: Final = [
    'record.status = "active"',
    'not record.status = "active"',
    'record.status != "active"',
    'record.status == "active"',
    'record.title = "Report"',
    'not record.title = "Report"',
    'record.title != "Report"',
    'record.title == "Report"',
    'not record.title != "Report"',
    "record.title = nil",
    "record.title != nil",
    "not record.title = nil",
    "record.title == nil",
    "record.size = 3",
    "record.size != 3",
    "not record.size = 3",
    "record.size = 3.0",
    "record.size > 2",
    "record.size < 2",
    "record.size >= 3",
    "record.size <= 3",
    "not record.size > 2",
    "not record.size < 100",
    "record.size > 2.5",
    "not (record.size > 2 and record.size < 5)",
    "2 < record.size",
    "record.secret = true",
    "record.secret = false",
    "not record.secret = false",
    "record.secret != true",
    "record.created < request.now",
    "not record.created < request.now",
    "record.created = request.now",
    "record.created != request.now",
    "record.created >= request.now",
    "record.owner = request.subject",
    "not record.owner = request.subject",
    "record.owner != request.subject",
    "record.owner = nil",
    "record.owner != nil",
    "not record.owner = nil",
    'record.owner.name = "Alice"',
    'not record.owner.name = "Alice"',
    'record.owner.name != "Alice"',
    'not record.owner.name != "Alice"',
    "record.owner.manager = nil",
    "record.owner.manager != nil",
    "not record.owner.manager = nil",
    'record.owner.manager.name = "Bob"',
    'not record.owner.manager.name = "Bob"',
    "record.owner.manager = record.owner",
    "record.owner = record.owner.manager",
    "record.owner.manager = request.subject.manager",
    "record.owner.manager != request.subject.manager",
    "request.subject.manager = record.owner",
    "request.subject.manager != record.owner",
    "not request.subject.manager = record.owner",
    "record.owner = record.size",
    "record.title = record.size",
    "record.title = record.owner",
    "record.title = record.owner.name",
    "record.title != record.owner.name",
    "record.title = request.channel",
    "record.title != request.channel",
    "not record.title = request.channel",
    "record.status = request.channel",
    'record.title < "Z"',
    'not record.title < "Z"',
    "record.title < request.channel",
    '"A" < record.title',
    "request.subject in record.readers",
    "not request.subject in record.readers",
    'reader in record.readers and reader.role = "admin"',
    'not (reader in record.readers and reader.role = "admin")',
    "reader in record.readers and reader != request.subject",
    "reader in record.readers and reader.manager = request.subject",
    "reader in record.readers and reader.manager != request.subject",
    "reader in record.readers and other in record.readers and reader != other",
    "report in request.subject.reports and report in record.readers",
    "record in request.subject.records",
    "not record in request.subject.records",
    "record in record.owner.records",
    'other in record.owner.records and other.status = "archived"',
    'not (other in record.owner.records and other.status = "archived")',
    "other in record.owner.records and other != record",
    "request.subject in record.owner.reports",
    "not request.subject in record.owner.reports",
    "record.owner in record.readers",
    "not record.owner in record.readers",
    "record.owner.manager in record.readers",
    'forall(reader in record.readers, reader.role = "admin")',
    "forall(reader in record.readers, reader.manager = nil)",
    "forall(report in request.subject.reports, report in record.readers)",
    'not forall(reader in record.readers, reader.role = "member")',
    'record.title in ["Report", "Note"]',
    'not record.title in ["Report", "Note"]',
    'record.title in ["Report", nil]',
    'not record.title in ["Report", nil]',
    "record.title in []",
    "record.size in [1, 3, 5]",
    "record.size in [1, 3.0]",
    'record.title in ["x", 3]',
    'record.size in ["x", 3]',
    "record.title in [record.status, request.channel]",
    "not record.title in [record.status, request.channel]",
    'x in ["active", "archived"] and record.status = x',
    "record.owner in [request.subject, request.subject.manager]",
    'request.channel = "web"',
    'not request.channel = "web"',
    'request.channel != "web"',
    "request.channel = nil",
    "not request.channel = nil",
    'request.channel in ["web", "app"]',
    'not request.channel in ["web", "app"]',
    "request.soft = true",
    "request.soft = false",
    "request.soft = record.secret",
    "request.soft != record.secret",
    "request.copies = record.size",
    "request.copies > record.size",
    "not request.copies > record.size",
    "request.copies < 5",
    '"a" in request.parts',
    'not "a" in request.parts',
    "part in request.parts and part = record.title",
    "part in request.parts and not part = record.title",
    "record.title in request.parts",
    "not record.title in request.parts",
    "request.channel in request.parts",
    'forall(part in request.parts, part = "a")',
    "record matches Record",
    "record matches User",
    'record matches Record{status: "active"}',
    'not record matches Record{status: "active"}',
    'record matches Record{title: "Report"}',
    'not record matches Record{title: "Report"}',
    "record.owner matches User",
    "not record.owner matches User",
    'record.owner matches User{name: "Alice"}',
    'not record.owner matches User{name: "Alice"}',
    "record.title matches String",
    "not record.title matches String",
    "record.size matches Integer",
    "request.channel matches String",
    'record.title matches "Report"',
    "record.owner matches User{manager: nil}",
    'record matches {status: "active"}',
    "record.status matches Integer",
    "x = record.title and x matches String",
    "is_titled(record.title)",
    "not is_titled(record.title)",
    "is_owned(record)",
    "not is_owned(record)",
    "is_by(request.subject, record)",
    "not is_by(request.subject, record)",
    "is_by(_who, record)",
    "not is_by(_who, record)",
    'has_kind("open", record)',
    "has_kind(_k, record)",
    'not has_kind("shut", record)',
    'named(record.owner, "Alice")',
    'not named(record.owner, "Alice")',
    'x = record.owner and x.name = "Alice"',
    "x = record.owner and y = x.manager and y = nil",
    'x = "Report" and record.title = x',
    'record.title = x and x = "Report"',
    'not (x = record.title and x = "Report")',
    "record.title = x and x = nil",
    'record.id = "report"',
    'record.owner.id = "alice"',
    'not record.owner.id = "alice"',
    "record.id != request.subject.id",
    "record.title = record.id",
    "record.owner.id = request.subject.id",
    '(record.status = "active" or record.title = nil)',
    'not (record.status = "active" or record.title = "Note")',
    '((record.status = "active" and record.size = 3) or record.owner = nil)',
    'not (not record.title = "Report")',
    'not (record.title = "Report" and not record.size = 4)',
    "not (r in record.readers and not (r.manager = request.subject or r = request.subject))",
    "1 = 1",
    "1 = 2",
    "not 1 = 2",
    "1 = 1.0",
    '"a" = 1',
    "true = 1",
    "not true = 1",
    "nil = nil",
    "1 < 2",
    '"a" < "b"',
    "not 2 < 1",
    "nil != 1",
    "1 in [1, 2]",
    "not 1 in [2, 3]",
    "record = record",
    "record != record",
    "record = record.owner",
    "not record = record.owner",
    "record.title = record.title",
    "record.title != record.title",
    "not record.title = record.title",
    "record.size <= record.size",
    'action = "read"',
    'action != "read"',
    'action in ["read", "write"]',
    "request = request",
    'pair("a", x) and record.title = x',
    'pair(x, "Report") and x in ["a"]',
    "eq(record.title, record.owner.name)",
    "eq(record.title, nil)",
    "not eq(record.title, request.channel)",
    "both(record.owner, request.subject)",
    "record.owner.manager.manager = nil",
    "not record.owner.manager.manager = nil",
    "is_typed(record.title)",
    "not is_typed(record.title)",
    "is_num(record.size)",
    "not is_num(record.size)",
    "is_num(record.title)",
    "not is_num(record.title)",
    "reader in record.readers and reader in record.owner.reports",
    "reader in record.readers and reader = record.owner",
    "reader in record.readers and record.owner = reader",
    "record.owner = x and x in record.readers",
    "x in record.readers and not (x in record.owner.reports)",
    "note in request.subject.records and note.title = record.title",
    "note in request.subject.records and note.title != record.title",
    "note in request.subject.records and note.size > record.size",
    "record.size > record.size",
    'request matches Request{channel: "web"}',
    'not request matches Request{channel: "web"}',
    "request matches {copies: 3}",
    "is_web(request)",
    "not is_web(request)",
    "has_field(record)",
    "not has_field(record)",
    "nested(record)",
    "not nested(record)",
    'record.title = "it\'s 100%"',
    'record.title != "it\'s 100%"',
    'record.title = "a\\"b\\\\c"',
    'record.title = "été"',
    'record.title = "REPORT"',
    '(record.title > "Zoo" or record.title < "É")',
    'record.title < "é"',
    '"report" <= record.title',
]

# Rules that the conditions ask, and the one that a condition completes.
RULES: Final = """
is_titled(title: String) if title = "Report";
is_owned(record: Record) if record.owner matches User;
is_by(user: User, record: Record) if user in record.readers and user.role = "admin";
has_kind("open", record: Record{status: "active"}) if record.size >= 3;
has_kind("shut", _record: Record{status: "archived"});
named(user: User, name: String) if user.name = name;
pair("a", "Report");
pair("b", "Note");
eq(x, x);
both(user: User, user: User);
is_typed(_x: String);
is_num(_x: Integer);
is_web(_request: Request{channel: "web"});
has_field(_record: Record{owner: nil});
nested(_record: Record{owner: User{role: "member", name: "Alice"}});
"""
ALLOW: Final = """
allow(request: Request, action: String, record: Record) if
    request matches Request and action matches String and record matches Record and {};
"""

CAROL: Final = Reference("user", "carol")
MEMO: Final = Reference("record", "memo")
DIARY: Final = Reference("record", "diary")

# Beside the report, of which all is known, and the note, of which nothing is: Carol's manager is
# Bob; the memo and the diary differ from the others in every attribute.
MORE_ROWS: Final = (
    Row(CAROL, {"name": "Carol", "role": "admin", "manager": "bob"}),
    Row(
        MEMO,
        {
            "status": "active",
            "owner": "bob",
            "title": "Bob",
            "size": 4,
            "secret": True,
            "created": NOON,
            "readers": ("carol",),
        },
    ),
    Row(
        DIARY,
        {
            "status": "archived",
            "owner": "carol",
            "title": "it's 100%",
            "size": -1,
            "created": datetime(2027, 1, 1, tzinfo=UTC),
            "readers": ("bob", "carol"),
        },
    ),
)

# What callers say: nothing, and two ways of saying something of everything.
SAID: Final[list[tuple[dict[str, Any], dict[str, Any]]]] = [
    ({}, {}),
    ({"channel": "web"}, {"soft": True, "copies": 3, "parts": ["a"]}),
    ({"channel": "Report"}, {"soft": False, "copies": 4, "parts": ["Report", "a", "it's 100%"]}),
]
QUESTIONS: Final = [
    ask_for(subject, "read", resource, context, parameters)
    for subject, resource, (context, parameters) in product(
        (ALICE, BOB, CAROL), (REPORT, NOTE, MEMO, DIARY), SAID
    )
]


def fill(url: str) -> Store:
    """Make a store of users and records."""
    store = open_store(url, DOMAIN)
    with store.transaction():
        store.create_tables()
        for row in (*ROWS, *MORE_ROWS):
            store.insert(row)
    return store


@cache
def policy_of(condition: str) -> PolicySet:
    """Make a policy that allows what a condition says."""
    text = ALLOW.format(condition) + RULES
    return build_policy_set("policies", [PolicyFile("records.polar", text)])


@pytest.fixture(scope="module")
def records() -> Iterator[Store]:
    """Three users and four records."""
    store = fill(MEMORY)
    yield store
    store.close()


@pytest.mark.parametrize("condition", CONDITIONS)
def test_engines_agree_on_a_condition(records: Store, condition: str) -> None:
    """Every user asks for every record, and both engines give the same reasons."""
    policies = policy_of(condition)
    oracle = load_oracle(policies, DOMAIN)
    engine = CompiledEngine(policies, DOMAIN, LONG)

    assert [(each, oracle.reasons(records, each, NOON)) for each in QUESTIONS] == [
        (each, engine.reasons(records, each, NOON)) for each in QUESTIONS
    ]


def test_databases_agree_on_every_condition(postgresql_url: str, records: Store) -> None:
    """PostgreSQL gives the reasons that SQLite gives."""
    store = fill(postgresql_url)
    engines = [(each, CompiledEngine(policy_of(each), DOMAIN, LONG)) for each in CONDITIONS]
    with store.snapshot():
        different = [
            (condition, each)
            for condition, engine in engines
            for each in QUESTIONS[::5]
            if engine.reasons(store, each, NOON) != engine.reasons(records, each, NOON)
        ]
    store.close()

    assert [] == different


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    """The policies of the portal."""
    return load_policies(ROOT / "policies")


@pytest.fixture(scope="module")
def oracle(policies: PolicySet) -> Oracle:
    """What oso makes of them."""
    return load_oracle(policies, portal.DOMAIN)


@pytest.fixture(scope="module")
def engine(policies: PolicySet) -> CompiledEngine:
    """What the compiler makes of them."""
    return CompiledEngine(policies, portal.DOMAIN, LONG)


def fill_portal(url: str, rows: list[Row]) -> Store:
    """Make a store of the portal."""
    store = open_store(url, portal.DOMAIN)
    with store.transaction():
        store.create_tables()
        for row in rows:
            store.insert(row)
    return store


@pytest.mark.parametrize("seed", range(STORES))
def test_engines_agree_on_chance(oracle: Oracle, engine: CompiledEngine, seed: int) -> None:
    """Both give the same reasons for random questions to a random store of the portal."""
    rows, requests = test_policies.cases(seed)
    store = fill_portal(MEMORY, rows)
    expected = [(each, oracle.reasons(store, each, NOON)) for each in requests]
    actual = [(each, engine.reasons(store, each, NOON)) for each in requests]
    store.close()

    assert expected == actual


def test_engines_agree_on_chance_in_postgresql(
    oracle: Oracle, engine: CompiledEngine, postgresql_url: str
) -> None:
    """They do so in PostgreSQL."""
    rows, requests = test_policies.cases(0)
    store = fill_portal(postgresql_url, rows)
    expected = [(each, oracle.reasons(store, each, NOON)) for each in requests]
    actual = [(each, engine.reasons(store, each, NOON)) for each in requests]
    store.close()

    assert expected == actual


@pytest.mark.parametrize(
    "path", sorted((ROOT / "scenarios").glob("*.yaml")), ids=lambda path: path.stem
)
def test_engines_agree_on_a_scenario(oracle: Oracle, engine: CompiledEngine, path: Path) -> None:
    """Both decide every question of a scenario alike, with the same reasons."""
    scenario = load_scenario(path, ROOT / "fixtures")
    store = storage.build_fixture_store(
        ROOT / "fixtures" / f"{scenario.fixture}.yaml", portal.DOMAIN
    )
    now = scenario.at or NOON
    deciders = [
        assembly.build_decider(each, portal.DOMAIN, store, lambda: now) for each in (oracle, engine)
    ]
    requests = [
        Request(
            inquiry.subject,
            inquiry.expected.action,
            inquiry.resource,
            read_given(portal.DOMAIN.schema, {"channel": inquiry.channel}, {}),
        )
        for inquiry in scenario.inquiries
    ]
    expected, actual = [
        [(each, decider.check(each).reasons) for each in requests] for decider in deciders
    ]
    store.close()

    assert expected == actual


@pytest.mark.parametrize(
    "path", sorted((ROOT / "scenarios" / "flows").glob("*.yaml")), ids=lambda path: path.stem
)
def test_engines_agree_on_a_flow(path: Path) -> None:
    """Both decide every step of a story alike, and all that is asked in between."""
    require_reference()
    settings = Settings(policies=ROOT / "policies", fixtures=ROOT / "fixtures", engine="both")
    outcomes = Runner(settings).run(load_scenario(path, settings.fixtures))

    assert [] == [(str(each.item), each.given) for each in outcomes if not each.passed]


def test_engines_agree_on_the_words_of_reasons(oracle: Oracle, engine: CompiledEngine) -> None:
    """Both find the same messages in the policies."""
    assert oracle.find_messages() == engine.find_messages()
