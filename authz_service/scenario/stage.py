"""A store in which a scenario is played: what is asked and done there, at its time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from authz_service import assembly, storage
from authz_service.decision.decider import walk
from authz_service.decision.performer import Deed
from authz_service.errors import RequestError, ScenarioError, quote, suggest
from authz_service.scenario.checking import blame, build_deed, build_request, build_searches
from authz_service.scenario.inquiry import Inquiry
from authz_service.scenario.listing import ACTIONS, WHO
from authz_service.scenario.outcome import Deeds
from authz_service.scenario.step import Step
from authz_service.scenario.strangers import find_unknown_entities
from authz_service.store.entity import Reference
from authz_service.store.outbox import find_notices

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from authz_service.decision.answer import Decision
    from authz_service.decision.explainer import Explainer
    from authz_service.decision.explanation import Explanation
    from authz_service.document import Value
    from authz_service.errors import Fault
    from authz_service.policy.request import Request
    from authz_service.scenario.case import Scenario
    from authz_service.scenario.cast import Cast
    from authz_service.scenario.equipment import Equipment
    from authz_service.scenario.item import Item
    from authz_service.scenario.listing import Listing
    from authz_service.store.outbox import Notice

_CLIENT: Final = "authz test"


class Stage:
    """A store that begins as the fixture has it, and what asks and performs there.

    Arguments:
        equipment: what plays it.
        fixture: the file with the entities that there are at the beginning.
        scenario: what is played; it was checked.

    Attributes:
        taken: how many steps were taken.
    """

    def __init__(self, equipment: Equipment, fixture: Path, scenario: Scenario) -> None:
        engine, domain = equipment.engine, equipment.domain
        self._equipment = equipment
        self._schema = domain.schema
        self._start = scenario.at
        self._passed = timedelta()
        self._ahead = timedelta()
        self._explainer: Explainer | None = None
        self._named = {each.new for each in scenario.steps}
        self._ids = _NewIds(lambda name: name in self._named or bool(self._find_called(name)))
        self._sent: dict[str, Notice] = {}
        self._scenario = scenario
        self._store = equipment.stores.build(fixture)
        if scenario.entities:
            self._add(scenario.entities)
        self._decider = assembly.build_decider(engine, domain, self._store, self._tell_time)
        self._performer = assembly.build_performer(
            engine, domain, self._store, self._tell_time, equipment.settings, new_id=self._ids
        )
        self.taken = 0

    @property
    def at(self) -> datetime | None:
        """What time it is; None for the real time."""
        return self._start + self._passed if self._start else None

    def _tell_time(self) -> datetime:
        return (self._start or storage.tell_time()) + self._passed

    def _add(self, entities: Value) -> None:
        """Add the entities that the scenario has itself."""
        try:
            storage.add_entities(self._store, self._equipment.domain, entities)
        except BaseException:
            self.close()
            raise

    def find_strangers(self, cast: Cast) -> list[Fault]:
        """Find the entities that the scenario names, and that nobody knows."""
        return list(
            find_unknown_entities(
                self._scenario,
                self._schema,
                lambda each: self._store.find(each) is not None,
                cast.find_all,
            )
        )

    def search(self, listing: Listing) -> frozenset[str]:
        """Look for a list, page by page."""
        found: set[str] = set()
        for each in build_searches(self._schema, listing):
            if listing.kind == ACTIONS:
                found |= {*walk(self._decider.search_actions, each)}
            elif listing.kind == WHO:
                subjects = walk(self._decider.search_subjects, each)
                found |= {f"{each.subject.type}/{one}" for one in subjects}
            else:
                resources = walk(self._decider.search_resources, each)
                found |= {f"{each.resource.type}/{one}" for one in resources}
        return frozenset(found)

    def ask(self, inquiry: Inquiry) -> Decision:
        """Put a question."""
        return self._decider.check(build_request(self._schema, inquiry))

    def take(self, step: Step) -> Deeds | str:
        """Take a step; give back why not, where a message that it needs was not sent.

        Raises:
            ScenarioError: when it cannot be taken as the file has it.
        """
        # first, so that no step is taken twice, whatever comes of it
        self.taken += 1
        self._passed += step.after
        sent = self._find_all_sent(step)
        return sent if isinstance(sent, str) else self._perform(step, sent)

    def explain_question(self, inquiry: Inquiry) -> Explanation:
        """Explain what is decided of a question."""
        return self._explain(build_request(self._schema, inquiry), timedelta())

    def explain(self, item: Item) -> Explanation | None:
        """Explain what is decided of a question, or of a step that is not taken yet.

        Returns:
            None for a list, and for a step of which a message that it needs was not sent.
        """
        if isinstance(item, Inquiry):
            return self.explain_question(item)
        sent = self._find_all_sent(item) if isinstance(item, Step) else ""
        if not isinstance(item, Step) or isinstance(sent, str):
            return None
        request, _ = build_deed(self._schema, item, sent)
        return self._explain(request, item.after)

    def _explain(self, request: Request, after: timedelta) -> Explanation:
        self._ahead = after
        return self._find_explainer().explain(request)

    def _find_explainer(self) -> Explainer:
        """Find what explains; what it prepares for one question serves others of the kind."""
        engine = self._equipment.compiled
        if self._explainer is None or self._explainer.engine is not engine:
            self._explainer = assembly.build_explainer(
                engine,
                self._decider,
                self._equipment.domain,
                self._store,
                lambda: self._tell_time() + self._ahead,
            )
        return self._explainer

    def _find_all_sent(self, step: Step) -> dict[str, str] | str:
        """Find what a step needs of messages, by parameter; or say which of it was not sent."""
        sent = {}
        for name, field in step.sent.items():
            value = self._find_sent(step, field)
            if value is None:
                return self._describe_unsent(step, field)
            sent[name] = value
        return sent

    def _perform(self, step: Step, sent: dict[str, str]) -> Deeds:
        request, inputs = build_deed(self._schema, step, sent)
        self._ids.begin(step.new)
        try:
            performed = self._performer.perform(Deed(request, inputs, _CLIENT))
        except RequestError as error:
            raise blame(error, step) from None
        notices = tuple(self._find_new_notices())
        if step.new:
            self._refuse_id(step, is_done=performed.decision.allowed)
        return Deeds(performed.decision, performed.changes, notices)

    def _refuse_id(self, step: Step, *, is_done: bool) -> None:
        """Refuse an id that a step names where it makes nothing, or nothing with that id."""
        if is_done and not self._ids.is_used:
            message = f"{quote(step.action)} makes no entity that could have this id; leave it out"
            raise ScenarioError.at(step.places["new"], "nothing_made", f"`new`: {message}")
        called = self._find_called(step.new)
        if self._ids.is_used and not is_done and called:
            message = f"{quote(str(called[0]))} has this id already; choose another"
            raise ScenarioError.at(step.places["new"], "id_in_use", f"`new`: {message}")

    def _find_called(self, entity_id: str) -> list[Reference]:
        """Find the entities that have an id, of whatever type."""
        stored = (each.name for each in self._schema.types.values() if each.stored)
        found = (Reference(kind, entity_id) for kind in stored)
        return [each for each in found if self._store.find(each)]

    def _find_new_notices(self) -> list[Notice]:
        """Find the messages that were queued since this was asked last."""
        queued = find_notices(self._store)
        new = {key: each for key, each in queued.items() if key not in self._sent}
        self._sent |= new
        return list(new.values())

    def _find_sent(self, step: Step, field: str) -> str | None:
        """Find a field of the last message with it that went to who takes the step."""
        found = (each.fields[field] for each in self._messages_to(step) if field in each.fields)
        return next(found, None)

    def _messages_to(self, step: Step) -> list[Notice]:
        """Find the messages to who takes a step, by any address of theirs, the last one first."""
        row = self._store.find(step.subject)
        addresses = set(row.values.values()) if row else set()
        return [each for each in reversed(self._sent.values()) if each.address in addresses]

    def _describe_unsent(self, step: Step, field: str) -> str:
        known = {name for each in self._messages_to(step) for name in each.fields}
        message = f"no message with {quote(field)} was sent to {quote(str(step.subject))}"
        return message + suggest(field, known)

    def close(self) -> None:
        """Close the store."""
        self._store.close()


class _NewIds:
    """Gives ids to new entities: the one that a step names, else the first `new-N` that is free.

    Arguments:
        is_taken: tells of an id whether something has it, or gets it later.

    Attributes:
        is_used: whether the step that was begun last made anything.
    """

    def __init__(self, is_taken: Callable[[str], bool]) -> None:
        self._is_taken = is_taken
        self._wanted = ""
        self._number = 0
        self.is_used = False

    def begin(self, wanted: str) -> None:
        """Begin a step, which may name an id; what an earlier one was refused is free again."""
        self._wanted, self._number, self.is_used = wanted, 0, False

    def __call__(self) -> str:
        """Give an id."""
        self.is_used = True
        if self._wanted:
            wanted, self._wanted = self._wanted, ""
            return wanted
        self._number += 1
        while self._is_taken(f"new-{self._number}"):
            self._number += 1
        return f"new-{self._number}"
