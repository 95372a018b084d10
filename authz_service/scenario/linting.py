"""What is wrong with policies, fixtures and scenarios, told without deciding anything by them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from authz_service import assembly
from authz_service.document import Mapping, find_files, load_document, locate
from authz_service.errors import (
    DocumentError,
    Fault,
    FixtureError,
    Place,
    PolicyError,
    ScenarioError,
    quote,
    suggest,
)
from authz_service.polar.checker import Findings
from authz_service.policy.idle import find_idle_rules
from authz_service.policy.source import load_policies
from authz_service.scenario.case import load_scenario
from authz_service.scenario.checking import check_scenario
from authz_service.scenario.command import Commands
from authz_service.scenario.equipment import Equipment
from authz_service.scenario.fixtures import FixtureStores
from authz_service.scenario.key_order import KeyOrder
from authz_service.scenario.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from authz_service.policy.compiled import CompiledEngine
    from authz_service.scenario.case import Scenario
    from authz_service.settings import Settings
    from authz_service.store.domain import Domain


@dataclass
class Targets:
    """What is looked at.

    Arguments:
        policies: folders of policies, each with the files of which something is told; None for
            all of them.
        fixtures: files, of which each is loaded by itself, as for a scenario.
        scenarios: files.
        are_complete: whether these are all fixtures and scenarios that there are.
    """

    policies: dict[Path, set[str] | None] = field(default_factory=dict)
    fixtures: list[Path] = field(default_factory=list)
    scenarios: list[Path] = field(default_factory=list)
    are_complete: bool = False


def find_all_targets(settings: Settings) -> Targets:
    """Find everything in the folders of the settings; only the policies must be there."""
    targets = Targets({settings.policies: None})
    if settings.fixtures.is_dir():
        targets.fixtures += sorted(settings.fixtures.glob("*.yaml"))
    if settings.scenarios.is_dir():
        targets.scenarios += sorted(settings.scenarios.rglob("*.yaml"))
    targets.are_complete = bool(targets.scenarios)
    return targets


def find_targets(settings: Settings, paths: Iterable[Path]) -> Targets:
    """Find what some paths stand for: of a folder, the policies in it, and the YAML files below.

    A YAML file is a fixture when it lies in the folder of fixtures, or has no key of a scenario.

    Raises:
        DocumentError: for a path that does not exist, and one with nothing to look at.
    """
    targets, faults = Targets(), list[Fault]()
    fixtures, order = settings.fixtures.resolve(), KeyOrder()
    for path in paths:
        documents: list[Path] = []
        if path.suffix == ".polar" and path.is_file():
            names = targets.policies.setdefault(path.parent, set())
            if names is not None:
                names.add(f"{path.parent}/{path.name}")  # as policy sets call their files
        elif path.is_dir() and any(path.glob("*.polar")):
            targets.policies[path] = None
            documents = sorted(path.rglob("*.yaml"))
        else:
            try:
                documents = find_files([path], below=True)
            except DocumentError as error:
                faults += error.faults
        for each in documents:
            is_fixture = each.resolve().parent == fixtures or not _is_scenario(each, order)
            (targets.fixtures if is_fixture else targets.scenarios).append(each)
    if faults:
        raise DocumentError(faults)
    return targets


def lint(targets: Targets, settings: Settings, domain: Domain) -> Findings:
    """Find all that is wrong, and what is odd; each thing is told once.

    Raises:
        PolicyError: when a folder holds no policies.
    """
    linter = _Linter(settings, domain)
    for folder, names in targets.policies.items():
        linter.lint_policies(folder, names)
    for path in targets.fixtures:
        linter.lint_fixture(path)
    used = [linter.lint_scenario(path) for path in targets.scenarios]
    # what cannot be read may use any of them
    if targets.are_complete and None not in used:
        for path in targets.fixtures:
            if path.stem not in used:
                message = "no scenario uses this fixture"
                linter.warnings.add(Fault(Place(str(path), 1), "unused_fixture", message))
    return Findings(tuple(sorted(linter.errors)), tuple(sorted(linter.warnings)))


class _Linter:
    """Looks at one thing after the other.

    Attributes:
        errors: what cannot be used.
        warnings: what is only odd.
    """

    def __init__(self, settings: Settings, domain: Domain) -> None:
        self._settings = settings
        self._domain = domain
        self._known = sorted(path.stem for path in settings.fixtures.glob("*.yaml"))
        self._stores = FixtureStores(domain)
        self._engines: dict[Path, CompiledEngine | None] = {}
        self.errors: set[Fault] = set()
        self.warnings: set[Fault] = set()

    @cached_property
    def _equipment(self) -> Equipment | None:
        """What plays scenarios; None where the policies of the settings cannot be used."""
        settings = self._settings
        if settings.policies not in self._engines:
            with suppress(PolicyError):
                engine = assembly.build_compiled(settings, self._domain)
                self._engines[settings.policies] = engine
        compiled = self._engines.get(settings.policies)
        if not compiled:
            return None
        return Equipment(compiled, self._domain, settings, self._stores, Commands(settings))

    def lint_policies(self, folder: Path, names: set[str] | None) -> None:
        """Do what every start does, and more; the reference has its say as well.

        Arguments:
            folder: of the policies.
            names: the files of which something is told; None for all of them.
        """
        policies = load_policies(folder)  # what is not there is not wrong: it cannot be checked
        settings = replace(self._settings, policies=folder)
        warnings: list[Fault] = []
        errors: tuple[Fault, ...] = ()
        try:
            engine = assembly.build_engine(settings, self._domain, warnings.append, policies)
            compiled = assembly.find_compiled(engine, settings, self._domain)
            warnings += find_idle_rules(compiled)
            self._engines[folder] = compiled
        except PolicyError as error:
            errors = error.faults
            self._engines[folder] = None
        self.errors |= {each for each in errors if names is None or each.where.name in names}
        self.warnings |= {each for each in warnings if names is None or each.where.name in names}

    def lint_fixture(self, path: Path) -> None:
        """Load a fixture by itself, as for a scenario."""
        try:
            self._stores.build(path).close()
        except FixtureError as error:
            self.errors |= set(error.faults)

    def lint_scenario(self, path: Path) -> str | None:
        """Read a scenario, and begin it; nothing is asked or done.

        Returns:
            the name of its fixture; None when it cannot be read.
        """
        try:
            scenario = load_scenario(path, self._settings.fixtures)
        except ScenarioError as error:
            self.errors |= set(error.faults)
            return None
        try:
            self._begin(scenario)
        except (FixtureError, ScenarioError) as error:
            self.errors |= set(error.faults)
        return scenario.fixture

    def _begin(self, scenario: Scenario) -> None:
        equipment = self._equipment
        check_scenario(self._domain, scenario, equipment.words if equipment else None)
        if not (self._settings.fixtures / f"{scenario.fixture}.yaml").exists():
            document = load_document(scenario.path)
            place = locate(document, ["fixture"]) if document else Place(str(scenario.path))
            message = f"there is no fixture {quote(scenario.fixture)}"
            nearest = suggest(scenario.fixture, self._known)
            raise ScenarioError.at(place, "unknown_fixture", message + nearest)
        if equipment:
            Session(equipment, scenario).close()


def _is_scenario(path: Path, order: KeyOrder) -> bool:
    """Tell whether a file is a scenario; what cannot be read is told as one."""
    try:
        document = load_document(path)
    except DocumentError:
        return True
    return isinstance(document, Mapping) and order.is_scenario(
        [key.text for key, _ in document.entries]
    )
