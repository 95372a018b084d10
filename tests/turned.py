"""Which answers a change of policies turns, found by asking everything: what impact is held to."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from authz_service.policy.effect import Direction
from authz_service.policy.impact import Impact, Terms
from authz_service.policy.request import Request
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.effect import Effect
    from authz_service.policy.plan import Key
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain

LONG: Final = 600_000
ALL: Final = 1_000_000


class Change(NamedTuple):
    """Two policies about one domain."""

    old: CompiledEngine
    new: CompiledEngine
    domain: Domain


# A direction, and the ids of subject and resource.
Turned = set[tuple[Direction, str, str]]


def list_allowed(
    engine: CompiledEngine, store: Store, key: Key, given: Mapping[str, Any], now: datetime
) -> set[tuple[str, str]]:
    """Ask about every pair that is stored, and list those that are allowed."""
    subject, action, resource = key
    pairs = list(product(store.find_ids(subject), list(store.find_ids(resource))))
    requests = [
        Request(Reference(subject, first), action, Reference(resource, second), given)
        for first, second in pairs
    ]
    decided = engine.reasons_many(store, requests, now)
    return {pair for pair, reasons in zip(pairs, decided, strict=True) if not reasons}


def compare(before: set[tuple[str, str]], after: set[tuple[str, str]]) -> Turned:
    """Find whose answers differ."""
    gained = {(Direction.ALLOWED, *each) for each in after - before}
    return gained | {(Direction.DENIED, *each) for each in before - after}


def ask_all(
    change: Change, store: Store, key: Key, given: Mapping[str, Any], now: datetime
) -> Turned:
    """Ask both policies about every pair that is stored, and find whose answers differ."""
    return compare(*(list_allowed(each, store, key, given, now) for each in change[:2]))


def find_effects(
    change: Change, store: Store, key: Key, said: Mapping[str, Any], now: datetime
) -> list[Effect]:
    """Find the effects of a change on one question, with all that they concern."""
    terms = Terms(said, now, ALL, lambda: LONG)
    with store.snapshot():
        return list(Impact(*change, store, terms).find_effects(key))


def list_turned(effects: Iterable[Effect]) -> list[tuple[Direction, str, str]]:
    """List whom effects concern; whoever is counted has to be listed."""
    effects = list(effects)
    found = [
        (effect.cause.direction, each.subject, each.resource)
        for effect in effects
        for each in effect.examples
    ]
    assert len(found) == sum(effect.count for effect in effects)
    return found
