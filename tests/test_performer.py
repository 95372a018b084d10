"""Performing: what is decided is done, in one transaction, and told to whom it concerns."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from performing import ROOT, SETTINGS, build_portal_engine

from authz_service import assembly
from authz_service.decision.performer import Deed
from authz_service.errors import RequestConflictError, RequestError
from authz_service.policy.request import Said, build_request, read_inputs
from authz_service.portal import DOMAIN
from authz_service.store.entity import Reference, Row
from authz_service.store.fixture import load_fixtures
from authz_service.store.outbox import Notice, find_notices
from authz_service.store.system import Message
from authz_service.store.writer import Cause, find_changes, find_revision, write

if TYPE_CHECKING:
    from authz_service.decision.performer import Performed, Performer
    from authz_service.store.database import Store
    from authz_service.store.writer import Writer

BAKERY, MILL, SMITH, JANSSENS = "240817365", "318406529", "123456789", "517730264"
START: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands still until it is put forward."""

    now: datetime = START

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now


@dataclass
class Office:
    """A store with all fixtures, and what performs on it."""

    store: Store
    performer: Performer
    clock: Clock

    def do(  # noqa: PLR0913  # who, what, on what, and the circumstances
        self,
        who: str,
        action: str,
        on: str,
        *,
        via: str = "web",
        key: str = "",
        reason: str = "",
        **properties: Any,
    ) -> Performed:
        """Perform an action."""
        said = Said(context={"channel": via}, action=properties)
        asked = Reference.parse(who), action, Reference.parse(on)
        request = build_request(DOMAIN.schema, *asked, said)
        inputs = read_inputs(DOMAIN.schema, properties)
        return self.performer.perform(Deed(request, inputs, "tests", reason, key))

    def value(self, reference: str, name: str) -> Any:
        """Read one value of an entity; None where there is no such entity."""
        row = self.store.find_whole(Reference.parse(reference))
        return row.values[name] if row else None

    def messages(self) -> list[dict[str, Any]]:
        """Read the messages that were queued, in the order of their addresses."""
        rows = self.store.run(Message.select().order_by(Message.address).dicts())
        return [{**row, "fields": json.loads(row["fields"])} for row in rows]

    def register(self, who: str, customer: str) -> str:
        """Send in the form of an access owner, and find the registration."""
        done = self.do(who, "register_access_owner", f"customer/{customer}", terms_accepted=True)
        [change] = done.changes
        return f"{change['type']}/{change['id']}"

    def ask(self, who: str, kind: str, *names: str) -> str:
        """Ask for access to applications of the bakery, and find the request."""
        applications = [f"{BAKERY}/{name}" for name in names]
        what: dict[str, Any] = {"kind": kind, "applications": applications}
        done = self.do(who, "request_delegate_access", f"customer/{BAKERY}", **what)
        [change] = done.changes
        return f"{change['type']}/{change['id']}"

    def grants(self, person: str) -> list[str]:
        """The grants that somebody has."""
        found = self.store.find_ids("application_grant")
        return [each for each in found if each.split("/")[1] == person]


@pytest.fixture
def office(portal: Store) -> Office:
    """A store with all fixtures."""
    with write(portal, Cause(), START) as writer:
        load_fixtures([ROOT / "fixtures"], writer, DOMAIN)
    clock = Clock()
    performer = assembly.build_performer(build_portal_engine(), DOMAIN, portal, clock, SETTINGS)
    return Office(portal, performer, clock)


def codes(performed: Performed) -> list[str]:
    """The reasons of a denial."""
    return [each.code for each in performed.decision.reasons]


# Administration.


def test_a_member_becomes_an_administrator(office: Office) -> None:
    """AU 5: "You are now an administrator": the answer says what changed, and so does the feed."""
    before = find_revision(office.store)
    done = office.do("person/mary", "become_administrator", f"customer/{SMITH}", reason="holiday")
    [change] = find_changes(office.store, before, 10)

    assert done.decision.allowed
    assert before + 1 == done.revision == find_revision(office.store)
    assert "administrator" == office.value(f"membership/{SMITH}/mary", "role")
    assert [("user", "administrator")] == [
        (each["before"]["role"], each["after"]["role"]) for each in done.changes
    ]
    assert Cause("tests", "person/mary", "become_administrator", "holiday") == change.cause


def test_every_other_administrator_is_informed(office: Office) -> None:
    """AU 5; the access owner counts as one, the new one does not."""
    office.do("person/bram", "become_administrator", f"customer/{BAKERY}")

    assert ["els@bakery.example", "nadia@bakery.example"] == [
        each["address"] for each in office.messages()
    ]
    assert {"Bram De Wit"} == {each["fields"]["person_name"] for each in office.messages()}


def test_a_denial_changes_nothing(office: Office) -> None:
    """No change, no revision, no message."""
    before = find_revision(office.store)
    done = office.do("person/hanne", "become_administrator", f"customer/{BAKERY}")

    assert ["excluded_from_administration"] == codes(done)
    assert (before, ()) == (done.revision, done.changes)
    assert before == find_revision(office.store)
    assert [] == office.messages()


def test_a_delegate_who_becomes_administrator_loses_the_grants(office: Office) -> None:
    """(reading) They belong to the role; stepping down makes a user."""
    office.do("person/karim", "become_administrator", f"customer/{BAKERY}")
    office.do("person/karim", "step_down", f"customer/{BAKERY}")

    assert "user" == office.value(f"membership/{BAKERY}/karim", "role")
    assert [] == office.grants("karim")


# The access owner's registration.


def test_the_registration_goes_through_its_steps(office: Office) -> None:
    """GS 3.1-3.7: then the role is another, and the person is told."""
    registration = office.register("person/camille", MILL)
    states = [office.value(registration, "status")]
    for step in ("record_call", "send_agreement", "record_agreement", "confirm"):
        office.do("operator/rita", step, registration)
        states.append(office.value(registration, "status"))
    [message] = office.messages()

    assert ["submitted", "called", "agreement_sent", "agreement_signed", "confirmed"] == states
    assert "access_owner" == office.value(f"membership/{MILL}/camille", "role")
    assert ("access_owner_confirmed", "camille@mill.example") == (
        message["template"],
        message["address"],
    )


@pytest.mark.parametrize("terms", [None, False])
def test_the_terms_must_be_accepted(office: Office, terms: bool | None) -> None:  # noqa: FBT001
    """GS 3: without that the form is refused."""
    what: dict[str, Any] = {} if terms is None else {"terms_accepted": terms}
    done = office.do("person/camille", "register_access_owner", f"customer/{MILL}", **what)

    assert ["not_permitted"] == codes(done)
    assert "terms" in done.decision.reasons[0].message


def test_two_registrations_do_not_make_two_access_owners(office: Office) -> None:
    """The promise of the database refuses the second, by its own reason."""
    registrations = [office.register(f"person/{who}", MILL) for who in ("camille", "pierre")]
    last: list[Performed] = []
    for registration in registrations:
        for step in ("record_call", "send_agreement", "record_agreement", "confirm"):
            done = office.do("operator/rita", step, registration)
        last.append(done)

    assert [[], ["access_owner_taken"]] == [codes(each) for each in last]
    assert "agreement_signed" == office.value(registrations[1], "status")
    assert 1 == len(office.messages())


# The delegate's request.


def test_a_fixed_request_is_completed_by_the_link(office: Office) -> None:
    """GS 3.8: approved, then the link is followed; nothing is granted before that."""
    request = office.ask("person/bram", "fixed", "cloud", "onedrive")
    office.do("person/els", "approve", request)
    before = office.grants("bram")
    [message] = office.messages()
    done = office.do("person/bram", "confirm_email", request, token=message["fields"]["token"])

    assert done.decision.allowed
    assert [] == before
    assert ("delegate_link", "bram@bakery.example") == (message["template"], message["address"])
    assert [f"{BAKERY}/bram/cloud", f"{BAKERY}/bram/onedrive"] == office.grants("bram")
    assert "delegate" == office.value(f"membership/{BAKERY}/bram", "role")
    assert "els" == office.value(f"application_grant/{BAKERY}/bram/cloud", "granted_by")


@pytest.mark.parametrize("order", list(itertools.permutations(["approve", "confirm_code"])))
def test_a_mobile_request_takes_code_and_approval_in_either_order(
    office: Office, order: tuple[str, ...]
) -> None:
    """GS, last part; a person from outside gets a membership."""
    request = office.ask("person/yusuf", "mobile", "cloud")
    [message] = office.messages()
    states = []
    for action in order:
        who = {"approve": "person/els", "confirm_code": "person/yusuf"}[action]
        office.do(who, action, request, token=message["fields"]["code"])
        states.append(office.value(request, "status"))

    assert "completed" == states[1]
    assert {"approve": "approved", "confirm_code": "code_confirmed"}[order[0]] == states[0]
    assert ("sms", "0470000013") == (message["medium"], message["address"])
    assert "delegate" == office.value(f"membership/{BAKERY}/yusuf", "role")


def test_tokens_stand_in_messages_only(office: Office) -> None:
    """Neither the answers nor the feed have them, right or wrong."""
    request = office.ask("person/yusuf", "mobile", "cloud")
    [message] = office.messages()
    code = message["fields"]["code"]
    done = office.do("person/yusuf", "confirm_code", request, token=code)
    changes = find_changes(office.store, 0, 1_000)

    assert code not in repr(done)
    assert not any(code in repr(each.after) + repr(each.cause) for each in changes)


def test_five_wrong_tries_end_a_token(office: Office) -> None:
    """Then the right one does not help any more."""
    request = office.ask("person/yusuf", "mobile", "cloud")
    code = office.messages()[0]["fields"]["code"]
    wrong = str((int(code) + 1) % 10**6).zfill(6)
    tries = [office.do("person/yusuf", "confirm_code", request, token=wrong) for _ in range(5)]
    last = office.do("person/yusuf", "confirm_code", request, token=code)

    assert [["not_permitted"]] * 6 == [codes(each) for each in [*tries, last]]
    assert "submitted" == office.value(request, "status")


def test_four_wrong_tries_do_not(office: Office) -> None:
    """The fifth may be the right one."""
    request = office.ask("person/yusuf", "mobile", "cloud")
    code = office.messages()[0]["fields"]["code"]
    for _ in range(4):
        office.do("person/yusuf", "confirm_code", request, token=code + "0")
    done = office.do("person/yusuf", "confirm_code", request, token=code)

    assert done.decision.allowed


@pytest.mark.parametrize(
    ("kind", "lifetime"), [("mobile", timedelta(minutes=10)), ("fixed", timedelta(hours=24))]
)
@pytest.mark.parametrize("late", [False, True])
def test_a_token_ends_by_itself(
    office: Office,
    kind: str,
    lifetime: timedelta,
    late: bool,  # noqa: FBT001
) -> None:
    """A code after ten minutes, a link after a day."""
    request = office.ask("person/bram", kind, "cloud")
    office.do("person/els", "approve", request)
    [message] = office.messages()
    token = message["fields"]["code" if kind == "mobile" else "token"]
    office.clock.now += lifetime - timedelta(seconds=0 if late else 1)
    action = "confirm_code" if kind == "mobile" else "confirm_email"
    done = office.do("person/bram", action, request, token=token)

    assert late is not done.decision.allowed


@pytest.mark.parametrize("end", ["withdraw", "reject"])
def test_what_is_at_its_end_stays_there(office: Office, end: str) -> None:
    """`rejected` and `withdrawn` are final, and the token is of no use any more."""
    request = office.ask("person/yusuf", "mobile", "cloud")
    code = office.messages()[0]["fields"]["code"]
    office.do("person/els" if end == "reject" else "person/yusuf", end, request)
    done = office.do("person/yusuf", "confirm_code", request, token=code)

    assert ["wrong_state"] == codes(done)


def test_less_than_a_whole_application_is_refused(office: Office) -> None:
    """AU: it is not possible to delegate certain parts."""
    what: dict[str, Any] = {"kind": "fixed", "applications": [f"{BAKERY}/onedrive/photos"]}
    done = office.do("person/bram", "request_delegate_access", f"customer/{BAKERY}", **what)

    assert ["partial_delegation"] == codes(done)


@pytest.mark.parametrize(
    ("who", "what", "said"),
    [
        ("person/bram", {"kind": "fixed", "applications": []}, "no application"),
        (
            "person/jonas",
            {"kind": "mobile", "applications": [f"{BAKERY}/cloud"]},
            "no mobile number",
        ),
    ],
    ids=["nothing chosen", "no mobile"],
)
def test_a_request_that_cannot_be_served_is_refused(
    office: Office, who: str, what: dict[str, Any], said: str
) -> None:
    """It would lead nowhere; the words say why."""
    done = office.do(who, "request_delegate_access", f"customer/{BAKERY}", **what)

    assert ["not_permitted"] == codes(done)
    assert said in done.decision.reasons[0].message
    assert [] == office.messages()


@pytest.mark.parametrize("kind", [None, "fax"])
def test_a_request_of_no_kind_is_not_read(office: Office, kind: str | None) -> None:
    """There are two ways to become a delegate, and the caller says which."""
    what: dict[str, Any] = {"applications": [f"{BAKERY}/cloud"]}
    what |= {"kind": kind} if kind else {}
    with pytest.raises(RequestError, match="must be `fixed` or `mobile`"):
        office.do("person/bram", "request_delegate_access", f"customer/{BAKERY}", **what)


def test_who_became_administrator_meanwhile_stays_one(office: Office) -> None:
    """(reading) An administrator has it all already."""
    request = office.ask("person/bram", "mobile", "cloud")
    code = office.messages()[0]["fields"]["code"]
    office.do("person/bram", "become_administrator", f"customer/{BAKERY}")
    office.do("person/els", "approve", request)
    office.do("person/bram", "confirm_code", request, token=code)

    assert "completed" == office.value(request, "status")
    assert "administrator" == office.value(f"membership/{BAKERY}/bram", "role")
    assert [] == office.grants("bram")


def test_a_delegate_may_ask_for_more(office: Office) -> None:
    """What is granted already is not granted twice."""
    request = office.ask("person/karim", "fixed", "bill_analysis", "cloud")
    office.do("person/els", "approve", request)
    token = office.messages()[0]["fields"]["token"]
    done = office.do("person/karim", "confirm_email", request, token=token)

    assert done.decision.allowed
    assert [f"{BAKERY}/karim/bill_analysis", f"{BAKERY}/karim/cloud"] == office.grants("karim")


def test_without_an_access_owner_nothing_is_granted(office: Office) -> None:
    """The one who approved has stepped down: the request waits for somebody who grants it."""
    request = office.ask("person/bram", "fixed", "cloud")
    office.do("person/els", "approve", request)
    token = office.messages()[0]["fields"]["token"]
    office.do("person/els", "step_down", f"customer/{BAKERY}")
    done = office.do("person/bram", "confirm_email", request, token=token)

    assert ["no_access_owner"] == codes(done)
    assert "approved" == office.value(request, "status")


# Keys, and what cannot be performed.


def test_a_key_gets_the_first_answer_again(office: Office) -> None:
    """Also when the same would be denied by now."""
    what = ("person/mary", "become_administrator", f"customer/{SMITH}")
    first, again, without = (office.do(*what, key=key) for key in ("k1", "k1", ""))

    assert first == again
    assert ["not_permitted"] == codes(without)
    assert 1 == len(office.messages())


def test_a_denial_is_answered_again_as_well(office: Office) -> None:
    """The first answer is the answer."""
    what = ("person/hanne", "become_administrator", f"customer/{BAKERY}")
    first, again = (office.do(*what, key="k1") for _ in range(2))

    assert first == again
    assert ["excluded_from_administration"] == codes(again)


@pytest.mark.parametrize(
    "other",
    [
        {"who": "person/thomas"},
        {"action": "step_down"},
        {"via": "app"},
        {"reason": "x"},
        {"token": "x"},
    ],
    ids=lambda each: next(iter(each)),
)
def test_a_key_is_for_one_request(office: Office, other: dict[str, str]) -> None:
    """Another body under it is a conflict."""
    what = {"who": "person/mary", "action": "become_administrator", "on": f"customer/{SMITH}"}
    office.do(**what, key="k1")
    with pytest.raises(RequestConflictError, match="another request"):
        office.do(**{**what, **other}, key="k1")


def test_a_key_is_forgotten_after_a_day(office: Office) -> None:
    """Then it is a new one."""
    what = ("person/mary", "become_administrator", f"customer/{SMITH}")
    office.do(*what, key="k1")
    office.clock.now += timedelta(hours=24, seconds=1)

    assert ["not_permitted"] == codes(office.do(*what, key="k1"))


@pytest.mark.parametrize("key", ["x" * 201, "a\nb", "a\0"])
def test_not_everything_is_a_key(office: Office, key: str) -> None:
    """A key is short, and can be printed."""
    with pytest.raises(RequestError, match="at most 200 characters"):
        office.do("person/mary", "become_administrator", f"customer/{SMITH}", key=key)


def test_what_changes_nothing_is_not_performed(office: Office) -> None:
    """To look at bills is no deed."""
    with pytest.raises(RequestError, match="changes nothing"):
        office.do("person/philip", "view_bills", "subscription/internet-1")


def test_an_unknown_word_is_a_denial(office: Office) -> None:
    """As when it is only asked."""
    done = office.do("person/philip", "fly", f"customer/{SMITH}")

    assert ["unknown_action"] == codes(done)


def test_the_ids_of_new_entities_can_be_given(office: Office) -> None:
    """Messages have ids of their own, which nobody gives, so that the two cannot be mixed up."""
    ids = iter(["ask-1", "ask-2"])
    performer = assembly.build_performer(
        build_portal_engine(), DOMAIN, office.store, office.clock, new_id=lambda: next(ids)
    )
    given = replace(office, performer=performer)
    asked = [given.ask(f"person/{who}", "mobile", "cloud") for who in ("yusuf", "sofie")]

    assert ["delegate_request/ask-1", "delegate_request/ask-2"] == asked
    assert {"ask-1", "ask-2"}.isdisjoint(find_notices(office.store))


def test_messages_are_found_as_they_were_queued(office: Office) -> None:
    """Each by its id, with where it goes and what is filled in."""
    office.do("person/bram", "become_administrator", f"customer/{BAKERY}")
    fields = {
        "customer": BAKERY,
        "customer_name": "Bakery Vermeulen",
        "person_name": "Bram De Wit",
    }
    expected = [
        Notice("email", f"{who}@bakery.example", "en", "administrator_added", fields)
        for who in ("els", "nadia")
    ]
    found = find_notices(office.store)

    assert expected == sorted(found.values(), key=lambda each: each.address)
    assert {each["id"] for each in office.messages()} == set(found)


# Many at once.


def test_of_fifty_at_once_one_becomes_the_administrator(office: Office) -> None:
    """AU: "there can only be one administrator"; all others are told so."""
    people = [f"p{number}" for number in range(50)]
    with write(office.store, Cause(), START) as writer:
        for each in people:
            add_member(writer, each, JANSSENS)

    def ask(who: str) -> list[str]:
        try:
            return codes(office.do(f"person/{who}", "become_administrator", f"customer/{JANSSENS}"))
        finally:
            office.store.close()

    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(ask, people))

    assert 1 == found.count([])
    assert 49 == found.count(["residential_single_administrator"])


def add_member(writer: Writer, person: str, customer: str) -> None:
    """Add a person who is a user of a number."""
    mail = f"{person}@example.com"
    writer.insert(Row(Reference("person", person), {"name": person, "email": mail}))
    values = {"customer": customer, "person": person, "role": "user"}
    writer.insert(Row(Reference("membership", f"{customer}/{person}"), values))
