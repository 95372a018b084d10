"""The command `authz`."""

from __future__ import annotations

import gc
import importlib
from typing import Final

import click

# The module of each command, which has a function of that name; imported when it is needed, for
# importing all of them takes longer than most commands.
_MODULES: Final = {
    "can": "search",
    "changes": "changes",
    "check": "check",
    "equivalent": "equivalent",
    "explain": "explain",
    "export": "exporting",
    "fmt": "fmt",
    "impact": "impact",
    "import": "importing",
    "keys": "keys",
    "lint": "lint",
    "load": "load",
    "log": "log",
    "messages": "messages",
    "migrate": "migrate",
    "mutate": "mutate",
    "notify": "notify",
    "perform": "perform",
    "policy": "policy",
    "replay": "replay",
    "review": "review",
    "serve": "serve",
    "show": "show",
    "steps": "steps",
    "test": "test",
    "what": "search",
    "who": "search",
}


class _Commands(click.Group):
    """The commands, each in a module of its own."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in _MODULES:
            return None
        gc.disable()  # nothing of what is imported is garbage
        try:
            module = importlib.import_module(f"authz_service.cli.{_MODULES[name]}")
        finally:
            gc.enable()
        command: click.Command = getattr(module, "import_" if name == "import" else name)
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="authz-service")
def main() -> None:
    """Decide who may do what, from Polar policies over a store of entities.

    Every setting is an option, or an environment variable that starts with AUTHZ_.

    \b
    Example:
      authz check person/mary view_usage subscription/0470000001 --via app
    """
