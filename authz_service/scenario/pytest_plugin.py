"""A pytest plugin: every question and every step of every scenario file is a test item.

Files that end in `.yaml` below a folder named `scenarios` are collected; the ini option
`authz_scenarios` gives the folder other names. The settings are those of the environment, with
relative paths taken from pytest's root folder. The package is imported only when a scenario is
found, since plugins are loaded before anything measures coverage.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.scenario.case import Scenario
    from authz_service.scenario.runner import Runner
    from authz_service.scenario.session import Session
    from authz_service.scenario.trial import Trial

# What a mark of that name would do, no tag is meant to.
_MARKS_OF_PYTEST: Final = frozenset(
    {"filterwarnings", "parametrize", "skip", "skipif", "usefixtures", "xfail"}
)
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
    trial: Trial
    under_way: Session

    def collect(self) -> Iterator[ScenarioItem]:
        """Make an item of each question and each step."""
        from authz_service.errors import AuthzError
        from authz_service.scenario.result import name_items
        from authz_service.scenario.trial import Trial

        try:
            self.runner = _find_runner(self.config)
            self.scenario = self.runner.load(Path(os.path.relpath(self.path)))
            if not all(item.skip for item in self.scenario.items):
                with self.runner.open(self.scenario):  # so that a broken fixture is told once
                    pass
        except AuthzError as error:
            raise self.CollectError(str(error)) from None
        self.trial = Trial(self.scenario)
        for position, name in enumerate(name_items(self.scenario)):
            item = ScenarioItem.from_parent(self, name=name, position=position)
            for tag in self.scenario.items[position].tags:
                item.add_marker(self._find_mark(tag))
            if why := self.scenario.items[position].skip:
                item.add_marker(pytest.mark.skip(reason=why))
            yield item

    def _find_mark(self, tag: str) -> pytest.MarkDecorator:
        """Find the mark of a tag, which `-m` picks by."""
        if tag in _MARKS_OF_PYTEST or tag.startswith("_"):
            message = f"pytest has a meaning of its own for `{tag}`; give the tag another name"
            raise self.CollectError(f"{self.scenario.path}: {message}")
        self.config.addinivalue_line("markers", f"{tag}: a tag of scenarios")
        mark: pytest.MarkDecorator = getattr(pytest.mark, tag)
        return mark

    def setup(self) -> None:
        """Load the fixture."""
        opened = self.runner.open(self.scenario)
        self.under_way = opened.__enter__()
        self.addfinalizer(lambda: opened.__exit__(None, None, None))


class ScenarioItem(pytest.Item):
    """One question or step of a scenario."""

    parent: ScenarioFile

    def __init__(self, *, position: int, **options: Any) -> None:
        super().__init__(**options)
        self.position = position

    def runtest(self) -> None:
        """Put it, after the steps before it that were not taken yet in this process."""
        from authz_service.scenario.failure import describe_failure
        from authz_service.scenario.result import Status

        result = self.parent.trial.put(self.parent.under_way, self.position)
        if result.status is not Status.PASSED:
            pytest.fail("\n".join(describe_failure(result)), pytrace=False)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_rest: Any) -> str:
        """Show the failure without a Python traceback, unless something unforeseen happened."""
        from authz_service.errors import AuthzError

        if isinstance(excinfo.value, (AuthzError, pytest.fail.Exception)):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[os.PathLike[str], int, str]:
        """Say where the question or step stands."""
        place = self.parent.scenario.items[self.position].place
        return self.path, place.line - 1, self.name


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
        config.stash[_RUNNER] = runner = Runner(settings)
        config.add_cleanup(runner.close)
    return config.stash[_RUNNER]
