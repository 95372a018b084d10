"""What tests play scenarios with: the portal's policies and fixtures, read once."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from performing import ROOT, SETTINGS

from authz_service.errors import AuthzError
from authz_service.scenario.runner import Runner

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.scenario.case import Scenario
    from authz_service.scenario.item import ItemOutcome

HEAD: Final = "scenario: What is so\nfixture: %s\n"


@functools.cache
def build_runner() -> Runner:
    """Build what runs scenarios of the portal."""
    return Runner(replace(SETTINGS, fixtures=ROOT / "fixtures"))


def write(folder: Path, text: str, fixture: str = "smith") -> Scenario:
    """Write a scenario about the entities of a fixture, and read it."""
    path = folder / "a.yaml"
    path.write_text(HEAD % fixture + text)
    return build_runner().load(path)


def play(folder: Path, text: str, fixture: str = "smith") -> list[ItemOutcome]:
    """Write a scenario, and put all of it."""
    return [*build_runner().run(write(folder, text, fixture))]


def find_faults(folder: Path, text: str, fixture: str = "smith") -> list[str]:
    """Find why a scenario cannot be played, without its name."""
    with pytest.raises(AuthzError) as caught:
        play(folder, text, fixture)
    return [str(each).removeprefix(f"{folder / 'a.yaml'}:") for each in caught.value.faults]
