"""What the commands that compare two policies have in common: the policies, the report, the end."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import click

from authz_service import assembly
from authz_service.cli.output import open_output
from authz_service.errors import (
    EXIT_DENY,
    EXIT_ERROR,
    EvaluationTimeoutError,
    SearchTimeoutError,
    SettingError,
    quote,
    suggest,
)
from authz_service.policy.effect import Direction
from authz_service.policy.effect_report import write_json, write_markdown, write_text
from authz_service.policy.revision import load_named_policies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.effect import Outcome
    from authz_service.settings import Settings
    from authz_service.store.domain import Domain

_FAILURES: Final = {
    "newly-allowed": {Direction.ALLOWED},
    "newly-denied": {Direction.DENIED},
    "any": set(Direction),
}


@dataclass(frozen=True)
class Reporting:
    """What is to be done with what comes of it.

    Arguments:
        fail_on: which differences are a failure; None for none.
        as_json: whether to print JSON.
        markdown: a file to write in Markdown; None for none.
        limit: how many examples are listed of each effect.
        seconds: how long it may take.
    """

    fail_on: str | None
    as_json: bool
    markdown: str | None
    limit: int
    seconds: int

    @classmethod
    def take(cls, options: dict[str, Any]) -> Self:
        """Take what is its own out of a command's options."""
        return cls(**{each.name: options.pop(each.name) for each in dataclasses.fields(cls)})

    @contextmanager
    def limited(self, advice: str) -> Iterator[Callable[[], int]]:
        """Limit the time, and end well when it is over, or when somebody interrupts.

        Arguments:
            advice: how to ask for less.

        Returns:
            what tells how many milliseconds are left.

        Raises:
            SearchTimeoutError: when it takes longer.
        """
        end = time.monotonic() + self.seconds

        def left() -> int:
            milliseconds = int((end - time.monotonic()) * 1_000)
            if milliseconds <= 0:
                raise EvaluationTimeoutError.at("the time", "evaluation_timeout", "is over")
            return milliseconds

        try:
            yield left
        except EvaluationTimeoutError:
            message = (
                f"takes longer than {self.seconds} seconds; {advice}, or give it more with"
                " --seconds"
            )
            raise SearchTimeoutError.at("the comparison", "search_timeout", message) from None
        except KeyboardInterrupt:
            click.echo("error: interrupted; nothing is reported", err=True)
            sys.exit(EXIT_ERROR)

    def finish(self, outcome: Outcome) -> None:
        """Report what came of it, and end with exit code 1 where that is a failure."""
        if self.markdown:
            with open_output(self.markdown) as file:
                file.write(write_markdown(outcome).encode())
        if self.as_json:
            click.echo(json.dumps(write_json(outcome), indent=2))
        else:
            for line in write_text(outcome):
                click.echo(line)
        failures = _FAILURES.get(self.fail_on or "", set())
        if any(outcome.find(each) for each in failures):
            sys.exit(EXIT_DENY)


def compile_both(
    settings: Settings, domain: Domain, old: str, new: str
) -> tuple[CompiledEngine, CompiledEngine]:
    """Compile two policies by their names, each a folder or a revision of the repository.

    Raises:
        PolicyError: when they cannot be used, with every place in the first that cannot.
    """
    first, second = (
        assembly.compile_policies(load_named_policies(each, settings.policies), settings, domain)
        for each in (old, new)
    )
    return first, second


def check_actions(actions: Iterable[str], domain: Domain) -> None:
    """Check that there are the actions to which a comparison is limited.

    Raises:
        SettingError: for one that the domain does not have.
    """
    known = {each for of_type in domain.actions.values() for each in of_type}
    for each in actions:
        if each not in known:
            message = f"there is no action {quote(each)}{suggest(each, known)}"
            raise SettingError.at("--action", "unknown_action", message)


def takes_reporting(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what is to be done with what comes of it."""
    options = [
        click.option(
            "--fail-on",
            type=click.Choice([*_FAILURES]),
            help="End with exit code 1 if there are such.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option("--markdown", metavar="FILE", help="Write it in Markdown to this file, too."),
        click.option(
            "--limit",
            type=click.IntRange(0, 1_000_000),
            default=10,
            show_default=True,
            metavar="N",
            help="List so many examples of each difference at the most.",
        ),
        click.option(
            "--seconds",
            type=click.IntRange(1, 1_000_000),
            default=600,
            show_default=True,
            metavar="N",
            help="Give up after so many seconds.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command
