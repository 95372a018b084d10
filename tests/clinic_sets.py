"""Policy sets of the clinic that answer differently, and what tries and keeps them in a test."""

from __future__ import annotations

import itertools
import os
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from domains.clinic import DOMAIN

from authz_service import assembly
from authz_service.activation.candidate import Candidate
from authz_service.activation.gate import judge
from authz_service.activation.keeper import Keeper
from authz_service.activation.signature import Trust
from authz_service.policy.kept import pack_policies
from authz_service.policy.source import PolicyFile, build_policy_set, load_policies
from authz_service.settings import Settings
from authz_service.storage import create_store
from authz_service.store.database import open_store
from authz_service.store.policies import Origin, keep_policies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authz_service.activation.verdict import Verdict
    from authz_service.policy.source import PolicySet
    from authz_service.store.database import Store

CLINIC: Final = Path(__file__).parent / "domains" / "clinic"
# Where another process finds the domain, and the service.
CLINIC_PATH: Final = os.pathsep.join(map(str, (CLINIC.parents[2], CLINIC.parents[1])))
NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
READS: Final[dict[str, Any]] = {
    "subject": {"type": "staff", "id": "dr-abel"},
    "action": {"name": "read"},
    "resource": {"type": "record", "id": "lind-chart"},
}
CLOSED: Final = 'forbid("closed", _request: Request, _action: String, _record: Record);\n'
CLERKS_READ: Final = 'permit(_: Staff{profession: "clerk"}, "read", _record: Record);\n'
CLERKS_READ_CHARTS: Final = (
    'permit(_: Staff{profession: "clerk"}, "read", record: Record) if record.kin = "chart";\n'
)


def build_set(more: str = "", folder: str = "policies") -> PolicySet:
    """Build the policies of the clinic, with more to them."""
    files = list(load_policies(CLINIC / "policies").files)
    return build_policy_set(folder, [*files, *([PolicyFile("more.polar", more)] if more else [])])


def build_candidate(
    more: str = "", origin: Origin = Origin.BUNDLE, signature: str = ""
) -> Candidate:
    """Build a candidate of such policies."""
    return Candidate(build_set(more), signature, origin)


def write_set(folder: Path, more: str = "") -> PolicySet:
    """Write such policies into a folder, and give back what is there by now."""
    folder.mkdir(exist_ok=True)
    for each in build_set(more).files:
        (folder / each.name).write_text(each.text)
    if not more:
        (folder / "more.polar").unlink(missing_ok=True)
    return load_policies(folder)


def build_settings(url: str, folder: Path, **changes: Any) -> Settings:
    """Build the settings of a clinic without scenarios, in a folder."""
    settings = Settings(
        database=url,
        domain="domains.clinic",
        policies=folder / "policies",
        fixtures=CLINIC / "fixtures",
        scenarios=folder / "scenarios",
    )
    return replace(settings, **changes)


@contextmanager
def open_clinic(url: str, *, with_policies: bool = True) -> Iterator[Store]:
    """Open a store of the clinic, in which the policies of the clinic serve."""
    store = open_store(url, DOMAIN)
    create_store(store, DOMAIN, [CLINIC / "fixtures"])
    if with_policies:
        keep_policies(store, pack_policies(build_set()), "root", NOW)
    try:
        yield store
    finally:
        store.close()


def build_keeper(
    settings: Settings,
    store: Store,
    trust: Trust | None = None,
    clock: Callable[[], datetime] = lambda: NOW,
) -> Keeper:
    """Build a keeper that tries policies in this process."""
    numbers = itertools.count()
    return Keeper(
        settings,
        store,
        trust or Trust(),
        clock,
        new_id=lambda: f"token-{next(numbers)}",
        run=try_here,
    )


def try_here(
    policies: PolicySet, settings: Settings, beat: Callable[[], None], *, with_checks: bool
) -> Verdict:
    """Try a set in this process, and say once that it is under way."""
    beat()
    return judge(policies, settings, with_checks=with_checks)


def build_service(settings: Settings, store: Store, policies: PolicySet) -> assembly.Service:
    """Build a service that answers by some policies."""
    engine = assembly.build_sampled_engine(settings, DOMAIN, policies=policies)
    return assembly.put_together(settings, DOMAIN, engine, store)
