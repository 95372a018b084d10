"""A difference between two policies, kept as files that tell them apart."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import generated_policies
import pytest
from generated_agreement import read_policy_set
from mutants import DIFFERENT, LONG, POLICIES, change, compare_with_ours

from authz_service.equivalence.comparison import Bounds, compare_policies
from authz_service.errors import ScenarioError
from authz_service.policy.compiled import CompiledEngine
from authz_service.portal import DOMAIN
from authz_service.scenario.case import load_scenario
from authz_service.scenario.kept import keep_difference
from authz_service.scenario.runner import Runner
from authz_service.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.policy.source import PolicySet
    from authz_service.scenario.kept import Kept

# One more reason why nobody does it.
NEVER: Final = '"delegate_part", _customer: Customer);'
ADDED: Final = (
    "delegation",
    NEVER,
    f'{NEVER}\nforbid("never", _: Request, {NEVER}\nreason("never", "nobody does this");',
)

LETTERS: Final = """allow(_: Request, "read", _: Record);
allow(_: Request, "write", _: Record);
allow(_: Request, "open", _: Folder);
allow(request: Request, "send", letter: Letter) if
    letter.size > 10 and request.copies = 3;
"""
LATE: Final = """allow(request: Request, "read", record: Record) if record.created < request.now;
allow(_: Request, "write", _: Record);
allow(_: Request, "open", _: Folder);
allow(_: Request, "send", _: Letter);
"""


def save(policies: PolicySet, folder: Path) -> Path:
    """Write policies into a folder."""
    folder.mkdir()
    for each in policies.files:
        (folder / each.name).write_text(each.text)
    return folder


def run(kept: Kept, folder: Path, settings: Settings) -> list[bool]:
    """Run the scenario of a difference, and tell what passes."""
    for kind, text in (("fixtures", kept.fixture), ("scenarios", kept.scenario)):
        (folder / kind).mkdir(exist_ok=True)
        (folder / kind / f"{kept.name}.yaml").write_text(text)
    scenario = load_scenario(folder / "scenarios" / f"{kept.name}.yaml")
    runner = Runner(dataclasses.replace(settings, fixtures=folder / "fixtures"))
    try:
        return [each.passed for each in runner.run(scenario)]
    except ScenarioError:  # of two policies, one may not have the reason
        return [False]


@pytest.mark.parametrize(
    "name", ["condition dropped", "channel weakened", "reason renamed", "reason added"]
)
def test_the_scenario_passes_by_the_old_policy_and_fails_by_the_new_one(
    name: str, tmp_path: Path
) -> None:
    """Also where the new one gives the same reasons and more."""
    changed = change(*DIFFERENT.get(name, ADDED))
    found = compare_with_ours(CompiledEngine(changed, DOMAIN, LONG)).difference
    assert found is not None
    kept = keep_difference(DOMAIN.schema, found, "old", "new")
    folders = {"old": POLICIES, "new": save(changed, tmp_path / "changed")}
    passed = [
        each
        for each, folder in folders.items()
        if run(kept, tmp_path, Settings(policies=folder)) == [True]
    ]

    assert ["old"] == passed
    assert "This passes by `old` and fails by `new`." in kept.scenario


@pytest.mark.parametrize(("old", "new"), [(LETTERS, LETTERS.replace("10", "11")), (LATE, LETTERS)])
def test_what_comes_with_the_question_is_kept(old: str, new: str, tmp_path: Path) -> None:
    """Parameters, what is said of what is not stored, and the time."""
    domain = generated_policies.DOMAIN
    policies = {"old": read_policy_set(old), "new": read_policy_set(new)}
    first, second = (CompiledEngine(each, domain, LONG) for each in policies.values())
    found = compare_policies(first, second, domain, Bounds(), lambda: 0.0).difference
    assert found is not None
    kept = keep_difference(domain.schema, found, "old", "new")
    passed = {
        name: run(
            kept,
            tmp_path,
            Settings(domain="generated_policies", policies=save(each, tmp_path / name)),
        )
        for name, each in policies.items()
    }

    assert {"old": [True], "new": [False]} == passed
