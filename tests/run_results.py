"""What came of a small run, for the tests of reports."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from authz_service.errors import Fault, Place
from authz_service.scenario.result import ItemResult, Run, ScenarioResult, Status

FILE: Final = "scenarios/smith.yaml"
PASSED: Final = ItemResult(
    Place(FILE, 8, 11),
    "person/mary view_usage subscription/0470000001 via web",
    "question",
    Status.PASSED,
    ("quick",),
    0.25,
)
FAILED: Final = replace(
    PASSED,
    status=Status.FAILED,
    expected="allow",
    given="deny: late (it is late), not_permitted (no rule)",
    explanation="person/mary may not view_usage on subscription/0470000001: it is late.",
    command="authz check b",
)
SKIPPED: Final = replace(PASSED, status=Status.SKIPPED, message="nobody knows yet")
ERROR: Final = replace(PASSED, status=Status.ERROR, message="KeyError: 'x' (members.py, line 3)")
DONE: Final = ItemResult(
    Place(FILE, 12, 5),
    "do person/mary become_administrator customer/123456789",
    "step",
    Status.PASSED,
)
UNDONE: Final = replace(
    DONE,
    status=Status.FAILED,
    expected="done\ninforms nobody",
    given="denied: late (it is late)",
    command="authz perform d",
    steps=1,
)
FAULT: Final = Fault(Place("fixtures/b.yaml", 3, 1), "unknown_type", "there is no type `x`")
BROKEN: Final = ScenarioResult("scenarios/b.yaml", "About b", faults=(FAULT,))


def scenario_of(*items: ItemResult) -> ScenarioResult:
    """Make what came of a scenario."""
    return ScenarioResult(FILE, "Users see their own", items, seconds=1.5)


def run_of(*scenarios: ScenarioResult) -> Run:
    """Make what came of a run."""
    return Run(scenarios, 2.5)


ALL: Final = run_of(scenario_of(PASSED, FAILED, SKIPPED, ERROR, UNDONE), BROKEN)
