"""The policy sets that served, and from when on: kept as they were read, each text once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import peewee

from authz_service.errors import NotFoundError, quote
from authz_service.store.system import Activated, PolicyText
from authz_service.store.writer import hold_revision

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from authz_service.store.database import Store

DIGEST_PREFIX: Final = "sha256:"


@dataclass(frozen=True)
class KeptPolicies:
    """A policy set that is kept.

    Arguments:
        digest: of names and texts.
        files: the texts by their names, in the order of the names.
    """

    digest: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Activation:
    """From when on a policy set served.

    Arguments:
        digest: which one.
        at: when.
        who: began to serve it.
    """

    digest: str
    at: datetime
    who: str


def keep_policies(store: Store, policies: KeptPolicies, who: str, now: datetime) -> bool:
    """Note that a policy set serves from now on, unless it is the one that serves already.

    Several that start at once note it once.

    Arguments:
        store: where.
        policies: the set.
        who: begins to serve it.
        now: when.

    Returns:
        whether it is another one than before.

    Raises:
        StoreError: when the database cannot write.
    """
    digest = policies.digest
    with store.transaction():
        hold_revision(store)
        last = store.run(Activated.select().order_by(Activated.number.desc()).limit(1).dicts())
        if any(each["digest"] == digest for each in last):
            return False
        known = store.run(PolicyText.select().where(PolicyText.digest == digest).dicts())
        if not list(known):
            files = json.dumps(dict(policies.files), ensure_ascii=False)
            store.run(PolicyText.insert(digest=digest, files=files))
        store.run(Activated.insert(digest=digest, at=now, who=who))
    return True


def find_activations(store: Store) -> list[Activation]:
    """Find which policy sets served, from the first on."""
    found = store.run(Activated.select().order_by(Activated.number).dicts())
    return [Activation(each["digest"], each["at"], each["who"]) for each in found]


def find_serving(store: Store, at: datetime) -> KeptPolicies | None:
    """Find the policy set that served at a time; None when none is kept that did."""
    before = Activated.select(Activated.digest).where(Activated.at <= at)
    latest = before.order_by(Activated.at.desc(), Activated.number.desc()).limit(1)
    for (digest,) in store.run(latest.tuples()):
        return get_policies(store, digest)
    return None


def get_policies(store: Store, digest: str) -> KeptPolicies:
    """Get a policy set by its digest, or by what that alone begins with.

    Raises:
        NotFoundError: when there is none, or more than one.
    """
    start = DIGEST_PREFIX + digest.removeprefix(DIGEST_PREFIX)
    begins = peewee.fn.SUBSTR(PolicyText.digest, 1, len(start)) == start
    found = list(store.run(PolicyText.select().where(begins).limit(2).dicts()))
    if len(found) == 1:
        return KeptPolicies(found[0]["digest"], json.loads(found[0]["files"]))
    many = "several policy sets are" if found else "no policy set is"
    message = f"{many} kept whose digest begins so; `authz policy history` lists those that served"
    raise NotFoundError.at(quote(digest), "unknown_policies", message)
