"""Everything that can change what the clauses of a question say: types, attributes and promises."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from authz_service.equivalence.sight import ANY, Sight
from authz_service.equivalence.vocabulary import Vocabulary
from authz_service.polar.schema import INTEGER, SCALARS, STRING
from authz_service.policy.clauses import ID
from authz_service.store.entity import type_name
from authz_service.store.uniqueness import Uniqueness

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz_service.equivalence.sight import Field
    from authz_service.policy.clauses import Clause
    from authz_service.policy.plan import Key
    from authz_service.store.domain import Domain
    from authz_service.store.entity import Entity


class Cone:
    """What some clauses look at, with what has to be there for it and what is promised of that.

    Arguments:
        clauses: which.
        key: the question that they are about.
        domain: the entities, and what is promised of them.

    Attributes:
        subject, resource: the types of the question.
        sight: what is looked at; what promises are about is a part of it.
        keys: the attributes of which ids are made, by type; none where an id is made of another one
            of its type, or of what is no part of another's id.
        references: the attributes that refer to one entity, with its type, by type.
        promises: those that a store could break.
        many: the types of which it matters how many entities there are.
        vocabulary: the values to try.
    """

    def __init__(self, clauses: Iterable[Clause], key: Key, domain: Domain) -> None:
        self.domain = domain
        self.subject, _, self.resource = key
        self._types = domain.schema.types
        self.sight = Sight(clauses, domain.schema)
        self.references = {
            kind: {
                name: attribute.type
                for name, attribute in each.attributes.items()
                if attribute.type not in SCALARS and not attribute.many
            }
            for kind, each in self._types.items()
        }
        self.keys: dict[str, tuple[str, ...]] = {}
        for model in domain.models:
            self.keys[type_name(model)] = self._find_key(model)
        self.promises: list[Uniqueness] = []
        self.many = self._find_many()
        kept = {
            self._locate(each, path)
            for each in self.promises
            for path in (*each.columns, *each.conditions)
        }
        self.vocabulary = Vocabulary(self.sight, domain.schema, frozenset(kept))

    @cached_property
    def loops(self) -> frozenset[str]:
        """The types whose entities could refer to themselves by way of others."""
        leads: dict[str, set[str]] = {}
        for kind, target in self._find_leads():
            leads.setdefault(kind, set()).add(target)
        found = set()
        for kind in leads:
            reached, waiting = set[str](), [kind]
            while waiting:
                new = leads.get(waiting.pop(), set()) - reached
                reached |= new
                waiting += new
            if kind in reached:
                found.add(kind)
        return frozenset(found)

    def _find_key(self, model: type[Entity]) -> tuple[str, ...]:
        """Find the attributes of which the ids of a type are made, those of earlier ones known."""
        kind, key = type_name(model), dict[str, None]()
        for path in model.id_parts:
            head, *rest = path.split(".")
            if self.references[kind].get(head) == kind:
                return ()
            key[head] = None
            target = kind
            for step, name in pairwise([head, *rest]):
                target = self.references[target][step]
                if name not in self.keys[target]:
                    return ()
        return tuple(key)

    def _find_leads(self) -> list[tuple[str, str]]:
        """Find which types refer to which, as far as it is looked at."""
        fields = [*self.sight.attributes, *self.sight.links]
        found = [(kind, self._types[kind].attributes[name].type) for kind, name in fields]
        return [(kind, target) for kind, target in found if target not in SCALARS]

    def _find_many(self) -> set[str]:
        """Find the types of which it matters how many there are, and what is promised of them."""
        known = set[str]()
        found = self._find_types()
        while found != known:
            known = found
            for promise in map(Uniqueness, self.domain.promises):
                if promise.kind in known and self._could_be_broken(promise):
                    self._add(promise)
            found = self._find_types()
        return found

    def _find_types(self) -> set[str]:
        found = {*self.sight.walked, *(target for _, target in self._find_leads())}
        waiting = [*found, self.subject, self.resource]
        while waiting:
            kind = waiting.pop()
            parts = {self._types[kind].attributes[each].type for each in self.keys[kind]}
            new = parts.difference(SCALARS, found)
            found |= new
            waiting += new
        return found

    def _could_be_broken(self, promise: Uniqueness) -> bool:
        """Tell whether rows could break a promise: not where each has an id, or a text, for it."""
        key = self.keys[promise.kind]
        if key and not promise.conditions and {*promise.columns}.issuperset(key):
            return False
        fields = [self._locate(promise, each) for each in promise.columns]
        return all(self._is_looked_at(each) or not self._is_made_up(each) for each in fields)

    def _is_looked_at(self, field: Field) -> bool:
        kind, name = field
        return name in {ID, *self.keys[kind]} or ANY in self.sight.attributes.get(field, ())

    def _is_made_up(self, field: Field) -> bool:
        kind, name = field
        attribute = self._types[kind].attributes[name]
        return attribute.type in {STRING, INTEGER} and not attribute.choices

    def _add(self, promise: Uniqueness) -> None:
        if any(each.promise == promise.promise for each in self.promises):
            return
        self.promises.append(promise)
        for path in (*promise.columns, *promise.conditions):
            for step in (path.split(".")[0], path):
                field = self._locate(promise, step)
                if field[1] not in {ID, *self.keys[field[0]]}:
                    self.sight.look_at(field)

    def _locate(self, promise: Uniqueness, path: str) -> Field:
        """Find the field that a path from a row leads to."""
        *steps, name = path.split(".")
        kind = promise.kind
        for each in steps:
            kind = self.references[kind][each]
        return kind, name
