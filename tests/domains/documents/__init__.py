"""Documents that are private, a team's or public, and are shared with people one by one."""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity


class Team(Entity):
    """People who work together."""


class User(Entity):
    """Somebody who is signed in."""

    team = peewee.ForeignKeyField(Team, null=True)


class Visitor(Entity):
    """Somebody who is not: whoever opened a link."""


class Document(Entity):
    """A text."""

    owner = peewee.ForeignKeyField(User)
    team = peewee.ForeignKeyField(Team, null=True)
    visibility = ChoiceField("private", "team", "public")
    locked = peewee.BooleanField(default=False)
    readers = peewee.ManyToManyField(User)


class Share(Entity):
    """A document given to somebody to write in, maybe with leave to hand it on."""

    document = peewee.ForeignKeyField(Document, backref="shares")
    user = peewee.ForeignKeyField(User)
    may_share = peewee.BooleanField(default=False)


class Remark(Entity):
    """What somebody says about a document."""

    document = peewee.ForeignKeyField(Document)
    author = peewee.ForeignKeyField(User)
    resolved = peewee.BooleanField(default=False)


DOMAIN: Final = Domain(
    name="the documents",
    models=(Team, User, Visitor, Document, Share, Remark),
    subjects=frozenset({"user", "visitor"}),
    actions={
        "document": ("read", "write", "share", "remark", "delete"),
        "remark": ("read", "resolve"),
    },
)
