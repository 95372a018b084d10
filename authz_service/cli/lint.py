"""`authz lint`: tell everything that is wrong with the policies, and what is odd."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from authz_service import assembly, storage
from authz_service.cli.options import show_fault, takes_settings
from authz_service.errors import EXIT_DENY, PolicyError
from authz_service.polar.checker import Findings
from authz_service.policy.source import load_policies

if TYPE_CHECKING:
    from authz_service.errors import Fault
    from authz_service.settings import Settings
    from authz_service.store.domain import Domain


@click.command()
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How to print what was found: for people, or one JSON object.",
)
@click.option("--strict", is_flag=True, help="Let a warning count as an error.")
@takes_settings("policies", "domain")
def lint(settings: Settings, *, style: str, strict: bool) -> None:
    """Check the policies without deciding anything by them.

    Exit code 0 means that they can be used, 1 that they cannot, 2 that they could not be checked.

    \b
    Example:
      authz lint --policies policies --strict
    """
    domain = storage.find_domain(settings.domain)
    load_policies(settings.policies)  # what is not there is not wrong: it cannot be checked
    findings = _check(settings, domain)
    if style == "json":
        click.echo(json.dumps(_write(findings), indent=2))
    else:
        _print(findings)
    if findings.errors or (strict and findings.warnings):
        sys.exit(EXIT_DENY)


def _check(settings: Settings, domain: Domain) -> Findings:
    """Do what every start does; the reference has its say as well."""
    warnings: list[Fault] = []
    errors: tuple[Fault, ...] = ()
    try:
        assembly.build_engine(settings, domain, warnings.append)
    except PolicyError as error:
        errors = error.faults
    return Findings(errors, tuple(warnings))


def _print(findings: Findings) -> None:
    for severity, faults in (("error", findings.errors), ("warning", findings.warnings)):
        for fault in faults:
            show_fault(severity, fault)
    click.echo(f"{_count(findings.errors, 'error')}, {_count(findings.warnings, 'warning')}")


def _count(faults: tuple[Fault, ...], word: str) -> str:
    return f"{len(faults)} {word}{'' if len(faults) == 1 else 's'}"


def _write(findings: Findings) -> dict[str, Any]:
    return {
        "errors": [_write_fault(fault) for fault in findings.errors],
        "warnings": [_write_fault(fault) for fault in findings.warnings],
    }


def _write_fault(fault: Fault) -> dict[str, Any]:
    return {
        "file": fault.where.name,
        "line": fault.where.line,
        "column": fault.where.column,
        "code": fault.code,
        "message": fault.message,
    }
