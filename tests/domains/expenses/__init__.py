"""Expenses: who approves how much, and never their own."""

from __future__ import annotations

from typing import Final

import peewee

from authz_service.polar.schema import BOOLEAN, INTEGER, Attribute
from authz_service.policy.request import Said
from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity


class Employee(Entity):
    """Somebody who spends, approves or pays."""

    title = ChoiceField("clerk", "manager", "director", "accountant")
    office = peewee.TextField()
    manager = peewee.ForeignKeyField("self", null=True, backref="reports")


class Expense(Entity):
    """What somebody spent, in cents."""

    submitter = peewee.ForeignKeyField(Employee, backref="expenses")
    amount = peewee.IntegerField()
    office = peewee.TextField(null=True)
    status = ChoiceField("draft", "submitted", "approved", "paid")
    approver = peewee.ForeignKeyField(Employee, null=True)


DOMAIN: Final = Domain(
    name="the expenses",
    models=(Employee, Expense),
    subjects=frozenset({"employee"}),
    actions={"expense": ("view", "submit", "approve", "pay")},
    parameters=(
        Attribute("amount", INTEGER, nullable=True),
        Attribute("in_cash", BOOLEAN, nullable=True),
    ),
)
SAID: Final = (
    Said(),
    Said(action={"amount": 4_000, "in_cash": True}),
    Said(action={"amount": 250_000, "in_cash": False}),
)
