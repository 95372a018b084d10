"""Rule types: what every rule of a name must look like, as policies say it and as blocks imply.

`type f(x: User, "a");` says that each rule `f` has a `User`, or something narrower, and the word
"a". Where there are several for one name, a rule must fit one of them. As in oso, some are there
without being said: who has a permission is an actor, and a relation that a block declares leads
from its type to the resource of the block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.polar.blocks import ACTOR, RESOURCE
from authz_service.polar.schema import BOOLEAN, INTEGER, STRING
from authz_service.polar.syntax import (
    Block,
    Constant,
    Parameter,
    Rule,
    RuleType,
    Span,
    TypePattern,
    Variable,
)
from authz_service.polar.types import FLOAT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authz_service.polar.syntax import Pattern, Statement, Term

# Places are not compared.
_NOWHERE: Final = Span("", 1, 1, 1, 1)
_TYPES: Final = {str: STRING, bool: BOOLEAN, int: INTEGER, float: FLOAT}

# The types that a name stands for besides itself.
_Unions = dict[str, set[str]]


def find_misfits(statements: Sequence[Statement]) -> Iterator[tuple[Span, str]]:
    """Find the rules that fit no rule type of their name: where they are, and what is wrong."""
    blocks = [each for each in statements if isinstance(each, Block)]
    types: dict[str, list[RuleType]] = {}
    for each in (*statements, *_imply(blocks)):
        if isinstance(each, RuleType):
            types.setdefault(each.name, []).append(each)
    unions = _find_unions(blocks)
    for rule in statements:
        wanted = types.get(rule.name, ()) if isinstance(rule, Rule) else ()
        if not isinstance(rule, Rule) or not wanted:
            continue
        if not any(_fits_all(rule.parameters, each.parameters, unions) for each in wanted):
            listed = " or ".join(dict.fromkeys(f"`{_show(each)}`" for each in wanted))
            yield rule.span, f"a rule `{rule.name}` must look like {listed}"


def _imply(blocks: Sequence[Block]) -> Iterator[RuleType]:
    has_actors = not blocks or any(block.kind == "actor" for block in blocks)
    if has_actors:  # that there is none, is told by itself
        yield _rule_type("has_permission", ACTOR, STRING, RESOURCE)
    for block in blocks:
        if has_actors and any(each.kind == "roles" for each in block.declarations):
            yield _rule_type("has_role", ACTOR, STRING, RESOURCE)
        for relation in block.relations:
            subject = _parameter("subject", relation.type_name)
            name = Parameter(_NOWHERE, Constant(_NOWHERE, relation.name))
            parameters = (subject, name, _parameter("resource", block.type_name))
            yield RuleType(_NOWHERE, "has_relation", parameters)


def _rule_type(name: str, *types: str) -> RuleType:
    words = ("actor", name.removeprefix("has_"), "resource")
    return RuleType(_NOWHERE, name, tuple(map(_parameter, words, types)))


def _parameter(name: str, type_name: str) -> Parameter:
    return Parameter(_NOWHERE, Variable(_NOWHERE, name), TypePattern(_NOWHERE, type_name))


def _find_unions(blocks: Iterable[Block]) -> _Unions:
    unions: _Unions = {ACTOR: set(), RESOURCE: set()}
    for block in blocks:
        unions[RESOURCE].add(block.type_name)  # actors as well: something may be asked of them
        if block.kind == "actor":
            unions[ACTOR].add(block.type_name)
    return unions


def _fits_all(given: Sequence[Parameter], wanted: Sequence[Parameter], unions: _Unions) -> bool:
    if len(given) != len(wanted):
        return False
    return all(_fits(own, other, unions) for own, other in zip(given, wanted, strict=True))


def _fits(given: Parameter, wanted: Parameter, unions: _Unions) -> bool:
    if isinstance(wanted.term, Constant):
        return isinstance(given.term, Constant) and given.term.value == wanted.term.value
    if not isinstance(wanted.pattern, TypePattern):
        return True
    if isinstance(given.pattern, TypePattern):
        return _is_narrower(given.pattern, wanted.pattern, unions)
    name = _TYPES.get(type(given.term.value)) if isinstance(given.term, Constant) else None
    return name == wanted.pattern.type_name and not wanted.pattern.fields


def _is_narrower(given: TypePattern, wanted: TypePattern, unions: _Unions) -> bool:
    names = {wanted.type_name, *unions.get(wanted.type_name, ())}
    if wanted.type_name and given.type_name not in names:
        return False
    return set(wanted.fields) <= set(given.fields)


def _show(rule_type: RuleType) -> str:
    return f"{rule_type.name}({', '.join(map(_show_parameter, rule_type.parameters))})"


def _show_parameter(parameter: Parameter) -> str:
    term = parameter.term
    shown = term.name if isinstance(term, Variable) else _show_value(term)
    return shown if parameter.pattern is None else f"{shown}: {_show_value(parameter.pattern)}"


def _show_value(value: Term | Pattern) -> str:
    match value:
        case Variable():
            return value.name
        case Constant(value=str() as text):
            return f'"{text}"'
        case Constant():
            return "nil" if value.value is None else str(value.value).lower()
        case TypePattern():
            fields = ", ".join(f"{name}: {_show_value(each)}" for name, each in value.fields)
            return f"{value.type_name}{{{fields}}}" if fields else value.type_name
        case _:
            return "..."
