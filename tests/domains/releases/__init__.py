"""Changes to services: who reviews, how many must, when nothing goes out."""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.polar.schema import BOOLEAN, STRING, Attribute
from authz_service.policy.request import Said
from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity, InstantField


class Developer(Entity):
    """Somebody who writes and reads changes."""

    seniority = peewee.IntegerField()


class Service(Entity):
    """What is changed."""

    tier = ChoiceField("critical", "normal")
    owners = peewee.ManyToManyField(Developer)


class Freeze(Entity):
    """When nothing goes out; of one service; one that names none is planned only."""

    service = peewee.ForeignKeyField(Service, null=True, backref="freezes")
    starts = InstantField()
    ends = InstantField()


class Change(Entity):
    """A change; of a robot, where it has no author."""

    service = peewee.ForeignKeyField(Service)
    author = peewee.ForeignKeyField(Developer, null=True)
    updated = InstantField()
    deployed = peewee.BooleanField(default=False)


class Approval(Entity):
    """A review that found nothing, of the change as it was then."""

    change = peewee.ForeignKeyField(Change, backref="approvals")
    reviewer = peewee.ForeignKeyField(Developer)
    given = InstantField()


class Robot(Entity):
    """A program that deploys what is ready, for the services that it has."""

    services = peewee.ManyToManyField(Service)


DOMAIN: Final = Domain(
    name="the releases",
    models=(Developer, Service, Freeze, Change, Approval, Robot),
    subjects=frozenset({"developer", "robot"}),
    actions={"change": ("comment", "approve", "deploy")},
    context=(Attribute("hotfix", BOOLEAN, nullable=True),),
    parameters=(Attribute("regions", STRING, many=True),),
)
SAID: Final = (
    Said(),
    Said({"hotfix": True}, action={"regions": ["eu"]}),
    Said({"hotfix": False}, action={"regions": ["eu", "moon"]}),
)
