"""The commands that ask and do what a scenario asks and does, to paste into a terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from authz_service.policy.said import write_said
from authz_service.scenario.case import Inquiry
from authz_service.settings import load_settings

if TYPE_CHECKING:
    from datetime import datetime

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

    def write(self, fixture: Path, item: Inquiry | Step, at: datetime | None) -> str:
        """Write the command that asks a question, or takes a step, on a fixture.

        Arguments:
            fixture: the file of the fixture.
            item: the question, or the step.
            at: what time it is; None for the real time.
        """
        if isinstance(item, Inquiry):
            command, said = "check", item.said
        else:
            # what was sent is in a message, and nowhere else
            sent = {name: field.upper() for name, field in item.sent.items()}
            command, said = "perform", item.say(sent)
        options = ["--fixture", str(fixture)]
        if item.channel is not None:
            options += ["--via", item.channel]
        for each in write_said(said):
            options += ["--with", each]
        if at:
            options += ["--now", at.isoformat()]
        options += self._settings
        words = [str(item.subject), item.action, str(item.resource)]
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
