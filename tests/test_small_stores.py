"""Small stores: what is looked at, which values are tried, and that names make no difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
import small_domain
from mutants import compile_ours

from authz_service.equivalence.cone import Cone
from authz_service.equivalence.small_stores import Item, Link, find_scopes
from authz_service.equivalence.vocabulary import BEGINNING
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import PolicyFile, build_policy_set
from authz_service.portal import DOMAIN
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from authz_service.equivalence.small_stores import Scope
    from authz_service.policy.plan import Key

READ: Final = ("user", "read", "record")
OTHERS: Final = 'allow(_: Request, "write", _: Record);\nallow(_: Request, "delete", _: Record);\n'


def look(condition: str, entities: int = 2) -> list[Scope]:
    """Find the small stores for a condition on who reads."""
    text = f'allow(request: Request, "read", record: Record) if {condition};\n{OTHERS}'
    policies = build_policy_set("policies", [PolicyFile("records.polar", text)])
    engine = CompiledEngine(policies, small_domain.DOMAIN, 60_000)
    question = engine.get_question(*READ)
    cone = Cone(question.allow or (), READ, small_domain.DOMAIN)
    return list(find_scopes(cone, entities))


def look_at_ours(key: Key, entities: int = 2) -> list[Scope]:
    """Find the small stores for what our policies permit."""
    cone = Cone(compile_ours().get_question(*key).permit, key, DOMAIN)
    return list(find_scopes(cone, entities))


def options(scope: Scope) -> dict[str, tuple[Any, ...]]:
    """Find the options of a scope, by what they are about in words."""
    return {str(each.about): each.options for each in scope.choices}


def test_only_what_is_looked_at_is_a_choice() -> None:
    """Of a record whose status counts, the status, and nothing of the user."""
    [scope] = look('record.status = "active"')

    assert {"record/record-1": ({"status": "archived"}, {"status": "active"})} == options(scope)
    assert (2, 1) == (scope.size, scope.questions)


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ('record.title in ["a", "b"]', [None, "other", "a"]),
        ('record.title = "a" or record.title = "b"', [None, "other", "a", "b"]),
        ('record.title < "a"', [None, "", "a~"]),
        ("record.title = nil", [None, "other"]),
        ("record.size = 3", [None, 4, 3]),
        ("record.size > 2.5", [None, 1, 3]),
        ("2 <= record.size", [None, 1, 3]),
        ("record.secret = true", [None, False, True]),
    ],
)
def test_values_are_those_that_a_condition_tells_apart(condition: str, values: list[Any]) -> None:
    """One of each: those that are named, and one that is not."""
    [scope] = look(condition)
    [found] = options(scope).values()

    assert values == [next(iter(each.values())) for each in found]


def test_values_that_are_compared_with_each_other_are_all_tried() -> None:
    """Also two that no policy names, for they may be the same or not."""
    [scope] = look('record.title = request.channel and request.channel != "web"')

    assert (None, "other", "another", "web") == options(scope)["channel"]


def test_times_have_an_order() -> None:
    """One before, the same, and one after."""
    [scope] = look("record.created < request.now")

    assert 3 == len(options(scope)["now"])
    assert BEGINNING == options(scope)["now"][0]
    assert 4 == len(options(scope)["record/record-1"])


def test_lists_and_links_are_there_or_not() -> None:
    """Each user may be among the readers, and each word among the parts."""
    [scope] = look('request.subject in record.readers and "a" in request.parts')
    abouts = [each.about for each in scope.choices]
    record, ann, ben = (Reference("record", "record-1"), *users("ann", "ben"))

    assert [Link(("record", "readers"), record, each) for each in (ann, ben)] == abouts[:2]
    assert [Item("parts", "other"), Item("parts", "a")] == abouts[2:]
    assert 4 == scope.questions


def users(*names: str) -> list[Reference]:
    """Name users."""
    return [Reference("user", each) for each in names]


def test_the_resource_refers_to_others_in_their_order() -> None:
    """Of three users, one asks; which of the others owns the record, makes no difference."""
    [scope] = look("record.owner != request.subject", entities=3)
    [owners] = options(scope).values()

    assert [None, "ann", "ben"] == [each["owner"] for each in owners]


def test_entities_that_look_the_same_come_in_order() -> None:
    """Neither of two records that are not asked about comes before the other."""
    condition = "other in request.subject.records and other.secret = true and other != record"
    [scope] = look(condition, entities=3)
    second, third = (Reference("record", f"record-{each}") for each in (2, 3))

    assert ((second, third),) == scope.alike


def test_who_asks_may_be_what_is_asked_about() -> None:
    """A policy may name either; so each is tried, with those that it names."""
    scopes = look('request.subject.id = "root" and record.id = "/"')

    assert [("ann", "record-1"), ("ann", "/"), ("root", "record-1"), ("root", "/")] == [
        (each.subject.id, each.resource.id) for each in scopes
    ]


def test_names_count_where_a_policy_puts_them_in_order() -> None:
    """Then each of two users may ask, and be the first to be named."""
    scopes = look("record.owner.id < request.channel")

    assert ["ann", "ben"] == [each.subject.id for each in scopes]
    assert [None, "ann", "ben"] == [each["owner"] for each in options(scopes[0])["record/record-1"]]


def test_what_has_an_id_made_of_others_is_there_once_for_each() -> None:
    """Two people on two customer numbers have four memberships, and no other is one's own."""
    [scope] = look_at_ours(("person", "view", "customer"))
    memberships = [each.reference.id for each in scope.beings["membership"]]

    assert [
        "customer-1/ann",
        "customer-1/ben",
        "customer-2/ann",
        "customer-2/ben",
    ] == memberships


def test_ids_are_made_as_the_domain_makes_them() -> None:
    """A grant is called after the customer, the person and the name of the application."""
    first, *_ = look_at_ours(("person", "access", "application"), entities=1)

    assert ["customer-1/ann/other"] == [
        each.reference.id for each in first.beings["application_grant"]
    ]


def test_what_is_promised_is_looked_at_as_well() -> None:
    """A residential number has one administrator, so its kind and all roles matter."""
    [scope] = look_at_ours(("person", "manage_account", "customer"))
    found = options(scope)

    assert ({"kind": "residential"}, {"kind": "business"}) == found["customer/customer-2"]
    assert 5 == len(found["membership/customer-1/ann"])
