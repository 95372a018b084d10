"""Made-up policies and stores: both engines agree, and a disagreement would be told in full."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

import pytest
from generated_agreement import (
    LONG,
    Tally,
    build_store,
    compare_many,
    find_answers,
    read_policy_set,
    read_request,
)
from generated_policies import CONSTRUCTS, DOMAIN, NOON, Case
from reference import load_oracle, require_reference

from authz_service import assembly
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.request import Said
from authz_service.scenario.case import load_scenario
from authz_service.scenario.runner import Runner
from authz_service.settings import Settings
from authz_service.store.entity import Reference, Row

if TYPE_CHECKING:
    from pathlib import Path

# In parts that run at the same time; `make agree` makes up many more.
PARTS: Final = 2
PAIRS: Final = 250

READERS_READ: Final = """allow(request: Request, "read", record: Record) if
    request.subject in record.readers and request.channel = "web";
allow(_: Request, "write", _: Record);
allow(_: Request, "open", _: Folder);
allow(_: Request, "send", _: Letter);
"""
OWNERS_READ: Final = READERS_READ.replace("in record.readers", "= record.owner")
CASE: Final = Case(
    READERS_READ,
    (
        Row(Reference("user", "alice"), {"name": "a", "role": "admin", "manager": None}),
        Row(Reference("user", "bob"), {"name": "b", "role": "member", "manager": "alice"}),
        Row(Reference("folder", "drawer"), {"keeper": "bob", "is_open": True}),
        Row(
            Reference("record", "report"),
            {
                "status": "active",
                "folder": "drawer",
                "owner": "bob",
                "title": None,
                "size": 3,
                "secret": False,
                "created": NOON,
                "readers": ("alice", "bob"),
            },
        ),
    ),
    (
        Said(
            context={"channel": "web"},
            subject={"role": "member"},
            action={"soft": None, "copies": 2, "parts": []},
            resource={"title": "a", "secret": True},  # of a record, what is stored counts
        ),
    ),
)


SAID: Final = Said(
    subject={"role": "member"}, action={"copies": 2, "parts": []}, resource={"title": "a"}
)


@pytest.mark.parametrize("part", range(PARTS))
def test_engines_agree_on_made_up_policies(part: int) -> None:
    """Whatever is made up, the reasons are the same, and every construct has been made up."""
    require_reference()
    tally = Tally()
    compare_many(PAIRS, part, tally)

    assert tally.pairs >= PAIRS
    assert set() == CONSTRUCTS - tally.constructs.keys()
    assert 0 < tally.allowed < tally.questions


def test_a_disagreement_is_told_as_files_that_show_it(tmp_path: Path) -> None:
    """What is printed can be saved: the scenario fails by the one policy, and not by the other.

    What came with the question, and counts, comes with it again.
    """
    engine = CompiledEngine(read_policy_set(READERS_READ), DOMAIN, LONG)
    with pytest.raises(AssertionError) as caught:
        find_answers(CASE, engine, load_oracle(read_policy_set(OWNERS_READ), DOMAIN))
    passed = {}
    for name, policy in (("readers", READERS_READ), ("owners", OWNERS_READ)):
        settings = save(str(caught.value).replace(READERS_READ, policy), tmp_path / name)
        scenario = load_scenario(tmp_path / name / "scenarios" / "generated.yaml")
        said = scenario.inquiries[0].said
        passed[name] = [each.passed for each in Runner(settings).run(scenario)]

    assert "compiled says (), among others (); oso says ('not_permitted',)" in str(caught.value)
    assert SAID == said
    assert {"readers": [False], "owners": [True]} == passed


def save(told: str, folder: Path) -> Settings:
    """Save what is told of a disagreement, each file under its name."""
    _, *parts = re.split(r"^# (\w+/generated\.\w+)\n", told, flags=re.MULTILINE)
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text, encoding="utf-8")
    return dataclasses.replace(
        Settings(),
        domain="generated_policies",
        policies=folder / "policies",
        fixtures=folder / "fixtures",
    )


def test_an_error_of_one_engine_alone_is_a_disagreement() -> None:
    """What only one of them can decide is told as what the other says."""
    policy = READERS_READ.replace("request.subject in record.readers", "record.misspelt = 1")
    engine = CompiledEngine(read_policy_set(READERS_READ), DOMAIN, LONG)

    with pytest.raises(AssertionError, match=r"oso says \('error: .*no attribute `misspelt`"):
        find_answers(CASE, engine, load_oracle(read_policy_set(policy), DOMAIN))


def test_a_made_up_store_holds_its_rows() -> None:
    """The rows are stored as they are, so that questions are about them."""
    store = build_store(CASE)
    found = [store.find(row.reference) for row in CASE.rows]
    engine = CompiledEngine(read_policy_set(READERS_READ), DOMAIN, LONG)
    decider = assembly.build_decider(engine, DOMAIN, store)
    allowed = [decider.check(read_request(each)).allowed for each in CASE.questions]
    store.close()

    assert None not in found
    assert [True] * 8 == allowed
