"""The commands that ask and do what a scenario asks and does, to paste into a terminal."""

from __future__ import annotations

import glob
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from authz_service.policy.said import write_said
from authz_service.scenario.inquiry import Inquiry
from authz_service.scenario.listing import ACTIONS, WHO
from authz_service.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from authz_service.policy.request import Request, Said
    from authz_service.scenario.listing import Listing
    from authz_service.scenario.step import Step
    from authz_service.settings import Settings


class Commands:
    """Writes the commands that ask the questions of scenarios, and take their steps.

    Arguments:
        settings: of the runner.
    """

    def __init__(self, settings: Settings) -> None:
        self._program = _find_program()
        defaults = load_settings({})
        self._settings: list[str] = []
        for name in ("policies", "domain"):
            value = getattr(settings, name)
            if value != getattr(defaults, name):
                self._settings += [f"--{name}", str(value)]
        is_usual = settings.fixtures == defaults.fixtures
        self._fixtures = [] if is_usual else ["--fixtures", str(settings.fixtures)]

    def write(self, fixture: Path, item: Inquiry | Step, at: datetime | None) -> str:
        """Write the command that asks a question, or takes a step, on a fixture.

        Arguments:
            fixture: the file of the fixture.
            item: the question, or the step.
            at: what time it is; None for the real time.
        """
        if isinstance(item, Inquiry):
            command, said = "explain" if item.expected.asks_why else "check", item.said
        else:
            # what was sent is in a message, and nowhere else
            sent = {name: field.upper() for name, field in item.sent.items()}
            command, said = "perform", item.say(sent)
        options = self._find_options(fixture, item.channel, said, at)
        return self._write([str(item.subject), item.action, str(item.resource)], command, options)

    def write_searches(
        self, fixture: Path, listing: Listing, asked: Iterable[Request], at: datetime | None
    ) -> str:
        """Write the commands that look for a list.

        Arguments:
            fixture: as above.
            listing: the list.
            asked: the questions with which it is looked for.
            at: as above.
        """
        options = self._find_options(fixture, listing.channel, listing.said, at)
        if listing.kind == WHO:
            return self._write([listing.action, str(listing.resource)], "who", options)
        if listing.kind == ACTIONS:
            return self._write([str(listing.subject), str(listing.resource)], "can", options)
        about = [str(listing.subject), listing.action]
        return "; ".join(
            self._write([*about, each.resource.type], "what", options) for each in asked
        )

    def write_test(self, scenario: Path, name: str) -> str:
        """Write the command that puts a single item of a scenario.

        Arguments:
            scenario: its file.
            name: the item in one line.
        """
        options = ["--only", glob.escape(name), *self._settings, *self._fixtures]
        return self._write([str(scenario)], "test", options)

    def _find_options(
        self, fixture: Path, channel: str | None, said: Said, at: datetime | None
    ) -> list[str]:
        options = ["--fixture", str(fixture)]
        if channel is not None:
            options += ["--via", channel]
        for each in write_said(said):
            options += ["--with", each]
        if at:
            options += ["--now", at.isoformat()]
        return options + self._settings

    def _write(self, words: list[str], command: str, options: list[str]) -> str:
        if any(word.startswith("-") for word in words):
            words = [*options, "--", *words]
        else:
            words = [*words, *options]
        return shlex.join([self._program, command, *words])


def _find_program() -> str:
    """Find how to call this very installation from where the tests were started."""
    program = Path(sys.executable).parent / "authz"
    if not program.exists() or shutil.which("authz") == str(program):
        return "authz"
    near = os.path.relpath(program)
    return str(program) if near.startswith(os.pardir) else near
