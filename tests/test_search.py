"""Searches: what is found is what would be allowed, on both engines and both databases."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import test_domains
from generated_agreement import LONG, build_store, compile_case
from generated_policies import DOMAIN as GENERATED
from generated_policies import NOON, Case, cases  # noqa: TC002  # read by Hypothesis
from hypothesis import HealthCheck, given, settings
from reference import load_oracle

from authz_service import assembly
from authz_service.policy.clauses import RESOURCE, SUBJECT
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.request import Page, Request, Said, build_request  # a type of ours
from authz_service.policy.source import load_policies
from authz_service.portal import DOMAIN as PORTAL
from authz_service.store.database import open_store
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz_service.policy.engine import Engine
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain

ROOT: Final = Path(__file__).parent.parent
FIXTURES: Final = sorted((ROOT / "fixtures").glob("*.yaml"))

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
    assembly.create_store(store, PORTAL, [fixture])
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
    store = assembly.build_fixture_store(fixture, PORTAL)
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
    store = assembly.build_fixture_store(small.fixture, small.domain)
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
