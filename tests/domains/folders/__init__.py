"""Files in folders in drives of an account: a hierarchy of fixed depth, with doors in it."""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity


class User(Entity):
    """Somebody with files."""


class Account(Entity):
    """Who pays."""


class Seat(Entity):
    """What a user is in an account."""

    account = peewee.ForeignKeyField(Account, backref="seats")
    user = peewee.ForeignKeyField(User)
    role = ChoiceField("admin", "guest")


class Drive(Entity):
    """The top of a tree; an old one may have lost its account."""

    account = peewee.ForeignKeyField(Account, null=True)
    writers = peewee.ManyToManyField(User)


class Folder(Entity):
    """A folder; one that is restricted does not take over who reads and writes the drive."""

    drive = peewee.ForeignKeyField(Drive)
    restricted = peewee.BooleanField(default=False)
    guests = peewee.ManyToManyField(User)


class File(Entity):
    """A file."""

    folder = peewee.ForeignKeyField(Folder)
    owner = peewee.ForeignKeyField(User)
    status = ChoiceField("draft", "final")


DOMAIN: Final = Domain(
    name="the drives",
    models=(User, Account, Seat, Drive, Folder, File),
    subjects=frozenset({"user"}),
    actions={
        "drive": ("read", "write"),
        "folder": ("read", "write", "restrict"),
        "file": ("read", "write", "delete"),
    },
)
