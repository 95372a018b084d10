"""Other people's Polar: small domains in its idioms, each decided alike by both engines."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from reference import load_oracle, require_reference

from authz_service import storage
from authz_service.polar.checker import Findings
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.reasons import NOT_PERMITTED, UNKNOWN_SUBJECT
from authz_service.policy.request import Request, Said, build_request
from authz_service.policy.source import check_policies, load_policies
from authz_service.scenario.case import find_scenario_files, load_scenario
from authz_service.scenario.runner import Runner
from authz_service.settings import Settings
from authz_service.store.database import open_store
from authz_service.store.draft import DraftReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.policy.engine import Engine
    from authz_service.policy.source import PolicySet
    from authz_service.scenario.case import Scenario
    from authz_service.store.domain import Domain
    from authz_service.store.entity import Reference

TESTS: Final = Path(__file__).parent
FOLDER: Final = TESTS / "domains"
NAMES: Final = sorted(path.parent.name for path in FOLDER.glob("*/__init__.py"))
LONG: Final = 60_000
NOON: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)

FEWEST_DOMAINS: Final = 8
FEWEST_DECISIONS: Final = 20
FEWEST_OF_A_KIND: Final = 10

# What is asked and when, with what came of it: nothing against it, or these reasons.
Answers = list[tuple[Request, datetime, tuple[str, ...]]]


@dataclass(frozen=True)
class Small:
    """A small domain with all that belongs to it.

    `said` is what callers say with a request; `not_stored` is who and what no store has, and may be
    asked about all the same.
    """

    domain: Domain
    policies: PolicySet
    fixture: Path
    scenarios: tuple[Scenario, ...]
    said: tuple[Said, ...]
    not_stored: tuple[Reference, ...]
    settings: Settings

    @property
    def times(self) -> list[datetime]:
        """The times at which something changes, as the scenarios have them."""
        return sorted({each.at or NOON for each in self.scenarios})

    def questions(self) -> Iterator[Request]:
        """Ask everything: each subject, each action, each resource, whatever is said with it."""
        reader = DraftReader(self.domain.schema)
        reader.read(self.fixture)
        entities = [*reader.drafts, *self.not_stored]
        subjects = [each for each in entities if each.type in self.domain.subjects]
        for subject, resource, said in product(subjects, entities, self.said):
            for action in self.domain.actions.get(resource.type, ()):
                yield build_request(self.domain.schema, subject, action, resource, said)


@cache
def load(name: str) -> Small:
    """Load a small domain."""
    module = importlib.import_module(f"domains.{name}")
    folder = FOLDER / name
    [fixture] = (folder / "fixtures").glob("*.yaml")
    return Small(
        domain=module.DOMAIN,
        policies=load_policies(folder / "policies"),
        fixture=fixture,
        scenarios=tuple(map(load_scenario, find_scenario_files([folder / "scenarios"]))),
        said=getattr(module, "SAID", (Said(),)),
        not_stored=getattr(module, "NOT_STORED", ()),
        settings=Settings(
            policies=folder / "policies",
            domain=f"domains.{name}",
            fixtures=folder / "fixtures",
            engine="both",
        ),
    )


def ask_everything(small: Small, engine: Engine) -> Answers:
    """Put every question at every time."""
    store = storage.build_fixture_store(small.fixture, small.domain)
    answers = [
        (each, now, engine.reasons(store, each, now))
        for each, now in product(small.questions(), small.times)
    ]
    store.close()
    return answers


@cache
def compile_policies(name: str) -> CompiledEngine:
    """Compile the policies of a small domain."""
    small = load(name)
    return CompiledEngine(small.policies, small.domain, LONG)


@cache
def answers_of(name: str) -> Answers:
    """Find what the compiled engine answers to everything."""
    return ask_everything(load(name), compile_policies(name))


def test_there_are_enough_domains() -> None:
    """Public Polar has more idioms than one application uses."""
    assert len(NAMES) >= FEWEST_DOMAINS


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong_or_odd_about_the_policies(name: str) -> None:
    """The checker has no error and no warning for Polar as others write it."""
    small = load(name)

    assert Findings((), ()) == check_policies(small.policies, small.domain.schema)


@pytest.mark.parametrize("name", NAMES)
def test_a_domain_has_enough_decisions(name: str) -> None:
    """The scenarios say what is allowed and what is not, and why it is not."""
    inquiries = [each for scenario in load(name).scenarios for each in scenario.inquiries]
    allowed = [each for each in inquiries if each.expected.allowed]
    denied = [each for each in inquiries if not each.expected.allowed]

    assert len(inquiries) >= FEWEST_DECISIONS
    assert min(len(allowed), len(denied)) >= FEWEST_OF_A_KIND
    assert [] == [str(each) for each in denied if not each.expected.reasons]


@pytest.mark.parametrize("name", NAMES)
def test_scenarios_are_decided_as_they_say(name: str) -> None:
    """Both engines agree on every decision of every scenario, and it is the expected one."""
    require_reference()
    small = load(name)
    runner = Runner(small.settings)
    outcomes = [each for scenario in small.scenarios for each in runner.run(scenario)]

    assert [] == [(str(each.item), each.given) for each in outcomes if not each.passed]


@pytest.mark.parametrize("name", NAMES)
def test_engines_agree_on_everything(name: str) -> None:
    """Everybody asks for everything, and both engines give the same reasons, all of them."""
    small = load(name)
    oracle = load_oracle(small.policies, small.domain)

    assert ask_everything(small, oracle) == answers_of(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_allowed_to_some_and_denied_to_others(name: str) -> None:
    """No rule is there for nothing: what all may or none may, would be no test of it."""
    found = defaultdict(set)
    for request, _, reasons in answers_of(name):
        found[request.resource.type, request.action].add(not reasons)
    actions = load(name).domain.actions

    assert {(kind, each): {True, False} for kind, all_ in actions.items() for each in all_} == found


@pytest.mark.parametrize("name", NAMES)
def test_every_reason_is_given_and_has_its_words(name: str) -> None:
    """Each reason that a policy puts into words stands against some request, and no other does."""
    given = {code for _, _, reasons in answers_of(name) for code in reasons}
    given -= {UNKNOWN_SUBJECT}  # where somebody asks whom no store has

    assert {NOT_PERMITTED, *compile_policies(name).find_messages()} == given


@pytest.mark.parametrize("name", NAMES)
def test_databases_agree_on_everything_at_once(name: str, url: str) -> None:
    """All questions of one time together get the answers that each gets alone, in any database."""
    small = load(name)
    store = open_store(url, small.domain)
    storage.create_store(store, small.domain, [small.fixture])
    questions = list(small.questions())
    together = {
        now: compile_policies(name).reasons_many(store, questions, now) for now in small.times
    }
    store.close()

    assert answers_of(name) == [
        (each, now, together[now][number])
        for number, each in enumerate(questions)
        for now in small.times
    ]


@pytest.mark.parametrize("name", ["gitclub", "grants"])
def test_the_command_runs_the_scenarios_of_a_domain(name: str) -> None:
    """Where a domain's folders have the usual names, `authz test` takes its package alone."""
    require_reference()
    done = subprocess.run(
        [Path(sys.executable).parent / "authz", "test", "--engine", "both"],
        cwd=FOLDER / name,
        env={**os.environ, "AUTHZ_DOMAIN": f"domains.{name}", "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    count = sum(len(each.inquiries) for each in load(name).scenarios)

    assert ("", 0) == (done.stderr, done.returncode)
    assert f"{count} passed, 0 failed" == done.stdout.splitlines()[-1]


def test_scenarios_of_small_domains_are_not_asked_of_the_portal() -> None:
    """The plugin collects what is below folders named `scenarios`, but not these."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet", FOLDER],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert pytest.ExitCode.NO_TESTS_COLLECTED == done.returncode
