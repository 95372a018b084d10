"""Tries a policy set: reads it and the settings as a line of JSON, and writes the verdict.

It gives way to the processes that serve, and ends when the one that started it has.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from typing import Any, Final

from authz_service.activation.gate import judge
from authz_service.activation.verdict import Verdict
from authz_service.errors import AuthzError
from authz_service.policy.source import PolicyFile, build_policy_set
from authz_service.settings import load_settings

_CHECK_SECONDS: Final = 1.0
_NICENESS: Final = 5


def main() -> None:
    """Read what is to be tried, and write the verdict."""
    os.nice(_NICENESS)
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    asked = json.loads(sys.stdin.readline())
    with contextlib.redirect_stdout(sys.stderr):  # whatever a domain prints is no verdict
        verdict = _judge(asked)
    sys.stdout.write(json.dumps(verdict.write()))


def _judge(asked: dict[str, Any]) -> Verdict:
    try:
        settings = load_settings(asked["settings"], {})
    except AuthzError as error:
        return Verdict.of(error.faults)
    files = [PolicyFile(name, text) for name, text in asked["files"].items()]
    policies = build_policy_set(asked["folder"], files)
    return judge(policies, settings, with_checks=asked["with_checks"])


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_CHECK_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
