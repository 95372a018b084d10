"""What a store keeps beside its entities: the feed, answers, messages, keys and policies.

These tables are the same for every domain. No policy sees them, and no question is about them.
"""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.store.entity import InstantField


class _Unshown(str):
    """Text that no log of statements shows, as peewee's on the level of debugging is one."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'...'"


class SecretField(peewee.TextField):
    """Text that can hold a secret."""

    def db_value(self, value: str | None) -> str | None:
        """Hide it from whoever looks at what is bound."""
        return None if value is None else _Unshown(value)


class State(peewee.Model):
    """One row: the revision of the last write. Whoever writes holds it first, so one at a time."""

    id = peewee.IntegerField(primary_key=True)
    revision = peewee.BigIntegerField()

    class Meta:
        """The name of the table."""

        table_name = "authz_state"


class ChangeLine(peewee.Model):
    """One write of one entity, in the order in which they were made.

    `previous` is the revision of the write that left `before`; 0 where there is no line of it.
    """

    revision = peewee.BigIntegerField(primary_key=True)
    previous = peewee.BigIntegerField(default=0, constraints=[peewee.SQL("DEFAULT 0")])
    at = InstantField()
    type = peewee.TextField()
    entity_id = peewee.TextField()
    before = peewee.TextField(null=True)
    after = peewee.TextField(null=True)
    who = peewee.TextField()
    client = peewee.TextField()
    action = peewee.TextField()
    reason = peewee.TextField()

    class Meta:
        """The name of the table."""

        table_name = "authz_change"


class Answered(peewee.Model):
    """An answer that a repeated request gets again."""

    client = peewee.TextField()
    key = peewee.TextField()
    digest = peewee.TextField()
    answer = peewee.TextField()
    at = InstantField(index=True)

    class Meta:
        """The name of the table; a client does not see the keys of another."""

        table_name = "authz_answered"
        primary_key = peewee.CompositeKey("client", "key")


class Message(peewee.Model):
    """A message to somebody, from the moment it is owed until it is delivered, and after.

    `state` is `queued`, `sent` or `dead`; `due` is when the next try may be made. `fields` can hold
    a one-time token, and is empty as soon as the message was sent.
    """

    id = peewee.TextField(primary_key=True)
    at = InstantField()
    medium = peewee.TextField()
    address = peewee.TextField()
    language = peewee.TextField()
    template = peewee.TextField()
    fields = SecretField()
    state = peewee.TextField()
    attempts = peewee.IntegerField()
    due = InstantField()
    error = peewee.TextField(default="")
    sent = InstantField(null=True)

    class Meta:
        """The name of the table, and how what is due is found."""

        table_name = "authz_message"
        indexes = ((("state", "due"), False),)


class ApiKey(peewee.Model):
    """A key of a client: what it may do, and the digest of its secret."""

    id = peewee.TextField(primary_key=True)
    name = peewee.TextField(index=True)
    digest = peewee.TextField(unique=True)
    scopes = peewee.TextField()
    created = InstantField()
    expires = InstantField(null=True)
    used = InstantField(null=True)
    revoked = InstantField(null=True)

    class Meta:
        """The name of the table."""

        table_name = "authz_key"


class PolicyText(peewee.Model):
    """A policy set that served: its files, as a JSON object of names and texts, and who signed."""

    digest = peewee.TextField(primary_key=True)
    files = peewee.TextField()
    signature = peewee.TextField(default="", constraints=[peewee.SQL("DEFAULT ''")])

    class Meta:
        """The name of the table."""

        table_name = "authz_policy"


class Activated(peewee.Model):
    """From when on a policy set served, who began to serve it, and what trying it came to."""

    number = peewee.AutoField()
    digest = peewee.TextField()
    at = InstantField()
    who = peewee.TextField()
    source = peewee.TextField(default="folder", constraints=[peewee.SQL("DEFAULT 'folder'")])
    verdict = peewee.TextField(default="{}", constraints=[peewee.SQL("DEFAULT '{}'")])

    class Meta:
        """The name of the table."""

        table_name = "authz_policy_activated"


class PolicyTrial(peewee.Model):
    """One row: the policy set that is being tried, or was tried last, and what came of it.

    `token` is that of the process that tries it, until `until`, which it keeps putting off.
    """

    id = peewee.IntegerField(primary_key=True)
    token = peewee.TextField()
    until = InstantField()
    digest = peewee.TextField()
    source = peewee.TextField()
    who = peewee.TextField()
    at = InstantField()
    state = peewee.TextField()
    verdict = peewee.TextField()

    class Meta:
        """The name of the table."""

        table_name = "authz_policy_trial"


class PolicyFolder(peewee.Model):
    """What the folder of policies at a place held when a server last dealt with it."""

    place = peewee.TextField(primary_key=True)
    digest = peewee.TextField()
    at = InstantField()

    class Meta:
        """The name of the table."""

        table_name = "authz_policy_folder"


class Applied(peewee.Model):
    """A migration that this store has behind it."""

    part = peewee.TextField()
    number = peewee.IntegerField()
    name = peewee.TextField()
    at = InstantField()

    class Meta:
        """The name of the table."""

        table_name = "authz_migration"
        primary_key = peewee.CompositeKey("part", "number")


SYSTEM_TABLES: Final[tuple[type[peewee.Model], ...]] = (
    State,
    ChangeLine,
    Answered,
    Message,
    ApiKey,
    PolicyText,
    Activated,
    PolicyTrial,
    PolicyFolder,
    Applied,
)
