"""The portal's policies, held against a second reading of what they stand for.

The tables below say the same as the policies in other words. Random stores are asked random
questions, and both must give the same reasons, all of them.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from authz_service import assembly
from authz_service.policy.request import Request, read_given
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.store.database import open_store
from authz_service.store.entity import Reference, Row
from authz_service.store.url import MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from authz_service.policy.engine import Engine

STORES: Final = 40
QUESTIONS: Final = 60

ADMINISTRATORS: Final = {"administrator", "access_owner"}
CHANNELS: Final = ["web", "app"]
WEB_ONLY: Final = ["web"]
NO_LIST: Final[list[str]] = []  # by any channel, also by one that nobody knows

# Who may: what one has to be, and by which channels it is offered.
MAY: Final[Mapping[tuple[str, str], tuple[set[str], list[str]]]] = {
    ("subscription", "view_bills"): ({"administrator"}, CHANNELS),
    ("subscription", "view_usage"): ({"administrator", "holder of this mobile"}, CHANNELS),
    ("subscription", "manage_options"): ({"administrator"}, CHANNELS),
    ("subscription", "activate_paid_option"): ({"administrator"}, CHANNELS),
    ("subscription", "activate_free_option"): (
        {"administrator", "holder of this mobile"},
        CHANNELS,
    ),
    ("customer", "view"): ({"member"}, CHANNELS),
    ("customer", "manage_account"): ({"administrator"}, CHANNELS),
    ("customer", "manage_users"): ({"access owner"}, CHANNELS),
    ("customer", "manage_bizz_club_points"): ({"administrator of a business"}, CHANNELS),
    ("customer", "become_administrator"): ({"member without administration"}, WEB_ONLY),
    ("customer", "step_down"): ({"administrator"}, WEB_ONLY),
    ("customer", "delegate_part"): (set(), NO_LIST),
    ("customer", "register_access_owner"): ({"member"}, WEB_ONLY),
    ("customer", "request_delegate_access"): ({"person without administration"}, WEB_ONLY),
    ("application", "access"): ({"administrator", "delegate with a grant"}, CHANNELS),
    ("access_owner_registration", "view"): ({"requester", "operator"}, CHANNELS),
    ("access_owner_registration", "record_call"): ({"operator"}, NO_LIST),
    ("access_owner_registration", "send_agreement"): ({"operator"}, NO_LIST),
    ("access_owner_registration", "record_agreement"): ({"operator"}, NO_LIST),
    ("access_owner_registration", "confirm"): ({"operator"}, NO_LIST),
    ("delegate_request", "view"): ({"requester", "access owner"}, CHANNELS),
    ("delegate_request", "approve"): ({"access owner"}, CHANNELS),
    ("delegate_request", "reject"): ({"access owner"}, CHANNELS),
    ("delegate_request", "confirm_email"): ({"requester, fixed"}, NO_LIST),
    ("delegate_request", "confirm_code"): ({"requester, mobile"}, NO_LIST),
    ("delegate_request", "withdraw"): ({"requester"}, CHANNELS),
}

# The states in which each step of a registration can be taken.
TURNS: Final = {
    "record_call": {"submitted"},
    "send_agreement": {"called"},
    "record_agreement": {"agreement_sent"},
    "confirm": {"agreement_signed"},
    "approve": {"submitted", "code_confirmed"},
    "reject": {"submitted", "code_confirmed"},
    "confirm_email": {"approved"},
    "confirm_code": {"submitted", "approved"},
    "withdraw": {"submitted", "code_confirmed", "approved"},
}

REASONS: Final = {
    "access_owner_taken",
    "excluded_from_administration",
    "no_access_owner",
    "not_offered_on_channel",
    "not_permitted",
    "partial_delegation",
    "residential_has_no_access_owner",
    "residential_single_administrator",
    "unknown_channel",
    "unknown_resource",
    "unknown_subject",
    "wrong_state",
}


@dataclass(frozen=True)
class Question:
    """A question with what it is about, looked up."""

    request: Request
    values: Mapping[str, Any]
    customer: str
    kind: str
    members: Mapping[str, Mapping[str, Any]]
    applications: set[str]

    @property
    def action(self) -> str:
        """What for."""
        return self.request.action

    @property
    def subject(self) -> str:
        """The login of who asks."""
        return self.request.subject.id

    @property
    def role(self) -> str:
        """The role of the person who asks; empty for none, and for an operator."""
        is_person = self.request.subject.type == "person"
        return self.members.get(self.subject, {"role": ""})["role"] if is_person else ""

    @property
    def roles(self) -> set[str]:
        """The roles that the customer number has given."""
        return {each["role"] for each in self.members.values()}

    @property
    def excluded(self) -> bool:
        """Whether the person who asks is marked as excluded from administration."""
        return bool(self.role) and self.members[self.subject]["excluded_from_administration"]

    @property
    def state(self) -> str:
        """How far the registration is."""
        return str(self.values["status"])


# What forbids an action, whoever asks for it, but for channels: reason, action, and when.
FORBIDDEN: Final[list[tuple[str, str, Callable[[Question], bool]]]] = [
    (
        "residential_single_administrator",
        "become_administrator",
        lambda asked: asked.kind == "residential" and bool(asked.roles & ADMINISTRATORS),
    ),
    ("excluded_from_administration", "become_administrator", lambda asked: asked.excluded),
    (
        "access_owner_taken",
        "register_access_owner",
        lambda asked: "access_owner" in asked.roles,
    ),
    (
        "residential_has_no_access_owner",
        "register_access_owner",
        lambda asked: asked.kind == "residential",
    ),
    (
        "residential_has_no_access_owner",
        "request_delegate_access",
        lambda asked: asked.kind == "residential",
    ),
    (
        "no_access_owner",
        "request_delegate_access",
        lambda asked: asked.kind == "business" and "access_owner" not in asked.roles,
    ),
    ("partial_delegation", "delegate_part", lambda _asked: True),
    (
        "partial_delegation",  # by naming less than a whole application
        "request_delegate_access",
        lambda asked: not asked.applications.issuperset(asked.request.given["applications"]),
    ),
    (
        "partial_delegation",  # by passing on what one was granted
        "approve",
        lambda asked: asked.role == "delegate",
    ),
    *[
        ("wrong_state", step, lambda asked, states=states: asked.state not in states)
        for step, states in TURNS.items()
    ],
]


class Reading:
    """The tables, read over the entities of one store."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = {row.reference: row.values for row in rows}

    def reasons(self, request: Request) -> tuple[str, ...]:
        """Find everything that stands against a request."""
        if request.subject not in self.rows:
            return ("unknown_subject",)
        if request.resource not in self.rows:
            return ("unknown_resource",)
        question = self.look_up(request)
        codes = {
            *(
                reason
                for reason, action, when in FORBIDDEN
                if action == request.action and when(question)
            ),
            *channel_forbids(question),
        }
        wanted, _ = MAY[request.resource.type, request.action]
        if wanted.isdisjoint(self.standings(question)):
            codes.add("not_permitted")
        return tuple(sorted(codes))

    def look_up(self, request: Request) -> Question:
        """Find the customer number that a request is about, and its members."""
        values = self.rows[request.resource]
        is_customer = request.resource.type == "customer"
        customer = request.resource.id if is_customer else values["customer"]
        kind = self.rows[Reference("customer", customer)]["kind"]
        members = {
            row["person"]: row
            for reference, row in self.rows.items()
            if reference.type == "membership" and row["customer"] == customer
        }
        applications = {
            reference.id
            for reference, row in self.rows.items()
            if reference.type == "application" and row["customer"] == customer
        }
        return Question(request, values, customer, kind, members, applications)

    def standings(self, asked: Question) -> Iterator[str]:
        """Find what the subject is with regard to the resource."""
        if asked.request.subject.type == "operator":
            yield "operator"
            return
        yield from role_standings(asked)
        resource = asked.request.resource
        if resource.type == "subscription" and asked.values["kind"] == "mobile":
            yield "holder of this mobile" if asked.values["holder"] == asked.subject else ""
        if resource.type == "application" and asked.role == "delegate":
            grant = f"{asked.customer}/{asked.subject}/{asked.values['name']}"
            is_granted = Reference("application_grant", grant) in self.rows
            yield "delegate with a grant" if is_granted else ""
        if "status" in asked.values and asked.values["person"] == asked.subject:
            yield "requester"
            yield f"requester, {asked.values.get('kind')}"


def role_standings(asked: Question) -> Iterator[str]:
    """Find what a person is by their role, or for want of one."""
    if asked.role:
        yield "member"
    if asked.role in ADMINISTRATORS:
        yield "administrator"
        yield f"administrator of a {asked.kind}"
    else:
        yield "person without administration"
        yield "member without administration" if asked.role else ""
    if asked.role == "access_owner":
        yield "access owner"


def channel_forbids(asked: Question) -> Iterator[str]:
    """Find what the channel forbids; without one, it has to be offered on every channel."""
    _, offered = MAY[asked.request.resource.type, asked.action]
    if asked.action == "access" and asked.values["name"] == "onedrive":
        offered = WEB_ONLY
    channel = asked.request.given["channel"]
    if not offered:
        return
    if channel not in {None, *CHANNELS}:
        yield "unknown_channel"
    elif not {channel or "app"} <= set(offered):
        yield "not_offered_on_channel"


class Chance:
    """Makes stores and questions of all sorts, the same for the same seed."""

    people: Final = ["ann", "bea", "cas", "dan", "eve"]
    operators: Final = ["olga", "omar"]
    customers: Final = ["111", "222", "333"]

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  # the same each time is what we want

    def rows(self) -> list[Row]:
        """Make the entities of a store, each after those that it refers to."""
        rows = [_row("operator", each, name=each) for each in self.operators]
        rows += [
            _row("person", each, name=each, email=f"{each}@mail.example") for each in self.people
        ]
        for customer in self.customers:
            kind = self._random.choice(["residential", "business"])
            rows.append(_row("customer", customer, name=customer, kind=kind))
            rows += self._memberships(customer, kind)
            rows += self._possessions(customer)
        return rows

    def _memberships(self, customer: str, kind: str) -> Iterator[Row]:
        taken: set[str] = set()
        for person in self._random.sample(self.people, self._random.randint(1, 5)):
            role = self._random.choice(["access_owner", "administrator", "delegate", "user"])
            single = {"access_owner"} if kind == "business" else ADMINISTRATORS
            if role in single and taken & single:
                role = "user"
            taken.add(role)
            yield _row(
                "membership",
                f"{customer}/{person}",
                customer=customer,
                person=person,
                role=role,
                excluded_from_administration=self._random.random() < 0.3,
            )

    def _possessions(self, customer: str) -> Iterator[Row]:
        choose, of = self._random.choice, {"customer": customer}
        for number in range(2):
            kind, holder = choose(["mobile", "mobile", "tv"]), choose([*self.people, None])
            yield _row("subscription", f"{customer}-{number}", kind=kind, holder=holder, **of)
        names = self._random.sample(["onedrive", "cloud", "foot_11"], 2)
        applications = tuple(f"{customer}/{name}" for name in names)
        for name in names:
            yield _row("application", f"{customer}/{name}", name=name, **of)
            for person in self._random.sample(self.people, 3):
                yield _row(
                    "application_grant",
                    f"{customer}/{person}/{name}",
                    application=f"{customer}/{name}",
                    person=person,
                    granted_by=choose(self.people),
                )
        for number, status in enumerate(self._some(_choices("delegate_request", "status"))):
            yield _row(
                "delegate_request",
                f"{customer}-{number}",
                person=choose(self.people),
                kind=choose(["fixed", "mobile"]),
                status=status,
                applications=applications,
                **of,
            )
        for number, status in enumerate(
            self._some(_choices("access_owner_registration", "status"))
        ):
            yield _row(
                "access_owner_registration",
                f"{customer}-{number}",
                person=choose(self.people),
                terms_accepted=True,
                status=status,
                **of,
            )

    def _some(self, words: tuple[str, ...]) -> list[str]:
        return self._random.sample(words, 4)

    def request(self, rows: list[Row]) -> Request:
        """Make a question; half of the time by somebody whom the resource is about."""
        choose = self._random.choice
        kind, action = choose(list(MAY))
        row = choose([each for each in rows if each.reference.type == kind])
        customer = row.values.get("customer", row.reference.id)
        subjects = [Reference("person", each) for each in self.people]
        subjects += [Reference("operator", each) for each in self.operators]
        near = [row.values.get("person"), row.values.get("holder")]
        near += [each.values["person"] for each in rows if _is_member(each, customer)]
        if self._random.random() < 0.5:
            subjects = [Reference("person", each) for each in near if each]
        applications = choose([[], [], [], [f"{customer}/cloud"], ["111/cloud/photos"], ["cloud"]])
        channel = choose(["web", "web", "web", "app", "app", None, None, "post", ""])
        given = read_given(DOMAIN.schema, {"channel": channel}, {"applications": applications})
        resource, subject = row.reference, choose(subjects)
        if self._random.random() < 0.02:
            resource = Reference(kind, "nowhere")
        if self._random.random() < 0.02:
            subject = Reference(subject.type, "nobody")
        return Request(subject, action, resource, given)


def _row(kind: str, identity: str, /, **values: Any) -> Row:
    return Row(Reference(kind, identity), values)


def _choices(kind: str, attribute: str) -> tuple[str, ...]:
    return DOMAIN.schema.types[kind].attributes[attribute].choices


def _is_member(row: Row, customer: str) -> bool:
    return row.reference.type == "membership" and row.values["customer"] == customer


@cache
def cases(seed: int) -> tuple[list[Row], list[Request]]:
    """Make a store and the questions that it is asked."""
    chance = Chance(seed)
    rows = chance.rows()
    return rows, [chance.request(rows) for _ in range(QUESTIONS)]


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The policies of the portal."""
    policies = Path(__file__).parent.parent / "policies"
    return assembly.build_engine(Settings(policies=policies, time_limit=60_000), DOMAIN)


@pytest.mark.parametrize("seed", range(STORES))
def test_the_policies_say_what_the_tables_say(engine: Engine, seed: int) -> None:
    """Decider and tables give the same reasons for every question, or both none."""
    rows, requests = cases(seed)
    store = open_store(MEMORY, DOMAIN)
    with store.transaction():
        store.create_tables()
        for row in rows:
            store.insert(row)
    decider = assembly.build_decider(engine, DOMAIN, store)
    reading = Reading(rows)
    decisions = [(request, decider.check(request)) for request in requests]
    store.close()

    assert [(request, reading.reasons(request)) for request in requests] == [
        (request, tuple(reason.code for reason in decision.reasons))
        for request, decision in decisions
    ]


def test_the_tables_have_every_action() -> None:
    """No action of the domain is left out."""
    assert {
        (kind, action) for kind, actions in DOMAIN.actions.items() for action in actions
    } == set(MAY)


def test_chance_leaves_nothing_out() -> None:
    """Among the questions, every action is allowed somewhere, and every reason is given."""
    allowed: Counter[tuple[str, str]] = Counter()
    given: Counter[str] = Counter()
    for seed in range(STORES):
        rows, requests = cases(seed)
        reading = Reading(rows)
        for request in requests:
            reasons = reading.reasons(request)
            given.update(reasons)
            allowed[request.resource.type, request.action] += not reasons

    assert {("customer", "delegate_part")} == set(MAY) - set(+allowed)
    assert set(given) == REASONS
