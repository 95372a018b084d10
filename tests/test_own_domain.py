"""The page on domains of one's own: its files and commands, run as they are printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
from installation import AUTHZ, PATIENCE, Installation, clean_environment, find_port
from portal_service import ROOT
from test_docs import blocks

if TYPE_CHECKING:
    from pathlib import Path

PAGE: Final = (ROOT / "docs" / "own-domain.md").read_text()
FILES: Final = re.findall(r"^`(\S+)`\n\n```\w+\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the page."""
    made = tmp_path_factory.mktemp("own")
    for name, text in FILES:
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(text)
    return made


def run(folder: Path, script: str) -> str:
    """Run a script in the folder, and give back what it prints."""
    path = f"{AUTHZ.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=folder,
        env={**clean_environment(), "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.stdout


def test_the_page_has_all_that_a_domain_needs() -> None:
    """The entities, the rules, a fixture and a scenario, each under the name of its file."""
    assert [
        "lockers.py",
        "policies/main.polar",
        "fixtures/city.yaml",
        "scenarios/couriers.yaml",
    ] == [name for name, _ in FILES]


def test_the_commands_print_what_the_page_shows(folder: Path) -> None:
    """Typed one after the other, they run the scenario, check the policies and ask a question."""
    [shown] = blocks(PAGE, "console")
    commands = re.findall(r"^\$ (.+)", shown, re.MULTILINE)
    script = "\n".join(f"echo '$ {command}'\n{command}" for command in commands)

    assert shown == run(folder, script)


def test_the_page_is_served(folder: Path) -> None:
    """The server that the page starts answers the question that the page asks."""
    [command] = [line.split() for line in blocks(PAGE, "sh")[0].splitlines()]
    [data] = [json.loads(block) for block in blocks(PAGE, "json")]
    installed = Installation(folder, find_port(), folder / "policies", "lockers", folder)
    with installed.serve(*command[2:]):
        answer = installed.ask(data)

    assert ["authz", "serve"] == command[:2]
    assert {"decision": True} == answer.data


@pytest.mark.parametrize(
    "word", ["supplied", "stored", "subjects", "actions", "context", "parameters", "promises"]
)
def test_the_page_explains_what_it_uses(word: str) -> None:
    """Whatever a domain says is in the example, and has its sentence."""
    [domain] = blocks(PAGE, "python")

    assert f"{word} = " in domain or f"{word}=" in domain
    assert re.search(rf"^- .*\*\*{word}", PAGE, re.IGNORECASE | re.MULTILINE)
