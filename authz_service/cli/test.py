"""`authz test`: run the scenarios."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from authz_service.cli.options import show_warning, takes_settings
from authz_service.errors import EXIT_DENY, EXIT_ERROR, AuthzError
from authz_service.scenario.case import find_scenario_files
from authz_service.scenario.report import Report
from authz_service.scenario.runner import Runner

if TYPE_CHECKING:
    from authz_service.settings import Settings


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@takes_settings("policies", "domain", "fixtures", "engine")
def test(settings: Settings, *, paths: tuple[Path, ...]) -> None:
    """Run the scenarios in each PATH, a file or a folder; without any, those in `scenarios`.

    Each question is put and each step is taken, in a store of the scenario's own.

    Exit code 0 means that all is as expected, 1 that something is not, 2 that a scenario could not
    be run.

    \b
    Example:
      authz test scenarios/smith.yaml
    """
    files = find_scenario_files(list(paths) or [Path("scenarios")])
    runner = Runner(settings, show_warning)
    report = Report(click.echo)
    for path in files:
        try:
            scenario = runner.load(path)
            report.add(scenario, runner.run(scenario))
        except AuthzError as error:
            report.add_error(error)
    report.close()
    if report.errors:
        sys.exit(EXIT_ERROR)
    if report.failed:
        sys.exit(EXIT_DENY)
