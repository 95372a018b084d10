"""The impact of a change: exactly those whose answers differ, however they would ask."""

from __future__ import annotations

from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from generated_agreement import build_store, compile_case, read_policy_set
from generated_policies import DOMAIN as GENERATED
from generated_policies import NOON, Case, cases, policies  # read by Hypothesis
from hypothesis import HealthCheck, given, settings
from test_search import PEOPLE_AND_RECORDS, user
from turned import LONG, Change, ask_all, compare, find_effects, list_allowed, list_turned

from authz_service import storage
from authz_service.errors import EvaluationTimeoutError, RequestError
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.effect import Direction, Ground
from authz_service.policy.folding import find_values
from authz_service.policy.impact import Impact, Terms, find_relation
from authz_service.policy.request import read_given
from authz_service.policy.source import PolicyFile, build_policy_set, load_policies
from authz_service.portal import DOMAIN as PORTAL
from authz_service.store.database import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz_service.policy.effect import Effect
    from authz_service.policy.plan import Key
    from authz_service.store.database import Store

ROOT: Final = Path(__file__).parent.parent
FIXTURES: Final = sorted((ROOT / "fixtures").glob("*.yaml"))
POLICIES: Final = load_policies(ROOT / "policies")
READ: Final = ("user", "read", "record")
# Of letters nobody knows which there are.
STORED: Final = (READ, ("user", "write", "record"), ("user", "open", "folder"))
NOTHING_SAID: Final = read_given(GENERATED.schema, {}, {})

# Edits of our policies: a file, what stands there, and what takes its place.
EDITS: Final = {
    "an access owner administers no longer": (
        "roles.polar",
        'in ["administrator", "access_owner"];\n\nowns',
        'in ["administrator"];\n\nowns',
    ),
    "users see the bills": (
        "subscriptions.polar",
        "administers(person, subscription.customer)",
        "member(person, subscription.customer)",
    ),
    "holders of anything see its usage": (
        "subscriptions.polar",
        'mobile: Subscription{kind: "mobile"}',
        "mobile: Subscription",
    ),
    "who holds nothing has no usage to see": (
        "subscriptions.polar",
        "mobile.holder = person;",
        "mobile.holder != person;",
    ),
    "anybody asks for access": (
        "delegate_requests.polar",
        "customer: Customer) if\n    not administers(person, customer);",
        "_customer: Customer) if\n    person = person;",
    ),
    "members ask for access": (
        "delegate_requests.polar",
        "    not administers(person, customer);",
        "    member(person, customer);",
    ),
    "residential customers are asked": (
        "delegate_requests.polar",
        '_customer: Customer{kind: "residential"});',
        '_customer: Customer{kind: "business"});',
    ),
    "nobody has to approve": (
        "delegate_requests.polar",
        "    not has_access_owner(customer);",
        "    not has_administrator(customer);",
    ),
    "bills are seen by any channel": ("channels.polar", '        "view_bills",\n', ""),
    "bills are seen on the web only": (
        "channels.polar",
        "# GS: following up",
        'only_on_web("view_bills", _subscription: Subscription);\n# GS: following up',
    ),
    "a channel more": ("channels.polar", 'in ["web", "app"];', 'in ["web", "app", "shop"];'),
    "the excluded become administrators": (
        "administration.polar",
        "    excluded_from_administration(request.subject, customer);",
        "    not excluded_from_administration(request.subject, customer);",
    ),
    "delegates approve": (
        "delegate_requests.polar",
        "    owns_access(person, delegate_request.customer);",
        "    delegate(person, delegate_request.customer);",
    ),
    "delegates pass on": (
        "delegation.polar",
        "    delegate(request.subject, delegate_request.customer);",
        "    not delegate(request.subject, delegate_request.customer);",
    ),
    "every operator confirms at once": (
        "access_owner_registration.polar",
        '("confirm", "agreement_signed")',
        '("confirm", "submitted")',
    ),
}


@cache
def compile_portal(edit: tuple[str, str, str] | None = None) -> CompiledEngine:
    """Compile our policies, with an edit or as they are."""
    files = {each.name: each.text for each in POLICIES.files}
    if edit:
        name, before, after = edit
        assert before in files[name]
        files[name] = files[name].replace(before, after, 1)
    edited = build_policy_set("edited", [PolicyFile(*each) for each in files.items()])
    return CompiledEngine(edited, PORTAL, LONG)


def compile_texts(*texts: str) -> Change:
    """Compile two policies about the made-up records."""
    first, second = (CompiledEngine(read_policy_set(each), GENERATED, LONG) for each in texts)
    return Change(first, second, GENERATED)


def compile_conditions(old: str, new: str) -> Change:
    """Compile two policies, each of which permits reading on a condition."""
    head = (
        'allow(request: Request, "read", record: Record) if request = request and record = record'
    )
    return compile_texts(f"{head} and {old};", f"{head} and {new};")


@pytest.fixture
def records(url: str) -> Iterator[Store]:
    """Three people and their records, in either database."""
    store = open_store(url, GENERATED)
    with store.transaction():
        store.create_tables()
        for row in PEOPLE_AND_RECORDS:
            store.insert(row)
    yield store
    store.close()


def find(change: Change, store: Store, **said: Any) -> list[Effect]:
    """Find the effects of a change on reading."""
    return find_effects(change, store, READ, said, NOON)


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_the_impact_on_the_portal_is_what_asking_everything_finds(fixture: Path, url: str) -> None:
    """For every edit of our policies, every question, every channel, back and forth."""
    store = open_store(url, PORTAL)
    storage.create_store(store, PORTAL, [fixture])
    original, wrong = compile_portal(), []
    before: dict[tuple[Key, str | None], set[tuple[str, str]]] = {}
    for name, edit in EDITS.items():
        edited = compile_portal(edit)
        there, back = Change(original, edited, PORTAL), Change(edited, original, PORTAL)
        for key in _find_changed(there):
            ways = _find_ways(there, key)
            ways.pop("applications", None)
            effects = [find_effects(each, store, key, {}, NOON) for each in (there, back)]
            for channel in (None, "web", "app", "shop", "post"):
                given = read_given(PORTAL.schema, {"channel": channel}, {})
                if (key, channel) not in before:
                    before[key, channel] = list_allowed(original, store, key, given, NOON)
                answers = before[key, channel], list_allowed(edited, store, key, given, NOON)
                wanted = [sorted(compare(*each)) for each in (answers, answers[::-1])]
                found = [sorted(list_turned(_choose(each, given, ways))) for each in effects]
                if found != wanted:
                    wrong.append((name, key, channel, found, wanted))
    store.close()

    assert [] == wrong


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_every_edit_is_a_change(edit: tuple[str, str, str]) -> None:
    """So that each is something to be found."""
    assert _find_changed(Change(compile_portal(), compile_portal(edit), PORTAL))


def _find_changed(change: Change) -> list[Key]:
    old, new, _ = change
    return [key for key in old.keys if find_relation(old, key) != find_relation(new, key)]


def _find_ways(change: Change, key: Key) -> dict[str, tuple[Any, ...]]:
    """Find what is tried."""
    return find_values(
        clause for each in change[:2] for part in find_relation(each, key) for clause in part
    )


def _choose(
    effects: list[Effect], given: Mapping[str, Any], ways: Mapping[str, tuple[Any, ...]]
) -> list[Effect]:
    """Choose the effects on those who say some things."""
    wanted = " and ".join(_describe(name, given[name], tried) for name, tried in ways.items())
    return [each for each in effects if not each.circumstances or wanted in each.circumstances]


def _describe(name: str, value: Any, tried: tuple[Any, ...]) -> str:
    if value is None:
        return f"no {name}"
    return f"{name} {str(value).lower()}" if value in tried else f"any other {name}"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(), policies())
def test_the_impact_of_made_up_policies_is_what_asking_everything_finds(
    case: Case, text: str
) -> None:
    """Whatever is made up, one policy turned into another: nobody is missing, nobody is too much.

    The channel and a flag are tried by the impact itself; the rest is said.
    """
    change = Change(compile_case(case)[0], compile_case(Case(text, case.rows, ()))[0], GENERATED)
    store = build_store(case)
    wrong = []
    try:
        given = read_given(GENERATED.schema, case.said[0].context, case.said[0].action)
        said = {name: given[name] for name in ("copies", "parts")}
        for key in STORED:
            ways = {
                name: tried for name, tried in _find_ways(change, key).items() if name not in said
            }
            if () in ways.values():  # it is not tried, and nothing is said
                continue
            effects = find_effects(change, store, key, said, NOON)
            for channel, soft in product((None, "a", "b", "web", "else"), (None, False, True)):
                asked = {**given, "channel": channel, "soft": soft}
                wanted = ask_all(change, store, key, asked, NOON)
                found = list_turned(_choose(effects, asked, ways))
                if sorted(found) != sorted(wanted):
                    wrong.append((key, channel, soft, found, wanted))
    finally:
        store.close()

    assert [] == wrong, f"{case.policy}\n\n{text}"


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(), policies())
def test_the_impact_is_exact_where_everything_is_said(case: Case, text: str) -> None:
    """Values that are compared with columns are bound, as in a check."""
    change = Change(compile_case(case)[0], compile_case(Case(text, case.rows, ()))[0], GENERATED)
    given = read_given(GENERATED.schema, case.said[0].context, case.said[0].action)
    store = build_store(case)
    try:
        found = {
            key: sorted(list_turned(find_effects(change, store, key, given, NOON)))
            for key in STORED
        }
        wanted = {key: sorted(ask_all(change, store, key, given, NOON)) for key in found}
    finally:
        store.close()

    assert wanted == found


CONDITIONS: Final = (
    "request.subject.name = request.subject.name",
    "record.owner = request.subject",
    "not record.owner = request.subject",
    "not request.subject in record.readers",
    "not (record.owner = request.subject and request.subject in record.readers)",
    'record.status = "active" and not request.subject in record.readers',
    "record.owner = nil",
    "record.title = request.subject.name",
    "request.subject.manager = record.owner.manager",
    "not (record.owner.manager = request.subject and record.owner in record.readers)",
    "record.title < request.subject.name",
    "not (record.title < request.subject.name and request.subject.manager = nil)",
    "_one in request.subject.reports",
    "forall(one in record.readers, one = request.subject)",
    "not (not request.subject in record.readers and not record.owner = request.subject)",
    "record.created < request.now",
)


@pytest.mark.parametrize("old", CONDITIONS)
def test_every_condition_can_take_the_place_of_every_other(old: str, records: Store) -> None:
    """Linked or a product, unbound, nullable or neither: the pairs are those that differ."""
    wrong = []
    for new in CONDITIONS:
        change = compile_conditions(old, new)
        wanted = ask_all(change, records, READ, NOTHING_SAID, NOON)
        found = list_turned(find(change, records))
        if sorted(found) != sorted(wanted):
            wrong.append((new, found, wanted))

    assert [] == wrong


def test_what_both_policies_say_concerns_nobody(records: Store) -> None:
    """The same rules in another order, with other names, are no difference."""
    first = 'permit(_: User, "read", record: Record) if record.secret = true;'
    second = 'permit(user: User, "read", record: Record) if record.owner = user;'
    allow = """
    allow(request: Request, action: String, resource) if
        permit(request.subject, action, resource) and
        not forbid(_reason, request, action, resource);
    forbid("late", request: Request, "read", _: Record) if request.channel = "web";
    """
    renamed = second.replace("user", "someone")

    assert [] == find(compile_texts(allow + first + second, allow + renamed + first), records)


def test_each_ground_names_its_rule(records: Store) -> None:
    """A permit that came or went, a forbid that came or went, each with file and line."""
    allow = (
        "allow(request: Request, action: String, resource) if"
        " permit(request.subject, action, resource) and"
        " not forbid(_reason, request, action, resource);\n"
    )
    bob = 'permit(user: User{role: "member"}, "read", record: Record) if record.owner = user;\n'
    reader = 'permit(user: User, "read", record: Record) if user in record.readers;\n'
    closed = 'forbid("closed", _: Request, "read", _: Record{title: "cid"});\n'
    other = 'forbid("other", _: Request, "read", _: Record{title: "bob"});\n'
    change = compile_texts(allow + bob + closed, allow + reader + other)
    found = {
        (each.cause.ground, each.cause.rule): [
            f"{one.subject} {one.resource}" for one in each.examples
        ]
        for each in find(change, records)
    }

    assert {
        (Ground.NOT_FORBIDDEN, "forbid policies/generated.polar:3"): [
            "ann r1",
            "bob r1",
            "bob r2",
        ],
        (Ground.PERMITTED, "permit policies/generated.polar:2"): ["ann ann"],
        (Ground.NOT_PERMITTED, "permit policies/generated.polar:2"): ["bob ann", "cid r4"],
    } == found


def test_whoever_gains_by_several_rules_is_counted_once(records: Store) -> None:
    """By the first of them, in the order of the policy."""
    permit = 'allow(request: Request, "read", record: Record) if '
    change = compile_texts(
        'allow(_: Request, "write", _: Record);',
        f"{permit}record.owner = request.subject;\n{permit}request.subject in record.readers;\n",
    )
    first, second = find(change, records)

    assert ["bob ann", "bob r1", "ann r2", "cid r4"] == sorted(
        (f"{each.subject} {each.resource}" for each in first.examples), key=lambda word: word[4:]
    )
    assert ("bob", "r1") not in [(each.subject, each.resource) for each in second.examples]


def test_a_rule_is_told_once(records: Store) -> None:
    """However many ways it has to hold."""
    change = compile_conditions(
        "false = true", "(record.owner = request.subject or request.subject in record.readers)"
    )

    assert [4 + 7 - 1] == [each.count for each in find(change, records)]


def test_a_product_is_counted_and_not_gone_through(records: Store) -> None:
    """Three people and five records, less the readers: some are listed, all are counted."""
    change = compile_conditions("false = true", "not request.subject in record.readers")
    terms = Terms({}, NOON, 2, lambda: LONG)
    [effect] = Impact(*change, records, terms).find_effects(READ)

    assert (15 - 7, True, 2) == (effect.count, effect.is_exact, len(effect.examples))


def test_what_cannot_be_counted_is_counted_up_to_a_bound(records: Store) -> None:
    """Where an order is all that links people and records, it says that there are more."""
    change = compile_conditions("false = true", "record.title >= request.subject.name")
    bounded, whole = (
        list(Impact(*change, records, terms).find_effects(READ))
        for terms in (Terms({}, NOON, 9, lambda: LONG, most) for most in (3, 5))
    )

    assert [(3, False)] == [(each.count, each.is_exact) for each in bounded]
    assert [(5, True)] == [(each.count, each.is_exact) for each in whole]


def test_channels_that_make_no_difference_are_told_together(records: Store) -> None:
    """One effect, with each way to ask in which it is so."""
    change = compile_conditions(
        'request.channel = "web" and record.owner = request.subject',
        'request.channel in ["web", "app", nil] and record.owner = request.subject',
    )
    [effect] = find(change, records)

    assert ("no channel", "channel app") == effect.circumstances
    assert Direction.ALLOWED is effect.cause.direction


def test_what_is_said_is_not_tried(records: Store) -> None:
    """With a channel given, it is asked by that channel only."""
    change = compile_conditions(
        'request.channel = "web" and record.owner = request.subject',
        "record.owner = request.subject",
    )

    assert [] == find(change, records, channel="web")
    assert [()] == [each.circumstances for each in find(change, records, channel="app")]
    assert [()] == [each.circumstances for each in find(change, records, channel=None)]


def test_true_and_false_are_tried(records: Store) -> None:
    """A flag has two values, or none is said; also where it is compared with a column."""
    change = compile_conditions("false = true", "record.secret = request.soft")

    assert ["no soft"] == [word for each in find(change, records) for word in each.circumstances]


def test_what_is_supplied_counts_as_stored(records: Store) -> None:
    """Nobody supplies an attribute, so that of the row counts."""
    change = compile_conditions('record.status = "archived"', 'record.status = "active"')

    assert 15 == sum(each.count for each in find(change, records))


def test_what_is_assumed_is_told(records: Store) -> None:
    """Of what cannot be tried nothing is said, and the note says how to say something."""
    change = compile_conditions("false = true", "record.title in request.parts")
    keys = change.old.keys
    silent, said = (
        Impact(*change, records, Terms(each, NOON, 9, lambda: LONG))
        for each in ({}, {"parts": ["cid"]})
    )
    [note] = silent.find_notes(keys)

    assert "say it with --with action.parts=VALUE" in note
    assert [] == list(silent.find_effects(READ))
    assert [] == said.find_notes(keys)
    assert [6] == [each.count for each in said.find_effects(READ)]


def test_what_is_not_stored_is_told() -> None:
    """Nobody knows which letters there are; where both say the same of them, that is no matter."""
    send = 'allow(_: Request, "send", letter: Letter) if letter.size = 1;'
    change = compile_texts(send, send.replace("1", "2"))
    store = open_store("sqlite:///:memory:", GENERATED)
    terms = Terms({}, NOON, 9, lambda: LONG)
    changed = Impact(*change, store, terms)
    same = Impact(change.old, change.old, GENERATED, store, terms)
    [note] = changed.find_notes(change.old.keys)

    assert [] == list(changed.find_effects(("user", "send", "letter")))
    assert "`send` by a user on a letter is not looked at: a letter is not stored" in note
    assert [] == same.find_notes(change.old.keys)


def test_too_many_ways_to_ask_are_refused(records: Store) -> None:
    """It says what can be said, so that not all of it is tried."""
    words = ", ".join(f'"w{number}"' for number in range(2_000))
    change = compile_conditions("false = true", f"request.channel in [{words}]")

    with pytest.raises(RequestError, match=r"2,002 ways to ask for `read`.*`channel`.*--with"):
        find(change, records)


def test_an_impact_ends_with_its_time(records: Store) -> None:
    """A statement that takes longer is given up."""
    condition = (
        "first in request.subject.reports and second in request.subject.reports and"
        " third in request.subject.reports and first.name = second.role and third.name = record.id"
    )
    change = compile_conditions("false = true", condition)
    with records.transaction():
        for number in range(300):
            records.insert(user(f"u{number}", "nobody", "ann"))
    terms = Terms({}, NOON, 9, lambda: 1)

    with pytest.raises(EvaluationTimeoutError):
        list(Impact(*change, records, terms).find_effects(READ))
