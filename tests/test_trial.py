"""What is put of a scenario, whatever goes wrong with some of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from crashing import write_project

from authz_service.errors import Fault, Place
from authz_service.scenario.case import load_scenario
from authz_service.scenario.result import Status
from authz_service.scenario.runner import Runner
from authz_service.scenario.trial import try_scenario
from authz_service.settings import Settings

if TYPE_CHECKING:
    from authz_service.scenario.case import Scenario
    from authz_service.scenario.result import ItemResult, ScenarioResult

ROOT: Final = Path(__file__).parent.parent
PORTAL: Final = Settings(policies=ROOT / "policies", fixtures=ROOT / "fixtures")


@pytest.fixture(scope="module")
def runner() -> Runner:
    """Runs scenarios of the portal."""
    return Runner(PORTAL)


def write(folder: Path, fixture: str, *cases: str) -> Scenario:
    """Write a scenario of the portal, and load it."""
    path = folder / "scenario.yaml"
    listed = "\n".join(f"  - {each}" for each in cases)
    path.write_text(f"scenario: What is so\nfixture: {fixture}\ncases:\n{listed}\n")
    return load_scenario(path)


def try_all(runner: Runner, scenario: Scenario) -> ScenarioResult:
    """Put everything of a scenario, at a clock that stands still."""
    return try_scenario(runner, scenario, range(len(scenario.items)), lambda: 0.0)


def put(runner: Runner, scenario: Scenario) -> list[ItemResult]:
    """Put everything of a scenario that can be run."""
    result = try_all(runner, scenario)
    assert () == result.faults
    return list(result.items)


def test_what_passes_is_told_in_few_words(tmp_path: Path, runner: Runner) -> None:
    """Nobody asks why, or how to ask again."""
    scenario = write(
        tmp_path,
        "smith",
        "{who: person/mary, on: subscription/0470000001, can: view_usage, tags: quick}",
    )
    [item] = put(runner, scenario)

    assert ("passed", "question", ("quick",), "", "") == (
        str(item.status),
        item.kind,
        item.tags,
        item.explanation,
        item.command,
    )


def test_a_denial_that_is_not_expected_is_explained(tmp_path: Path, runner: Runner) -> None:
    """With what is missing for the expected answer."""
    scenario = write(
        tmp_path, "smith", "{who: person/mary, on: subscription/0470000001, can: view_bills}"
    )
    [item] = put(runner, scenario)

    assert (
        "person/mary may not view_bills on subscription/0470000001: no rule permits this. For"
        " another answer, mary would need role `administrator` or `access_owner` on customer"
        " 123456789."
    ) == item.explanation
    assert ("allow", "deny: not_permitted (no rule permits this)") == (item.expected, item.given)


def test_an_allow_that_is_not_expected_is_explained(tmp_path: Path, runner: Runner) -> None:
    """With the rule that permits it."""
    scenario = write(
        tmp_path, "smith", "{who: person/philip, on: subscription/0470000001, cannot: view_bills}"
    )
    [item] = put(runner, scenario)

    assert item.explanation.startswith(
        "person/philip may view_bills on subscription/0470000001, by"
        f" {ROOT}/policies/subscriptions.polar:"
    )


def test_a_step_is_explained_by_what_was_so_before_it(tmp_path: Path, runner: Runner) -> None:
    """Afterwards, Greet is no administrator any more, and could not step down."""
    step_down = "{who: person/greet, action: step_down, on: customer/402915738, via: web}"
    scenario = write(
        tmp_path,
        "peeters",
        f"do: {step_down}\n    denied: not_permitted",
        "{who: person/tim, on: customer/402915738, via: web, can: become_administrator}",
        f"do: {step_down}",
    )
    first, between, last = put(runner, scenario)

    assert first.explanation.startswith("person/greet may step_down on customer/402915738, by")
    assert Status.PASSED is between.status
    assert last.explanation.startswith("person/greet may not step_down on customer/402915738: ")


def test_a_step_that_did_something_else_is_not_explained(tmp_path: Path, runner: Runner) -> None:
    """It was decided as expected; the policy is not what one would look at."""
    scenario = write(
        tmp_path,
        "peeters",
        "do: {who: person/greet, action: step_down, on: customer/402915738, via: web}\n"
        "    changes: {}",
    )
    [item] = put(runner, scenario)

    assert (Status.FAILED, "") == (item.status, item.explanation)


def test_a_step_that_needs_what_was_not_sent_is_not_explained(
    tmp_path: Path, runner: Runner
) -> None:
    """Nothing was decided."""
    scenario = write(
        tmp_path,
        "bakery",
        "do: {who: person/bram, action: confirm_code, on: delegate_request/mobile-approved,"
        " with: {action: {token: {sent: code}}}}",
    )
    [item] = put(runner, scenario)

    assert (Status.FAILED, "") == (item.status, item.explanation)
    assert item.given.startswith("nothing: no message with `code` was sent")


def test_what_no_policy_refused_is_said(tmp_path: Path, runner: Runner) -> None:
    """A code that is too old is known to the action only."""
    scenario = write(
        tmp_path,
        "bakery",
        "do: {who: person/yusuf, action: request_delegate_access, on: customer/240817365,"
        " via: web, with: {action: {kind: mobile, applications: [240817365/cloud]}}}\n"
        "    new: ask-1",
        "do: {who: person/yusuf, action: confirm_code, on: delegate_request/ask-1,"
        " with: {action: {token: {sent: code}}}}\n"
        "    after: {minutes: 11}",
    )
    [_, late] = put(runner, scenario)

    assert Status.FAILED is late.status
    assert late.explanation.startswith("person/yusuf may confirm_code on delegate_request/ask-1")
    assert late.explanation.endswith(" What the action does refused it all the same.")


def test_what_is_skipped_is_not_put(tmp_path: Path, runner: Runner) -> None:
    """It would fail."""
    question = "who: person/mary, on: subscription/0470000001, can: view_bills"
    other = question.replace("mary", "thomas")
    scenario = write(tmp_path, "smith", f"{{{question}, skip: not yet}}", f"{{{other}}}")

    assert [(Status.SKIPPED, "not yet"), (Status.FAILED, "")] == [
        (each.status, each.message) for each in put(runner, scenario)
    ]


def test_a_scenario_that_is_skipped_needs_no_fixture(tmp_path: Path, runner: Runner) -> None:
    """It may be written before there is one."""
    scenario = write(
        tmp_path, "nothing", "{who: person/mary, on: customer/1, can: view, skip: later}"
    )

    assert [Status.SKIPPED] == [each.status for each in put(runner, scenario)]


def test_what_keeps_a_scenario_from_being_run_is_told(tmp_path: Path, runner: Runner) -> None:
    """Nothing of it is put then."""
    scenario = write(tmp_path, "nothing", "{who: person/mary, on: customer/1, can: view}")
    result = try_all(runner, scenario)
    place = Place(str(ROOT / "fixtures" / "nothing.yaml"))

    assert (Fault(place, "missing_file", "there is no such file or folder"),) == result.faults
    assert () == result.items


def crashing(tmp_path: Path, actions: str) -> tuple[Runner, Scenario]:
    """Write a scenario of the domain that crashes, with what runs it."""
    write_project(tmp_path, scenario=actions)
    settings = Settings(
        policies=tmp_path / "policies", fixtures=tmp_path / "fixtures", domain="crashing"
    )
    return Runner(settings), load_scenario(tmp_path / "scenarios" / "scenario.yaml")


def test_a_crash_stops_nothing_else(tmp_path: Path) -> None:
    """It is told with its place, and what stands below it is put."""
    runner, scenario = crashing(tmp_path, "read crash read")
    first, crash, last = put(runner, scenario)

    assert [Status.PASSED, Status.ERROR, Status.PASSED] == [
        each.status for each in (first, crash, last)
    ]
    assert crash.message.startswith("KeyError: 'x' (crashing.py, line ")
    assert crash.message.endswith(", in _crash)")


def test_a_crash_before_what_is_picked_stops_nothing(tmp_path: Path) -> None:
    """The step is taken for what stands below it, and is told where it is put itself."""
    runner, scenario = crashing(tmp_path, "crash read")
    result = try_scenario(runner, scenario, [1])

    assert [Status.PASSED] == [each.status for each in result.items]


def test_a_crash_at_the_beginning_is_a_fault(tmp_path: Path, runner: Runner) -> None:
    """Whatever it is, the other scenarios are run."""
    scenario = write(
        tmp_path, "smith", "{who: person/mary, on: subscription/0470000001, can: view_usage}"
    )
    broken = replace(scenario, entities="nothing that could be read")  # type: ignore[arg-type]  # as said
    result = try_all(runner, broken)

    assert [("crashed", ())] == [(each.code, result.items) for each in result.faults]
