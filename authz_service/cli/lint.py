"""`authz lint`: tell everything that is wrong with policies, fixtures and scenarios, or odd."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from authz_service import storage
from authz_service.cli.options import takes_settings
from authz_service.cli.output import open_output
from authz_service.errors import EXIT_DENY
from authz_service.reporting.findings import (
    annotate_findings,
    count_findings,
    write_findings,
    write_findings_json,
)
from authz_service.reporting.sarif import write_sarif
from authz_service.scenario.linting import find_all_targets, find_targets
from authz_service.scenario.linting import lint as lint_targets

if TYPE_CHECKING:
    from authz_service.polar.checker import Findings
    from authz_service.settings import Settings

_TEXT: Final = "text"


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "style",
    type=click.Choice([_TEXT, "json", "sarif", "github"]),
    default=_TEXT,
    help="How to print what was found: for people, one JSON object, SARIF 2.1.0, or commands to a"
    " GitHub workflow.",
)
@click.option("--to", "file", metavar="FILE", help="Where to write it.")
@click.option("--strict", is_flag=True, help="Let a warning count as an error.")
@takes_settings("policies", "domain", "fixtures", "scenarios")
def lint(
    settings: Settings, *, paths: tuple[Path, ...], style: str, file: str | None, strict: bool
) -> None:
    """Check policies, fixtures and scenarios without deciding anything by them.

    Without any PATH, a file or a folder: those in the folders of the settings.

    Exit code 0 means that they can be used, 1 that they cannot, 2 that they could not be checked.

    \b
    Example:
      authz lint --policies policies --strict
    """
    domain = storage.find_domain(settings.domain)
    targets = find_targets(settings, paths) if paths else find_all_targets(settings)
    findings = lint_targets(targets, settings, domain)
    if file:
        with open_output(file) as output:
            output.write(_write(findings, style).encode())
    elif style != _TEXT:
        click.echo(_write(findings, style), nl=False)
    else:
        click.echo(_write(findings, style), nl=False, err=True)
    if style == _TEXT or file not in {None, "-"}:
        click.echo(count_findings(findings))
    if findings.errors or (strict and findings.warnings):
        sys.exit(EXIT_DENY)


def _write(findings: Findings, style: str) -> str:
    if style == "json":
        return json.dumps(write_findings_json(findings), indent=2) + "\n"
    if style == "sarif":
        log = write_sarif(findings, version("authz-service"), Path.cwd())
        return json.dumps(log, indent=2, ensure_ascii=False) + "\n"
    lines = annotate_findings(findings) if style == "github" else write_findings(findings)
    return "".join(f"{line}\n" for line in lines)
