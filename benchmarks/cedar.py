"""The questions about the portal put to cedarpy, which has all of the data in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import cedarpy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from portal_store import Question

# The rules that the questions are about, as an author of Cedar would write them.
_POLICIES: Final = """
permit (
    principal is Person,
    action in [Action::"view_bills", Action::"view_usage", Action::"manage_options"],
    resource is Subscription
) when { resource.customer.administrators.contains(principal) };
permit (
    principal is Person,
    action in [Action::"view_usage", Action::"activate_free_option"],
    resource is Subscription
) when { resource.kind == "mobile" && resource has holder && resource.holder == principal };
forbid (principal, action, resource) unless { ["web", "app"].contains(context.channel) };
"""


def build_cedar(customers: int) -> Callable[[Any], cedarpy.AuthzResult]:
    """Make what answers requests over a number of customers, like those of the SQLite store."""
    policies = cedarpy.PolicySet.from_str(_POLICIES)
    entities = cedarpy.Entities.from_json_str(json.dumps(list(_entities(customers))))
    return lambda request: cedarpy.is_authorized(request, policies, entities)


def write_requests(questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Write questions as cedarpy takes them."""
    return [
        {
            "principal": f'Person::"{each.request.subject.id}"',
            "action": f'Action::"{each.request.action}"',
            "resource": f'Subscription::"{each.request.resource.id}"',
            "context": {"channel": each.request.given["channel"]},
        }
        for each in questions
    ]


def _entities(customers: int) -> Iterator[dict[str, Any]]:
    for number in range(customers):
        people = [f"p{number}-{each}" for each in range(4)]
        yield _entity("Customer", f"c{number}", administrators=[_person(people[0])])
        yield from (_entity("Person", each) for each in people)
        kinds = {f"m{number}-{each}": "mobile" for each in (1, 2, 3)}
        for key, kind in {**kinds, f"i{number}": "internet", f"t{number}": "tv"}.items():
            customer = {"__entity": {"type": "Customer", "id": f"c{number}"}}
            holder = {"holder": _person(f"p{key[1:]}")} if kind == "mobile" else {}
            yield _entity("Subscription", key, customer=customer, kind=kind, **holder)


def _entity(type_name: str, key: str, **attributes: Any) -> dict[str, Any]:
    return {"uid": {"type": type_name, "id": key}, "attrs": attributes, "parents": []}


def _person(key: str) -> dict[str, Any]:
    return {"__entity": {"type": "Person", "id": key}}
