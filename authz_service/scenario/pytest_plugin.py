"""A pytest plugin: every question of every scenario file is a test item.

Files that end in `.yaml` below a folder named `scenarios` are collected; the ini option
`authz_scenarios` gives the folder other names. The settings are those of the environment, with
relative paths taken from pytest's root folder. The package is imported only when a scenario is
found, since plugins are loaded before anything measures coverage.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.decision.decider import Decider
    from authz_service.scenario.case import Inquiry, Scenario
    from authz_service.scenario.runner import Runner

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
    """One scenario file; its questions share one store."""

    decider: Decider
    runner: Runner
    scenario: Scenario

    def collect(self) -> Iterator[QuestionItem]:
        """Make an item of each question."""
        from authz_service.errors import AuthzError
        from authz_service.scenario.case import load_scenario

        try:
            self.runner = _find_runner(self.config)
            self.scenario = load_scenario(Path(os.path.relpath(self.path)))
            with self.runner.open(self.scenario):  # so that a broken fixture is told once
                pass
        except AuthzError as error:
            raise self.CollectError(str(error)) from None
        for inquiry in self.scenario.inquiries:
            yield QuestionItem.from_parent(self, name=str(inquiry), inquiry=inquiry)

    def setup(self) -> None:
        """Load the fixture."""
        opened = self.runner.open(self.scenario)
        self.decider = opened.__enter__()
        self.addfinalizer(lambda: opened.__exit__(None, None, None))


class QuestionItem(pytest.Item):
    """One question of a scenario."""

    parent: ScenarioFile

    def __init__(self, *, inquiry: Inquiry, **options: Any) -> None:
        super().__init__(**options)
        self.inquiry = inquiry

    def runtest(self) -> None:
        """Ask it."""
        file = self.parent
        outcome = file.runner.ask(file.decider, file.scenario, self.inquiry)
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
        """Say where the question stands."""
        return self.path, self.inquiry.expected.place.line - 1, self.name


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
