"""`authz steps`: print the state machines of a domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from authz_service import storage
from authz_service.cli.options import takes_settings
from authz_service.store.machine import draw

if TYPE_CHECKING:
    from authz_service.settings import Settings
    from authz_service.store.machine import Machine, Step


@click.command()
@click.option("--diagram", is_flag=True, help="Print Mermaid diagrams, for a page in Markdown.")
@takes_settings("domain")
def steps(settings: Settings, *, diagram: bool) -> None:
    """Print the lives of entities: states, steps, who takes them, and what follows.

    This is the very table by which actions are performed.

    \b
    Example:
      authz steps
    """
    machines = storage.find_domain(settings.domain).machines
    if not machines:
        click.echo("this domain has no state machines")
    for number, machine in enumerate(machines):
        if number:
            click.echo()
        title = f"{machine.title} ({machine.type})"
        if diagram:
            click.echo(f"### {title}\n\n```mermaid\n{draw(machine)}\n```")
        else:
            click.echo(f"{title}\n{_describe(machine)}")


def _describe(machine: Machine) -> str:
    return "\n".join(line for step in machine.steps for line in _lines(step))


def _lines(step: Step) -> list[str]:
    way = f"{step.source or 'new'} -> {step.target}"
    return [
        f"  {way}: {step.action}, by {step.who}",
        *(f"    {effect.says}" for effect in step.effects),
    ]
