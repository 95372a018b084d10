"""Many scenarios: read, picked, put into an order, and run, each for itself."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from authz_service.errors import Fault, Place, ScenarioError
from authz_service.scenario.case import load_scenario
from authz_service.scenario.result import ScenarioResult
from authz_service.scenario.selection import shuffle
from authz_service.scenario.trial import try_scenario
from authz_service.scenario.workers import work_in_processes

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from pathlib import Path

    from authz_service.scenario.case import Scenario
    from authz_service.scenario.runner import Runner
    from authz_service.scenario.selection import Selection


@dataclass(frozen=True)
class Task:
    """What is put of one scenario.

    Arguments:
        scenario: which one.
        positions: the places of its items, from 0, in the order in which they are put.
    """

    scenario: Scenario
    positions: tuple[int, ...]


# What is run, and what cannot be, in order.
Plan = tuple[Task | ScenarioResult, ...]


def load_suite(files: Iterable[Path], fixtures: Path) -> list[Scenario | ScenarioResult]:
    """Read scenario files; one that cannot be read is a result with its faults.

    Arguments:
        files: the scenarios.
        fixtures: the folder of the fixtures.
    """
    loaded: list[Scenario | ScenarioResult] = []
    for file in files:
        try:
            loaded.append(load_scenario(file, fixtures))
        except ScenarioError as error:
            loaded.append(ScenarioResult(str(file), faults=error.faults))
    return loaded


def plan_suite(loaded: Iterable[Scenario | ScenarioResult], selection: Selection) -> Plan:
    """Plan what is put of scenarios; one of which nothing is, is left out."""
    tasks = (
        each if isinstance(each, ScenarioResult) else Task(each, tuple(selection.pick(each)))
        for each in loaded
    )
    return tuple(each for each in tasks if isinstance(each, ScenarioResult) or each.positions)


def shuffle_plan(plan: Iterable[Task | ScenarioResult], seed: int) -> Plan:
    """Put scenarios into another order, and of each what stands between one step and the next."""
    drawn = random.Random(seed)  # noqa: S311  # an order is no secret
    shuffled = [
        each
        if isinstance(each, ScenarioResult)
        else Task(each.scenario, tuple(shuffle(each.scenario, each.positions, drawn)))
        for each in plan
    ]
    drawn.shuffle(shuffled)
    return tuple(shuffled)


def run_plan(
    runner: Runner, plan: Sequence[Task | ScenarioResult], jobs: int
) -> Generator[ScenarioResult]:
    """Run what is planned, in its order.

    Arguments:
        runner: runs it.
        plan: what is run.
        jobs: how many processes do; 1 for this one alone.

    Raises:
        SettingError: where there can be no other process.
    """
    if jobs == 1 or len(plan) == 1:
        for each in plan:
            yield _run(runner, each)
        return
    yield from work_in_processes(
        lambda number: _run(runner, plan[number]), len(plan), jobs, partial(_lose, plan)
    )


def _run(runner: Runner, task: Task | ScenarioResult) -> ScenarioResult:
    if isinstance(task, ScenarioResult):
        return task
    return try_scenario(runner, task.scenario, task.positions)


def _lose(plan: Sequence[Task | ScenarioResult], number: int, how: str) -> ScenarioResult:
    task = plan[number]
    if isinstance(task, ScenarioResult):
        return task
    path = str(task.scenario.path)
    message = f"the process that ran it has ended by {how}; run it alone, without `--jobs`"
    fault = Fault(Place(path), "process_lost", message)
    return ScenarioResult(path, task.scenario.title, faults=(fault,))
