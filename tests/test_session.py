"""Scenarios under way: steps are taken in their order, and what is put sees those before it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from reference import require_reference

from authz_service.errors import ScenarioError
from authz_service.scenario.case import load_scenario
from authz_service.scenario.outcome import StepOutcome
from authz_service.scenario.runner import Runner
from authz_service.settings import Settings

if TYPE_CHECKING:
    from authz_service.scenario.case import Scenario
    from authz_service.scenario.outcome import ListingOutcome, Outcome

ROOT: Final = Path(__file__).parent.parent
SETTINGS: Final = dataclasses.replace(
    Settings(), policies=ROOT / "policies", fixtures=ROOT / "fixtures"
)

# Tim wants what only one may have, and gets it when his mother has stepped down.
FAMILY: Final = """
scenario: Room is made
fixture: peeters
cases:
  - {who: person/tim, on: customer/402915738, via: web, cannot: become_administrator}
  - do: {who: person/greet, action: step_down, on: customer/402915738, via: web}
  - {who: person/tim, on: customer/402915738, via: web, can: become_administrator}
  - do: {who: person/tim, action: become_administrator, on: customer/402915738, via: web}
  - {who: person/tim, on: customer/402915738, via: web, can: [view, manage_account]}
"""
ASK: Final = (
    "do: {who: person/yusuf, action: request_delegate_access, on: customer/240817365, via: web,"
    " with: {action: {kind: mobile, applications: [240817365/cloud]}}}"
)
ENTER: Final = (
    "do: {who: person/%s, action: confirm_code, on: delegate_request/%s,"
    " with: {action: {token: {sent: %s}}}}"
)


@pytest.fixture(scope="module")
def runner() -> Runner:
    """Runs scenarios of the portal."""
    return Runner(SETTINGS)


def write(folder: Path, cases: list[str], head: str = "") -> Scenario:
    """Write a scenario about the bakery."""
    path = folder / "scenario.yaml"
    listed = "\n".join(f"  - {each}" for each in cases)
    path.write_text(f"scenario: What is so\nfixture: bakery\n{head}\ncases:\n{listed}\n")
    return load_scenario(path)


def family(folder: Path) -> Scenario:
    """Write the scenario of the family."""
    path = folder / "family.yaml"
    path.write_text(FAMILY)
    return load_scenario(path)


def fault_of(runner: Runner, scenario: Scenario) -> str:
    """Run a scenario that cannot be run, and find why, without the name of the file."""
    with pytest.raises(ScenarioError) as caught:
        runner.run(scenario)
    [fault] = caught.value.faults
    return str(fault).removeprefix(f"{scenario.path}:")


def ids_of(outcome: Outcome | ListingOutcome | StepOutcome) -> list[str]:
    """Find what a step made."""
    assert isinstance(outcome, StepOutcome)
    assert outcome.deeds is not None
    return [each["id"] for each in outcome.deeds.changes if each["before"] is None]


def test_questions_see_what_was_done_before_them(tmp_path: Path, runner: Runner) -> None:
    """And nothing of what is done after them."""
    assert [True] * 6 == [each.passed for each in runner.run(family(tmp_path))]


@pytest.mark.parametrize(
    "order",
    [[5, 4, 3, 2, 1, 0], [4], [1, 0], [3, 1, 3, 3], [0, 5, 2, 3, 5], [2, 2, 0, 0]],
    ids=str,
)
def test_the_order_in_which_items_are_put_is_no_matter(
    tmp_path: Path, runner: Runner, order: list[int]
) -> None:
    """An item takes the steps that are missing, and begins anew where there are too many."""
    with runner.open(family(tmp_path)) as session:
        passed = [session.put(position).passed for position in order]

    assert [True] * len(order) == passed


def test_an_outcome_knows_how_many_steps_there_were(tmp_path: Path, runner: Runner) -> None:
    """For the command, which does not take them."""
    assert [0, 0, 1, 1, 2, 2] == [each.steps for each in runner.run(family(tmp_path))]


def test_each_session_is_for_itself(tmp_path: Path, runner: Runner) -> None:
    """A step in one is not seen in another."""
    scenario = family(tmp_path)
    with runner.open(scenario) as one, runner.open(scenario) as other:
        passed = [one.put(4).passed, other.put(0).passed, one.put(5).passed]

    assert [True, True, True] == passed


def test_what_is_new_gets_the_id_that_the_step_names(tmp_path: Path, runner: Runner) -> None:
    """Others are numbered, past the names that are given."""
    cases = [ASK, f"{ASK}\n    new: new-2", ASK, f"{ASK}\n    new: mine", ASK]
    outcomes = runner.run(write(tmp_path, cases))

    assert [["new-1"], ["new-2"], ["new-3"], ["mine"], ["new-4"]] == [*map(ids_of, outcomes)]


def test_what_was_refused_takes_no_number(tmp_path: Path, runner: Runner) -> None:
    """Jonas has no mobile: his request is begun, refused, and was never there."""
    refused = ASK.replace("yusuf", "jonas") + "\n    denied: not_permitted"
    outcomes = runner.run(write(tmp_path, [refused, ASK]))

    assert [True, True] == [each.passed for each in outcomes]
    assert ["new-1"] == ids_of(outcomes[1])


def test_an_id_where_nothing_is_made_is_an_error(tmp_path: Path, runner: Runner) -> None:
    """It would never be used."""
    step = "do: {who: person/bram, action: become_administrator, on: customer/240817365, via: web}"

    assert (
        "6:5: `new`: `become_administrator` makes no entity that could have this id; leave it out"
        " [nothing_made]"
    ) == fault_of(runner, write(tmp_path, [f"{step}\n    new: a"]))


def test_messages_of_a_step_are_its_own(tmp_path: Path, runner: Runner) -> None:
    """Also where the file is wrong about something else: the next step has none of them."""
    deed = "do: {who: person/%s, action: %s, on: customer/240817365, via: web}"
    wrong = f"{deed % ('bram', 'become_administrator')}\n    new: a"
    scenario = write(tmp_path, [wrong, f"{deed % ('bram', 'step_down')}\n    informs: {{}}"])
    with runner.open(scenario) as session:
        outcome = session.put(1)

    assert outcome.passed


def test_an_id_that_something_has_is_an_error(tmp_path: Path, runner: Runner) -> None:
    """The database would refuse it, without saying why."""
    scenario = write(tmp_path, [f"{ASK}\n    new: fixed-submitted"])

    assert (
        "6:5: `new`: `delegate_request/fixed-submitted` has this id already; choose another"
        " [id_in_use]"
    ) == fault_of(runner, scenario)


def test_a_number_that_the_fixture_has_is_passed_over(tmp_path: Path) -> None:
    """What is new has an id of its own in any case."""
    fixture = (ROOT / "fixtures" / "bakery.yaml").read_text()
    (tmp_path / "bakery.yaml").write_text(fixture.replace("  fixed-submitted:", "  new-1:"))
    settings = dataclasses.replace(SETTINGS, fixtures=tmp_path)

    assert ["new-2"] == ids_of(Runner(settings).run(write(tmp_path, [ASK]))[0])


def test_what_was_sent_is_that_of_who_takes_the_step(tmp_path: Path, runner: Runner) -> None:
    """Two codes are on their way; each enters the own one, and of two the last one."""
    sofie = ASK.replace("yusuf", "sofie")
    cases = [ASK, sofie, ENTER % ("yusuf", "new-1", "code"), ENTER % ("sofie", "new-2", "code")]
    again = [ASK, ASK, f"{ENTER % ('yusuf', 'new-1', 'code')}\n    denied: not_permitted"]
    again.append(ENTER % ("yusuf", "new-2", "code"))

    for each in (cases, again):
        assert [True] * 4 == [outcome.passed for outcome in runner.run(write(tmp_path, each))]


@pytest.mark.parametrize(
    ("expected", "who", "field"),
    [
        ("no message with `cod` was sent to `person/yusuf`; did you mean `code`?", "yusuf", "cod"),
        ("no message with `code` was sent to `person/sofie`", "sofie", "code"),
    ],
)
def test_what_was_never_sent_fails_the_step(
    tmp_path: Path, runner: Runner, expected: str, who: str, field: str
) -> None:
    """The step is not taken, and it is said why; what follows is put all the same."""
    cases = [ASK, ENTER % (who, "new-1", field), ASK]
    outcomes = runner.run(write(tmp_path, cases))

    assert [True, False, True] == [each.passed for each in outcomes]
    assert f"nothing: {expected}" == outcomes[1].given


@pytest.mark.parametrize(
    ("passed", "wait"),
    [
        (True, "{minutes: 9, seconds: 59}"),
        (False, "{minutes: 10}"),
        (False, "{hours: 1}"),
        (False, "{days: 1}"),
    ],
)
def test_the_clock_is_put_forward(
    tmp_path: Path, runner: Runner, *, passed: bool, wait: str
) -> None:
    """A code is good for ten minutes."""
    entered = f"{ENTER % ('yusuf', 'new-1', 'code')}\n    after: {wait}"
    outcomes = runner.run(write(tmp_path, [ASK, entered], "at: 2026-01-05T09:00:00Z"))

    assert [True, passed] == [each.passed for each in outcomes]


def test_the_real_time_is_put_forward_as_well(tmp_path: Path, runner: Runner) -> None:
    """Where the file names no time."""
    late = (
        f"{ENTER % ('yusuf', 'new-1', 'code')}\n    after: {{hours: 1}}\n    denied: not_permitted"
    )
    outcomes = runner.run(write(tmp_path, [ASK, late]))

    assert [True, True] == [each.passed for each in outcomes]


def test_the_clock_stays_where_it_was_put(tmp_path: Path, runner: Runner) -> None:
    """For all that follows; who begins anew begins at the first time."""
    ask = f"{ASK}\n    after: {{minutes: 6}}"
    wrong = (
        ENTER.replace("{sent: %s}", "wrong") % ("yusuf", "new-1") + "\n    denied: not_permitted"
    )
    waited = f"{wrong}\n    after: {{minutes: 6}}"
    last = ENTER % ("yusuf", "new-1", "code")
    scenario = write(tmp_path, [ask, waited, last], "at: 2026-01-05T09:00:00Z")
    with runner.open(scenario) as session:
        commands = [session.put(position).command for position in (2, 0, 1, 2)]

    assert ["09:12:00", "09:06:00", "09:12:00", "09:12:00"] == [
        each.partition("--now 2026-01-05T")[2][:8] for each in commands
    ]


def test_a_value_that_only_the_deed_looks_at_is_told_with_its_place(
    tmp_path: Path, runner: Runner
) -> None:
    """What no policy sees is refused by what is done, and stands in the file all the same."""
    asked = ASK.replace("kind: mobile", "kind: fax")
    column = len("  - ") + asked.index("kind:") + 1

    assert f"5:{column}: `action.kind` must be `fixed` or `mobile` [unknown_kind]" == fault_of(
        runner, write(tmp_path, [asked])
    )


def test_a_value_that_is_missing_is_told_with_the_step(tmp_path: Path, runner: Runner) -> None:
    """There is no other place."""
    asked = ASK.replace("kind: mobile, ", "")

    assert ("5:5: `action.kind` must be `fixed` or `mobile` [unknown_kind]") == fault_of(
        runner, write(tmp_path, [asked])
    )


@pytest.mark.parametrize("engine", ["compiled", "oso", "both"])
def test_steps_are_decided_by_the_engine_of_the_settings(tmp_path: Path, engine: str) -> None:
    """Each of them can, and both together."""
    if engine != "compiled":
        require_reference()
    runner = Runner(dataclasses.replace(SETTINGS, engine=engine))

    assert [True] * 6 == [each.passed for each in runner.run(family(tmp_path))]
