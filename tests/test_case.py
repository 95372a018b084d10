"""Scenario files: what they say, and what is wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from authz_service.errors import Place, ScenarioError
from authz_service.policy.request import Said
from authz_service.scenario.case import Scenario, find_scenario_files, load_scenario
from authz_service.scenario.inquiry import Expectation, Inquiry
from authz_service.scenario.step import Step
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from pathlib import Path

MARY: Final = Reference("person", "mary")
THOMAS: Final = Reference("person", "thomas")
MOBILE: Final = Reference("subscription", "0470000001")

WHOLE: Final = """\
# What is so.
scenario: Users see their own mobile only
source: page.txt
fixture: smith
at: 2026-01-05T10:00:00+01:00
cases:
  - who: person/mary
    on: subscription/0470000001
    via: [web, app]
    can: [view_usage]
    cannot:
      - view_bills
      - manage_options: [not_permitted, unknown_channel]
  - who: person/thomas
    on: subscription/0470000001
    cannot:
      view_usage: not_permitted
"""

CASE: Final = """\
scenario: One case
fixture: smith
cases:
  - {}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a scenario is written."""
    return tmp_path / "scenario.yaml"


def load(path: Path, text: str) -> Scenario:
    """Write a file and load it."""
    path.write_text(text, encoding="utf-8")
    return load_scenario(path)


def faults_of(path: Path, text: str) -> list[str]:
    """Write a file and find what is wrong with it, without its name."""
    with pytest.raises(ScenarioError) as caught:
        load(path, text)
    return [str(fault).removeprefix(f"{path}:") for fault in caught.value.faults]


def questions(scenario: Scenario) -> list[str]:
    """Write the questions of a scenario."""
    return [str(each) for each in scenario.inquiries]


def test_a_scenario_is_read_whole(path: Path) -> None:
    """A file becomes a title, a source, a fixture, a time and questions with their answers."""
    usage = Expectation(Place(str(path), 10, 11), "view_usage", allowed=True)
    bills = Expectation(Place(str(path), 12, 9), "view_bills", allowed=False)
    options = Expectation(
        Place(str(path), 13, 9),
        "manage_options",
        allowed=False,
        reasons=("not_permitted", "unknown_channel"),
    )
    others = Expectation(
        Place(str(path), 17, 7), "view_usage", allowed=False, reasons=("not_permitted",)
    )
    expected = Scenario(
        path=path,
        title="Users see their own mobile only",
        source="page.txt",
        fixture="smith",
        at=datetime(2026, 1, 5, 9, tzinfo=UTC),
        items=(
            Inquiry(usage, MARY, MOBILE, "web"),
            Inquiry(usage, MARY, MOBILE, "app"),
            Inquiry(bills, MARY, MOBILE, "web"),
            Inquiry(bills, MARY, MOBILE, "app"),
            Inquiry(options, MARY, MOBILE, "web"),
            Inquiry(options, MARY, MOBILE, "app"),
            Inquiry(others, THOMAS, MOBILE, None),
        ),
    )

    assert expected == load(path, WHOLE)


def test_source_time_and_channel_may_be_left_out(path: Path) -> None:
    """Without them there is no source, the real time, and no channel."""
    scenario = load(path, CASE.format("{who: a/b, on: c/d, can: view}"))

    assert ("", None, [None]) == (
        scenario.source,
        scenario.at,
        [each.channel for each in scenario.inquiries],
    )


def test_lists_are_multiplied(path: Path) -> None:
    """Every action is asked of every subject on every resource by every channel."""
    case = "{who: [a/1, a/2], on: [b/1, b/2], via: [web, app], can: see, cannot: [buy, sell]}"
    expected = [
        f"a/{who} {action} b/{on} via {channel}"
        for action in ("see", "buy", "sell")
        for who in (1, 2)
        for on in (1, 2)
        for channel in ("web", "app")
    ]

    assert expected == questions(load(path, CASE.format(case)))


@pytest.mark.parametrize(
    ("one", "list_of_one"),
    [
        (
            "{who: a/b, on: c/d, via: web, can: view}",
            "{who: [a/b], on: [c/d], via: [web], can: [view]}",
        ),
        ("{who: a/b, on: c/d, cannot: view}", "{who: a/b, on: c/d, cannot: [view]}"),
        (
            "{who: a/b, on: c/d, cannot: {view: late}}",
            "{who: a/b, on: c/d, cannot: [{view: [late]}]}",
        ),
    ],
)
def test_one_value_stands_for_a_list_of_one(path: Path, one: str, list_of_one: str) -> None:
    """Brackets around a single value may be left out."""
    short, long = (load(path, CASE.format(case)) for case in (one, list_of_one))

    assert questions(short) == questions(long)
    assert [each.expected.reasons for each in short.inquiries] == [
        each.expected.reasons for each in long.inquiries
    ]


def test_an_id_may_have_slashes(path: Path) -> None:
    """A type ends at the first slash."""
    scenario = load(path, CASE.format("{who: a/b/c, on: d/e/f/g, can: view}"))

    assert (Reference("a", "b/c"), Reference("d", "e/f/g")) == (
        scenario.inquiries[0].subject,
        scenario.inquiries[0].resource,
    )


@pytest.mark.parametrize(
    ("expected", "at"),
    [
        (datetime(2026, 1, 5, 9, tzinfo=UTC), "2026-01-05T09:00:00Z"),
        (datetime(2026, 1, 5, 9, tzinfo=UTC), '"2026-01-05T09:00:00Z"'),
        (datetime(2026, 1, 5, 8, tzinfo=UTC), "2026-01-05T09:00:00+01:00"),
        (datetime(2026, 1, 5, 9, tzinfo=UTC), "2026-01-05 09:00:00Z"),
        (datetime(2026, 1, 5, 9, 0, 0, 250_000, tzinfo=UTC), "2026-01-05T09:00:00.25Z"),
    ],
)
def test_a_time_is_kept_in_utc(path: Path, expected: datetime, at: str) -> None:
    """The clock may be written in any zone."""
    scenario = load(path, CASE.format("{who: a/b, on: c/d, can: view}") + f"at: {at}")

    assert expected == scenario.at
    assert expected.utcoffset() == scenario.at.utcoffset()


@pytest.mark.parametrize(
    ("expected", "channel"),
    [("person/mary view x/1 via web", "web"), ("person/mary view x/1", None)],
)
def test_a_question_is_one_line(expected: str, channel: str | None) -> None:
    """A question reads as a sentence."""
    expectation = Expectation(Place("a.yaml", 1, 1), "view", allowed=True)

    assert expected == str(Inquiry(expectation, MARY, Reference("x", "1"), channel))


WITH: Final = """\
scenario: One case
fixture: smith
cases:
  - who: person/a
    on: thing/b
    via: web
    with:
      subject: {role: admin}
      action: {soft: true, hard: False, copies: -2, parts: [a, "7", 7]}
      resource: {status: "true", since: 2026-01-05T09:00:00Z, title: ""}
      context: {ticket: INC-7}
    can: view
"""


def test_what_comes_with_a_question_is_read(path: Path) -> None:
    """Text, whole numbers, truth values, times and lists of them are kept, each with its place."""
    (inquiry,) = load(path, WITH).inquiries
    expected = Said(
        subject={"role": "admin"},
        action={"soft": True, "hard": False, "copies": -2, "parts": ["a", "7", 7]},
        resource={"status": "true", "since": "2026-01-05T09:00:00Z", "title": ""},
        context={"ticket": "INC-7"},
    )

    assert expected == inquiry.said
    assert {"ticket": "INC-7", "channel": "web"} == inquiry.all_said.context
    assert Place(str(path), 9, 28) == inquiry.places["action.hard"]
    assert Place(str(path), 6, 5) == inquiry.places["context.channel"]


def test_a_question_tells_what_comes_with_it(path: Path) -> None:
    """What is said is part of the line, so that two questions can be told apart."""
    said = "with action.soft=true resource.status=archived"
    case = (
        "who: a/b, on: c/d, with: {resource: {status: archived}, action: {soft: true}}, can: view"
    )

    assert [f"a/b view c/d {said}"] == questions(load(path, CASE.format(f"{{{case}}}")))


TAGGED: Final = """\
scenario: Some cases
fixture: smith
tags: [slow, release]
skip: waits for the new channel
cases:
  - {who: a/b, on: c/d, can: view}
  - {who: a/b, on: c/d, can: edit, tags: own, skip: nobody knows}
  - do: {who: a/b, action: send, on: c/d}
"""


def test_what_a_scenario_is_tagged_with_holds_for_all_in_it(path: Path) -> None:
    """A case adds its own tags, and its own reason not to be asked comes first."""
    expected = [
        (("slow", "release"), "waits for the new channel"),
        (("slow", "release", "own"), "nobody knows"),
        (("slow", "release"), "waits for the new channel"),
    ]
    scenario = load(path, TAGGED)

    assert expected == [(each.tags, each.skip) for each in scenario.items]
    assert expected[0] == (scenario.tags, scenario.skip)


STEP: Final = """\
scenario: One step
fixture: smith
cases:
  - who: person/mary
    on: thing/b
    can: view
  - do:
      who: person/mary
      action: send
      on: thing/b
      via: web
      with:
        action: {copies: 2, token: {sent: code}}
        context: {ticket: INC-7}
    after: {hours: 1, minutes: 11}
    new: form-1
    changes:
      thing/b: {status: sent}
      thing/c: removed
    informs:
      a@x.example: hello
      "0470000001": [code, hello]
  - {do: {who: person/thomas, action: sign, on: thing/b}, denied: [late, busy]}
"""


def test_a_step_is_read_whole(path: Path) -> None:
    """Who does what on what, what comes with it, when, and what must come of it."""
    scenario = load(path, STEP)
    [question], (step, other) = scenario.inquiries, scenario.steps
    assert isinstance(step, Step)
    changes = step.changes or ()

    assert (question, step, other) == scenario.items
    assert "person/mary view thing/b" == str(question)
    assert (
        "do person/mary send thing/b via web"
        " with action.copies=2 action.token=(sent code) context.ticket=INC-7"
    ) == str(step)
    assert (MARY, "send", Reference("thing", "b"), "web") == (
        step.subject,
        step.action,
        step.resource,
        step.channel,
    )
    assert Said(action={"copies": 2}, context={"ticket": "INC-7"}) == step.said
    assert {"token": "code"} == step.sent
    assert (timedelta(minutes=71), "form-1", ()) == (step.after, step.new, step.denied)
    assert ["thing/b", "thing/c"] == [str(each.reference) for each in changes]
    assert [False, True] == [each.values is None for each in changes]
    assert {"a@x.example": ("hello",), "0470000001": ("code", "hello")} == step.informs
    assert (None, None, ("late", "busy")) == (other.changes, other.informs, other.denied)


def test_a_step_knows_its_places(path: Path) -> None:
    """Each thing that can be wrong with it has its line and column."""
    step = load(path, STEP).steps[0]

    assert Place(str(path), 7, 5) == step.place
    assert Place(str(path), 9, 7) == step.places["action"]
    assert Place(str(path), 13, 29) == step.places["action.token"]
    assert Place(str(path), 11, 7) == step.places["context.channel"]
    assert Place(str(path), 16, 5) == step.places["new"]
    assert [(18, 7), (19, 7)] == [
        (each.place.line, each.place.column) for each in step.changes or ()
    ]


def test_questions_and_steps_are_told_apart(path: Path) -> None:
    """They stand in one order, and each kind can be asked for."""
    scenario = load(path, STEP)

    assert (1, 2, 3) == (len(scenario.inquiries), len(scenario.steps), len(scenario.items))


HEAD: Final = "scenario: a\nfixture: f\n"
STEPS: Final = f"{HEAD}cases:\n  - do: {{who: a/b, action: send, on: c/d}}\n    "
SAID: Final = f"{HEAD}cases:\n  - do: {{who: a/b, action: send, on: c/d, with: {{action: {{}}}}}}"
COUNT: Final = "must be a whole number from 1 to 1000"
IDLE: Final = (
    "says what a step does, and one that is `denied` does nothing; leave one of them out"
    " [denied_does_nothing]"
)
BECOMES: Final = "must be attributes with values, or `removed`"
TEMPLATE: Final = "must be a template, or a list of them"
WAS_SENT: Final = "must be a value, or `{sent: FIELD}` for a field of the last message"
CASES: Final = f"{HEAD}cases:\n  - who: a/b\n    on: c/d\n    "
REFUSAL: Final = "`cannot` must be an action, or an action with a reason: `view: not_permitted`"
TIME: Final = "must be a time with its zone, such as 2026-01-05T09:00:00Z"
NOT_YAML: Final = (
    "is not YAML: while parsing a block node, expected the node content, but found ']'"
)
VALUE: Final = "must be text, a whole number, `true` or `false`, a time, or a list of those"
NAMES: Final = "must be names with values, as in `{soft: true}`"
LIST: Final = "must be a list of cases, each with `who:`, `on:` and what they can"
QUOTES: Final = "must be text; write it in quotes"

# By what the file says: what is wrong with it, place first and code last.
FAULTS: Final = {
    "": [" holds no scenario [empty_file]"],
    "# nothing yet": [" holds no scenario [empty_file]"],
    "just text": ["1:1: `the file` must be keys with values [invalid_value]"],
    "[a]": ["1:1: `the file` must be keys with values [invalid_value]"],
    "{}": [
        "1:1: lacks `cases:` [missing_key]",
        "1:1: lacks `fixture:` [missing_key]",
        "1:1: lacks `scenario:` [missing_key]",
    ],
    f"{HEAD}cases: ]": [f"3:8: {NOT_YAML} [not_yaml]"],
    f"{HEAD}fixture: g": [
        "3:1: `fixture` stands in line 2 already; remove one of them [duplicate_key]"
    ],
    f"{CASES}can: x\nfixtrue: f": [
        "7:1: there is no key `fixtrue`; did you mean `fixture`? [unknown_key]"
    ],
    f"{CASES}can: x\ncsaes:\n  - who: a/b": [
        "7:1: there is no key `csaes`; did you mean `cases`? [unknown_key]"
    ],
    f"{CASES}can: x\n    cannto:\n      - y": [
        "7:5: there is no key `cannto`; did you mean `cannot`? [unknown_key]"
    ],
    f"{CASES}can: x\n    weather: y": [
        (
            "7:5: there is no key `weather`; there is `because`, `can`, `cannot`, `do`,"
            " `everyone_else`, `examples`, `exhaustive`, `lists`, `missing`, `on`,"
            " `only_these_reasons`, `skip`, `table`, `tags`, `via`, `who`, `with` [unknown_key]"
        )
    ],
    "scenario:\nfixture: f\n" + CASES.removeprefix(HEAD) + "can: x": [
        "1:10: `scenario` holds nothing [invalid_value]"
    ],
    "scenario: ''\nfixture: 7\n" + CASES.removeprefix(HEAD) + "can: x": [
        "1:11: `scenario` is empty [invalid_value]",
        f"2:10: `fixture` {QUOTES} [invalid_value]",
    ],
    f"{CASES}can: x\nsource: [a]": [f"7:9: `source` {QUOTES} [invalid_value]"],
    f"{CASES}can: x\nsource:": ["7:8: `source` holds nothing [invalid_value]"],
    f"{CASES}can: x\nat:": ["7:4: `at` holds nothing [invalid_value]"],
    f"{CASES}can: x\nat: soon": [f"7:5: `at` {TIME} [invalid_value]"],
    f"{CASES}can: x\nat: 2026": [f"7:5: `at` {TIME} [invalid_value]"],
    f"{CASES}can: x\nat: 2026-02-30T09:00:00Z": [f"7:5: `at` {TIME} [invalid_value]"],
    f"{CASES}can: x\nat: 0001-01-01T00:00:00+01:00": [f"7:5: `at` {TIME} [invalid_value]"],
    f"{CASES}can: x\nat: 2026-01-05T09:00:00": [f"7:5: `at` {TIME} [invalid_value]"],
    f"{CASES}can: x\nat: 2026-01-05": [f"7:5: `at` {TIME} [invalid_value]"],
    f"{CASES}can: x\nat: [2026-01-05T09:00:00Z]": [f"7:5: `at` {TIME} [invalid_value]"],
    f"{HEAD}cases:": ["3:7: `cases` asks nothing; add a case [invalid_value]"],
    f"{HEAD}cases: []": ["3:8: `cases` asks nothing; add a case [invalid_value]"],
    f"{HEAD}cases: {{who: a/b}}": [f"3:8: `cases` {LIST} [invalid_value]"],
    f"{HEAD}cases: [x]": ["3:9: `cases` must be keys with values [invalid_value]"],
    f"{HEAD}cases:\n  - who: a/b\n    on: c/d": [
        "4:5: this case asserts nothing; add `can:`, `cannot:` or `lists:` [asserts_nothing]"
    ],
    f"{HEAD}cases:\n  - can: x": [
        "4:5: lacks `on:` [missing_key]",
        "4:5: lacks `who:` [missing_key]",
    ],
    f"{HEAD}cases: [{{who: mary, on: tv/, can: x}}]": [
        "3:15: `who` `mary` is not of the form type/id, as in person/mary [invalid_value]",
        "3:25: `on` `tv/` is not of the form type/id, as in person/mary [invalid_value]",
    ],
    f"{HEAD}cases: [{{who: [a/b, 7], on: {{}}, can: x}}]": [
        "3:21: `who` must be an entity such as `person/mary` [invalid_value]",
        "3:29: `on` must be an entity such as `person/mary` [invalid_value]",
    ],
    f"{HEAD}cases: [{{who: [], on: , can: x}}]": [
        "3:15: `who` is empty [invalid_value]",
        "3:22: `on` holds nothing [invalid_value]",
    ],
    f"{CASES}can: []": ["6:10: `can` is empty [invalid_value]"],
    f"{CASES}can: ''": ["6:10: `can` is empty [invalid_value]"],
    f"{CASES}can:": ["6:9: `can` holds nothing [invalid_value]"],
    f"{CASES}can: [x, yes]": [f"6:14: `can` {QUOTES} [invalid_value]"],
    f"{CASES}can: {{x: late}}": [f"6:10: `can` {QUOTES} [invalid_value]"],
    f"{CASES}via: [web, 7]\n    can: x": [f"6:16: `via` {QUOTES} [invalid_value]"],
    f"{CASES}via: []\n    can: x": ["6:10: `via` is empty [invalid_value]"],
    f"{CASES}via:\n    can: x": ["6:9: `via` holds nothing [invalid_value]"],
    f"{CASES}with:\n    can: x": ["6:10: `with` holds nothing [invalid_value]"],
    f"{CASES}with: {{}}\n    can: x": ["6:11: `with` is empty [invalid_value]"],
    f"{CASES}with: web\n    can: x": ["6:11: `with` must be keys with values [invalid_value]"],
    f"{CASES}with: {{subjct: {{role: x}}, weather: {{}}}}\n    can: x": [
        "6:12: there is no key `subjct`; did you mean `subject`? [unknown_key]",
        (
            "6:31: there is no key `weather`; there is `action`, `context`, `resource`, `subject`"
            " [unknown_key]"
        ),
    ],
    f"{CASES}with: {{subject: , action: {{}}, resource: x}}\n    can: x": [
        "6:20: `subject` holds nothing [invalid_value]",
        "6:31: `action` is empty [invalid_value]",
        f"6:45: `resource` {NAMES} [invalid_value]",
    ],
    f"{CASES}with: {{action: {{a: 2.5, b: , c: {{}}, d: [x, [y]], e: yes}}}}\n    can: x": [
        f"6:24: `a` {VALUE} [invalid_value]",
        f"6:31: `b` {VALUE} [invalid_value]",
        f"6:37: `c` {VALUE} [invalid_value]",
        f"6:48: `d` {VALUE} [invalid_value]",
        f"6:57: `e` {VALUE} [invalid_value]",
    ],
    f"{CASES}with: {{context: {{channel: web}}}}\n    can: x": [
        "6:31: `channel` has a key of its own; say it with `via:` [invalid_value]"
    ],
    f"{CASES}cannot:": ["6:12: `cannot` holds nothing [invalid_value]"],
    f"{CASES}cannot: []": ["6:13: `cannot` is empty [invalid_value]"],
    f"{CASES}cannot: [x, 7]": [f"6:17: {REFUSAL} [invalid_value]"],
    f"{CASES}cannot: {{x: late, y: late}}": [f"6:13: {REFUSAL} [invalid_value]"],
    f"{CASES}cannot: {{x: }}": [f"6:13: {REFUSAL} [invalid_value]"],
    f"{CASES}cannot: {{x: []}}": [f"6:13: {REFUSAL} [invalid_value]"],
    f"{CASES}cannot: {{x: [late, 7]}}": [f"6:13: {REFUSAL} [invalid_value]"],
    f"{CASES}cannot: {{'': late}}": [f"6:13: {REFUSAL} [invalid_value]"],
    f"{CASES}can: [x, y, x]": [
        "6:17: `x` is in line 6 already; a case names it once [action_twice]"
    ],
    f"{CASES}can: x\n    cannot:\n      - y\n      - x: late": [
        "9:9: `x` is in line 6 already; a case names it once [action_twice]"
    ],
    f"{HEAD}cases: [{{new: a}}]": ["3:9: lacks `do:` [missing_key]"],
    f"{HEAD}cases: [{{do: send, denied: x}}]": [
        "3:14: `do` must be keys with values [invalid_value]"
    ],
    f"{HEAD}cases: [{{do: }}]": ["3:13: `do` holds nothing [invalid_value]"],
    f"{HEAD}cases: [{{do: {{}}}}]": [
        "3:14: lacks `action:` [missing_key]",
        "3:14: lacks `on:` [missing_key]",
        "3:14: lacks `who:` [missing_key]",
    ],
    f"{HEAD}cases: [{{do: {{who: [a/b], action: , on: c, by: x}}}}]": [
        "3:20: `who` must be an entity such as `person/mary` [invalid_value]",
        "3:34: `action` holds nothing [invalid_value]",
        "3:41: `on` `c` is not of the form type/id, as in person/mary [invalid_value]",
        ("3:44: there is no key `by`; there is `action`, `on`, `via`, `who`, `with` [unknown_key]"),
    ],
    f"{STEPS}chnages: {{}}": [
        "5:5: there is no key `chnages`; did you mean `changes`? [unknown_key]"
    ],
    f"{STEPS}cannot: x": [
        ("5:5: a step has no `cannot:`; what is asked stands in a case of its own [unknown_key]")
    ],
    f"{STEPS}new: 7": [f"5:10: `new` {QUOTES} [invalid_value]"],
    f"{STEPS}after: {{}}": ["5:12: `after` is empty [invalid_value]"],
    f"{STEPS}after:": ["5:11: `after` holds nothing [invalid_value]"],
    f"{STEPS}after: {{minuts: 1}}": [
        "5:13: there is no key `minuts`; did you mean `minutes`? [unknown_key]"
    ],
    f"{STEPS}after: {{days: 1001, hours: 0, minutes: 1.5, seconds: x}}": [
        f"5:19: `days` {COUNT} [invalid_value]",
        f"5:32: `hours` {COUNT} [invalid_value]",
        f"5:44: `minutes` {COUNT} [invalid_value]",
        f"5:58: `seconds` {COUNT} [invalid_value]",
    ],
    f"{STEPS}after: {{days: 2}}\nat: 9999-12-30T09:00:00Z": [
        (
            "5:5: `after` puts the clock forward beyond all times; begin with an earlier `at`"
            " [clock_overflow]"
        )
    ],
    f"{STEPS}changes:": [
        "5:13: `changes` holds nothing; `{}` says that nothing changes [invalid_value]"
    ],
    f"{STEPS}changes: [a/b]": [
        (
            "5:14: `changes` must be entities with values, as in `{person/mary: {name: Mary}}`"
            " [invalid_value]"
        )
    ],
    f"{STEPS}changes: {{b: removed, a/b: , a/c: gone, a/d: {{}}}}": [
        "5:18: `b` is not of the form type/id, as in person/mary [invalid_value]",
        f"5:31: `a/b` {BECOMES} [invalid_value]",
        f"5:39: `a/c` {BECOMES} [invalid_value]",
        f"5:50: `a/d` {BECOMES} [invalid_value]",
    ],
    f"{STEPS}changes: {{a/b: {{x: {{y: z}}, u: 2.5, v: [1.5], w: }}}}": [
        f"5:24: `x` {VALUE} [invalid_value]",
        f"5:35: `u` {VALUE} [invalid_value]",
        f"5:44: `v` {VALUE} [invalid_value]",
    ],
    f"{STEPS}informs:": [
        "5:13: `informs` holds nothing; `{}` says that nobody is informed [invalid_value]"
    ],
    f"{STEPS}informs: [a]": [
        (
            "5:14: `informs` must be addresses with templates, as in `{mary@x.example: welcome}`"
            " [invalid_value]"
        )
    ],
    f"{STEPS}informs: {{a: , b: [], c: [x, 7]}}": [
        f"5:17: `a` {TEMPLATE} [invalid_value]",
        f"5:23: `b` {TEMPLATE} [invalid_value]",
        f"5:30: `c` {TEMPLATE} [invalid_value]",
    ],
    f"{STEPS}denied:": ["5:12: `denied` holds nothing [invalid_value]"],
    f"{STEPS}denied: late\n    new: a\n    changes: {{}}\n    informs: {{}}": [
        f"6:5: `new` {IDLE}",
        f"7:5: `changes` {IDLE}",
        f"8:5: `informs` {IDLE}",
    ],
    f"{STEPS}new: a\n  - do: {{who: a/b, action: send, on: c/d}}\n    new: a": [
        "7:5: `a` is in line 5 already; each new entity has its own id [id_twice]"
    ],
    SAID.replace("{}", "{a: {sent: }, b: {sent: x, y: z}, c: {snt: x}, d: [{sent: x}]}"): [
        f"4:62: `a` {WAS_SENT} [invalid_value]",
        f"4:75: `b` {WAS_SENT} [invalid_value]",
        f"4:95: `c` {WAS_SENT} [invalid_value]",
        f"4:109: `d` {VALUE} [invalid_value]",
    ],
    f"{CASES}can: [x, x]\n  - {{who: a/b, on: c/d}}": [
        "6:14: `x` is in line 6 already; a case names it once [action_twice]",
        "7:5: this case asserts nothing; add `can:`, `cannot:` or `lists:` [asserts_nothing]",
    ],
}


@pytest.mark.parametrize(("text", "expected"), FAULTS.items(), ids=[repr(key) for key in FAULTS])
def test_what_is_wrong_is_told_with_its_place(path: Path, text: str, expected: list[str]) -> None:
    """Every fault has its line and column, says what is wrong, and has a code."""
    assert expected == faults_of(path, text)


def test_one_action_may_stand_in_several_cases(path: Path) -> None:
    """Only within a case is an action named once."""
    text = f"{CASES}can: view\n  - {{who: a/e, on: c/d, cannot: view}}"

    assert ["a/b view c/d", "a/e view c/d"] == questions(load(path, text))


def test_a_file_that_is_not_there_is_an_error(path: Path) -> None:
    """A scenario that cannot be read is told with its name."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)

    assert f"{path}: cannot be read: No such file or directory [unreadable_file]" == str(
        caught.value
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder of files and folders."""
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    for name in ("c.yaml", "a.yaml", "notes.txt", "b/z.yaml", "b/deep/y.yaml", "b/x.yml"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("expected", "names"),
    [
        (["a.yaml", "b/deep/y.yaml", "b/z.yaml", "c.yaml"], [""]),
        (["b/deep/y.yaml", "b/z.yaml"], ["b"]),
        (["c.yaml", "a.yaml"], ["c.yaml", "a.yaml"]),
        (["b/x.yml", "b/deep/y.yaml"], ["b/x.yml", "b/deep"]),
        ([], []),
    ],
)
def test_a_folder_is_the_scenarios_below_it(
    tree: Path, expected: list[str], names: list[str]
) -> None:
    """Paths stay in their order; the files of a folder are sorted."""
    assert [tree / name for name in expected] == find_scenario_files(
        [tree / name for name in names]
    )


def test_paths_that_lead_nowhere_are_told(tree: Path) -> None:
    """An error has a fault for every path without a scenario."""
    with pytest.raises(ScenarioError) as caught:
        find_scenario_files([tree / "nowhere.yaml", tree, tree / "empty"])

    assert [
        f"{tree}/empty: holds no `.yaml` file [empty_folder]",
        f"{tree}/nowhere.yaml: there is no such file or folder [missing_file]",
    ] == str(caught.value).splitlines()


# Files that are nearly right, so that chance gets past the first check.
PLAIN: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from(["a/b", "view", "2026-01-05T09:00:00Z", "0001-01-01T00:00:00+01:00"]),
)
ANYTHING: Final = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3),
    max_leaves=6,
)
NEARLY_SAID: Final = ANYTHING | st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("subject", "context", "other"), ANYTHING)
)
NEARLY_A_CASE: Final = st.fixed_dictionaries(
    {"who": st.just("a/b") | ANYTHING, "on": st.just("a/b") | ANYTHING},
    optional={"via": ANYTHING, "with": NEARLY_SAID, "can": ANYTHING, "cannot": ANYTHING},
)
NEARLY_A_DEED: Final = st.fixed_dictionaries(
    {"who": st.just("a/b") | ANYTHING, "action": PLAIN, "on": st.just("a/b") | ANYTHING},
    optional={"via": ANYTHING, "with": NEARLY_SAID},
)
NEARLY_A_STEP: Final = st.fixed_dictionaries(
    {"do": NEARLY_A_DEED | ANYTHING},
    optional=dict.fromkeys(
        ("after", "new", "changes", "informs", "denied", "can"),
        ANYTHING | st.dictionaries(st.sampled_from(["a/b", "minutes", "a@x"]), ANYTHING),
    ),
)
NEARLY_A_SCENARIO: Final = st.fixed_dictionaries(
    {
        "scenario": PLAIN,
        "fixture": PLAIN,
        "cases": st.lists(NEARLY_A_CASE | NEARLY_A_STEP | ANYTHING),
    },
    optional={"source": ANYTHING, "at": ANYTHING, "other": ANYTHING},
)


def loads_or_says_why(path: Path, data: bytes) -> bool:
    """Load some bytes; an error has to be one of ours, and to name the file."""
    path.write_bytes(data)
    try:
        return bool(load_scenario(path).items)
    except ScenarioError as error:
        return all(fault.where.name == str(path) for fault in error.faults)


@settings(deadline=None)
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_load_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """Nothing in a file makes the loader fail in another way than by a scenario error."""
    assert loads_or_says_why(tmp_path_factory.getbasetemp() / "any.yaml", data)


@settings(deadline=None)
@given(document=NEARLY_A_SCENARIO)
def test_any_values_load_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]
) -> None:
    """No value in the place of another makes it fail either."""
    data = yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "surrogatepass")

    assert loads_or_says_why(tmp_path_factory.getbasetemp() / "nearly.yaml", data)
