"""Facts that are missing for another answer, as scenarios write them.

They are those of an explanation, in a shorter form than its JSON:

    {"deed": "change", "type": "membership", "id": "1/mary",
     "attributes": {"role": {"one_of": ["administrator", "access_owner"]}}}

is written

    - change: membership/1/mary
      attributes: {role: [administrator, access_owner]}

A new entity has an id only where another fact refers to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from authz_service.policy.missing import ADD, SAY, Fact
from authz_service.policy.situation import NOT_IN, Demand
from authz_service.scenario.notation import write_value
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ONE_OF: Final = "one_of"
# How the JSON of an explanation calls what is demanded of a value.
OPERATORS: Final = {
    ONE_OF: "=",
    "none_of": NOT_IN,
    "less_than": "<",
    "at_most": "<=",
    "more_than": ">",
    "at_least": ">=",
}
_WORDS: Final = {operator: word for word, operator in OPERATORS.items()}
_NEW: Final = re.compile(r"new [0-9]+")


def build_fact(loaded: Mapping[str, Any]) -> Fact:
    """Build a fact of what a file says."""
    demands = tuple(loaded.get("attributes", loaded.get(SAY, {})).items())
    deed = next(each for each in loaded if each != "attributes")
    if deed == SAY:
        return Fact(deed, "", "", demands)
    about = loaded[deed]
    if isinstance(about, Reference):
        return Fact(deed, about.type, about.id, demands)
    kind, _, entity_id = about.partition("/")
    return Fact(deed, kind, entity_id, demands)


def sort_facts(facts: Iterable[Fact]) -> frozenset[Fact]:
    """Put facts into the form in which equal sets are equal."""
    return frozenset(_sort(each) for each in _forget_ids(tuple(facts)))


def write_facts(facts: Iterable[Fact]) -> Iterator[str]:
    """Write facts as lines of a scenario, ready to paste."""
    for fact in sorted(_forget_ids(tuple(facts)), key=repr):
        values = {name: _say_demand(each) for name, each in fact.demands}
        if fact.deed == SAY:
            yield f"- {SAY}: {write_value(values)}"
            continue
        about = f"{fact.type}/{fact.id}" if fact.id else fact.type
        yield f"- {fact.deed}: {write_value(about)}"
        if values:
            yield f"  attributes: {write_value(values)}"


def _forget_ids(facts: tuple[Fact, ...]) -> Iterator[Fact]:
    """Leave out the ids of new entities that nothing refers to."""
    named = {value for fact in facts for _, demand in fact.demands for value in demand.values}
    for each in facts:
        is_nobody = each.deed == ADD and _NEW.fullmatch(each.id) and each.id not in named
        yield each._replace(id="") if is_nobody else each


def _sort(fact: Fact) -> Fact:
    """Forget the order of names and values, and what is told twice."""
    demands = tuple(
        (name, Demand(each.operator, tuple(sorted(each.values, key=repr))))
        for name, each in sorted(fact.demands, key=lambda pair: pair[0])
    )
    # what an entity refers to is among its demands
    return fact._replace(demands=demands, refers=())


def _say_demand(demand: Demand) -> Any:
    values: Any = demand.values[0] if len(demand.values) == 1 else list(demand.values)
    word = _WORDS[demand.operator]
    return values if word == ONE_OF else {word: values}
