"""All small stores in which some clauses could say something, and the questions to put to them.

A store is put together from *choices*: for each entity that matters, whether it is there and what
its attributes are; for each link, whether it is there; for what comes with the question, what it
is. Only what the clauses look at is a choice (`Sight`), for nothing else can change what they say;
and only values that some condition tells apart are options (`Vocabulary`).

Stores that differ in names alone are one. So of entities whose ids are made of what they hold,
there is one for each way to make it, there or not; of others that look the same, those with more to
them come first; and the subject and the resource refer to entities in their order.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, product
from math import prod
from typing import TYPE_CHECKING, Any, Final

from authz_service.equivalence.sight import ANY
from authz_service.policy.clauses import ID, RESOURCE, SUBJECT
from authz_service.store.entity import Reference, is_text, type_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from authz_service.equivalence.cone import Cone
    from authz_service.equivalence.sight import Field
    from authz_service.store.entity import Entity

NAMES: Final = ("ann", "ben", "cleo", "dan", "eve", "finn", "gwen", "hugo", "iris", "jack")

# How many entities of each type were mentioned.
Mentioned = Counter[str]


@dataclass(frozen=True)
class Being:
    """An entity that there may be.

    Arguments:
        reference: which.
        key: the attributes of which its id is made.
    """

    reference: Reference
    key: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Link:
    """A pair of a many-to-many attribute that there may be."""

    field: Field
    here: Reference
    there: Reference


@dataclass(frozen=True)
class Item:
    """Something that a list with the question may hold."""

    given: str
    value: Any


# What a choice is about: an entity, a link, an item, or by its name what comes with the question.
About = Reference | Link | Item | str
# The options that were taken.
Taken = dict[About, Any]


@dataclass(frozen=True)
class Choice:
    """What may be so in several ways.

    Arguments:
        about: what.
        options: for an entity its attributes, or None where it is not there; for a link or an item
            whether it is there; else the value. The plainest is the first.
    """

    about: About
    options: tuple[Any, ...]


@dataclass(frozen=True)
class Scope:
    """The stores of a few entities, and the questions that one subject asks about one resource.

    Arguments:
        cone: what is looked at.
        subject, resource: who asks, and about what.
        beings: the entities that there may be, by type.
        choices: of which the stores and the questions are made.
        alike: entities that look the same, each with the next, by what the choices are about.
    """

    cone: Cone
    subject: Reference
    resource: Reference
    beings: Mapping[str, Sequence[Being]]
    choices: tuple[Choice, ...]
    alike: tuple[tuple[Reference, Reference], ...]

    @cached_property
    def size(self) -> int:
        """How many combinations of options there are, those included that are no stores."""
        return prod(len(each.options) for each in self.choices)

    @cached_property
    def questions(self) -> int:
        """How many questions are put to each store."""
        asked = (each for each in self.choices if isinstance(each.about, str | Item))
        return prod(len(each.options) for each in asked)


def find_scopes(cone: Cone, entities: int) -> Iterator[Scope]:
    """Go through all stores with so many entities of each type at the most, in parts.

    Of what has an id made of what it holds, there are as many as there are ways to make it.

    Arguments:
        cone: what is looked at.
        entities: how many.
    """
    builder = _Builder(cone, entities)
    for subject, mentioned in builder.find_asked(cone.subject, Counter()):
        for resource, all_mentioned in builder.find_asked(cone.resource, mentioned, subject):
            yield builder.build(subject, resource, all_mentioned)


class _Builder:
    """Builds the scopes with a number of entities."""

    def __init__(self, cone: Cone, entities: int) -> None:
        self._cone = cone
        self._entities = entities
        self._types = cone.domain.schema.types
        self._beings: dict[str, list[Being]] = {}
        self._ids: dict[str, list[str]] = {}
        # those that no policy names, so that only their order tells them apart
        self._fresh: dict[str, list[str]] = {}
        for model in cone.domain.models:
            kind = type_name(model)
            if kind in {*cone.many, cone.subject, cone.resource}:
                made = self._make_keyed(model) if cone.keys[kind] else self._make(kind)
                self._beings[kind] = list(made)
                self._ids[kind] = [each.reference.id for each in self._beings[kind]]
        self._by_reference = {
            each.reference: each for beings in self._beings.values() for each in beings
        }

    def find_asked(
        self, kind: str, mentioned: Mentioned, subject: Being | None = None
    ) -> Iterator[tuple[Being, Mentioned]]:
        """Find who may ask, or what may be asked about, with what is mentioned by then.

        Arguments:
            kind: the type.
            mentioned: what was before.
            subject: who asks, if that is known.
        """
        for being in self._beings[kind]:
            after = Counter(mentioned)
            if being == subject or self._mention([being.reference], after):
                yield being, after

    def build(self, subject: Being, resource: Being, mentioned: Mentioned) -> Scope:
        """Build the scope of one subject and one resource."""
        choices: list[Choice] = []
        asked = {SUBJECT: subject, RESOURCE: resource}
        rest = (each for beings in self._beings.values() for each in beings)
        for being in dict.fromkeys([subject, resource, *rest]):
            roles = {name for name, each in asked.items() if each == being}
            options = self._find_options(being, roles)
            if roles:
                options = self._keep_in_turn(being, options, mentioned)
            if options != ({},):
                choices.append(Choice(being.reference, options))
        return Scope(
            self._cone,
            subject.reference,
            resource.reference,
            self._beings,
            (*choices, *self._choose_links(), *self._choose_question()),
            tuple(self._find_alike({each.about for each in choices}, mentioned)),
        )

    def _make(self, kind: str) -> Iterator[Being]:
        cone = self._cone
        named = [str(each) for each in cone.vocabulary.find_named((kind, ID))]
        named = [each for each in named if each and is_text(each)]
        count = self._entities if kind in cone.many or cone.subject == cone.resource else 1
        numbered = [f"{kind}-{each}" for each in range(1, len(named) + count + 1)]
        names = [*NAMES, *numbered] if kind in cone.domain.subjects else numbered
        self._fresh[kind] = [each for each in names if each not in named][:count]
        for each in (*self._fresh[kind], *named):
            yield Being(Reference(kind, each))

    def _make_keyed(self, model: type[Entity]) -> Iterator[Being]:
        """Make an entity for each way in which its id can be made."""
        cone, kind = self._cone, type_name(model)
        values: list[Sequence[str]] = []
        for name in cone.keys[kind]:
            target = cone.references[kind].get(name)
            if target:
                values.append(self._ids[target])
            else:
                field = kind, name
                values.append(cone.vocabulary.find_values(field, self._ids, self._entities))
        for parts in product(*values):
            key = dict(zip(cone.keys[kind], parts, strict=True))
            made = "/".join(self._follow(kind, key, path.split(".")) for path in model.id_parts)
            yield Being(Reference(kind, made), key)

    def _follow(self, kind: str, key: Mapping[str, str], path: Sequence[str]) -> str:
        """Read a path from an entity that is being made."""
        for name in path[:-1]:
            target = self._cone.references[kind][name]
            key = next(each.key for each in self._beings[target] if each.reference.id == key[name])
            kind = target
        return key[path[-1]]

    def _find_targets(self, kind: str, values: Mapping[str, Any]) -> list[Reference]:
        """Find what attributes refer to, in their order."""
        references = self._cone.references[kind]
        return [
            Reference(references[name], value)
            for name, value in values.items()
            if name in references and value is not None
        ]

    def _mention(self, references: Iterable[Reference], mentioned: Mentioned) -> bool:
        """Mention entities, one after the other; false when one comes before its turn."""
        if self._cone.sight.orders_ids:  # then it does matter what they are called
            return True
        for each in references:
            key = self._by_reference[each].key
            if not self._mention(self._find_targets(each.type, key), mentioned):
                return False
            fresh = self._fresh.get(each.type, [])
            if each.id in fresh:
                turn = fresh.index(each.id)
                if turn > mentioned[each.type]:
                    return False
                mentioned[each.type] = max(mentioned[each.type], turn + 1)
        return True

    def _find_options(self, being: Being, roles: set[str]) -> tuple[Any, ...]:
        cone, kind = self._cone, being.reference.type
        whose = {*roles, ANY} if kind in cone.many else roles
        values: dict[str, Sequence[Any]] = {}
        for (owner, name), seen in cone.sight.attributes.items():
            if owner == kind and seen & whose and name not in being.key:
                values[name] = self._find_values(kind, name)
        options = [dict(zip(values, each, strict=True)) for each in product(*values.values())]
        may_lack = kind in cone.sight.walked and not roles
        return (None, *options) if may_lack else tuple(options)

    def _find_values(self, kind: str, name: str) -> Sequence[Any]:
        target = self._cone.references[kind].get(name)
        if target is None:
            return self._cone.vocabulary.find_values((kind, name), self._ids)
        ids = self._ids[target]
        return [None, *ids] if self._types[kind].attributes[name].nullable else ids

    def _keep_in_turn(
        self, being: Being, options: tuple[Any, ...], mentioned: Mentioned
    ) -> tuple[Any, ...]:
        """Keep the options that mention others in their turn; all that they mention, is then."""
        kept, after = [], Counter(mentioned)
        for option in options:
            now = Counter(mentioned)
            if self._mention(self._find_targets(being.reference.type, option), now):
                kept.append(option)
                after |= now
        mentioned |= after
        return tuple(kept)

    def _choose_links(self) -> Iterator[Choice]:
        for kind, name in sorted(self._cone.sight.links):
            target = self._types[kind].attributes[name].type
            for here, there in product(self._beings[kind], self._beings[target]):
                yield Choice(Link((kind, name), here.reference, there.reference), (False, True))

    def _choose_question(self) -> Iterator[Choice]:
        sight, vocabulary = self._cone.sight, self._cone.vocabulary
        for name in sorted(sight.givens):
            yield Choice(name, tuple(vocabulary.find_values(("", name), self._ids)))
        for name in sorted(sight.lists):
            for value in vocabulary.find_values(("", name), self._ids):
                yield Choice(Item(name, value), (False, True))

    def _find_alike(
        self, chosen: set[Any], mentioned: Mentioned
    ) -> Iterator[tuple[Reference, Reference]]:
        """Find the entities that only their names tell apart, two and two."""
        sight, references = self._cone.sight, self._cone.references
        for kind, fresh in self._fresh.items():
            # where they refer to each other, putting them in order changes what they refer to
            refers_to_own = any(
                owner == kind == references[kind].get(name) for owner, name in sight.attributes
            )
            if refers_to_own or sight.orders_ids:
                continue
            rest = [Reference(kind, each) for each in fresh[mentioned[kind] :]]
            yield from ((one, next_) for one, next_ in pairwise(rest) if {one, next_} <= chosen)
