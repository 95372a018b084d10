"""Runs scenarios and tells what comes: on the terminal, in reports, and to the next run."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from authz_service.cli.options import show_warning
from authz_service.cli.output import erase_progress, show_progress
from authz_service.cli.reports import STANDARD_OUTPUT, write_reports
from authz_service.errors import AuthzError, ScenarioError
from authz_service.reporting.text import TextReport
from authz_service.scenario.failed import Failed, keep_failed, load_failed
from authz_service.scenario.result import Run, ScenarioResult, name_items
from authz_service.scenario.runner import Runner
from authz_service.scenario.suite import Task, run_plan, shuffle_plan
from authz_service.settings import allows_color

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz_service.cli.reports import WantedReport
    from authz_service.reporting.text import Detail
    from authz_service.scenario.suite import Plan
    from authz_service.settings import Settings


@dataclass(frozen=True)
class Manner:
    """How scenarios are run, and what is told of it.

    Arguments:
        jobs: how many processes run them.
        seed: by which they are shuffled; None where they are not.
        reports: what is written besides.
        detail: how much is printed.
        color: `auto`, `always` or `never`.
    """

    jobs: int
    seed: int | None
    reports: tuple[WantedReport, ...]
    detail: Detail
    color: str

    @property
    def uses_stderr(self) -> bool:
        """Whether a report takes the standard output, so that the text goes elsewhere."""
        return any(each.file == STANDARD_OUTPUT for each in self.reports)

    def build_report(self) -> TextReport:
        """Build what prints."""
        stream = sys.stderr if self.uses_stderr else sys.stdout
        is_colored = self.color == "always" or (
            self.color == "auto" and stream.isatty() and allows_color()
        )

        def paint(text: str, color: str) -> str:
            return click.style(text, fg=color) if is_colored else text

        return TextReport(
            lambda line: click.echo(line, err=self.uses_stderr, color=is_colored),
            paint,
            self.detail,
        )


def build_runner(settings: Settings, manner: Manner) -> Runner:
    """Build what runs scenarios; where it cannot be built, the reports say so as well.

    Raises:
        AuthzError: when the policies or the domain cannot be used.
    """
    try:
        return Runner(settings, show_warning)
    except AuthzError as error:
        nothing = ScenarioResult(str(settings.policies), "the policies", faults=error.faults)
        write_reports(manner.reports, Run((nothing,)))
        raise


def run_scenarios(runner: Runner, plan: Plan, manner: Manner) -> Run:
    """Run what is planned, and tell it."""
    if manner.seed is not None:
        plan = shuffle_plan(plan, manner.seed)
        click.echo(f"shuffled by the seed {manner.seed}", err=manner.uses_stderr)
    report, start = manner.build_report(), time.perf_counter()
    results: list[ScenarioResult] = []
    interrupted = False
    count = sum(len(each.positions) for each in plan if isinstance(each, Task))
    with (
        show_progress(count, "running") as advance,
        closing(run_plan(runner, plan, manner.jobs)) as going,
    ):
        try:
            for each in going:
                erase_progress()
                report.add(each)
                results.append(each)
                advance(len(each.items))
        except KeyboardInterrupt:
            interrupted = True
        erase_progress()
    run = Run(tuple(results), time.perf_counter() - start, manner.seed, interrupted)
    report.close(run)
    _keep_failed(plan, results)
    write_reports(manner.reports, run)
    return run


def _keep_failed(plan: Plan, results: Sequence[ScenarioResult]) -> None:
    """Keep what failed for the next run, for which this one does not fail."""
    names = {
        str(each.scenario.path): name_items(each.scenario)
        for each in plan
        if isinstance(each, Task)
    }
    try:
        before = load_failed() or Failed({})
        keep_failed(before.update((each, names.get(each.path, ())) for each in results))
    except ScenarioError as error:
        for fault in error.faults:
            show_warning(fault)
