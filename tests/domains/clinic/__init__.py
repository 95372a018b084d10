"""A clinic: rules by attributes of who asks and of what is asked for, and who is kept out."""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.polar.schema import BOOLEAN, Attribute
from authz_service.policy.request import Said
from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity


class Ward(Entity):
    """Where patients lie and nurses work."""


class Staff(Entity):
    """Somebody who works here."""

    profession = ChoiceField("doctor", "nurse", "clerk")
    ward = peewee.ForeignKeyField(Ward, null=True)
    on_leave = peewee.BooleanField(default=False)


class Patient(Entity):
    """Somebody who is treated; in no ward after going home."""

    ward = peewee.ForeignKeyField(Ward, null=True)
    doctor = peewee.ForeignKeyField(Staff, null=True)


class Record(Entity):
    """What was written about a patient."""

    patient = peewee.ForeignKeyField(Patient)
    author = peewee.ForeignKeyField(Staff)
    kind = ChoiceField("chart", "psychiatry", "bill")


class Exclusion(Entity):
    """Whom a patient does not want to see the records."""

    patient = peewee.ForeignKeyField(Patient, backref="exclusions")
    staff = peewee.ForeignKeyField(Staff)


DOMAIN: Final = Domain(
    name="the clinic",
    models=(Ward, Staff, Patient, Record, Exclusion),
    subjects=frozenset({"staff", "patient"}),
    actions={"record": ("read", "amend", "invoice")},
    context=(Attribute("emergency", BOOLEAN, nullable=True),),
)
SAID: Final = (Said(), Said({"emergency": False}), Said({"emergency": True}))
