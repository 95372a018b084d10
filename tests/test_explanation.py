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
from performing import ROOT, SETTINGS
from test_policies import STORES, cases

from authz_service import assembly
from authz_service.portal import DOMAIN
from authz_service.scenario.case import find_scenario_files, load_scenario
from authz_service.scenario.command import Commands
from authz_service.scenario.equipment import Equipment
from authz_service.scenario.fixtures import FixtureStores
from authz_service.scenario.session import Session
from authz_service.storage import tell_time
from authz_service.store.database import open_store
from authz_service.store.url import MEMORY

if TYPE_CHECKING:
    from datetime import datetime

    from generated_policies import Case

    from authz_service.decision.explainer import Explainer
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.engine import Finding
    from authz_service.policy.request import Request
    from authz_service.store.database import Store


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


class Explaining:
    """The compiled engine, which explains whatever it is asked.

    Arguments:
        engine: what answers.
    """

    name = "compiled"

    def __init__(self, engine: CompiledEngine) -> None:
        self._engine = engine
        self.policy_digest = engine.policy_digest
        self.policies = engine.policies
        self.find_messages = engine.find_messages
        self.reasons_many = engine.reasons_many
        self.search = engine.search
        self.explained = 0
        self.different: list[Request] = []
        self._judges: dict[Store, Explainer] = {}
        self._now = tell_time()

    def decide(self, store: Store, request: Request, now: datetime) -> Finding:
        """Decide, and hold the explanation against that."""
        self._now = now
        if store not in self._judges:
            decider = assembly.build_decider(self._engine, DOMAIN, store)
            self._judges[store] = assembly.build_explainer(
                self._engine, decider, DOMAIN, store, lambda: self._now
            )
        finding = self._engine.decide(store, request, now)
        decision = finding.reasons
        explanation = self._judges[store].explain(request)
        self.explained += 1
        found = tuple(each.code for each in explanation.decision.reasons)
        told = {each.code for each in explanation.forbidding}
        if any(each.holds for each in explanation.permitting) is False:
            told.add("not_permitted")
        known = not {"unknown_subject", "unknown_resource"} & {*decision}
        if found != decision or (known and told != {*decision}):
            self.different.append(request)
        return finding


def test_every_scenario_is_explained_as_it_is_decided() -> None:
    """An explanation has the decision of a check, and clauses for each of its reasons."""
    engine = Explaining(compiled())
    given = replace(SETTINGS, fixtures=ROOT / "fixtures")
    stores, commands = FixtureStores(DOMAIN), Commands(given)
    equipment = Equipment(engine, DOMAIN, given, stores, commands)  # type: ignore[arg-type]  # nobody asks for all
    for path in find_scenario_files([ROOT / "scenarios"]):
        each = load_scenario(path, ROOT / "fixtures")
        session = Session(equipment, each)
        for position in range(len(each.items)):
            session.put(position)
        session.close()

    assert [] == engine.different
    assert engine.explained > 2_000


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60, derandomize=True)
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
