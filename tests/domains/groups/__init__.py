"""Projects whose roles are given to people and to groups of people, one level deep."""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity


class Group(Entity):
    """People who are given roles together; one that is for everybody needs no members."""

    is_everybody = peewee.BooleanField(default=False)


class User(Entity):
    """Somebody who is in groups."""

    groups = peewee.ManyToManyField(Group)
    is_guest = peewee.BooleanField(default=False)


class GroupLead(Entity):
    """Who leads a group, without having to be in it."""

    group = peewee.ForeignKeyField(Group, backref="leads")
    user = peewee.ForeignKeyField(User)


class Project(Entity):
    """What roles are given on."""


class Assignment(Entity):
    """A role on a project, given either to a user or to a group."""

    project = peewee.ForeignKeyField(Project, backref="assignments")
    role = ChoiceField("viewer", "editor", "manager")
    user = peewee.ForeignKeyField(User, null=True)
    group = peewee.ForeignKeyField(Group, null=True)


DOMAIN: Final = Domain(
    name="the groups",
    models=(Group, User, GroupLead, Project, Assignment),
    subjects=frozenset({"user"}),
    actions={"project": ("view", "edit", "assign"), "group": ("view", "add_member")},
)
