"""`authz mutate`: change the policies in one thing at a time, and see whether a scenario fails."""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from authz_service import assembly, storage
from authz_service.cli.comparing import check_actions
from authz_service.cli.keeping import print_kept, save_kept
from authz_service.cli.options import takes_settings
from authz_service.cli.output import show_progress
from authz_service.errors import (
    EXIT_DENY,
    EXIT_ERROR,
    SearchTimeoutError,
    SettingError,
    quote,
    suggest,
)
from authz_service.mutation.campaign import try_mutants
from authz_service.mutation.judge import Fate, Judge
from authz_service.mutation.mutant import find_mutants
from authz_service.mutation.operators import OPERATORS
from authz_service.mutation.report import Report
from authz_service.mutation.suite import Suite
from authz_service.scenario.case import find_scenario_files, load_scenario
from authz_service.scenario.workers import count_cores

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from authz_service.mutation.judge import Judgement
    from authz_service.mutation.mutant import Mutant
    from authz_service.policy.source import PolicySet
    from authz_service.settings import Settings

_MOST_PROCESSES: Final = 64


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--action",
    "actions",
    metavar="ACTION",
    multiple=True,
    help="Try only what changes the answers about this action. Can be given several times.",
)
@click.option(
    "--only", metavar="GLOB", help="Change only the policy files whose name fits, as `roles*`."
)
@click.option(
    "--operator",
    "operators",
    type=click.Choice([*OPERATORS]),
    multiple=True,
    help="Change only that. Can be given several times.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(0, _MOST_PROCESSES),
    default=1,
    show_default=True,
    metavar="N",
    help="Try them in so many processes; 0 stands for as many as there are cores.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=3_600,
    show_default=True,
    metavar="S",
    help="Begin no further mutant after that time.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="Print so many survivors at the most.",
)
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write a scenario for each survivor into the folders `fixtures` and `scenarios` there.",
)
@click.option("--kills", is_flag=True, help="Tell how many mutants each scenario kills; is slower.")
@click.option("-v", "--verbose", is_flag=True, help="List what is no fault of the scenarios, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@takes_settings("policies", "domain", "fixtures", "scenarios")
def mutate(  # each is an option
    settings: Settings,
    *,
    paths: tuple[Path, ...],
    actions: tuple[str, ...],
    only: str | None,
    operators: tuple[str, ...],
    jobs: int,
    seconds: float,
    limit: int,
    folder: Path | None,
    kills: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Change the policies in one thing at a time, and see whether a scenario fails.

    Each change makes a mutant: a rule or a condition dropped or negated, a word more or less in a
    list, a word swapped. It is killed when a scenario in a PATH, a file or a folder, fails by it;
    without any PATH, those of the settings are run. Prints the mutants that survive, each with a
    scenario that would kill it.

    Exit code 0 means that none survives, 1 that some do, 2 that it could not be found out.

    \b
    Example:
      authz mutate
      authz mutate --only 'roles*' --operator swap-word --to .
    """
    start, clock = time.monotonic(), time.monotonic
    domain = storage.find_domain(settings.domain)
    check_actions(actions, domain)
    files = tuple(find_scenario_files(list(paths) or [settings.scenarios]))
    engine = assembly.build_compiled(settings, domain)
    mutants = _choose(
        list(find_mutants(engine.policies, domain.schema, operators or OPERATORS)),
        engine.policies,
        only,
    )
    scenarios = [load_scenario(each, settings.fixtures) for each in files]
    with closing(Suite(settings, engine, scenarios)) as suite:
        judge = Judge(engine, domain, suite, clock, actions=actions, all_killers=kills)
        tried = try_mutants(
            judge, mutants, jobs or count_cores(), lambda: clock() > start + seconds
        )
        found = _collect(tried, len(mutants))
    report = Report(found, files, clock() - start, untried=len(mutants) - len(found))
    if as_json:
        click.echo(json.dumps(report.write_json(), indent=2))
    else:
        _print(report, limit, kills=kills, verbose=verbose)
    _finish(report, folder)


def _choose(mutants: Sequence[Mutant], policies: PolicySet, only: str | None) -> list[Mutant]:
    """Choose the mutants of the files whose name fits.

    Raises:
        SettingError: when no file does, or there is nothing to change.
    """
    names = [each.name for each in policies.files if only is None or fnmatchcase(each.name, only)]
    if only is not None and not names:
        known = [each.name for each in policies.files]
        message = f"no policy file is called {quote(only)}{suggest(only, known)}"
        raise SettingError.at("--only", "unknown_file", message)
    chosen = [each for each in mutants if each.file.name in names]
    if not chosen:
        message = "holds nothing that could be changed so; choose fewer options, or none"
        raise SettingError.at(policies.folder, "nothing_to_change", message)
    return chosen


def _collect(tried: Iterable[Judgement | None], count: int) -> tuple[Judgement, ...]:
    """Collect what became of mutants, and show how far it is; or end when somebody interrupts."""
    found = []
    try:
        with show_progress(count, "mutating") as tell:
            for each in tried:
                found += [each] if each else []
                tell(1)
    except KeyboardInterrupt:
        click.echo("error: interrupted; nothing is reported", err=True)
        sys.exit(EXIT_ERROR)
    return tuple(found)


def _print(report: Report, limit: int, *, kills: bool, verbose: bool) -> None:
    survivors = report.find(Fate.SURVIVED, Fate.UNDECIDED)
    for each in survivors[:limit]:
        click.echo(f"{each.fate.value}: {each.mutant}")
        if each.kept:
            print_kept(each.kept)
            click.echo()
    if len(survivors) > limit:
        click.echo(f"and {len(survivors) - limit} more; see them with --limit, or --to\n")
    for line in report.list_others() if verbose else ():
        click.echo(line)
    for line in report.list_kills() if kills else ():
        click.echo(line)
    for line in report.summarize():
        click.echo(line)


def _finish(report: Report, folder: Path | None) -> None:
    """Write what would kill the survivors, and end with the exit code that says how it went.

    Raises:
        SettingError: when it cannot be written.
        SearchTimeoutError: when none survived so far, but the time did not do for all.
    """
    survivors = report.find(Fate.SURVIVED, Fate.UNDECIDED)
    for each in survivors:
        if each.kept and folder:
            save_kept(each.kept, folder)
    if survivors:
        sys.exit(EXIT_DENY)
    if report.untried:
        message = "the time was over before all mutants were tried; give it more with --seconds"
        raise SearchTimeoutError.at("--seconds", "search_timeout", message)
