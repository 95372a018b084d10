"""The scenarios of a project, put to one policy after another.

Their stores are filled once. Only those questions and steps are put again that another policy could
answer otherwise.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from authz_service.errors import AuthzError, Fault, ScenarioError
from authz_service.policy.exchange import Exchange
from authz_service.scenario.affected import Changed, find_affected
from authz_service.scenario.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.plan import Key
    from authz_service.scenario.case import Scenario
    from authz_service.scenario.session import Session
    from authz_service.settings import Settings


@dataclass(frozen=True)
class _Sitting:
    """A scenario that is open.

    Arguments:
        scenario: which.
        session: its store, and what asks there.
    """

    scenario: Scenario
    session: Session


class Suite:
    """Scenarios whose stores are open.

    Arguments:
        settings: where the fixtures are, and what the domain is.
        engine: the policies by which all is as the scenarios expect.
        scenarios: which.

    Raises:
        ScenarioError: with everything that is not as a scenario expects.
        AuthzError: when one cannot be run.
    """

    def __init__(
        self, settings: Settings, engine: CompiledEngine, scenarios: Sequence[Scenario]
    ) -> None:
        self._exchange = Exchange(engine)
        self._stack = ExitStack()
        self._sittings: list[_Sitting] = []
        runner = Runner(settings, engine=self._exchange)
        faults: list[Fault] = []
        with self._stack:
            for each in scenarios:
                session = self._stack.enter_context(runner.open(each))
                faults += _find_failing(each, session)
                self._sittings.append(_Sitting(each, session))
            if faults:
                raise ScenarioError(faults)
            self._stack = self._stack.pop_all()

    def find_killers(self, engine: CompiledEngine, keys: Collection[Key]) -> Iterator[Path]:
        """Find the scenarios in which something is not as expected by other policies.

        Those that found something before are tried first.

        Arguments:
            engine: the other policies.
            keys: the kinds of questions that they may answer otherwise.
        """
        self._exchange.engine = engine
        self._exchange.timed_out = False
        # a rule that only stands elsewhere in its line is no other reason
        changed = Changed(frozenset(keys), frozenset(keys))
        for each in tuple(self._sittings):
            if self._is_killed(each, find_affected(each.scenario, changed)):
                self._sittings.remove(each)
                self._sittings.insert(0, each)
                yield each.scenario.path

    def _is_killed(self, sitting: _Sitting, positions: Sequence[int]) -> bool:
        try:
            return not all(
                sitting.session.put(each).passed
                for each in positions
                if not sitting.scenario.items[each].skip
            )
        except AuthzError:  # a step that cannot be taken any more
            return True

    @property
    def has_timed_out(self) -> bool:
        """Whether the policies that were tried last took too long for a question."""
        return self._exchange.timed_out

    def close(self) -> None:
        """Close the stores."""
        self._stack.close()


def _find_failing(scenario: Scenario, session: Session) -> Iterator[Fault]:
    for position, item in enumerate(scenario.items):
        if not item.skip and not session.put(position).passed:
            message = "is not as expected by the policies as they are; see `authz test`"
            yield Fault(item.place, "scenario_fails", message)
