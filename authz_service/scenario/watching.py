"""Notices which files have changed, and finds the scenarios that this can affect."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authz_service.errors import ScenarioError
from authz_service.scenario.affected import Changed, find_affected, find_changed
from authz_service.scenario.case import Scenario, find_scenario_files
from authz_service.scenario.selection import Selection
from authz_service.scenario.suite import Task, load_suite, narrow_plan, plan_suite

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from authz_service.scenario.result import ScenarioResult
    from authz_service.scenario.runner import Runner
    from authz_service.scenario.suite import Plan
    from authz_service.settings import Settings

# Seconds between two looks. Some dozens of files are looked at in a millisecond; what notices
# changes without looking is another program for each system.
_PAUSE: Final = 0.05
# An editor may still be writing; what it wrote has to stay the same for so long.
_REST: Final = 0.03

# What shows of a file that it has changed: when, how large, and which one it is.
_Marks = dict["Path", tuple[int, int, int]]


@dataclass(frozen=True)
class Change:
    """What has changed.

    Arguments:
        policies: whether a policy has.
        files: the fixtures and scenarios that have, those that came or went included.
    """

    policies: bool = False
    files: frozenset[Path] = frozenset()

    def __or__(self, other: Change) -> Change:
        """Put two changes together."""
        return Change(self.policies or other.policies, self.files | other.files)


class Watch:
    """Notices changes of policies, fixtures and scenarios, from the moment when it is made.

    Arguments:
        settings: where policies and fixtures are.
        paths: scenario files, and folders of such.
        pause: waits for seconds.
    """

    def __init__(
        self,
        settings: Settings,
        paths: Sequence[Path],
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._settings = settings
        self._paths = paths
        self._pause = pause
        self._marks = self._look()

    def wait(self) -> Change:
        """Wait until something has changed, and is written to the end."""
        while (marks := self._look()) == self._marks:
            self._pause(_PAUSE)
        while True:
            self._pause(_REST)
            seen, marks = marks, self._look()
            if seen == marks:
                break
        before, self._marks = self._marks, marks
        changed = {
            path for path in before.keys() | marks.keys() if before.get(path) != marks.get(path)
        }
        policies = {path for path in changed if path.suffix == ".polar"}
        return Change(bool(policies), frozenset(changed - policies))

    def _look(self) -> _Marks:
        marks: _Marks = {}
        for path in self._find_files():
            with suppress(OSError):  # it has gone since
                found = path.stat()
                marks[path] = found.st_mtime_ns, found.st_size, found.st_ino
        return marks

    def _find_files(self) -> Iterator[Path]:
        yield from self._settings.policies.glob("*.polar")
        yield from self._settings.fixtures.rglob("*.yaml")
        for path in self._paths:
            with suppress(ScenarioError):  # nothing is there just now
                yield from find_scenario_files([path])


class WatchedSuite:
    """Scenarios with what runs them, both kept as the files are.

    Arguments:
        settings: where policies and fixtures are.
        paths: scenario files, and folders of such.
        build: builds what runs them.
    """

    def __init__(
        self, settings: Settings, paths: Sequence[Path], build: Callable[[], Runner]
    ) -> None:
        self._settings = settings
        self._paths = paths
        self._build = build
        self._loaded: dict[Path, Scenario | ScenarioResult] = {}
        self._runner: Runner | None = None
        self._owed = Change()

    def load(self) -> tuple[Runner, Plan]:
        """Read everything.

        Raises:
            AuthzError: when there are no scenarios, or the policies cannot be used.
        """
        self._load(find_scenario_files(self._paths))
        self._runner = self._build()
        return self._runner, plan_suite(self._loaded.values(), Selection())

    def follow(self, change: Change) -> tuple[Runner, Plan]:
        """Read anew what has changed, and find what of the scenarios this can affect.

        Raises:
            AuthzError: when the policies cannot be used; then the change counts with the next one.
        """
        change = self._owed = self._owed | change
        there: list[Path] = []
        with suppress(ScenarioError):  # the last one has gone
            there = find_scenario_files(self._paths)
        self._loaded = {path: each for path, each in self._loaded.items() if path in there}
        # a scenario may say `everyone_else`, which its fixture knows
        self._load(path for path in there if self._is_affected(path, change))
        everything = plan_suite(self._loaded.values(), Selection())
        before = self._runner
        runner = self._build() if before is None or change.policies else before
        self._runner, self._owed = runner, Change()
        for path in change.files:
            runner.forget(path)
        if before is None:
            return runner, everything
        is_same = runner is before
        changed = Changed() if is_same else find_changed(before.compiled, runner.compiled)

        def find(scenario: Scenario) -> Collection[int]:
            if self._is_affected(scenario.path, change):
                return range(len(scenario.items))
            return find_affected(scenario, changed)

        affected = narrow_plan(everything, find)
        return runner, tuple(
            each
            for each in affected
            if isinstance(each, Task) or self._is_affected(Path(each.path), change)
        )

    def _load(self, files: Iterable[Path]) -> None:
        files = list(files)
        loaded = load_suite(files, self._settings.fixtures)
        self._loaded |= dict(zip(files, loaded, strict=True))

    def _is_affected(self, path: Path, change: Change) -> bool:
        scenario = self._loaded.get(path)
        if path in change.files or scenario is None:
            return True
        fixtures = self._settings.fixtures
        if isinstance(scenario, Scenario):
            return fixtures / f"{scenario.fixture}.yaml" in change.files
        return any(each.is_relative_to(fixtures) for each in change.files)
