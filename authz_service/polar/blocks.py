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


def find_predicate(block: Block, word: str) -> str | None:
    """Find the rule that says whether a word of a block holds; None for an unknown word."""
    for declaration in block.declarations:
        if word in {each.value for each in declaration.words}:
            return "has_role" if declaration.kind == "roles" else "has_permission"
    if word in {each.name for each in block.relations}:
        return "has_relation"
    return None


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
            _build_call(span, "has_relation", "related", shorthand.relation, "resource"),
            Match(span, Variable(span, "related"), TypePattern(span, far)),
            _build_call(span, predicate, "actor", held, "related"),
        ),
    )


def _build_call(span: Span, predicate: str, who: str, word: Constant, on: str) -> Call:
    return Call(span, predicate, (Variable(span, who), word, Variable(span, on)))
