"""Names in a scenario that stand for nothing: types and actions, entities, rules and reasons.

What does not exist is mostly misspelt. A question that is about just that says so: it expects the
reason that shows it, such as `unknown_subject`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from authz_service.errors import Fault, quote, suggest, with_article
from authz_service.policy.missing import CHANGE, REMOVE, SAY
from authz_service.policy.reasons import (
    UNKNOWN_ACTION,
    UNKNOWN_RESOURCE,
    UNKNOWN_SUBJECT,
)
from authz_service.scenario.inquiry import Inquiry
from authz_service.scenario.listing import ACTIONS, WHAT, WHO, Listing
from authz_service.scenario.step import Step
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from authz_service.errors import Place
    from authz_service.polar.schema import Schema
    from authz_service.policy.missing import Fact
    from authz_service.scenario.case import Scenario
    from authz_service.scenario.item import Item
    from authz_service.scenario.policy_words import PolicyWords

_UNKNOWN: Final = frozenset({UNKNOWN_SUBJECT, UNKNOWN_RESOURCE, UNKNOWN_ACTION})
# What steps make has such ids where they name none.
_MADE: Final = re.compile(r"new-[0-9]+")


def find_unknown_words(schema: Schema, item: Item) -> Iterator[Fault]:
    """Find the types and actions of an item that the domain does not have."""
    match item:
        case Inquiry() if _UNKNOWN.isdisjoint(item.expected.reasons):
            yield from _find_unknown(schema, item, item.subject, item.action, item.resource)
            for number, fact in enumerate(item.expected.missing):
                yield from _find_unknown_facts(schema, _place(item, f"missing.{number}"), fact)
        case Step() if _UNKNOWN.isdisjoint(item.denied):
            yield from _find_unknown(schema, item, item.subject, item.action, item.resource)
        case Listing():
            yield from _find_unknown(schema, item, item.subject, item.action, item.resource)
            yield from _find_odd(schema, item)


def find_unknown_entities(
    scenario: Scenario,
    schema: Schema,
    exists: Callable[[Reference], bool],
    find_all: Callable[[str], Iterable[Reference]],
) -> Iterator[Fault]:
    """Find the entities of a scenario that are neither there nor made by a step.

    Arguments:
        scenario: which.
        schema: the vocabulary.
        exists: tells whether an entity is there from the beginning.
        find_all: finds all of a type that are, to name the nearest.
    """
    steps = scenario.steps
    made = {each.new for each in steps}
    changed = {each.reference for step in steps for each in step.changes or ()}
    known: dict[Reference, bool] = {}
    for item in scenario.items:
        for place, each in _find_named(item):
            kind = schema.types.get(each.type)
            if not kind or not kind.stored or each in changed or each.id in made:
                continue
            if steps and _MADE.fullmatch(each.id):
                continue
            if each not in known:
                known[each] = exists(each)
            if not known[each]:
                nearest = suggest(str(each), map(str, find_all(each.type)))
                message = f"there is no {quote(str(each))} in the fixture{nearest}"
                yield Fault(place, "unknown_entity", message)


def find_unknown_policy_words(item: Item, words: PolicyWords) -> Iterator[Fault]:
    """Find the rules and reasons of an item that the policies do not have."""
    match item:
        case Inquiry():
            for name in item.expected.because:
                if not words.rules.find(name):
                    message = words.rules.describe_unknown(name)
                    yield Fault(_place(item, "because"), "unknown_rule", message)
            yield from _find_unknown_reasons(item.place, item.expected.reasons, words)
        case Step():
            yield from _find_unknown_reasons(_place(item, "denied"), item.denied, words)


def _find_unknown_reasons(
    place: Place, reasons: Iterable[str], words: PolicyWords
) -> Iterator[Fault]:
    for code in reasons:
        if code not in words.reasons:
            message = f"no policy gives the reason {quote(code)}{suggest(code, words.reasons)}"
            yield Fault(place, "unknown_reason", message)


def _find_unknown(
    schema: Schema,
    item: Inquiry | Listing | Step,
    subject: Reference | None,
    action: str,
    resource: Reference | None,
) -> Iterator[Fault]:
    if subject and subject.type not in schema.subjects:
        message = f"{quote(subject.type)} is no type of subject"
        nearest = suggest(subject.type, schema.subjects)
        yield Fault(_place(item, "who"), UNKNOWN_SUBJECT, message + nearest)
    kinds = {name: each.actions for name, each in schema.types.items() if each.actions}
    if resource and resource.type not in kinds:
        message = f"{quote(resource.type)} is no type of resource{suggest(resource.type, kinds)}"
        yield Fault(_place(item, "on"), UNKNOWN_RESOURCE, message)
        return
    actions = kinds[resource.type] if resource else [each for one in kinds.values() for each in one]
    if action and action not in actions:
        where = f"on {with_article(resource.type)}" if resource else "on anything"
        message = f"{quote(action)} is no action {where}{suggest(action, actions)}"
        yield Fault(_place(item, "action"), UNKNOWN_ACTION, message)


def _find_unknown_facts(schema: Schema, place: Place, fact: Fact) -> Iterator[Fault]:
    """Find the type or the attributes of a fact that the domain does not have."""
    if fact.deed == SAY:
        known = {*schema.context, *schema.parameters}
        for name, _ in fact.demands:
            if name not in known:
                message = f"nothing that is called {quote(name)} can be said{suggest(name, known)}"
                yield Fault(place, "unknown_name", message)
        return
    kind = schema.types.get(fact.type)
    if kind is None or not kind.stored:
        stored = [name for name, each in schema.types.items() if each.stored]
        message = f"there is no entity type {quote(fact.type)}{suggest(fact.type, stored)}"
        yield Fault(place, "unknown_type", message)
        return
    for name, _ in fact.demands:
        if name not in kind.attributes:
            what = f"{with_article(fact.type)} has no attribute {quote(name)}"
            yield Fault(place, "unknown_attribute", what + suggest(name, kind.attributes))


def _find_odd(schema: Schema, listing: Listing) -> Iterator[Fault]:
    """Find what cannot be in a list, whatever the policies say."""
    if listing.kind == ACTIONS and listing.resource:
        kind = schema.types.get(listing.resource.type)
        for action in sorted(listing.expected.difference(kind.actions if kind else ())):
            yield from _find_unknown(schema, listing, None, action, listing.resource)
        return
    for each in sorted(listing.expected):
        found = Reference.parse(each)
        if listing.kind == WHO:
            yield from _find_unknown(schema, listing, found, "", None)
        else:
            yield from _find_unknown(schema, listing, None, listing.action, found)


def _find_named(item: Item) -> Iterator[tuple[Place, Reference]]:
    """Find the entities that an item is about, and where."""
    match item:
        case Inquiry() if _UNKNOWN.isdisjoint(item.expected.reasons):
            yield _place(item, "who"), item.subject
            yield _place(item, "on"), item.resource
            for number, fact in enumerate(item.expected.missing):
                if fact.deed in {CHANGE, REMOVE}:
                    yield _place(item, f"missing.{number}"), Reference(fact.type, fact.id)
        case Step() if _UNKNOWN.isdisjoint(item.denied):
            yield _place(item, "who"), item.subject
            yield _place(item, "on"), item.resource
        case Listing():
            asked = ("who", item.subject), ("on", item.resource)
            yield from ((_place(item, key), each) for key, each in asked if each)
            if item.kind in {WHO, WHAT}:
                yield from ((item.place, Reference.parse(each)) for each in sorted(item.expected))


def _place(item: Inquiry | Listing | Step, key: str) -> Place:
    return item.places.get(key, item.place)
