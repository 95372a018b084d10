"""A scenario held against its domain: what is asked and done in it, and what is wrong with that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from authz_service.errors import Fault, RequestError, ScenarioError, quote, suggest
from authz_service.policy.said import (
    add_channel,
    build_checked_deed,
    build_checked_request,
    shorten,
)
from authz_service.scenario.case import Inquiry
from authz_service.store.draft import DraftReader
from authz_service.store.writer import write_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz_service.polar.schema import Schema
    from authz_service.policy.request import Request
    from authz_service.scenario.case import Scenario
    from authz_service.scenario.step import Step
    from authz_service.store.domain import Domain
    from authz_service.store.entity import Reference

# What entities must be after a step, as JSON has it; None for those that must be no more.
Wanted = dict["Reference", dict[str, Any] | None]


def check_scenario(domain: Domain, scenario: Scenario) -> None:
    """Check a scenario before anything in it is asked or done.

    Raises:
        ScenarioError: with all that is wrong in it.
    """
    faults: list[Fault] = []
    for item in scenario.items:
        try:
            if isinstance(item, Inquiry):
                build_request(domain.schema, item)
            else:
                faults += _check_step(domain, item)
        except ScenarioError as error:
            faults += error.faults
    if faults:
        raise ScenarioError(faults)


def build_request(schema: Schema, inquiry: Inquiry) -> Request:
    """Build the request of a question.

    Raises:
        ScenarioError: when the domain does not take what comes with it.
    """
    asked = inquiry.subject, inquiry.action, inquiry.resource
    try:
        return build_checked_request(schema, *asked, inquiry.all_said)
    except RequestError as error:
        raise blame(error, inquiry) from None


def build_deed(
    schema: Schema, step: Step, sent: Mapping[str, str]
) -> tuple[Request, dict[str, Any]]:
    """Build the request of a step, with what only the doing needs.

    Arguments:
        schema: the vocabulary.
        step: what is done.
        sent: what was sent, by parameter.

    Raises:
        ScenarioError: as above.
    """
    asked = step.subject, step.action, step.resource
    try:
        return build_checked_deed(schema, *asked, add_channel(step.say(sent), step.channel))
    except RequestError as error:
        raise blame(error, step) from None


def blame(error: RequestError, item: Inquiry | Step) -> ScenarioError:
    """Say where a file has what is wrong with a request."""
    shortened = [shorten(each) for each in error.faults]
    places = [item.places.get(each.where.name, item.place) for each in shortened]
    return ScenarioError(
        replace(fault, where=place) for fault, place in zip(shortened, places, strict=True)
    )


def read_changes(schema: Schema, step: Step) -> Wanted | None:
    """Read what a step must change; None where the file does not say.

    Raises:
        ScenarioError: for a type, an attribute or a value that the domain does not have.
    """
    if step.changes is None:
        return None
    reader, wanted = DraftReader(schema), Wanted()
    for each in step.changes:
        if each.values is None:
            reader.find_type(each.reference.type, each.place)
            wanted[each.reference] = None
        else:
            values = reader.read_part(each.reference.type, each.place, each.values)
            wanted[each.reference] = write_values(values)
    if reader.faults:
        raise ScenarioError(reader.faults)
    return wanted


def _check_step(domain: Domain, step: Step) -> Iterator[Fault]:
    found = domain.schema.types.get(step.resource.type)
    is_known = found is not None and step.action in found.actions
    if is_known and (step.resource.type, step.action) not in domain.procedures:
        done = [action for kind, action in domain.procedures if kind == step.resource.type]
        why = f"{quote(step.action)} changes nothing; ask with `can:` whether it is allowed"
        nearest = suggest(step.action, done)
        yield Fault(step.places["action"], "not_performable", why + nearest)
    for template in sorted({each for told in (step.informs or {}).values() for each in told}):
        if template not in domain.templates:
            message = f"there is no message {quote(template)}{suggest(template, domain.templates)}"
            yield Fault(step.places.get("informs", step.place), "unknown_message", message)
    # each on its own, so that all faults are told at once
    for check in (
        lambda: build_deed(domain.schema, step, step.sent),
        lambda: read_changes(domain.schema, step),
    ):
        try:
            check()
        except ScenarioError as error:
            yield from error.faults
