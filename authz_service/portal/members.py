"""Roles on a customer number: who has one, how it becomes another, who is told.

*AU* is the page *Administrator or user in MyProximus?*, *GS* is *Getting started with MyProximus*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authz_service.portal.entities import (
    Application,
    ApplicationGrant,
    Customer,
    Membership,
    Person,
)
from authz_service.store.entity import Reference, Row
from authz_service.store.outbox import Notice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz_service.store.work import Work

ACCESS_OWNER: Final = "access_owner"
ADMINISTRATOR: Final = "administrator"
DELEGATE: Final = "delegate"
USER: Final = "user"
# GS 1: the access owner "will be recognized as the administrator".
ADMINISTRATING: Final = (ADMINISTRATOR, ACCESS_OWNER)


def become_administrator(work: Work) -> None:
    """AU 1-5: "You are now an administrator"; the other administrators are informed by e-mail."""
    set_role(work, work.resource.id, work.subject.id, ADMINISTRATOR)
    customer, person = find_names(work, work.resource.id, work.subject.id)
    fields = {"customer": work.resource.id, "customer_name": customer, "person_name": person}
    for other in find_members(work, work.resource.id, ADMINISTRATING):
        if other != work.subject.id:
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


def find_members(work: Work, customer: str, roles: Iterable[str]) -> list[str]:
    """Find who has one of some roles on a number."""
    query = (
        Membership.select(Membership.person)
        .where(Membership.customer == customer, Membership.role.in_(list(roles)))
        .order_by(Membership.person)
    )
    return [person for (person,) in work.writer.store.run(query.tuples())]


def find_grants(work: Work, customer: str, person: str) -> list[str]:
    """Find what is granted to a delegate of a number: the ids of the grants."""
    query = (
        ApplicationGrant.select(ApplicationGrant.id)
        .join(Application)
        .where(Application.customer == customer, ApplicationGrant.person == person)
        .order_by(ApplicationGrant.id)
    )
    return [grant for (grant,) in work.writer.store.run(query.tuples())]


def find_names(work: Work, customer: str, person: str) -> tuple[str, str]:
    """Find how a customer and a person are called."""
    return _find(work, Customer, customer)["name"], _find(work, Person, person)["name"]


def inform(work: Work, person: str, template: str, fields: dict[str, str]) -> None:
    """Write to somebody by e-mail, in their language."""
    found = _find(work, Person, person)
    notice = Notice("email", found["email"], found["language"], template, fields)
    work.inform(notice)


def _find(work: Work, model: type[Customer | Person], key: str) -> dict[str, Any]:
    [found] = work.writer.store.run(model.select().where(model.id == key).dicts())
    return dict(found)
