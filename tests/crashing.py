"""A domain whose actions go wrong in ways that no policy can: `writing` is a text that says how."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from typing import TYPE_CHECKING, Final

import small_domain

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.store.work import Work

POLICY: Final = """
allow(_: Request, _: String, _: Record);
"""
RECORDS: Final = """
user: {alice: {name: Alice, role: member, manager: null}}
record: {report: {status: active, readers: []}}
"""


def _crash(_work: Work) -> None:
    raise KeyError("x")


def _interrupt(_work: Work) -> None:
    raise KeyboardInterrupt


def _end_process(_work: Work) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _interrupt_group(_work: Work) -> None:
    """Do what Ctrl-C does, and go on working for long."""
    os.killpg(0, signal.SIGINT)
    time.sleep(600)


def _do_nothing(_work: Work) -> None:
    """Change nothing."""


_DONE: Final = {
    "crash": _crash,
    "interrupt": _interrupt,
    "end_process": _end_process,
    "interrupt_group": _interrupt_group,
    "nothing": _do_nothing,
}
DOMAIN: Final = dataclasses.replace(
    small_domain.DOMAIN,
    actions={"record": ("read", *_DONE)},
    procedures={("record", name): procedure for name, procedure in _DONE.items()},
)


def write_project(folder: Path, **scenarios: str) -> None:
    """Write a project with scenarios about the report, each of actions with blanks between.

    Arguments:
        folder: where.
        scenarios: the actions by the name of the file; `read` is a question, the others are steps.
    """
    small_domain.write_policy(folder, POLICY)
    (folder / "fixtures").mkdir()
    (folder / "fixtures" / "records.yaml").write_text(RECORDS)
    (folder / "scenarios").mkdir()
    for name, actions in scenarios.items():
        cases = "\n".join(map(_write_case, actions.split()))
        text = f"scenario: About {name}\nfixture: records\ncases:\n{cases}\n"
        (folder / "scenarios" / f"{name}.yaml").write_text(text)


def _write_case(action: str) -> str:
    if action == "read":
        return "  - {who: user/alice, on: record/report, can: read}"
    return f"  - do: {{who: user/alice, on: record/report, action: {action}}}"
