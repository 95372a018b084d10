"""Searches: what is found is what would be allowed, on both engines and both databases."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import test_domains
from generated_agreement import LONG, build_store, compile_case, read_policy_set
from generated_policies import DOMAIN as GENERATED
from generated_policies import NOON, Case, cases  # noqa: TC002  # read by Hypothesis
from hypothesis import HealthCheck, given, settings
from reference import load_oracle

from authz_service import storage
from authz_service.policy.clauses import RESOURCE, SUBJECT
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.request import Page, Request, Said, build_request  # a type of ours
from authz_service.policy.source import load_policies
from authz_service.portal import DOMAIN as PORTAL
from authz_service.store.database import open_store
from authz_service.store.entity import Reference, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz_service.policy.engine import Engine
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain

ROOT: Final = Path(__file__).parent.parent
FIXTURES: Final = sorted((ROOT / "fixtures").glob("*.yaml"))


def user(key: str, name: str, manager: str | None) -> Row:
    """Make somebody."""
    return Row(Reference("user", key), {"name": name, "role": "member", "manager": manager})


def record(key: str, title: str | None, owner: str | None, readers: tuple[str, ...]) -> Row:
    """Make a record in the one folder."""
    values = {"status": "active", "folder": "f", "owner": owner, "title": title, "readers": readers}
    return Row(Reference("record", key), values)


# Three people, of whom one manages the others, and records that they have to do with.
PEOPLE_AND_RECORDS: Final = (
    user("ann", "bob", None),
    user("bob", "r1", "ann"),
    user("cid", "cid", "ann"),
    Row(Reference("folder", "f"), {"keeper": "bob", "is_open": True}),
    record("ann", "ann", "bob", ("ann",)),
    record("r1", "cid", "bob", ("ann", "bob")),
    record("r2", "cid", "ann", ("bob",)),
    record("r3", "bob", None, ("ann", "bob", "cid")),
    record("r4", None, "cid", ()),
)

# What is open, and the request in which it is.
Search = tuple[str, Request]


def walk(engine: Engine, store: Store, search: Search, limit: int) -> list[str]:
    """Go through all pages of a search."""
    searched, request = search
    found: list[str] = []
    while True:
        after = found[-1] if found else ""
        page = engine.search(store, request, searched, Page(after, limit, LONG), NOON)
        assert len(page) <= limit
        found += page
        if len(page) < limit:
            return found


def kind_of(search: Search) -> str:
    """Tell what type of entity is looked for."""
    searched, request = search
    return request.subject.type if searched == SUBJECT else request.resource.type


def list_ids(store: Store, domain: Domain) -> dict[str, list[str]]:
    """List the ids of all that is stored, by type."""
    return {kind: list(store.find_ids(kind)) for kind in domain.schema.types}


def searches(ids: dict[str, list[str]], domain: Domain, said: Said) -> Iterator[Search]:
    """Leave the subject open, then the resource, of everything that can be asked."""
    for kind, actions in domain.actions.items():
        for action, subject in product(actions, sorted(domain.subjects)):
            for each in ids[kind]:
                asked = Reference(subject, ""), action, Reference(kind, each)
                yield SUBJECT, build_request(domain.schema, *asked, said)
            for each in ids[subject]:
                asked = Reference(subject, each), action, Reference(kind, "")
                yield RESOURCE, build_request(domain.schema, *asked, said)


def find_allowed(engine: Engine, store: Store, search: Search, ids: Sequence[str]) -> list[str]:
    """Check one by one who, or what, would be allowed."""
    searched, request = search
    asked = [request.fill_in(searched, each) for each in ids]
    decided = engine.reasons_many(store, asked, NOON)
    return [each for each, reasons in zip(ids, decided, strict=True) if not reasons]


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_searches_of_the_portal_find_what_is_allowed(fixture: Path, url: str) -> None:
    """Every search over a whole fixture, in pages of three, finds what checks allow and no more."""
    store = open_store(url, PORTAL)
    storage.create_store(store, PORTAL, [fixture])
    engine = CompiledEngine(load_policies(ROOT / "policies"), PORTAL, LONG)
    ids = list_ids(store, PORTAL)
    wrong = []
    for channel in ("web", "app", None):
        for search in searches(ids, PORTAL, Said(context={"channel": channel})):
            allowed = find_allowed(engine, store, search, ids[kind_of(search)])
            found = walk(engine, store, search, 3)
            if found != allowed:
                wrong.append((search, found, allowed))
    store.close()

    assert [] == wrong


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_the_reference_allows_what_is_found_in_the_portal(fixture: Path) -> None:
    """Each result is an allow of oso too, and everything that is left out a denial."""
    policies = load_policies(ROOT / "policies")
    oracle = load_oracle(policies, PORTAL)
    store = storage.build_fixture_store(fixture, PORTAL)
    engine = CompiledEngine(policies, PORTAL, LONG)
    ids = list_ids(store, PORTAL)
    said = Said(context={"channel": "web"})
    wrong = [
        (search, found, allowed)
        for search in searches(ids, PORTAL, said)
        if search[0] == RESOURCE  # leaving the subject open asks the same questions again
        for found in [walk(engine, store, search, 100)]
        for allowed in [find_allowed(oracle, store, search, ids[kind_of(search)])]
        if found != allowed
    ]
    store.close()

    assert [] == wrong


@pytest.mark.parametrize("name", test_domains.NAMES)
def test_searches_of_small_domains_find_what_is_allowed(name: str) -> None:
    """The same for other people's Polar, where the reference looks for itself."""
    small = test_domains.load(name)
    store = storage.build_fixture_store(small.fixture, small.domain)
    engine = test_domains.compile_policies(name)
    oracle = load_oracle(small.policies, small.domain)
    ids = list_ids(store, small.domain)
    wrong = []
    for said in small.said:
        for search in searches(ids, small.domain, said):
            found = walk(engine, store, search, 2)
            if found != walk(oracle, store, search, 100):
                wrong.append((search, found))
    store.close()

    assert [] == wrong


@pytest.mark.parametrize(
    "condition",
    [
        "request.subject.id = record.title",
        "request.subject.id = record.id or record.id = request.subject.name",
        "record.id in request.parts",
        "record.id in [request.subject.name, record.title]",
        "part in request.parts and part = record.title",
        "request.subject in record.readers",
        "record in request.subject.records",
        "record.owner in request.subject.reports",
        "boss in record.readers and request.subject.manager = boss",
        "other in request.subject.records and other.title = record.title",
        "other in request.subject.reports and other in record.readers and other = record.owner",
        "record.owner = record.folder.keeper and record.folder.keeper = request.subject",
        "not (one in record.readers and one != request.subject)",
        "_one in request.subject.reports",
        "request.subject.name = record.owner.manager.name",
    ],
)
def test_every_way_to_an_id_is_found(condition: str, url: str) -> None:
    """Whatever leads from the one to the other, a search goes along it, in either database."""
    policy = f'allow(request: Request, "read", record: Record) if {condition};'
    engine = CompiledEngine(read_policy_set(policy), GENERATED, LONG)
    store = open_store(url, GENERATED)
    with store.transaction():
        store.create_tables()
        for row in PEOPLE_AND_RECORDS:
            store.insert(row)
    ids = list_ids(store, GENERATED)
    said = Said(action={"parts": ["bob", "r2", "r3"]})
    read = [each for each in searches(ids, GENERATED, said) if each[1].action == "read"]
    found = [walk(engine, store, each, 2) for each in read]
    allowed = [find_allowed(engine, store, each, ids[kind_of(each)]) for each in read]
    store.close()

    assert allowed == found
    assert any(found)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_searches_of_made_up_policies_find_what_is_allowed(case: Case) -> None:
    """Whatever is made up: who and what is found, is allowed by the reference, and the rest not."""
    engine, policies = compile_case(case)
    oracle = load_oracle(policies, GENERATED, LONG)
    store = build_store(case)
    wrong = []
    try:
        ids = list_ids(store, GENERATED)
        for said in case.said:
            for search in searches(ids, GENERATED, said):
                found = walk(engine, store, search, 1)
                if found != walk(oracle, store, search, 100):
                    wrong.append((search, found))
    finally:
        store.close()

    assert [] == wrong, case.policy
