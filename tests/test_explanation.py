"""Explanations: what they say is so, and what they propose does what they say."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import generated_policies
import pytest
from explained import Judge
from generated_agreement import LONG, build_store, compile_case, read_request
from hypothesis import HealthCheck, given, settings
from performing import SETTINGS
from test_policies import STORES, cases

from authz_service import assembly
from authz_service.portal import DOMAIN
from authz_service.storage import tell_time
from authz_service.store.database import MEMORY, open_store

if TYPE_CHECKING:
    from generated_policies import Case

    from authz_service.policy.compiled import CompiledEngine


@cache
def compiled() -> CompiledEngine:
    """The policies of the portal."""
    return assembly.build_compiled(replace(SETTINGS, time_limit=LONG), DOMAIN)


@pytest.mark.parametrize("seed", range(STORES))
def test_what_is_proposed_in_the_portal_does_what_it_says(seed: int) -> None:
    """Each set of facts turns the answer as it says, no part of it does, and no promise breaks."""
    rows, requests = cases(seed)
    store = open_store(MEMORY, DOMAIN)
    with store.transaction():
        store.create_tables()
        for row in rows:
            store.insert(row)
    judge = Judge(compiled(), store, DOMAIN, tell_time())
    proposed = sum(judge.hold(each) for each in requests)
    store.close()

    assert proposed > 0


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)
@given(generated_policies.cases())
def test_what_is_proposed_under_any_policy_does_what_it_says(case: Case) -> None:
    """The same is so of policies that are made up, whatever they consist of."""
    engine, _ = compile_case(case)
    store = build_store(case)
    judge = Judge(engine, store, generated_policies.DOMAIN, generated_policies.NOON)
    try:
        for each in case.questions:
            judge.hold(read_request(each))
    finally:
        store.close()
