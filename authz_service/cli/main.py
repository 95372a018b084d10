"""The command `authz`."""

from __future__ import annotations

import click

from authz_service.cli.changes import changes
from authz_service.cli.check import check
from authz_service.cli.exporting import export
from authz_service.cli.importing import import_
from authz_service.cli.keys import keys
from authz_service.cli.lint import lint
from authz_service.cli.load import load
from authz_service.cli.messages import messages
from authz_service.cli.migrate import migrate
from authz_service.cli.notify import notify
from authz_service.cli.perform import perform
from authz_service.cli.search import can, what, who
from authz_service.cli.serve import serve
from authz_service.cli.show import show
from authz_service.cli.steps import steps
from authz_service.cli.test import test


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="authz-service")
def main() -> None:
    """Decide who may do what, from Polar policies over a store of entities.

    Every setting is an option, or an environment variable that starts with AUTHZ_.

    \b
    Example:
      authz check person/mary view_usage subscription/0470000001 --via app
    """


for command in (
    can,
    changes,
    check,
    export,
    import_,
    keys,
    lint,
    load,
    messages,
    migrate,
    notify,
    perform,
    serve,
    show,
    steps,
    test,
    what,
    who,
):
    main.add_command(command)
