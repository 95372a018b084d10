"""What a change does, for people, for programs, and for a pull request."""

from __future__ import annotations

import html
import json
import re
from typing import Final

import pytest

from authz_service.policy.effect import Cause, Direction, Effect, Example, Ground, Outcome
from authz_service.policy.effect_report import write_json, write_markdown, write_text

KEY: Final = ("person", "view_bills", "subscription")
GAIN: Final = Cause(
    Direction.ALLOWED, Ground.PERMITTED, "permit new/a.polar:3 > member new/r.polar:1"
)
LOSS: Final = Cause(Direction.DENIED, Ground.FORBIDDEN, "forbid new/a.polar:9")
HOSTILE: Final = "x|y`<img src=x>\n| **@all** [a](http://b.example) www.c.example _d_ \x1b[2J &lt;"


def outcome(*effects: Effect, notes: tuple[str, ...] = ()) -> Outcome:
    """Put an outcome together."""
    return Outcome("HEAD", "policies", 18, "pair", effects, notes)


def gain(*examples: Example, count: int = 1, is_exact: bool = True) -> Effect:
    """Make an effect on those who ask by the app, or without a channel."""
    return Effect(GAIN, KEY, ("no channel", "channel app"), count, is_exact, examples)


def test_the_text_tells_who_and_why() -> None:
    """An effect has two lines, and one for each example, as a question is asked."""
    mary = Example("mary", "047 1", "app", ('action.parts=["a"]',))
    loss = Effect(LOSS, KEY, (), 1, is_exact=True, examples=())
    lines = list(write_text(outcome(gain(mary, count=1_200), loss, notes=("nothing is said",))))

    assert [
        "HEAD -> policies, entities of revision 18",
        "newly allowed: 1,200 pairs",
        "  person view_bills subscription, no channel, channel app: 1,200 pairs",
        "    permitted by permit new/a.polar:3 > member new/r.polar:1",
        "    person/mary view_bills 'subscription/047 1' --via app --with 'action.parts=[\"a\"]'",
        "    and 1,199 more",
        "newly denied: 1 pair",
        "  person view_bills subscription, however it is asked: 1 pair",
        "    forbidden by forbid new/a.polar:9",
        "note: nothing is said",
    ] == lines


def test_the_text_tells_that_nobody_is_concerned() -> None:
    """No difference is told in so many words."""
    assert ["newly allowed: nobody", "newly denied: nobody"] == list(write_text(outcome()))[1:]


def test_what_is_not_counted_whole_is_told() -> None:
    """A bound is no count."""
    text = "\n".join(write_text(outcome(gain(count=10, is_exact=False))))

    assert 2 == text.count("more than 10 pairs")
    assert "more than 10 |" in write_markdown(outcome(gain(count=10, is_exact=False)))


def test_the_json_has_all_of_it() -> None:
    """Programs get the same."""
    mary = Example("mary", "1", "app", ("action.soft=true",))
    found = write_json(outcome(gain(mary), notes=("a note",)))

    assert {
        "old": "HEAD",
        "new": "policies",
        "revision": 18,
        "unit": "pair",
        "newly_allowed": [
            {
                "subject": "person",
                "action": "view_bills",
                "resource": "subscription",
                "circumstances": ["no channel", "channel app"],
                "ground": "permitted_by",
                "rule": "permit new/a.polar:3 > member new/r.polar:1",
                "count": 1,
                "exact": True,
                "examples": [
                    {"subject": "mary", "resource": "1", "via": "app", "said": ["action.soft=true"]}
                ],
            }
        ],
        "newly_denied": [],
        "notes": ["a note"],
    } == json.loads(json.dumps(found))


def test_a_hostile_id_does_nothing_to_a_terminal() -> None:
    """What is not printed is written as an escape."""
    text = "\n".join(write_text(outcome(gain(Example(HOSTILE, HOSTILE)), notes=(HOSTILE,))))

    assert "\x1b" not in text
    assert r"\x1b[2J" in text
    assert 7 == len(text.splitlines())


def test_a_hostile_id_does_nothing_to_a_page() -> None:
    """In Markdown every sign is a number, so that no table, link, mention or tag is made of it."""
    plain = write_markdown(outcome(gain(Example("a", "b")), notes=("note",)))
    text = write_markdown(outcome(gain(Example(HOSTILE, HOSTILE)), notes=(HOSTILE,)))
    tags = re.findall(r"<[^>]*>", text)

    assert len(plain.splitlines()) == len(text.splitlines())
    assert plain.count("|") == text.count("|")
    assert {"<code>", "</code>"} == set(tags)
    assert [] == [sign for sign in "@[]`" if sign in text]
    assert "www." not in text


@pytest.mark.parametrize("example", [Example("mary", "1"), Example("a b", "c_d")])
def test_the_markdown_shows_examples_as_they_are(example: Example) -> None:
    """Read as HTML, an example is what it was."""
    text = write_markdown(outcome(gain(example)))
    question = f"person/{example.subject} view_bills subscription/{example.resource}"

    assert question in html.unescape(text).replace("'", "")
