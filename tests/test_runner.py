"""Questions of scenarios, put to the product, and their answers held against the expected."""

from __future__ import annotations

import dataclasses
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner
from small_domain import write_policy

from authz_service.cli.main import main
from authz_service.decision.answer import Decision, Reason
from authz_service.errors import (
    FixtureError,
    Place,
    PolicyError,
    ScenarioError,
    SettingError,
)
from authz_service.scenario.case import load_scenario
from authz_service.scenario.inquiry import Expectation, Inquiry
from authz_service.scenario.outcome import Outcome
from authz_service.scenario.runner import Runner
from authz_service.settings import Settings
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from authz_service.scenario.case import Scenario

MARY: Final = Reference("person", "mary")
MOBILE: Final = Reference("subscription", "0470000001")
ROOT: Final = Path(__file__).parent.parent

# Whoever reads a record by the web may, until 2027; nobody writes what is archived, and owners
# delete softly.
POLICY: Final = """
allow(request: Request, action: String, record: Record) if
    permit(request.subject, action, record) and
    not forbid(_reason, request, action, record);
permit(_user: User, "read", _record: Record);
permit(user: User, "write", record: Record) if record.owner = user;
permit(user: User, "delete", record: Record) if record.owner = user;
forbid("hard", request: Request, "delete", _record: Record) if not request.soft = true;
forbid("in_parts", request: Request, "delete", _record: Record) if "a b" in request.parts;
forbid("archived", _request: Request, "write", _record: Record{status: "archived"});
forbid("wrong_channel", request: Request, _action: String, _record: Record) if
    request.channel in ["post", "--now"];
forbid("too_late", request: Request, "read", record: Record) if
    not record.created = nil and record.created < request.now;
"""

RECORDS: Final = """
user:
  alice: {name: Alice, role: member, manager: null}
  Bob O'Neil & Söhne: {name: Bob, role: admin, manager: alice}
record:
  report: {status: active, owner: alice, readers: [], created: 2027-01-01T00:00:00Z}
  note: {status: archived, owner: alice, readers: []}
  a/b c: {status: active, readers: []}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The records with their policy and their fixture."""
    (tmp_path / "records.yaml").write_text(RECORDS, encoding="utf-8")
    policies = write_policy(tmp_path, POLICY)
    return Settings(policies=policies, fixtures=tmp_path, domain="small_domain")


def write(folder: Path, cases: str, at: str = "2026-01-05T09:00:00Z") -> Scenario:
    """Write a scenario about the records and load it."""
    path = folder / "scenario.yaml"
    path.write_text(f"scenario: What is so\nfixture: records\nat: {at}\ncases:\n{cases}\n")
    return load_scenario(path)


def run(settings: Settings, scenario: Scenario) -> list[Outcome]:
    """Put the questions of a scenario."""
    return [each for each in Runner(settings).run(scenario) if isinstance(each, Outcome)]


def outcome_of(expected: Expectation, *codes: str) -> Outcome:
    """Make an outcome of an expectation and the codes that came."""
    inquiry = Inquiry(expected, MARY, MOBILE, None)
    reasons = tuple(Reason(code, f"that is {code}") for code in codes)
    return Outcome(inquiry, Decision(reasons, "sha256:0"), "authz check")


def can() -> Expectation:
    """Expect an allow."""
    return Expectation(Place("a.yaml", 1, 1), "view", allowed=True)


def cannot(*reasons: str) -> Expectation:
    """Expect a denial."""
    return Expectation(Place("a.yaml", 1, 1), "view", allowed=False, reasons=reasons)


def cannot_but_for(*reasons: str) -> Expectation:
    """Expect a denial that has no other reasons."""
    return dataclasses.replace(cannot(*reasons), only_these=True)


@pytest.mark.parametrize(
    ("passed", "expected", "codes"),
    [
        (True, can(), []),
        (False, can(), ["not_permitted"]),
        (False, can(), ["evaluation_error"]),
        (False, cannot(), []),
        (False, cannot("not_permitted"), []),
        (True, cannot(), ["not_permitted"]),
        (True, cannot(), ["late", "not_permitted"]),
        (True, cannot("late"), ["late"]),
        (True, cannot("late"), ["busy", "late", "not_permitted"]),
        (True, cannot("late", "busy"), ["busy", "late"]),
        (False, cannot("late"), ["busy"]),
        (True, cannot_but_for("late"), ["late"]),
        (False, cannot_but_for("late"), ["late", "not_permitted"]),
        (False, cannot_but_for("late", "busy"), ["late"]),
        (False, cannot("late", "busy"), ["late"]),
        *(
            row
            for code in (
                "unknown_subject",
                "unknown_resource",
                "unknown_action",
                "evaluation_error",
                "evaluation_timeout",
            )
            for row in (
                (False, cannot(), [code]),
                (False, cannot("not_permitted"), [code]),
                (True, cannot(code), [code]),
            )
        ),
    ],
)
def test_an_answer_is_held_against_the_expected(
    *, passed: bool, expected: Expectation, codes: list[str]
) -> None:
    """A wanted reason has to be there; what shows a mishap has to be wanted by name."""
    assert passed == outcome_of(expected, *codes).passed


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("allow", can()),
        ("deny", cannot()),
        ("deny, with late", cannot("late")),
        ("deny, with late, busy", cannot("late", "busy")),
        ("deny, with only late, busy", cannot_but_for("late", "busy")),
    ],
)
def test_the_expected_answer_has_words(words: str, expected: Expectation) -> None:
    """What was expected is said in words."""
    assert words == outcome_of(expected).expected


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("allow", []),
        ("deny: late (that is late)", ["late"]),
        ("deny: busy (that is busy), late (that is late)", ["busy", "late"]),
    ],
)
def test_the_given_answer_has_words(words: str, codes: list[str]) -> None:
    """What came is said in words, with all reasons."""
    assert words == outcome_of(can(), *codes).given


def test_every_question_is_put(tmp_path: Path, settings: Settings) -> None:
    """Each question has an outcome, in the order of the file."""
    scenario = write(
        tmp_path,
        """
  - {who: user/alice, on: record/report, via: [web, post], can: [read, write]}
  - {who: user/alice, on: record/note, cannot: {write: archived}}
  - {who: user/alice, on: record/note, cannot: {write: not_permitted}}
  - {who: user/nobody, on: record/note, cannot: {write: unknown_subject}}
""",
    )

    assert [
        ("user/alice read record/report via web", True),
        ("user/alice read record/report via post", False),
        ("user/alice write record/report via web", True),
        ("user/alice write record/report via post", False),
        ("user/alice write record/note", True),
        ("user/alice write record/note", False),
        ("user/nobody write record/note", True),
    ] == [(str(each.inquiry), each.passed) for each in run(settings, scenario)]


@pytest.mark.parametrize(
    ("passed", "at"), [(True, "2026-12-31T23:59:59Z"), (False, "2027-01-01T00:00:01Z")]
)
def test_the_clock_is_the_scenarios(
    tmp_path: Path, settings: Settings, *, passed: bool, at: str
) -> None:
    """Questions are asked at the time of the scenario."""
    scenario = write(tmp_path, "  - {who: user/alice, on: record/report, can: read}", at)

    assert [passed] == [outcome.passed for outcome in run(settings, scenario)]


def test_the_real_time_is_the_default(tmp_path: Path, settings: Settings) -> None:
    """Without a time in the file it is now."""
    past = datetime.now(UTC).replace(year=2001).isoformat()
    fixture = RECORDS.replace("2027-01-01T00:00:00Z", past)
    (tmp_path / "records.yaml").write_text(fixture, encoding="utf-8")
    scenario = write(tmp_path, "  - {who: user/alice, on: record/report, cannot: {read: too_late}}")

    assert [True] == [
        outcome.passed for outcome in run(settings, dataclasses.replace(scenario, at=None))
    ]


def test_each_scenario_has_a_store_of_its_own(tmp_path: Path, settings: Settings) -> None:
    """Two scenarios that are open at once do not see each other's entities."""
    other = RECORDS.replace("report:", "diary:")
    (tmp_path / "others.yaml").write_text(other, encoding="utf-8")
    unknown = "who: user/alice, on: [record/report, record/diary], cannot: {read: unknown_resource}"
    one = write(tmp_path, f"  - {{{unknown}}}")
    two = dataclasses.replace(one, fixture="others")
    runner = Runner(settings)
    with runner.open(one) as session, runner.open(two) as other_session:
        passed = [[each.put(n).passed for n in range(2)] for each in (session, other_session)]

    assert [[False, True], [True, False]] == passed


def test_a_busy_machine_is_no_fault_of_a_policy(tmp_path: Path, settings: Settings) -> None:
    """The time limit of the settings is for servers; scenarios have a minute a question."""
    hurried = dataclasses.replace(settings, time_limit=1)
    readers = "\n".join(
        f"  reader-{number}: {{name: Reader, role: member, manager: alice}}"
        for number in range(300)
    )
    fixture = RECORDS.replace("record:\n", f"{readers}\nrecord:\n")
    (tmp_path / "records.yaml").write_text(fixture, encoding="utf-8")
    rule = 'permit(user: User, "read", _: Record) if each in user.reports and each.name = "";'
    write_policy(tmp_path, POLICY + rule)
    scenario = write(tmp_path, "  - {who: user/alice, on: record/report, can: read}")

    assert [True] == [outcome.passed for outcome in run(hurried, scenario)]


@pytest.mark.parametrize(
    "fixture", ["nothing", "../nothing", ""], ids=["none", "elsewhere", "empty"]
)
def test_a_fixture_that_is_not_there_is_an_error(
    tmp_path: Path, settings: Settings, fixture: str
) -> None:
    """A scenario cannot be run without its fixture."""
    scenario = write(tmp_path, "  - {who: user/alice, on: record/report, can: read}")

    with pytest.raises(FixtureError, match="there is no such file"):
        run(settings, dataclasses.replace(scenario, fixture=fixture))


def test_a_runner_needs_policies_and_a_domain(tmp_path: Path, settings: Settings) -> None:
    """What is wrong with all scenarios at once is told before any of them."""
    with pytest.raises(PolicyError):
        Runner(dataclasses.replace(settings, policies=tmp_path / "nowhere"))
    with pytest.raises(SettingError):
        Runner(dataclasses.replace(settings, domain="nowhere"))


def test_what_comes_with_a_question_counts(tmp_path: Path, settings: Settings) -> None:
    """A question is put with all that its case says."""
    case = "  - {{who: user/alice, on: record/report, with: {{action: {}}}, can: delete}}"
    said = ["{soft: true}", "{soft: false}", "{soft: true, parts: [a b]}"]
    outcomes = run(settings, write(tmp_path, "\n".join(map(case.format, said))))

    assert [set(), {"hard"}, {"in_parts"}] == [
        {reason.code for reason in each.decision.reasons} for each in outcomes
    ]


def test_what_the_domain_does_not_take_is_told_with_its_place(
    tmp_path: Path, settings: Settings
) -> None:
    """A scenario with a misspelt name or a value of another type is not run."""
    scenario = write(
        tmp_path,
        """
  - {who: user/alice, on: record/report, with: {action: {sotf: true}}, can: [read, delete]}
  - who: user/alice
    on: record/report
    with:
      action: {copies: two, parts: [a, 1]}
      resource: {title: x}
      context: {weather: fine}
    can: read
""",
    )
    with pytest.raises(ScenarioError) as caught:
        run(settings, scenario)

    assert [
        "6:58: no `action.sotf` comes with a question; did you mean `soft`? [unknown_name]",
        "10:16: `action.copies` must be an integer [wrong_type]",
        "10:29: `action.parts` must be a list, each item a string [wrong_type]",
        "11:18: no `resource.title` comes with a question: it is stored [unknown_name]",
        "12:17: no `context.weather` comes with a question; there is `channel` [unknown_name]",
    ] == [str(each).removeprefix(f"{tmp_path}/scenario.yaml:") for each in caught.value.faults]


def test_a_channel_that_the_domain_does_not_take_is_told(
    tmp_path: Path, settings: Settings
) -> None:
    """Where there are no channels, `via` would say nothing."""
    (tmp_path / "channelless.py").write_text(
        "import dataclasses, small_domain\n"
        "DOMAIN = dataclasses.replace(small_domain.DOMAIN, context=())\n"
    )
    write_policy(tmp_path, 'allow(_: Request, "read", _: Record);')
    scenario = write(tmp_path, "  - {who: user/alice, on: record/report, via: web, can: read}")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        runner = Runner(dataclasses.replace(settings, domain="channelless"))

    with pytest.raises(ScenarioError, match=r":5:42: no `context.channel` comes with a question"):
        runner.run(scenario)


CASES: Final = {
    "an allow": "{who: user/alice, on: record/report, can: read}",
    "a denial": "{who: user/alice, on: record/note, cannot: write}",
    "a channel": "{who: user/alice, on: record/report, via: post, can: read}",
    "blanks, quotes and letters": '{who: "user/Bob O\'Neil & Söhne", on: record/a/b c, can: read}',
    "what is unknown": "{who: usr/alice, on: recrod/report, cannot: {raed: unknown_subject}}",
    "a channel like an option": "{who: user/alice, on: record/report, via: --now, can: read}",
    "an action like an option": "{who: user/alice, on: record/report,"
    " cannot: {--help: unknown_action}}",
    "a subject like an option": "{who: -user/alice, on: record/report,"
    " cannot: {read: unknown_subject}}",
    "a resource like an option": "{who: user/alice, on: --record/report,"
    " cannot: {read: unknown_resource}}",
    "what comes with it": "{who: user/alice, on: record/report, with: {action: {soft: true}},"
    " can: delete}",
    "a list that comes with it": "{who: user/alice, on: record/report,"
    ' with: {action: {copies: 2, parts: ["a b", "1", "\'"]}}, cannot: delete}',
    "a channel of a blank": '{who: user/alice, on: record/report, via: " ", can: read}',
}


@pytest.mark.parametrize("at", ["2026-12-31T23:59:59Z", "2027-01-01T00:00:01.5+00:00"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_command_asks_just_that_question(
    tmp_path: Path, settings: Settings, case: str, at: str
) -> None:
    """Who pastes the command gets the answer that the scenario got, reasons included."""
    (outcome,) = run(settings, write(tmp_path, f"  - {case}", at))
    program, *words = shlex.split(outcome.command)
    result = CliRunner().invoke(main, words)
    reasons = outcome.decision.reasons
    expected = [f"  {reason.code}: {reason.message}" for reason in reasons]

    assert "authz" == Path(program).name
    assert [["allow"], ["deny", *expected]][bool(reasons)] == result.stdout.splitlines()
    assert int(bool(reasons)) == result.exit_code


def test_the_command_of_a_step_does_just_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who pastes it sees what the step changed, at its time."""
    monkeypatch.chdir(ROOT)
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "scenario: What is done\nfixture: bakery\nat: 2026-01-05T09:00:00Z\ncases:\n"
        "  - do: {who: person/camille, action: register_access_owner, on: customer/318406529,"
        " via: web, with: {action: {terms_accepted: true}}}\n    after: {minutes: 11}\n"
    )
    [outcome] = Runner(Settings()).run(load_scenario(path))
    _, command, *words = shlex.split(outcome.command)
    result = CliRunner().invoke(main, [command, *words])

    assert "perform" == command
    assert outcome.command.endswith("--now 2026-01-05T09:11:00+00:00")
    assert "person camille, terms_accepted true, status submitted" in result.output
    assert 0 == result.exit_code


def test_the_command_of_a_step_leaves_room_for_what_was_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code stands in its message, and nowhere else."""
    monkeypatch.chdir(ROOT)
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "scenario: What is done\nfixture: bakery\ncases:\n"
        "  - do: {who: person/bram, action: confirm_code, on: delegate_request/mobile-approved,"
        " with: {action: {token: {sent: code}}}}\n"
    )
    [outcome] = Runner(Settings()).run(load_scenario(path))

    assert outcome.command.endswith(
        "perform person/bram confirm_code delegate_request/mobile-approved"
        " --fixture fixtures/bakery.yaml --with action.token=CODE"
    )


def test_the_command_is_short_where_settings_are_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the project's own folder the command names no more than the question."""
    monkeypatch.chdir(ROOT)
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "scenario: What is so\nfixture: smith\n"
        f"cases: [{{who: {MARY}, on: {MOBILE}, via: app, can: view_usage}}]\n"
    )
    (outcome,) = run(Settings(), load_scenario(path))

    assert outcome.command.endswith(
        f"authz check {MARY} view_usage {MOBILE} --fixture fixtures/smith.yaml --via app"
    )
