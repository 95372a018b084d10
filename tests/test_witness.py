"""A world made real: rows that a database and a fixture take, under their right ids."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

import peewee
import small_domain
from small_domain import ALICE, BOB, NOON, REPORT, ask_for

from authz_service.equivalence.comparison import Bounds, compare_policies
from authz_service.equivalence.witness import Trial, Witness
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import PolicyFile, build_policy_set
from authz_service.store.domain import Domain
from authz_service.store.entity import Entity, Reference, Row

if TYPE_CHECKING:
    from authz_service.equivalence.comparison import Difference


class User(Entity):
    """Somebody who asks."""


class Team(Entity):
    """People who work together, with a short word for them."""

    code = peewee.TextField()


class Seat(Entity):
    """A place in a team, called after its word and its user."""

    team = peewee.ForeignKeyField(Team, backref="seats")
    user = peewee.ForeignKeyField(User, backref="seats")

    id_parts = ("team.code", "user")


class Folder(Entity):
    """A folder, called after the one that it is in."""

    parent = peewee.ForeignKeyField("self", null=True, backref="folders")
    name = peewee.TextField()

    id_parts = ("parent", "name")


FOLDERS: Final = Domain(
    name="the folders",
    models=(User, Folder),
    subjects=frozenset({"user"}),
    actions={"folder": ("open",)},
)
TEAMS: Final = Domain(
    name="the teams",
    models=(User, Team, Seat),
    subjects=frozenset({"user"}),
    actions={"team": ("enter",)},
)


def find_difference(domain: Domain, old: str, new: str) -> Difference:
    """Hold two policies against each other that differ."""
    first, second = (
        CompiledEngine(build_policy_set(name, [PolicyFile("main.polar", text)]), domain, 60_000)
        for name, text in (("old", old), ("new", new))
    )
    found = compare_policies(first, second, domain, Bounds(), lambda: 0.0).difference
    assert found is not None
    return found


def values_of(difference: Difference) -> dict[str, dict[str, Any]]:
    """Find what is stored, by what it is called."""
    return {str(row.reference): dict(row.values) for row in difference.witness.rows}


def test_what_nobody_looks_at_is_filled_in() -> None:
    """A record needs a status, and what it does not need is left out."""
    rules = 'allow(_: Request, "write", _: Record);\nallow(_: Request, "delete", _: Record);\n'
    found = find_difference(
        small_domain.DOMAIN,
        f'{rules}allow(request: Request, "read", _: Record) if request.subject.role = "admin";',
        f'{rules}allow(request: Request, "read", _: Record) if request.subject.role = "member";',
    )

    assert {
        "user/ann": {"name": "ann", "role": "admin"},
        "record/record-1": {"status": "active", "readers": ()},
    } == values_of(found)


def test_ids_are_what_the_domain_makes_of_them() -> None:
    """Also where they are made of what is no part of another id, and so is known last."""
    found = find_difference(
        TEAMS,
        'allow(_: Request, "enter", _: Team);',
        'allow(request: Request, "enter", team: Team) if not (seat in team.seats and '
        "seat.user = request.subject);",
    )

    assert {
        "user/ann": {},
        "team/team-1": {"code": "team-1"},
        "seat/team-1/ann": {"team": "team-1", "user": "ann"},
    } == values_of(found)


def test_ids_may_be_made_of_others_of_their_type() -> None:
    """There is no end to them, so few are tried."""
    found = find_difference(
        FOLDERS,
        'allow(_: Request, "open", _: Folder);',
        'allow(_: Request, "open", folder: Folder) if not (inner in folder.folders and '
        'inner.name = "attic");',
    )

    assert {
        "user/ann": {},
        "folder/folder-1": {"parent": None, "name": "other"},
        "folder/folder-1/attic": {"parent": "folder-1", "name": "attic"},
    } == values_of(found)


def test_there_is_something_in_every_store() -> None:
    """A fixture that holds nothing cannot be loaded, though a question may need no entity."""
    rules = "\n".join(f'allow(_: Request, "{each}", _: Invoice);' for each in ("approve", "pay"))
    view = 'allow(request: Request, "view", _: Invoice) if request.subject matches '
    found = find_difference(
        importlib.import_module("domains.invoices").DOMAIN,
        f"{rules}\n{view}Supplier{{is_blocked: true}};",
        f"{rules}\n{view}Supplier{{is_blocked: false}};",
    )

    assert "supplier" == found.witness.request.subject.type
    assert ["clerk"] == [row.reference.type for row in found.witness.rows]


def test_a_store_is_forgotten_once_it_was_asked() -> None:
    """The same entities can be there in the next one; what is refused leaves nothing behind."""
    text = 'allow(_: Request, "read", _: Record);\nallow(_: Request, "write", _: Record);\n'
    policies = build_policy_set("policies", [PolicyFile("records.polar", text)])
    trial = Trial(small_domain.DOMAIN, [CompiledEngine(policies, small_domain.DOMAIN, 60_000)] * 2)
    titled = [
        Row(Reference("record", each), {"status": "active", "title": "one"})
        for each in ("report", "note")
    ]
    user = Row(ALICE, {"name": "Alice", "role": "member"})
    answers = [
        trial.ask(Witness(rows, ask_for(subject, resource=REPORT), NOON))
        for rows, subject in (
            ((user, titled[0]), ALICE),
            ((user, *titled), ALICE),
            ((user, titled[0]), BOB),
        )
    ]
    trial.close()

    assert [[(), ()], None, [("unknown_subject",)] * 2] == answers
