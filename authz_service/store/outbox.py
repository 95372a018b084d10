"""The outbox: messages that are owed, written in the transaction of what they tell about.

A message is queued, then sent or, after too many failures, dead. Whoever wants to send one claims
it first: a single statement moves its time forward, and only one of many at once succeeds. A sender
that is killed has marked nothing, so its message is due again when the lease is over. That makes a
delivery happen at least once; the id of the message tells a repeat.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import peewee

from authz_service.errors import StoreError, quote
from authz_service.store.prepared import Prepared, slot
from authz_service.store.system import Message

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, timedelta

    from authz_service.store.database import Store

QUEUED: Final = "queued"
SENT: Final = "sent"
DEAD: Final = "dead"
STATES: Final = (QUEUED, SENT, DEAD)

EMAIL: Final = "email"
SMS: Final = "sms"
MEDIA: Final = (EMAIL, SMS)

# It becomes part of headers, so it is made of letters that mean nothing in any.
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NO_FIELDS: Final = "{}"
_ROW: Final = (
    "id",
    "at",
    "due",
    "medium",
    "address",
    "language",
    "template",
    "fields",
    "state",
    "attempts",
    "error",
)
_QUEUE: Final = Prepared(lambda: Message.insert({name: slot(name) for name in _ROW}))


@dataclass(frozen=True)
class Notice:
    """What is to be told to somebody.

    Arguments:
        medium: `email` or `sms`.
        address: of e-mail, or a telephone number.
        language: in which to write to them.
        template: the name of the occasion, which is one of the domain's templates.
        fields: what the template says of this very occasion; may hold a one-time token, so it is
            never shown.
    """

    medium: str
    address: str
    language: str
    template: str
    fields: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Due:
    """A message that may be tried, as it was seen.

    Arguments:
        id: which one.
        due: since when.
    """

    id: str
    due: datetime


@dataclass(frozen=True)
class Claimed:
    """A message that only its claimer sends, until the lease is over.

    Arguments:
        id: stays the same however often it is tried.
        notice: what is to be told.
        at: when it was queued.
        attempt: the how manieth try this is, from 1.
    """

    id: str
    notice: Notice
    at: datetime
    attempt: int


@dataclass(frozen=True)
class Listed:
    """A message as it may be shown: without what it says.

    Arguments:
        id: which one.
        state: `queued`, `sent` or `dead`.
        medium: `email` or `sms`.
        address: where to.
        template: the name of the occasion.
        at: when it was queued.
        due: when the next try may be made.
        sent: when it was sent; None before.
        attempts: how often it was tried.
        error: why the last try failed; empty where it did not.
    """

    id: str
    state: str
    medium: str
    address: str
    template: str
    at: datetime
    due: datetime
    sent: datetime | None
    attempts: int
    error: str


def find_notices(store: Store) -> dict[str, Notice]:
    """Find all messages that were ever queued, by their ids; what came of them is not told."""
    return {
        row["id"]: Notice(
            row["medium"],
            row["address"],
            row["language"],
            row["template"],
            json.loads(row["fields"]),
        )
        for row in store.run(Message.select().dicts())
    }


def queue(store: Store, notice: Notice, now: datetime, message_id: str) -> None:
    """Write a message, in the transaction that is open.

    Arguments:
        store: where.
        notice: what to tell.
        now: when; it may be sent at once.
        message_id: nobody else's ever, such as a random UUID: receivers know a repeat by it.

    Raises:
        ValueError: when the medium is none, or the id has other characters than an id has.
    """
    if notice.medium not in MEDIA:
        raise ValueError(f"{quote(notice.medium)} is no medium; use one of {', '.join(MEDIA)}")
    if not _ID.fullmatch(message_id):
        raise ValueError(
            f"{quote(message_id)} is no id of a message; use up to 64 letters, digits and `._-`"
        )
    values = {
        "id": message_id,
        "at": Message.at.db_value(now),
        "due": Message.due.db_value(now),
        "medium": notice.medium,
        "address": notice.address,
        "language": notice.language,
        "template": notice.template,
        "fields": Message.fields.db_value(json.dumps(dict(notice.fields))),
    }
    store.ask(_QUEUE, state=QUEUED, attempts=0, error="", **values)


def find_due(store: Store, medium: str, now: datetime, limit: int) -> list[Due]:
    """Find the messages that may be tried, those that wait longest first.

    Arguments:
        store: whose.
        medium: by which they go.
        now: what time it is.
        limit: how many at the most.
    """
    query = Message.select(Message.id, Message.due).where(
        Message.state == QUEUED, Message.due <= now, Message.medium == medium
    )
    found = store.run(query.order_by(Message.due, Message.id).limit(limit).dicts())
    return [Due(**each) for each in found]


def claim(store: Store, seen: Due, now: datetime, lease: timedelta) -> Claimed | None:
    """Claim a message, so that nobody else sends it while this sender may still be at it.

    Arguments:
        store: whose.
        seen: the message as it was found.
        now: what time it is.
        lease: how long nobody else tries it.

    Returns:
        None where somebody else was first.
    """
    claimed = store.run(
        Message.update(due=now + lease, attempts=Message.attempts + 1).where(
            Message.id == seen.id, Message.state == QUEUED, Message.due == seen.due
        )
    )
    if not claimed:
        return None
    [row] = store.run(Message.select().where(Message.id == seen.id).dicts())
    names = ("medium", "address", "language", "template")
    notice = Notice(**{name: row[name] for name in names}, fields=json.loads(row["fields"]))
    return Claimed(row["id"], notice, row["at"], row["attempts"])


def mark_sent(store: Store, message: Claimed, now: datetime) -> None:
    """Note that a message was sent, and erase what it said."""
    values = {"state": SENT, "sent": now, "fields": _NO_FIELDS, "error": ""}
    store.run(Message.update(**values).where(Message.id == message.id))


def mark_failed(store: Store, message: Claimed, error: str, retry: datetime | None) -> None:
    """Note that a try failed, unless somebody else has tried since.

    Arguments:
        store: whose.
        message: the one that was tried.
        error: why, in words that hold nothing of its fields.
        retry: when to try again; None for never, and it is dead.
    """
    values: dict[str, Any] = {"error": error}
    values |= {"state": DEAD} if retry is None else {"due": retry}
    mine = (
        Message.id == message.id,
        Message.state == QUEUED,
        Message.attempts == message.attempt,
    )
    store.run(Message.update(**values).where(*mine))


def find_messages(store: Store, states: Collection[str], limit: int) -> list[Listed]:
    """Find messages in the order in which they were queued, without what they say.

    Arguments:
        store: whose.
        states: in which they are.
        limit: how many at the most.
    """
    names = Listed.__dataclass_fields__
    query = Message.select(*(getattr(Message, name) for name in names))
    query = query.where(Message.state.in_(states)).order_by(Message.at, Message.id).limit(limit)
    return [Listed(**each) for each in store.run(query.dicts())]


def count_queued(store: Store, medium: str) -> int:
    """Count the messages of a medium that wait to be sent."""
    query = Message.select(peewee.fn.COUNT(Message.id))
    query = query.where(Message.state == QUEUED, Message.medium == medium)
    [(count,)] = store.run(query.tuples())
    return int(count)


def retry_dead(store: Store, ids: Sequence[str] | None, now: datetime) -> int:
    """Queue dead messages again, as if they had never been tried.

    Arguments:
        store: whose; call it outside a transaction.
        ids: which ones; None for all.
        now: what time it is.

    Returns:
        how many.

    Raises:
        StoreError: when one of the ids is no dead message's; nothing changes then.
    """
    if ids is None:
        return int(store.run(_queue_again(now)))
    with store.transaction():
        wrong = [each for each in ids if not store.run(_queue_again(now).where(Message.id == each))]
        if wrong:
            faults = [_not_dead(each) for each in wrong]
            raise StoreError([fault for error in faults for fault in error.faults])
    return len(ids)


def _queue_again(now: datetime) -> peewee.ModelUpdate:
    return Message.update(state=QUEUED, attempts=0, due=now).where(Message.state == DEAD)


def _not_dead(message_id: str) -> StoreError:
    message = "is no dead message; `authz messages list --state dead` shows which there are"
    return StoreError.at(quote(message_id), "no_dead_message", message)
