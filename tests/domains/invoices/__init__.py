"""Invoices, which are stored nowhere: all that is known of one comes with the question.

So it is with those who sent them; a gateway knows from their token who they are.
"""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.policy.request import Said
from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity, InstantField, Reference


class Clerk(Entity):
    """Somebody in a department, who approves invoices up to an amount."""

    department = ChoiceField("sales", "works")
    approves_up_to = peewee.IntegerField(default=0)
    is_cashier = peewee.BooleanField(default=False)


class Supplier(Entity):
    """Somebody who is to be paid."""

    stored = False

    number = peewee.TextField()
    is_blocked = peewee.BooleanField()


class Invoice(Entity):
    """What a supplier wants to be paid for; amounts are in cents."""

    stored = False

    supplier = peewee.TextField()
    department = ChoiceField("sales", "works")
    entered_by = peewee.TextField()
    amount = peewee.IntegerField()
    due = InstantField()
    is_approved = peewee.BooleanField()


DOMAIN: Final = Domain(
    name="the invoices",
    models=(Clerk, Supplier, Invoice),
    subjects=frozenset({"clerk", "supplier"}),
    actions={"invoice": ("view", "approve", "pay")},
)
_BULB: Final = {
    "supplier": "S-1",
    "department": "works",
    "entered_by": "will",
    "amount": 900,
    "due": "2026-01-05T00:00:00Z",
}
SAID: Final = (
    Said(),
    Said(subject={"number": "S-1"}),
    Said(subject={"number": "S-1"}, resource=_BULB),
    Said(subject={"number": "S-1", "is_blocked": True}, resource={**_BULB, "is_approved": True}),
    Said(subject={"number": "S-2", "is_blocked": False}, resource={**_BULB, "is_approved": False}),
    Said(resource={**_BULB, "amount": 90_000, "is_approved": True, "department": "sales"}),
    Said(resource={**_BULB, "amount": 0, "due": "2026-02-01T00:00:00+01:00", "is_approved": True}),
    Said(resource={"amount": 1, "is_approved": True}),
)
NOT_STORED: Final = (Reference("supplier", "lamps"), Reference("invoice", "2026-17"))
