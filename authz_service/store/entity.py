"""A peewee model as an entity type, and an entity as a row: the words in which the store speaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

import peewee

from authz_service.polar.schema import (
    BOOLEAN,
    DATETIME,
    INTEGER,
    STRING,
    Attribute,
    EntityType,
    Schema,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

REVISION: Final = "revision"


@dataclass(frozen=True, order=True, slots=True)
class Reference:
    """Which entity is meant: its type and its id, written `type/id`; an id may contain slashes."""

    type: str
    id: str

    def __str__(self) -> str:
        """Write the reference as scenarios and commands do."""
        return f"{self.type}/{self.id}"

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read `type/id`.

        Raises:
            ValueError: when there is no slash with something on both sides of it.
        """
        type_name, slash, entity_id = text.partition("/")
        if not (slash and type_name and entity_id):
            raise ValueError(f"`{text}` is not of the form type/id, as in person/mary")
        return cls(type_name, entity_id)


@dataclass(frozen=True)
class Row:
    """An entity as it is stored.

    Arguments:
        reference: which entity.
        values: by attribute; a reference to another entity is that one's id, a relation to several
            that is written on this entity is a tuple of ids.
        revision: of the write that left it so; two rows that differ in nothing else are equal.
    """

    reference: Reference
    values: Mapping[str, Any]
    revision: int = field(default=0, compare=False)


class InstantField(peewee.TextField):
    """A point in time, kept as text in UTC so that both databases compare it as Python does."""

    def db_value(self, value: datetime | None) -> str | None:
        """Write it with all its digits, so that the order of the texts is that of the times."""
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def python_value(self, value: str | None) -> datetime | None:
        """Read it, with its zone."""
        return None if value is None else datetime.fromisoformat(value)


class ChoiceField(peewee.TextField):
    """Text that must be one of a few words; the database holds it to that."""

    def __init__(self, *words: str, **options: Any) -> None:
        self.words = words
        super().__init__(**options)

    def bind(self, model: type[Entity], name: str, set_attribute: bool = True) -> None:  # noqa: FBT001, FBT002  # peewee's signature
        """Add the check once the column's name is known."""
        super().bind(model, name, set_attribute)
        listed = ", ".join(f"'{word}'" for word in self.words)
        self.constraints = [
            *(self.constraints or ()),
            peewee.Check(f"{self.column_name} IN ({listed})"),
        ]


_SCALAR_FIELDS: Final[tuple[tuple[type[peewee.Field], str], ...]] = (
    (InstantField, DATETIME),
    (peewee.BooleanField, BOOLEAN),
    (peewee.IntegerField, INTEGER),
    (peewee.TextField, STRING),
)


class Entity(peewee.Model):
    """The base of every entity model.

    A model is never bound to a database: the store executes every query on its own, so that two
    stores live side by side in one process.
    """

    id = peewee.TextField(primary_key=True)

    # The write that left the row as it is; no attribute.
    revision = peewee.BigIntegerField(default=0, constraints=[peewee.SQL("DEFAULT 0")])

    # The attributes, as dotted paths, whose values make up the id; empty for an id of its own.
    id_parts: ClassVar[tuple[str, ...]] = ()

    # Columns that repeat what another entity says, as local name to dotted path; they exist for a
    # constraint and are no attributes.
    copies: ClassVar[Mapping[str, str]] = {}

    # The attributes that a caller may bring with a question about such an entity.
    supplied: ClassVar[frozenset[str]] = frozenset()

    # Whether there is a table of them; if not, all attributes come with the question.
    stored: ClassVar[bool] = True

    class Meta:
        """What peewee wants to be told."""

        legacy_table_names = False


def read_schema(
    models: tuple[type[Entity], ...],
    subjects: frozenset[str],
    actions: Mapping[str, tuple[str, ...]],
    said: tuple[tuple[Attribute, ...], ...],
) -> Schema:
    """Read the entity types off the models.

    Arguments:
        models: the entities.
        subjects: the types that ask for something.
        actions: what can be asked of each type.
        said: what a caller may say: context, parameters and inputs.

    Raises:
        TypeError: when a model has something that an entity type cannot have.
    """
    types = {
        type_name(model): EntityType(
            type_name(model),
            {each.name: each for each in _attributes(model)},
            actions.get(type_name(model), ()),
            model.stored,
        )
        for model in models
    }
    return Schema(
        types,
        subjects,
        *({each.name: each for each in part} for part in said),
    )


def type_name(model: type[peewee.Model]) -> str:
    """The entity type that a model stands for: the name of its table."""
    return str(model._meta.table_name)  # noqa: SLF001  # peewee documents `_meta` as its interface


def find_references(models: Iterable[type[Entity]]) -> dict[tuple[str, str], str]:
    """Find for each derived collection which attribute of its entities refers to the owner."""
    return {
        (type_name(model), key.backref): key.name
        for model in models
        for key in model._meta.backrefs  # noqa: SLF001  # peewee's interface
    }


def find_links(model: type[Entity]) -> list[str]:
    """Find the many-to-many attributes that are written on an entity of this type."""
    return [
        name
        for name, each in model._meta.manytomany.items()  # noqa: SLF001  # as above
        if not each._is_backref  # noqa: SLF001  # peewee has no public word for it
    ]


def is_text(text: str) -> bool:
    """Tell whether a database can hold it: no half of a surrogate pair, and no NUL."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def find_link(
    model: type[Entity], name: str
) -> tuple[type[peewee.Model], peewee.ForeignKeyField, peewee.ForeignKeyField]:
    """Find the table behind a many-to-many attribute, with its references here and there."""
    many = model._meta.manytomany[name]  # noqa: SLF001  # peewee's interface
    through = many.get_through_model()
    here, there = (
        through._meta.model_refs[each][0]  # noqa: SLF001  # as above
        for each in (model, many.rel_model)
    )
    return through, here, there


def _attributes(model: type[Entity]) -> list[Attribute]:
    meta = model._meta  # noqa: SLF001  # as above
    hidden = {*model.copies, REVISION}
    own = [_attribute(name, each) for name, each in meta.fields.items() if name not in hidden]
    unknown = sorted(model.supplied.difference(each.name for each in own))
    if unknown:
        raise TypeError(f"{model.__name__} has no attribute `{unknown[0]}` that could be supplied")
    lists = [
        Attribute(name, type_name(meta.manytomany[name].rel_model), many=True, optional=True)
        for name in find_links(model)
    ]
    seen_from_here = [
        Attribute(key.backref, type_name(key.model), many=True, optional=True, derived=True)
        for key in meta.backrefs
        if key.backref != _default_backref(key) and issubclass(key.model, Entity)
    ]
    return [*own, *lists, *seen_from_here]


def _attribute(name: str, field: peewee.Field) -> Attribute:
    optional = field.null or field.default is not None
    stored = getattr(field.model, "stored", True)
    supplied = name != "id" and (not stored or name in field.model.supplied)
    if isinstance(field, peewee.ForeignKeyField):
        if supplied or not getattr(field.rel_model, "stored", True):
            what = f"{field.model.__name__}.{name}"
            raise TypeError(f"{what} refers to an entity; one that is supplied holds values only")
        return Attribute(name, type_name(field.rel_model), field.null, optional=optional)
    kind = next((scalar for known, scalar in _SCALAR_FIELDS if isinstance(field, known)), None)
    if kind is None:
        known = ", ".join(field_type.__name__ for field_type, _ in _SCALAR_FIELDS)
        raise TypeError(f"{field.model.__name__}.{name} is a {type(field).__name__}; use {known}")
    words = field.words if isinstance(field, ChoiceField) else ()
    return Attribute(
        name,
        kind,
        # who asks may leave out what is nowhere else
        nullable=field.null or (not stored and supplied),
        choices=words,
        optional=optional,
        supplied=supplied,
    )


def _default_backref(key: peewee.ForeignKeyField) -> str:
    """The name that peewee gives to a reference seen from the other side, if nobody named it."""
    return f"{key.model._meta.name}_set"  # noqa: SLF001  # peewee's interface
