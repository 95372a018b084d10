"""Messages on their way out: queued in the transaction that owes them, delivered by others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authz_service.store.entity import InstantField
from authz_service.store.prepared import Prepared, slot
from authz_service.store.system import Message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from authz_service.store.database import Store


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
    """What somebody is told.

    Arguments:
        medium: `email` or `sms`.
        address: where to.
        language: in which it is written.
        template: which text.
        fields: what is filled into it.
    """

    medium: str
    address: str
    language: str
    template: str
    fields: Mapping[str, str]


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
    """Queue a message in the transaction that is open."""
    store.ask(
        _QUEUE,
        id=message_id,
        at=InstantField().db_value(now),
        due=InstantField().db_value(now),
        medium=notice.medium,
        address=notice.address,
        language=notice.language,
        template=notice.template,
        fields=json.dumps(dict(notice.fields)),
        state="queued",
        attempts=0,
        error="",
    )
