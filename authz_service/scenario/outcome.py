"""What came of questions and steps, held against what was expected, in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authz_service.policy.reasons import MISHAPS
from authz_service.scenario.step import REMOVED
from authz_service.scenario.why import describe_wanted
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz_service.decision.answer import Decision
    from authz_service.scenario.checking import Wanted
    from authz_service.scenario.inquiry import Expectation, Inquiry
    from authz_service.scenario.listing import Listing
    from authz_service.scenario.step import Step
    from authz_service.scenario.why import Why
    from authz_service.store.outbox import Notice


@dataclass(frozen=True)
class Outcome:
    """What came of one question.

    Arguments:
        inquiry: the question with its expected answer.
        decision: the answer.
        command: asks just that question again.
        steps: how many steps were taken before, which the command does not take.
        why: why it was given, where that is asked; None where it is not, or the answer is another.
    """

    inquiry: Inquiry
    decision: Decision
    command: str
    steps: int = 0
    why: Why | None = None

    @property
    def item(self) -> Inquiry:
        """What the outcome is of."""
        return self.inquiry

    @property
    def passed(self) -> bool:
        """Whether the answer is the expected one."""
        is_right = is_expected(self.inquiry.expected, self.decision)
        return is_right and (self.why is None or self.why.passed)

    @property
    def expected(self) -> str:
        """The expected answer in words."""
        expected = self.inquiry.expected
        answer = "allow" if expected.allowed else "deny"
        if expected.reasons:
            only = " only" if expected.only_these else ""
            answer += f", with{only} {', '.join(expected.reasons)}"
        return "\n".join([answer, *describe_wanted(expected)])

    @property
    def given(self) -> str:
        """The given answer in words."""
        answer = "allow" if self.decision.allowed else f"deny: {_say_reasons(self.decision)}"
        return f"{answer}\n{self.why.given}" if self.why else answer


@dataclass(frozen=True)
class ListingOutcome:
    """What came of one list.

    Arguments:
        listing: what was looked for, and what had to be found.
        found: what was.
        command: looks for it again.
        steps: how many steps were taken before, which the command does not take.
    """

    listing: Listing
    found: frozenset[str]
    command: str
    steps: int = 0

    @property
    def item(self) -> Listing:
        """What the outcome is of."""
        return self.listing

    @property
    def passed(self) -> bool:
        """Whether just that was found."""
        return self.found == self.listing.expected

    @property
    def expected(self) -> str:
        """What had to be found, in words."""
        return _say_names(self.listing.expected)

    @property
    def given(self) -> str:
        """What was found, what of it is too much, and what lacks."""
        lines = [_say_names(self.found)]
        for label, names in (
            ("too much", self.found - self.listing.expected),
            ("lacking", self.listing.expected - self.found),
        ):
            if names:
                lines.append(f"{label}: {_say_names(names)}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Deeds:
    """What a step did.

    Arguments:
        decision: whether it was allowed, and so done.
        changes: what it wrote, in its order, as JSON has it.
        notices: the messages that it queued.
    """

    decision: Decision
    changes: tuple[Mapping[str, Any], ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def changed(self) -> dict[Reference, tuple[Mapping[str, Any] | None, ...]]:
        """The entities that are others now, each as it was before and as it is afterwards."""
        found: dict[Reference, tuple[Mapping[str, Any] | None, ...]] = {}
        for each in self.changes:
            reference = Reference(each["type"], each["id"])
            before = found[reference][0] if reference in found else each["before"]
            found[reference] = before, each["after"]
        return {
            reference: (before, after)
            for reference, (before, after) in found.items()
            if before != after
        }

    @property
    def informed(self) -> dict[str, list[str]]:
        """The templates of the messages, in order, by their address."""
        found: dict[str, list[str]] = {}
        for each in sorted(self.notices, key=lambda each: (each.address, each.template)):
            found.setdefault(each.address, []).append(each.template)
        return found


@dataclass(frozen=True)
class StepOutcome:
    """What came of one step.

    Arguments:
        step: what was to be done, and what was to come of it.
        wanted: what it was to change; None where the file does not say.
        deeds: what it did; None where it could not be taken.
        command: does just that.
        steps: how many steps were taken before, which the command does not take.
        obstacle: why it could not be taken.
    """

    step: Step
    wanted: Wanted | None
    deeds: Deeds | None
    command: str
    steps: int = 0
    obstacle: str = ""

    @property
    def item(self) -> Step:
        """What the outcome is of."""
        return self.step

    @property
    def passed(self) -> bool:
        """Whether all that was expected came."""
        deeds = self.deeds
        if deeds is None:
            return False
        if self.step.denied:
            nothing = not deeds.changes and not deeds.notices
            return (
                nothing
                and not deeds.decision.allowed
                and _is_wanted(self.step.denied, deeds.decision)
            )
        return deeds.decision.allowed and self._changed(deeds) and self._informed(deeds)

    def _changed(self, deeds: Deeds) -> bool:
        if self.wanted is None:
            return True
        after = {reference: states[-1] for reference, states in deeds.changed.items()}
        return self.wanted.keys() == after.keys() and all(
            _fits(values, after[reference]) for reference, values in self.wanted.items()
        )

    def _informed(self, deeds: Deeds) -> bool:
        if self.step.informs is None:
            return True
        return deeds.informed == {
            address: sorted(templates) for address, templates in self.step.informs.items()
        }

    @property
    def expected(self) -> str:
        """What was to come, in lines."""
        if self.step.denied:
            return f"denied, with {', '.join(self.step.denied)}"
        lines = ["done"]
        if self.wanted is not None:
            lines += _say_changes(self.wanted)
        if self.step.informs is not None:
            lines += _say_messages(self.step.informs)
        return "\n".join(lines)

    @property
    def given(self) -> str:
        """What came, in lines."""
        if self.deeds is None:
            return f"nothing: {self.obstacle}"
        if not self.deeds.decision.allowed:
            return f"denied: {_say_reasons(self.deeds.decision)}"
        came = {
            reference: self._pick(reference, *states)
            for reference, states in self.deeds.changed.items()
        }
        return "\n".join(["done", *_say_changes(came), *_say_messages(self.deeds.informed)])

    def _pick(
        self,
        reference: Reference,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> Mapping[str, Any] | None:
        """Pick what is told of an entity: what was expected of it, or else what is new."""
        if after is None:
            return None
        wanted = (self.wanted or {}).get(reference)
        names = wanted or [name for name in after if not before or before[name] != after[name]]
        return {name: after[name] for name in names}


def is_expected(expected: Expectation, decision: Decision) -> bool:
    """Tell whether a decision is the expected one, whatever it was made for."""
    if expected.allowed or decision.allowed:
        return expected.allowed == decision.allowed
    is_more = expected.only_these and len(decision.reasons) > len(expected.reasons)
    return not is_more and _is_wanted(expected.reasons, decision)


def _is_wanted(reasons: Iterable[str], decision: Decision) -> bool:
    """Tell whether a denial has the reasons, and shows no mishap but those."""
    codes = {reason.code for reason in decision.reasons}
    return set(reasons) <= codes and codes & MISHAPS <= set(reasons)


def _fits(wanted: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> bool:
    if wanted is None or after is None:
        return wanted is None and after is None
    return all(after[name] == value for name, value in wanted.items())


def _say_names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _say_reasons(decision: Decision) -> str:
    return ", ".join(f"{each.code} ({each.message})" for each in decision.reasons)


def _say_changes(changes: Mapping[Reference, Mapping[str, Any] | None]) -> Iterator[str]:
    if not changes:
        yield "changes nothing"
    for reference, values in changes.items():
        said = [f"{name} {_say(value)}" for name, value in (values or {}).items()]
        yield f"changes {reference}: {REMOVED if values is None else ', '.join(said)}"


def _say_messages(informs: Mapping[str, Iterable[str]]) -> Iterator[str]:
    if not informs:
        yield "informs nobody"
    for address, templates in informs.items():
        yield f"informs {address}: {', '.join(templates)}"


def _say(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
