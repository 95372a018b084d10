"""Runs scenarios: puts their questions and takes their steps, each scenario for itself."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from authz_service import assembly, storage
from authz_service.policy.observed import Observed
from authz_service.scenario.case import load_scenario
from authz_service.scenario.checking import check_scenario
from authz_service.scenario.command import Commands
from authz_service.scenario.equipment import Equipment
from authz_service.scenario.fixtures import FixtureStores
from authz_service.scenario.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from authz_service.errors import Fault
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.engine import Engine
    from authz_service.policy.observed import Observer
    from authz_service.policy.source import PolicySet
    from authz_service.scenario.case import Scenario
    from authz_service.scenario.outcome import ListingOutcome, Outcome, StepOutcome
    from authz_service.settings import Settings
    from authz_service.store.domain import Domain

# A busy test machine is no fault of a policy.
_LONGEST_MILLISECONDS: Final = 60_000


class Runner:
    """Runs scenarios: the policies are loaded once, each scenario gets a store of its own.

    Arguments:
        settings: which policies, domain and fixtures.
        warn: is told what is odd about the policies.
        engine: decides, where it is built already.
        policies: others than those of the settings; None for those.

    Raises:
        AuthzError: when the policies or the domain cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        warn: Callable[[Fault], None] = assembly.ignore,
        engine: Engine | None = None,
        policies: PolicySet | None = None,
    ) -> None:
        limit = max(settings.time_limit, _LONGEST_MILLISECONDS)
        settings = replace(settings, time_limit=limit)
        domain = storage.find_domain(settings.domain)
        engine = engine or assembly.build_engine(settings, domain, warn, policies)
        stores = FixtureStores(domain)
        self._equipment = Equipment(engine, domain, settings, stores, Commands(settings))

    @property
    def domain(self) -> Domain:
        """What the scenarios are about."""
        return self._equipment.domain

    @property
    def compiled(self) -> CompiledEngine:
        """The policies, compiled, whichever engine decides."""
        return self._equipment.compiled

    def observe(self, observer: Observer) -> None:
        """Have somebody told of each question from now on, and of each decision in a step."""
        engine = Observed(self._equipment.engine, observer)
        self._equipment = replace(self._equipment, engine=engine)

    def load(self, path: Path) -> Scenario:
        """Read a scenario file, about the fixtures of the settings.

        Raises:
            ScenarioError: with every fault of the file.
        """
        return load_scenario(path, self._equipment.settings.fixtures)

    @contextmanager
    def open(self, scenario: Scenario) -> Iterator[Session]:
        """Begin a scenario, on a store with its fixture, at its time.

        Raises:
            FixtureError: when the fixture, or what the scenario adds to it, cannot be loaded.
            ScenarioError: when the domain, the policies or the fixture do not have what the
                scenario says.
        """
        check_scenario(self._equipment.domain, scenario, self._equipment.words)
        session = Session(self._equipment, scenario)
        try:
            yield session
        finally:
            session.close()

    def run(self, scenario: Scenario) -> list[Outcome | ListingOutcome | StepOutcome]:
        """Put all questions of a scenario and take all its steps, in the order of the file.

        Raises:
            FixtureError: when the fixture cannot be loaded.
            ScenarioError: as above, and when a step cannot be taken as the file has it.
        """
        with self.open(scenario) as session:
            return [session.put(position) for position in range(len(scenario.items))]

    def close(self) -> None:
        """Let go of what the fixtures hold."""
        self._equipment.stores.close()

    def forget(self, fixture: Path) -> None:
        """Forget what the file of a fixture holds, for it has changed."""
        self._equipment.stores.forget(fixture)
