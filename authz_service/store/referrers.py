"""What refers to an entity: it keeps it from being removed, or belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import peewee

from authz_service.store.entity import Reference, find_link, find_links, type_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from authz_service.store.database import Store
    from authz_service.store.domain import Domain


def find_referrers(
    store: Store, domain: Domain, reference: Reference, most: int
) -> tuple[list[Reference], int]:
    """Find what refers to an entity, itself aside: the first ones, and how often it is done.

    Arguments:
        store: the entities.
        domain: says what can refer to what.
        reference: the entity.
        most: how many are named.
    """
    found: dict[Reference, None] = {}
    count = 0
    for kind, owner, key in _find_keys(domain, reference.type):
        wanted = key == reference.id
        if kind == reference.type:
            wanted &= owner != reference.id
        [(number,)] = store.run(owner.model.select(_count(owner)).where(wanted).tuples())
        count += number
        left = most - len(found)
        if number and left > 0:
            query = owner.model.select(owner).where(wanted).order_by(owner).limit(left)
            found |= {Reference(kind, each): None for (each,) in store.run(query.tuples())}
    return list(found), count


def find_belongings(
    store: Store, domain: Domain, reference: Reference, kinds: Collection[str]
) -> list[Reference]:
    """Find the entities of some types whose references lead to an entity, in any number of steps.

    What an entity lists is no reference of this kind.

    Arguments:
        store: the entities.
        domain: says what can refer to what.
        reference: the entity.
        kinds: the types; a step leads by way of these alone.
    """
    reached = [reference]
    known = {reference}
    for each in reached:  # which grows
        for kind, owner, key in _find_keys(domain, each.type, lists=False):
            if kind not in kinds:
                continue
            query = owner.model.select(owner).where(key == each.id)
            found = [Reference(kind, name) for (name,) in store.run(query.tuples())]
            reached += (one for one in found if one not in known)
            known.update(found)
    return sorted(reached[1:])


def _find_keys(
    domain: Domain, kind: str, *, lists: bool = True
) -> Iterator[tuple[str, peewee.Field[Any], peewee.Field[Any]]]:
    """Find the columns that can refer to a type, each with that which says whose it is."""
    for model in domain.models:
        owner = type_name(model)
        for key, target in model._meta.refs.items():  # noqa: SLF001  # peewee's interface
            if model.stored and type_name(target) == kind:
                yield owner, model.id, key
        for name in find_links(model) if lists else ():
            _, here, there = find_link(model, name)
            if type_name(there.rel_model) == kind:
                yield owner, here, there


def _count(column: peewee.Field[Any]) -> peewee.Function:
    return peewee.fn.COUNT(column)
