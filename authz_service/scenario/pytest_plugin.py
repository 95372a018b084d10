"""A pytest plugin: every question and every step of every scenario file is a test item.

Files that end in `.yaml` below a folder named `scenarios` are collected; the ini option
`authz_scenarios` gives the folder other names. The settings are those of the environment, with
relative paths taken from pytest's root folder. The package is imported only when a scenario is
found, since plugins are loaded before anything measures coverage.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.errors import Place
    from authz_service.scenario.case import Scenario
    from authz_service.scenario.runner import Runner
    from authz_service.scenario.session import Session

_RUNNER: pytest.StashKey[Runner] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the ini option."""
    parser.addini(
        "authz_scenarios",
        "names of the folders whose .yaml files are authorization scenarios",
        type="args",
        default=["scenarios"],
    )


def pytest_collect_file(parent: pytest.Collector, file_path: Path) -> ScenarioFile | None:
    """Collect the scenario files."""
    folders = parent.config.getini("authz_scenarios")
    below = PurePath(os.path.relpath(file_path, parent.config.rootpath)).parent.parts
    if file_path.suffix != ".yaml" or not any(folder in below for folder in folders):
        return None
    return ScenarioFile.from_parent(parent, path=file_path)


class ScenarioFile(pytest.File):
    """One scenario file; its questions and steps share one store."""

    runner: Runner
    scenario: Scenario
    under_way: Session

    def collect(self) -> Iterator[ScenarioItem]:
        """Make an item of each question and each step."""
        from authz_service.errors import AuthzError

        try:
            self.runner = _find_runner(self.config)
            self.scenario = self.runner.load(Path(os.path.relpath(self.path)))
            with self.runner.open(self.scenario):  # so that a broken fixture is told once
                pass
        except AuthzError as error:
            raise self.CollectError(str(error)) from None
        named: Counter[str] = Counter()
        for position, item in enumerate(self.scenario.items):
            name = str(item)
            named[name] += 1
            # what is asked before and after a step is asked twice
            unique = f"{name} ({named[name]})" if named[name] > 1 else name
            options = {"position": position, "place": item.place}
            yield ScenarioItem.from_parent(self, name=unique, **options)

    def setup(self) -> None:
        """Load the fixture."""
        opened = self.runner.open(self.scenario)
        self.under_way = opened.__enter__()
        self.addfinalizer(lambda: opened.__exit__(None, None, None))


class ScenarioItem(pytest.Item):
    """One question or step of a scenario."""

    parent: ScenarioFile

    def __init__(self, *, position: int, place: Place, **options: Any) -> None:
        super().__init__(**options)
        self.position = position
        self.place = place

    def runtest(self) -> None:
        """Put it, after the steps before it that were not taken yet in this process."""
        outcome = self.parent.under_way.put(self.position)
        if not outcome.passed:
            from authz_service.scenario.report import describe_failure

            pytest.fail("\n".join(describe_failure(outcome)), pytrace=False)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_rest: Any) -> str:
        """Show the failure without a Python traceback, unless something unforeseen happened."""
        from authz_service.errors import AuthzError

        if isinstance(excinfo.value, (AuthzError, pytest.fail.Exception)):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[os.PathLike[str], int, str]:
        """Say where the question or step stands."""
        return self.path, self.place.line - 1, self.name


def _find_runner(config: pytest.Config) -> Runner:
    from dataclasses import replace

    from authz_service.scenario.runner import Runner
    from authz_service.settings import load_settings

    if _RUNNER not in config.stash:
        settings = load_settings({})
        policies, fixtures = (
            Path(os.path.relpath(config.rootpath / folder))
            for folder in (settings.policies, settings.fixtures)
        )
        settings = replace(settings, policies=policies, fixtures=fixtures)
        config.stash[_RUNNER] = Runner(settings)
    return config.stash[_RUNNER]
