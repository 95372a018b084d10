"""Finds access reviews: by searches, which find all that is allowed, and an explanation of each.

An example, of a customer: its subscriptions refer to it, so it and each of them is asked about. For
each of their actions, each type of subject and each channel, a search finds who may; what is found
is explained once.

A rule may let in subjects without relating them to what they may act on: anybody may ask for
access, any operator may look. Where those are more than the limit, only such are listed as are
related to what is reviewed by another question; the others are counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from authz_service.decision.decider import walk
from authz_service.decision.review import ANY, NO_CHANNEL, Basis, Grant, Others, Review
from authz_service.errors import (
    AuthzError,
    Fault,
    NotFoundError,
    Place,
    RequestError,
    quote,
    suggest,
    with_article,
)
from authz_service.policy.clauses import RESOURCE, SUBJECT
from authz_service.policy.mention import Mentions
from authz_service.policy.origin import Origins
from authz_service.policy.said import CHANNEL, add_channel, build_checked_request
from authz_service.store.entity import Reference
from authz_service.store.referrers import find_belongings
from authz_service.store.writer import find_revision

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from authz_service.decision.decider import Decider
    from authz_service.decision.explainer import Explainer
    from authz_service.decision.review import Wanted
    from authz_service.polar.schema import Schema
    from authz_service.policy.clauses import Clause
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.origin import RuleText
    from authz_service.policy.plan import Key, Question
    from authz_service.policy.request import Request
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain

    # Is told how many steps there are and what they are, and gives what is told of those done.
    Watch = Callable[[int, str], AbstractContextManager[Callable[[int], Any]]]

    # By which something is asked, or allowed; None is none.
    Channels = tuple[str | None, ...]

_WHERE: Final = "the review"


@dataclass(frozen=True)
class _Kind:
    """What is the same for all questions of a kind.

    Arguments:
        key: which kind.
        permitting: the clauses by which it is permitted.
        heeds_channel: whether it matters by which channel it is asked.
        channels: those that its clauses name.
    """

    key: Key
    permitting: tuple[Clause, ...]
    heeds_channel: bool
    channels: frozenset[str]

    @property
    def relates(self) -> bool:
        """Whether it is permitted to those alone whom rows relate to the resource."""
        return all(each.relates for each in self.permitting)


class _Search(NamedTuple):
    """A question with one side open, and what was found for it.

    Arguments:
        kind: of the question.
        side: which is known, `subject` or `resource`.
        known: that.
        found: ids for the other, each with the channels by which it is allowed.
    """

    kind: _Kind
    side: str
    known: Reference
    found: Mapping[str, Channels]

    @property
    def open_type(self) -> str:
        """The type of what was looked for."""
        return self.kind.key[2 if self.side == SUBJECT else 0]

    def name(self, found: str) -> Reference:
        """Name what was found."""
        return Reference(self.open_type, found)

    def fill_in(self, request: Request, found: str = "") -> Request:
        """Put into a request what is known, and what was found."""
        ends = self.known, self.name(found)
        subject, resource = ends if self.side == SUBJECT else reversed(ends)
        return request._replace(subject=subject, action=self.kind.key[1], resource=resource)

    def choose(self, related: Collection[Reference], limit: int) -> list[str]:
        """Choose what is listed of what was found."""
        chosen = [each for each in self.found if self.name(each) in related]
        is_few = len(self.found) - len(chosen) <= limit
        return list(self.found) if self.kind.relates or is_few else chosen


class Reviewer:
    """Finds access reviews, all as of one time.

    Arguments:
        engine: whose clauses decide.
        decider: decides, by whatever engine, as of that time.
        explainer: explains, as of that time.
        store: the entities.
        now: the time.
    """

    def __init__(
        self,
        engine: CompiledEngine,
        decider: Decider,
        explainer: Explainer,
        store: Store,
        now: datetime,
    ) -> None:
        self._decider = decider
        self._explainer = explainer
        self._store = store
        self._domain = store.domain
        self._now = now
        self._origins = Origins(engine.policies.sources)
        self._kinds = list(_find_kinds(engine, store.domain))

    def review(self, wanted: Wanted, watch: Watch) -> Review:
        """Review what somebody may do, or who may do what on an entity.

        Arguments:
            wanted: what is to be reviewed.
            watch: is told how far it is.

        Raises:
            NotFoundError: when there is no such entity.
            RequestError: when it cannot be reviewed so.
            SearchTimeoutError: when a page of a search takes longer than its time limit.
            AuthzError: when something that was found cannot be explained.
        """
        side = self._find_side(wanted)
        requests = self._build_requests(wanted)
        with self._store.snapshot():
            if self._store.find(wanted.entity) is None:
                message = f"there is no {quote(str(wanted.entity))} in the store"
                raise NotFoundError.at(_WHERE, "unknown_entity", message)
            belongings = self._find_belongings(wanted.entity) if side == RESOURCE else []
            asked = [
                _Search(kind, side, each, {})
                for each in (wanted.entity, *belongings)
                for kind in self._kinds
                if each.type == kind.key[0 if side == SUBJECT else 2]
            ]
            searches = self._search_all(asked, requests, watch)
            related = {
                each.name(found) for each in searches if each.kind.relates for found in each.found
            }
            chosen = [(each, each.choose(related, wanted.limit)) for each in searches]
            return Review(
                entity=wanted.entity,
                side=side,
                belongings=len(belongings),
                revision=find_revision(self._store),
                at=self._now,
                policy_digest=self._decider.policy_digest,
                channels=_name_channels(requests),
                grants=self._explain_all(chosen, requests, watch),
                others=tuple(self._count_others(chosen, requests)),
            )

    def _find_side(self, wanted: Wanted) -> str:
        """Find as what an entity is reviewed, and refuse what cannot be."""
        schema, kind = self._domain.schema, wanted.entity.type
        if kind not in schema.types:
            message = f"there is no entity type {quote(kind)}{suggest(kind, schema.types)}"
            raise RequestError.at(_WHERE, "unknown_type", message)
        if not schema.types[kind].stored:
            message = f"no {quote(kind)} is stored, so nobody knows which there are"
            raise RequestError.at(_WHERE, "not_stored", message)
        side = wanted.side or (SUBJECT if kind in schema.subjects else RESOURCE)
        if side == SUBJECT and kind not in schema.subjects:
            message = f"{quote(kind)} is no type of subject{suggest(kind, schema.subjects)}"
            raise RequestError.at(_WHERE, "not_a_subject", message)
        if side == RESOURCE and not _is_acted_on(schema, kind):
            message = f"nobody acts on {with_article(kind)}, nor on anything that refers to one"
            raise RequestError.at(_WHERE, "not_a_resource", message)
        return side

    def _build_requests(self, wanted: Wanted) -> dict[str | None, Request]:
        """Build for each channel a request into which subject, action and resource are put."""
        for part in (SUBJECT, RESOURCE):
            if getattr(wanted.said, part):
                message = f"a review is of what is stored, so nothing is said of the {part}"
                raise RequestError.at(_WHERE, "reviewed_is_stored", message)
        channels: Channels = (wanted.via,)
        if wanted.via is None:
            channels = (None, *sorted({name for each in self._kinds for name in each.channels}))
        schema, entity = self._domain.schema, wanted.entity
        return {
            each: build_checked_request(schema, entity, "", entity, add_channel(wanted.said, each))
            for each in channels
        }

    def _find_belongings(self, entity: Reference) -> list[Reference]:
        """Find the entities with actions whose references lead to one."""
        kinds = {name for name, actions in self._domain.actions.items() if actions}
        return find_belongings(self._store, self._domain, entity, kinds)

    def _search_all(
        self, asked: Sequence[_Search], requests: Mapping[str | None, Request], watch: Watch
    ) -> list[_Search]:
        searches = []
        with watch(len(asked), "searching") as tell:
            for each in asked:
                searches.append(each._replace(found=self._search(each, requests)))
                tell(1)
        return searches

    def _search(
        self, search: _Search, requests: Mapping[str | None, Request]
    ) -> dict[str, Channels]:
        """Find what is allowed, by each channel; where none matters, by the first."""
        decider, side = self._decider, search.side
        look = decider.search_resources if side == SUBJECT else decider.search_subjects
        asked = list(requests) if search.kind.heeds_channel else list(requests)[:1]
        found: dict[str, Channels] = {}
        for channel in asked:
            for each in walk(look, search.fill_in(requests[channel])):
                found[each] = (*found.get(each, ()), channel)
        return found

    def _explain_all(
        self,
        chosen: Sequence[tuple[_Search, Sequence[str]]],
        requests: Mapping[str | None, Request],
        watch: Watch,
    ) -> tuple[Grant, ...]:
        grants = []
        with watch(sum(len(listed) for _, listed in chosen), "explaining") as tell:
            for search, listed in chosen:
                for found in listed:
                    channels = search.found[found]
                    request = search.fill_in(requests[channels[0]], found)
                    via = _say_channels(search.kind, channels, requests)
                    subject, action, resource, _, _ = request
                    grants.append(Grant(subject, action, resource, via, self._find_bases(request)))
                    tell(1)
        return tuple(sorted(grants, key=lambda each: (each.subject, each.action, each.resource)))

    def _find_bases(self, request: Request) -> tuple[Basis, ...]:
        """Find by which rules something is permitted; what has stood longest comes first."""
        explanation = self._explainer.explain(request)
        if not explanation.decision.allowed:
            where = Place(f"{request.subject} {request.action} {request.resource}")
            raise AuthzError(
                Fault(where, each.code, f"cannot be explained: {each.message}")
                for each in explanation.decision.reasons
            )
        bases: dict[tuple[RuleText, ...], Basis] = {}
        for ground in explanation.permitting:
            if ground.holds:
                since = max((each.revision for each in ground.evidence), default=None)
                basis = Basis(ground.rules, since, ground.evidence)
                bases[ground.rules] = min(bases.get(ground.rules, basis), basis, key=_age)
        return tuple(sorted(bases.values(), key=_age))

    def _count_others(
        self,
        chosen: Sequence[tuple[_Search, Sequence[str]]],
        requests: Mapping[str | None, Request],
    ) -> Iterator[Others]:
        """Count what was found and is not listed."""
        for search, listed in chosen:
            if len(listed) == len(search.found):
                continue
            steps = dict.fromkeys(each.rules[0] for each in search.kind.permitting)
            rules = tuple(self._origins.get(each) for each in steps)
            counts = Counter(search.found.values())
            counts.subtract(search.found[each] for each in listed)
            for channels, count in sorted(counts.items(), key=str):
                if count:
                    via = _say_channels(search.kind, channels, requests)
                    _, action, _ = search.kind.key
                    yield Others(search.known, action, search.open_type, via, count, rules)


def _find_kinds(engine: CompiledEngine, domain: Domain) -> Iterator[_Kind]:
    """Find the questions that some rule permits, about what is stored on both sides."""
    types = domain.schema.types
    for resource, actions in domain.actions.items():
        for action in actions:
            for subject in sorted(domain.subjects):
                question = engine.find_question(subject, action, resource)
                is_stored = types[subject].stored and types[resource].stored
                if is_stored and question and question.parts[0]:
                    yield _describe_kind((subject, action, resource), question)


def _describe_kind(key: Key, question: Question) -> _Kind:
    permitting, forbidding = question.parts
    mentions = Mentions(chain(permitting, *forbidding))
    channels = frozenset(value for name, value in mentions.compared if name == CHANNEL)
    return _Kind(key, permitting, CHANNEL in mentions.said, channels)


def _is_acted_on(schema: Schema, kind: str) -> bool:
    """Tell whether there are actions on entities of a type, or on such as refer to them."""
    return any(
        each.name == kind
        or any(
            attribute.type == kind and not attribute.many for attribute in each.attributes.values()
        )
        for each in schema.types.values()
        if each.actions
    )


def _say_channels(kind: _Kind, channels: Channels, requests: Mapping[str | None, Request]) -> str:
    """Say by which channels something is allowed, of those that were asked for."""
    if not kind.heeds_channel or (len(requests) > 1 and len(channels) == len(requests)):
        return ANY
    return ", ".join(_name_channels(channels))


def _name_channels(channels: Collection[str | None]) -> tuple[str, ...]:
    return tuple(NO_CHANNEL if each is None else each for each in channels)


def _age(basis: Basis) -> int:
    return -1 if basis.since is None else basis.since
