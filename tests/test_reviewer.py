"""Access reviews: they are what checks say of every question, on random stores of the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from reviewing import compiled, fill, review
from test_policies import cases

from authz_service import assembly
from authz_service.errors import NotFoundError, RequestError
from authz_service.policy.request import Request, read_given
from authz_service.portal import DOMAIN
from authz_service.store.entity import Reference, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz_service.decision.review import Review
    from authz_service.store.database import Store

CHANNELS: Final = (None, "app", "web")

# What is granted: subject, action and resource, and by which channels.
Granted = dict[tuple[Reference, str, Reference], str]


def ask_everything(store: Store, rows: list[Row]) -> Granted:
    """Ask every question that there is, one by one and by each channel."""
    decider = assembly.build_decider(compiled(), DOMAIN, store)
    subjects = [each.reference for each in rows if each.reference.type in DOMAIN.subjects]
    asked = [
        (subject, action, row.reference)
        for subject in subjects
        for row in rows
        for action in DOMAIN.actions.get(row.reference.type, ())
    ]
    given = {each: read_given(DOMAIN.schema, {"channel": each}, {}) for each in CHANNELS}
    decided = {
        each: decider.check_many(Request(*one, given[each]) for one in asked) for each in CHANNELS
    }
    found: Granted = {}
    for number, one in enumerate(asked):
        allowed = [each or "none" for each in CHANNELS if decided[each][number].allowed]
        if allowed:
            found[one] = "any" if len(allowed) == len(CHANNELS) else ", ".join(allowed)
    return found


def read(found: Review) -> Granted:
    """Read what a review lists."""
    return {(each.subject, each.action, each.resource): each.via for each in found.grants}


def belongs(values: Mapping[Reference, Mapping[str, Any]], entity: Reference, to: str) -> bool:
    """Tell whether something is a customer number, or is of that number."""
    return to == (entity.id if entity.type == "customer" else values[entity]["customer"])


@pytest.mark.parametrize("seed", range(3))
def test_a_review_lists_what_checks_allow(portal: Store, seed: int) -> None:
    """Of each customer number who may do what there, of each subject what they may anywhere."""
    rows, _ = cases(seed)
    fill(portal, rows)
    values = {each.reference: each.values for each in rows}
    granted = ask_everything(portal, rows)
    expected, found = [], []
    for each in values:
        if each.type == "customer":
            mine = {key: via for key, via in granted.items() if belongs(values, key[2], each.id)}
        elif each.type in DOMAIN.subjects:
            mine = {key: via for key, via in granted.items() if key[0] == each}
        else:
            continue
        expected.append(mine)
        found.append(read(review(portal, str(each))))

    assert len(granted) > 100
    assert expected == found


@pytest.mark.parametrize("entity", ["customer/111", "customer/222", "person/ann", "operator/olga"])
def test_what_is_not_listed_is_counted(portal: Store, entity: str) -> None:
    """Whatever the limit is, as many are listed and counted together."""
    rows, _ = cases(1)
    fill(portal, rows)
    whole, cut = review(portal, entity), review(portal, entity, limit=0)

    assert () == whole.others
    assert len(whole.grants) == len(cut.grants) + sum(each.count for each in cut.others)
    assert all(each in whole.grants for each in cut.grants)


def test_the_order_is_that_of_the_texts(portal: Store) -> None:
    """By subject, action and resource, whatever the order of the database is."""
    rows, _ = cases(1)
    fill(portal, rows)
    found = list(read(review(portal, "customer/111")))

    assert sorted(found) == found


def company(*more: Row) -> list[Row]:
    """A business with an access owner, Ann, who holds a mobile, and a user, Bea; two strangers."""
    person = {"name": "x", "email": "x@mail.example"}
    return [
        *(Row(Reference("person", each), person) for each in ("ann", "bea", "cas", "dan")),
        Row(Reference("customer", "1"), {"name": "One", "kind": "business"}),
        member("ann", "access_owner"),
        member("bea", "user"),
        Row(
            Reference("subscription", "line"), {"customer": "1", "kind": "mobile", "holder": "ann"}
        ),
        *more,
    ]


def member(person: str, role: str) -> Row:
    """Make somebody a member of the number."""
    values = {"customer": "1", "person": person, "role": role}
    return Row(Reference("membership", f"1/{person}"), values)


def test_each_rule_is_told_and_since_when_it_grants(portal: Store) -> None:
    """The last write of what a rule looks at; the rule that has granted longest comes first."""
    fill(portal, company())
    with portal.transaction():
        portal.update(
            Row(
                Reference("membership", "1/ann"),
                {
                    "customer": "1",
                    "person": "ann",
                    "role": "access_owner",
                    "excluded_from_administration": True,
                },
            ),
            9,
        )
    [grant] = [each for each in review(portal, "person/ann").grants if each.action == "view_usage"]

    assert [("holder", 8), ("administers", 9)] == [
        ("holder" if "holder" in each.rules[0].text else each.rules[1].name, each.since)
        for each in grant.bases
    ]
    assert ["subscription/line"] == [str(each.reference) for each in grant.bases[0].evidence]


def test_what_no_entity_grants_has_no_beginning(portal: Store) -> None:
    """Anybody may ask for access who is nothing there: no row says so."""
    fill(portal, company())
    [grant] = review(portal, "person/cas").grants

    assert ("request_delegate_access", None) == (grant.action, grant.bases[0].since)


@pytest.mark.parametrize(
    ("limit", "listed", "counted"), [(2, ["bea", "cas", "dan"], []), (1, ["bea"], [2])]
)
def test_those_whom_nothing_relates_are_counted_where_they_are_many(
    portal: Store, limit: int, listed: list[str], counted: list[int]
) -> None:
    """Who has to do with the number otherwise is listed all the same."""
    fill(portal, company())
    found = review(portal, "customer/1", limit=limit)
    asking = [each for each in found.grants if each.action == "request_delegate_access"]

    assert listed == [each.subject.id for each in asking]
    assert counted == [each.count for each in found.others]
    assert all(each.rules[0].name == "permit" for each in found.others)


@pytest.mark.parametrize(
    ("via", "channels", "expected"),
    [
        (None, ("none", "app", "web"), {"view": "any", "register_access_owner": "web"}),
        ("web", ("web",), {"view": "web", "register_access_owner": "web"}),
        ("app", ("app",), {"view": "app"}),
        ("post", ("post",), {}),
    ],
)
def test_the_channels_are_those_that_the_policies_name(
    portal: Store, via: str | None, channels: tuple[str, ...], expected: dict[str, str]
) -> None:
    """Without one to ask for, each is asked for, and none as well."""
    rows = [each for each in company() if each.reference != Reference("membership", "1/ann")]
    fill(portal, rows)
    found = review(portal, "person/bea", via=via)

    assert channels == found.channels
    assert expected == {
        each.action: each.via for each in found.grants if each.action != "become_administrator"
    }


def test_what_belongs_to_nobody_is_empty(portal: Store) -> None:
    """A residential number without members: nobody may do anything."""
    fill(portal, [Row(Reference("customer", "1"), {"name": "One", "kind": "residential"})])
    found = review(portal, "customer/1")

    assert ((), ()) == (found.grants, found.others)


@pytest.mark.parametrize(
    ("code", "entity", "side"),
    [
        ("unknown_type", "persn/ann", None),
        ("not_a_subject", "customer/1", "subject"),
        ("not_a_resource", "membership/1/ann", None),
    ],
)
def test_what_cannot_be_reviewed_is_refused(
    portal: Store, code: str, entity: str, side: str | None
) -> None:
    """By one fault, which says why."""
    fill(portal, company())
    with pytest.raises(RequestError) as refusal:
        review(portal, entity, side=side)

    assert [code] == [each.code for each in refusal.value.faults]


@pytest.mark.parametrize("entity", ["person/nobody", "customer/\0", "customer/\ud800"])
def test_an_entity_that_is_not_there_is_told(portal: Store, entity: str) -> None:
    """Also one that no database can hold."""
    with pytest.raises(NotFoundError, match="in the store"):
        review(portal, entity)
