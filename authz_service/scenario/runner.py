"""Puts the questions of scenarios to the product, and holds the answers against the expected."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authz_service import assembly, storage
from authz_service.errors import RequestError, ScenarioError
from authz_service.policy.reasons import MISHAPS
from authz_service.policy.said import build_checked_request, write_said
from authz_service.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authz_service.decision.answer import Decision
    from authz_service.decision.decider import Decider
    from authz_service.errors import Fault
    from authz_service.policy.request import Request
    from authz_service.scenario.case import Inquiry, Scenario
    from authz_service.settings import Settings

# A busy test machine is no fault of a policy.
_LONGEST_MILLISECONDS: Final = 60_000


@dataclass(frozen=True)
class Outcome:
    """What came of one question.

    Arguments:
        inquiry: the question with its expected answer.
        decision: the answer.
        command: asks just that question again.
    """

    inquiry: Inquiry
    decision: Decision
    command: str

    @property
    def passed(self) -> bool:
        """Whether the answer is the expected one."""
        expected = self.inquiry.expected
        codes = {reason.code for reason in self.decision.reasons}
        if expected.allowed or self.decision.allowed:
            return expected.allowed == self.decision.allowed
        return set(expected.reasons) <= codes and codes & MISHAPS <= set(expected.reasons)

    @property
    def expected(self) -> str:
        """The expected answer in words."""
        expected = self.inquiry.expected
        if expected.allowed:
            return "allow"
        return f"deny, with {', '.join(expected.reasons)}" if expected.reasons else "deny"

    @property
    def given(self) -> str:
        """The given answer in words."""
        if self.decision.allowed:
            return "allow"
        said = ", ".join(f"{each.code} ({each.message})" for each in self.decision.reasons)
        return f"deny: {said}"


class Runner:
    """Runs scenarios: the policies are loaded once, each scenario gets a store of its own.

    Arguments:
        settings: which policies, domain and fixtures.
        warn: is told what is odd about the policies.

    Raises:
        AuthzError: when the policies or the domain cannot be used.
    """

    def __init__(self, settings: Settings, warn: Callable[[Fault], None] = assembly.ignore) -> None:
        limit = max(settings.time_limit, _LONGEST_MILLISECONDS)
        self._settings = replace(settings, time_limit=limit)
        self._domain = storage.find_domain(settings.domain)
        self._engine = assembly.build_engine(self._settings, self._domain, warn)

    @contextmanager
    def open(self, scenario: Scenario) -> Iterator[Decider]:
        """Make a decider over the scenario's fixture, at the scenario's time.

        Raises:
            FixtureError: when the fixture cannot be loaded.
            ScenarioError: when the domain does not take what comes with a question.
        """
        self._check(scenario)
        at = scenario.at
        clock = (lambda: at) if at else storage.tell_time
        store = storage.build_fixture_store(self._fixture(scenario), self._domain)
        try:
            yield assembly.build_decider(self._engine, self._domain, store, clock)
        finally:
            store.close()

    def ask(self, decider: Decider, scenario: Scenario, inquiry: Inquiry) -> Outcome:
        """Put one question."""
        decision = decider.check(self._build_request(inquiry))
        return Outcome(inquiry, decision, self._command(scenario, inquiry))

    def run(self, scenario: Scenario) -> list[Outcome]:
        """Put all questions of a scenario.

        Raises:
            FixtureError: when the fixture cannot be loaded.
            ScenarioError: as above.
        """
        with self.open(scenario) as decider:
            return [self.ask(decider, scenario, inquiry) for inquiry in scenario.inquiries]

    def _check(self, scenario: Scenario) -> None:
        """Refuse a scenario before any of its questions is put, with all that is wrong in it."""
        faults: list[Fault] = []
        for inquiry in scenario.inquiries:
            try:
                self._build_request(inquiry)
            except ScenarioError as error:
                faults += error.faults
        if faults:
            raise ScenarioError(faults)

    def _build_request(self, inquiry: Inquiry) -> Request:
        asked = inquiry.subject, inquiry.expected.action, inquiry.resource
        try:
            return build_checked_request(self._domain.schema, *asked, inquiry.all_said)
        except RequestError as error:
            faults = [replace(each, where=inquiry.places[each.where.name]) for each in error.faults]
            raise ScenarioError(faults) from None

    def _fixture(self, scenario: Scenario) -> Path:
        return self._settings.fixtures / f"{scenario.fixture}.yaml"

    def _command(self, scenario: Scenario, inquiry: Inquiry) -> str:
        question = [str(inquiry.subject), inquiry.expected.action, str(inquiry.resource)]
        options = ["--fixture", str(self._fixture(scenario))]
        if inquiry.channel is not None:
            options += ["--via", inquiry.channel]
        for each in write_said(inquiry.said):
            options += ["--with", each]
        if scenario.at:
            options += ["--at", scenario.at.isoformat()]
        defaults = load_settings({})
        for name in ("policies", "domain"):
            value = getattr(self._settings, name)
            if value != getattr(defaults, name):
                options += [f"--{name}", str(value)]
        if any(word.startswith("-") for word in question):
            words = [*options, "--", *question]
        else:
            words = [*question, *options]
        return shlex.join([_find_program(), "check", *words])


def _find_program() -> str:
    """Find how to call this very installation from where the tests were started."""
    program = Path(sys.executable).parent / "authz"
    if not program.exists() or shutil.which("authz") == str(program):
        return "authz"
    near = os.path.relpath(program)
    return str(program) if near.startswith(os.pardir) else near
