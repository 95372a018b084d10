"""The entities of MyProximus: what the database itself promises about them."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import peewee
import psycopg
import pytest

from authz_service.portal import DOMAIN
from authz_service.portal.entities import PROMISES
from authz_service.store.database import BrokenPromiseError
from authz_service.store.entity import Reference, Row, type_name

if TYPE_CHECKING:
    from conftest import RunSql

    from authz_service.store.database import Store

SMITH: Final = "123456789"
JONES: Final = "987654321"
RACERS: Final = [f"person-{number}" for number in range(16)]
ALL_MEMBERSHIPS: Final = "SELECT * FROM membership ORDER BY id"
REFUSALS: Final = (sqlite3.IntegrityError, psycopg.IntegrityError)


def person(login: str) -> Row:
    """A person, by login."""
    values = {"name": login.capitalize(), "email": f"{login}@smith.example"}
    return Row(Reference("person", login), values)


def customer(number: str, kind: str) -> Row:
    """A customer number of a kind."""
    return Row(Reference("customer", number), {"name": "Smith", "kind": kind})


def membership(number: str, login: str, role: str) -> Row:
    """A person's role on a customer number."""
    values = {"customer": number, "person": login, "role": role}
    return Row(Reference("membership", f"{number}/{login}"), values)


def application(number: str, name: str, entity_id: str = "") -> Row:
    """An application of a customer number."""
    reference = Reference("application", entity_id or f"{number}/{name}")
    return Row(reference, {"customer": number, "name": name})


def grant(entity_id: str, login: str) -> Row:
    """A grant of OneDrive at Smith to a person."""
    values = {"application": f"{SMITH}/onedrive", "person": login, "granted_by": "philip"}
    return Row(Reference("application_grant", entity_id), values)


def add(store: Store, *rows: Row) -> None:
    """Insert rows in one transaction."""
    with store.transaction():
        for row in rows:
            store.insert(row)


def refuse(store: Store, row: Row) -> list[str]:
    """The codes with which the database refuses a row."""
    with pytest.raises(BrokenPromiseError) as caught:
        add(store, row)
    return [fault.code for fault in caught.value.faults]


def race(store: Store, rows: list[Row]) -> list[str]:
    """Insert each row in a thread of its own, all at the same moment; tell what came of it."""
    start = threading.Barrier(len(rows))

    def run(row: Row) -> str:
        start.wait()
        try:
            add(store, row)
        except BrokenPromiseError as error:
            return ",".join(fault.code for fault in error.faults)
        finally:
            store.close()
        return "won"

    with ThreadPoolExecutor(max_workers=len(rows)) as pool:
        return sorted(pool.map(run, rows))


@pytest.fixture
def smith(portal: Store) -> Store:
    """Company Smith, a business, and its people; the family Jones, residential."""
    people = [person(login) for login in ("philip", "mary", "thomas", *RACERS)]
    add(portal, *people, customer(SMITH, "business"), customer(JONES, "residential"))
    return portal


def test_one_of_sixteen_becomes_access_owner(smith: Store) -> None:
    """Sixteen threads make an access owner of one number; one wins, the others are told why."""
    expected = ["access_owner_taken"] * 15 + ["won"]

    assert expected == race(smith, [membership(SMITH, each, "access_owner") for each in RACERS])


def test_one_of_sixteen_becomes_administrator_of_a_residential_number(smith: Store) -> None:
    """Sixteen threads make an administrator of one residential number; one wins."""
    expected = ["residential_single_administrator"] * 15 + ["won"]

    assert expected == race(smith, [membership(JONES, each, "administrator") for each in RACERS])


def test_sixteen_become_administrators_of_a_business(smith: Store) -> None:
    """Sixteen threads make administrators of a business number; all of them succeed."""
    expected = ["won"] * 16

    assert expected == race(smith, [membership(SMITH, each, "administrator") for each in RACERS])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("administrator", "administrator"),
        ("administrator", "access_owner"),
        ("access_owner", "administrator"),
    ],
)
def test_a_residential_number_has_one_administrator(smith: Store, first: str, second: str) -> None:
    """A second administrator of a residential number is refused, whichever way one is it."""
    add(smith, membership(JONES, "mary", first))

    assert ["residential_single_administrator"] == refuse(
        smith, membership(JONES, "thomas", second)
    )


def test_a_residential_number_has_any_number_of_users(smith: Store) -> None:
    """A residential number has users and delegates beside its administrator."""
    add(
        smith,
        membership(JONES, "philip", "administrator"),
        membership(JONES, "mary", "user"),
        membership(JONES, "thomas", "user"),
        membership(JONES, RACERS[0], "delegate"),
        membership(JONES, RACERS[1], "delegate"),
    )
    memberships = DOMAIN.schema.types["customer"].attributes["memberships"]
    expected = 5

    assert expected == len(smith.find_related(Reference("customer", JONES), memberships))


def test_an_access_owner_is_one_of_many_administrators_of_a_business(smith: Store) -> None:
    """A business has an access owner beside its administrators, but no second one."""
    add(
        smith,
        membership(SMITH, "philip", "access_owner"),
        membership(SMITH, "mary", "administrator"),
    )

    assert ["access_owner_taken"] == refuse(smith, membership(SMITH, "thomas", "access_owner"))


def test_each_number_has_an_access_owner_of_its_own(smith: Store) -> None:
    """A person is the access owner of several numbers."""
    add(
        smith,
        customer("555", "business"),
        membership(SMITH, "philip", "access_owner"),
        membership("555", "philip", "access_owner"),
    )

    assert smith.find(Reference("membership", "555/philip"))


@pytest.mark.parametrize(
    ("expected", "first", "second"),
    [
        (
            "one_role_per_number",
            membership(SMITH, "mary", "user"),
            Row(
                Reference("membership", "another"),
                {"customer": SMITH, "person": "mary", "role": "administrator"},
            ),
        ),
        (
            "one_application_of_a_name",
            application(SMITH, "cloud"),
            application(SMITH, "cloud", "another"),
        ),
        ("one_grant_per_application", grant("one", "mary"), grant("another", "mary")),
    ],
    ids=["role", "application", "grant"],
)
def test_what_is_unique_is_so_under_any_id(
    smith: Store, expected: str, first: Row, second: Row
) -> None:
    """A second row for the same thing is refused though its id is another."""
    add(smith, application(SMITH, "onedrive"), first)

    assert [expected] == refuse(smith, second)


def test_a_grant_of_an_application_is_for_each_person(smith: Store) -> None:
    """An application is granted to several people."""
    add(smith, application(SMITH, "onedrive"), grant("one", "mary"), grant("two", "thomas"))

    assert smith.find(Reference("application_grant", "two"))


@pytest.fixture
def staffed(smith: Store) -> Store:
    """Both numbers with their people: Smith has two administrators, Jones has one."""
    add(
        smith,
        membership(SMITH, "philip", "access_owner"),
        membership(SMITH, "mary", "administrator"),
        membership(SMITH, "thomas", "user"),
        membership(JONES, "mary", "administrator"),
        membership(JONES, "thomas", "user"),
    )
    return smith


@pytest.mark.usefixtures("staffed")
@pytest.mark.parametrize(
    ("code", "statement"),
    [
        (
            "access_owner_taken",
            (
                "INSERT INTO membership"
                " (id, customer_id, person_id, role, excluded_from_administration, customer_kind)"
                " VALUES ('x', '123456789', 'person-0', 'access_owner', false, 'business')"
            ),
        ),
        (
            "access_owner_taken",
            "UPDATE membership SET role = 'access_owner' WHERE id = '123456789/thomas'",
        ),
        (
            "residential_single_administrator",
            (
                "INSERT INTO membership"
                " (id, customer_id, person_id, role, excluded_from_administration, customer_kind)"
                " VALUES ('x', '987654321', 'person-0', 'administrator', false, 'residential')"
            ),
        ),
        (
            "residential_single_administrator",
            "UPDATE membership SET role = 'administrator' WHERE id = '987654321/thomas'",
        ),
        (
            "residential_single_administrator",
            "UPDATE membership SET role = 'access_owner' WHERE id = '987654321/thomas'",
        ),
        (
            "residential_single_administrator",
            (
                "UPDATE membership SET customer_id = '987654321', customer_kind = 'residential'"
                " WHERE id = '123456789/philip'"
            ),
        ),
        (
            "residential_single_administrator",
            "UPDATE customer SET kind = 'residential' WHERE id = '123456789'",
        ),
        (
            "one_role_per_number",
            "UPDATE membership SET person_id = 'mary' WHERE id = '123456789/thomas'",
        ),
    ],
    ids=[
        "second access owner",
        "user made second access owner",
        "second administrator of a residential number",
        "user made second administrator of a residential number",
        "user made access owner of an administered residential number",
        "administrator moved to an administered residential number",
        "business with two administrators made residential",
        "second role of one person",
    ],
)
def test_no_statement_breaks_a_promise(run_sql: RunSql, code: str, statement: str) -> None:
    """SQL that goes past the service is refused for the very promise that it would break."""
    before = run_sql(ALL_MEMBERSHIPS)

    with pytest.raises(REFUSALS) as caught:
        run_sql(statement)
    complaint = peewee.IntegrityError(str(caught.value))

    assert [code] == [each.code for each in PROMISES if each.is_named_in(complaint)]
    assert before == run_sql(ALL_MEMBERSHIPS)


@pytest.mark.usefixtures("staffed")
@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        (
            "foreign key",
            (
                "INSERT INTO membership"
                " (id, customer_id, person_id, role, excluded_from_administration, customer_kind)"
                " VALUES ('x', '987654321', 'person-0', 'administrator', false, 'business')"
            ),
        ),
        (
            "foreign key",
            "UPDATE membership SET customer_kind = 'business' WHERE id = '987654321/thomas'",
        ),
        (
            "foreign key",
            "UPDATE membership SET customer_kind = 'other' WHERE id = '987654321/thomas'",
        ),
        (
            "foreign key",
            "UPDATE membership SET customer_id = '987654321' WHERE id = '123456789/philip'",
        ),
        (
            "not.null",
            "UPDATE membership SET customer_kind = NULL WHERE id = '987654321/thomas'",
        ),
        ("check", "UPDATE customer SET kind = 'charity' WHERE id = '123456789'"),
        ("check", "UPDATE membership SET role = 'owner' WHERE id = '123456789/thomas'"),
        ("foreign key", "DELETE FROM customer WHERE id = '123456789'"),
        ("foreign key", "DELETE FROM person WHERE id = 'mary'"),
    ],
    ids=[
        "membership with a wrong kind",
        "kind changed under a membership",
        "kind that does not exist",
        "membership moved without its kind",
        "kind taken from a membership",
        "customer of an unknown kind",
        "unknown role",
        "customer with members deleted",
        "person with memberships deleted",
    ],
)
def test_no_statement_gets_round_a_promise(
    run_sql: RunSql, constraint: str, statement: str
) -> None:
    """SQL that would take from the promises what they rest on is refused as well."""
    with pytest.raises(REFUSALS, match=f"(?i){constraint}"):
        run_sql(statement)


@pytest.mark.usefixtures("staffed")
def test_the_copied_kind_follows_the_customer(run_sql: RunSql) -> None:
    """A residential number that becomes a business takes its memberships along."""
    run_sql("UPDATE customer SET kind = 'business' WHERE id = '987654321'")
    expected = [("business",), ("business",)]

    assert expected == run_sql(
        "SELECT customer_kind FROM membership WHERE customer_id = '987654321'"
    )


@pytest.mark.usefixtures("staffed")
def test_a_number_that_became_a_business_takes_a_second_administrator(run_sql: RunSql) -> None:
    """A promise about residential numbers ends when the number is one no more."""
    run_sql("UPDATE customer SET kind = 'business' WHERE id = '987654321'")
    run_sql("UPDATE membership SET role = 'administrator' WHERE id = '987654321/thomas'")
    expected = [("administrator",), ("administrator",)]

    assert expected == run_sql("SELECT role FROM membership WHERE customer_id = '987654321'")


def test_a_business_with_one_administrator_becomes_residential(
    smith: Store, run_sql: RunSql
) -> None:
    """A number that keeps the promise may become residential, and is held to it from then on."""
    add(smith, membership(SMITH, "mary", "administrator"))
    run_sql("UPDATE customer SET kind = 'residential' WHERE id = '123456789'")

    assert ["residential_single_administrator"] == refuse(
        smith, membership(SMITH, "thomas", "administrator")
    )


def test_the_copied_kind_is_the_customers(smith: Store, run_sql: RunSql) -> None:
    """A membership is stored with the kind of its customer, which it was not given."""
    add(smith, membership(SMITH, "mary", "user"), membership(JONES, "mary", "user"))
    expected = [(SMITH, "business"), (JONES, "residential")]

    assert expected == run_sql(
        "SELECT customer_id, customer_kind FROM membership ORDER BY customer_kind"
    )


def test_a_membership_without_its_customer_is_refused(smith: Store) -> None:
    """A membership of a number that does not exist is refused."""
    assert ["refused_by_database"] == refuse(smith, membership("555", "mary", "user"))


def test_promises_are_told_apart_by_their_columns() -> None:
    """No two promises about one type list the same columns, as SQLite names nothing else."""
    told = {(type_name(each.model), each.columns) for each in PROMISES}

    assert len(PROMISES) == len(told)


def test_promises_are_told_apart_by_their_codes() -> None:
    """No two promises have the same code."""
    assert len(PROMISES) == len({each.code for each in PROMISES})
