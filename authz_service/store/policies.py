"""The policy sets that served, and from when on: kept as they were read, each text once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import peewee

from authz_service.errors import NotFoundError, quote
from authz_service.store.system import Activated, PolicyText
from authz_service.store.writer import hold_revision

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from authz_service.store.database import Store

DIGEST_PREFIX: Final = "sha256:"


class Origin(StrEnum):
    """Where a policy set came from when it began to serve."""

    FOLDER = "folder"
    BUNDLE = "bundle"
    ROLLBACK = "rollback"


@dataclass(frozen=True)
class KeptPolicies:
    """A policy set that is kept.

    Arguments:
        digest: of names and texts.
        files: the texts by their names, in the order of the names.
        signature: of the digest; empty where nobody signed it.
    """

    digest: str
    files: Mapping[str, str]
    signature: str = ""


@dataclass(frozen=True)
class Activation:
    """From when on a policy set served.

    Arguments:
        digest: which one.
        at: when.
        who: began to serve it.
        origin: where it came from.
        verdict: what trying it came to, as JSON has it; empty where it was not tried.
        number: counts the activations of a store.
    """

    digest: str
    at: datetime
    who: str
    origin: Origin = Origin.FOLDER
    verdict: Mapping[str, Any] = field(default_factory=dict)
    number: int = field(default=0, compare=False)


def keep_policies(  # noqa: PLR0913  # what an entry of the history has
    store: Store,
    policies: KeptPolicies,
    who: str,
    now: datetime,
    *,
    origin: Origin = Origin.FOLDER,
    verdict: Mapping[str, Any] | None = None,
) -> bool:
    """Note that a policy set serves from now on, unless it is the one that serves already.

    Several that start at once note it once.

    Arguments:
        store: where.
        policies: the set.
        who: begins to serve it.
        now: when.
        origin: where it came from.
        verdict: what trying it came to; None where it was not tried.

    Returns:
        whether it is another one than before.

    Raises:
        StoreError: when the database cannot write.
    """
    with store.transaction():
        hold_revision(store)
        keep_text(store, policies)
        last = find_last(store)
        if last and last.digest == policies.digest:
            return False
        about = {"source": origin, "verdict": json.dumps(dict(verdict or {}))}
        store.run(Activated.insert(digest=policies.digest, at=now, who=who, **about))
    return True


def keep_text(store: Store, policies: KeptPolicies) -> None:
    """Keep the text of a set; one that was kept before may be signed by now, or anew."""
    is_it = PolicyText.digest == policies.digest
    known = list(store.run(PolicyText.select(PolicyText.signature).where(is_it).tuples()))
    if not known:
        files = json.dumps(dict(policies.files), ensure_ascii=False)
        values = {"digest": policies.digest, "files": files, "signature": policies.signature}
        store.run(PolicyText.insert(values))
    elif policies.signature not in {"", known[0][0]}:
        store.run(PolicyText.update(signature=policies.signature).where(is_it))


def find_last(store: Store) -> Activation | None:
    """Find what serves; None when nothing ever did."""
    last = Activated.select().order_by(Activated.number.desc()).limit(1)
    return next(_read(store.run(last.dicts())), None)


def find_activations(store: Store) -> list[Activation]:
    """Find which policy sets served, from the first on."""
    return list(_read(store.run(Activated.select().order_by(Activated.number).dicts())))


def find_serving(store: Store, at: datetime) -> KeptPolicies | None:
    """Find the policy set that served at a time; None when none is kept that did."""
    before = Activated.select(Activated.digest).where(Activated.at <= at)
    latest = before.order_by(Activated.at.desc(), Activated.number.desc()).limit(1)
    for (digest,) in store.run(latest.tuples()):
        return get_policies(store, digest)
    return None


def has_served(store: Store, digest: str) -> bool:
    """Tell whether a policy set ever served."""
    return bool(list(store.run(Activated.select().where(Activated.digest == digest).limit(1))))


def get_policies(store: Store, digest: str) -> KeptPolicies:
    """Get a policy set by its digest, or by what that alone begins with.

    Raises:
        NotFoundError: when there is none, or more than one.
    """
    start = DIGEST_PREFIX + digest.removeprefix(DIGEST_PREFIX)
    begins = peewee.fn.SUBSTR(PolicyText.digest, 1, len(start)) == start
    found = list(store.run(PolicyText.select().where(begins).limit(2).dicts()))
    if len(found) == 1:
        [kept] = found
        return KeptPolicies(kept["digest"], json.loads(kept["files"]), kept["signature"])
    many = "several policy sets are" if found else "no policy set is"
    message = f"{many} kept whose digest begins so; `authz policy history` lists those that served"
    raise NotFoundError.at(quote(digest), "unknown_policies", message)


def _read(rows: Any) -> Iterator[Activation]:
    for each in rows:
        origin, verdict = Origin(each["source"]), json.loads(each["verdict"])
        yield Activation(each["digest"], each["at"], each["who"], origin, verdict, each["number"])
