"""The syntax tree of Polar: what a policy says, each piece with the place where it says so.

Only what policies may use has a node; everything else is refused when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Span:
    """Where something stands.

    Arguments:
        file: the file's name.
        line, column: where it begins, counted from 1.
        end_line, end_column: behind its last character.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Node:
    """A piece of a policy; two pieces are equal when they say the same, wherever they stand."""

    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Variable(Node):
    """A name that stands for a value; one that begins with `_` is not needed anywhere else."""

    name: str


@dataclass(frozen=True)
class Constant(Node):
    """Text, a number, `true`, `false`, or None for `nil`."""

    value: str | float | bool | None


@dataclass(frozen=True)
class ListTerm(Node):
    """A list that is written out."""

    items: tuple[Term, ...]


@dataclass(frozen=True)
class Path(Node):
    """Attributes looked up one after another: `subscription.customer.kind`."""

    base: Term
    attributes: tuple[str, ...]


@dataclass(frozen=True)
class Call(Node):
    """A rule asked: `administers(person, customer)`."""

    name: str
    arguments: tuple[Term, ...]


@dataclass(frozen=True)
class Comparison(Node):
    """Two values compared; `=` binds a variable that has no value yet."""

    operator: str
    left: Term
    right: Term


@dataclass(frozen=True)
class Membership(Node):
    """`item in collection`."""

    item: Term
    collection: Term


@dataclass(frozen=True)
class TypePattern(Node):
    """What a value must be: of a type (any, when empty), with certain attributes."""

    type_name: str
    fields: tuple[tuple[str, Pattern], ...] = ()


@dataclass(frozen=True)
class Match(Node):
    """`value matches Type{attribute: value}`."""

    value: Term
    pattern: Pattern


@dataclass(frozen=True)
class And(Node):
    """All of several conditions; an empty one holds."""

    conditions: tuple[Term, ...]


@dataclass(frozen=True)
class Or(Node):
    """At least one of several conditions."""

    conditions: tuple[Term, ...]


@dataclass(frozen=True)
class Not(Node):
    """A condition that must not hold."""

    condition: Term


@dataclass(frozen=True)
class ForAll(Node):
    """Whenever the condition holds, the consequence must hold."""

    condition: Term
    consequence: Term

    @property
    def negated(self) -> Not:
        """The same, said with `not`: there is nothing for which it is not so."""
        return Not(self.span, And(self.span, (self.condition, Not(self.span, self.consequence))))


@dataclass(frozen=True)
class Refused(Node):
    """What was refused when it was read; nothing more is said of it."""


Term = (
    Variable
    | Constant
    | ListTerm
    | Path
    | Call
    | Comparison
    | Membership
    | Match
    | And
    | Or
    | Not
    | ForAll
    | Refused
)
Pattern = TypePattern | Constant | Variable | ListTerm | Refused


@dataclass(frozen=True)
class Parameter(Node):
    """One parameter of a rule: a variable or a value, and what it must be like."""

    term: Term
    pattern: Pattern | None = None


@dataclass(frozen=True)
class Rule(Node):
    """`name(parameters) if body;`. The span is that of the head."""

    name: str
    parameters: tuple[Parameter, ...]
    body: Term


@dataclass(frozen=True)
class RuleType(Node):
    """`type name(parameters);`: what every rule of the name has to look like."""

    name: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class Query(Node):
    """`?= condition;`: what must hold when the policy is loaded."""

    condition: Term


@dataclass(frozen=True)
class Declaration(Node):
    """`roles = [...];` or `permissions = [...];` in a block."""

    kind: str
    words: tuple[Constant, ...]


@dataclass(frozen=True)
class Relation(Node):
    """One relation of a block: its name and the type at its other end."""

    name: str
    type_name: str


@dataclass(frozen=True)
class Shorthand(Node):
    """`"granted" if "held" on "relation";` in a block; the relation may be missing."""

    granted: Constant
    held: Constant
    relation: Constant | None


@dataclass(frozen=True)
class Block(Node):
    """`actor User { ... }` or `resource Repository { ... }`."""

    kind: str
    type_name: str
    declarations: tuple[Declaration, ...]
    relations: tuple[Relation, ...]
    shorthands: tuple[Shorthand, ...]


Statement = Rule | RuleType | Query | Block
