"""Has a policy set tried in a process of its own, so that no answer waits for it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from authz_service.activation.verdict import Verdict
from authz_service.errors import Fault, Place
from authz_service.settings import write_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from authz_service.policy.source import PolicySet
    from authz_service.settings import Settings

_PLACE: Final = "the trial"
_PAUSE: Final = 2.0
_MODULE: Final = "authz_service.activation"


def run_trial(
    policies: PolicySet,
    settings: Settings,
    beat: Callable[[], None],
    *,
    with_checks: bool,
    pause: float = _PAUSE,
) -> Verdict:
    """Have a policy set tried, and wait for the verdict.

    Arguments:
        policies: the set.
        settings: as of `gate.judge`.
        beat: is called now and then while it is under way.
        with_checks: as of `gate.judge`.
        pause: seconds between two calls.
    """
    asked = {
        "settings": write_settings(settings),
        "folder": policies.folder,
        "files": {each.name: each.text for each in policies.files},
        "with_checks": with_checks,
    }
    end = time.monotonic() + settings.trial_limit
    try:
        process = _start()
    except OSError as error:
        return _die(f"cannot be started: {error.strerror or error}")
    text: str | None = json.dumps(asked)
    with process:
        while True:
            try:
                written, _ = process.communicate(text, timeout=pause)
            except subprocess.TimeoutExpired:
                text = None
                beat()
            else:
                return _read(written, process.returncode)
            if time.monotonic() > end:
                process.kill()
                message = (
                    f"took longer than {settings.trial_limit} seconds; the setting is `trial_limit`"
                )
                return Verdict.of([Fault(Place(_PLACE), "trial_timeout", message)])


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603  # this very program, and not what lies around here
        [sys.executable, "-P", "-m", _MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def _read(written: str, code: int) -> Verdict:
    if code:
        ended = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return _die(f"ended {ended} before there was a verdict; the log of the service may say why")
    return Verdict.parse(json.loads(written))


def _die(message: str) -> Verdict:
    return Verdict.of([Fault(Place(_PLACE), "trial_died", message)])
