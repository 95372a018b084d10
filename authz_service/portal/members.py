"""Roles on a customer number: who has one, how it becomes another, who is told.

*AU* is the page *Administrator or user in MyProximus?*, *GS* is *Getting started with MyProximus*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.portal.entities import Application, ApplicationGrant, Membership
from authz_service.store.entity import Reference, Row
from authz_service.store.outbox import Notice
from authz_service.store.prepared import Prepared, slot

if TYPE_CHECKING:
    from authz_service.store.work import Work

ACCESS_OWNER: Final = "access_owner"
ADMINISTRATOR: Final = "administrator"
DELEGATE: Final = "delegate"
USER: Final = "user"
# GS 1: the access owner "will be recognized as the administrator".
ADMINISTRATING: Final = (ADMINISTRATOR, ACCESS_OWNER)


def _with_role(*roles: str) -> Prepared:
    is_one = (Membership.customer == slot("customer"), Membership.role.in_(roles))
    return Prepared(
        lambda: Membership.select(Membership.person).where(*is_one).order_by(Membership.person)
    )


_ADMINISTRATORS: Final = _with_role(*ADMINISTRATING)
_ACCESS_OWNER: Final = _with_role(ACCESS_OWNER)
_GRANTS: Final = Prepared(
    lambda: (
        ApplicationGrant.select(ApplicationGrant.id)
        .join(Application)
        .where(Application.customer == slot("customer"), ApplicationGrant.person == slot("person"))
        .order_by(ApplicationGrant.id)
    )
)


def become_administrator(work: Work) -> None:
    """AU 1-5: "You are now an administrator"; the other administrators are informed by e-mail."""
    set_role(work, work.resource.id, work.subject.id, ADMINISTRATOR)
    others = [
        each for each in find_administrators(work, work.resource.id) if each != work.subject.id
    ]
    if not others:
        return
    customer, person = find_names(work, work.resource.id, work.subject.id)
    fields = {"customer": work.resource.id, "customer_name": customer, "person_name": person}
    for other in others:
        inform(work, other, "administrator_added", fields)


def step_down(work: Work) -> None:
    """(reading) An administrator becomes a user, so that a single one can make room."""
    set_role(work, work.resource.id, work.subject.id, USER)


def set_role(work: Work, customer: str, person: str, role: str) -> None:
    """Give somebody another role on a number, or a first one.

    (reading) What was granted to a delegate ends with that role: who becomes a delegate again has
    what is granted then, and nothing from before.
    """
    reference = Reference("membership", f"{customer}/{person}")
    row = work.writer.store.find(reference)
    if row is None:
        values = {"customer": customer, "person": person, "role": role}
        work.writer.insert(Row(reference, values))
        return
    if row.values["role"] == DELEGATE and role != DELEGATE:
        for grant in find_grants(work, customer, person):
            work.writer.delete(Reference("application_grant", grant))
    work.writer.update(reference, role=role)


def find_role(work: Work, customer: str, person: str) -> str | None:
    """Find somebody's role on a number."""
    row = work.writer.store.find(Reference("membership", f"{customer}/{person}"))
    return row.values["role"] if row else None


def find_administrators(work: Work, customer: str) -> list[str]:
    """Find who administers a number; the access owner does."""
    return [person for (person,) in work.writer.store.ask(_ADMINISTRATORS, customer=customer)]


def find_access_owner(work: Work, customer: str) -> str | None:
    """Find the access owner of a number."""
    found = work.writer.store.ask(_ACCESS_OWNER, customer=customer)
    return next((str(person) for (person,) in found), None)


def find_grants(work: Work, customer: str, person: str) -> list[str]:
    """Find what is granted to a delegate of a number: the ids of the grants."""
    found = work.writer.store.ask(_GRANTS, customer=customer, person=person)
    return [grant for (grant,) in found]


def find_names(work: Work, customer: str, person: str) -> tuple[str, str]:
    """Find how a customer and a person are called."""
    found = (Reference("customer", customer), Reference("person", person))
    customer_name, person_name = (work.writer.get(each).values["name"] for each in found)
    return customer_name, person_name


def inform(work: Work, person: str, template: str, fields: dict[str, str]) -> None:
    """Write to somebody by e-mail, in their language."""
    found = work.writer.get(Reference("person", person)).values
    work.inform(Notice("email", found["email"], found["language"], template, fields))
