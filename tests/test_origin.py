"""Rules as auditors read them: place, text, and the first sentence of the comment above."""

from __future__ import annotations

import pytest

from authz_service.polar.reader import read_policy
from authz_service.polar.syntax import Rule
from authz_service.polar.text import Source
from authz_service.policy.clauses import Step
from authz_service.policy.origin import Origins, RuleText


def read_first(text: str) -> RuleText:
    """Read the text of the first rule."""
    source = Source("policy.polar", text)
    rule = next(each for each in read_policy(source).statements if isinstance(each, Rule))
    return Origins([source]).get(Step(rule.name, rule.span))


def test_a_rule_has_its_place_its_text_and_its_comment() -> None:
    """The place is that of its head, the text goes to its semicolon."""
    found = read_first("\n# Who may. And so on.\nmay(x) if\n    x = 1;\nother(1);\n")

    assert RuleText("may", "policy.polar:3", "may(x) if\n    x = 1;", "Who may.") == found


@pytest.mark.parametrize(
    ("expected", "comment"),
    [
        ("", ""),
        ("", "# Above a gap.\n\n"),
        ("One sentence.", "# One sentence.\n"),
        ("No end", "# No end\n"),
        ("Over two lines.", "# Over\n# two lines. More.\n"),
        ('AU: "Are you? In that case, so."', '# AU: "Are you? In that case, so." More.\n'),
        ('A "word" is quoted.', '# A "word" is quoted. More.\n'),
    ],
)
def test_the_first_sentence_of_the_comment_is_shown(expected: str, comment: str) -> None:
    """Of the lines right above; what is quoted is not cut."""
    assert expected == read_first(f"{comment}may(1);\n").comment


@pytest.mark.parametrize(
    "text", ['may("a;b");', "may(x) if # not; here\n    x = 1;", 'may("a\\";b");']
)
def test_a_rule_ends_at_its_own_semicolon(text: str) -> None:
    """One in a text or in a comment does not end it."""
    assert text == read_first(f"{text} other(1);\n").text
