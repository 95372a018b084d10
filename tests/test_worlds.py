"""Many stores at once: each of them is one that there can be, and says what a database says."""

from __future__ import annotations

import importlib
import itertools
import random
from typing import TYPE_CHECKING, Final

import generated_policies
import pytest
from generated_agreement import read_policy_set
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from mutants import LONG, compile_ours
from test_domains import FOLDER, NAMES

from authz_service.equivalence.cone import Cone
from authz_service.equivalence.small_stores import find_scopes
from authz_service.equivalence.truth import Truth
from authz_service.equivalence.witness import Trial, build_witness
from authz_service.equivalence.worlds import Shape, find_fewest
from authz_service.errors import PolicyError
from authz_service.policy.compiled import CompiledEngine, find_keys
from authz_service.policy.reasons import NOT_PERMITTED
from authz_service.policy.source import check_policies, load_policies
from authz_service.portal import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.equivalence.small_stores import Scope
    from authz_service.equivalence.witness import Witness
    from authz_service.policy.plan import Key, Question
    from authz_service.store.domain import Domain

# How many worlds of each scope are looked at, and from how many of its first blocks.
WORLDS: Final = 40
BLOCKS: Final = 30
MADE_UP: Final = 25


def load(name: str) -> tuple[Domain, CompiledEngine]:
    """Load a domain with its policies."""
    if name == "portal":
        return DOMAIN, compile_ours()
    domain = importlib.import_module(f"domains.{name}").DOMAIN
    return domain, CompiledEngine(load_policies(FOLDER / name / "policies"), domain, LONG)


def find_questions_scopes(domain: Domain, key: Key, question: Question) -> Iterator[Scope]:
    """Find the stores with two entities of each type, for all that a question looks at."""
    parts = (question.allow or (), question.permit, *question.forbid.values())
    yield from find_scopes(Cone(itertools.chain(*parts), key, domain), 2)


def sample(scope: Scope, question: Question, action: str) -> Iterator[tuple[Witness, list[str]]]:
    """Pick some stores of a scope, with what is said there to a question."""
    chance = random.Random(1)  # noqa: S311  # nothing is secret
    shape = Shape(scope)
    blocks = list(itertools.islice(shape.blocks(), BLOCKS))
    for _ in range(WORLDS):
        block, bit = chance.choice(blocks), chance.randrange(shape.width)
        if not block.stores >> bit & 1:
            continue
        allowed, reasons = Truth(block, scope.subject, scope.resource).answer(question)
        witness = build_witness(scope, action, block.read(bit))
        assert witness is not None
        given = [code for code, worlds in sorted(reasons.items()) if worlds >> bit & 1]
        yield witness, [] if allowed >> bit & 1 else given or [NOT_PERMITTED]


def compare_with_database(domain: Domain, engine: CompiledEngine) -> int:
    """Hold worlds against the database, which takes their stores, and count them."""
    count = 0
    trial = Trial(domain, [engine])
    for key in find_keys(domain):
        question = engine.get_question(*key)
        for scope in find_questions_scopes(domain, key, question):
            for witness, said in sample(scope, question, key[1]):
                answers = trial.ask(witness)
                assert [tuple(said)] == answers, (key, witness)
                count += 1
    trial.close()
    return count


@pytest.mark.parametrize("name", ["portal", *NAMES])
def test_worlds_say_what_the_database_says(name: str) -> None:
    """Whatever the question, the same reasons are given in a world and in its store."""
    count = compare_with_database(*load(name))

    assert count > WORLDS


def test_worlds_say_what_the_database_says_by_made_up_policies() -> None:
    """The same is so of every construct."""
    counts = []

    @seed(1)
    @settings(
        max_examples=MADE_UP,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(generated_policies.policies())
    def hold(text: str) -> None:
        policies = read_policy_set(text)
        domain = generated_policies.DOMAIN
        assume(not check_policies(policies, domain.schema).errors)
        try:
            engine = CompiledEngine(policies, domain, LONG)
        except PolicyError:
            assume(condition=False)
        counts.append(compare_with_database(domain, engine))

    hold()

    assert sum(counts) > MADE_UP * WORLDS


def test_what_promises_rule_out_is_no_store() -> None:
    """Of the stores that are left out, the database takes none that is in order, and no other."""
    key = ("person", "register_access_owner", "customer")
    question = compile_ours().get_question(*key)
    trial = Trial(DOMAIN, [compile_ours()])
    refused = 0
    for scope in find_questions_scopes(DOMAIN, key, question):
        for block in Shape(scope).blocks():
            for bit in range(0, block.full.bit_length(), 7):
                witness = build_witness(scope, key[1], block.read(bit))
                assert witness is not None
                is_store = bool(block.stores >> bit & 1)
                assert is_store == (trial.ask(witness) is not None)
                refused += not is_store
    trial.close()

    assert refused > 100


def test_the_fewest_are_found() -> None:
    """Of five worlds, the first and the last are in one of three sets, and the others in more."""
    worlds, sets = 0b11111, (0b01111, 0b01110, 0b11110)

    assert (1, 0b10001) == find_fewest(worlds, sets)


def test_none_are_found_among_none_and_where_all_are_in_too_many() -> None:
    """A limit leaves out what is in more sets."""
    assert (0, 0) == find_fewest(0, [0b1])
    assert (0, 0) == find_fewest(0b11, [0b11, 0b01], 0)
    assert (1, 0b10) == find_fewest(0b11, [0b11, 0b01], 1)
