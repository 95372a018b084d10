"""What the performing of an action is given: who does what, what can be written, who is told."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from authz_service.store.outbox import queue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz_service.store.entity import Reference
    from authz_service.store.outbox import Notice
    from authz_service.store.writer import Writer

_MESSAGE_ID_BYTES: Final = 16


class RefusedError(Exception):
    """An action that the policies allow, and that is not performed all the same.

    Arguments:
        code: the reason, for programs.
        message: the reason, for people.
        remember: what is noted of the try, where anything is; all else that it wrote goes.
    """

    def __init__(self, code: str, message: str, remember: Callable[[], None] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remember = remember


@dataclass(frozen=True)
class Work:
    """One action that is being performed, inside a transaction.

    Arguments:
        subject: who does it.
        action: what, by name.
        resource: on which entity.
        given: context, parameters and inputs; each that the domain declares, None where nothing was
            said.
        writer: writes entities.
        new_id: makes the id of an entity that was never used; messages have random ones.
        link: the page on which links in messages are followed; empty where there is none.
    """

    subject: Reference
    action: str
    resource: Reference
    given: Mapping[str, Any]
    writer: Writer
    new_id: Callable[[], str]
    link: str = ""

    def inform(self, notice: Notice) -> None:
        """Queue a message, which is sent when all that is written has been committed."""
        message_id = secrets.token_hex(_MESSAGE_ID_BYTES)
        queue(self.writer.store, notice, self.writer.now, message_id)

    def refuse(
        self, code: str, message: str, remember: Callable[[], None] | None = None
    ) -> NoReturn:
        """Refuse the action; nothing changes.

        Raises:
            RefusedError: always.
        """
        raise RefusedError(code, message, remember)
