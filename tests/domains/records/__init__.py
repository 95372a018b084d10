"""Users and records, about which the certification of AuthZEN asks its questions.

The role of a user and the status of a record are stored, and may come with a question as well.
"""

from __future__ import annotations

from typing import Final

from authz_service.polar.schema import BOOLEAN, Attribute
from authz_service.policy.request import Said
from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity, Reference


class User(Entity):
    """Somebody who reads and writes."""

    supplied = frozenset({"role"})

    role = ChoiceField("admin", "member", null=True)


class Record(Entity):
    """Something that is read and written."""

    supplied = frozenset({"status"})

    status = ChoiceField("active", "archived")


DOMAIN: Final = Domain(
    name="the records",
    models=(User, Record),
    subjects=frozenset({"user"}),
    actions={"record": ("read", "view", "write", "delete")},
    parameters=(Attribute("soft", BOOLEAN, nullable=True),),
    example=(Reference("user", "alice"), "read", Reference("record", "record-1")),
)
SAID: Final = (
    Said(),
    Said(action={"soft": True}),
    Said(action={"soft": False}),
    Said(subject={"role": "admin"}),
    Said(subject={"role": "member"}, resource={"status": "active"}),
    Said(resource={"status": "archived"}),
    Said(subject={"role": "admin"}, resource={"status": "archived"}),
    Said(resource={"status": "a status that the domain does not have"}),
)
NOT_STORED: Final = (Reference("user", "nobody"),)
