"""The reports that `authz test` writes: which kinds there are, and where they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from authz_service.cli.output import open_output
from authz_service.reporting.github import write_annotations
from authz_service.reporting.junit import write_junit
from authz_service.reporting.record import write_record
from authz_service.reporting.run_page import write_run_page
from authz_service.reporting.tap import write_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from authz_service.scenario.result import Run

WRITERS: Final[dict[str, Callable[[Run], Iterator[str]]]] = {
    "github": write_annotations,
    "html": write_run_page,
    "json": write_record,
    "junit": write_junit,
    "tap": write_tap,
}
STANDARD_OUTPUT: Final = "-"


@dataclass(frozen=True)
class WantedReport:
    """A report that is wanted.

    Arguments:
        kind: which one.
        file: where it goes; `-` for the standard output.
    """

    kind: str
    file: str


class ReportType(click.ParamType[WantedReport]):
    """A kind of report, and where it goes: `junit=FILE`."""

    name = "report"

    def convert(self, value: Any, parameter: click.Parameter | None, context: Any) -> WantedReport:
        """Read it."""
        if isinstance(value, WantedReport):
            return value
        kind, _, file = str(value).partition("=")
        if kind not in WRITERS:
            kinds = ", ".join(WRITERS)
            message = f"`{kind}` is no kind of report; write KIND=FILE, with one of {kinds}"
            self.fail(message, parameter, context)
        return WantedReport(kind, file or STANDARD_OUTPUT)


def refuse_same_file(wanted: Iterable[WantedReport]) -> None:
    """Refuse two reports in one place, where nobody could tell them apart.

    Raises:
        click.UsageError: when there are two.
    """
    taken: dict[str, str] = {}
    for each in wanted:
        other = taken.setdefault(each.file, each.kind)
        if other is not each.kind:
            where = "the standard output" if each.file == STANDARD_OUTPUT else f"`{each.file}`"
            message = f"`{other}` and `{each.kind}` cannot both go to {where}; name another file"
            raise click.UsageError(message)


def write_reports(wanted: Iterable[WantedReport], run: Run) -> None:
    """Write reports of a run.

    Raises:
        StoreError: when a file cannot be written.
    """
    for each in wanted:
        with open_output(each.file) as output:
            for line in WRITERS[each.kind](run):
                output.write(f"{line}\n".encode("utf-8", "replace"))
