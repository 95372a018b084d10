"""What becomes of a mutant: who kills it, and what would."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from small_domain import DOMAIN
from toy_policy import FAILING, POLICY, SCENARIO, write_project

from authz_service import assembly
from authz_service.errors import ScenarioError
from authz_service.mutation.judge import Fate, Judge
from authz_service.mutation.mutant import find_mutants
from authz_service.mutation.suite import Suite
from authz_service.scenario.case import load_scenario
from authz_service.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.mutation.judge import Judgement

SETTINGS = Settings(domain="small_domain", policies=Path("policies"), fixtures=Path("fixtures"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the project."""
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return tmp_path


@contextmanager
def open_suite() -> Iterator[Suite]:
    """Open the scenarios of the project."""
    engine = assembly.build_compiled(SETTINGS, DOMAIN)
    files = sorted(Path("scenarios").glob("*.yaml"))
    suite = Suite(SETTINGS, engine, [load_scenario(each) for each in files])
    yield suite
    suite.close()


def judge(*operators: str, actions: tuple[str, ...] = (), every: bool = False) -> list[Judgement]:
    """Try the mutants of the file with the rules about records."""
    engine = assembly.build_compiled(SETTINGS, DOMAIN)
    with open_suite() as suite:
        court = Judge(engine, DOMAIN, suite, time.monotonic, actions=actions, all_killers=every)
        mutants = find_mutants(engine.policies, DOMAIN.schema, operators)
        return [court.judge(each) for each in mutants if each.file.name == "records.polar"]


def tell(judgements: list[Judgement]) -> dict[str, Fate]:
    """Tell what became of each mutant, by its change."""
    return {each.mutant.change: each.fate for each in judgements}


def test_the_hole_in_the_scenarios_is_the_one_survivor() -> None:
    """No scenario says that an archived record is not written."""
    found = judge("drop-rule")

    assert [Fate.KILLED, Fate.KILLED, Fate.SURVIVED] == [each.fate for each in found]
    assert "archived" in found[-1].mutant.before


def test_the_scenario_that_comes_with_a_survivor_kills_it(folder: Path) -> None:
    """Once it is kept among the others."""
    kept = judge("drop-rule")[-1].kept
    assert kept
    for kind, text in (("fixtures", kept.fixture), ("scenarios", kept.scenario)):
        (folder / kind / f"{kept.name}.yaml").write_text(text)
    last = judge("drop-rule")[-1]

    assert (Fate.KILLED, (f"scenarios/{kept.name}.yaml",)) == (last.fate, last.killers)


def test_a_mutant_that_says_the_same_is_no_survivor(folder: Path) -> None:
    """Be it by the same clauses, or in all small stores."""
    same = 'user in record.readers and user.role in ["member", "admin"];'
    write_project(folder, POLICY.replace("user in record.readers;", same))
    found = tell(judge("drop-condition"))

    assert Fate.EQUIVALENT is found['without user.role in ["member", "admin"]']
    assert Fate.KILLED is found["without user in record.readers"]


def test_a_mutant_that_is_no_policy_is_stillborn(folder: Path) -> None:
    """As where what is left asks something of a variable without a value."""
    through = "reader in record.readers and reader.id = user.id;"
    write_project(folder, POLICY.replace("user in record.readers;", through))
    found = judge("drop-condition")

    assert (Fate.STILLBORN, Fate.KILLED) == (found[0].fate, found[1].fate)
    assert "`id` is asked of a variable that has no value yet" in found[0].fault


def test_an_inline_query_that_fails_kills(folder: Path) -> None:
    """The policy would not be loaded."""
    write_project(folder, f'{POLICY}step("first"); ?= step("first");')
    found = tell(judge("drop-rule"))

    assert Fate.REFUSED is found['without step("first")']


def test_what_does_not_concern_an_action_is_not_looked_at() -> None:
    """Where only some actions are to be."""
    found = judge("drop-rule", actions=("read",))

    assert [Fate.KILLED, Fate.UNCONCERNED, Fate.UNCONCERNED] == [each.fate for each in found]


def test_the_first_scenario_that_fails_will_do(folder: Path) -> None:
    """All of them are found where that is asked for."""
    (folder / "scenarios" / "same.yaml").write_text(SCENARIO)

    assert [1, 1] == [len(each.killers) for each in judge("drop-rule")[:2]]
    assert [2, 2] == [len(each.killers) for each in judge("drop-rule", every=True)[:2]]


def test_what_is_skipped_kills_nothing(folder: Path) -> None:
    """It is not put."""
    skipped = SCENARIO.replace("cases:", "skip: asked elsewhere\ncases:")
    (folder / "scenarios" / "records.yaml").write_text(skipped)

    assert {Fate.SURVIVED} == {each.fate for each in judge("drop-rule")}


def test_scenarios_must_pass_before_anything_is_changed(folder: Path) -> None:
    """Each that does not is told with its place."""
    (folder / "scenarios" / "records.yaml").write_text(FAILING)
    with pytest.raises(ScenarioError) as caught:
        judge("drop-rule")

    assert [("scenarios/records.yaml", 10)] == [
        (each.where.name, each.where.line) for each in caught.value.faults
    ]
