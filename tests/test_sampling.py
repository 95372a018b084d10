"""Two engines held against each other, on every question or on a sample: policy/agreement.py."""

from __future__ import annotations

import dataclasses
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from installation import wait_until
from portal_service import MARY_SEES_USAGE, ask, call
from reference import require_reference
from small_domain import DOMAIN, NOON, ask_for, build_oracle, build_records, write_policy

from authz_service import assembly, portal, storage
from authz_service.errors import PolicyError
from authz_service.policy.agreement import Both, Sampled, Tally
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import load_policies
from authz_service.settings import Settings
from authz_service.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.store.database import Store

ROOT: Final = Path(__file__).parent.parent
EVERYBODY: Final = 'allow(_request: Request, "read", _record: Record);'
NOBODY: Final = 'allow(_request: Request, "write", _record: Record);'
FAILING: Final = 'allow(_: Request, "read", record: Record) if record.misspelt = 1;'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A file with a few records, which every thread can read."""
    store = build_records(f"sqlite:///{tmp_path / 'records.db'}")
    yield store
    store.close()


def build_compiled(folder: Path, text: str) -> CompiledEngine:
    """Build a compiled engine of a policy."""
    return CompiledEngine(load_policies(write_policy(folder, text)), DOMAIN, 60_000)


def build_both(tmp_path: Path, compiled: str, reference: str) -> tuple[CompiledEngine, Both]:
    """Build two engines, each of its own policy, and what asks both."""
    engine = build_compiled(tmp_path / "compiled", compiled)
    return engine, Both(engine, build_oracle(tmp_path / "oso", reference))


def test_what_both_say_is_the_answer(tmp_path: Path, store: Store) -> None:
    """Where the two agree, that is the answer, reasons included."""
    engine, both = build_both(tmp_path, EVERYBODY, EVERYBODY)

    assert () == both.reasons(store, ask_for(), NOON)
    assert ("not_permitted",) == both.reasons(store, ask_for(action="write"), NOON)
    assert engine.policy_digest == both.policy_digest


def test_a_disagreement_is_an_error_that_names_both_answers(tmp_path: Path, store: Store) -> None:
    """Where they disagree, nothing is decided, and it is said what each of them says."""
    _, both = build_both(tmp_path, EVERYBODY, NOBODY)

    with pytest.raises(PolicyError, match=r"compiled says allow, oso says deny \(not_permitted\)"):
        both.reasons(store, ask_for(), NOON)


def test_what_both_say_to_many_is_the_answer(tmp_path: Path, store: Store) -> None:
    """Questions that are asked together are compared one by one."""
    _, both = build_both(tmp_path, EVERYBODY, EVERYBODY)
    requests = [ask_for(), ask_for(action="write"), ask_for()]

    assert [(), ("not_permitted",), ()] == both.reasons_many(store, requests, NOON)


def test_a_disagreement_about_one_of_many_is_an_error(tmp_path: Path, store: Store) -> None:
    """Where they disagree on any of several questions, it is said."""
    _, both = build_both(tmp_path, EVERYBODY, NOBODY)

    with pytest.raises(PolicyError, match="engines_disagree"):
        both.reasons_many(store, [ask_for(action="write"), ask_for()], NOON)


def test_an_error_of_one_engine_alone_is_a_disagreement(tmp_path: Path, store: Store) -> None:
    """A rule that fails in one engine and not in the other is told as what it is."""
    _, both = build_both(tmp_path, EVERYBODY, FAILING)

    with pytest.raises(PolicyError, match=r"compiled says allow, oso fails \(.*`misspelt`"):
        both.reasons(store, ask_for(), NOON)


def test_an_error_of_both_engines_is_that_error(tmp_path: Path, store: Store) -> None:
    """What neither can decide is no disagreement."""
    oracle = build_oracle(tmp_path, FAILING)

    with pytest.raises(PolicyError, match="unknown_attribute"):
        Both(oracle, oracle).reasons(store, ask_for(), NOON)


@pytest.mark.parametrize(
    ("one_in", "expected"), [(1, Tally(6, 0)), (3, Tally(2, 0)), (7, Tally(0, 0))]
)
def test_one_question_in_many_is_compared(
    tmp_path: Path, store: Store, one_in: int, expected: Tally
) -> None:
    """The reference is asked as often as the setting says."""
    engine = build_compiled(tmp_path / "compiled", EVERYBODY)
    sampled = Sampled(engine, build_oracle(tmp_path / "oso", EVERYBODY), one_in)
    answers = [sampled.reasons(store, ask_for(), NOON) for _ in range(6)]
    sampled.wait()

    assert [()] * 6 == answers
    assert expected == sampled.tally()


def test_questions_that_are_asked_together_are_sampled_as_well(
    tmp_path: Path, store: Store
) -> None:
    """It does not matter for the sample in which batches questions come."""
    engine = build_compiled(tmp_path / "compiled", EVERYBODY)
    sampled = Sampled(engine, build_oracle(tmp_path / "oso", EVERYBODY), 3)
    for size in (2, 1, 0, 8):
        assert [()] * size == sampled.reasons_many(store, [ask_for()] * size, NOON)
    sampled.wait()

    assert Tally(3, 0) == sampled.tally()


def test_a_disagreement_in_the_sample_is_counted_and_logged(
    tmp_path: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is the engine's; that the reference would say something else is told."""
    engine = build_compiled(tmp_path / "compiled", EVERYBODY)
    sampled = Sampled(engine, build_oracle(tmp_path / "oso", NOBODY), 1)
    with caplog.at_level(logging.ERROR):
        answer = sampled.reasons(store, ask_for(), NOON)
        sampled.wait()

    assert () == answer
    assert Tally(1, 1) == sampled.tally()
    assert "compiled says allow, oso says deny (not_permitted)" in caplog.text


def test_the_sample_goes_on_after_an_error(tmp_path: Path, store: Store) -> None:
    """A reference that cannot answer is no disagreement, and does not end the sampling."""
    engine = build_compiled(tmp_path / "compiled", EVERYBODY)
    hurried = build_oracle(
        tmp_path / "oso",
        EVERYBODY + 'allow(_r: Request, "read", record: Record) if record.status = "lost";',
        time_limit=0,
    )
    sampled = Sampled(engine, hurried, 1)
    for _ in range(3):
        sampled.reasons(store, ask_for(), NOON)
    sampled.wait()

    assert Tally(3, 0) == sampled.tally()


def test_the_health_of_a_service_tells_of_the_sample(tmp_path: Path) -> None:
    """Who looks at the health sees how often the reference was asked, and disagreed."""
    require_reference()
    database = f"sqlite:///{tmp_path / 'portal.db'}"
    settings = dataclasses.replace(
        Settings(), database=database, policies=ROOT / "policies", sample=2, time_limit=60_000
    )
    storage.load_into_store(settings, [ROOT / "fixtures" / "smith.yaml"])
    service = assembly.build_service(settings)
    client = create_app(service).test_client()
    for _ in range(4):
        ask(client, MARY_SEES_USAGE)
    assert service.sampled is not None
    service.sampled.wait()
    health = call(client, "GET", "/health").data
    service.store.close()

    assert {"asked": 2, "disagreements": 0} == health["reference"]
    assert "compiled" == health["engine"]


@pytest.mark.parametrize(
    ("name", "sample", "expected"),
    [("compiled", 0, "compiled"), ("oso", 1, "oso"), ("both", 1, "both")],
)
def test_only_a_compiled_engine_is_sampled(name: str, sample: int, expected: str) -> None:
    """Without a sample, or where oso is asked anyhow, the engine serves as it is."""
    require_reference()
    settings = dataclasses.replace(
        Settings(), policies=ROOT / "policies", engine=name, sample=sample
    )
    engine = assembly.build_sampled_engine(settings, portal.DOMAIN)

    assert not isinstance(engine, Sampled)
    assert expected == engine.name


def test_what_is_closed_compares_no_more(tmp_path: Path, store: Store) -> None:
    """Its thread ends; who still asks is answered."""
    engine = build_compiled(tmp_path / "compiled", EVERYBODY)
    sampled = Sampled(engine, build_oracle(tmp_path / "oso", EVERYBODY), 1)
    others = set(threading.enumerate())
    sampled.reasons(store, ask_for(), NOON)
    sampled.wait()
    threads = set(threading.enumerate()) - others
    sampled.close()
    wait_until(lambda: not any(each.is_alive() for each in threads))

    assert threads
    assert () == sampled.reasons(store, ask_for(), NOON)
    assert 1 == sampled.tally().asked
