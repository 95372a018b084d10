"""MyProximus: the domain that this service is made for."""

from __future__ import annotations

from typing import Final

from authz_service.polar.schema import BOOLEAN, STRING, Attribute
from authz_service.portal.entities import (
    PROMISES,
    AccessOwnerRegistration,
    Application,
    ApplicationGrant,
    Customer,
    DelegateRequest,
    Membership,
    Operator,
    Person,
    Subscription,
)
from authz_service.portal.messages import TEMPLATES
from authz_service.portal.migrations import MIGRATIONS
from authz_service.portal.registration import MACHINES, build_procedures
from authz_service.portal.token import OneTimeToken
from authz_service.store.domain import Domain
from authz_service.store.entity import Reference

DOMAIN: Final = Domain(
    name="MyProximus",
    models=(
        Person,
        Operator,
        Customer,
        Membership,
        Subscription,
        Application,
        ApplicationGrant,
        DelegateRequest,
        AccessOwnerRegistration,
    ),
    subjects=frozenset({"person", "operator"}),
    actions={
        "subscription": (
            "view_bills",
            "view_usage",
            "manage_options",
            "activate_paid_option",
            "activate_free_option",
        ),
        "customer": (
            "view",
            "manage_account",
            "manage_users",
            "manage_bizz_club_points",
            "become_administrator",
            "step_down",
            "delegate_part",
            "register_access_owner",
            "request_delegate_access",
        ),
        "application": ("access",),
        "access_owner_registration": (
            "view",
            "record_call",
            "send_agreement",
            "record_agreement",
            "confirm",
        ),
        "delegate_request": (
            "view",
            "approve",
            "reject",
            "confirm_email",
            "confirm_code",
            "withdraw",
        ),
    },
    context=(Attribute("channel", STRING, nullable=True),),
    parameters=(Attribute("applications", STRING, many=True),),
    inputs=(
        Attribute("kind", STRING, nullable=True),
        Attribute("terms_accepted", BOOLEAN, nullable=True),
        Attribute("token", STRING, nullable=True),
    ),
    procedures=build_procedures(),
    machines=MACHINES,
    promises=PROMISES,
    tables=(OneTimeToken,),
    migrations=MIGRATIONS,
    part="portal",
    templates=TEMPLATES,
    example=(Reference("person", "mary"), "view_usage", Reference("subscription", "0470000001")),
)
