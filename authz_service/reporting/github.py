"""A run as commands to a GitHub workflow, which shows them beside the lines of the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz_service.scenario.failure import describe_failure
from authz_service.scenario.result import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.errors import Place
    from authz_service.scenario.result import Run, ScenarioResult


def write_annotations(run: Run) -> Iterator[str]:
    """Write an error for whatever failed, and a notice for what is skipped, line by line."""
    told = set()
    for result in run.scenarios:
        for fault in result.faults:
            if fault not in told:
                yield annotate(
                    "error", fault.where, "cannot be run", f"{fault.message} [{fault.code}]"
                )
            told.add(fault)
        yield from _annotate_items(result)


def annotate(severity: str, place: Place, title: str, message: str) -> str:
    """Write one command.

    Arguments:
        severity: `error`, `warning` or `notice`.
        place: where it is shown.
        title: of what is shown.
        message: in lines.
    """
    properties = {
        "file": place.name,
        "line": place.line or 1,
        "col": place.column or 1,
        "title": title,
    }
    written = ",".join(f"{name}={_escape(str(each))}" for name, each in properties.items())
    return f"::{severity} {written}::{_escape_message(message)}"


def _annotate_items(result: ScenarioResult) -> Iterator[str]:
    for each in result.items:
        if each.status is Status.SKIPPED:
            yield annotate("notice", each.place, "skipped", f"{each.name}\n{each.message}")
        elif each.status is not Status.PASSED:
            title = "not as expected" if each.status is Status.FAILED else "cannot be put"
            yield annotate("error", each.place, title, "\n".join(describe_failure(each)))


def _escape_message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape(text: str) -> str:
    return _escape_message(text).replace(":", "%3A").replace(",", "%2C")
