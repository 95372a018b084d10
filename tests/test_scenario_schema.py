"""The scenario format for editors: a JSON Schema that says the same as the loader."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from jsonschema import Draft202012Validator

from authz_service.errors import ScenarioError
from authz_service.scenario.case import load_scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parent.parent
PATH: Final = ROOT / "authz_service" / "scenario" / "scenario.schema.json"
SCHEMA: Final[dict[str, Any]] = json.loads(PATH.read_text())
SCENARIOS: Final = sorted((ROOT / "scenarios").rglob("*.yaml"))


class EditorLoader(yaml.SafeLoader):
    """Reads YAML 1.2 as editors do: `on` and `yes` are words, and times are text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # as PyYAML declares it


EditorLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(true|false)$", re.IGNORECASE), list("tfTF")
)
EditorLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile("^(~|null|)$", re.IGNORECASE), ["~", "n", "N", ""]
)
EditorLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile("^[-+]?[0-9]+$"), list("-+0123456789")
)
EditorLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+\.[0-9]+$"), list("-+0123456789")
)


def editor_accepts(text: str) -> bool:
    """Tell whether an editor with the schema finds nothing wrong with a file."""
    validator = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return validator.is_valid(yaml.load(text, EditorLoader))  # noqa: S506  # it is a safe loader


def loader_accepts(text: str, path: Path) -> bool:
    """Tell whether a file can be run."""
    path.write_text(text, encoding="utf-8")
    try:
        load_scenario(path)
    except ScenarioError:
        return False
    return True


def test_the_schema_is_one() -> None:
    """The schema follows the draft that it names."""
    Draft202012Validator.check_schema(SCHEMA)

    assert Draft202012Validator.META_SCHEMA["$id"] == SCHEMA["$schema"]


def parts_of(node: object, name: str = "the schema") -> Iterator[tuple[str, dict[str, Any]]]:
    """Find everything in the schema that an editor can show: keys, and what they share."""
    if isinstance(node, dict):
        for group in ("properties", "$defs"):
            for key, part in node.get(group, {}).items():
                yield f"{name}: {key}", part
        for key, below in node.items():
            yield from parts_of(below, key)


@pytest.mark.parametrize(
    "part", [part for _, part in parts_of(SCHEMA)], ids=[name for name, _ in parts_of(SCHEMA)]
)
def test_every_key_is_described(part: dict[str, Any]) -> None:
    """An editor has a sentence to show for each key."""
    assert part["description"].endswith((".", "`."))


def keys_of(*path: str) -> list[str]:
    """Find the keys that the schema knows in a place."""
    found = SCHEMA
    for each in path:
        found = found[each]
    return sorted(found["properties"])


KEYS: Final = {
    "zzzzzz: 1": keys_of(),
    "cases: [{on: a/b, table: [], zzzzzz: 1}]": keys_of("$defs", "grid"),
    "cases: [{do: {}, zzzzzz: 1}]": keys_of("$defs", "step"),
    "cases: [{do: {zzzzzz: 1}}]": keys_of("$defs", "step", "properties", "do"),
    "cases: [{zzzzzz: 1}]": sorted({*keys_of("$defs", "case"), "do", "table"}),
    "cases: [{lists: {zzzzzz: 1}}]": keys_of("$defs", "case", "properties", "lists"),
    "cases: [{missing: [{zzzzzz: 1}]}]": keys_of("$defs", "fact"),
}


@pytest.mark.parametrize(("text", "keys"), KEYS.items(), ids=KEYS.keys())
def test_the_schema_has_the_keys_that_the_loader_has(
    tmp_path: Path, text: str, keys: list[str]
) -> None:
    """A key that is known to one of them is known to the other."""
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    [told] = [each.message for each in caught.value.faults if "`zzzzzz`" in each.message]

    assert keys == re.findall("`([a-z_]+)`", told)[1:]


def test_the_schema_has_a_name() -> None:
    """Editors show what a file is checked by."""
    assert ("urn:authz-service:scenario:2", "Authorization scenario") == (
        SCHEMA["$id"],
        SCHEMA["title"],
    )


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_every_scenario_is_valid(path: Path) -> None:
    """An editor finds nothing wrong with the scenarios of the project."""
    assert editor_accepts(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_every_scenario_names_the_schema(path: Path) -> None:
    """The first line of a scenario leads editors to the schema."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    target = first.removeprefix("# yaml-language-server: $schema=")

    assert PATH == (path.parent / target).resolve()


GOOD_CASE: Final = "{who: person/a, on: thing/b, can: view}"
START: Final = "scenario: What is so\nfixture: smith\n"
WHOLE: Final = f"{START}cases: [{GOOD_CASE}]\n"


DO: Final = "who: person/a, action: send, on: thing/b"
STEP: Final = f"{{do: {{{DO}}}, new: form-1}}"
SAID: Final = "who: person/a, on: thing/b, can: view, with: "


def with_step(*, rest: str = "", said: str = "", do: str = DO) -> str:
    """Write a file with a single step.

    Arguments:
        rest: what stands beside `do`.
        said: what stands in it beside who does what on what.
        do: who does what on what.
    """
    return f"{START}cases: [{{do: {{{do}{said}}}{rest}}}]\n"


def with_case(case: str) -> str:
    """Write a file with a single case."""
    return f"{START}cases: [{{{case}}}]\n"


def with_missing(facts: str) -> str:
    """Write a file with a denial, and what is missing."""
    return with_case(f"who: person/a, on: thing/b, cannot: view, missing: [{facts}]")


def with_table(rows: str, rest: str = "") -> str:
    """Write a file with a table, and what stands beside it."""
    return with_case(f"on: thing/b, table: [{rows}]{rest}")


GOOD: Final = {
    "what is needed": WHOLE,
    "a source": WHOLE + "source: page.txt",
    "a time": WHOLE + "at: 2026-01-05T09:00:00Z",
    "a time in quotes": WHOLE + 'at: "2026-01-05T09:00:00Z"',
    "a time elsewhere": WHOLE + "at: 2026-01-05T09:00:00.5+05:30",
    "a time with a blank": WHOLE + "at: 2026-01-05 09:00:00Z",
    "two cases": f"{START}cases: [{GOOD_CASE}, {GOOD_CASE.replace('view', 'edit')}]",
    "a channel": with_case("who: person/a, on: thing/b, via: web, can: view"),
    "lists": with_case(
        "who: [person/a, person/b], on: [thing/b], via: [web, app], can: [view, edit]"
    ),
    "an id with slashes": with_case("who: person/a, on: thing/b/c/d, can: view"),
    "a refusal": with_case("who: person/a, on: thing/b, cannot: view"),
    "refusals": with_case("who: person/a, on: thing/b, cannot: [view, edit]"),
    "a reason": with_case("who: person/a, on: thing/b, cannot: {view: not_permitted}"),
    "reasons": with_case("who: person/a, on: thing/b, cannot: [{view: [late, busy]}, edit]"),
    "both answers": with_case("who: person/a, on: thing/b, can: view, cannot: edit"),
    "what comes with a question": with_case(
        f"{SAID} {{subject: {{role: a}}, action: {{soft: true, copies: 2, parts: [a, 7]}},"
        " resource: {since: 2026-01-05T09:00:00Z, title: ''}, context: {ticket: a}}"
    ),
    "an empty list that is said": with_case(f"{SAID} {{action: {{parts: []}}}}"),
    "tags": with_case("who: person/a, on: thing/b, can: view, tags: [slow, new]") + "tags: slow",
    "what is skipped": with_case("who: person/a, on: thing/b, can: view, skip: why") + "skip: why",
    "a rule": with_case("who: person/a, on: thing/b, can: view, because: bills.polar:7"),
    "rules": with_case("who: person/a, on: thing/b, can: view, because: [view, 'a.polar:1']"),
    "missing facts": with_missing(
        "{change: thing/b, attributes: {size: 3, owner: , open: true, parts: [a, 7]}},"
        " {add: thing}, {add: thing/new 1, attributes: {size: {at_least: 3}}},"
        " {remove: thing/c}, {say: {channel: [web, app], since: {none_of: [a]}}}"
    ),
    "who is found": with_case("on: thing/b, lists: {who: {view: [person/a], edit: []}}"),
    "what is found": with_case("who: person/a, via: web, lists: {what: {view: thing/b}}"),
    "actions that are found": with_case("who: person/a, on: thing/b, lists: {actions: [view]}"),
    "all lists": with_case(
        "who: person/a, on: thing/b, lists: {who: {edit: []}, what: {view: []}, actions: []}"
    ),
    "a list beside an answer": with_case(
        "who: person/a, on: thing/b, can: view, lists: {who: {view: [person/a, person/b]}}"
    ),
    "only these reasons": with_case(
        "who: person/a, on: thing/b, cannot: [view: late], only_these_reasons: true"
    ),
    "a case of everything": with_case("who: person/a, on: thing/b, can: view, exhaustive: true")
    + "exhaustive: false",
    "a table": with_table("[who, view, edit], [person/a, yes, no], [[person/b], late, [a, b]]"),
    "a table of truth": with_table("[who, view, edit], [person/a, true, 'no']"),
    "a table with all beside it": with_table(
        "[who, view], [person/a, late]",
        ", via: [web, app], with: {context: {ticket: a}}, exhaustive: true, tags: slow, skip: why",
    ),
    "examples": with_case(
        "examples: [{x: person/a, y: view}, {x: person/b, y: [view, edit]}],"
        " who: <x>, on: thing/b, can: <y>"
    ),
    "examples of a file": f"{START}examples: [{{x: a, n: 3, r: removed}}]"
    "\ncases: [{do: {who: person/<x>, action: send, on: thing/b}, after: {days: <n>},"
    " changes: {thing/<x>: <r>}}]",
    "entities": WHOLE + "entities: {person: {a: {name: Ann, mobile: }}, thing: {}}",
    "a step": with_step(),
    "a step among cases": f"{START}cases: [{GOOD_CASE}, {{do: {{{DO}}}}}, {GOOD_CASE}]",
    "a step by a channel": with_step(said=", via: web"),
    "a step with all that comes with it": with_step(
        said=", with: {subject: {role: a}, action: {soft: true, parts: [a], token: {sent: code}},"
        " resource: {since: 2026-01-05T09:00:00Z}, context: {ticket: a}}"
    ),
    "a step later": with_step(rest=", after: {days: 1, hours: 1000, minutes: 11, seconds: 1}"),
    "an id of something new": with_step(rest=", new: form-1"),
    "changes": with_step(
        rest=", changes: {a/b: {status: sent, size: 3, secret: false, owner: , parts: [a, 7]},"
        " a/c/d: removed}"
    ),
    "an attribute that has an empty list": with_step(rest=", changes: {a/b: {parts: []}}"),
    "an attribute that has an empty text": with_step(rest=", changes: {a/b: {title: ''}}"),
    "no changes": with_step(rest=", changes: {}"),
    "messages": with_step(rest=', informs: {a@x.example: hello, "0470000013": [code, hello]}'),
    "no messages": with_step(rest=", informs: {}"),
    "a step that is denied": with_step(rest=", denied: late"),
    "a step that is denied for reasons": with_step(rest=", denied: [late, busy]"),
    "a step that is denied later": with_step(rest=", denied: late, after: {minutes: 1}"),
    "a number in quotes": WHOLE.replace("smith", '"007"'),
}

BAD: Final = {
    "a rule for a denial": with_case("who: person/a, on: thing/b, cannot: view, because: x"),
    "a rule of nothing": with_case("who: person/a, on: thing/b, can: view, because: []"),
    "missing facts for an allow": with_case(
        "who: person/a, on: thing/b, can: view, missing: [{add: thing}]"
    ),
    "no missing facts": with_missing(""),
    "a fact that is text": with_missing("thing"),
    "a fact of nothing": with_missing("{}"),
    "a fact of two deeds": with_missing("{add: thing, remove: thing/b}"),
    "a fact that changes nothing": with_missing("{change: thing/b}"),
    "a fact that changes a type": with_missing("{change: thing, attributes: {size: 3}}"),
    "a removal with attributes": with_missing("{remove: thing/b, attributes: {size: 3}}"),
    "a fact with an unknown key": with_missing("{add: thing, attribute: {size: 3}}"),
    "an empty demand": with_missing("{say: {channel: []}}"),
    "an unknown demand": with_missing("{say: {channel: {like: web}}}"),
    "two demands": with_missing("{say: {size: {at_least: 3, at_most: 4}}}"),
    "nothing is said": with_missing("{say: {}}"),
    "no lists": with_case("who: person/a, on: thing/b, lists: {}"),
    "an unknown list": with_case("on: thing/b, lists: {whom: {view: []}}"),
    "a list that is text": with_case("on: thing/b, lists: {who: view}"),
    "a list of words": with_case("on: thing/b, lists: {who: {view: [person]}}"),
    "a list of who on nothing": with_case("lists: {who: {view: []}}"),
    "a list of what by nobody": with_case("lists: {what: {view: []}}"),
    "a list of actions on nothing": with_case("who: person/a, lists: {actions: []}"),
    "only the reasons of none": with_case(
        "who: person/a, on: thing/b, can: view, only_these_reasons: true"
    ),
    "only these reasons in words": with_case(
        "who: person/a, on: thing/b, cannot: [view: late], only_these_reasons: late"
    ),
    "a list of who for somebody": with_case("who: person/a, on: thing/b, lists: {who: {view: []}}"),
    "a list of what on something": with_case(
        "who: person/a, on: thing/b, lists: {what: {view: []}}"
    ),
    "a list of no actions": with_case("on: thing/b, lists: {who: {}}"),
    "everyone else can": with_case("who: person/a, on: thing/b, can: view, everyone_else: can"),
    "everyone else for a denial": with_case(
        "who: person/a, on: thing/b, cannot: view, everyone_else: cannot"
    ),
    "exhaustive in words": with_case("who: person/a, on: thing/b, can: view, exhaustive: all"),
    "a table of nothing": with_case("on: thing/b, table:"),
    "a table that is text": with_case("on: thing/b, table: yes"),
    "a table without rows": with_table("[who, view]"),
    "a table without actions": with_table("[who], [person/a]"),
    "a table without its corner": with_table("[person, view], [person/a, yes]"),
    "a table about nothing": with_case("table: [[who, view], [person/a, yes]]"),
    "a table with an action beside it": with_table("[who, view], [person/a, yes]", ", can: edit"),
    "a table with a number": with_table("[who, view], [person/a, 7]"),
    "a table with an empty cell": with_table("[who, view], [person/a, ]"),
    "a table of words": with_table("[who, view], [person, yes]"),
    "no examples": with_case("who: person/a, on: thing/b, can: view, examples: []"),
    "an example of nothing": with_case("who: person/a, on: thing/b, can: view, examples: [{}]"),
    "examples that are text": with_case("who: person/a, on: thing/b, can: view, examples: a"),
    "examples of a step": with_step(rest=", examples: [{x: a}]"),
    "no entities": WHOLE + "entities:",
    "no mapping": "just text",
    "a list": "[a, b]",
    "no scenario": WHOLE.replace("scenario: What is so\n", ""),
    "no fixture": WHOLE.replace("fixture: smith\n", ""),
    "no cases": START,
    "an unknown key": WHOLE + "fixtrue: smith",
    "an empty scenario": WHOLE.replace("What is so", '""'),
    "a scenario of nothing": WHOLE.replace("What is so", ""),
    "a scenario that is a list": WHOLE.replace("What is so", "[a]"),
    "a fixture that is a number": WHOLE.replace("smith", "7"),
    "a fixture that is true": WHOLE.replace("smith", "true"),
    "a source of nothing": WHOLE + "source:",
    "an empty source": WHOLE + 'source: ""',
    "a time of nothing": WHOLE + "at:",
    "a time without a zone": WHOLE + "at: 2026-01-05T09:00:00",
    "a day": WHOLE + "at: 2026-01-05",
    "a year": WHOLE + "at: 2026",
    "a word for a time": WHOLE + "at: tomorrow",
    "an hour too many": WHOLE + "at: 2026-01-05T24:00:00Z",
    "a minute too many": WHOLE + "at: 2026-01-05T09:60:00Z",
    "a list of times": WHOLE + "at: [2026-01-05T09:00:00Z]",
    "cases of nothing": START + "cases:",
    "an empty list of cases": START + "cases: []",
    "cases that are one": f"{START}cases: {GOOD_CASE}",
    "a case that is text": START + "cases: [view]",
    "a case of nothing": START + "cases: [~]",
    "a case without who": with_case("on: thing/b, can: view"),
    "a case without on": with_case("who: person/a, can: view"),
    "a case that asserts nothing": with_case("who: person/a, on: thing/b"),
    "an unknown key in a case": with_case("who: person/a, on: thing/b, can: view, as: web"),
    "a who without a type": with_case("who: mary, on: thing/b, can: view"),
    "a who without an id": with_case("who: person/, on: thing/b, can: view"),
    "a who with nothing before the slash": with_case("who: /mary, on: thing/b, can: view"),
    "a who of nothing": with_case("who: , on: thing/b, can: view"),
    "an empty list of whom": with_case("who: [], on: thing/b, can: view"),
    "a who in a list of lists": with_case("who: [[person/a]], on: thing/b, can: view"),
    "an on that is a number": with_case("who: person/a, on: 7, can: view"),
    "an on of nothing in a list": with_case("who: person/a, on: [~], can: view"),
    "a channel of nothing": with_case("who: person/a, on: thing/b, via: , can: view"),
    "an empty channel": with_case('who: person/a, on: thing/b, via: "", can: view'),
    "no channels": with_case("who: person/a, on: thing/b, via: [], can: view"),
    "a channel that is true": with_case("who: person/a, on: thing/b, via: true, can: view"),
    "nothing said": with_case(SAID),
    "an empty with": with_case(f"{SAID} {{}}"),
    "a with that is text": with_case(f"{SAID} web"),
    "a part that is unknown": with_case(f"{SAID} {{object: {{status: a}}}}"),
    "a part of nothing": with_case(f"{SAID} {{action: }}"),
    "an empty part": with_case(f"{SAID} {{action: {{}}}}"),
    "a part that is text": with_case(f"{SAID} {{action: soft}}"),
    "a part that is a list": with_case(f"{SAID} {{action: [soft]}}"),
    "a value of nothing": with_case(f"{SAID} {{action: {{soft: }}}}"),
    "a number with a point": with_case(f"{SAID} {{action: {{copies: 2.5}}}}"),
    "a value with names": with_case(f"{SAID} {{action: {{soft: {{a: b}}}}}}"),
    "a list in a list that is said": with_case(f"{SAID} {{action: {{parts: [[a]]}}}}"),
    "a channel that is said": with_case(f"{SAID} {{context: {{channel: web}}}}"),
    "no actions": with_case("who: person/a, on: thing/b, can: []"),
    "an action of nothing": with_case("who: person/a, on: thing/b, can: "),
    "an empty action": with_case('who: person/a, on: thing/b, can: ""'),
    "an action that can for a reason": with_case("who: person/a, on: thing/b, can: {view: late}"),
    "no refusals": with_case("who: person/a, on: thing/b, cannot: []"),
    "a refusal of nothing": with_case("who: person/a, on: thing/b, cannot: "),
    "an empty refusal": with_case('who: person/a, on: thing/b, cannot: ""'),
    "a refusal that is a number": with_case("who: person/a, on: thing/b, cannot: 7"),
    "two refusals in one": with_case("who: person/a, on: thing/b, cannot: {view: x, edit: x}"),
    "no refusal in one": with_case("who: person/a, on: thing/b, cannot: {}"),
    "a refusal of an empty action": with_case('who: person/a, on: thing/b, cannot: {"": late}'),
    "a reason of nothing": with_case("who: person/a, on: thing/b, cannot: {view: }"),
    "an empty reason": with_case('who: person/a, on: thing/b, cannot: {view: ""}'),
    "no reasons": with_case("who: person/a, on: thing/b, cannot: {view: []}"),
    "a reason that is a number": with_case("who: person/a, on: thing/b, cannot: {view: 7}"),
    "a reason in a list of lists": with_case("who: person/a, on: thing/b, cannot: {view: [[a]]}"),
    "what was sent in a case": with_case(f"{SAID} {{action: {{token: {{sent: code}}}}}}"),
    "a step of nothing": f"{START}cases: [{{do: }}]",
    "a step that is text": f"{START}cases: [{{do: send}}]",
    "an empty step": f"{START}cases: [{{do: {{}}}}]",
    "a step that is no step": with_case("new: a"),
    "a step without who": with_step(do="action: send, on: thing/b"),
    "a step without an action": with_step(do="who: person/a, on: thing/b"),
    "a step without on": with_step(do="who: person/a, action: send"),
    "a step of two": with_step(do="who: [person/a, person/b], action: send, on: thing/b"),
    "a step of two actions": with_step(do="who: person/a, action: [send, sign], on: thing/b"),
    "a step on two": with_step(do="who: person/a, action: send, on: [thing/b, thing/c]"),
    "a step by two channels": with_step(said=", via: [web, app]"),
    "a step on what has no type": with_step(do="who: person/a, action: send, on: b"),
    "an empty action in a step": with_step(do='who: person/a, action: "", on: thing/b'),
    "an unknown key in a do": with_step(said=", by: web"),
    "an unknown key beside a do": with_step(rest=", change: {}"),
    "a question in a step": with_step(rest=", can: view"),
    "nothing said in a step": with_step(said=", with: "),
    "an empty with in a step": with_step(said=", with: {}"),
    "a channel that is said in a step": with_step(said=", with: {context: {channel: web}}"),
    "what was sent of a resource": with_step(said=", with: {resource: {a: {sent: code}}}"),
    "what was sent without a field": with_step(said=", with: {action: {token: {sent: }}}"),
    "what was sent of an empty field": with_step(said=", with: {action: {token: {sent: ''}}}"),
    "what was sent of a number": with_step(said=", with: {action: {token: {sent: 7}}}"),
    "what was sent and more": with_step(said=", with: {action: {token: {sent: code, by: a}}}"),
    "what was set": with_step(said=", with: {action: {token: {set: code}}}"),
    "an after of nothing": with_step(rest=", after: "),
    "an empty after": with_step(rest=", after: {}"),
    "an after that is text": with_step(rest=", after: 11 minutes"),
    "an after of weeks": with_step(rest=", after: {weeks: 1}"),
    "an after of no minutes": with_step(rest=", after: {minutes: 0}"),
    "an after that goes back": with_step(rest=", after: {minutes: -1}"),
    "an after of half a minute": with_step(rest=", after: {minutes: 0.5}"),
    "an after of too much": with_step(rest=", after: {minutes: 1001}"),
    "an after of text": with_step(rest=', after: {minutes: "1"}'),
    "a new of nothing": with_step(rest=", new: "),
    "a new that is a number": with_step(rest=", new: 1"),
    "two that are new": with_step(rest=", new: [a, b]"),
    "changes of nothing": with_step(rest=", changes: "),
    "changes that are text": with_step(rest=", changes: a/b"),
    "a change of what has no type": with_step(rest=", changes: {b: {status: sent}}"),
    "a change of nothing": with_step(rest=", changes: {a/b: }"),
    "an empty change": with_step(rest=", changes: {a/b: {}}"),
    "a change that is another word": with_step(rest=", changes: {a/b: gone}"),
    "a change of values": with_step(rest=", changes: {a/b: {status: {a: b}}}"),
    "a change to a number with a point": with_step(rest=", changes: {a/b: {size: 2.5}}"),
    "a change to a list of lists": with_step(rest=", changes: {a/b: {parts: [[a]]}}"),
    "messages of nothing": with_step(rest=", informs: "),
    "messages that are text": with_step(rest=", informs: hello"),
    "a message of nothing": with_step(rest=", informs: {a@x.example: }"),
    "a message of no templates": with_step(rest=", informs: {a@x.example: []}"),
    "a message of an empty template": with_step(rest=", informs: {a@x.example: ''}"),
    "a message of a number": with_step(rest=", informs: {a@x.example: [7]}"),
    "a message to nowhere": with_step(rest=', informs: {"": hello}'),
    "denied of nothing": with_step(rest=", denied: "),
    "denied for no reason": with_step(rest=", denied: []"),
    "denied for a number": with_step(rest=", denied: 7"),
    "denied as a truth": with_step(rest=", denied: true"),
    "denied, and it changes": with_step(rest=", denied: late, changes: {a/b: removed}"),
    "denied, and it changes nothing": with_step(rest=", denied: late, changes: {}"),
    "denied, and it informs": with_step(rest=", denied: late, informs: {}"),
    "denied, and it makes something": with_step(rest=", denied: late, new: a"),
}

# What a schema cannot see: how two items agree, whether a day exists, and what YAML 1.1, which the
# loader reads, takes for something else than text or for another file's affair.
LOADER_ALONE: Final = {
    "an action that is named twice": with_case("who: person/a, on: thing/b, can: [view, view]"),
    "an action that can and cannot": with_case(
        "who: person/a, on: thing/b, can: view, cannot: view"
    ),
    "an id that is given twice": f"{START}cases: [{STEP}, {STEP}]",
    "a clock beyond all times": with_step(rest=", after: {days: 2}") + "at: 9999-12-30T09:00:00Z",
    "a day that does not exist": WHOLE + "at: 2026-02-30T09:00:00Z",
    "a time before all times": WHOLE + "at: 0001-01-01T00:00:00+23:00",
    "a word that YAML 1.1 takes for a truth value": WHOLE.replace("smith", "yes"),
    "a value that YAML 1.1 takes for true": with_case(f"{SAID} {{action: {{soft: yes}}}}"),
    "an alias": WHOLE.replace("What is so", "&title What is so") + "source: *title",
    "a tag": WHOLE.replace("smith", "!!str smith"),
    "a key that stands twice": WHOLE + "fixture: smith",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD.keys())
def test_what_is_good_is_good_for_both(tmp_path: Path, text: str) -> None:
    """Schema and loader accept the same."""
    assert (True, True) == (editor_accepts(text), loader_accepts(text, tmp_path / "a.yaml"))


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_what_is_bad_is_bad_for_both(tmp_path: Path, text: str) -> None:
    """Schema and loader refuse the same."""
    assert (False, False) == (editor_accepts(text), loader_accepts(text, tmp_path / "a.yaml"))


@pytest.mark.parametrize("text", LOADER_ALONE.values(), ids=LOADER_ALONE.keys())
def test_some_faults_are_the_loaders_alone(tmp_path: Path, text: str) -> None:
    """What only the loader can see is refused when the scenario is run."""
    assert (True, False) == (editor_accepts(text), loader_accepts(text, tmp_path / "a.yaml"))
