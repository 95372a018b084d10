"""`authz replay`: which answers to questions that were asked a change of policies turns."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from authz_service import storage
from authz_service.cli.asking import Circumstances, TimeType, takes_state
from authz_service.cli.comparing import (
    Reporting,
    compile_both,
    takes_reporting,
)
from authz_service.cli.options import takes_settings
from authz_service.cli.output import show_progress
from authz_service.decision.lookup import Wanted, read_entries
from authz_service.errors import RequestError
from authz_service.policy.asked import Asked, read_asked
from authz_service.policy.effect import Outcome
from authz_service.policy.replay import Replay
from authz_service.policy.request import Said
from authz_service.store.writer import find_revision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from authz_service.decision.entry import Entry
    from authz_service.polar.schema import Schema
    from authz_service.policy.replay import Tally
    from authz_service.settings import Settings

_STANDARD_INPUT: Final = "<stdin>"


@click.command()
@click.option(
    "--policies",
    "compared",
    nargs=2,
    required=True,
    metavar="OLD NEW",
    help="The policies to compare, each a folder, REVISION or REVISION:FOLDER.",
)
@click.option(
    "--from",
    "file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Other questions than those of the decision log, a JSON object a line; `-` is the standard"
    " input.",
)
@click.option("--since", type=TimeType(), help="Only what was asked then or later.")
@click.option("--until", type=TimeType(), help="Only what was asked before then.")
@click.option("--client", metavar="NAME", help="Only what this client asked.")
@takes_reporting
@takes_state
@takes_settings("database", "domain")
def replay(
    settings: Settings,
    *,
    compared: tuple[str, str],
    file: str | None,
    since: datetime | None,
    until: datetime | None,
    client: str | None,
    **options: Any,
) -> None:
    """Put the questions of the decision log to policies OLD and NEW; report which answers differ.

    They are asked of the entities as they are now. A revision is one of the git repository around
    the folder that AUTHZ_POLICIES names.

    Exit code 0 means that they were asked, 1 that there is what --fail-on names, 2 that they could
    not be asked.

    \b
    Example:
      authz replay --policies HEAD policies --since 2026-01-01T00:00:00Z --fail-on newly-denied
    """
    reporting = Reporting.take(options)
    circumstances = Circumstances(via=None, said=Said(), **options)
    with reporting.limited("ask fewer questions") as left:
        domain = storage.find_domain(settings.domain)
        engines = compile_both(settings, domain, *compared)
        left_out: Counter[str] = Counter()
        if file:
            questions = _open_questions(file, domain.schema)
        else:
            wanted = Wanted(since=since, until=until, client=client)
            questions = _open_log(settings, wanted, domain.schema, left_out)
        with (
            circumstances.open_store(settings, domain) as store,
            store.snapshot(),
            questions as asked,
        ):
            now = circumstances.tell_time()
            found = Replay(*engines, domain, store, now=now, listed=reporting.limit, left=left)
            tally = found.ask(_choose(asked, since, until, client))
            effects, notes = tuple(found.find_effects()), tuple(_write_notes(tally, left_out))
            reached = find_revision(store)
            outcome = Outcome(*compared, reached, "decision", effects, notes, is_repeated=True)
    reporting.finish(outcome)


@contextmanager
def _open_questions(file: str, schema: Schema) -> Iterator[Iterable[Asked]]:
    size = Path(file).stat().st_size if file != "-" else 0
    name = _STANDARD_INPUT if file == "-" else file
    with click.open_file(file, "rb") as lines, show_progress(size, "asking") as tell:
        yield read_asked(lines, name, schema, tell)


@contextmanager
def _open_log(
    settings: Settings, wanted: Wanted, schema: Schema, left_out: Counter[str]
) -> Iterator[Iterable[Asked]]:
    """Open the questions of the decision log; those that cannot be asked again are counted."""
    journal = storage.open_existing_journal(settings)
    try:
        with show_progress(0, "asking") as tell:
            yield _read_log(read_entries(journal, wanted), schema, left_out, tell)
    finally:
        journal.close()


def _read_log(
    entries: Iterable[Entry], schema: Schema, left_out: Counter[str], tell: Callable[[int], None]
) -> Iterator[Asked]:
    for entry in entries:
        tell(1)
        if entry.allowed is None:
            left_out["searches"] += 1
        elif not entry.can_be_asked:
            left_out["redacted questions"] += 1
        else:
            try:
                request = entry.rebuild_request(schema)
            except RequestError:
                left_out["questions with values of another type than now"] += 1
                continue
            yield Asked(request, entry.decided.at, entry.decided.client)


def _choose(
    asked: Iterable[Asked], since: datetime | None, until: datetime | None, client: str | None
) -> Iterator[Asked]:
    """Leave out what is not wanted; where a time is named, so is what was asked at no known one."""
    for each in asked:
        time = each.time
        if time is None:
            is_then = not (since or until)
        else:
            is_then = (since is None or since <= time) and (until is None or time < until)
        if is_then and client in {None, each.client}:
            yield each


def _write_notes(tally: Tally, left_out: Counter[str]) -> Iterator[str]:
    asked, alike, strange = (f"{each:,}" for each in tally)
    yield f"questions: {asked}; of {alike} both policies say the same, whatever is stored"
    if tally.strange:
        yield f"{strange} are about what the domain does not have, and are denied by both"
    for what, count in sorted(left_out.items()):
        yield f"{what} that were left out, for they cannot be asked again: {count:,}"
