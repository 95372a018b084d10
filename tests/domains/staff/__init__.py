"""Who sees and changes which fields of whom: employees ask about employees."""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity


class Department(Entity):
    """Where people work."""

    parent = peewee.ForeignKeyField("self", null=True)


class Employee(Entity):
    """Somebody who works here; whoever is hidden is read by personnel alone."""

    department = peewee.ForeignKeyField(Department)
    manager = peewee.ForeignKeyField("self", null=True)
    position = ChoiceField("worker", "head", "personnel")
    hidden = peewee.BooleanField(default=False)


DOMAIN: Final = Domain(
    name="the staff",
    models=(Department, Employee),
    subjects=frozenset({"employee"}),
    actions={
        "employee": (
            "read_name",
            "read_address",
            "read_salary",
            "write_name",
            "write_address",
            "write_salary",
        )
    },
)
