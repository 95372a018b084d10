"""Builds what reviews a store of the portal, by its policies."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from generated_agreement import LONG
from performing import SETTINGS

from authz_service import assembly
from authz_service.decision.review import Wanted
from authz_service.decision.reviewer import Reviewer
from authz_service.policy.request import Said
from authz_service.portal import DOMAIN
from authz_service.storage import tell_time
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from authz_service.decision.review import Review
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.store.database import Store
    from authz_service.store.entity import Row

# More than there are.
ALL: Final = 1_000_000


@cache
def compiled() -> CompiledEngine:
    """The policies of the portal."""
    return assembly.build_compiled(replace(SETTINGS, time_limit=LONG), DOMAIN)


@contextmanager
def watch(_length: int, _label: str) -> Iterator[Callable[[int], Any]]:
    """Show nothing."""
    yield lambda _count: None


def fill(store: Store, rows: Iterable[Row]) -> None:
    """Put entities into a store, each with a revision of its own."""
    with store.transaction():
        for revision, row in enumerate(rows, 1):
            store.insert(row, revision)


def review(
    store: Store,
    entity: str,
    *,
    side: str | None = None,
    via: str | None = None,
    limit: int = ALL,
) -> Review:
    """Review an entity of the portal."""
    now, engine = tell_time(), compiled()
    settings = replace(SETTINGS, search_time_limit=LONG)
    decider = assembly.build_decider(engine, DOMAIN, store, lambda: now, settings)
    explainer = assembly.build_explainer(engine, decider, DOMAIN, store, lambda: now)
    wanted = Wanted(Reference.parse(entity), side, Said(), via, limit)
    return Reviewer(engine, decider, explainer, store, now).review(wanted, watch)
