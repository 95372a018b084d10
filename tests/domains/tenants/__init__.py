"""Many customers in one application: tenants, their people and programs, and who helps them."""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.polar.schema import STRING, Attribute
from authz_service.policy.request import Said
from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity, InstantField


class Tenant(Entity):
    """A customer."""

    suspended = peewee.BooleanField(default=False)


class User(Entity):
    """A person: of a tenant, of several, or of the house."""

    is_superadmin = peewee.BooleanField(default=False)


class Membership(Entity):
    """What a user is in a tenant."""

    user = peewee.ForeignKeyField(User, backref="memberships")
    tenant = peewee.ForeignKeyField(Tenant)
    role = ChoiceField("member", "admin")


class Service(Entity):
    """A program of a tenant."""

    tenant = peewee.ForeignKeyField(Tenant)
    scope = ChoiceField("reading", "writing")


class Project(Entity):
    """What a tenant works on."""

    tenant = peewee.ForeignKeyField(Tenant)
    archived = peewee.BooleanField(default=False)


class HelpSession(Entity):
    """Leave of a user that somebody sees what they see, for a while."""

    helper = peewee.ForeignKeyField(User, backref="help_sessions")
    user = peewee.ForeignKeyField(User)
    ends = InstantField()


DOMAIN: Final = Domain(
    name="the tenants",
    models=(Tenant, User, Membership, Service, Project, HelpSession),
    subjects=frozenset({"user", "service"}),
    actions={"tenant": ("view", "configure", "suspend"), "project": ("view", "edit", "archive")},
    context=(Attribute("channel", STRING, nullable=True),),
)
SAID: Final = (Said(), Said({"channel": "api"}), Said({"channel": "web"}))
