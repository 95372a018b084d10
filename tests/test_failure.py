"""Failures in lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from run_results import ERROR, FAILED, UNDONE

from authz_service.scenario.failure import describe_failure

FAILURE: Final = [
    "scenarios/smith.yaml:8:11: person/mary view_usage subscription/0470000001 via web",
    "  expected: allow",
    "  came:     deny: late (it is late), not_permitted (no rule)",
    "  why:      person/mary may not view_usage on subscription/0470000001: it is late.",
    "  ask:      authz check b",
]


def test_a_failure_is_told_with_all_one_needs() -> None:
    """A failure says where, what was asked, expected and given, why, and how to ask again."""
    assert FAILURE == describe_failure(FAILED)


def test_a_failure_after_steps_says_that_the_command_does_not_take_them() -> None:
    """Who pastes the command has to know why the answer may be another one."""
    after = "  after:    the 2 steps before it in the file, which this command does not take"

    assert [*FAILURE, after] == describe_failure(replace(FAILED, steps=2))


def test_a_step_that_failed_is_told_with_all_one_needs() -> None:
    """Where, what was done, what was expected of it and what came, line below line."""
    assert [
        "scenarios/smith.yaml:12:5: do person/mary become_administrator customer/123456789",
        "  expected: done",
        "            informs nobody",
        "  came:     denied: late (it is late)",
        "  do:       authz perform d",
        "  after:    the step before it in the file, which this command does not take",
    ] == describe_failure(UNDONE)


def test_what_could_not_be_put_is_told_with_the_reason() -> None:
    """Then there is no answer, and no command that would give one."""
    assert [
        "scenarios/smith.yaml:8:11: person/mary view_usage subscription/0470000001 via web",
        "  error:    KeyError: 'x' (members.py, line 3)",
    ] == describe_failure(ERROR)
