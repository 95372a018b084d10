"""A scenario under way: its items are put on a stage, each after just those steps before it."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from contextlib import suppress
from typing import TYPE_CHECKING

from authz_service.errors import ScenarioError
from authz_service.scenario.cast import Cast
from authz_service.scenario.checking import build_searches, read_changes
from authz_service.scenario.inquiry import Inquiry
from authz_service.scenario.listing import Listing
from authz_service.scenario.outcome import (
    ListingOutcome,
    Outcome,
    StepOutcome,
    is_expected,
)
from authz_service.scenario.stage import Stage
from authz_service.scenario.step import Step
from authz_service.scenario.why import find_why

if TYPE_CHECKING:
    from authz_service.decision.explanation import Explanation
    from authz_service.scenario.case import Scenario
    from authz_service.scenario.equipment import Equipment


class Session:
    """A scenario under way: each of its questions and steps can be put, in any order.

    What is put sees just those steps that stand before it in the file: the session takes the ones
    that were not taken yet, and begins anew, with a new store, when it is too far.

    Arguments:
        equipment: what puts it.
        scenario: what is put; it was checked.

    Raises:
        FixtureError: when the fixture, or what the scenario adds to it, cannot be loaded.
        ScenarioError: when it names entities that there are not.
    """

    def __init__(self, equipment: Equipment, scenario: Scenario) -> None:
        self._equipment = equipment
        self._scenario = scenario
        self._fixture = equipment.settings.fixtures / f"{scenario.fixture}.yaml"
        self._steps = scenario.steps
        is_step = [isinstance(each, Step) for each in scenario.items]
        self._steps_before = list(itertools.accumulate(is_step, initial=0))
        self._start = 0
        self._stage = self._begin()
        faults = self._stage.find_strangers(Cast(self._fixture, scenario.entities))
        if faults:
            self.close()
            raise ScenarioError(faults)

    def put(self, position: int) -> Outcome | ListingOutcome | StepOutcome:
        """Put one question, or take one step.

        Arguments:
            position: its place among the items of the scenario, from 0.

        Raises:
            ScenarioError: when it is a step that cannot be taken as the file has it.
            AuthzError: when what is asked cannot be searched or explained.
        """
        before = self._go_to(position)
        item = self._scenario.items[position]
        match item:
            case Inquiry():
                return self._ask(item, before)
            case Listing():
                found = self._stage.search(item)
                return ListingOutcome(item, found, self._write_command(item), before)
            case Step():
                return self._take(item, before)
            case _:
                raise TypeError(f"{type(item).__name__} cannot be put")

    def _ask(self, inquiry: Inquiry, before: int) -> Outcome:
        decision, expected, why = self._stage.ask(inquiry), inquiry.expected, None
        if expected.asks_why and is_expected(expected, decision):
            explanation = self._stage.explain_question(inquiry)
            why = find_why(expected, explanation, self._equipment.words.rules)
        return Outcome(inquiry, decision, self._write_command(inquiry), before, why)

    def _take(self, step: Step, before: int) -> StepOutcome:
        came = self._stage.take(step)
        command = self._write_command(step)
        wanted = read_changes(self._equipment.domain.schema, step)
        if isinstance(came, str):
            return StepOutcome(step, wanted, None, command, before, came)
        return StepOutcome(step, wanted, came, command, before)

    def explain(self, position: int) -> Explanation | None:
        """Explain what is decided of a question, or a step, where it stands in the file.

        Arguments:
            position: as above.

        Returns:
            None for a list, and for a step that cannot be taken because a message was not sent.

        Raises:
            AuthzError: when it cannot be explained.
        """
        self._go_to(position)
        return self._stage.explain(self._scenario.items[position])

    def close(self) -> None:
        """Close the store."""
        self._stage.close()

    def _go_to(self, position: int) -> int:
        """Take the steps before an item, and no others; give back how many those are."""
        starts = self._scenario.starts
        start = starts[bisect_right(starts, position) - 1]
        first, end = self._steps_before[start], self._steps_before[position]
        if self._start != start or self._stage.taken > end - first:
            self._stage.close()
            self._start = start
            self._stage = self._begin()
        while self._stage.taken < end - first:
            # whatever is wrong with a step is told where it is put itself
            with suppress(Exception):
                self._stage.take(self._steps[first + self._stage.taken])
        return end - first

    def _write_command(self, item: Inquiry | Listing | Step) -> str:
        commands = self._equipment.commands
        if self._scenario.entities:
            return commands.write_test(self._scenario.path, str(item))
        if isinstance(item, Listing):
            asked = build_searches(self._equipment.domain.schema, item)
            return commands.write_searches(self._fixture, item, asked, self._stage.at)
        return commands.write(self._fixture, item, self._stage.at)

    def _begin(self) -> Stage:
        return Stage(self._equipment, self._fixture, self._scenario)
