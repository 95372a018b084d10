"""Questions put to two policies: the answers that turn are those of both engines."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest
from generated_agreement import build_store, compile_case, read_request
from generated_policies import DOMAIN as GENERATED
from generated_policies import NOON, Case, cases, policies  # read by Hypothesis
from hypothesis import HealthCheck, given, settings
from small_domain import ALICE, BOB, NOTE, REPORT, ask_for, build_records
from small_domain import DOMAIN as SMALL
from turned import LONG, Change, find_effects

from authz_service.errors import EvaluationTimeoutError
from authz_service.policy.asked import Asked
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.effect import Cause, Direction, Effect, Example, Ground
from authz_service.policy.replay import Replay, Tally
from authz_service.policy.source import PolicyFile, build_policy_set
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.policy.request import Request
    from authz_service.store.database import Store

USUAL: Final = """allow(request: Request, action: String, resource) if
    permit(request.subject, action, resource) and
    not forbid(_reason, request, action, resource);
forbid("paper", request: Request, "write", _: Record) if request.channel = "paper";
"""
OWNERS: Final = 'permit(user: User, "read", record: Record) if record.owner = user;\n'
READERS: Final = 'permit(user: User, "read", record: Record) if user in record.readers;\n'
WRITERS: Final = 'permit(user: User, "write", record: Record) if record.owner = user;\n'


@pytest.fixture
def records(url: str) -> Iterator[Store]:
    """Two users and two records, in either database."""
    store = build_records(url)
    yield store
    store.close()


def compile_policies(*texts: str) -> Change:
    """Compile two policies about users and records."""
    old, new = (
        CompiledEngine(build_policy_set(name, [PolicyFile("a.polar", text)]), SMALL, LONG)
        for name, text in zip(("old", "new"), texts, strict=True)
    )
    return Change(old, new, SMALL)


def replay(
    change: Change, store: Store, requests: list[Request], listed: int = 10
) -> tuple[Tally, list[Effect]]:
    """Put requests to two policies."""
    found = Replay(*change, store, now=NOON, listed=listed, left=lambda: LONG)
    with store.snapshot():
        tally = found.ask(map(Asked, requests))
    return tally, list(found.find_effects())


def test_each_answer_that_turns_has_its_rule(records: Store) -> None:
    """Bob reads the report no longer as its reader; what did not change is not told."""
    change = compile_policies(USUAL + READERS + WRITERS, USUAL + OWNERS + WRITERS)
    asked = [ask_for(*each) for each in product((ALICE, BOB), ("read", "write"), (REPORT, NOTE))]
    tally, effects = replay(change, records, asked)
    cause = Cause(Direction.DENIED, Ground.NOT_PERMITTED, "permit old/a.polar:5")
    examples = (Example("bob", "report"),)

    assert Tally(asked=8, alike=4, strange=0) == tally
    assert [Effect(cause, ("user", "read", "record"), (), 1, True, examples)] == effects


def test_a_question_that_was_asked_again_counts_again(records: Store) -> None:
    """Each time counts; as an example it stands once."""
    change = compile_policies(USUAL + OWNERS, USUAL + READERS)
    [effect] = replay(change, records, [ask_for(BOB)] * 7 + [ask_for()])[1]

    assert (7, (Example("bob", "report"),)) == (effect.count, effect.examples)


def test_what_came_with_a_question_makes_it_another_one(records: Store) -> None:
    """An example says all that counted, as the commands take it."""
    old = USUAL + WRITERS
    change = compile_policies(old, old.replace('"paper"', '"web"'))
    ways: list[dict[str, Any]] = [{"channel": "paper"}, {"channel": "web"}, {}]
    asked = [ask_for(action="write", context=each, parameters={"parts": ["a"]}) for each in ways]
    _, effects = replay(change, records, asked)

    assert [
        (Ground.NOT_FORBIDDEN, "paper", ('action.parts=["a"]',)),
        (Ground.FORBIDDEN, "web", ('action.parts=["a"]',)),
    ] == [(each.cause.ground, one.via, one.said) for each in effects for one in each.examples]


def test_strangers_are_denied_by_both(records: Store) -> None:
    """What the domain does not have is counted; what the store does not have turns nothing."""
    change = compile_policies(USUAL + OWNERS, USUAL + 'permit(_: User, "read", _: Record);')
    zoe, diary = Reference("user", "zoe"), Reference("record", "diary")
    asked = [ask_for(zoe), ask_for(resource=diary), ask_for(action="fly"), ask_for(diary)]
    tally, effects = replay(change, records, asked)

    assert (Tally(asked=4, alike=0, strange=2), []) == (tally, effects)


def test_more_questions_than_a_statement_takes_are_asked(records: Store) -> None:
    """However many there are, each is answered; the examples are the first of them."""
    change = compile_policies(USUAL + OWNERS, USUAL + READERS)
    asked = [ask_for(BOB, context={"channel": str(number)}) for number in range(1_000)]
    [effect] = replay(change, records, asked, listed=2)[1]

    assert 1_000 == effect.count
    assert ["0", "1"] == [each.via for each in effect.examples]


def test_no_question_has_no_effect(records: Store) -> None:
    """Nothing was asked."""
    change = compile_policies(USUAL + OWNERS, USUAL + READERS)

    assert (Tally(0, 0, 0), []) == replay(change, records, [])


def test_a_replay_ends_with_its_time(records: Store) -> None:
    """What tells how much time is left may say that there is none."""

    def left() -> int:
        raise EvaluationTimeoutError.at("here", "evaluation_timeout", "no time is left")

    change = compile_policies(USUAL + OWNERS, USUAL + READERS)
    found = Replay(*change, records, now=NOON, listed=1, left=left)

    with pytest.raises(EvaluationTimeoutError):
        found.ask([Asked(ask_for())])


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(), policies())
def test_the_answers_that_turn_are_those_of_both_engines(case: Case, text: str) -> None:
    """Whatever is made up, every question: as many turn as the engines say, each way."""
    change = Change(compile_case(case)[0], compile_case(Case(text, case.rows, ()))[0], GENERATED)
    store = build_store(case)
    try:
        requests = [read_request(each) for each in case.questions]
        before, after = (each.reasons_many(store, requests, NOON) for each in change[:2])
        wanted = Counter(
            Direction.DENIED if new else Direction.ALLOWED
            for old, new in zip(before, after, strict=True)
            if bool(old) != bool(new)
        )
        found: Counter[Direction] = Counter()
        for each in replay(change, store, requests)[1]:
            found[each.cause.direction] += each.count
    finally:
        store.close()

    assert wanted == found, f"{case.policy}\n\n{text}"


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(), policies())
def test_a_replay_of_everything_names_the_causes_of_the_impact(case: Case, text: str) -> None:
    """Whoever is found by the one is found by the other, for the sake of the same rule."""
    change = Change(compile_case(case)[0], compile_case(Case(text, case.rows, ()))[0], GENERATED)
    plain = Case(case.policy, case.rows, (type(case.said[0])(),))
    requests = [read_request(each) for each in plain.questions if each.resource.type != "letter"]
    store = build_store(case)
    try:
        _, effects = replay(change, store, requests)
        replayed = {(each.cause, each.key): each.count for each in effects}
        silent = dict(requests[0].given)
        impact = {
            (each.cause, key): each.count
            for key in change.old.keys
            if key[2] != "letter"
            for each in find_effects(change, store, key, silent, NOON)
        }
    finally:
        store.close()

    assert impact == replayed, f"{case.policy}\n\n{text}"
