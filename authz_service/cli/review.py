"""`authz review`: who may do what on an entity, or what somebody may, for auditors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from authz_service.cli.asking import Circumstances, takes_circumstances
from authz_service.cli.options import takes_settings
from authz_service.cli.output import open_output, show_progress
from authz_service.decision.review import Wanted
from authz_service.decision.review_page import write_page
from authz_service.decision.review_table import write_table
from authz_service.decision.review_text import write_text
from authz_service.errors import quote
from authz_service.policy.clauses import RESOURCE, SUBJECT
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authz_service.decision.review import Review
    from authz_service.settings import Settings

_WRITERS: Final[dict[str, Callable[[Review], Iterator[str]]]] = {
    "text": write_text,
    "csv": write_table,
    "html": write_page,
}


def _read_entity(
    _context: click.Context, _argument: click.Parameter, words: tuple[str, ...]
) -> Reference:
    """Read an entity: `person/mary`, `--person mary` or `--person=mary`."""
    match words:
        case [text] if not text.startswith("--"):
            pass
        case [option, identity] if option.startswith("--") and "=" not in option:
            text = _write_entity(option, identity)
        case [option] if "=" in option:
            text = _write_entity(*option.split("=", 1))
        case _:
            message = f"name one entity, as TYPE/ID or --TYPE ID, not {quote(' '.join(words))}"
            raise click.UsageError(message)
    try:
        return Reference.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _write_entity(option: str, identity: str) -> str:
    return f"{option.removeprefix('--').replace('-', '_')}/{identity}"


@click.command(
    # the types of a domain are not known before its setting is read
    context_settings={"ignore_unknown_options": True}
)
@click.argument(
    "entity",
    metavar="TYPE/ID | --TYPE ID",
    nargs=-1,
    required=True,
    type=click.UNPROCESSED,
    callback=_read_entity,
)
@click.option(
    "--as",
    "side",
    type=click.Choice([SUBJECT, RESOURCE]),
    help="Whether to review what it may do, or who may do what on it. Without this it is the first,"
    " where it can be a subject.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice([*_WRITERS]),
    default="text",
    show_default=True,
    help="Text, a table, or a page that can be printed.",
)
@click.option("--to", "file", default="-", metavar="FILE", help="Write to this file.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="N",
    help="How many are listed, for each question, whom a rule lets in without relating them to what"
    " they may act on; where there are more, they are counted.",
)
@takes_circumstances
@takes_settings("database", "policies", "domain", "engine", "time_limit", "search_time_limit")
def review(
    settings: Settings,
    *,
    entity: Reference,
    side: str | None,
    format_: str,
    file: str,
    limit: int,
    **options: Any,
) -> None:
    """Review who may do what on an entity and on what belongs to it, or what a subject may do.

    Tells of each grant by which channels, since which revision and by which rules it stands. What
    belongs to an entity are those whose references lead to it. A FILE is there only once it is
    whole.

    \b
    Example:
      authz review --customer 123456789
      authz review person/mary --format html --to mary.html
    """
    circumstances = Circumstances(**options)
    wanted = Wanted(entity, side, circumstances.said, circumstances.via, limit)
    with circumstances.open_reviewer(settings, entity) as reviewer:
        found = reviewer.review(wanted, show_progress)
    with open_output(file) as output:
        for line in _WRITERS[format_](found):
            output.write(f"{line}\n".encode("utf-8", "backslashreplace"))
