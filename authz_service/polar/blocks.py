"""`actor` and `resource` blocks written out as the rules that they stand for.

    resource Repository {
      permissions = ["push"];
      roles = ["writer"];
      relations = {parent: Organization};
      "push" if "writer";
      "writer" if "owner" on "parent";
    }

stands for

    has_permission(actor: Actor, "push", resource: Repository) if
      has_role(actor, "writer", resource);
    has_role(actor: Actor, "writer", resource: Repository) if
      has_relation(related, "parent", resource) and related matches Organization and
      has_role(actor, "owner", related);

`Actor` is any type with an `actor` block. What a role or a relation rests on is said by rules for
`has_role` and `has_relation` beside the blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.polar.syntax import (
    And,
    Block,
    Call,
    Match,
    Parameter,
    Rule,
    TypePattern,
    Variable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz_service.polar.syntax import (
        Constant,
        Shorthand,
        Span,
        Statement,
    )

# The rules that blocks stand for, asked with somebody, a word of the block, and the resource.
HAS_ROLE: Final = "has_role"
HAS_PERMISSION: Final = "has_permission"
HAS_RELATION: Final = "has_relation"
PREDICATES: Final = frozenset({HAS_ROLE, HAS_PERMISSION, HAS_RELATION})
PREDICATE_ARITY: Final = 3

ACTOR: Final = "Actor"
RESOURCE: Final = "Resource"


def expand_blocks(statements: Iterable[Statement]) -> tuple[Rule, ...]:
    """Give all rules of a policy: those that are written, and those that blocks stand for.

    What a block does not declare is left out; the checker tells of it.
    """
    listed = list(statements)
    blocks = {each.type_name: each for each in listed if isinstance(each, Block)}
    written = [each for each in listed if isinstance(each, Rule)]
    return (*written, *(rule for block in blocks.values() for rule in _expand(block, blocks)))


def find_declared(block: Block) -> dict[str, str]:
    """Find the words of a block, each with the rule that says whether it holds."""
    relations = {each.name: HAS_RELATION for each in block.relations}
    words = {
        str(word.value): HAS_ROLE if each.kind == "roles" else HAS_PERMISSION
        for each in reversed(block.declarations)
        for word in each.words
    }
    return {**relations, **words}


def find_predicate(block: Block, word: str) -> str | None:
    """Find the rule that says whether a word of a block holds; None for an unknown word."""
    return find_declared(block).get(word)


def _expand(block: Block, blocks: dict[str, Block]) -> Iterator[Rule]:
    for shorthand in block.shorthands:
        granted = find_predicate(block, str(shorthand.granted.value))
        body = _build_body(block, blocks, shorthand)
        if granted is None or body is None:
            continue
        span = shorthand.span
        parameters = (
            Parameter(span, Variable(span, "actor"), TypePattern(span, ACTOR)),
            Parameter(span, shorthand.granted),
            Parameter(span, Variable(span, "resource"), TypePattern(span, block.type_name)),
        )
        yield Rule(span, granted, parameters, body)


def _build_body(block: Block, blocks: dict[str, Block], shorthand: Shorthand) -> Call | And | None:
    span, held = shorthand.span, shorthand.held
    if shorthand.relation is None:
        predicate = find_predicate(block, str(held.value))
        return _build_call(span, predicate, "actor", held, "resource") if predicate else None
    name = str(shorthand.relation.value)
    far = next((each.type_name for each in block.relations if each.name == name), "")
    predicate = find_predicate(blocks[far], str(held.value)) if far in blocks else None
    if predicate is None:
        return None
    return And(
        span,
        (
            _build_call(span, HAS_RELATION, "related", shorthand.relation, "resource"),
            Match(span, Variable(span, "related"), TypePattern(span, far)),
            _build_call(span, predicate, "actor", held, "related"),
        ),
    )


def _build_call(span: Span, predicate: str, who: str, word: Constant, on: str) -> Call:
    return Call(span, predicate, (Variable(span, who), word, Variable(span, on)))
