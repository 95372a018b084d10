"""State machines: the tables by which registrations are performed, held against the policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from performing import ROOT, build_portal_engine

from authz_service import assembly, storage
from authz_service.policy.request import Said, build_request
from authz_service.portal import DOMAIN
from authz_service.store.entity import Reference, Row
from authz_service.store.machine import draw

if TYPE_CHECKING:
    from authz_service.store.machine import Machine

TAKERS: Final = {
    "the access owner": "person/els",
    "the requester": "person/bram",
    "an operator": "operator/rita",
}
STATES: Final = [
    pytest.param(machine, state, id=f"{machine.title}: {state}")
    for machine in DOMAIN.machines
    for state in sorted({step.target for step in machine.steps})
]


def name_of(machine: Machine) -> str:
    """Name a machine for people."""
    return machine.title


def refused_actions(machine: Machine, state: str) -> dict[str, bool]:
    """Ask the policies for each action, by whoever takes it, whether the state is wrong for it."""
    store = storage.build_fixture_store(ROOT / "fixtures" / "bakery.yaml", DOMAIN)
    values: dict[str, Any] = {"customer": "240817365", "person": "bram", "status": state}
    values |= {"kind": machine.kind} if machine.kind else {"terms_accepted": True}
    reference = Reference(machine.type, "new")
    store.insert(Row(reference, values))
    decider = assembly.build_decider(build_portal_engine(), DOMAIN, store)
    found = {}
    for step in machine.steps:
        if step.source:
            subject = Reference.parse(TAKERS[step.who])
            said = Said(context={"channel": "web"})
            request = build_request(DOMAIN.schema, subject, step.action, reference, said)
            reasons = [each.code for each in decider.check(request).reasons]
            assert reasons in ([], ["wrong_state"])
            found[step.action] = bool(reasons)
    store.close()
    return found


@pytest.mark.parametrize(("machine", "state"), STATES)
def test_the_policies_allow_the_steps_of_the_table(machine: Machine, state: str) -> None:
    """In each state those and no others, by who is said to take them."""
    actions = {step.action for step in machine.steps if step.source}
    expected = {each: machine.find(state, each) is None for each in actions}

    assert expected == refused_actions(machine, state)


@pytest.mark.parametrize("machine", DOMAIN.machines, ids=name_of)
def test_every_step_is_an_action_that_can_be_performed(machine: Machine) -> None:
    """It can be asked for, and something happens by it."""
    for step in machine.steps:
        kind = machine.type if step.source else "customer"

        assert step.action in DOMAIN.actions[kind]
        assert (kind, step.action) in DOMAIN.procedures


@pytest.mark.parametrize("machine", DOMAIN.machines, ids=name_of)
def test_a_state_has_one_step_for_an_action(machine: Machine) -> None:
    """What happens is never a matter of order."""
    ways = [(step.source, step.action) for step in machine.steps]

    assert len(ways) == len(set(ways))


@pytest.mark.parametrize("machine", DOMAIN.machines, ids=name_of)
def test_every_state_can_be_come_to(machine: Machine) -> None:
    """From the beginning, step by step."""
    reached = {""}
    for _ in machine.steps:
        reached |= {step.target for step in machine.steps if step.source in reached}

    assert {step.source for step in machine.steps} <= reached


def test_every_action_that_changes_something_is_performed() -> None:
    """What is not, is only looked at, or done elsewhere."""
    looking = ("view", "access", "manage", "activate", "delegate_part")
    wanted = {
        (kind, action)
        for kind, actions in DOMAIN.actions.items()
        for action in actions
        if not action.startswith(looking)
    }

    assert wanted == set(DOMAIN.procedures)


@pytest.mark.parametrize("machine", DOMAIN.machines, ids=name_of)
def test_the_page_has_the_diagram_of_the_table(machine: Machine) -> None:
    """It is drawn from the data: `authz steps --diagram`."""
    page = (ROOT / "docs" / "performing.md").read_text()

    assert f"```mermaid\n{draw(machine)}\n```" in page
