"""The entities of MyProximus: people, customer numbers, what is billed under them, who asked what.

Pages named below: *Getting started with MyProximus* and *Administrator or user in MyProximus?*
"""

from __future__ import annotations

from typing import ClassVar, Final

import peewee

from authz_service.store.domain import Promise
from authz_service.store.entity import ChoiceField, Entity

LANGUAGES: Final = ("en", "nl", "fr")
ADMINISTRATING_ROLES: Final = "('administrator', 'access_owner')"


class Person(Entity):
    """Somebody with a login; who it is, is checked elsewhere."""

    name = peewee.TextField()
    email = peewee.TextField()
    mobile = peewee.TextField(null=True)
    # in which messages are written to them
    language = ChoiceField(*LANGUAGES, default="en", constraints=[peewee.SQL("DEFAULT 'en'")])


class Operator(Entity):
    """The telecom's back office: makes the verification call, sends and files the agreement."""

    name = peewee.TextField()


class Customer(Entity):
    """A customer number: it groups all subscriptions that are billed together."""

    name = peewee.TextField()
    kind = ChoiceField("residential", "business")

    class Meta:
        """What a membership's copy of the kind refers to."""

        constraints: Final = [peewee.SQL("UNIQUE (id, kind)")]


class Membership(Entity):
    """A person's one role on a customer number.

    The customer's kind is repeated here, and kept true by the database, so that one unique index
    can hold a residential number to a single administrator.
    """

    # Nearly every question asks which role somebody has on a number, so rows lie in that order.
    id = peewee.TextField(unique=True)
    customer = peewee.ForeignKeyField(Customer, backref="memberships", index=False)
    person = peewee.ForeignKeyField(Person, backref="memberships")
    role = ChoiceField("access_owner", "administrator", "delegate", "user")
    excluded_from_administration = peewee.BooleanField(default=False)
    customer_kind = peewee.TextField()

    id_parts = ("customer", "person")
    copies: ClassVar = {"customer_kind": "customer.kind"}

    class Meta:
        """One role on a number, by which rows are found; the kind is the customer's, always."""

        primary_key = False
        constraints: Final = [
            peewee.SQL("CONSTRAINT one_role_per_number PRIMARY KEY (customer_id, person_id)"),
            peewee.SQL(
                "FOREIGN KEY (customer_id, customer_kind) REFERENCES customer (id, kind)"
                " ON UPDATE CASCADE"
            ),
        ]


class Subscription(Entity):
    """A line or contract; the holder of a mobile is the person who uses it."""

    customer = peewee.ForeignKeyField(Customer, backref="subscriptions")
    kind = ChoiceField("internet", "mobile", "tv", "fixed_line")
    holder = peewee.ForeignKeyField(Person, null=True, backref="subscriptions")


class Application(Entity):
    """What a customer number may open from MyProximus, always whole."""

    customer = peewee.ForeignKeyField(Customer, backref="applications")
    name = peewee.TextField()

    id_parts = ("customer", "name")


class ApplicationGrant(Entity):
    """A delegate's access to a whole application."""

    application = peewee.ForeignKeyField(Application, backref="grants")
    person = peewee.ForeignKeyField(Person, backref="grants")
    granted_by = peewee.ForeignKeyField(Person, backref="grants_given")

    id_parts = ("application.customer", "person", "application.name")


class DelegateRequest(Entity):
    """A request to become a delegate, with the applications that were chosen (GS 3.8).

    `code_confirmed` is a mobile request whose code was given before the access owner approved it.
    """

    customer = peewee.ForeignKeyField(Customer, backref="delegate_requests")
    person = peewee.ForeignKeyField(Person, backref="delegate_requests")
    applications = peewee.ManyToManyField(Application)
    kind = ChoiceField("fixed", "mobile")
    status = ChoiceField(
        "submitted", "code_confirmed", "approved", "completed", "rejected", "withdrawn"
    )


class AccessOwnerRegistration(Entity):
    """The registration of an access owner, step by step (GS 3.1-3.7)."""

    customer = peewee.ForeignKeyField(Customer, backref="access_owner_registrations")
    person = peewee.ForeignKeyField(Person, backref="access_owner_registrations")
    terms_accepted = peewee.BooleanField()
    status = ChoiceField("submitted", "called", "agreement_sent", "agreement_signed", "confirmed")


PROMISES: Final = (
    Promise(
        "one_role_per_number",
        Membership,
        ("customer_id", "person_id"),
        "a person has one role on a customer number",
        is_key=True,
    ),
    Promise(
        "access_owner_taken",
        Membership,
        ("customer_id", "role"),
        "a customer number has one access owner at most",
        where="role = 'access_owner'",
    ),
    Promise(
        "residential_single_administrator",
        Membership,
        ("customer_id", "customer_kind"),
        "a residential customer has one administrator at most",
        where=f"customer_kind = 'residential' AND role IN {ADMINISTRATING_ROLES}",
    ),
    Promise(
        "one_grant_per_application",
        ApplicationGrant,
        ("application_id", "person_id"),
        "a person has one grant for an application",
    ),
    Promise(
        "one_application_of_a_name",
        Application,
        ("customer_id", "name"),
        "a customer number has one application of a name",
    ),
)
