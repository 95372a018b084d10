"""Facts that are missing: written as testers do, and held against those of an explanation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from authz_service.policy.missing import ADD, CHANGE, REMOVE, SAY, Fact
from authz_service.policy.situation import NOT_IN, Demand
from authz_service.scenario.case import load_scenario
from authz_service.scenario.facts import sort_facts, write_facts

if TYPE_CHECKING:
    from pathlib import Path

ROLE: Final = ("role", Demand("=", ("user", "administrator")))
FACTS: Final = (
    Fact(ADD, "grant", "new 2", (("member", Demand("=", ("new 1",))),)),
    Fact(ADD, "membership", "new 1", (ROLE, ("customer", Demand("=", ("123",))))),
    Fact(ADD, "person", "new 3"),
    Fact(CHANGE, "record", "a/b: c", (("size", Demand(">=", (3,))),)),
    Fact(CHANGE, "record", "d", (("owner", Demand("=", (None,))),)),
    Fact(REMOVE, "record", "e"),
    Fact(
        SAY, "", "", (("channel", Demand(NOT_IN, ("web", "yes"))), ("soft", Demand("=", (True,))))
    ),
)


def read(folder: Path, lines: list[str]) -> frozenset[Fact]:
    """Read facts that stand in a scenario."""
    path = folder / "a.yaml"
    below = "".join(f"      {each}\n" for each in lines)
    case = f"  - who: p/a\n    on: t/1\n    cannot: view\n    missing:\n{below}"
    path.write_text(f"scenario: What is so\nfixture: f\ncases:\n{case}")
    [inquiry] = load_scenario(path).inquiries
    return sort_facts(inquiry.expected.missing)


def test_facts_are_read_as_they_are_written(tmp_path: Path) -> None:
    """What a failure shows can be pasted."""
    assert sort_facts(FACTS) == read(tmp_path, list(write_facts(FACTS)))


def test_facts_are_written_for_people() -> None:
    """A new entity has an id only where another fact refers to it; one value is no list."""
    expected = [
        "- add: grant",
        "  attributes: {member: new 1}",
        "- add: membership/new 1",
        '  attributes: {role: [user, administrator], customer: "123"}',
        "- add: person",
        '- change: "record/a/b: c"',
        "  attributes: {size: {at_least: 3}}",
        "- change: record/d",
        "  attributes: {owner: null}",
        "- remove: record/e",
        '- say: {channel: {none_of: [web, "yes"]}, soft: true}',
    ]

    assert expected == list(write_facts(FACTS))


@pytest.mark.parametrize(
    ("same", "other"),
    [
        (True, Fact(ADD, "m", "new 7", (("b", Demand("=", (2,))), ("a", Demand("=", (3, None)))))),
        (False, Fact(ADD, "m", "own", (("a", Demand("=", (None, 3))), ("b", Demand("=", (2,)))))),
        (False, Fact(ADD, "m", "new 1", (("a", Demand("=", (None,))), ("b", Demand("=", (2,)))))),
        (False, Fact(CHANGE, "m", "new 1", (("b", Demand("=", (2,))),))),
    ],
)
def test_facts_are_the_same_in_any_order(*, same: bool, other: Fact) -> None:
    """The order of attributes and of values says nothing, nor what a new entity is called."""
    fact = Fact(ADD, "m", "new 1", (("a", Demand("=", (None, 3))), ("b", Demand("=", (2,)))))

    assert same == (sort_facts([fact]) == sort_facts([other]))
