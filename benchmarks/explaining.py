"""What an explanation costs, to a check of the same question, in process: `make bench-explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from measure import median, time_rounds
from portal_store import ROOT, build_explainer, make_questions, make_store

if TYPE_CHECKING:
    from authz_service.decision.answer import Decision
    from authz_service.decision.explanation import Explanation


@click.command()
@click.option("--customers", default=200_000, show_default=True, help="How large the store is.")
@click.option("--questions", default=2_000, show_default=True, help="How many are asked a round.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=ROOT / "var" / "benchmarks")
def main(customers: int, questions: int, rounds: int, folder: Path) -> None:
    """Measure checks and explanations of the same questions."""
    explainer, decider = build_explainer(make_store(folder, customers))
    asked = make_questions(customers, questions)
    click.echo("| questions | check p50 µs | explanation p50 µs | p99 µs | to check |")
    click.echo("|---|---|---|---|---|")
    for name, wanted in (("all", {True, False}), ("allowed", {True}), ("denied", {False})):
        chosen = [each for each in asked if each.allowed in wanted]
        requests = [each.request for each in chosen]

        def accept(number: int, got: Decision) -> bool:
            return got.allowed == chosen[number].allowed  # noqa: B023  # called in this very turn

        def accept_explained(number: int, got: Explanation) -> bool:
            return accept(number, got.decision) and bool(got.missing) != got.decision.allowed

        checked = time_rounds(decider.check, requests, rounds, accept)
        explained = time_rounds(explainer.explain, requests, rounds, accept_explained)
        base, p50 = median(checked, 50), median(explained, 50)
        p99 = median(explained, 99)
        click.echo(f"| {name} | {base:.1f} | {p50:.1f} | {p99:.1f} | {p50 / base:.1f} x |")


if __name__ == "__main__":
    main()
