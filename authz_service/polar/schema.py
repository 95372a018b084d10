"""What the names in a policy may refer to: entity types with their attributes, the request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

STRING: Final = "String"
BOOLEAN: Final = "Boolean"
INTEGER: Final = "Integer"
DATETIME: Final = "DateTime"
SCALARS: Final = frozenset({STRING, BOOLEAN, INTEGER, DATETIME})


@dataclass(frozen=True)
class Attribute:
    """One attribute of an entity type or of the request.

    Arguments:
        name: as policies, fixtures and callers write it.
        type: one of the scalar types, or the name of an entity type.
        nullable: whether it may have no value.
        many: whether it is a collection, as `customer.subscriptions` is.
        choices: the only values that it may have; empty when there is no such list.
        optional: whether whoever writes an entity may leave it out.
        derived: whether it is another entity's reference seen from this side, never written here.
        supplied: whether a caller may bring its value with a question, of the subject or of the
            resource; what is brought comes before what is stored.
    """

    name: str
    type: str
    nullable: bool = False
    many: bool = False
    choices: tuple[str, ...] = ()
    optional: bool = False
    derived: bool = False
    supplied: bool = False


@dataclass(frozen=True)
class EntityType:
    """One type of entity.

    Arguments:
        name: as callers and fixtures write it, e.g. `access_owner_registration`.
        attributes: by name, `id` included.
        actions: what can be asked of such an entity as a resource.
        stored: whether there is a table of such entities; if not, each is there, whatever its id,
            and its attributes come with the question.
    """

    name: str
    attributes: Mapping[str, Attribute]
    actions: tuple[str, ...] = ()
    stored: bool = True

    @property
    def class_name(self) -> str:
        """The name in policies, e.g. `AccessOwnerRegistration`."""
        return "".join(word.capitalize() for word in self.name.split("_"))


@dataclass(frozen=True)
class Schema:
    """Everything that a policy of one domain may refer to.

    Arguments:
        types: the entity types by name.
        subjects: the names of those that ask for something.
        context: what a caller may say about a request as a whole, by name.
        parameters: what a caller may say about the action itself, by name.
        inputs: what a caller says about an action that is to be performed, by name; no policy sees
            it.
    """

    types: Mapping[str, EntityType]
    subjects: frozenset[str]
    context: Mapping[str, Attribute]
    parameters: Mapping[str, Attribute]
    inputs: Mapping[str, Attribute] = field(default_factory=dict)

    @property
    def lists(self) -> frozenset[str]:
        """The names of what a caller gives several of."""
        said = (*self.context.values(), *self.parameters.values())
        return frozenset(each.name for each in said if each.many)
