"""`authz log`: what was decided, looked up, verified and given out."""

from __future__ import annotations

import json
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

import click

from authz_service import storage
from authz_service.cli.asking import ReferenceType, TimeType
from authz_service.cli.options import takes_settings
from authz_service.cli.output import open_output, show_progress
from authz_service.decision.entry import describe, encode, write_entry
from authz_service.decision.log_settings import build_log_redaction
from authz_service.decision.lookup import Wanted, read_entries
from authz_service.decision.table import write_record
from authz_service.decision.verification import find_gaps, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from authz_service.decision.entry import Entry
    from authz_service.settings import Settings
    from authz_service.store.journal import Journal

_SETTINGS: Final = ("database", "domain", "log_hash")
_COLUMNS: Final = (
    "id",
    "at",
    "kind",
    "client",
    "subject",
    "action",
    "resource",
    "decision",
    "reasons",
    "rules",
    "revision",
    "policy_digest",
    "engine",
    "microseconds",
    "request",
    "redacted",
)


@click.group()
def log() -> None:
    """Look up what was decided, and see whether the log of it is whole."""


def _takes_filters(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which entries are meant."""
    options = [
        click.option("--who", type=ReferenceType(), help="Only this subject, as TYPE/ID."),
        click.option("--on", type=ReferenceType(), help="Only this resource, as TYPE/ID."),
        click.option("--action", help="Only this action."),
        click.option("--since", type=TimeType(), help="Only from this time on."),
        click.option("--until", type=TimeType(), help="Only from before this time."),
        click.option(
            "--decision",
            type=click.Choice(["allow", "deny"]),
            help="Only what was allowed, or denied.",
        ),
        click.option("--reason", help="Only what this code stands against."),
        click.option("--client", help="Only what this client asked, by the name of its key."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@log.command()
@_takes_filters
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    metavar="N",
    help="The newest N that fit.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each.")
@takes_settings(*_SETTINGS)
def query(settings: Settings, *, limit: int, as_json: bool, **filters: Any) -> None:
    """Print decisions, the newest first.

    \b
    Example:
      authz log query --who person/mary --decision deny --since 2026-01-05T00:00:00Z
    """
    with _open_journal(settings) as journal:
        wanted = _build_wanted(settings, filters)
        _tell_gaps(journal)
        write = _write_json if as_json else _write_line
        for each in islice(read_entries(journal, wanted, newest_first=True), limit):
            click.echo(write(each))


@log.command(name="verify")
@takes_settings("database")
def verify_log(settings: Settings) -> None:
    """Hold every entry against its digest, and see whether all segments are there.

    The first entry that was changed, moved or removed is named; the exit code is 2 then. The last
    line is the newest closing digest: who can write the database can make a log anew, but not so
    that it has a digest that you have noted somewhere else.

    \b
    Example:
      authz log verify
    """
    with (
        _open_journal(settings) as journal,
        show_progress(_count_entries(journal), "verifying") as tell,
    ):
        found = verify(journal, tell)
    for gap in found.gaps:
        click.echo(_describe_gap(gap.behind, gap.entries))
    dropped = f", {found.dropped} dropped for their age" if found.dropped else ""
    click.echo(f"as it was written: {found.entries} entries, {found.segments} segments{dropped}")
    if found.closing:
        number, digest = found.closing
        click.echo(f"segment {number} was closed with {digest}")


@log.command(name="export")
@click.argument("file", type=click.Path(allow_dash=True), default="-")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "jsonl"]),
    default="jsonl",
    show_default=True,
    help="A table, or a line of JSON for each.",
)
@_takes_filters
@takes_settings(*_SETTINGS)
def export_log(settings: Settings, *, file: str, format_: str, **filters: Any) -> None:
    """Write decisions to FILE, or to the standard output, the oldest first.

    \b
    Example:
      authz log export decisions.csv --format csv --since 2026-01-01T00:00:00Z
    """
    with _open_journal(settings) as journal:
        wanted = _build_wanted(settings, filters)
        _tell_gaps(journal)
        count = _count_entries(journal)
        with open_output(file) as output, show_progress(count, "exporting") as tell:
            entries = _count(read_entries(journal, wanted), tell)
            for line in _write_table(entries) if format_ == "csv" else map(_write_jsonl, entries):
                output.write(line)


@contextmanager
def _open_journal(settings: Settings) -> Iterator[Journal]:
    journal = storage.open_existing_journal(settings)
    try:
        yield journal
    finally:
        journal.close()


def _build_wanted(settings: Settings, filters: dict[str, Any]) -> Wanted:
    decision = filters.pop("decision")
    redaction = build_log_redaction(settings, storage.find_domain(settings.domain))
    allowed = None if decision is None else decision == "allow"
    return Wanted(**filters, allowed=allowed, redaction=redaction)


def _count_entries(journal: Journal) -> int:
    """Count the entries that are there."""
    return sum(each.entries for each in journal.find_segments() if each.dropped is None)


def _count(entries: Iterable[Entry], tell: Callable[[int], Any]) -> Iterator[Entry]:
    for each in entries:
        tell(1)
        yield each


def _tell_gaps(journal: Journal) -> None:
    for gap in find_gaps(journal, journal.find_segments()):
        click.echo(f"warning: {_describe_gap(gap.behind, gap.entries)}", err=True)


def _describe_gap(behind: str, entries: int) -> str:
    return f"up to {entries} entries may be missing behind {behind}: their process was killed"


def _write_json(entry: Entry) -> str:
    return write_entry(entry).decode()


def _write_jsonl(entry: Entry) -> bytes:
    return write_entry(entry) + b"\n"


def _write_line(entry: Entry) -> str:
    """Write an entry for people; whatever is no plain text is escaped."""
    decided = entry.decided
    answer = f"found {decided.found}" if decided.found is not None else _say(entry)
    words = [
        decided.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        entry.id,
        answer,
        str(decided.subject),
        decided.action or "*",
        str(decided.resource),
        *([f"for {decided.client}"] if decided.client else []),
        *([f"({', '.join(decided.finding.reasons)})"] if decided.finding.reasons else []),
    ]
    return " ".join(each if each.isprintable() else json.dumps(each) for each in words)


def _say(entry: Entry) -> str:
    return "allow" if entry.allowed else "deny"


def _write_table(entries: Iterable[Entry]) -> Iterator[bytes]:
    for cells in chain([_COLUMNS], map(_write_row, entries)):
        yield f"{write_record(cells)}\n".encode("utf-8", "backslashreplace")


def _write_row(entry: Entry) -> Iterator[Any]:
    described, decided = describe(entry), entry.decided
    simple = {
        "subject": str(decided.subject),
        "action": decided.action,
        "resource": str(decided.resource),
        "decision": _say(entry) if decided.found is None else f"found {decided.found}",
        "reasons": " ".join(decided.finding.reasons),
        "rules": " ".join(decided.finding.rules),
        "at": decided.at.isoformat().replace("+00:00", "Z"),
        "request": encode(described["request"]).decode(),
        "redacted": encode(described["redacted"]).decode(),
    }
    for name in _COLUMNS:
        yield simple[name] if name in simple else described[name]
