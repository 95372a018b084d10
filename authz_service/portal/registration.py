"""The registrations of MyProximus: their state machines, as data, and what follows from each step.

*GS* is the page *Getting started with MyProximus*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.errors import RequestError
from authz_service.policy.reasons import NOT_PERMITTED
from authz_service.portal import members, token
from authz_service.portal.messages import write_confirmation
from authz_service.store.entity import Reference, Row
from authz_service.store.machine import Effect, Machine, Step, Taking
from authz_service.store.outbox import Notice

if TYPE_CHECKING:
    from authz_service.decision.performer import Procedure
    from authz_service.store.work import Work


def register_access_owner(work: Work) -> None:
    """GS 3.1-3.4: the form is sent; it is refused unless the terms are accepted."""
    if work.given["terms_accepted"] is not True:
        work.refuse(NOT_PERMITTED, "the terms must be accepted: `terms_accepted` is not true")
    who = {"customer": work.resource.id, "person": work.subject.id}
    ACCESS_OWNER.begin(work, {**who, "terms_accepted": True})


def request_delegate_access(work: Work) -> None:
    """GS 3.8.1-2: the customer number and the applications are chosen; a mobile is sent a code."""
    kind, applications = work.given["kind"], work.given["applications"]
    if kind not in _DELEGATE:
        message = "`action.properties.kind` must be `fixed` or `mobile`"
        raise RequestError.at("action.properties.kind", "unknown_kind", message)
    if not applications:
        work.refuse(NOT_PERMITTED, "no application is chosen: `applications` is empty")
    who = {"customer": work.resource.id, "person": work.subject.id}
    chosen = tuple(dict.fromkeys(applications))
    _DELEGATE[kind].begin(work, {**who, "kind": kind, "applications": chosen})


def _send_code(work: Work, row: Row) -> None:
    """GS, mobile 2: "the code you receive by text message"."""
    person = work.writer.get(Reference("person", row.values["person"])).values
    if not person["mobile"]:
        work.refuse(NOT_PERMITTED, "no mobile number is known to which a code could be sent")
    customer, _ = members.find_names(work, row.values["customer"], row.values["person"])
    code = token.issue(work.writer.store, row.reference.id, token.CODE, work.writer.now)
    fields = {"code": code, "customer_name": customer}
    work.inform(Notice("sms", person["mobile"], person["language"], "delegate_code", fields))


def _send_link(work: Work, row: Row) -> None:
    customer, person = members.find_names(work, row.values["customer"], row.values["person"])
    drawn = token.issue(work.writer.store, row.reference.id, token.LINK, work.writer.now)
    fields = {
        "customer": row.values["customer"],
        "customer_name": customer,
        "person_name": person,
        **write_confirmation(work.link, row.reference.id, drawn),
    }
    members.inform(work, row.values["person"], "delegate_link", fields)


def _use_token(work: Work, row: Row) -> None:
    """Whoever confirms has read the message: refuse all others, and remember wrong tries."""
    store, request, now = work.writer.store, row.reference.id, work.writer.now
    tried = work.given["token"] or ""
    if not token.is_right(store, request, tried, now):
        message = "the one-time token is wrong, was used, or is too old"
        work.refuse(NOT_PERMITTED, message, lambda: token.spend_try(store, request))
    token.end(store, request)


def _end_token(work: Work, row: Row) -> None:
    token.end(work.writer.store, row.reference.id)


def _make_access_owner(work: Work, row: Row) -> None:
    customer, person = row.values["customer"], row.values["person"]
    members.set_role(work, customer, person, members.ACCESS_OWNER)
    customer_name, person_name = members.find_names(work, customer, person)
    fields = {"customer": customer, "customer_name": customer_name, "person_name": person_name}
    members.inform(work, person, "access_owner_confirmed", fields)


def _make_delegate(work: Work, row: Row) -> None:
    """GS 2: one grant for each whole application, by the access owner.

    (reading) Who has become an administrator meanwhile has it all already, and stays one.
    """
    customer, person = row.values["customer"], row.values["person"]
    if members.find_role(work, customer, person) in members.ADMINISTRATING:
        return
    owner = members.find_access_owner(work, customer)
    if owner is None:
        work.refuse("no_access_owner", "there is no access owner any more who grants this")
    members.set_role(work, customer, person, members.DELEGATE)
    granted = set(members.find_grants(work, customer, person))
    for application in row.values["applications"]:
        name = application.removeprefix(f"{customer}/")
        grant = f"{customer}/{person}/{name}"
        if grant not in granted:
            values = {"application": application, "person": person, "granted_by": owner}
            work.writer.insert(Row(Reference("application_grant", grant), values))


_USES_TOKEN: Final = Effect("the one-time token must be right", _use_token)
_ENDS_TOKEN: Final = Effect("the one-time token ends", _end_token)
_SENDS_LINK: Final = Effect("an e-mail with the link goes to the requester", _send_link)
_MAKES_DELEGATE: Final = Effect("the role becomes delegate, and the grants appear", _make_delegate)
_MAKES_OWNER: Final = Effect(
    "the role becomes access owner, and the person is told by e-mail", _make_access_owner
)

# GS 3.1-3.7
ACCESS_OWNER: Final = Machine(
    "Registration of an access owner",
    "access_owner_registration",
    (
        Step("register_access_owner", "", "submitted", "a member"),
        Step("record_call", "submitted", "called", "an operator"),
        Step("send_agreement", "called", "agreement_sent", "an operator"),
        Step("record_agreement", "agreement_sent", "agreement_signed", "an operator"),
        Step("confirm", "agreement_signed", "confirmed", "an operator", (_MAKES_OWNER,)),
    ),
)

# GS 3.8
DELEGATE_FIXED: Final = Machine(
    "Request for delegate access, fixed",
    "delegate_request",
    (
        Step("request_delegate_access", "", "submitted", "anybody but an administrator"),
        Step("approve", "submitted", "approved", "the access owner", (_SENDS_LINK,)),
        Step("reject", "submitted", "rejected", "the access owner"),
        Step("withdraw", "submitted", "withdrawn", "the requester"),
        Step("withdraw", "approved", "withdrawn", "the requester", (_ENDS_TOKEN,)),
        Step(
            "confirm_email",
            "approved",
            "completed",
            "the requester",
            (_USES_TOKEN, _MAKES_DELEGATE),
        ),
    ),
    kind="fixed",
)

# GS, last part: approval and code in either order
DELEGATE_MOBILE: Final = Machine(
    "Request for delegate access, mobile",
    "delegate_request",
    (
        Step(
            "request_delegate_access",
            "",
            "submitted",
            "anybody but an administrator",
            (Effect("a text message with a code goes to the requester", _send_code),),
        ),
        Step("confirm_code", "submitted", "code_confirmed", "the requester", (_USES_TOKEN,)),
        Step("approve", "submitted", "approved", "the access owner"),
        Step("approve", "code_confirmed", "completed", "the access owner", (_MAKES_DELEGATE,)),
        Step(
            "confirm_code",
            "approved",
            "completed",
            "the requester",
            (_USES_TOKEN, _MAKES_DELEGATE),
        ),
        Step("reject", "submitted", "rejected", "the access owner", (_ENDS_TOKEN,)),
        Step("reject", "code_confirmed", "rejected", "the access owner"),
        Step("withdraw", "submitted", "withdrawn", "the requester", (_ENDS_TOKEN,)),
        Step("withdraw", "code_confirmed", "withdrawn", "the requester"),
        Step("withdraw", "approved", "withdrawn", "the requester", (_ENDS_TOKEN,)),
    ),
    kind="mobile",
)
MACHINES: Final = (ACCESS_OWNER, DELEGATE_FIXED, DELEGATE_MOBILE)
_DELEGATE: Final = {each.kind: each for each in (DELEGATE_FIXED, DELEGATE_MOBILE)}


def build_procedures() -> dict[tuple[str, str], Procedure]:
    """Build what happens when an action is performed: by the machines, and on the roles."""
    procedures: dict[tuple[str, str], Procedure] = {
        ("customer", "become_administrator"): members.become_administrator,
        ("customer", "step_down"): members.step_down,
        ("customer", "register_access_owner"): register_access_owner,
        ("customer", "request_delegate_access"): request_delegate_access,
    }
    for machine in MACHINES:
        taking = Taking(tuple(each for each in MACHINES if each.type == machine.type))
        for step in machine.steps:
            if step.source:
                procedures[machine.type, step.action] = taking
    return procedures
