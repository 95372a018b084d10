"""A domain: the entities of one application, and the words in which it is asked about."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from authz_service.store.entity import read_schema, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import peewee

    from authz_service.polar.schema import Attribute, Schema
    from authz_service.store.entity import Entity, Reference
    from authz_service.store.machine import Machine
    from authz_service.store.migration import Migration
    from authz_service.store.template import Template
    from authz_service.store.work import Work


@dataclass(frozen=True, eq=False)
class Promise:
    """What can be so only once, held by a unique index or the key of the database itself.

    Each is one of its own: they are looked up by identity, many times for an explanation.

    Arguments:
        code: a stable word; the index, or the key, has it as its name.
        model: the entities that it is about.
        columns: those that together may occur once; no two promises on one model list the same,
            for SQLite names nothing else when one is broken.
        message: what holds, as a lower-case sentence.
        where: the rows that it is about, as SQL over the columns; empty for all.
        is_key: whether it is the primary key of the table, which the model declares.
    """

    code: str
    model: type[Entity]
    columns: tuple[str, ...]
    message: str
    where: str = ""
    is_key: bool = False

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that stand in the columns."""
        fields = self.model._meta.fields  # noqa: SLF001  # peewee's interface
        names = {each.column_name: name for name, each in fields.items()}
        return tuple(names[each] for each in self.columns)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The attributes by which it is about a row, or not."""
        fields = self.model._meta.fields  # noqa: SLF001  # as above
        asked = (
            name
            for name, each in fields.items()
            if re.search(rf"\b{each.column_name}\b", self.where)
        )
        return tuple(asked)

    @property
    def index_sql(self) -> str:
        """The statement that makes the database hold a promise that is no key."""
        only = f" WHERE {self.where}" if self.where else ""
        columns = ", ".join(f'"{column}"' for column in self.columns)
        return f'CREATE UNIQUE INDEX "{self.code}" ON "{type_name(self.model)}" ({columns}){only}'

    def is_named_in(self, error: peewee.IntegrityError) -> bool:
        """Tell whether the database's complaint is about this promise.

        PostgreSQL names the index or the key, SQLite lists the columns of it.
        """
        said = str(error)
        listed = ", ".join(f"{type_name(self.model)}.{column}" for column in self.columns)
        return f'"{self.code}"' in said or said.endswith(f"failed: {listed}")


@dataclass(frozen=True)
class Domain:
    """What the engine has to be told about an application.

    Arguments:
        name: how the domain is called in messages.
        models: the entities, each after those that it refers to.
        subjects: the entity types that ask for something.
        actions: what can be asked of each entity type.
        context: what a caller may say about the request as a whole.
        parameters: what a caller may say about the action itself.
        promises: what the database holds to be so only once.
        example: a question worth asking a new server: subject, action and resource.
        inputs: what a caller says about an action that is to be performed, and no policy sees.
        procedures: what happens when an action is performed, by type of resource and action.
        machines: the lives of entities, step by step; each step is a procedure.
        tables: tables that the domain keeps for itself, which are no entities.
        migrations: how its tables came to be what they are, the first of number 1.
        part: under which name the migrations are counted.
        templates: what its messages say, by the name of the occasion; of several, the first all of
            whose fields are given is used.
    """

    name: str
    models: tuple[type[Entity], ...]
    subjects: frozenset[str]
    actions: Mapping[str, tuple[str, ...]]
    context: tuple[Attribute, ...] = ()
    parameters: tuple[Attribute, ...] = ()
    promises: tuple[Promise, ...] = ()
    example: tuple[Reference, str, Reference] | None = None
    inputs: tuple[Attribute, ...] = ()
    procedures: Mapping[tuple[str, str], Callable[[Work], None]] = field(default_factory=dict)
    machines: tuple[Machine, ...] = ()
    tables: tuple[type[peewee.Model], ...] = ()
    migrations: tuple[Migration, ...] = ()
    part: str = "domain"
    templates: Mapping[str, tuple[Template, ...]] = field(default_factory=dict)
    schema: Schema = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Read the schema off the models, once."""
        said = self.context, self.parameters, self.inputs
        schema = read_schema(self.models, self.subjects, self.actions, said)
        object.__setattr__(self, "schema", schema)
