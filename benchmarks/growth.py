"""What a larger store costs a question, and what unrelated rules do: `make bench-growth`."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from measure import median, time_rounds
from portal_store import ROOT, build_decider, make_questions, make_store

from authz_service.portal import DOMAIN

if TYPE_CHECKING:
    from authz_service.decision.decider import Decider
    from authz_service.store.domain import Domain

_SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)


@click.command()
@click.option("--largest", default=_SIZES[-1], show_default=True, help="How large stores get.")
@click.option("--rules", default=1_000, show_default=True, help="How many unrelated rules.")
@click.option("--questions", default=10_000, show_default=True, help="How many are asked a round.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=ROOT / "var" / "benchmarks")
def main(largest: int, rules: int, questions: int, rounds: int, folder: Path) -> None:
    """Measure Decider.check on growing stores and a growing policy.

    A store of 1,000,000 customers, which have 5,000,000 subscriptions, takes 1.5 GB of disk.
    """
    click.echo("| customers | subscriptions | rules more | p50 µs | p99 µs | growth |")
    click.echo("|---|---|---|---|---|---|")
    base = 0.0
    for customers in [each for each in _SIZES if each <= largest]:
        store = make_store(folder, customers)
        p50, p99 = _measure(build_decider("compiled", store), customers, questions, rounds)
        base = base or p50
        sizes = f"{customers:,} | {5 * customers:,}"
        click.echo(f"| {sizes} | 0 | {p50:.1f} | {p99:.1f} | {p50 / base:.2f} x |")
    customers = _SIZES[0]
    with tempfile.TemporaryDirectory() as place:
        domain = _add_rules(Path(place), rules)
        decider = build_decider("compiled", make_store(folder, customers), domain, Path(place))
        p50, p99 = _measure(decider, customers, questions, rounds)
    sizes = f"{customers:,} | {5 * customers:,}"
    click.echo(f"| {sizes} | {rules:,} | {p50:.1f} | {p99:.1f} | {p50 / base:.2f} x |")


def _measure(decider: Decider, customers: int, count: int, rounds: int) -> tuple[float, float]:
    asked = make_questions(customers, count)
    found = time_rounds(
        decider.check,
        [each.request for each in asked],
        rounds,
        lambda number, decision: decision.allowed is asked[number].allowed,
    )
    return median(found, 50), median(found, 99)


def _add_rules(folder: Path, count: int) -> Domain:
    """Write the portal's policies and rules for as many actions more, and declare those."""
    for path in sorted((ROOT / "policies").glob("*.polar")):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    actions = tuple(f"unrelated_{number}" for number in range(count))
    rules = [
        f'permit(person: Person, "{action}", subscription: Subscription) if\n'
        f"    administers(person, subscription.customer);\n"
        for action in actions
    ]
    (folder / "unrelated.polar").write_text("\n".join(rules), encoding="utf-8")
    known = DOMAIN.actions
    more = {**known, "subscription": (*known["subscription"], *actions)}
    return dataclasses.replace(DOMAIN, actions=more)


if __name__ == "__main__":
    main()
