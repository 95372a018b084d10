"""How long it takes to tell what a change of policies does: `make bench-impact` runs this.

Each change is one edit of our policies. What is found is compared with what is known of the store;
a wrong number ends the run. The questions that are replayed are those of `bench`, as lines of JSON.
What the processor was busy with it is told as well, for it says more where other jobs run.
"""

from __future__ import annotations

import io
import json
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from portal_store import ROOT, make_questions, make_store

from authz_service.policy.asked import read_asked
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.impact import Impact, Terms
from authz_service.policy.replay import Replay
from authz_service.policy.source import PolicyFile, build_policy_set, load_policies
from authz_service.portal import DOMAIN
from authz_service.storage import tell_time
from authz_service.store.database import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz_service.policy.source import PolicySet
    from authz_service.store.database import Store

_LONG: Final = 3_600_000


@dataclass(frozen=True)
class Change:
    """An edit of our policies, and what it does.

    Arguments:
        title: what it is.
        action: of which it is looked at.
        file, before, after: the edit.
        count: tells how many pairs it concerns, of so many customers.
    """

    title: str
    action: str
    file: str
    before: str
    after: str
    count: Callable[[int], int]


_CHANGES: Final = (
    Change(
        "administrators lose their bills",
        "view_bills",
        "roles.polar",
        'membership.role in ["administrator", "access_owner"];\n\nowns',
        'membership.role = "access_owner";\n\nowns',
        lambda customers: 5 * customers,
    ),
    Change(
        "users see all bills of their number",
        "view_bills",
        "subscriptions.polar",
        "administers(person, subscription.customer)",
        "member(person, subscription.customer)",
        lambda customers: 15 * customers,
    ),
    Change(
        "holders no longer see their usage",
        "view_usage",
        "subscriptions.polar",
        'action in ["view_usage", "activate_free_option"] and',
        'action in ["activate_free_option"] and',
        lambda customers: 3 * customers,
    ),
    Change(
        "anybody asks any business for access",
        "request_delegate_access",
        "delegate_requests.polar",
        'customer: Customer{kind: "business"}) if',
        'customer: Customer{kind: "residential"}) if',
        lambda customers: 4 * customers * customers - customers,
    ),
)


@click.command()
@click.option("--customers", default=200_000, show_default=True, help="How large the store is.")
@click.option("--decisions", default=1_000_000, show_default=True, help="How many are replayed.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=ROOT / "var" / "benchmarks")
def main(customers: int, decisions: int, rounds: int, folder: Path) -> None:
    """Measure the impact of changes on a large store, and the replay of many decisions."""
    store = open_store(f"sqlite:///{make_store(folder, customers)}", DOMAIN)
    click.echo("| change | pairs | s | CPU s |")
    click.echo("|---|---|---|---|")
    for change in _CHANGES:
        times = [_measure_impact(store, change, change.count(customers)) for _ in range(rounds)]
        click.echo(f"| {change.title} | {change.count(customers):,} | {_median(times)} |")
    lines = _write_lines(customers, decisions)
    click.echo("\n| decisions | of which asked | turned | s | CPU s |")
    click.echo("|---|---|---|---|---|")
    for change in _CHANGES[::2]:
        found = [_measure_replay(store, change, lines) for _ in range(rounds)]
        asked, turned, _ = found[0]
        times = [each for _, _, each in found]
        click.echo(f"| {decisions:,} | {asked:,} | {turned:,} | {_median(times)} |")


class _Clock:
    """Tells how long something takes, and for how long of that the processor was busy."""

    def __init__(self) -> None:
        self._started = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Read it."""
        wall, busy = self._started
        return time.perf_counter() - wall, time.process_time() - busy


def _median(times: list[tuple[float, float]]) -> str:
    return " | ".join(f"{statistics.median(each):.1f}" for each in zip(*times, strict=True))


def _measure_impact(store: Store, change: Change, wanted: int) -> tuple[float, float]:
    old, new = _compile(change)
    keys = [each for each in old.keys if each[1] == change.action]
    clock = _Clock()
    with store.snapshot():
        impact = Impact(old, new, DOMAIN, store, Terms({}, tell_time(), 10, lambda: _LONG))
        found = [each for key in keys for each in impact.find_effects(key)]
    times = clock.read()
    count = sum(each.count for each in found)
    if count != wanted:
        sys.exit(f"wrong: {change.title} concerns {count} pairs, not {wanted}")
    return times


def _measure_replay(
    store: Store, change: Change, lines: bytes
) -> tuple[int, int, tuple[float, float]]:
    old, new = _compile(change)
    clock = _Clock()
    with store.snapshot():
        replay = Replay(old, new, DOMAIN, store, now=tell_time(), listed=10, left=lambda: _LONG)
        asked = read_asked(io.BytesIO(lines), "questions", DOMAIN.schema, lambda _count: None)
        tally = replay.ask(asked)
        turned = sum(each.count for each in replay.find_effects())
    return tally.asked - tally.alike, turned, clock.read()


def _compile(change: Change) -> tuple[CompiledEngine, CompiledEngine]:
    old = load_policies(ROOT / "policies")
    return CompiledEngine(old, DOMAIN, _LONG), CompiledEngine(_edit(old, change), DOMAIN, _LONG)


def _edit(policies: PolicySet, change: Change) -> PolicySet:
    files = {each.name: each.text for each in policies.files}
    if change.before not in files[change.file]:
        sys.exit(f"wrong: {change.file} has changed, so the edit must change as well")
    files[change.file] = files[change.file].replace(change.before, change.after, 1)
    return build_policy_set("changed", [PolicyFile(*each) for each in files.items()])


def _write_lines(customers: int, decisions: int) -> bytes:
    questions = make_questions(customers, decisions)
    lines = (
        {
            "subject": {"type": "person", "id": request.subject.id},
            "action": {"name": request.action},
            "resource": {"type": "subscription", "id": request.resource.id},
            "context": {"channel": request.given["channel"]},
            "time": "2026-01-05T09:00:00Z",
        }
        for request in (each.request for each in questions)
    )
    return "".join(f"{json.dumps(each)}\n" for each in lines).encode()


if __name__ == "__main__":
    main()
