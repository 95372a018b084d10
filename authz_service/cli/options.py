"""What the commands have in common: settings as options, errors as exit codes, how to ask."""

from __future__ import annotations

import dataclasses
import functools
import os
import pwd
import sys
from typing import TYPE_CHECKING, Any, Final, ParamSpec

import click

from authz_service.errors import EXIT_ERROR, AuthzError
from authz_service.settings import PREFIX, Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz_service.errors import Fault

P = ParamSpec("P")

# How decisions are noted, for the commands that make some.
LOGGING: Final = (
    "log",
    "log_buffer",
    "log_wait",
    "log_drop",
    "log_hash",
    "log_lines",
    "log_segment_size",
    "log_segment_age",
    "log_keep",
)

# What policies have to pass before they serve, for the commands that have them tried.
GATE: Final = ("watch", "scenarios", "most_gained", "trial_limit", "policy_keys")


def takes_settings(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the named settings as options, and a `Settings` as its first argument.

    An `AuthzError` of the command is printed, a fault a line, and ends it with exit code 2.
    """
    meanings = {each.name: each.metadata["meaning"] for each in dataclasses.fields(Settings)}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**options: Any) -> None:
            overrides = {name: options.pop(name) for name in names}
            try:
                command(load_settings(overrides), **options)
            except AuthzError as error:
                for fault in error.faults:
                    show_fault("error", fault)
                sys.exit(EXIT_ERROR)

        for name in reversed(names):
            option = f"--{name.replace('_', '-')}"
            about = _describe(name, meanings[name])
            run = click.option(option, name, metavar=name.upper(), help=about)(run)
        return run

    return decorate


def show_warning(fault: Fault) -> None:
    """Print what is odd about a policy, which is used all the same."""
    show_fault("warning", fault)


def show_fault(severity: str, fault: Fault) -> None:
    """Print a fault, with the lines at its place, if there are any to show."""
    click.echo(f"{severity}: {fault}", err=True)
    for line in fault.excerpt.splitlines():
        click.echo(f"    {line}", err=True)


def find_user() -> str:
    """Find who runs this process: in a container it may have no name."""
    user = os.getuid()
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _describe(name: str, meaning: str) -> str:
    default = getattr(Settings(), name) or "none"
    first, rest = meaning[0].upper(), meaning[1:]
    return f"{first}{rest}. [env: {PREFIX}{name.upper()}; default: {default}]"
