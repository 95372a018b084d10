"""`authz test`: run the scenarios."""

from __future__ import annotations

import secrets
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from authz_service.cli.coverage_options import takes_coverage
from authz_service.cli.options import show_fault, show_warning, takes_settings
from authz_service.cli.reports import ReportType, refuse_same_file
from authz_service.cli.running import Manner, build_runner, run_scenarios
from authz_service.errors import (
    EXIT_DENY,
    EXIT_ERROR,
    AuthzError,
    ScenarioError,
    SettingError,
    quote,
)
from authz_service.reporting.text import Detail
from authz_service.scenario.case import Scenario, find_scenario_files
from authz_service.scenario.failed import load_failed
from authz_service.scenario.result import Status
from authz_service.scenario.runner import Runner
from authz_service.scenario.selection import Selection
from authz_service.scenario.suite import load_suite, narrow_plan, plan_suite
from authz_service.scenario.watching import Watch, WatchedSuite
from authz_service.scenario.workers import count_cores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz_service.cli.coverage_options import WantedCoverage
    from authz_service.cli.covering import CoverageWatch
    from authz_service.cli.reports import WantedReport
    from authz_service.scenario.failed import Failed
    from authz_service.scenario.result import Run
    from authz_service.scenario.watching import Change
    from authz_service.settings import Settings

# What shells say of a program that Ctrl-C ended.
_EXIT_INTERRUPTED: Final = 130
_DRAW: Final = "draw"
_SEEDS: Final = 1_000_000


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--only",
    metavar="GLOB",
    multiple=True,
    help="Put only what a pattern fits: a path, a title, or a question.",
)
@click.option(
    "--tag",
    "tags",
    metavar="TAG",
    multiple=True,
    help="Put only what has a tag; `not:TAG` leaves out what has it.",
)
@click.option("--failed", "only_failed", is_flag=True, help="Put only what failed before.")
@click.option(
    "--shuffle",
    metavar="[SEED]",
    is_flag=False,
    flag_value=_DRAW,
    help="Run in another order, each seed in its own; without one, it is drawn.",
)
@click.option(
    "-j",
    "--jobs",
    metavar="N",
    type=click.IntRange(0, 256),
    default=1,
    help="Run in N processes; 0 for one on each core.",
)
@click.option("--watch", is_flag=True, help="Run again whatever a change of a file can affect.")
@click.option(
    "--report",
    "reports",
    metavar="KIND[=FILE]",
    multiple=True,
    type=ReportType(),
    help="Write a report as well: github, html, json, junit or tap.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only what is not as expected.")
@click.option("-v", "--verbose", is_flag=True, help="Print each question and each step.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Print in colours; auto does on a terminal, unless NO_COLOR is set.",
)
@takes_coverage
@takes_settings("policies", "domain", "fixtures", "scenarios", "engine")
def test(
    settings: Settings,
    *,
    paths: tuple[Path, ...],
    only: tuple[str, ...],
    tags: tuple[str, ...],
    only_failed: bool,
    watch: bool,
    coverage: WantedCoverage,
    **options: Any,
) -> None:
    """Run the scenarios in each PATH, a file or a folder; without any, those of the settings.

    Each question is put and each step is taken, in a store of the scenario's own. What fails is
    told with an explanation, and with the command that asks again.

    Exit code 0 means that all is as expected, 1 that something is not or that too little is tested,
    2 that something could not be run, 130 that it was broken off.

    \b
    Example:
      authz test scenarios/smith.yaml
      authz test --coverage html=coverage.html --fail-under 100
    """
    manner = _read_manner(**options)
    if coverage and (watch or manner.jobs > 1):
        raise click.UsageError(
            "coverage is of one run in one process; leave out `--jobs`, `--watch`"
        )
    if watch and manner.reports:
        raise click.UsageError("`--watch` runs now this and now that; leave out `--report`")
    paths = paths or (settings.scenarios,)
    failed = _find_failed() if only_failed else None
    selection = Selection(only, tags, failed)
    files = find_scenario_files(paths)
    if watch:
        _watch(settings, paths, selection, manner)
    if failed is not None:
        files = [each for each in files if failed.has_some(each)]
    loaded = load_suite(files, settings.fixtures)
    plan = plan_suite(loaded, selection)
    if failed is not None and not plan:
        click.echo("nothing here failed when it was run last", err=manner.uses_stderr)
        return
    if not plan:
        selection.refuse_nothing(each for each in loaded if isinstance(each, Scenario))
    runner = build_runner(settings, manner)
    covered = _watch_coverage(coverage, runner, settings) if coverage else None
    run = run_scenarios(runner, plan, manner)
    if covered and not run.interrupted:
        covered.finish(plan, run, lambda line: click.echo(line, err=manner.uses_stderr))
    _finish(run)
    if covered and not covered.is_enough:
        sys.exit(EXIT_DENY)


def _watch_coverage(wanted: WantedCoverage, runner: Runner, settings: Settings) -> CoverageWatch:
    from authz_service.cli.covering import CoverageWatch  # noqa: PLC0415  # it takes a while

    return CoverageWatch(wanted, runner, settings)


def _read_manner(
    *,
    shuffle: str | None,
    jobs: int,
    reports: tuple[WantedReport, ...],
    quiet: bool,
    verbose: bool,
    color: str,
) -> Manner:
    refuse_same_file(reports)
    if quiet and verbose:
        raise click.UsageError("`--quiet` and `--verbose` are opposites; leave one of them out")
    detail = Detail.FAILURES if quiet else Detail.ITEMS if verbose else Detail.SCENARIOS
    return Manner(jobs or count_cores(), _read_seed(shuffle), reports, detail, color)


def _read_seed(shuffle: str | None) -> int | None:
    """Read a seed, or draw one."""
    if shuffle is None:
        return None
    if shuffle == _DRAW:
        return secrets.randbelow(_SEEDS)
    if not (shuffle.isascii() and shuffle.isdigit() and len(shuffle) < len(str(_SEEDS))):
        message = (
            f"{quote(shuffle)} is no whole number below {_SEEDS}; without one, write `--shuffle`"
            " last"
        )
        raise SettingError.at("--shuffle", "invalid_seed", message)
    return int(shuffle)


def _find_failed() -> Failed:
    """Find what failed when it was run last.

    Raises:
        ScenarioError: when nothing was run.
    """
    failed = load_failed()
    if failed is None:
        message = "nothing was run here before; run all scenarios first"
        raise ScenarioError.at("--failed", "no_last_run", message)
    return failed


def _finish(run: Run) -> None:
    """End the command as the run ended."""
    if run.interrupted:
        sys.exit(_EXIT_INTERRUPTED)
    if run.has_errors:
        sys.exit(EXIT_ERROR)
    if run.count(Status.FAILED):
        sys.exit(EXIT_DENY)


def _watch(settings: Settings, paths: Sequence[Path], selection: Selection, manner: Manner) -> None:
    """Run scenarios, and again whatever a change can affect, until somebody breaks it off."""
    watch = Watch(settings, paths)
    suite = WatchedSuite(settings, paths, lambda: Runner(settings, show_warning))
    change = None
    with suppress(KeyboardInterrupt):
        while _run_affected(suite, change, selection, manner):
            click.echo(f"watching {', '.join(map(str, paths))}, until Ctrl-C")
            change = watch.wait()
    sys.exit(_EXIT_INTERRUPTED)


def _run_affected(
    suite: WatchedSuite, change: Change | None, selection: Selection, manner: Manner
) -> bool:
    """Run what a change can affect, at first everything; tell whether to go on."""
    try:
        runner, affected = suite.follow(change) if change else suite.load()
    except AuthzError as error:
        for fault in error.faults:
            show_fault("error", fault)
        return True
    plan = narrow_plan(affected, selection.pick)
    if not plan:
        failed = load_failed()
        still = "; what failed still does" if failed and failed.items else ""
        click.echo(f"this changes no answer that is expected{still}")
        return True
    return not run_scenarios(runner, plan, manner).interrupted
