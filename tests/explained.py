"""Holds explanations against what they are about: the decision, and what would come of a change."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from authz_service import assembly
from authz_service.polar.schema import BOOLEAN, DATETIME, INTEGER, SCALARS
from authz_service.policy.missing import ADD, CHANGE, REMOVE, SAY
from authz_service.policy.values import find_fitting
from authz_service.store.database import BrokenPromiseError
from authz_service.store.entity import Reference, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz_service.decision.explainer import Explainer
    from authz_service.polar.schema import Attribute
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.missing import Fact, Missing
    from authz_service.policy.request import Request
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain


NEW: Final = "a new one"


class UndoneError(Exception):
    """Ends a transaction whose changes are not wanted."""


class Plain(NamedTuple):
    """One thing that is made so, with its values."""

    deed: str
    type: str
    id: str
    values: dict[str, Any]


class Judge:
    """Tries on a store what an explanation says of it.

    Arguments:
        engine: what decides.
        store: the entities; what is tried is undone.
        domain: what they are.
        now: what time it is.
    """

    def __init__(self, engine: CompiledEngine, store: Store, domain: Domain, now: datetime) -> None:
        self._engine = engine
        self._store = store
        self._domain = domain
        self._now = now
        decider = assembly.build_decider(engine, domain, store, lambda: now)
        self.explainer: Explainer = assembly.build_explainer(
            engine, decider, domain, store, lambda: now
        )
        self._check = decider.check

    def hold(self, request: Request) -> int:
        """Hold the explanation of a request against the decision, and against its own proposals.

        Returns:
            how many sets of facts were proposed.

        Raises:
            AssertionError: when one of them does not do what it says, or a part of it does.
        """
        explanation = self.explainer.explain(request)
        assert self._check(request) == explanation.decision, request
        held = {each.code for each in explanation.forbidding}
        codes = {each.code for each in explanation.decision.reasons}
        assert all(each.holds for each in explanation.forbidding), request
        if explanation.permitting:
            permitted = any(each.holds for each in explanation.permitting)
            assert permitted == ("not_permitted" not in codes), request
            assert held == codes - {"not_permitted"}, request
        assert not (explanation.decision.allowed and explanation.missing), request
        for missing in explanation.missing:
            self._hold_missing(request, missing)
        return len(explanation.missing)

    def _hold_missing(self, request: Request, missing: Missing) -> None:
        where = f"{request}\n{missing}"
        for facts in self._spell_out(missing.facts):
            outcomes = list(self._try(request, facts))
            assert outcomes, f"the database refuses {facts}\n{where}"
            assert {missing.refused_by} == {*outcomes}, f"{facts} led to {outcomes}\n{where}"
            parts = (part for size in range(len(facts)) for part in combinations(facts, size))
            for part in parts:
                for outcome in self._try(request, part):
                    is_as_good = {*outcome} <= {*missing.refused_by}
                    assert not is_as_good, f"{part} is enough\n{where}"

    def _spell_out(self, facts: tuple[Fact, ...]) -> Iterator[tuple[Plain, ...]]:
        """Go through all combinations of the values that facts leave open."""
        yield from product(*map(self._spell_out_one, facts))

    def _spell_out_one(self, fact: Fact) -> Iterator[Plain]:
        kinds = [self._find_attribute(fact, name).type for name, _ in fact.demands]
        values = [
            find_fitting(kind, demand)
            for kind, (_, demand) in zip(kinds, fact.demands, strict=True)
        ]
        for chosen in product(*values):
            names = (name for name, _ in fact.demands)
            yield Plain(fact.deed, fact.type, fact.id, dict(zip(names, chosen, strict=True)))

    def _find_attribute(self, fact: Fact | Plain, name: str) -> Attribute:
        schema = self._domain.schema
        if fact.deed == SAY:
            return {**schema.context, **schema.parameters}[name]
        return schema.types[fact.type].attributes[name]

    def _try(self, request: Request, facts: Iterable[Plain]) -> Iterator[tuple[str, ...]]:
        """Make the facts so, in every way that the database takes, and ask."""
        facts = tuple(facts)
        added = [list(self._find_rows(each, request)) for each in facts if each.deed == ADD]
        for rows in product(*added):
            try:
                with self._changed(facts, rows):
                    asked = request._replace(given={**request.given, **_said(facts)})
                    yield self._engine.reasons(self._store, asked, self._now)
            except BrokenPromiseError:
                continue

    @contextmanager
    def _changed(self, facts: tuple[Plain, ...], rows: tuple[Row, ...]) -> Iterator[None]:
        try:
            with self._store.transaction():
                new = {row.reference.id for row in rows}
                for fact in facts:
                    if fact.deed == REMOVE:
                        self._store.delete(Reference(fact.type, fact.id))
                    elif fact.deed == CHANGE and new.isdisjoint(fact.values.values()):
                        self._change(fact)
                for row in sorted(rows, key=lambda row: not new.isdisjoint(row.values.values())):
                    self._insert(row)
                for fact in facts:
                    if fact.deed == CHANGE and not new.isdisjoint(fact.values.values()):
                        self._change(fact)
                yield
                _undo()
        except UndoneError:
            pass

    def _change(self, fact: Plain) -> None:
        reference = Reference(fact.type, fact.id)
        row = self._store.find_whole(reference)
        assert row is not None, f"there is no {reference}"
        self._store.update(Row(reference, {**row.values, **self._read(fact)}), 1)

    def _read(self, fact: Plain) -> dict[str, Any]:
        return {
            name: datetime.fromisoformat(value)
            if value is not None and self._find_attribute(fact, name).type == DATETIME
            else value
            for name, value in fact.values.items()
        }

    def _find_rows(self, fact: Plain, request: Request) -> Iterator[Row]:
        """Make up what is not said of a new entity, in every way that may matter.

        What it refers to, if that is not said, is another entity than those of the question.
        """
        asked = {request.subject.id, request.resource.id}
        said = self._read(fact)
        left: dict[str, list[Any]] = {}
        for name, each in self._find_required(fact.type):
            if name in said:
                continue
            if each.type in SCALARS:
                left[name] = _make_up(each)
            else:
                known = self._store.find_ids(each.type)
                left[name] = [NEW, *(one for one in known if one not in asked)]
        for values in product(*left.values()):
            whole = {**said, **dict(zip(left, values, strict=True))}
            yield Row(Reference(fact.type, fact.id), whole)

    def _find_required(self, kind: str) -> Iterator[tuple[str, Attribute]]:
        for name, each in self._domain.schema.types[kind].attributes.items():
            if name != "id" and not each.many and not each.optional:
                yield name, each

    def _insert(self, row: Row) -> None:
        """Add an entity, and first the new ones that it refers to."""
        for name, value in row.values.items():
            kind = self._domain.schema.types[row.reference.type].attributes[name].type
            if value == NEW and self._store.find(Reference(kind, NEW)) is None:
                required = self._find_required(kind)
                values = {each: _make_up(attribute)[0] for each, attribute in required}
                self._store.insert(Row(Reference(kind, NEW), values))
        self._store.insert(row)


def _undo() -> None:
    raise UndoneError


def _make_up(attribute: Attribute) -> list[Any]:
    return list(attribute.choices) or [{BOOLEAN: False, INTEGER: 1}.get(attribute.type, "?")]


def _said(facts: Iterable[Plain]) -> dict[str, Any]:
    return {
        name: value for fact in facts if fact.deed == SAY for name, value in fact.values.items()
    }
