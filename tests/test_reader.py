"""Reading policies: faults with places, oso's own understanding of the text, and hostile texts."""

from __future__ import annotations

import operator
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import require_reference

from authz_service.polar.reader import Reading, read_policy
from authz_service.polar.syntax import (
    And,
    Block,
    Comparison,
    Constant,
    ListTerm,
    Membership,
    Not,
    Or,
    Query,
    Rule,
    RuleType,
    Variable,
)
from authz_service.polar.text import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oso import Oso

    from authz_service.polar.syntax import (
        Term,
    )

POLICIES: Final = {
    path.name: path.read_text("utf-8")
    for path in sorted((FilePath(__file__).parent.parent / "policies").glob("*.polar"))
}


def read(text: str) -> Reading:
    """Read a text as the file a.polar."""
    return read_policy(Source("a.polar", text))


def refuse(text: str) -> list[str]:
    """Read a text: its faults in short, `line:column message`."""
    return [
        f"{fault.where.line}:{fault.where.column} {fault.message}" for fault in read(text).faults
    ]


def name_rules(text: str) -> list[str]:
    """Read a text: the names of its rules."""
    return [each.name for each in read(text).statements if isinstance(each, Rule)]


def load_into_oso(text: str) -> Oso:
    """Load a text into oso, with a class for what policies call a type."""
    require_reference()
    from oso import Oso  # noqa: PLC0415  # only where it is

    oso = Oso()
    oso.register_class(type("A", (), {}), name="A")
    oso.load_str(text)
    return oso


@pytest.mark.parametrize("name", POLICIES)
def test_our_policies_are_read(name: str) -> None:
    """There is nothing wrong with the policies of the portal."""
    reading = read(POLICIES[name])

    assert () == reading.faults
    assert reading.statements


def test_statements_are_read_in_their_order() -> None:
    """A file is what its statements are, one after another, with or without space between."""
    reading = read('f(1);type f(_x);?= f(1);actor A { roles = ["a"]; }resource B{}g(2);\n?=g(2);')

    assert [Rule, RuleType, Query, Block, Block, Rule, Query] == list(map(type, reading.statements))


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\n", "\r\n", "\t", "# nothing", "# nothing\n", "#\n#", '# f(" ; } \\', "# é \x00"],
)
def test_a_file_may_say_nothing(text: str) -> None:
    """An empty file and one of comments are read, and hold nothing."""
    assert Reading((), ()) == read(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f( # ;\n1); # g(]);", ["f"]),
        ('f("# ; ) } ]"); g("\\"; ("); h("\\\\");', ["f", "g", "h"]),
        ("f(1);\r\ng(1);\r\n", ["f", "g"]),
        ("# a comment ends at a carriage return\rf(1);", ["f"]),
        ("\tf(\t1\t)\t;", ["f"]),
        ("#f(1);\n#", []),
        ('f("é # 日本");# é\ng(1);', ["f", "g"]),
        ("f(1);#", ["f"]),
    ],
)
def test_texts_and_comments_do_not_confuse(text: str, expected: list[str]) -> None:
    """What stands in texts and comments counts for nothing else, to us as to oso."""
    load_into_oso(text)

    assert () == read(text).faults
    assert expected == name_rules(text)


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        ("g(];", "2:3 did not expect `]` here"),
        ("g(x;", "2:4 did not expect `;` here; is a `)` missing before it?"),
        ("g(x if x;", "2:5 did not expect `if` here; is a `)` missing before it?"),
        ("g(x) if f(x and x;", "2:18 did not expect `;` here; is a `)` missing before it?"),
        ("g(;", "2:3 did not expect `;` here; is a `)` missing before it?"),
        ("g(x) x;", "2:6 did not expect `x` here; is a `;` missing before it?"),
        ("g(x) if x = 1 = 2;", "2:15 did not expect `=` here; compare two values at a time,"),
        ("g(x) if x in x in x;", "2:16 did not expect `in` here; compare two values at a time,"),
        ("g(x) if not not x;", "2:13 did not expect `not` here; put it in parentheses together"),
        ("g(x) if x -1;", "2:11 did not expect `-1` here; arithmetic is not used in policies"),
        ("g(in);", "2:3 did not expect `in` here; it is a word of Polar's own, so no name"),
        ("mod(x);", "2:1 did not expect `mod` here; it is a word of Polar's own, so no name"),
        ("g(x) if isa(x);", "2:12 did not expect `(` here"),
        ("g(x) if x.mod = 1;", "2:11 did not expect `mod` here; it is a word of Polar's own,"),
        ("g(x,);", "2:5 did not expect `)` here"),
        ("g(x) if;", "2:8 did not expect `;` here"),
        ("type g(x) if x;", "2:11 did not expect `if` here"),
        ("?= ;", "2:4 did not expect `;` here"),
        ("g(x) if x ? x;", "2:11 did not expect the character `?`"),
        ("g(é);", "2:3 did not expect the character `é`"),
        ("g(\x00);", "2:3 did not expect the character `U+0000`"),
        ("g(1\f);", "2:4 did not expect the character `U+000C`"),
        ("g(a::b);", "2:5 did not expect `:` here"),
        ('g("a);', '2:3 this text has no end; close it with `"` on the same line'),
        ('g("a\n"b);', '2:3 this text has no end; close it with `"` on the same line'),
        ("};", "2:1 did not expect `}` here"),
        ("g(x: A{a: 1) if x;", "2:12 did not expect `)` here"),
        ("resource {}", "2:10 did not expect `{` here"),
        ("actor A B { roles = []; }", "2:9 did not expect `B` here"),
        ("actor A { x }", "2:13 did not expect `}` here"),
        ('actor A { "a" if "b" }', "2:22 did not expect `}` here; is a `;` missing before it?"),
        ("actor A { roles = [1]; }", "2:20 did not expect `1` here"),
        ("actor A { roles = [];", "2:21 this block has no end; is a `}` missing?"),
        ('actor A { roles = ["a"]', "2:23 this block has no end; is a `}` missing?"),
    ],
)
def test_what_is_no_polar_is_told_without_hiding_the_rest(broken: str, expected: str) -> None:
    """A broken statement is told once, at its place; those around it are read, or told as well."""
    faults = refuse(f"f(1);\n{broken}\nh(1);\nf(];\ni(1);")

    assert [expected, "did not expect `]` here"] == [
        faults[0][: len(expected)],
        faults[1].partition(" ")[2],
    ]
    assert 2 == len(faults)
    assert {"f", "h", "i"} <= set(name_rules(f"f(1);\n{broken}\nh(1);\nf(];\ni(1);"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f(1)", "1:4"),
        ("f(", "1:2"),
        ("f(x) if", "1:6"),
        ("actor A", "1:7"),
        ("f(1) # no more;", "1:4"),
        ("f(1)\n\n# no more\n", "1:4"),
    ],
)
def test_the_end_of_a_file_is_told_at_its_last_word(text: str, expected: str) -> None:
    """A statement that nothing ends is told where it stops, not behind comments."""
    message = "the file ends in the middle of a statement; is a `;` missing?"

    assert [f"{expected} {message}"] == refuse(text)


def test_the_declarations_of_a_block_do_not_hide_each_other() -> None:
    """Of a broken block, each declaration is told for itself."""
    faults = refuse('actor A {\nroles = [;\n"a" of "b";\nrelations = {a b};\nlist = [];\n"a" if\n}')

    assert ["2:10", "3:5", "4:16", "5:1", "7:1"] == [each.partition(" ")[0] for each in faults]


def test_all_faults_are_told_in_their_order() -> None:
    """What cannot be read and what is not used come by place."""
    faults = refuse("f(x) if cut;\nf(];\nf(x) if new A() and x := 1;\nf(")

    assert ["1:9", "2:3", "3:9", "3:21", "4:2"] == [each.partition(" ")[0] for each in faults]


def test_the_place_is_underlined() -> None:
    """A fault shows its line and what is meant in it."""
    (fault,) = read('f(1);\n  g("é", x y);').faults

    assert '2 |   g("é", x y);\n  |            ^' == fault.excerpt


def test_a_byte_order_mark_is_refused() -> None:
    """To oso it would be part of the first rule's name, so that rule would never be asked."""
    mark = "\ufeff"
    load_into_oso(f"{mark}f(1);")

    assert ["1:1 the file has a byte order mark here; save it as UTF-8 without one"] == refuse(
        f"{mark}f(1);"
    )


@pytest.mark.parametrize("text", ["f(1);\n# é\ud800", 'f("\udfff");', "\ud800"])
def test_half_a_character_is_refused(text: str) -> None:
    """No file in UTF-8 holds one."""
    (fault,) = read(text).faults

    assert "this is half of a character; write it whole" == fault.message
    assert "\ud7ff" < text.split("\n")[fault.where.line - 1][fault.where.column - 1] < "\ue000"


KEYWORDS: Final = (
    *("type", "if", "in", "and", "or", "not", "matches", "new", "cut", "debug", "print"),
    *("forall", "true", "false", "mod", "rem", "inf", "nan", "isa"),
)


@pytest.mark.parametrize("word", KEYWORDS)
@pytest.mark.parametrize("form", ["{}(1);", "x(1) if x(1, {}.a);", "f({}: A);", "f(x: {}{{}});"])
def test_a_word_of_polar_is_no_name(form: str, word: str) -> None:
    """Words of Polar's own name neither rules nor variables nor types."""
    assert read(form.format(word)).faults


# What a text costs beyond its length is limited: each of these is very long, deep or broken.
MANY: Final = 50_000
HOSTILE: Final = {
    **{f"only {sign!r}": sign * MANY for sign in '([{}])";.,#\\\x00é\ud800\n\r'},
    "not": f"f(x) if {'not ' * MANY}x;",
    "attributes": f"f(x) if x{'.a' * MANY};",
    "and": f"f(x) if x{' and x' * MANY};",
    "or": f"f(x) if x{' or x' * MANY};",
    "open": f"f(x) if {'(' * MANY}",
    "lists": f"f(x) if x in {'[' * MANY}",
    "deep behind closing": f"{')' * 1000};f(x) if {'(' * 1000}x{')' * 1000};",
    "list": f"f(x) if x in [{'1, ' * MANY}];",
    "a long unclosed text": f'f("{"a" * 1_000_000}',
    "a text of escapes without end": 'f("' + r"\n" * MANY,
    "lines of quotes": '"\n' * MANY,
    "a long number": f"f({'1' * 1_000_000});",
    "a long fraction": f"f(0.{'1' * 1_000_000});",
    "broken statements": "f(;\n" * MANY,
    "refused statements": "f(x) if x := 1;\n" * MANY,
    "refused on one line": "f(x) if x := 1;" * MANY,
    "broken blocks": "actor A {" * MANY,
    "broken declarations": f"actor A {{ {'roles;' * 1000} }}",
    "a block without end": "actor A { " + 'roles = ["a"];' * MANY,
    "repeated fields": f"f(x: A{{{'a: 1, ' * 2000}}}) if x;",
    "a name twice": f"f(x) if {'y' * 1_000_000} y;",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_hostile_text_crashes_the_reader(text: str) -> None:
    """Whatever it is given, the reader returns; what it shows stays short."""
    reading = read(text)
    long = [each for each in reading.faults if len(each.message) + len(each.excerpt) > 1000]

    assert [] == long
    assert bool(reading.faults) == (text[0] not in "#\n\r")


@pytest.mark.parametrize(
    "text",
    [f'f("{"a" * 1_000_000}");', f"{'f' * 1_000_000}(1);", f"f(1);{' ' * 1_000_000}g(1);"],
    ids=["a text", "a name", "a gap"],
)
def test_a_large_word_is_read(text: str) -> None:
    """A megabyte of one text or name is unwise, and Polar."""
    assert () == read(text).faults


def test_many_rules_are_read() -> None:
    """Each statement is read on its own, so there may be any number."""
    assert ["f"] * 2000 == name_rules("f(x) if x.a = 1;\n" * 2000)


@pytest.mark.parametrize(
    ("expected", "depth"), [([], 100), (["nested_too_deep"], 101), (["nested_too_deep"], 102)]
)
def test_brackets_nest_to_a_limit(expected: list[str], depth: int) -> None:
    """A hundred brackets deep is read; anything deeper is refused, where it gets too deep."""
    faults = read(f"?= {'(' * depth}x{')' * depth};").faults

    assert expected == [each.code for each in faults]
    assert all(each.where.column == 104 for each in faults)


def test_brackets_of_one_statement_do_not_count_for_the_next() -> None:
    """Statements that nobody closed are told one by one."""
    faults = read("f((((((;\n" * 30 + "g(1);").faults

    assert ["no_polar"] * 30 == [each.code for each in faults]


@pytest.mark.parametrize(("expected", "size"), [([], 4996), (["too_long"], 4997)])
def test_a_statement_has_a_longest_length(expected: list[str], size: int) -> None:
    """Ten thousand words are read in one statement; of more, several are to be made."""
    text = f"f(x) if x{' and x' * size};"
    faults = read(f"{text}\ng(];").faults

    assert [*expected, "no_polar"] == [each.code for each in faults]


def test_after_many_faults_the_rest_is_left_unread() -> None:
    """Nobody reads a thousand messages; the first fifty are told."""
    assert [f"{line}:3" for line in range(1, 51)] == [
        each.partition(" ")[0] for each in refuse("f(];\n" * 1000)
    ]


COMPARISONS: Final = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def find_value(term: Term, values: Mapping[str, Any]) -> Any:
    """Tell the value of a term."""
    match term:
        case Constant(value=value):
            return value
        case Variable(name=name):
            return values[name]
        case ListTerm(items=items):
            return [find_value(each, values) for each in items]
    raise AssertionError(term)


def holds(term: Term, values: Mapping[str, Any]) -> bool:
    """Tell whether a condition holds, by the plainest reading of our tree."""
    match term:
        case Comparison(operator=sign, left=left, right=right):
            return bool(COMPARISONS[sign](find_value(left, values), find_value(right, values)))
        case Membership(item=item, collection=collection):
            return find_value(item, values) in find_value(collection, values)
        case Not(condition=condition):
            return not holds(condition, values)
        case And(conditions=conditions):
            return all(holds(each, values) for each in conditions)
        case Or(conditions=conditions):
            return any(holds(each, values) for each in conditions)
    return bool(find_value(term, values))


def extend(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Build larger conditions as texts, so that grouping is left to who reads them."""
    return st.one_of(
        st.builds("not {}".format, texts),
        st.builds("({})".format, texts),
        st.builds("not ({})".format, texts),
        st.builds("{} and {}".format, texts, texts),
        st.builds("{} or {}".format, texts, texts),
        st.builds("{} and ({})".format, texts, texts),
    )


NUMBERS: Final = st.sampled_from(["x", "y", "1", "2", "-1"])
CONDITIONS: Final = st.recursive(
    st.one_of(
        st.builds("{} {} {}".format, NUMBERS, st.sampled_from(list(COMPARISONS)), NUMBERS),
        st.builds("{} in [{}, {}]".format, NUMBERS, NUMBERS, NUMBERS),
        st.sampled_from(["yes", "no", "true", "false"]),
    ),
    extend,
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(condition=CONDITIONS, x=st.integers(0, 3), y=st.integers(0, 3))
def test_conditions_mean_what_they_mean_to_oso(condition: str, x: int, y: int) -> None:
    """Precedence and grouping are oso's: our tree holds where oso's does."""
    values = {"x": x, "y": y, "yes": True, "no": False}
    # each parameter stands twice, since oso refuses a variable that occurs once
    text = f"f(x, x, y, y, yes, yes, no, no) if {condition};"
    reading = read(text)
    if any(fault.code == "no_polar" for fault in reading.faults):
        assert not oso_reads(text)
        return
    (rule,) = reading.statements
    answers = load_into_oso(text).query_rule("f", x, x, y, y, True, True, False, False)

    assert isinstance(rule, Rule)
    assert bool(list(answers)) == holds(rule.body, values)


@pytest.mark.parametrize(
    "condition",
    [
        *("no or yes and no", "yes and x = y or no", "no and no or yes", "yes or no and no"),
        *("not no and no", "not no or yes", "not x = y", "not x in [y]", "not x < y and x < y"),
        *("not (no and no) and no", "not (yes or no)", "(yes or no) and no", "yes or (no and no)"),
        *("x = y or x != y", "x in [1, 2] and x = 1", "1 in [x, y]", "x == 1 or y == 2 or no"),
    ],
)
def test_each_level_of_precedence_is_that_of_oso(condition: str) -> None:
    """Where two operators meet, the one binds closer that does in oso."""
    text = f"f(x, x, y, y, yes, yes, no, no) if {condition};"
    (rule,) = read(text).statements
    answers = load_into_oso(text).query_rule("f", 1, 1, 2, 2, True, True, False, False)

    assert isinstance(rule, Rule)
    assert bool(list(answers)) == holds(rule.body, {"x": 1, "y": 2, "yes": True, "no": False})


WORDS: Final = (
    *KEYWORDS,
    *("f", "x", "A", "nil", "_z", "actor", "resource", "roles", "relations", "on"),
    *("(", ")", "(", ")", "[", "]", "{", "}", ",", ";", ".", ":", "*", "+", "-", "/", "!", "|"),
    *("=", "==", "!=", "<", "<=", ">", ">=", ":=", "?=", "::", "?", "#", "\n", "\r", "\t", "\f"),
    *("1", "2.5", "-3", "1e3", "1.", "00", '"a"', '"', "\\", "é", "\ufeff", "\xa0"),
)
PIECES: Final = (
    *("x", "x.a", "f(x)", "x = 1", "x in [1, 2]", "x matches A", "not x", "(x)", "(x = 1)"),
    *("1", '"a"', "[1]", "true", "x < x", "forall(x, x)", "x.type", "x matches {a: 1}", "-1"),
    *("nil", "(x or x)", "(1)", "[x]", "x.a.b", "x matches A{b: x}", "cut", "{a: 1}", "f(1)"),
)
GLUE: Final = (" and ", " or ", " = ", " == ", " in ", " matches ", " < ", " and not ", ", ", ".")
PARAMETERS: Final = (
    *PIECES,
    *("x: A", "x: 1", "x: {a: 1}", "x: A{a: x}", "x: [1]", "x: nil", "x: A{}", "x: {a: A{}}"),
    *("x: {a: 1, a: 2}", "x: true", "x: {a: x.b}", "x: x", "x: {in: 1,}", "x: {mod: 1}"),
)
INSIDE: Final = (
    *('roles = ["a"];', "roles = [];", 'permissions = ["b",];', "relations = {p: A};"),
    *("relations = {p: A, p: A};", "relations = {};", '"a" if "b";', '"a" if "b" on "p";'),
    *('"a" if "b" of "p";', "roles = {a: A};", 'relations = ["a"];', "x = [];", "f(x);", "roles"),
)


def join(pieces: tuple[str, ...], between: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Put pieces one after another."""
    more = st.lists(st.tuples(st.sampled_from(between), st.sampled_from(pieces)), max_size=6)
    return st.builds(
        lambda first, rest: first + "".join(map("".join, rest)), st.sampled_from(pieces), more
    )


STATEMENTS: Final = st.one_of(
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["", "f(x) if x ", "f(", "actor A { ", "f(1); ", "?= ", "f(x: "]),
        join(WORDS, ("", " ")),
        st.sampled_from(["", ";", ");", "}", "};"]),
    ),
    st.builds("f(x) if {};".format, join(PIECES, GLUE)),
    st.builds("f({});".format, join(PARAMETERS, (", ",))),
    st.builds("{} A {{ {} }}".format, st.sampled_from(["actor", "group"]), join(INSIDE, (" ", ""))),
)


def oso_reads(text: str) -> bool:
    """Tell whether oso can read a text, whatever else it finds wrong with the policy."""
    require_reference()
    from polar.exceptions import (  # noqa: PLC0415  # only where it is
        OsoError,
        ParserError,
        PolarRuntimeError,
        ValidationError,
    )

    try:
        load_into_oso(text)
    except (ValidationError, PolarRuntimeError) as error:
        return not isinstance(error, ParserError)
    except OsoError:
        return False
    return True


@settings(max_examples=800, deadline=None)
@given(text=STATEMENTS)
def test_what_oso_cannot_read_is_not_read(text: str) -> None:
    """Of texts made of the words of Polar, those without a fault are Polar to oso."""
    assert read(text).faults or oso_reads(text)


@settings(max_examples=300, deadline=None)
@given(text=st.text())
def test_any_text_gives_a_reading(text: str) -> None:
    """The reader takes any text at all."""
    assert read(text).faults or oso_reads(text)


@st.composite
def mutants(draw: st.DrawFn) -> str:
    """Take a real policy and delete, double or move pieces of it."""
    text = draw(st.sampled_from(sorted(POLICIES.values())))
    for _ in range(draw(st.integers(1, 3))):
        places = sorted(draw(st.integers(0, len(text))) for _ in range(3))
        first, second, third = places
        before, one, two, after = text[:first], text[first:second], text[second:third], text[third:]
        kind = draw(st.sampled_from(["delete", "double", "swap", "reverse"]))
        middle = {
            "delete": two,
            "double": one + one + two,
            "swap": two + one,
            "reverse": one[::-1] + two,
        }[kind]
        text = before + middle + after
    return text


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=mutants())
def test_a_damaged_policy_gives_a_reading(text: str) -> None:
    """A policy cut and pasted anyhow is read or refused, and never read where oso cannot."""
    reading = read(text)

    assert reading.faults or oso_reads(text)
    assert len(text.split("\n")) >= max((each.where.line for each in reading.faults), default=0)
