"""From a request to a decision, whatever the engine runs into."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Final

import pytest
from small_domain import (
    ALICE,
    BOB,
    DOMAIN,
    NOTE,
    REPORT,
    ask_for,
    build_decider,
    build_oracle,
    build_records,
)

from authz_service import assembly
from authz_service.decision.answer import Decision, Reason
from authz_service.policy.source import load_policies
from authz_service.store.entity import Reference, Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from authz_service.decision.decider import Decider
    from authz_service.policy.request import Request
    from authz_service.store.database import Store

POLICY: Final = """
allow(request: Request, action: String, record: Record) if
    permit(request.subject, action, record) and
    not forbid(_reason, request, action, record);

permit(_user: User, "read", _record: Record);
permit(user: User, "write", record: Record) if record.owner = user;
permit(_user: User, "delete", record: Record) if record.misspelt = true;

forbid("archived", _request: Request, _action: String, _record: Record{status: "archived"});
forbid("too_long", request: Request, _action: String, _record: Record) if request.copies = 5;

reason("archived", "what is archived stays as it is");
"""


@pytest.fixture
def records(url: str) -> Iterator[Store]:
    """Two users and two records, on each database."""
    store = build_records(url)
    yield store
    store.close()


@pytest.fixture
def decider(tmp_path: Path, records: Store) -> Decider:
    """Decides about the records by the policy above."""
    return build_decider(build_oracle(tmp_path, POLICY), records)


def test_an_allow_has_no_reasons(tmp_path: Path, decider: Decider) -> None:
    """Nothing stands against what is allowed; the decision names its policy."""
    digest = load_policies(tmp_path / "policies").digest

    assert Decision((), digest) == decider.check(ask_for())
    assert Decision((), digest).allowed


def test_a_denial_says_why(decider: Decider) -> None:
    """A denial has every reason, sorted by code, in words and as a code."""
    decision = decider.check(ask_for(BOB, "write", NOTE))

    assert not decision.allowed
    assert (
        Reason("archived", "what is archived stays as it is"),
        Reason("not_permitted", "no rule permits this"),
    ) == decision.reasons


def test_a_reason_without_words_is_its_code(decider: Decider) -> None:
    """Where the policy has no words for a reason, the code is read aloud."""
    decision = decider.check(ask_for(parameters={"copies": 5}))

    assert (Reason("too_long", "too long"),) == decision.reasons


def test_a_policy_may_say_our_reasons_in_its_own_words(tmp_path: Path, records: Store) -> None:
    """The words of the policy win over those that come with the service."""
    words = 'reason("not_permitted", "ask the owner");'
    decider = build_decider(build_oracle(tmp_path, POLICY + words), records)

    assert (Reason("not_permitted", "ask the owner"),) == decider.check(
        ask_for(BOB, "write")
    ).reasons


def test_a_decision_stays_as_it_is(decider: Decider) -> None:
    """A decision cannot be changed."""
    decision = decider.check(ask_for())

    with pytest.raises(dataclasses.FrozenInstanceError):
        decision.reasons = ()  # type: ignore[misc]


def test_reasons_sort_by_their_codes() -> None:
    """Reasons have an order."""
    assert [Reason("a", "z"), Reason("b", "a")] == sorted([Reason("b", "a"), Reason("a", "z")])


@pytest.mark.parametrize(
    ("code", "said", "request_"),
    [
        ("unknown_subject", "`usr` is no type of subject", ask_for(Reference("usr", "alice"))),
        ("unknown_subject", "`record` is no type of subject", ask_for(REPORT)),
        ("unknown_subject", "`` is no type of subject", ask_for(Reference("", ""))),
        (
            "unknown_resource",
            "`recrod` is no type of resource; did you mean `record`?",
            ask_for(resource=Reference("recrod", "report")),
        ),
        ("unknown_resource", "`user` is no type of resource", ask_for(resource=BOB)),
        (
            "unknown_action",
            "`raed` is no action on a record; did you mean `read`?",
            ask_for(action="raed"),
        ),
        ("unknown_action", "`READ` is no action on a record", ask_for(action="READ")),
        ("unknown_action", f"`{'x' * 100}…` is no action", ask_for(action="x" * 1000)),
        (
            "unknown_subject",
            "`usr` is no type of subject",
            ask_for(Reference("usr", "x"), "raed", Reference("recrod", "x")),
        ),
        (
            "unknown_resource",
            "`recrod` is no type of resource",
            ask_for(ALICE, "raed", Reference("recrod", "x")),
        ),
        ("unknown_subject", "there is no such subject", ask_for(Reference("user", "zoe"))),
        (
            "unknown_resource",
            "there is no such resource",
            ask_for(resource=Reference("record", "diary")),
        ),
    ],
)
def test_a_stranger_is_the_one_reason(
    decider: Decider, code: str, said: str, request_: Request
) -> None:
    """A word or an entity that does not exist denies alone, and the message says which."""
    (reason,) = decider.check(request_).reasons

    assert code == reason.code
    assert said in reason.message


def test_an_error_denies_alone(decider: Decider, caplog: pytest.LogCaptureFixture) -> None:
    """What goes wrong in a rule is the one reason, and the log says what it was."""
    decision = decider.check(ask_for(action="delete"))

    assert ["evaluation_error"] == [reason.code for reason in decision.reasons]
    assert "the log says why" in decision.reasons[0].message
    assert "has no attribute `misspelt`" in caplog.text
    assert "report" in caplog.text


def test_an_error_that_nobody_foresaw_denies(
    tmp_path: Path, decider: Decider, caplog: pytest.LogCaptureFixture
) -> None:
    """Oso's own errors deny as well, and the log has the whole of them."""
    rule = "permit(_user: User, _action: String, record: Record) if record.status > 3;"
    records = build_records()
    failing = build_decider(build_oracle(tmp_path, POLICY + rule), records)
    decision = failing.check(ask_for())
    records.close()

    assert decider.policy_digest != decision.policy_digest
    assert ["evaluation_error"] == [reason.code for reason in decision.reasons]
    assert "Traceback" in caplog.text


def test_a_broken_clock_denies(tmp_path: Path, records: Store) -> None:
    """Without a time there is no decision."""

    def fail() -> datetime:
        raise OSError("no clock")

    oracle = build_oracle(tmp_path, POLICY)
    decider = assembly.build_decider(oracle, DOMAIN, records, fail)

    assert ["evaluation_error"] == [each.code for each in decider.check(ask_for()).reasons]


def test_a_broken_database_denies(tmp_path: Path) -> None:
    """Without the entities there is no decision."""
    file = tmp_path / "records.db"
    records = build_records(f"sqlite:///{file}")
    records.close()
    file.write_bytes(b"this is no database" * 1000)
    decision = build_decider(build_oracle(tmp_path, POLICY), records).check(ask_for())
    records.close()

    assert ["evaluation_error"] == [reason.code for reason in decision.reasons]


def test_a_time_limit_denies(
    tmp_path: Path, records: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """What takes too long is told apart from what goes wrong."""
    people = [Reference("user", f"user-{number}") for number in range(300)]
    with records.transaction():
        for each in people:
            records.insert(Row(each, {"name": each.id, "role": "member", "manager": "alice"}))
    rule = 'permit(user: User, "read", _: Record) if report in user.reports and report.name = "";'
    oracle = build_oracle(tmp_path, POLICY + rule, time_limit=1)
    decision = build_decider(oracle, records).check(ask_for())

    assert ["evaluation_timeout"] == [reason.code for reason in decision.reasons]
    assert [logging.WARNING] == [record.levelno for record in caplog.records]


def test_many_are_decided_in_their_order(decider: Decider) -> None:
    """Each of several requests has its own decision, mistakes included."""
    requests = [
        ask_for(),
        ask_for(BOB, "write"),
        ask_for(action="delete"),
        ask_for(Reference("user", "zoe")),
        ask_for(),
    ]

    assert [decider.check(request) for request in requests] == decider.check_many(requests)
    assert [True, False, False, False, True] == [
        decision.allowed for decision in decider.check_many(requests)
    ]


def test_of_many_only_those_that_fail_are_errors(
    decider: Decider, caplog: pytest.LogCaptureFixture
) -> None:
    """An error in one question denies that one, is told once, and leaves the others alone."""
    decisions = decider.check_many([ask_for(), ask_for(action="delete"), ask_for()])

    assert [True, False, True] == [each.allowed for each in decisions]
    assert ["evaluation_error"] == [reason.code for reason in decisions[1].reasons]
    assert 1 == len(caplog.records)


def test_none_are_decided(decider: Decider) -> None:
    """No requests have no decisions."""
    assert [] == decider.check_many([])


def test_a_decider_knows_its_engine(tmp_path: Path, decider: Decider) -> None:
    """A decider says which engine and which policies it decides by."""
    digest = load_policies(tmp_path / "policies").digest

    assert ("oso", digest) == (decider.engine_name, decider.policy_digest)
