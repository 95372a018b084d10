"""A second, tiny domain: users and records, to show that the engine knows no other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import peewee
from reference import load_oracle

from authz_service import assembly
from authz_service.polar.schema import BOOLEAN, INTEGER, STRING, Attribute
from authz_service.policy.request import Request, read_given
from authz_service.policy.source import load_policies
from authz_service.store.database import open_store
from authz_service.store.domain import Domain, Promise
from authz_service.store.entity import ChoiceField, Entity, InstantField, Reference, Row
from authz_service.store.url import MEMORY

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.decision.decider import Decider
    from authz_service.policy.engine import Engine
    from authz_service.policy.oracle import Oracle
    from authz_service.store.database import Store


class User(Entity):
    """Somebody who reads and writes."""

    name = peewee.TextField()
    role = ChoiceField("admin", "member")
    manager = peewee.ForeignKeyField("self", null=True, backref="reports")


class Record(Entity):
    """Something that is read and written; whatever can be unknown about it, is nullable."""

    status = ChoiceField("active", "archived")
    owner = peewee.ForeignKeyField(User, null=True, backref="records")
    title = peewee.TextField(null=True)
    size = peewee.IntegerField(null=True)
    secret = peewee.BooleanField(null=True)
    created = InstantField(null=True)
    readers = peewee.ManyToManyField(User)


DOMAIN: Final = Domain(
    name="the records",
    models=(User, Record),
    subjects=frozenset({"user"}),
    actions={"record": ("read", "write", "delete")},
    context=(Attribute("channel", STRING, nullable=True),),
    parameters=(
        Attribute("soft", BOOLEAN, nullable=True),
        Attribute("copies", INTEGER, nullable=True),
        Attribute("parts", STRING, many=True),
    ),
    promises=(Promise("one_title", Record, ("title",), "a title is given once"),),
)

ALICE: Final = Reference("user", "alice")
BOB: Final = Reference("user", "bob")
REPORT: Final = Reference("record", "report")
NOTE: Final = Reference("record", "note")
NOON: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)

# Alice is a member and manages nobody; Bob, an admin, has her as his manager. The report is
# Alice's, and both read it. Of the note nothing is known but that it is archived.
ROWS: Final = (
    Row(ALICE, {"name": "Alice", "role": "member", "manager": None}),
    Row(BOB, {"name": "Bob", "role": "admin", "manager": "alice"}),
    Row(
        REPORT,
        {
            "status": "active",
            "owner": "alice",
            "title": "Report",
            "size": 3,
            "secret": False,
            "created": datetime(2026, 1, 1, tzinfo=UTC),
            "readers": ("alice", "bob"),
        },
    ),
    Row(NOTE, {"status": "archived"}),
)


def build_records(url: str = MEMORY) -> Store:
    """Make a store that holds the rows above."""
    store = open_store(url, DOMAIN)
    with store.transaction():
        store.create_tables()
        for row in ROWS:
            store.insert(row)
    return store


def write_policy(folder: Path, text: str) -> Path:
    """Write a policy of a single file, and give back its folder."""
    policies = folder / "policies"
    policies.mkdir(parents=True, exist_ok=True)
    (policies / "records.polar").write_text(text, encoding="utf-8")
    return policies


def build_oracle(folder: Path, text: str, time_limit: int = 60_000) -> Oracle:
    """Load a policy of a single file."""
    return load_oracle(load_policies(write_policy(folder, text)), DOMAIN, time_limit)


def build_decider(oracle: Engine, store: Store) -> Decider:
    """Put a decider together whose clock has stopped at noon."""
    return assembly.build_decider(oracle, DOMAIN, store, lambda: NOON)


def ask_for(
    subject: Reference = ALICE,
    action: str = "read",
    resource: Reference = REPORT,
    context: dict[str, Any] | None = None,
    parameters: dict[str, Any] | None = None,
) -> Request:
    """Make a request; Alice reads the report unless it says otherwise."""
    given = read_given(DOMAIN.schema, context or {}, parameters or {})
    return Request(subject, action, resource, given)
