"""Organizations, their repositories, and the issues of those: roles that go down."""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity


class User(Entity):
    """Somebody with an account."""

    name = peewee.TextField()


class Organization(Entity):
    """Who owns repositories; its members have the base role, if any, on all of them."""

    base_role = ChoiceField("reader", "maintainer", null=True)


class OrganizationRole(Entity):
    """What a user is in an organization."""

    user = peewee.ForeignKeyField(User, backref="organization_roles")
    organization = peewee.ForeignKeyField(Organization)
    name = ChoiceField("member", "owner")


class Repository(Entity):
    """Code."""

    organization = peewee.ForeignKeyField(Organization)
    is_public = peewee.BooleanField(default=False)


class RepositoryRole(Entity):
    """What a user is on one repository."""

    user = peewee.ForeignKeyField(User, backref="repository_roles")
    repository = peewee.ForeignKeyField(Repository)
    name = ChoiceField("reader", "maintainer")


class Issue(Entity):
    """What somebody found wrong with the code."""

    repository = peewee.ForeignKeyField(Repository)
    creator = peewee.ForeignKeyField(User)
    closed = peewee.BooleanField(default=False)


DOMAIN: Final = Domain(
    name="the git club",
    models=(User, Organization, OrganizationRole, Repository, RepositoryRole, Issue),
    subjects=frozenset({"user"}),
    actions={
        "organization": ("read", "create_repository", "invite"),
        "repository": ("read", "push", "open_issue", "delete"),
        "issue": ("read", "comment", "close"),
    },
)
