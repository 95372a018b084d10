"""What happens in MyProximus, in plain Python: a second reading, to hold the first against.

It decides by roles alone, on the web, with right tokens unless it is told otherwise.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

ADMINISTRATING: Final = {"administrator", "access_owner"}
ORDER: Final = ("record_call", "send_agreement", "record_agreement", "confirm")
STATES: Final = ("submitted", "called", "agreement_sent", "agreement_signed", "confirmed")


@dataclass
class Form:
    """A registration of an access owner."""

    customer: str
    person: str
    status: str = "submitted"


@dataclass
class Wish:
    """A request for delegate access."""

    customer: str
    person: str
    kind: str
    applications: tuple[str, ...]
    status: str = "submitted"
    tries: int = 0


@dataclass
class Model:
    """Who is what on which number, what is under way, and who was told what.

    Arguments:
        residential: the numbers that are residential; all others are businesses.
        with_mobile: the people that have a mobile number.
        excluded: whose membership is marked as excluded from administration.
    """

    residential: set[str]
    with_mobile: set[str]
    excluded: set[tuple[str, str]]
    roles: dict[tuple[str, str], str] = field(default_factory=dict)
    grants: set[tuple[str, str]] = field(default_factory=set)
    told: Counter[tuple[str, str]] = field(default_factory=Counter)

    def role(self, customer: str, person: str) -> str:
        """The role of somebody on a number; empty for none."""
        return self.roles.get((customer, person), "")

    def administrators(self, customer: str) -> list[str]:
        """Who administers a number."""
        return [
            person
            for (number, person), role in self.roles.items()
            if number == customer and role in ADMINISTRATING
        ]

    def owner(self, customer: str) -> str:
        """The access owner of a number; empty for none."""
        found = [
            person
            for (number, person), role in self.roles.items()
            if (number, role) == (customer, "access_owner")
        ]
        return found[0] if found else ""

    def breaks_promise(self, customer: str, person: str, role: str) -> bool:
        """Whether the database would refuse the role, for what others are on the number."""
        others = {
            each
            for (number, other), each in self.roles.items()
            if number == customer and other != person
        }
        if role == "access_owner" and "access_owner" in others:
            return True
        is_second = role in ADMINISTRATING and bool(others & ADMINISTRATING)
        return customer in self.residential and is_second

    def give(self, customer: str, person: str, role: str) -> None:
        """Give somebody a role; what a delegate was granted ends with that role."""
        if self.role(customer, person) == "delegate" and role != "delegate":
            mine = {each for each in self.grants if each[0].startswith(f"{customer}/")}
            self.grants -= {each for each in mine if each[1] == person}
        self.roles[customer, person] = role

    def become_administrator(self, person: str, customer: str) -> bool:
        """AU 1-5."""
        others = self.administrators(customer)
        is_refused = (
            self.role(customer, person) in {"", *ADMINISTRATING}
            or (customer, person) in self.excluded
            or (customer in self.residential and others)
        )
        if is_refused:
            return False
        self.give(customer, person, "administrator")
        self.told.update(("administrator_added", each) for each in others)
        return True

    def step_down(self, person: str, customer: str) -> bool:
        """An administrator becomes a user."""
        if self.role(customer, person) not in ADMINISTRATING:
            return False
        self.give(customer, person, "user")
        return True

    def register(self, person: str, customer: str, *, terms: bool) -> Form | None:
        """GS 3.1-3.4."""
        is_free = customer not in self.residential and not self.owner(customer)
        if not (is_free and self.role(customer, person) and terms):
            return None
        return Form(customer, person)

    def take(self, form: Form, action: str) -> bool:
        """GS 3.5-3.7: the next step, in order."""
        turn = ORDER.index(action)
        if form.status != STATES[turn]:
            return False
        if action == "confirm":
            if self.breaks_promise(form.customer, form.person, "access_owner"):
                return False
            self.give(form.customer, form.person, "access_owner")
            self.told["access_owner_confirmed", form.person] += 1
        form.status = STATES[turn + 1]
        return True

    def wish(
        self, person: str, customer: str, kind: str, applications: tuple[str, ...]
    ) -> Wish | None:
        """GS 3.8.1-2."""
        is_refused = (
            customer in self.residential
            or self.role(customer, person) in ADMINISTRATING
            or not self.owner(customer)
            or not applications
            or (kind == "mobile" and person not in self.with_mobile)
        )
        if is_refused:
            return None
        if kind == "mobile":
            self.told["delegate_code", person] += 1
        return Wish(customer, person, kind, applications)

    def approve(self, wish: Wish, person: str) -> bool:
        """GS 3.8.3, 3.9."""
        if self.owner(wish.customer) != person or wish.status not in {
            "submitted",
            "code_confirmed",
        }:
            return False
        if wish.status == "code_confirmed":
            return self._complete(wish)
        wish.status = "approved"
        if wish.kind == "fixed":
            self.told["delegate_link", wish.person] += 1
        return True

    def reject(self, wish: Wish, person: str) -> bool:
        """The access owner says no."""
        if self.owner(wish.customer) != person or wish.status not in {
            "submitted",
            "code_confirmed",
        }:
            return False
        wish.status = "rejected"
        return True

    def withdraw(self, wish: Wish, person: str) -> bool:
        """The requester thinks better of it."""
        is_open = wish.status in {"submitted", "code_confirmed", "approved"}
        if person != wish.person or not is_open:
            return False
        wish.status = "withdrawn"
        return True

    def confirm(self, wish: Wish, person: str, *, right: bool) -> bool:
        """GS 3.8.4, and mobile 2-3; five wrong tries end the token."""
        states = {"approved"} if wish.kind == "fixed" else {"submitted", "approved"}
        if person != wish.person or wish.status not in states:
            return False
        if not right or wish.tries >= 5:
            wish.tries += 1
            return False
        if wish.status == "approved":
            return self._complete(wish)
        wish.status = "code_confirmed"
        return True

    def _may_decide(self, wish: Wish, person: str) -> bool:
        is_open = wish.status in {"submitted", "code_confirmed"}
        return self.owner(wish.customer) == person and is_open

    def _complete(self, wish: Wish) -> bool:
        if self.role(wish.customer, wish.person) not in ADMINISTRATING:
            if not self.owner(wish.customer):
                return False
            self.give(wish.customer, wish.person, "delegate")
            self.grants |= {(each, wish.person) for each in wish.applications}
        wish.status = "completed"
        return True
