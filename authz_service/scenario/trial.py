"""Puts the items of a scenario, so that nothing that goes wrong with one stops the others."""

from __future__ import annotations

import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from authz_service.decision.sentences import write_sentence
from authz_service.errors import AuthzError, Fault, Place
from authz_service.scenario.outcome import StepOutcome
from authz_service.scenario.result import ItemResult, ScenarioResult, Status, name_items
from authz_service.scenario.step import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz_service.scenario.case import Scenario
    from authz_service.scenario.item import ItemOutcome
    from authz_service.scenario.runner import Runner
    from authz_service.scenario.session import Session


def try_scenario(
    runner: Runner,
    scenario: Scenario,
    positions: Sequence[int],
    clock: Callable[[], float] = time.perf_counter,
) -> ScenarioResult:
    """Put items of a scenario.

    Arguments:
        runner: puts them.
        scenario: which one.
        positions: the places of the items in it, from 0, in the order in which they are put.
        clock: tells seconds.
    """
    path, start = str(scenario.path), clock()
    trial = Trial(scenario, clock)
    try:
        if all(scenario.items[each].skip for each in positions):
            items = tuple(trial.skip(each) for each in positions)
        else:
            with runner.open(scenario) as session:
                items = tuple(trial.put(session, each) for each in positions)
    except AuthzError as error:
        return ScenarioResult(path, scenario.title, faults=error.faults, seconds=clock() - start)
    except Exception as error:  # noqa: BLE001  # nor a crash of one scenario the others
        fault = Fault(Place(path), "crashed", f"cannot be begun: {_describe(error)}")
        return ScenarioResult(path, scenario.title, faults=(fault,), seconds=clock() - start)
    return ScenarioResult(path, scenario.title, items, seconds=clock() - start)


class Trial:
    """Puts single items of a scenario.

    Arguments:
        scenario: which one.
        clock: tells seconds.
    """

    def __init__(self, scenario: Scenario, clock: Callable[[], float] = time.perf_counter) -> None:
        self._scenario = scenario
        self._names = name_items(scenario)
        self._clock = clock

    def put(self, session: Session, position: int) -> ItemResult:
        """Put an item, unless it is to be skipped; whatever comes of it is told.

        Arguments:
            session: the scenario under way.
            position: the place of the item, from 0.
        """
        if self._scenario.items[position].skip:
            return self.skip(position)
        start = self._clock()
        try:
            outcome = session.put(position)
        except Exception as error:  # noqa: BLE001  # a crash of one must not stop the others
            return self._build(position, Status.ERROR, start, message=_describe(error))
        if outcome.passed:
            return self._build(position, Status.PASSED, start)
        return self._build(
            position,
            Status.FAILED,
            start,
            expected=outcome.expected,
            given=outcome.given,
            explanation=_explain(session, position, outcome),
            command=outcome.command,
            steps=outcome.steps,
        )

    def skip(self, position: int) -> ItemResult:
        """Say why an item is skipped."""
        why = self._scenario.items[position].skip
        return self._build(position, Status.SKIPPED, self._clock(), message=why)

    def _build(
        self, position: int, status: Status, start: float, *, steps: int = 0, **said: str
    ) -> ItemResult:
        item = self._scenario.items[position]
        return ItemResult(
            place=item.place,
            name=self._names[position],
            kind="step" if isinstance(item, Step) else "question",
            status=status,
            tags=item.tags,
            seconds=self._clock() - start,
            steps=steps,
            **said,
        )


def _explain(session: Session, position: int, outcome: ItemOutcome) -> str:
    """Explain a decision that is not the expected one; of a step that was done, more is wrong."""
    deeds = outcome.deeds if isinstance(outcome, StepOutcome) else None
    is_done = deeds is not None and deeds.decision.allowed
    if isinstance(outcome, StepOutcome) and is_done and not outcome.step.denied:
        return ""
    try:
        explanation = session.explain(position)
    except Exception as error:  # noqa: BLE001  # the failure is told without it
        return f"this cannot be explained: {_describe(error)}"
    if explanation is None:
        return ""
    said = write_sentence(explanation)
    if deeds and explanation.decision.allowed and not is_done:
        # what only the doing needs, such as a code that was sent, no policy sees
        return f"{said} What the action does refused it all the same."
    return said


def _describe(error: Exception) -> str:
    if isinstance(error, AuthzError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}, line {last.lineno}, in {last.name}"
    said = " ".join(str(error).split())
    return (
        f"{type(error).__name__}: {said} ({where})" if said else f"{type(error).__name__} ({where})"
    )
