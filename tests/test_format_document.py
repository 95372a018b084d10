"""The layout of scenarios and fixtures: keys, collections, columns and comments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from authz_service.document import parse_document
from authz_service.errors import DocumentError
from authz_service.formatting.document import format_document
from authz_service.formatting.nodes import find_comments, find_data
from authz_service.scenario.key_order import KeyOrder

if TYPE_CHECKING:
    from random import Random

ROOT: Final = Path(__file__).parent.parent
FOLDERS: Final = ("fixtures", "scenarios", "tests/domains")
FILES: Final = sorted(path for each in FOLDERS for path in (ROOT / each).rglob("*.yaml"))
WORDS: Final = (
    *["web", "no", "0470", "it's", "x: y", "# no", "", "null", "2026-01-05", "é", "- d", " a "],
    *["person/mary", "some words", 'q"q', "\ttab"],
)
TEXTS: Final = (
    *WORDS,
    "word " * 25,
    "several\nlines\n",
    "a\n\nb",
    "  indented\nless\n",
    "kept\n\n\n",
)


def format_text(text: str) -> str:
    """Lay a text out as `authz fmt` does."""
    return format_document(text.encode(), "a.yaml", KeyOrder().choose)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_are_in_their_format(path: Path) -> None:
    """Ours are, and those of the small domains."""
    text = path.read_text()

    assert text == format_text(text)


def sprinkle(text: str, random: Random) -> str:
    """Put blank lines, comments and white space where YAML may have them."""
    lines = []
    for number, line in enumerate(text.split("\n")):
        odd = random.choice(
            [line] * 12
            + [f"{line}  # behind {number}", f"{line}   ", f"\n\n{line}"]
            + [f"{' ' * random.randint(0, 6)}# above {number}\n{line}"]
            + [line.replace(": ", ":   "), line.replace(", ", ",  ")]
        )
        lines.append(odd)
    return "\n".join(lines)


def values() -> st.SearchStrategy[Any]:
    """Make up what a document may say."""
    scalars = st.sampled_from([*TEXTS, 12, 1.5, True, None])
    return st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
        ),
        max_leaves=12,
    )


@settings(max_examples=60, deadline=None)
@given(
    data=st.dictionaries(st.sampled_from(WORDS), values(), min_size=1, max_size=4),
    flow=st.sampled_from([None, False, True]),
    style=st.sampled_from([None, None, '"', "|", ">"]),
    sizes=st.tuples(st.integers(2, 4), st.sampled_from([30, 80, 200])),
    random=st.randoms(use_true_random=False),
)
def test_any_document_says_the_same_and_keeps_its_comments(
    data: Any, flow: Any, style: str | None, sizes: tuple[int, int], random: Random
) -> None:
    """Laid out, it has the same data and comments; laid out again, it stays."""
    indent, width = sizes
    text = sprinkle(
        yaml.safe_dump(
            data,
            default_flow_style=flow,
            default_style=style,
            indent=indent,
            width=width,
            allow_unicode=True,
            sort_keys=False,
        ),
        random,
    )
    assume(is_readable(text))
    formatted = format_text(text)

    assert find_data(text) == find_data(formatted)
    assert find_comments(text) == find_comments(formatted)
    assert formatted == format_text(formatted)


def is_readable(text: str) -> bool:
    """Tell whether a text is YAML, and none that is refused with a reason of its own."""
    try:
        parse_document(text.encode(), "a.yaml")
    except DocumentError:
        return False
    # blanks behind an escaped line end are a blank more
    return "\\ " not in text and "\\\n" not in text


@pytest.mark.parametrize(
    ("written", "formatted"),
    {
        "spaces": ("a:   b  \n", "a: b\n"),
        "braces": ("a: { b: c,d:  [ 1,2 ] }\n", "a: {b: c, d: [1, 2]}\n"),
        "indentation": ("a:\n      b:\n       - c\n", "a:\n  b:\n    - c\n"),
        "a list under its key": ("a:\n- b\n- c: d\n  e: f\n", "a:\n  - b\n  - c: d\n    e: f\n"),
        "blank lines": ("\n\na: b\n\n\nc:\n\n  d: e\n\n", "a: b\n\nc:\n  d: e\n"),
        "quotes": ('a: "some words"\nb: \'no\'\nc: "12"\n', "a: some words\nb: 'no'\nc: \"12\"\n"),
        "several lines": ("a: b\n    c\nd:   |\n   e\n     f\n", "a: b\n  c\nd: |\n  e\n    f\n"),
        "lines as they are": ("a:\n   b: |1\n       c\n", "a:\n  b: |1\n      c\n"),
        "a byte order mark": ("\ufeffa: b\n", "a: b\n"),
        "line ends": ("a: b\r\n# c\r\n", "a: b\n# c\n"),
        "nothing": ("", ""),
        "only comments": ("\n# a\n\n\n# b", "# a\n\n# b\n"),
        "a start": ("# a\n---\nb:  c\n...\n", "# a\n---\nb: c\n"),
        "no mapping": ("[a,b]", "[a, b]\n"),
        "a word": ("# a\n b", "# a\nb\n"),
        "lists in lists": ("- - a\n  -  b\n-\n  - c\n", "- - a\n  - b\n- - c\n"),
        "nothing in it": ("a:\nb: {c, d: }\n", "a:\nb: {c:, d:}\n"),
    }.values(),
)
def test_each_construct_has_its_layout(written: str, formatted: str) -> None:
    """It says the same, in the way that our own files say it."""
    assert formatted == format_text(written)


def test_keys_of_scenarios_stand_in_the_order_of_the_schema() -> None:
    """Comments go with what they are about; those at the top stay there."""
    written = """# yaml-language-server: $schema=x
fixture: smith  # the company
# what it shows
scenario: What is so
cases:
  # Mary
  - can: view
    on: a/b  # hers
    who: person/mary

  - changes: {}
    do: {on: a/b, who: person/mary, action: view}
"""
    formatted = """# yaml-language-server: $schema=x
# what it shows
scenario: What is so
fixture: smith  # the company
cases:
  # Mary
  - who: person/mary
    on: a/b  # hers
    can: view

  - do: {who: person/mary, action: view, on: a/b}
    changes: {}
"""
    assert formatted == format_text(written)


def test_keys_of_fixtures_stay_in_their_order() -> None:
    """Whoever wrote them had a reason."""
    text = "person:\n  mary: {role: user, name: Mary}\ncustomer:\n  b: {on: x, can: y, who: z}\n"

    assert text == format_text(text)


def test_comments_stay_in_the_block_in_which_they_stand() -> None:
    """How far they are indented tells to what they belong."""
    written = """cases:
- who: a
  can: b   # behind
  # at the end of a case
# above the next case
- # behind a dash
  who:   # behind a key
  - c
  # between items
  - d
# above the next key
fixture: e
"""
    formatted = """fixture: e
cases:
  - who: a
    can: b  # behind
    # at the end of a case
  # above the next case
  # behind a dash
  - who:  # behind a key
      - c
      # between items
      - d
"""
    assert (
        formatted.partition("cases")[2]
        == format_text(written.replace("# above the next key\nfixture: e\n", "")).partition(
            "cases"
        )[2]
    )
    assert "# above the next key\nfixture: e\ncases:\n" in format_text(written)


def test_what_has_no_room_behind_its_key_stands_below() -> None:
    """In as many lines as it takes, the first of them not indented further than the others."""
    long = "x" * 30
    written = f"key: {{a: {long}, b: {long}, c: [{long}, {long}, {long}]}}\n"
    formatted = f"""key:
  {{a: {long}, b: {long},
   c: [{long}, {long},
       {long}]}}
"""
    assert formatted == format_text(written)


def test_what_was_put_below_its_key_stays_there() -> None:
    """Rows of a table may all be so, whether they have room or not."""
    text = "key:\n  {a: 1}\n"

    assert text == format_text(text)


def test_a_list_without_room_becomes_lines() -> None:
    """With its comments; so does one that has some."""
    words = ["x" * 30, "y" * 30, "z" * 30]
    lines = "".join(f"  - {word}\n" for word in words)

    assert f"key:\n{lines}" == format_text(f"key: [{', '.join(words)}]\n")
    assert "key:\n  # one\n  - a\n  - b  # two\n" == format_text("key: [ # one\n a,\n b # two\n]\n")


def test_columns_stay_columns() -> None:
    """If they were made, however wide they are; what is below its key is no row."""
    wide = "x" * 90
    written = f"""person:
  ann:    {{name: Ann,   role: user}}
  bernard:  {{name: "Bernard", role: user}}
  carla:
    {{name: {wide}, role: user}}
rows:
  - [who,   view]
  - [person/ann, {wide}]
"""
    formatted = f"""person:
  ann:     {{name: Ann,     role: user}}
  bernard: {{name: Bernard, role: user}}
  carla:
    {{name: {wide},
     role: user}}
rows:
  - [who,        view]
  - [person/ann, {wide}]
"""
    assert formatted == format_text(written)
    assert "a: {b: 1, c: 2}\nlong: {b: 10, c: 2}\n" == format_text(
        "a: {b: 1, c: 2}\nlong: {b: 10, c: 2}\n"
    )


def test_comments_in_braces_stay_beside_their_entries() -> None:
    """Above, behind, and at the end."""
    text = """a:
  {b: 1,  # behind
   # above
   c: 2
   # at the end
  }
"""
    assert text == format_text(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: [1,\n", "not_yaml"),
        ("a: &b 1\n", "yaml_alias"),
        ("%YAML 1.1\n---\na: b\n", "yaml_directive"),
        ("a: 1\na: 2\n", "duplicate_key"),
        # what it would take to lay this out, nobody writes
        ('a: "b\\  \n  c"\n', "format_failed"),
        ("? 'a\n\n  b'\n: c\n", "format_failed"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(text: str, code: str) -> None:
    """Rather than changed."""
    with pytest.raises(DocumentError) as raised:
        format_text(text)

    assert [code] == [fault.code for fault in raised.value.faults]


def test_other_bytes_are_refused() -> None:
    """A document is UTF-8."""
    with pytest.raises(DocumentError) as raised:
        format_document(b"a: \xff\n", "a.yaml", KeyOrder().choose)

    assert ["not_utf8"] == [fault.code for fault in raised.value.faults]
