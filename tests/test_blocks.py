"""Blocks written out as rules: they answer as the blocks themselves do, as oso has it."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

import pytest
import small_domain
from reference import require_reference

from authz_service.polar.blocks import expand_blocks, find_predicate
from authz_service.polar.checker import check_statements
from authz_service.polar.reader import read_policy
from authz_service.polar.syntax import (
    And,
    Block,
    Call,
    Constant,
    Match,
    TypePattern,
    Variable,
)
from authz_service.polar.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oso import Oso

    from authz_service.polar.syntax import (
        Parameter,
        Rule,
        Term,
    )

BLOCKS: Final = """
actor Member {}
actor Robot {}
resource Organization {
  roles = ["guest", "owner"];
  permissions = ["invite"];
  "invite" if "owner";
  "guest" if "owner";
}
resource Repository {
  roles = ["reader", "writer"];
  permissions = ["pull", "push", "watch"];
  relations = {parent: Organization, creator: Member};
  "reader" if "guest" on "parent";
  "writer" if "owner" on "parent";
  "reader" if "writer";
  "pull" if "reader";
  "push" if "writer";
  "watch" if "pull";
  "push" if "creator";
}
resource Issue {
  permissions = ["read", "close"];
  relations = {parent: Repository};
  "read" if "pull" on "parent";
  "close" if "writer" on "parent";
  "close" if "creator" on "parent";
}
"""
RULES: Final = """
allow(actor, action, resource) if has_permission(actor, action, resource);
has_role(actor: Actor, name: String, resource: Resource) if
  grant in actor.grants and grant.name = name and grant.resource = resource;
has_relation(organization: Organization, "parent", repository: Repository) if
  repository.parent = organization;
has_relation(repository: Repository, "parent", issue: Issue) if issue.parent = repository;
has_relation(member: Member, "creator", repository: Repository) if repository.creator = member;
"""


@dataclass(frozen=True)
class Thing:
    """Something in the small world; its class is its type."""

    name: str


class Member(Thing):
    """Somebody who can have roles."""

    grants: tuple[Grant, ...] = ()


class Robot(Thing):
    """Another kind of actor."""

    grants: tuple[Grant, ...] = ()


class Organization(Thing):
    """What repositories are in."""


@dataclass(frozen=True)
class Repository(Thing):
    """What issues are in."""

    parent: Organization
    creator: Member | None = None


@dataclass(frozen=True)
class Issue(Thing):
    """What is in a repository."""

    parent: Repository


@dataclass(frozen=True)
class Grant:
    """A role that somebody has."""

    name: str
    resource: Thing


def build_world() -> tuple[list[Member | Robot], list[Thing]]:
    """Make actors with each role on each thing, and the things."""
    organizations = [Organization("acme"), Organization("void")]
    author = Member("author")
    repositories = [
        Repository("engine", organizations[0], author),
        Repository("notes", organizations[1]),
    ]
    issues = [Issue(f"about {each.name}", each) for each in repositories]
    things: list[Thing] = [*organizations, *repositories, *issues]
    actors: list[Member | Robot] = [author, Robot("idle")]
    roles = ("owner", "guest", "reader", "writer", "stranger")
    for number, (role, thing) in enumerate(product(roles, things)):
        actor = (Member, Robot)[number % 2](f"{role} of {thing.name}")
        object.__setattr__(actor, "grants", (Grant(role, thing),))
        actors.append(actor)
    return actors, things


def load(text: str) -> Oso:
    """Load a policy on the classes above; what oso prints is no concern here."""
    require_reference()
    from oso import Oso  # noqa: PLC0415  # only where it is

    oso = Oso()
    for each in (Member, Robot, Organization, Repository, Issue):
        oso.register_class(each)
    with contextlib.redirect_stdout(io.StringIO()):
        oso.load_str(text)
    return oso


def write_out(text: str) -> str:
    """Write the rules that a text stands for as text, its unions as rules of their own."""
    rules = expand_blocks(read_policy(Source("p.polar", text)).statements)
    return "\n".join(write_rule(rule) for rule in rules)


def write_rule(rule: Rule) -> str:
    """Write a rule that a block stands for; `Actor` becomes a condition, for it has no block."""
    parameters = ", ".join(write_parameter(each) for each in rule.parameters)
    return f"{rule.name}({parameters}) if {' and '.join(write(rule.body))};"


def write_parameter(parameter: Parameter) -> str:
    """Write a parameter; any actor will do where only actors have roles."""
    (term,) = write(parameter.term)
    pattern = parameter.pattern
    if not isinstance(pattern, TypePattern) or pattern.type_name == "Actor":
        return term
    return f"{term}: {pattern.type_name}"


def write(term: Term) -> Iterator[str]:
    """Write the few kinds of terms that blocks stand for."""
    match term:
        case And(conditions=conditions):
            for each in conditions:
                yield from write(each)
        case Call(name=name, arguments=arguments):
            yield f"{name}({', '.join(word for each in arguments for word in write(each))})"
        case Match(value=Variable(name=name), pattern=TypePattern(type_name=type_name)):
            yield f"{name} matches {type_name}"
        case Variable(name=name):
            yield name
        case Constant(value=str(word)):
            yield f'"{word}"'
        case _:
            raise AssertionError(term)


@pytest.mark.parametrize("predicate", ["has_permission", "has_role"])
def test_rules_answer_as_the_blocks_do(predicate: str) -> None:
    """Of every actor, word and thing, the rules say what oso's own blocks say."""
    plain = RULES.replace("actor: Actor", "actor").replace("resource: Resource", "resource")
    # under their own names, oso holds even plain rules against the types of its blocks
    ours = load(f"{plain}{write_out(BLOCKS)}".replace("has_", "plain_"))
    theirs = load(f"{RULES}{BLOCKS}")
    actors, things = build_world()
    words = (
        "invite",
        "pull",
        "push",
        "watch",
        "read",
        "close",
        "owner",
        "guest",
        "reader",
        "writer",
    )
    questions = list(product(actors, words, things))

    answers = [ask(theirs, predicate, *question) for question in questions]
    assert answers == [
        ask(ours, predicate.replace("has_", "plain_"), *question) for question in questions
    ]
    assert {True, False} == set(answers)


def ask(oso: Oso, predicate: str, actor: Thing, word: str, thing: Thing) -> bool:
    """Ask whether somebody has a role or a permission."""
    return any(True for _ in oso.query_rule(predicate, actor, word, thing))


def test_what_is_written_comes_first() -> None:
    """Rules stay as they are and in their order; those of blocks follow."""
    text = 'a(1); actor User { roles = ["x", "y"]; "x" if "y"; } b(1);'
    rules = expand_blocks(read_policy(Source("p.polar", text)).statements)

    assert ["a", "b", "has_role"] == [rule.name for rule in rules]


def test_a_rule_stands_where_its_shorthand_stands() -> None:
    """What is told of such a rule is told of its line in the block."""
    text = 'actor User {\n  roles = ["x", "y"];\n  "x" if "y";\n}'
    (rule,) = expand_blocks(read_policy(Source("p.polar", text)).statements)

    assert (3, 3, 3, 14) == (
        rule.span.line,
        rule.span.column,
        rule.span.end_line,
        rule.span.end_column,
    )


@pytest.mark.parametrize(
    ("expected", "shorthand"),
    [
        (1, '"p" if "r";'),
        (1, '"p" if "up";'),
        (1, '"p" if "r" on "up";'),
        (0, '"q" if "r";'),
        (0, '"p" if "q";'),
        (0, '"p" if "q" on "up";'),
        (0, '"p" if "r" on "down";'),
        (0, '"p" if "r" on "far";'),
    ],
)
def test_what_is_not_declared_is_left_out(expected: int, shorthand: str) -> None:
    """A shorthand of unknown words stands for nothing."""
    text = (
        'resource User { roles = ["r"]; permissions = ["p"]; '
        f"relations = {{up: User, far: Record}}; {shorthand} }}"
    )

    assert expected == len(expand_blocks(read_policy(Source("p.polar", text)).statements))


@pytest.mark.parametrize(
    ("expected", "word"),
    [("has_role", "r"), ("has_permission", "p"), ("has_relation", "up"), (None, "x")],
)
def test_a_word_has_a_predicate(expected: str | None, word: str) -> None:
    """The list that declares a word says which rule asks for it."""
    text = 'resource User { roles = ["r"]; permissions = ["p"]; relations = {up: User}; }'
    (block,) = read_policy(Source("p.polar", text)).statements

    assert isinstance(block, Block)
    assert expected == find_predicate(block, word)


# what the checker tells of blocks

ALLOW: Final = "allow(q: Request, action, r) if has_permission(q.subject, action, r);"
GOOD: Final = """\
actor User { roles = ["boss"]; }
resource Record {
  roles = ["owner"];
  permissions = ["read", "write"];
  relations = {keeper: User};
  "read" if "owner";
  "owner" if "boss" on "keeper";
  "write" if "keeper";
}
has_role(user: User, "boss", other: User) if user = other.manager;
has_role(user: User, "owner", record: Record) if record.owner = user;
has_relation(user: User, "keeper", record: Record) if user in record.readers;
"""


def tell(text: str) -> list[str]:
    """Say what is wrong with a policy of the small domain, by line and column."""
    source = Source("p.polar", f"{text}{ALLOW}")
    reading = read_policy(source)

    assert () == reading.faults
    findings = check_statements([source], reading.statements, small_domain.DOMAIN.schema)
    return [str(each).removeprefix("p.polar:") for each in findings.errors]


def test_good_blocks_have_no_fault() -> None:
    """Roles, permissions and relations that are declared and said are right."""
    assert [] == tell(GOOD)


@pytest.mark.parametrize(
    ("expected", "old", "new"),
    [
        (
            '6:3: `Record` declares no `"raed"`; did you mean `read`? [unknown_word]',
            '"read" if "owner"',
            '"raed" if "owner"',
        ),
        (
            '6:13: `Record` declares no `"ownr"`; did you mean `owner`? [unknown_word]',
            '"read" if "owner"',
            '"read" if "ownr"',
        ),
        (
            '7:14: `User` declares no `"bos"`; did you mean `boss`? [unknown_word]',
            'if "boss" on',
            'if "bos" on',
        ),
        (
            "7:24: `Record` has no relation `keper`; did you mean `keeper`? [unknown_relation]",
            'on "keeper"',
            'on "keper"',
        ),
        (
            "7:24: `Record` has no relation `owner`; there is `keeper` [unknown_relation]",
            'on "keeper"',
            'on "owner"',
        ),
        (
            "2:1: there is no type `Recod`; did you mean `Record`? [unknown_type]",
            "resource Record {",
            "resource Recod {} resource Record {",
        ),
        (
            "5:30: there is no type `Usr`; did you mean `User`? [unknown_type]",
            "keeper: User}",
            "keeper: User, at: Usr}",
        ),
        (
            "3:21: `owner` is declared already [declared_twice]",
            'roles = ["owner"]',
            'roles = ["owner", "owner"]',
        ),
        (
            "4:35: `owner` is declared already [declared_twice]",
            '"read", "write"]',
            '"read", "write", "owner"]',
        ),
        (
            "5:30: `read` is declared already [declared_twice]",
            "keeper: User}",
            "keeper: User, read: User}",
        ),
        (
            "3:22: `roles =` is declared already [declared_twice]",
            'roles = ["owner"];',
            'roles = ["owner"]; roles = ["x"];',
        ),
        (
            "1:1: `User` has another block; put them together [declared_twice]",
            "resource Record",
            'resource User { roles = ["boss"]; }\nresource Record',
        ),
        (
            '8:3: `"keeper"` is a relation; write a rule `has_relation` [grants_a_relation]',
            '"write" if "keeper";',
            '"keeper" if "owner"; "write" if "keeper";',
        ),
        (
            (
                '7:3: no rule `has_role` can match these arguments: User, `"boss"`, User '
                "[never_matches]"
            ),
            'has_role(user: User, "boss"',
            'has_role(user: User, "bos"',
        ),
        (
            "8:3: there is no rule `has_relation`; did you mean `relation`? [unknown_rule]",
            "has_relation(user: User",
            "relation(user: User",
        ),
    ],
)
def test_a_fault_of_a_block_is_told(expected: str, old: str, new: str) -> None:
    """Words, relations and types of blocks must be declared, once, and said by some rule."""
    assert old in GOOD
    assert expected in tell(GOOD.replace(old, new))


def test_roles_need_actors() -> None:
    """Without an actor nobody can have a role."""
    text = GOOD.replace("actor User", "resource User")

    assert [
        "2:1: no block says who can have a role or a permission; write `actor User {}` [no_actor]"
    ] == tell(text)
