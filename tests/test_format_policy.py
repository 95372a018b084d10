"""The layout of policies: what a formatter does with rules, blocks and comments."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from generated_policies import policies
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from authz_service.errors import PolicyError
from authz_service.formatting.pieces import find_texts
from authz_service.formatting.policy import format_policy
from authz_service.polar.reader import find_words, read_policy
from authz_service.polar.text import Source

if TYPE_CHECKING:
    from random import Random

ROOT: Final = Path(__file__).parent.parent
FILES: Final = sorted(
    [*(ROOT / "policies").glob("*.polar"), *(ROOT / "tests" / "domains").rglob("*.polar")]
)
# What may stand between any two words.
BETWEEN: Final = (
    *["", "", "", "", "", "", "", " ", "\n", "\r\n", "\n\n\n"],
    *[" # behind {0}\n", "\n# above {0}\n", "\n\n  # above {0}\n\n# and {0}\n", "\t#{0} \n"],
)


def format_text(text: str) -> str:
    """Lay a text out."""
    return format_policy(Source("rules.polar", text))


def sprinkle(text: str, random: Random) -> str:
    """Put white space and comments between the words of a policy."""
    source = Source("rules.polar", text)
    written, place = "", 0
    for words in find_words(source):
        for word in words:
            written += text[place : word.start] + random.choice(BETWEEN).format(place) + word.text
            place = word.end
    return written + random.choice(BETWEEN).format(place)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_policies_are_in_their_format(path: Path) -> None:
    """Ours are, and those of other people, which are laid out as ours."""
    text = path.read_text()

    assert text == format_text(text)


def test_the_examples_of_the_docs_are_in_their_format() -> None:
    """Whoever copies one has nothing to format."""
    page = (ROOT / "docs" / "policies.md").read_text()
    examples = re.findall(r"^```polar\n(.*?)^```", page, re.DOTALL | re.MULTILINE)

    assert examples == [format_text(each) for each in examples]
    assert 4 == len(examples)


@settings(max_examples=25, deadline=None)
@given(policies(), st.randoms(use_true_random=False))
def test_any_policy_says_the_same_and_keeps_its_comments(text: str, random: Random) -> None:
    """Laid out, it has the same words, tree and comments; laid out again, it stays."""
    written = Source("rules.polar", sprinkle(text, random))
    reading = read_policy(written)
    assume(not reading.faults)
    formatted = Source("rules.polar", format_policy(written))

    assert find_texts(written) == find_texts(formatted)
    assert reading == read_policy(formatted)
    assert formatted.text == format_policy(formatted)


@pytest.mark.parametrize(
    ("written", "formatted"),
    {
        "spaces": ('foo( a:Person ,"x" )if a.b=1;', 'foo(a: Person, "x") if a.b = 1;\n'),
        "pattern": (
            "foo(a: B { c :1,d: E{ } }) if a matches {c: -2};",
            "foo(a: B{c: 1, d: E{}}) if a matches {c: -2};\n",
        ),
        "words as names": (
            "foo(a) if a . and = 1 and a matches {or : 2};",
            "foo(a) if a.and = 1 and a matches {or: 2};\n",
        ),
        "two on a line": ("foo(1); bar(2);", "foo(1);\nbar(2);\n"),
        "blank lines": ("\n\nfoo(1);\n\n\n\nbar(2);\n\n", "foo(1);\n\nbar(2);\n"),
        "line ends": ("foo(1);\r\n# a\r\nbar(2);", "foo(1);\n# a\nbar(2);\n"),
        "texts and numbers": ('foo("a  \\"b",  1.50, 1e3);', 'foo("a  \\"b", 1.50, 1e3);\n'),
        "nothing": ("", ""),
        "only comments": ("\n\n# a\n\n\n# b  ", "# a\n\n# b\n"),
        "a query": ("?=foo(1)  and bar(2);", "?= foo(1) and bar(2);\n"),
        "a type": ("type   foo( a:String );", "type foo(a: String);\n"),
        "parentheses": (
            "foo(a) if not(a = 1 or (a=2)) and (a.b=1);",
            "foo(a) if not (a = 1 or (a = 2)) and (a.b = 1);\n",
        ),
    }.values(),
)
def test_words_stand_as_far_apart_as_ours_do(written: str, formatted: str) -> None:
    """Each construct has one way to be spaced."""
    assert formatted == format_text(written)


def test_a_body_in_several_lines_has_a_line_for_each_condition() -> None:
    """Wherever it was broken, it is broken behind `if` and at each `and`."""
    written = "foo(a) if a.b = 1 and\n  a.c = 2 and not a.d = 3;\n"

    assert "foo(a) if\n    a.b = 1 and\n    a.c = 2 and\n    not a.d = 3;\n" == format_text(written)


def test_a_body_stays_behind_its_head_as_long_as_there_is_room() -> None:
    """A line has 100 columns."""
    fits = f'foo(a) if a.b = "{"x" * 81}";\n'
    long = f'foo(a) if a.b = "{"x" * 82}";\n'

    assert 100 == len(fits.rstrip())
    assert fits == format_text(fits)
    assert long.replace("if ", "if\n    ") == format_text(long)


def test_a_list_without_room_has_a_line_for_each_item() -> None:
    """And one that has room again is put together."""
    words = [f'"{letter * 20}"' for letter in "abcd"]
    broken = "foo(a) if\n    a in [\n        " + ",\n        ".join(words) + "\n    ];\n"

    assert broken == format_text(f"foo(a) if\n a in [{', '.join(words)}];")
    assert f"foo(a) if\n    a in [{words[0]}];\n" == format_text(
        f"foo(a) if a in [\n{words[0]}\n];"
    )


def test_alternatives_without_room_are_broken_at_each_or() -> None:
    """Inside of their parentheses."""
    long = "x" * 50
    written = f"foo(a) if a = 1 and (a.{long} = 1 or a.{long} = 2);"
    inside = f"        a.{long} = 1 or\n        a.{long} = 2\n"

    assert f"foo(a) if\n    a = 1 and\n    (\n{inside}    );\n" == format_text(written)


def test_a_long_head_is_broken_only_where_it_was() -> None:
    """Auditors read a head in one line; whoever has broken it, gets a line a parameter."""
    parameters = [f'"{letter * 40}"' for letter in "abc"]
    whole = f"foo({', '.join(parameters)});\n"
    broken = "foo(\n    " + ",\n    ".join(parameters) + "\n);\n"

    assert whole == format_text(whole)
    assert broken == format_text(whole.replace(", ", ",\n", 1))


def test_a_block_has_a_line_for_each_declaration() -> None:
    """With relations in spaces, as Polar's own examples have them."""
    written = """resource Foo{roles=["a"];
      relations={b:C};


      "a"  if "d" on "b"; # why

    }
    actor User{ }"""
    formatted = """resource Foo {
    roles = ["a"];
    relations = { b: C };

    "a" if "d" on "b";  # why
}
actor User {}
"""
    assert formatted == format_text(written)


def test_comments_stay_where_they_are() -> None:
    """Above, behind, inside of a body, of a list and of a block, and at the end."""
    text = """# The head of the file.

# Above a rule.
permit(a, b) if
    # above a condition
    a.x in [
        1,  # behind an item
        # above an item
        2
        # at the end of a list
    ] and  # behind a list
    # above the last
    b = 1;  # behind all

resource Foo {
    # above a declaration
    roles = ["a"];  # behind a declaration
    # at the end of a block
}
# The end.
"""
    assert text == format_text(text)


def test_a_comment_before_an_and_stays_below_the_condition() -> None:
    """Where lines begin with `and`, they end with it afterwards."""
    written = "foo(a) if a.b = 1 # first\n  # second\n  and # third\n a.c = 2\n# fourth\n;"
    formatted = """foo(a) if
    a.b = 1 and  # first
    # second
    # third
    a.c = 2
    # fourth
;
"""
    assert formatted == format_text(written)


def test_comments_in_the_middle_of_a_line_keep_their_order() -> None:
    """One can stand behind the line; the others stand above it."""
    written = "foo(a) if\n a # first\n = # second\n 1 and # third\n a = 2;"

    assert (
        "foo(a) if\n    # first\n    # second\n    a = 1 and  # third\n    a = 2;\n"
        == format_text(written)
    )


def test_comments_in_a_column_stay_in_one() -> None:
    """As far as a paragraph goes; others stand two spaces behind their lines."""
    column = 'foo("a", 1);    # one\nfoo(2);\nfoo("long", 2); # two\n'
    ragged = 'foo("a", 1); # one\nfoo("long", 2);    # two\n'
    apart = column.replace("foo(2);", "")

    assert 'foo("a", 1);     # one\nfoo(2);\nfoo("long", 2);  # two\n' == format_text(column)
    assert 'foo("a", 1);  # one\nfoo("long", 2);  # two\n' == format_text(ragged)
    assert 'foo("a", 1);  # one\n\nfoo("long", 2);  # two\n' == format_text(apart)


def test_what_cannot_be_read_is_refused() -> None:
    """With every fault, each at its place."""
    with pytest.raises(PolicyError) as raised:
        format_text("foo(1;\nbar(2) if := 3;\n")

    assert [1, 2] == [fault.where.line for fault in raised.value.faults]
