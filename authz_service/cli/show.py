"""`authz show`: what a policy became, in words and as statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from authz_service import assembly, storage
from authz_service.cli.options import show_warning, takes_settings
from authz_service.errors import SettingError, suggest
from authz_service.policy.condition import POSTGRESQL, SQLITE
from authz_service.policy.words import describe_clause, describe_origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz_service.policy.clauses import Clause
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.plan import Key
    from authz_service.settings import Settings
    from authz_service.store.domain import Domain


@click.command()
@click.argument("action")
@click.argument("resource_type", metavar="[TYPE]", required=False)
@click.option("--sql/--no-sql", default=True, help="Whether to print the statements as well.")
@takes_settings("policies", "domain")
def show(settings: Settings, *, action: str, resource_type: str | None, sql: bool) -> None:
    """Show what the policies came to for ACTION, on entities of TYPE or of every type that has it.

    For each type of subject: when it is allowed and when it is forbidden, with the rules that say
    so, and the statements that SQLite and PostgreSQL run for it.

    \b
    Example:
      authz show view_usage subscription
    """
    domain = storage.find_domain(settings.domain)
    keys = _find_keys(domain, action, resource_type)
    engine = assembly.build_compiled(settings, domain, show_warning)
    for key in keys:
        _show(engine, key, sql=sql)


def _find_keys(domain: Domain, action: str, resource_type: str | None) -> list[Key]:
    types = [name for name, actions in domain.actions.items() if action in actions]
    if not types:
        known = {each for actions in domain.actions.values() for each in actions}
        message = f"there is no action `{action}`{suggest(action, known)}"
        raise SettingError.at("ACTION", "unknown_action", message)
    if resource_type is not None and resource_type not in types:
        message = f"`{action}` is no action on `{resource_type}`{suggest(resource_type, types)}"
        raise SettingError.at("TYPE", "unknown_type", message)
    chosen = [resource_type] if resource_type else types
    return [(subject, action, each) for each in chosen for subject in sorted(domain.subjects)]


def _show(engine: CompiledEngine, key: Key, *, sql: bool) -> None:
    subject, action, resource = key
    question = engine.find_question(*key)
    if question is None:  # the keys are the domain's, so there is one
        return
    click.secho(f"{subject} {action} {resource}", bold=True)
    if question.allow is None:
        _show_clauses("permitted when", question.permit)
    else:
        _show_clauses("allowed when", question.allow)
    for code, clauses in question.forbid.items():
        _show_clauses(f"forbidden, {code}, when", clauses)
    if sql:
        texts = engine.find_texts(*key)
        click.echo(f"  SQLite:\n    {texts[SQLITE]}")
        click.echo(f"  PostgreSQL:\n    {texts[POSTGRESQL]}")
    click.echo()


def _show_clauses(title: str, clauses: Sequence[Clause]) -> None:
    if not clauses:
        click.echo(f"  {title}: never")
    for clause in clauses:
        click.echo(f"  {title}")
        for line in describe_clause(clause):
            words = line.lstrip()
            click.echo(f"    {' ' * (len(line) - len(words))}- {words}")
        click.echo(f"    by {describe_origin(clause)}")
