"""What a policy set has to pass before it serves.

It is checked, compiled and loaded by the reference; it passes the scenarios; and it is held against
the set that serves, on all that is stored: who gains, and who loses. Nothing of this writes.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from authz_service import assembly, storage
from authz_service.activation.verdict import Verdict
from authz_service.errors import AuthzError, EvaluationTimeoutError, Fault, Place
from authz_service.policy.effect import Direction
from authz_service.policy.impact import Impact, Terms
from authz_service.policy.kept import open_kept
from authz_service.scenario.case import find_scenario_files
from authz_service.scenario.result import ScenarioResult, Status
from authz_service.scenario.runner import Runner
from authz_service.scenario.suite import load_suite
from authz_service.scenario.trial import try_scenario
from authz_service.store.policies import find_last, get_policies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.effect import Effect
    from authz_service.policy.source import PolicySet
    from authz_service.scenario.case import Scenario
    from authz_service.settings import Settings
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain

# Of what is wrong, so much is told.
_MOST_TOLD: Final = 10
_EXAMPLES: Final = 3
_SCENARIOS: Final = "the scenarios"
_IMPACT: Final = "the impact"


def judge(policies: PolicySet, settings: Settings, *, with_checks: bool = True) -> Verdict:
    """Find whether a policy set may serve.

    Arguments:
        policies: the set.
        settings: which store, which scenarios, and what is too much.
        with_checks: whether it is more than compiled.
    """
    try:
        runner = Runner(settings, policies=policies)
        if not with_checks:
            return Verdict(notes=("it was compiled, and nothing else was looked at",))
        return _add(_run_scenarios(runner, settings), _count(runner, settings))
    except AuthzError as error:
        return Verdict.of(error.faults)


def _add(first: Verdict, second: Verdict) -> Verdict:
    faults, notes = first.faults + second.faults, first.notes + second.notes
    return replace(second, faults=faults, passed=first.passed, notes=notes)


def _run_scenarios(runner: Runner, settings: Settings) -> Verdict:
    """Put all scenarios to a policy set."""
    if not settings.scenarios.is_dir():
        return Verdict(notes=(f"there is no folder `{settings.scenarios}`: no scenario was run",))
    faults: list[Fault] = []
    passed = 0
    for each in load_suite(find_scenario_files([settings.scenarios]), settings.fixtures):
        result = each if isinstance(each, ScenarioResult) else _run(runner, each)
        passed += result.count(Status.PASSED)
        faults += [*result.faults, *_find_failed(result)]
    return Verdict(tuple(_shorten(faults, _SCENARIOS)), passed)


def _run(runner: Runner, scenario: Scenario) -> ScenarioResult:
    return try_scenario(runner, scenario, range(len(scenario.items)))


def _find_failed(result: ScenarioResult) -> Iterable[Fault]:
    for each in result.items:
        if each.status is Status.FAILED:
            said = f"expected {each.expected}, came {each.given}: {each.name}"
            yield Fault(each.place, "scenario_failed", " ".join(said.split()))
        elif each.status is Status.ERROR:
            yield Fault(each.place, "scenario_broken", " ".join(each.message.split()))


def _shorten(faults: list[Fault], place: str) -> Iterable[Fault]:
    """Tell the first of many faults, and how many there are."""
    yield from faults[:_MOST_TOLD]
    if len(faults) > _MOST_TOLD:
        message = f"{len(faults) - _MOST_TOLD} more do not pass; `authz test` tells all of them"
        yield Fault(Place(place), "scenario_failed", message)


def _count(runner: Runner, settings: Settings) -> Verdict:
    """Count who gains and who loses, of all that is stored, by a policy set."""
    new, domain = runner.compiled, runner.domain
    end = time.monotonic() + settings.trial_limit

    def left() -> int:
        milliseconds = int((end - time.monotonic()) * 1_000)
        if milliseconds <= 0:
            raise EvaluationTimeoutError.at(_IMPACT, "evaluation_timeout", "takes too long")
        return milliseconds

    with closing(storage.open_existing_store(settings, domain)) as store:
        last = find_last(store)
        if last is None:
            return Verdict(notes=("nothing serves yet with which it could be compared",))
        try:
            served = open_kept(get_policies(store, last.digest))
            old = assembly.compile_policies(served, settings, domain)
            effects = _find_effects(old, new, domain, store, left)
        except AuthzError as error:
            return _give_up(error, settings)
    gained = [each for each in effects if each.cause.direction is Direction.ALLOWED]
    count = sum(each.count for each in gained)
    lost = sum(each.count for each in effects) - count
    return Verdict(tuple(_find_excess(gained, count, settings)), gained=count, lost=lost)


def _find_effects(
    old: CompiledEngine,
    new: CompiledEngine,
    domain: Domain,
    store: Store,
    left: Callable[[], int],
) -> list[Effect]:
    terms = Terms({}, storage.tell_time(), _EXAMPLES, left)
    impact = Impact(old, new, domain, store, terms)
    with store.snapshot():
        return [effect for key in new.keys for effect in impact.find_effects(key)]


def _give_up(error: AuthzError, settings: Settings) -> Verdict:
    """Where nobody can count, and the count is bounded, the set is refused."""
    if settings.most_gained is not None:
        return Verdict.of(error.faults)
    return Verdict(notes=tuple(f"the impact was not counted: {each}" for each in error.faults))


def _find_excess(gained: list[Effect], count: int, settings: Settings) -> Iterable[Fault]:
    most = settings.most_gained
    if most is None or count <= most:
        return
    first = gained[0]
    examples = ", ".join(
        f"{first.key[0]}/{each.subject} {first.key[1]} {first.key[2]}/{each.resource}"
        for each in first.examples
    )
    message = (
        f"{count} pairs are newly allowed, and {most} may be, such as {examples};"
        " the setting is `most_gained`"
    )
    yield Fault(Place(_IMPACT), "too_much_gained", message)
