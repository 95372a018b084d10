"""Two policies held against each other: every change of what is answered is found, and no other."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import pytest
import small_domain
from mutants import DIFFERENT, LONG, SAME, change, compare_with_ours, compile_ours
from reference import load_oracle
from small_domain import ALICE, BOB, NOON, REPORT, ask_for

from authz_service import storage
from authz_service.equivalence.comparison import Bounds, Verdict, compare_policies
from authz_service.equivalence.vocabulary import BEGINNING
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import PolicyFile, build_policy_set
from authz_service.portal import DOMAIN
from authz_service.scenario.kept import keep_difference
from authz_service.store.database import open_store
from authz_service.store.entity import Row
from authz_service.store.url import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from authz_service.policy.request import Request
    from authz_service.policy.source import PolicySet
    from authz_service.store.database import Store

# Each says of the same who may read; some of them say the same.
READ: Final = 'allow(request: Request, "read", record: Record) if request matches Request and ({});'
OTHERS: Final = 'allow(_: Request, "write", _: Record);\nallow(_: Request, "delete", _: Record);\n'
RULES: Final = (
    "record.owner = request.subject",
    'record.owner = request.subject and record.status = "active"',
    'record.owner = request.subject and not record.status = "archived"',
    'record.owner = request.subject and request.channel = "web"',
    'record.owner = request.subject and not request.channel in [nil, "app"]',
    "not record.secret = true",
    "record.secret = false or record.secret = nil",
    "request.subject in record.readers",
    "forall(user in record.readers, user = request.subject)",
    "not (user in record.readers and user != request.subject)",
)


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_is_answered_differently_is_found_and_can_be_loaded(name: str, tmp_path: Path) -> None:
    """The store is a fixture, and both policies say of it what the difference says."""
    changed = CompiledEngine(change(*DIFFERENT[name]), DOMAIN, LONG)
    found = compare_with_ours(changed).difference
    assert found is not None
    fixture = tmp_path / "found.yaml"
    fixture.write_text(keep_difference(DOMAIN.schema, found, "old", "new").fixture)
    store = storage.build_fixture_store(fixture, DOMAIN)
    said = [
        each.reasons(store, found.witness.request, BEGINNING) for each in (compile_ours(), changed)
    ]
    store.close()

    assert [found.old, found.new] == said
    assert found.old != found.new


@pytest.mark.parametrize("name", SAME)
def test_what_is_only_said_otherwise_makes_no_difference(name: str) -> None:
    """There is no difference, and nothing was left out."""
    verdict = compare_with_ours(CompiledEngine(change(*SAME[name]), DOMAIN, LONG))

    assert (None, ()) == (verdict.difference, verdict.left_out)


def test_it_is_told_in_how_many_stores_there_is_no_difference() -> None:
    """Two people and two customers, any roles: a question about two customers has 9 to the 4th.

    Of those, the customers' kinds and the promises leave some.
    """
    changed = CompiledEngine(change(*SAME["list negated"]), DOMAIN, LONG)
    verdict = compare_with_ours(changed)

    assert 0 < verdict.same < verdict.questions == 52
    assert 0 < verdict.stores <= verdict.asked


def test_the_same_policies_need_no_store() -> None:
    """Where the conditions are the same, so are the answers."""
    assert Verdict(None, 52, 52, 0, 0) == compare_with_ours(compile_ours())


def test_the_smallest_difference_is_the_one_that_is_told() -> None:
    """What takes an administrator and somebody else has no more than these and their customer."""
    changed = CompiledEngine(change(*DIFFERENT["forbid of fewer"]), DOMAIN, LONG)
    found = compare_with_ours(changed).difference
    assert found is not None
    kinds = sorted(row.reference.type for row in found.witness.rows)

    assert ["customer", "membership", "membership", "person", "person"] == kinds
    assert (("residential_single_administrator",), ()) == (found.old, found.new)


def test_a_difference_of_decisions_comes_before_a_smaller_one_of_reasons() -> None:
    """A channel that is let in shows first where nothing else stands against the question."""
    changed = CompiledEngine(change(*DIFFERENT["channel weakened"]), DOMAIN, LONG)
    found = compare_with_ours(changed).difference
    assert found is not None

    assert (("not_offered_on_channel",), ()) == (found.old, found.new)
    assert "app" == found.witness.request.given["channel"]


def test_only_the_actions_that_are_named_are_compared() -> None:
    """A change elsewhere makes no difference to them."""
    changed = CompiledEngine(change(*DIFFERENT["action dropped"]), DOMAIN, LONG)
    verdicts = [
        compare_policies(compile_ours(), changed, DOMAIN, Bounds(), lambda: 0.0, actions=[each])
        for each in ("view_usage", "activate_free_option")
    ]

    assert [(True, 2), (False, 2)] == [
        (each.difference is None, each.questions) for each in verdicts
    ]


@pytest.mark.parametrize(
    ("bounds", "clock"), [(Bounds(stores=100), [0.0]), (Bounds(), [0.0, 61.0])]
)
def test_what_the_bounds_do_not_allow_is_left_out(bounds: Bounds, clock: list[float]) -> None:
    """Too many stores, or too little time: that is not the same as no difference."""
    changed = CompiledEngine(change(*SAME["list negated"]), DOMAIN, LONG)
    times = itertools.chain(clock, itertools.repeat(clock[-1]))
    verdict = compare_policies(compile_ours(), changed, DOMAIN, bounds, lambda: next(times))

    assert verdict.difference is None
    assert ("person", "access", "application") in verdict.left_out


def test_it_is_told_how_far_it_is() -> None:
    """From nothing to all, never back."""
    shares: list[float] = []
    changed = CompiledEngine(change(*SAME["rule split in two"]), DOMAIN, LONG)
    ours = compile_ours()
    compare_policies(ours, changed, DOMAIN, Bounds(), lambda: 0.0, tell=shares.append)

    assert sorted(shares) == shares
    assert (0, 1) == (shares[0], shares[-1])


def test_what_is_found_is_what_trying_everything_with_the_reference_finds() -> None:
    """Of each two policies, the search finds a difference just where oso does in some store."""
    stores = all_stores()
    answers = {rule: find_all_answers(rule, stores) for rule in RULES}
    for store in stores:
        store.close()
    engines = {rule: CompiledEngine(build_rule(rule), small_domain.DOMAIN, LONG) for rule in RULES}
    pairs = list(itertools.combinations(RULES, 2))
    found = [
        compare_policies(
            engines[old], engines[new], small_domain.DOMAIN, Bounds(), lambda: 0.0
        ).difference
        for old, new in pairs
    ]
    wanted = {(old, new): answers[old] != answers[new] for old, new in pairs}

    assert wanted == {pair: each is not None for pair, each in zip(pairs, found, strict=True)}
    assert {True, False} == set(wanted.values())


def build_rule(rule: str) -> PolicySet:
    """Build a policy that says with one rule who may read."""
    return build_policy_set(
        "policies", [PolicyFile("records.polar", f"{READ.format(rule)}\n{OTHERS}")]
    )


def find_all_answers(rule: str, stores: list[Store]) -> list[tuple[str, ...]]:
    """Ask oso everything on every store."""
    oracle = load_oracle(build_rule(rule), small_domain.DOMAIN)
    return [oracle.reasons(store, each, NOON) for store in stores for each in all_requests()]


def all_requests() -> Iterator[Request]:
    """Ask for either user, by each channel."""
    for subject, channel in itertools.product((ALICE, BOB), (None, "web", "fax")):
        yield ask_for(subject, context={"channel": channel})


def all_stores() -> list[Store]:
    """Make every store of two users and a record that the rules tell apart."""
    stores = []
    for role, manager, owner, (status, secret), readers in itertools.product(
        ("admin", "member"),
        (None, "alice"),
        (None, "alice", "bob"),
        (("active", None), ("active", True), ("archived", False)),
        ((), ("alice",), ("bob",), ("alice", "bob")),
    ):
        store = open_store(MEMORY, small_domain.DOMAIN)
        stores.append(store)
        with store.transaction():
            store.create_tables()
            store.insert(Row(ALICE, {"name": "Alice", "role": role, "manager": None}))
            store.insert(Row(BOB, {"name": "Bob", "role": "member", "manager": manager}))
            known = {"status": status, "owner": owner, "secret": secret, "readers": readers}
            store.insert(Row(REPORT, known))
    return stores
