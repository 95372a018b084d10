"""A forum: boards with moderators, threads, posts, bans, and people who will not meet."""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.store.domain import Domain
from authz_service.store.entity import Entity, InstantField


class User(Entity):
    """Somebody who writes."""

    karma = peewee.IntegerField(default=0)
    deactivated = peewee.BooleanField(default=False)


class Block(Entity):
    """Whom somebody does not want to hear from."""

    user = peewee.ForeignKeyField(User, backref="blocks")
    blocked = peewee.ForeignKeyField(User, backref="blocked_by")


class Board(Entity):
    """Where threads on one topic are; a private one is for those who were invited."""

    private = peewee.BooleanField(default=False)
    moderators = peewee.ManyToManyField(User)


class Invitation(Entity):
    """Whom a private board is for."""

    board = peewee.ForeignKeyField(Board, backref="invitations")
    user = peewee.ForeignKeyField(User)


class Ban(Entity):
    """Who may not write on a board; for good, if it has no end."""

    board = peewee.ForeignKeyField(Board, backref="bans")
    user = peewee.ForeignKeyField(User, backref="bans")
    ends = InstantField(null=True)


class Thread(Entity):
    """A talk."""

    board = peewee.ForeignKeyField(Board)
    author = peewee.ForeignKeyField(User)
    locked = peewee.BooleanField(default=False)


class Post(Entity):
    """What somebody said in it."""

    thread = peewee.ForeignKeyField(Thread, backref="posts")
    author = peewee.ForeignKeyField(User)


DOMAIN: Final = Domain(
    name="the forum",
    models=(User, Block, Board, Invitation, Ban, Thread, Post),
    subjects=frozenset({"user"}),
    actions={
        "board": ("read", "start_thread"),
        "thread": ("read", "reply", "lock", "delete"),
        "post": ("edit", "vote", "report"),
    },
)
