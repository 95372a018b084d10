"""A scenario held against its domain: what is asked and done in it, and what is wrong with that."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from authz_service.errors import Fault, RequestError, ScenarioError, quote, suggest, with_article
from authz_service.policy.said import (
    add_channel,
    build_checked_deed,
    build_checked_request,
    shorten,
)
from authz_service.scenario.inquiry import Inquiry
from authz_service.scenario.listing import WHAT, WHO, Listing
from authz_service.scenario.step import Step
from authz_service.scenario.strangers import find_unknown_policy_words, find_unknown_words
from authz_service.store.draft import DraftReader
from authz_service.store.entity import Reference
from authz_service.store.writer import write_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz_service.polar.schema import Schema
    from authz_service.policy.request import Request
    from authz_service.scenario.building import Exhaustive
    from authz_service.scenario.case import Scenario
    from authz_service.scenario.policy_words import PolicyWords
    from authz_service.store.domain import Domain

# What entities must be after a step, as JSON has it; None for those that must be no more.
Wanted = dict[Reference, dict[str, Any] | None]


def check_scenario(domain: Domain, scenario: Scenario, words: PolicyWords | None = None) -> None:
    """Check a scenario before anything in it is asked or done.

    Arguments:
        domain: what it is about.
        scenario: which.
        words: those of the policies; None where it is held against no policies.

    Raises:
        ScenarioError: with all that is wrong in it.
    """
    faults = [fault for each in scenario.exhaustive for fault in _find_lacking(domain.schema, each)]
    for item in scenario.items:
        faults += find_unknown_words(domain.schema, item)
        faults += find_unknown_policy_words(item, words) if words else ()
        try:
            match item:
                case Inquiry():
                    build_request(domain.schema, item)
                case Listing():
                    build_searches(domain.schema, item)
                case Step():
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


def build_searches(schema: Schema, listing: Listing) -> list[Request]:
    """Build the requests of a list, one for each type of what is looked for.

    Raises:
        ScenarioError: as above, and when something is said of what is looked for.
    """
    subjects, actions, resources = [listing.subject], [listing.action], [listing.resource]
    part = ""
    if listing.kind == WHO:
        part, subjects = "subject", [Reference(each, "") for each in sorted(schema.subjects)]
    elif listing.kind == WHAT:
        types = [name for name, each in schema.types.items() if listing.action in each.actions]
        part, resources = "resource", [Reference(each, "") for each in sorted(types)]
    elif listing.resource:
        known = schema.types.get(listing.resource.type)
        actions = list(known.actions[:1]) if known else []  # it is not looked at
    if part and getattr(listing.said, part):
        message = f"what is looked for is as it is stored, so nothing is said of the {part}"
        place = listing.places["with"]
        raise ScenarioError.at(place, "searched_is_stored", message)
    try:
        return [
            build_checked_request(schema, subject, action, resource, listing.all_said)
            for subject, action, resource in itertools.product(subjects, actions, resources)
            if subject and resource
        ]
    except RequestError as error:
        raise blame(error, listing) from None


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


def blame(error: RequestError, item: Inquiry | Listing | Step) -> ScenarioError:
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


def _find_lacking(schema: Schema, case: Exhaustive) -> Iterator[Fault]:
    """Find the actions that a case which must have all of them has not."""
    for kind in sorted(case.types):
        known = schema.types.get(kind)
        lacking = [each for each in known.actions if each not in case.actions] if known else []
        if lacking:
            named = ", ".join(map(quote, lacking))
            message = f"is exhaustive and lacks {named} on {with_article(kind)}"
            yield Fault(case.place, "not_exhaustive", f"this case {message}; say what must come")


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
