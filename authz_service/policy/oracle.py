"""Questions asked of oso, the reference: slow, and by nobody's reading of Polar but its own.

oso sees entities as objects whose attributes are read from the store when a rule looks at them, all
from one snapshot. Two of its habits would let an error become an allow, so both are closed here:

- An `AttributeError` inside `not` counts as "not true". The objects below raise an error of our own
  for a name that the schema does not have, and so does a name asked of anything else
  than an entity or the request.
- It stops at the first rule that holds, so an error in a later rule is never seen. Here all rules
  are tried, and an error in any of them is an error of the whole question.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from oso import Oso, Variable
from polar.exceptions import OsoError, PolarRuntimeError
from polar.ffi import PolarSource
from polar.predicate import Predicate
from polar.query import Query

from authz_service.errors import EvaluationTimeoutError, Place, PolicyError, suggest
from authz_service.polar.schema import SCALARS
from authz_service.policy.engine import Finding
from authz_service.policy.reasons import NOT_PERMITTED, UNKNOWN_RESOURCE, UNKNOWN_SUBJECT
from authz_service.store.entity import Row
from authz_service.store.writer import find_revision

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from authz_service.polar.schema import Attribute, EntityType, Schema
    from authz_service.policy.request import Page, Request
    from authz_service.policy.source import PolicySet
    from authz_service.store.database import Store
    from authz_service.store.entity import Reference

# The rules that mean something to the engine, so that oso refuses one of another form.
_ENTRIES: Final = """
type permit(_subject, _action, _resource);
type forbid(_reason: String, _request, _action, _resource);
type reason(_code: String, _message: String);
"""

_ORDERS: Final = frozenset({"Lt", "Leq", "Gt", "Geq"})
_AT: Final = re.compile(r" at line (\d+), column (\d+) of file (.+?\.polar)")


class Oracle:
    """An engine: the reasons against a request, as oso finds them.

    Safe to share between threads; a question leaves nothing behind.

    Arguments:
        policies: what to load; oso reads its text for itself.
        schema: the types that policies may name.
        time_limit: milliseconds that one question may take.

    Raises:
        PolicyError: when oso refuses a policy, or warns of something that can only be a mistake.
    """

    name: Final = "oso"

    def __init__(self, policies: PolicySet, schema: Schema, time_limit: int) -> None:
        self.policies = policies
        self.policy_digest = policies.digest
        self._classes = {name: _build_class(each) for name, each in schema.types.items()}
        self._time_limit = time_limit
        self._oso = _load(policies, self._classes)
        self._has_permit = self._defines("permit", 3)
        self._has_forbid = self._defines("forbid", 4)

    def find_messages(self) -> Mapping[str, str]:
        """Find what the policies' own `reason(code, message)` facts say for people."""
        if not self._defines("reason", 2):
            return {}
        found = self._ask(math.inf, "reason", Variable("code"), Variable("message"))
        return {each["code"]: each["message"] for each in found}

    def decide(self, store: Store, request: Request, now: datetime) -> Finding:
        """Find everything that stands against a request, and from which state; raises as below."""
        with store.snapshot():
            return Finding(self.reasons(store, request, now), revision=find_revision(store))

    def decide_many(
        self, store: Store, requests: Sequence[Request], now: datetime
    ) -> list[Finding]:
        """Find the same for several requests, one after the other; raises as below."""
        return [self.decide(store, each, now) for each in requests]

    def reasons(self, store: Store, request: Request, now: datetime) -> tuple[str, ...]:
        """Find everything that stands against a request: sorted codes, none for an allow.

        Raises:
            EvaluationTimeoutError: when it takes longer than the time limit.
            Exception: whatever a rule runs into; the question is not decided then.
        """
        deadline = time.monotonic() + self._time_limit / 1000
        with store.snapshot():
            session = _Session(store, self._classes)
            subject = session.find_asked(request.subject, "subject", request.supplied)
            if subject is None:
                return (UNKNOWN_SUBJECT,)
            resource = session.find_asked(request.resource, "resource", request.supplied)
            if resource is None:
                return (UNKNOWN_RESOURCE,)
            seen = _Request({"subject": subject, "now": now, **request.given})
            return self._weigh(deadline, seen, request.action, resource)

    def reasons_many(
        self, store: Store, requests: Sequence[Request], now: datetime
    ) -> list[tuple[str, ...]]:
        """Find the same for several requests, one after the other; raises as above."""
        return [self.reasons(store, each, now) for each in requests]

    def search(
        self, store: Store, request: Request, searched: str, page: Page, now: datetime
    ) -> list[str]:
        """Find the ids with which a request would be allowed: each that is stored is asked about.

        Arguments:
            store: the entities.
            request: of which the searched id is not looked at.
            searched: which id is open, that of the `subject` or of the `resource`.
            page: which of the ids, in the order of the database.
            now: what time it is.

        Raises:
            EvaluationTimeoutError: when it takes longer than the page allows.
            Exception: whatever a rule runs into.
        """
        deadline = time.monotonic() + page.time_limit / 1000
        found: list[str] = []
        with store.snapshot():
            for each in store.find_ids(getattr(request, searched).type, page.after):
                if len(found) == page.limit:
                    break
                _check_time(deadline)
                if not self.reasons(store, request.fill_in(searched, each), now):
                    found.append(each)
        return found

    def _weigh(
        self, deadline: float, request: _Request, action: str, resource: _Instance
    ) -> tuple[str, ...]:
        if self._ask(deadline, "allow", request, action, resource):
            return ()
        codes: set[str] = set()
        if self._has_forbid:
            forbids = self._ask(deadline, "forbid", Variable("code"), request, action, resource)
            codes = {_read_code(each["code"]) for each in forbids}
        permit = (deadline, "permit", request.subject, action, resource)
        if not self._has_permit or not self._ask(*permit):
            codes.add(NOT_PERMITTED)
        return tuple(sorted(codes)) or (NOT_PERMITTED,)

    def _ask(self, deadline: float, rule: str, *arguments: Any) -> list[dict[str, Any]]:
        host = self._oso.host.copy()
        term = host.to_polar(Predicate(rule, arguments))
        ffi_query = self._oso.ffi_polar.new_query_from_term(term)
        query = _Query(ffi_query, host, deadline)
        found = []
        for result in query.run():
            query.check_time()
            found.append(result["bindings"])
        query.check_time()
        return found

    def _defines(self, rule: str, arity: int) -> bool:
        try:
            self._ask(math.inf, rule, *([""] * arity))
        except PolarRuntimeError as error:
            if f"undefined rule `{rule}`" in str(error):
                return False
        return True


class _Query(Query):
    """A query that looks at declared attributes only, until a deadline of `time.monotonic`."""

    def __init__(self, ffi_query: Any, host: Any, deadline: float) -> None:
        super().__init__(ffi_query, host=host)  # type: ignore[no-untyped-call]  # oso has no types
        self._deadline = deadline

    def handle_external_op(self, data: dict[str, Any]) -> None:
        """Compare for oso; nothing comes before or after nil."""
        if data["operator"] in _ORDERS and None in map(self.host.to_python, data["args"]):
            self.ffi_query.question_result(data["call_id"], False)
            return
        super().handle_external_op(data)  # type: ignore[no-untyped-call]  # oso has no types

    def check_time(self) -> None:
        """Refuse to go on, or to have gone on, beyond the deadline."""
        _check_time(self._deadline)

    def handle_external_call(self, data: dict[str, Any]) -> None:
        """Read an attribute for oso; text and numbers have none, and what is nil has no value."""
        self.check_time()
        owner, name = self.host.to_python(data["instance"]), data["attribute"]
        if owner is None:
            self.ffi_query.call_result(data["call_id"], None)
            return
        if not isinstance(owner, _Visible):
            raise _unknown_attribute(f"the value `{owner}`", name, ())
        owner.check_name(name)
        super().handle_external_call(data)  # type: ignore[no-untyped-call]  # as above


class _Session:
    """What one question has seen of the store so far."""

    def __init__(self, store: Store, classes: Mapping[str, type[_Instance]]) -> None:
        self._store = store
        self._classes = classes
        self._found: dict[Reference, _Instance | None] = {}

    def find(self, reference: Reference) -> _Instance | None:
        """Find an entity as oso sees it; None when there is none."""
        if reference not in self._found:
            row = self._store.find(reference)
            self._found[reference] = self._wrap(row) if row else None
        return self._found[reference]

    def find_asked(
        self, reference: Reference, part: str, supplied: Mapping[str, Any]
    ) -> _Instance | None:
        """Find the subject or the resource of a question, with what was supplied about it.

        It is an object of its own: the same entity found elsewhere is as it is stored.
        """
        known = self._classes[reference.type]
        row = Row(reference, {})
        if known.is_stored():
            found = self._store.find(reference)
            if found is None:
                return None
            row = found
        own = {
            name.removeprefix(f"{part}."): value
            for name, value in supplied.items()
            if name.startswith(f"{part}.")
        }
        return known(Row(reference, {**row.values, **own}), self)

    def read(self, row: Row, attribute: Attribute) -> Any:
        """Read an attribute: a plain value, an entity, or a list of entities."""
        if attribute.many:
            related = self._store.find_related(row.reference, attribute)
            return [self._found.setdefault(each.reference, self._wrap(each)) for each in related]
        value = row.values.get(attribute.name)  # what is not stored may not have been supplied
        if value is None or attribute.type in SCALARS:
            return value
        return self.find(type(row.reference)(attribute.type, value))

    def _wrap(self, row: Row) -> _Instance:
        return self._classes[row.reference.type](row, self)


class _Visible:
    """What oso may look at: an entity or the request.

    Arguments:
        owner: what it is called in messages.
        known: the names that it has.
    """

    __slots__ = ("_known", "_owner")

    def __init__(self, owner: str, known: Collection[str]) -> None:
        self._owner = owner
        self._known = known

    def check_name(self, name: str) -> None:
        """Refuse a name that is not declared, with an error that oso does not catch."""
        if name not in self._known:
            raise _unknown_attribute(self._owner, name, self._known)


class _Instance(_Visible):
    """An entity as oso sees it; the class of each entity type is a subclass of this one."""

    __slots__ = ("_read", "_row", "_session")
    _type: EntityType

    def __init__(self, row: Row, session: _Session) -> None:
        super().__init__(self._type.class_name, self._type.attributes)
        self._row = row
        self._session = session
        self._read: dict[str, Any] = {}

    @classmethod
    def is_stored(cls) -> bool:
        """Whether the store has such entities."""
        return cls._type.stored

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python itself asks, to copy or to print
            raise AttributeError(name)
        self.check_name(name)
        if name not in self._read:
            self._read[name] = self._session.read(self._row, self._type.attributes[name])
        return self._read[name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Instance) and self._row.reference == other._row.reference

    def __hash__(self) -> int:
        return hash(self._row.reference)

    def __repr__(self) -> str:
        return str(self._row.reference)


class _Request(_Visible):
    """The request as oso sees it."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__("Request", values)
        self._values = values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # as above
            raise AttributeError(name)
        self.check_name(name)
        return self._values[name]


def _check_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        message = "takes longer than the time limit; the setting is `time_limit`"
        raise EvaluationTimeoutError.at("the question", "evaluation_timeout", message)


def _read_code(code: object) -> str:
    """Read a forbid's reason; a rule that leaves it open has no reason to give."""
    if type(code) is not str:  # an unbound variable of oso is a kind of str
        message = "a `forbid` rule gives no reason; its first argument must be text"
        raise PolicyError.at("forbid", "no_reason", message)
    return code


def _build_class(entity_type: EntityType) -> type[_Instance]:
    """Make the class by which oso tells entity types apart, as in `person: Person`."""
    body = {"__slots__": (), "_type": entity_type}
    return type(entity_type.class_name, (_Instance,), body)


def _unknown_attribute(owner: str, name: str, known: Collection[str]) -> PolicyError:
    message = f"has no attribute `{name}`{suggest(name, known)}"
    return PolicyError.at(owner, "unknown_attribute", message)


def _load(policies: PolicySet, classes: Mapping[str, type[_Instance]]) -> Oso:
    oso = Oso()
    oso.register_class(_Request, name="Request")
    oso.register_class(datetime, name="DateTime")
    for each in classes.values():
        oso.register_class(each)
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):  # oso prints its warnings
            sources = [PolarSource(file.text, file.name) for file in policies.files]
            oso.ffi_polar.load([*sources, PolarSource(_ENTRIES, "entries.polar")])
            oso.check_inline_queries()
    except OsoError as error:
        raise _refuse(policies, str(error.message)) from None
    if said.getvalue():
        raise _refuse(policies, said.getvalue().removeprefix("[warning] "))
    return oso


def _refuse(policies: PolicySet, said: str) -> PolicyError:
    """Put oso's words on one line, with the place in front."""
    found = _AT.search(said)
    place = Place(policies.folder)
    if found:
        line, column, file = found.groups()
        place = Place(f"{policies.folder}/{file}", int(line), int(column))
        said = said[: found.start()]
    message = " ".join(said.split())
    return PolicyError.at(place, "invalid_policy", message)
