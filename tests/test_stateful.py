"""Anything may happen in any order: store, answers and messages are as the model says."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from portal_model import ADMINISTRATING, ORDER, Form, Model, Wish
from reference import load_oracle

from authz_service import assembly
from authz_service.decision.performer import Deed
from authz_service.policy.request import Said, build_request, read_inputs
from authz_service.policy.source import load_policies
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.store.database import BrokenPromiseError, open_store
from authz_service.store.entity import Reference, Row
from authz_service.store.system import Message
from authz_service.store.url import MEMORY
from authz_service.store.writer import Cause, find_changes, find_revision, write

if TYPE_CHECKING:
    from authz_service.decision.performer import Performed
    from authz_service.policy.engine import Engine

ROOT: Final = Path(__file__).parent.parent
NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
SETTINGS: Final = replace(Settings(), policies=ROOT / "policies")
PEOPLE: Final = ("ann", "bob", "cas", "dan")
NUMBERS: Final = ("firm", "home")
MEMBERS: Final = (
    ("firm", "ann"),
    ("firm", "bob"),
    ("firm", "dan"),
    ("home", "ann"),
    ("home", "cas"),
)
APPLICATIONS: Final = ("firm/cloud", "firm/onedrive")
POLICIES: Final = load_policies(SETTINGS.policies)
COMPILED: Final = assembly.build_compiled(SETTINGS, DOMAIN)
# one engine alone is held against the model where oso cannot be installed
ENGINES: Final[tuple[Engine, ...]] = (
    COMPILED,
    *([load_oracle(POLICIES, DOMAIN, 600_000)] if assembly.has_reference() else []),
)
WEB: Final = {"channel": "web"}

people = st.sampled_from(PEOPLE)
numbers = st.sampled_from(NUMBERS)


@dataclass
class Pending:
    """A form or a wish that is under way, in the store and in the model."""

    reference: Reference
    is_like: Form | Wish
    token: str = ""


class Portal(RuleBasedStateMachine):
    """Drives the service and the model side by side."""

    forms = Bundle("forms")
    wishes = Bundle("wishes")

    def __init__(self) -> None:
        super().__init__()
        self.looking = itertools.cycle(itertools.product(PEOPLE, NUMBERS))
        self.model = Model({"home"}, {"ann", "bob"}, {("firm", "dan")})
        self.store = open_store(MEMORY, DOMAIN)
        with self.store.transaction():
            self.store.create_tables()
            with write(self.store, Cause(), NOW) as writer:
                for row in self.rows():
                    writer.insert(row)
        self.performer = assembly.build_performer(
            COMPILED, DOMAIN, self.store, lambda: NOW, SETTINGS
        )

    def rows(self) -> list[Row]:
        """The people, a firm and a home, and their members."""
        found = [Row(Reference("operator", "rita"), {"name": "Rita"})]
        for each in PEOPLE:
            mobile = f"047{each}" if each in self.model.with_mobile else None
            values = {"name": each.title(), "email": f"{each}@example.com", "mobile": mobile}
            found.append(Row(Reference("person", each), values))
        for number, kind in (("firm", "business"), ("home", "residential")):
            found.append(Row(Reference("customer", number), {"name": number, "kind": kind}))
        for each in APPLICATIONS:
            values = {"customer": "firm", "name": each.removeprefix("firm/")}
            found.append(Row(Reference("application", each), values))
        for number, person in MEMBERS:
            self.model.roles[number, person] = "user"
            member: dict[str, Any] = {"customer": number, "person": person, "role": "user"}
            member["excluded_from_administration"] = (number, person) in self.model.excluded
            found.append(Row(Reference("membership", f"{number}/{person}"), member))
        return found

    def do(self, who: str, action: str, on: Reference, **properties: Any) -> Performed:
        """Perform something on the web."""
        said = Said(context=WEB, action=properties)
        request = build_request(DOMAIN.schema, Reference.parse(who), action, on, said)
        return self.performer.perform(Deed(request, read_inputs(DOMAIN.schema, properties)))

    def last_token(self, person: str) -> str:
        """The token of the last message to somebody."""
        addresses = {f"{person}@example.com", f"047{person}"}
        rows = self.store.run(Message.select().dicts())
        mine = [json.loads(each["fields"]) for each in rows if each["address"] in addresses]
        tokens = [each.get("code") or each.get("token") for each in mine]
        return next((each for each in reversed(tokens) if each), "")

    @rule(person=people, number=numbers)
    def become_administrator(self, person: str, number: str) -> None:
        """A member wants to administer."""
        done = self.do(f"person/{person}", "become_administrator", Reference("customer", number))

        assert self.model.become_administrator(person, number) == done.decision.allowed

    @rule(person=people, number=numbers)
    def step_down(self, person: str, number: str) -> None:
        """An administrator does not want to any more."""
        done = self.do(f"person/{person}", "step_down", Reference("customer", number))

        assert self.model.step_down(person, number) == done.decision.allowed

    @rule(target=forms, person=people, number=numbers, terms=st.booleans())
    def register(self, person: str, number: str, *, terms: bool) -> Pending | None:
        """A member sends in the form."""
        customer = Reference("customer", number)
        done = self.do(f"person/{person}", "register_access_owner", customer, terms_accepted=terms)
        form = self.model.register(person, number, terms=terms)

        assert (form is not None) == done.decision.allowed
        return Pending(reference_of(done), form) if form else None

    @rule(pending=forms, action=st.sampled_from(ORDER))
    def take(self, pending: Pending | None, action: str) -> None:
        """The back office takes a step, in order or not."""
        if pending:
            done = self.do("operator/rita", action, pending.reference)

            assert isinstance(pending.is_like, Form)
            assert self.model.take(pending.is_like, action) == done.decision.allowed

    @rule(
        target=wishes,
        person=people,
        number=numbers,
        kind=st.sampled_from(("fixed", "mobile")),
        applications=st.sets(st.sampled_from(APPLICATIONS)),
    )
    def wish(self, person: str, number: str, kind: str, applications: set[str]) -> Pending | None:
        """Somebody asks for access."""
        chosen = tuple(sorted(applications))
        customer = Reference("customer", number)
        said = {"kind": kind, "applications": list(chosen)}
        done = self.do(f"person/{person}", "request_delegate_access", customer, **said)
        wish = self.model.wish(person, number, kind, chosen)

        assert (wish is not None) == done.decision.allowed
        if not wish:
            return None
        token = self.last_token(person) if kind == "mobile" else ""
        return Pending(reference_of(done), wish, token)

    @rule(pending=wishes, person=people, action=st.sampled_from(("approve", "reject", "withdraw")))
    def decide(self, pending: Pending | None, person: str, action: str) -> None:
        """Somebody says yes, or no, or never mind."""
        if pending:
            done = self.do(f"person/{person}", action, pending.reference)

            assert isinstance(pending.is_like, Wish)
            assert getattr(self.model, action)(pending.is_like, person) == done.decision.allowed
            if action == "approve" and pending.is_like.kind == "fixed" and done.decision.allowed:
                pending.token = self.last_token(pending.is_like.person)

    @rule(pending=wishes, person=people, right=st.booleans())
    def confirm(self, pending: Pending | None, person: str, *, right: bool) -> None:
        """Somebody enters a token, of theirs or not, right or wrong."""
        if pending:
            assert isinstance(pending.is_like, Wish)
            action = "confirm_email" if pending.is_like.kind == "fixed" else "confirm_code"
            token = pending.token if right else f"{pending.token}0"
            done = self.do(f"person/{person}", action, pending.reference, token=token)
            expected = self.model.confirm(pending.is_like, person, right=right)

            assert expected == done.decision.allowed

    @rule(
        person=people,
        number=numbers,
        role=st.sampled_from(("user", "administrator", "access_owner")),
    )
    def write_role(self, person: str, number: str, role: str) -> None:
        """Another system writes a role, which the promises may refuse."""
        reference = Reference("membership", f"{number}/{person}")
        before = self.model.role(number, person)
        if not before or before == "delegate":
            return
        is_refused = self.model.breaks_promise(number, person, role)
        try:
            with write(self.store, Cause("sync"), NOW) as writer:
                writer.update(reference, role=role)
        except BrokenPromiseError:
            assert is_refused
        else:
            assert not is_refused
            self.model.roles[number, person] = role

    @invariant()
    def roles_are_those_of_the_model(self) -> None:
        """And so are the grants."""
        roles = {
            (row.values["customer"], row.values["person"]): row.values["role"]
            for row in map(self.store.find, self.references("membership"))
            if row
        }
        grants = {
            (row.values["application"], row.values["person"])
            for row in map(self.store.find, self.references("application_grant"))
            if row
        }

        assert self.model.roles == roles
        assert self.model.grants == grants

    @invariant()
    def the_promises_hold(self) -> None:
        """One access owner a number, one administrator a residential one."""
        for number in NUMBERS:
            roles = [each for key, each in self.model.roles.items() if key[0] == number]

            assert roles.count("access_owner") <= 1
        assert len(self.model.administrators("home")) <= 1

    @invariant()
    def the_messages_are_those_of_the_model(self) -> None:
        """Who was told what, how often."""
        rows = self.store.run(Message.select().dicts())
        found = Counter(
            (each["template"], each["address"].removesuffix("@example.com").removeprefix("047"))
            for each in rows
        )

        assert self.model.told == found

    @invariant()
    def the_feed_has_no_gap(self) -> None:
        """Each change has the revision after that of the one before."""
        last = find_revision(self.store)

        assert list(range(1, last + 1)) == [
            each.revision for each in find_changes(self.store, 0, last + 1)
        ]

    @invariant()
    def decisions_are_those_of_the_model(self) -> None:
        """After each step somebody looks at something: both engines say what the model says."""
        person, number = next(self.looking)
        role = self.model.role(number, person)
        asked = [
            ("view", Reference("customer", number), bool(role)),
            ("manage_account", Reference("customer", number), role in ADMINISTRATING),
            ("manage_users", Reference("customer", number), role == "access_owner"),
        ]
        if number == "firm":
            asked += [
                ("access", Reference("application", each), self.may_open(each, person, role))
                for each in APPLICATIONS
            ]
        for action, on, expected in asked:
            subject = Reference("person", person)
            request = build_request(DOMAIN.schema, subject, action, on, Said(context=WEB))
            reasons = {each.reasons(self.store, request, NOW) for each in ENGINES}

            assert {expected} == {not each for each in reasons}
            assert 1 == len(reasons)

    def may_open(self, application: str, person: str, role: str) -> bool:
        """Whether somebody may open an application of the firm."""
        is_granted = role == "delegate" and (application, person) in self.model.grants
        return role in ADMINISTRATING or is_granted

    def references(self, kind: str) -> list[Reference]:
        """All entities of a type."""
        return [Reference(kind, each) for each in self.store.find_ids(kind)]

    def teardown(self) -> None:
        """Close the store."""
        self.store.close()


def reference_of(performed: Performed) -> Reference:
    """The entity that was made."""
    if not performed.changes:
        return Reference("none", "none")
    [change] = performed.changes
    return Reference(change["type"], change["id"])


TestPortal = Portal.TestCase
TestPortal.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
