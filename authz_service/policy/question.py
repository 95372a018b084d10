"""A question as an engine takes it: every name known, every value of its declared type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from authz_service.store.entity import Reference


@dataclass(frozen=True)
class Question:
    """Can the subject do the action on the resource, given what the caller said?

    Arguments:
        subject: of a type that asks for things.
        action: one that the resource's type declares.
        resource: of a known type.
        given: every context key and action parameter that the schema declares; where the caller
            said nothing, None, or an empty list for a collection.
        now: the time at which it is asked, with its zone.
    """

    subject: Reference
    action: str
    resource: Reference
    given: Mapping[str, Any]
    now: datetime
