"""Scenarios whose stores stay open, put to one policy after another."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from mutants import LONG, POLICIES, change, compile_ours
from small_domain import DOMAIN as RECORDS
from toy_policy import FIXTURE, POLICY, SCENARIO, write_project

from authz_service.assembly import build_compiled
from authz_service.mutation.suite import Suite
from authz_service.policy.compiled import CompiledEngine
from authz_service.portal import DOMAIN
from authz_service.scenario.case import load_scenario
from authz_service.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mutants import Change

SCENARIOS: Final = POLICIES.parent / "scenarios"
ROOM: Final = SCENARIOS / "flows" / "family-makes-room.yaml"
BECOMING: Final = SCENARIOS / "becoming-administrator.yaml"
# Goes round among the readers, each before the next, and never closes the circle.
BUSY: Final = """
permit(_user: User, _action: String, record: Record) if
    a in record.readers and b in record.readers and c in record.readers and
    d in record.readers and e in record.readers and
    a.name < b.name and b.name < c.name and c.name < d.name and d.name < e.name and
    e.name < a.name;
forbid("archived", _: Request, "write", _: Record{status: "archived"});
"""
# Bob reads for two reasons.
TWICE: Final = POLICY + 'permit(user: User, "read", _record: Record) if user.role = "admin";'
BECAUSE: Final = "    can: read\n    because: records.polar:1"
USERS: Final = 'user.role = "member" and user in'
# Nobody steps down any more.
NEVER: Final[Change] = ("administration", '"step_down", customer', '"delegate_part", customer')
STEPPING: Final = ("person", "step_down", "customer")


@pytest.fixture(scope="module")
def suite() -> Iterator[Suite]:
    """One scenario with steps, and one without."""
    settings = Settings(fixtures=POLICIES.parent / "fixtures")
    suite = Suite(settings, compile_ours(), [load_scenario(each) for each in (BECOMING, ROOM)])
    yield suite
    suite.close()


def find_killers(suite: Suite, changed: CompiledEngine, *keys: tuple[str, str, str]) -> list[Path]:
    """Find the scenarios that fail by changed policies."""
    return list(suite.find_killers(changed, keys))


def test_a_step_that_is_denied_kills(suite: Suite) -> None:
    """As often as it is tried, each time on the store as it was at the beginning."""
    changed = CompiledEngine(change(*NEVER), DOMAIN, LONG)
    killers = [find_killers(suite, each, STEPPING) for each in (changed, compile_ours(), changed)]

    assert [[ROOM], [], [ROOM]] == killers


def test_only_what_could_be_answered_otherwise_is_put(suite: Suite) -> None:
    """What rests on other kinds of questions is left alone."""
    changed = CompiledEngine(change(*NEVER), DOMAIN, LONG)

    assert [] == find_killers(suite, changed, ("person", "view", "subscription"))


def test_who_killed_last_is_tried_first(suite: Suite) -> None:
    """Where both do."""
    changed = CompiledEngine(
        change("administration", "not administers(person, customer)", "1 = 2"), DOMAIN, LONG
    )
    become = ("person", "become_administrator", "customer")
    find_killers(suite, CompiledEngine(change(*NEVER), DOMAIN, LONG), STEPPING)

    assert ROOM == find_killers(suite, changed, become)[0]
    assert {ROOM, BECOMING} == {*find_killers(suite, changed, become)}


def test_why_is_told_by_the_policies_that_are_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that has the expected answer kills where that is given for another reason."""
    reader = SCENARIO.replace("    can: read\n    cannot: [write, delete]", BECAUSE)
    write_project(tmp_path, TWICE, reader)
    monkeypatch.chdir(tmp_path)
    settings = Settings(domain="small_domain")
    scenario = load_scenario(Path("scenarios/records.yaml"))
    read = ("user", "read", "record")
    with closing(Suite(settings, build_compiled(settings, RECORDS), [scenario])) as suite:
        write_project(tmp_path, TWICE.replace("user in", USERS))
        killers = find_killers(suite, build_compiled(settings, RECORDS), read)

        assert [scenario.path] == killers


def test_it_is_told_that_a_question_took_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is answered with a denial, which kills."""
    readers = [f"reader-{number}" for number in range(80)]
    crowd = "".join(f"  {each}: {{name: {each}, role: member}}\n" for each in readers)
    listed = FIXTURE.replace("[bob]", f"[bob, {', '.join(readers)}]")
    write_project(tmp_path, fixture=listed.replace("record:\n", f"{crowd}record:\n"))
    monkeypatch.chdir(tmp_path)
    settings = Settings(domain="small_domain", time_limit=50)
    scenario = load_scenario(Path("scenarios/records.yaml"))
    write = ("user", "write", "record")
    with closing(Suite(settings, build_compiled(settings, RECORDS), [scenario])) as suite:
        write_project(tmp_path, BUSY)
        killers = find_killers(suite, build_compiled(settings, RECORDS), write)

        assert ([scenario.path], True) == (killers, suite.has_timed_out)
