"""What a plan pays for: features, seats, trials, and what is tried out on a few."""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.polar.schema import INTEGER, STRING, Attribute
from authz_service.policy.request import Said
from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity, InstantField


class Feature(Entity):
    """Something that plans have or have not; one that is off, nobody has."""

    switched_off = peewee.BooleanField(default=False)


class Plan(Entity):
    """What is sold; without a number of seats there are as many as one likes."""

    seats = peewee.IntegerField(null=True)
    features = peewee.ManyToManyField(Feature)


class Workspace(Entity):
    """Who bought a plan; with features that were added to it, or are tried out there."""

    plan = peewee.ForeignKeyField(Plan)
    seats_used = peewee.IntegerField(default=0)
    trial_ends = InstantField(null=True)
    extras = peewee.ManyToManyField(Feature)


class User(Entity):
    """Somebody in a workspace."""

    workspace = peewee.ForeignKeyField(Workspace, null=True)
    role = ChoiceField("member", "admin")


class Report(Entity):
    """What a workspace makes; it may come from a newer plan than the present one."""

    workspace = peewee.ForeignKeyField(Workspace)
    rows = peewee.IntegerField()


DOMAIN: Final = Domain(
    name="the plans",
    models=(Feature, Plan, Workspace, User, Report),
    subjects=frozenset({"user"}),
    actions={
        "workspace": ("open", "invite", "use_api", "see_audit_log"),
        "report": ("view", "export", "schedule"),
    },
    parameters=(
        Attribute("seats", INTEGER, nullable=True),
        Attribute("formats", STRING, many=True),
    ),
)
SAID: Final = (
    Said(),
    Said(action={"seats": 2, "formats": ["csv"]}),
    Said(action={"seats": 3, "formats": ["csv", "xlsx"]}),
    Said(action={"seats": 100, "formats": ["pdf"]}),
)
