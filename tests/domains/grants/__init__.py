"""Access to machines for a time: grants that begin and end, and times when all is closed."""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.polar.schema import STRING, Attribute
from authz_service.policy.request import Said
from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity, InstantField


class Engineer(Entity):
    """Somebody who is let in."""


class Machine(Entity):
    """What one is let into; closed to changes until some time, or not at all."""

    keeper = peewee.ForeignKeyField(Engineer, null=True)
    closed_until = InstantField(null=True)


class Grant(Entity):
    """Leave to do something on a machine; without an end it goes on until it is revoked."""

    engineer = peewee.ForeignKeyField(Engineer, backref="grants")
    machine = peewee.ForeignKeyField(Machine)
    level = ChoiceField("look", "operate")
    starts = InstantField()
    ends = InstantField(null=True)
    revoked = peewee.BooleanField(default=False)


class Shift(Entity):
    """When an engineer is on call, for all machines."""

    engineer = peewee.ForeignKeyField(Engineer, backref="shifts")
    starts = InstantField()
    ends = InstantField()


DOMAIN: Final = Domain(
    name="the machine room",
    models=(Engineer, Machine, Grant, Shift),
    subjects=frozenset({"engineer"}),
    actions={"machine": ("look", "operate", "restart")},
    context=(Attribute("ticket", STRING, nullable=True),),
)
SAID: Final = (Said(), Said({"ticket": "INC-7"}), Said({"ticket": ""}))
