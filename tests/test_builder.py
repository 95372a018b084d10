"""What the words of a policy become: the tree, the places in it, and what is refused."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import pytest

from authz_service.polar import syntax
from authz_service.polar.reader import read_policy
from authz_service.polar.syntax import (
    And,
    Block,
    Call,
    Comparison,
    Constant,
    Declaration,
    ForAll,
    ListTerm,
    Match,
    Membership,
    Node,
    Not,
    Or,
    Parameter,
    Path,
    Query,
    Relation,
    Rule,
    RuleType,
    Shorthand,
    Span,
    TypePattern,
    Variable,
)
from authz_service.polar.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.polar.syntax import (
        Pattern,
        Statement,
        Term,
    )

# Places do not count when trees are compared.
AT: Final = Span("", 0, 0, 0, 0)
X: Final = Variable(AT, "x")
Y: Final = Variable(AT, "y")
F: Final = Call(AT, "f", (X,))
ONE: Final = Constant(AT, 1)
YES: Final = Constant(AT, value=True)
A: Final = Path(AT, X, ("a",))


def read(text: str) -> Statement:
    """Read the one statement of a text without faults."""
    reading = read_policy(Source("a.polar", text))

    assert () == reading.faults
    (statement,) = reading.statements
    return statement


def read_condition(text: str) -> Term:
    """Read a condition."""
    query = read(f"?= {text};")

    assert isinstance(query, Query)
    return query.condition


def refuse(text: str) -> list[str]:
    """Read a text with faults: what is underlined, the code, and the message."""
    source = Source("a.polar", text)
    faults = read_policy(source).faults
    return [f"{underlined(fault.excerpt)} | {fault.code} | {fault.message}" for fault in faults]


def underlined(excerpt: str) -> str:
    """Take out of an excerpt what it underlines."""
    line, marks = excerpt.split("\n")
    return line[marks.index("^") : len(marks)]


def compare(operator: str, left: Term = X, right: Term = ONE) -> Comparison:
    """Build a comparison."""
    return Comparison(AT, operator, left, right)


def text(value: str) -> Constant:
    """Build a text."""
    return Constant(AT, value)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x", X),
        ("x_1Y", Variable(AT, "x_1Y")),
        ("_", Variable(AT, "_")),
        ("_x", Variable(AT, "_x")),
        ("android", Variable(AT, "android")),
        ("true", Constant(AT, value=True)),
        ("false", Constant(AT, value=False)),
        ("x = 1", compare("=")),
        ("x == 1", compare("==")),
        ("x != 1", compare("!=")),
        ("x < 1", compare("<")),
        ("x <= 1", compare("<=")),
        ("x > 1", compare(">")),
        ("x >= 1", compare(">=")),
        ("x=1", compare("=")),
        ("1 = x", compare("=", ONE, X)),
        ("x = nil", compare("=", X, Constant(AT, None))),
        ('x = "a"', compare("=", X, text("a"))),
        ("x = []", compare("=", X, ListTerm(AT, ()))),
        ("x = [1, y]", compare("=", X, ListTerm(AT, (ONE, Y)))),
        ("x = [1, [y],]", compare("=", X, ListTerm(AT, (ONE, ListTerm(AT, (Y,)))))),
        ("x.a", A),
        ("x.a.b.c", Path(AT, X, ("a", "b", "c"))),
        ("(x).a", A),
        ("x.a = y.a", compare("=", A, Path(AT, Y, ("a",)))),
        ("f()", Call(AT, "f", ())),
        ("f(x)", F),
        ('f(x, 1, "a", x.a, [1])', Call(AT, "f", (X, ONE, text("a"), A, ListTerm(AT, (ONE,))))),
        ("x in y", Membership(AT, X, Y)),
        ("x in x.a", Membership(AT, X, A)),
        ("1 in [1]", Membership(AT, ONE, ListTerm(AT, (ONE,)))),
        ("x matches Foo", Match(AT, X, TypePattern(AT, "Foo"))),
        ("x.a matches Foo", Match(AT, A, TypePattern(AT, "Foo"))),
        ("x matches 1", Match(AT, X, ONE)),
        ("not x", Not(AT, X)),
        ("not x = 1", Not(AT, compare("="))),
        ("not x in y", Not(AT, Membership(AT, X, Y))),
        ("not (not x)", Not(AT, Not(AT, X))),
        ("not(x)", Not(AT, X)),
        ("x and f(x)", And(AT, (X, F))),
        ("x and f(x) and y", And(AT, (X, F, Y))),
        ("x or f(x) or y", Or(AT, (X, F, Y))),
        ("not x and y", And(AT, (Not(AT, X), Y))),
        ("not (x and y)", Not(AT, And(AT, (X, Y)))),
        ("x = 1 and y", And(AT, (compare("="), Y))),
        ("(x or y) and f(x)", And(AT, (Or(AT, (X, Y)), F))),
        ("x and (y or f(x))", And(AT, (X, Or(AT, (Y, F))))),
        ("(x and y) or f(x)", Or(AT, (And(AT, (X, Y)), F))),
        ("x or ((y and f(x)))", Or(AT, (X, And(AT, (Y, F))))),
        ("x and (y and f(x))", And(AT, (X, And(AT, (Y, F))))),
        ("((x))", X),
        ("(x = 1)", compare("=")),
        ("forall(x in y, x.a)", ForAll(AT, Membership(AT, X, Y), A)),
        ("forall(x and y, not f(x))", ForAll(AT, And(AT, (X, Y)), Not(AT, F))),
    ],
)
def test_a_condition_becomes_a_tree(source: str, expected: Term) -> None:
    """Each construct that policies may use has its node."""
    assert expected == read_condition(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Foo", TypePattern(AT, "Foo")),
        ("Foo{}", TypePattern(AT, "Foo")),
        ("Foo{a: 1}", TypePattern(AT, "Foo", (("a", ONE),))),
        ('{a: "b", c: true,}', TypePattern(AT, "", (("a", text("b")), ("c", YES)))),
        ("{}", TypePattern(AT, "")),
        ("{a: y}", TypePattern(AT, "", (("a", Y),))),
        ("{a: nil}", TypePattern(AT, "", (("a", Constant(AT, None)),))),
        ("{a: Foo{}}", TypePattern(AT, "", (("a", TypePattern(AT, "Foo")),))),
        ("{a: {b: 1}}", TypePattern(AT, "", (("a", TypePattern(AT, "", (("b", ONE),))),))),
        ("{type: 1, in: 1}", TypePattern(AT, "", (("type", ONE), ("in", ONE)))),
        ('"b"', text("b")),
        ("1", ONE),
        ("true", Constant(AT, value=True)),
    ],
)
def test_a_pattern_becomes_a_tree(source: str, expected: Pattern) -> None:
    """A pattern is the same behind `matches` and behind a parameter."""
    rule = read(f"f(x: {source});")

    assert Match(AT, X, expected) == read_condition(f"x matches {source}")
    assert Rule(AT, "f", (Parameter(AT, X, expected),), And(AT, ())) == rule


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f();", Rule(AT, "f", (), And(AT, ()))),
        ("f(x) if x;", Rule(AT, "f", (Parameter(AT, X),), X)),
        (
            'f(x: Foo, "a", _, nil) if x and f(x);',
            Rule(
                AT,
                "f",
                (
                    Parameter(AT, X, TypePattern(AT, "Foo")),
                    Parameter(AT, text("a")),
                    Parameter(AT, Variable(AT, "_")),
                    Parameter(AT, Constant(AT, None)),
                ),
                And(AT, (X, F)),
            ),
        ),
        ("type f(x: Foo);", RuleType(AT, "f", (Parameter(AT, X, TypePattern(AT, "Foo")),))),
        ("type f();", RuleType(AT, "f", ())),
        ("?= f(x);", Query(AT, F)),
        ("actor User {}", Block(AT, "actor", "User", (), (), ())),
        (
            """resource Repository {
                roles = ["a", "b",];
                permissions = [];
                relations = { parent: Organization, owner: User, };
                "a" if "b";
                "a" if "c" on "d";
            }""",
            Block(
                AT,
                "resource",
                "Repository",
                (
                    Declaration(AT, "roles", (text("a"), text("b"))),
                    Declaration(AT, "permissions", ()),
                ),
                (Relation(AT, "parent", "Organization"), Relation(AT, "owner", "User")),
                (
                    Shorthand(AT, text("a"), text("b"), None),
                    Shorthand(AT, text("a"), text("c"), text("d")),
                ),
            ),
        ),
    ],
)
def test_a_statement_becomes_a_tree(source: str, expected: Statement) -> None:
    """Rules, facts, rule types, queries and blocks have their nodes."""
    assert expected == read(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("0", 0),
        ("-1", -1),
        ("+7", 7),
        ("007", 7),
        ("0" * 39 + "5", 5),
        ("1.5", 1.5),
        ("-0.25", -0.25),
        ("1e3", 1000.0),
        ("2.5E-1", 0.25),
        ("9223372036854775807", 2**63 - 1),
        ('""', ""),
        ('"a b"', "a b"),
        ('"; # } ("', "; # } ("),
        (r'"\n\r\t\0\"\\"', '\n\r\t\0"\\'),
        (r'"\\n"', "\\n"),
        ('"é😀\u202e"', "é😀\u202e"),
        ('"a\tb"', "a\tb"),
    ],
)
def test_a_constant_has_its_value(source: str, expected: object) -> None:
    """Numbers and texts mean what they mean in oso."""
    condition = read_condition(f"x = {source}")

    assert compare("=", X, Constant(AT, expected)) == condition  # type: ignore[arg-type]
    assert isinstance(condition, Comparison)
    assert isinstance(condition.right, Constant)
    assert type(expected) is type(condition.right.value)


@pytest.mark.parametrize(
    "word",
    [
        *("type", "if", "in", "and", "or", "not", "matches", "new", "cut", "debug", "print"),
        *("forall", "actor", "resource", "roles", "on", "nil"),
    ],
)
def test_a_word_of_polar_can_be_an_attribute(word: str) -> None:
    """Behind a dot and in a pattern, words of Polar are names."""
    assert Path(AT, X, (word,)) == read_condition(f"x.{word}")
    assert Match(AT, X, TypePattern(AT, "", ((word, ONE),))) == read_condition(
        f"x matches {{{word}: 1}}"
    )


STORY: Final = """\
# é
f(one: Foo{a: "é", b: two},
  "three") if
    not one.four = -5 and
    (six in [7, nil] or g(one)) and
    one matches {h: true} and forall(j, k);
type f(x: String);
actor User { roles = ["r"]; relations = {p: Q}; "r" if "s" on "p"; }
?= é;
?= m;
"""


def nodes(piece: object) -> Iterator[Node]:
    """Find all nodes inside of something."""
    if isinstance(piece, tuple):
        for each in piece:
            yield from nodes(each)
    elif isinstance(piece, Node):
        yield piece
        for field in dataclasses.fields(piece):
            yield from nodes(getattr(piece, field.name))


def cut(source: str, span: Span) -> str:
    """Cut the text of a span out of its file."""
    lines = source.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    return "\n".join([lines[0][span.column - 1 :], *lines[1:]])


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["Unix", "Windows"])
def test_every_piece_knows_where_it_stands(ending: str) -> None:
    """The span of a piece holds the text that it was read from, in lines and characters."""
    source = STORY.replace("\n", ending)
    statements = read_policy(Source("a.polar", source)).statements
    spans = {node.span: type(node) for node in nodes(statements)}
    found = {cut(source, span).replace("\r", ""): kind for span, kind in spans.items()}

    assert {"a.polar"} == {span.file for span in spans}
    assert {
        'f(one: Foo{a: "é", b: two},\n  "three")': Rule,
        'one: Foo{a: "é", b: two}': Parameter,
        'Foo{a: "é", b: two}': TypePattern,
        '"é"': Constant,
        "two": Variable,
        '"three"': Constant,
        "one": Variable,
        "not one.four = -5": Not,
        "one.four = -5": Comparison,
        "one.four": Path,
        "-5": Constant,
        "six in [7, nil] or g(one)": Or,
        "six in [7, nil]": Membership,
        "[7, nil]": ListTerm,
        "7": Constant,
        "nil": Constant,
        "g(one)": Call,
        "one matches {h: true}": Match,
        "{h: true}": TypePattern,
        "true": Constant,
        "forall(j, k)": ForAll,
        "k": Variable,
        "f(x: String)": RuleType,
        "x: String": Parameter,
        "String": TypePattern,
        STORY.splitlines()[7]: Block,
        'roles = ["r"];': Declaration,
        '"r"': Constant,
        "p: Q": Relation,
        '"r" if "s" on "p";': Shorthand,
        '"s"': Constant,
        '"p"': Constant,
        "?= m;": Query,
        "m": Variable,
    }.items() <= found.items()


OUTSIDE: Final = "outside_the_subset"
UNREADABLE: Final = "no_polar"
NO_VALUE: Final = "this is a condition and has no value; let it stand for itself, with `and`"
NO_CONDITION: Final = "this is a value, neither true nor false; compare it with something"
ARITHMETIC: Final = (
    "arithmetic is not used in policies; compare with an attribute that holds the result"
)
ACT: Final = "is not used in policies; they say what is so and do nothing"


@pytest.mark.parametrize(
    ("condition", "place", "message"),
    [
        ("x = 1 + y", "1 + y", ARITHMETIC),
        ("x = y - 1", "y - 1", ARITHMETIC),
        ("x = y * 2", "y * 2", ARITHMETIC),
        ("x = y / 2", "y / 2", ARITHMETIC),
        ("x = y mod 2", "y mod 2", ARITHMETIC),
        ("x = y rem 2", "y rem 2", ARITHMETIC),
        (
            "x = new Foo(1)",
            "new Foo(1)",
            "`new` is not used in policies; policies look at entities and make none",
        ),
        ("x and cut", "cut", f"`cut` {ACT}"),
        ("debug(x)", "debug(x)", f"`debug` {ACT}"),
        ('print("a")', 'print("a")', f"`print` {ACT}"),
        (
            "x = {a: 1}",
            "{a: 1}",
            "a dictionary is not used in policies; use attributes of entities",
        ),
        ("x = {}", "{}", "a dictionary is not used in policies; use attributes of entities"),
        ("[1, *rest] = x", "*rest", "the rest of a list is not used in policies; use `in`"),
        ("x.f(1)", "x.f(1)", "calling `f` is not used in policies; use attributes and rules"),
        ("x.f().a", "x.f().a", "calling `f` is not used in policies; use attributes and rules"),
        ("x := 1", "x := 1", "`:=` is not used in policies; write `x = ...`"),
        (
            '"a".b = x',
            '"a".b',
            "an attribute of this is not used in policies; look it up on a variable",
        ),
        (
            "f(x).b = x",
            "f(x).b",
            "an attribute of this is not used in policies; look it up on a variable",
        ),
        ("x matches [1]", "[1]", "a list as a pattern is not used in policies; use `in`"),
        ("x matches {a: [1]}", "[1]", "a list as a pattern is not used in policies; use `in`"),
        (
            "x matches nil",
            "nil",
            "`nil` as a type is not used in policies; compare with it: `= nil`",
        ),
        ("x < inf", "inf", "`inf` is not used in policies; it is a word of Polar's own"),
        ("x = nan", "nan", "`nan` is not used in policies; it is a word of Polar's own"),
    ],
)
def test_what_policies_do_not_use_is_refused(condition: str, place: str, message: str) -> None:
    """A construct outside of the subset is refused at its place, with advice."""
    assert [f"{place} | {OUTSIDE} | {message}"] == refuse(f"f(x) if {condition};")


@pytest.mark.parametrize("parameter", ["x.a", "f(x)", "[1]", "(x = 1)"])
def test_a_parameter_is_a_variable_or_a_constant(parameter: str) -> None:
    """Anything else belongs in the body."""
    advice = "write a variable here and compare it in the body"

    assert [f"{parameter} | {OUTSIDE} | such a parameter is not used in policies; {advice}"] == (
        refuse(f"f({parameter});")
    )


@pytest.mark.parametrize(
    ("condition", "place", "message"),
    [
        ("1", "1", NO_CONDITION),
        ("nil", "nil", NO_CONDITION),
        ("not 1", "1", NO_CONDITION),
        ('x and "a"', '"a"', NO_CONDITION),
        ("x or [x]", "[x]", NO_CONDITION),
        ("x and (1)", "1", NO_CONDITION),
        ("forall(1, x)", "1", NO_CONDITION),
        ("forall(x, 1)", "1", NO_CONDITION),
        ("x = f(x)", "f(x)", NO_VALUE),
        ("f(x) < 1", "f(x)", NO_VALUE),
        ("x = (x = 1)", "x = 1", NO_VALUE),
        ("x in y = y", "x in y", NO_VALUE),
        ("x = y in z", "y in z", NO_VALUE),
        ("x matches Foo = x", "x matches Foo", NO_VALUE),
        ("f(x) in y", "f(x)", NO_VALUE),
        ("x in f(x)", "f(x)", NO_VALUE),
        ("f(x) matches Foo", "f(x)", NO_VALUE),
        ("f(f(x))", "f(x)", NO_VALUE),
        ("f(x = 1)", "x = 1", NO_VALUE),
        ("f(not x)", "not x", NO_VALUE),
        ("f(x and y)", "x and y", NO_VALUE),
        ("x in [f(x)]", "f(x)", NO_VALUE),
        ("x = forall(x, x)", "forall(x, x)", NO_VALUE),
        ("x matches {a: 1, b: 2, a: 3}", "{a: 1, b: 2, a: 3}", "`a` is given twice; leave one out"),
    ],
)
def test_what_oso_cannot_read_is_refused(condition: str, place: str, message: str) -> None:
    """A value is no condition, a condition no value, and a field is given once."""
    assert [f"{place} | {UNREADABLE} | {message}"] == refuse(f"f(x) if {condition};")


@pytest.mark.parametrize(
    ("condition", "place"),
    [("x and y or z", "x and y"), ("x or y and z", "y and z"), ("(x or y) or z and x", "z and x")],
)
def test_and_beside_or_needs_parentheses(condition: str, place: str) -> None:
    """What can be read in two ways, and made oso warn, is refused."""
    message = "`and` beside `or` can be read in two ways; put it in parentheses"

    assert [f"{place} | unclear_order | {message}"] == refuse(f"f(x) if {condition};")


@pytest.mark.parametrize(
    ("constant", "code", "message"),
    [
        ("9223372036854775808", "number_too_large", "this number is too large"),
        ("-9223372036854775808", "number_too_large", "this number is too large"),
        ("1e19", "number_too_large", "this number is too large"),
        ("1e999", "number_too_large", "this number is too large"),
        ("0" * 40 + "1", "number_too_large", "this number is too long"),
        (
            r'"a\q"',
            "unknown_escape",
            r"there is no such escape; write `\\` for a backslash",
        ),
    ],
)
def test_a_constant_that_would_be_read_otherwise_is_refused(
    constant: str, code: str, message: str
) -> None:
    """Numbers beyond 64 bits and unknown escapes are refused."""
    assert [f"{constant} | {code} | {message}"] == refuse(f"f({constant});")


@pytest.mark.parametrize(
    ("source", "place", "code", "message"),
    [
        (
            "group Foo {}",
            "group",
            "unknown_block",
            "there is no block `group`; write `actor` or `resource`",
        ),
        (
            'actor Foo { role = ["a"]; }',
            "role",
            "unknown_declaration",
            "there is no list `role` in a block; write `roles` or `permissions`",
        ),
        (
            "actor Foo { roles = {a: B}; }",
            "roles",
            "unknown_declaration",
            "there is no `roles` with braces in a block; write `relations`",
        ),
        (
            "actor Foo { relations = {a: B, a: C}; }",
            "relations",
            "no_polar",
            "`a` is given twice; leave one out",
        ),
        (
            'actor Foo { "a" if "b" off "c"; }',
            "off",
            "no_polar",
            "did not expect `off` here; write `on` before a relation",
        ),
    ],
)
def test_a_block_that_means_nothing_is_refused(
    source: str, place: str, code: str, message: str
) -> None:
    """What a block may hold has fixed names."""
    assert [f"{place} | {code} | {message}"] == refuse(source)


def test_all_faults_of_a_statement_are_told() -> None:
    """One refusal does not hide the next."""
    faults = refuse('f(x.a, _y) if new Foo(cut) = x.b() and not "a";')

    assert ["x.a", "new Foo(cut)", "cut", "x.b()", '"a"'] == [
        fault.partition(" | ")[0] for fault in faults
    ]


def test_what_is_refused_leaves_a_gap_in_the_tree() -> None:
    """The rest of a rule is read, so that it can be checked."""
    (statement,) = read_policy(Source("a.polar", "f(x) if x.a() and g(x);")).statements

    assert isinstance(statement, Rule)
    assert And(AT, (syntax.Refused(AT), Call(AT, "g", (X,)))) == statement.body
