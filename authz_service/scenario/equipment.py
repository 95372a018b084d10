"""What all scenarios of a runner share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from authz_service import assembly
from authz_service.scenario.policy_words import PolicyWords

if TYPE_CHECKING:
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.engine import Engine
    from authz_service.scenario.command import Commands
    from authz_service.scenario.fixtures import FixtureStores
    from authz_service.settings import Settings
    from authz_service.store.domain import Domain


@dataclass(frozen=True)
class Equipment:
    """What all scenarios of a runner share.

    Arguments:
        engine: decides.
        domain: what the scenarios are about.
        settings: of the runner.
        stores: makes the store with which a scenario begins.
        commands: writes the commands that ask and do the same.
    """

    engine: Engine
    domain: Domain
    settings: Settings
    stores: FixtureStores
    commands: Commands

    @property
    def compiled(self) -> CompiledEngine:
        """The engine whose clauses explain."""
        return assembly.find_compiled(self.engine, self.settings, self.domain)

    @cached_property
    def words(self) -> PolicyWords:
        """What scenarios can say of the policies."""
        return PolicyWords(self.compiled)
