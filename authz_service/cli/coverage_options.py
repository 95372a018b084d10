"""The options of `authz test` for what is not tested."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT: Final = "text"
_KINDS: Final = ("cobertura", "html", "json", "lcov", TEXT)


@dataclass(frozen=True)
class WantedCoverage:
    """What is wanted of coverage.

    Arguments:
        files: where each form goes, by its name; empty for the terminal.
        least: the percentage that must be reached; None for any.
        suggests: whether scenarios are suggested for what is not tested.
        folder: where those go; None for the terminal.
    """

    files: dict[str, str]
    least: float | None
    suggests: bool
    folder: Path | None

    def __bool__(self) -> bool:
        """Whether anything is."""
        return bool(self.files or self.suggests)


class CoverageType(click.ParamType[tuple[str, str]]):
    """A form of coverage, and where it goes: `html=FILE`."""

    name = "coverage"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: Any
    ) -> tuple[str, str]:
        """Read it."""
        if isinstance(value, tuple):
            return value
        kind, _, file = str(value).partition("=")
        if kind not in _KINDS:
            kinds = ", ".join(_KINDS)
            message = f"`{kind}` is no form of coverage; write KIND=FILE, with one of {kinds}"
            self.fail(f"{message}; and `--coverage` alone last", parameter, context)
        if not file and kind != TEXT:
            self.fail(f"`{kind}` goes to a file; write {kind}=FILE", parameter, context)
        return kind, file


def takes_coverage(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, and what they come to as `coverage`."""

    @click.option(
        "--coverage",
        "forms",
        metavar="[KIND=FILE]",
        multiple=True,
        is_flag=False,
        flag_value=TEXT,
        type=CoverageType(),
        help="Tell what is not tested: as text, or as cobertura, html, json or lcov in a file.",
    )
    @click.option(
        "--fail-under",
        "least",
        metavar="PERCENT",
        type=click.FloatRange(0, 100),
        help="End with 1 when less of the rules and conditions, or of the grid, is tested.",
    )
    @click.option(
        "--suggest",
        "suggests",
        is_flag=True,
        help="Suggest scenarios for what is not tested, with today's answers.",
    )
    @click.option(
        "--to",
        "folder",
        metavar="FOLDER",
        type=click.Path(file_okay=False, path_type=Path),
        help="Write what is suggested into the folders `fixtures` and `scenarios` there.",
    )
    @functools.wraps(command)
    def run(
        *,
        forms: tuple[tuple[str, str], ...],
        least: float | None,
        suggests: bool,
        folder: Path | None,
        **options: Any,
    ) -> None:
        if folder and not suggests:
            raise click.UsageError("`--to` is for what is suggested; add `--suggest`")
        files = {TEXT: ""} if least is not None and not (forms or suggests) else {}
        for kind, file in forms:
            if kind in files:
                raise click.UsageError(f"`--coverage` is given twice for `{kind}`")
            files[kind] = file
        command(coverage=WantedCoverage(files, least, suggests, folder), **options)

    return run
