"""Made-up policies decided by both engines; where they disagree, all that shows it as files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml
from generated_policies import DOMAIN, NOON, Case, Question, cases, constructs_of  # noqa: TC002  # read by Hypothesis
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from reference import load_oracle

from authz_service.errors import PolicyError
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.request import build_request
from authz_service.policy.said import PARTS
from authz_service.policy.source import (
    PolicyFile,
    build_policy_set,
    check_policies,
    read_statements,
)
from authz_service.store.database import open_store
from authz_service.store.url import MEMORY

if TYPE_CHECKING:
    from authz_service.policy.engine import Engine
    from authz_service.policy.request import Request
    from authz_service.policy.source import PolicySet
    from authz_service.store.database import Store

LONG: Final = 3_600_000

# Refused by the compiler for their size alone.
_TOO_LARGE: Final = {"too_many_clauses", "nested_too_deep"}


@dataclass
class Tally:
    """What was compared so far."""

    pairs: int = 0
    questions: int = 0
    allowed: int = 0
    constructs: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add what was compared elsewhere."""
        self.pairs += other.pairs
        self.questions += other.questions
        self.allowed += other.allowed
        self.constructs += other.constructs


def compare_many(pairs: int, number: int, tally: Tally) -> None:
    """Make up policies and stores, and hold both engines against each other.

    Arguments:
        pairs: how many of policy and store.
        number: of the beginning; the same number makes up the same.
        tally: what was compared is added to it.

    Raises:
        AssertionError: at the first disagreement, made as small as it can be.
    """

    @seed(number)
    @settings(
        max_examples=pairs,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        # a policy that is made up takes its time, and one in some is refused by the checker
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def hold(case: Case) -> None:
        tally.add(compare(case))

    hold()


def compare(case: Case) -> Tally:
    """Hold both engines against each other on one policy and one store."""
    engine, policies = compile_case(case)
    oracle = load_oracle(policies, DOMAIN, LONG)
    answers = find_answers(case, engine, oracle)
    statements, _ = read_statements(policies)
    allowed = sum(not each for each in answers)
    return Tally(1, len(answers), allowed, constructs_of(statements))


def compile_case(case: Case) -> tuple[CompiledEngine, PolicySet]:
    """Compile a policy that was made up; Hypothesis makes up another where it is refused."""
    policies = read_policy_set(case.policy)
    assume(not check_policies(policies, DOMAIN.schema).errors)
    return _compile(policies), policies


def find_answers(case: Case, engine: Engine, oracle: Engine) -> list[tuple[str, ...]]:
    """Ask both engines everything, one of them twice: one by one, and all together.

    Raises:
        AssertionError: when they disagree, with the files that show it.
    """
    store = build_store(case)
    requests = [read_request(each) for each in case.questions]
    try:
        together = engine.reasons_many(store, requests, NOON)
        alone = [_ask(engine, store, each) for each in requests]
        wanted = [_ask(oracle, store, each) for each in requests]
    finally:
        store.close()
    for question, found, same, right in zip(case.questions, alone, together, wanted, strict=True):
        if not found == same == right:
            raise AssertionError(describe(case, question, found, same, right))
    return wanted


def read_policy_set(text: str) -> PolicySet:
    """Read a policy of one file."""
    return build_policy_set("policies", [PolicyFile("generated.polar", text)])


def read_request(question: Question) -> Request:
    """Make a request of a question."""
    asked = question.subject, question.action, question.resource
    return build_request(DOMAIN.schema, *asked, question.said)


def build_store(case: Case) -> Store:
    """Make a store in memory that holds the rows of a case."""
    store = open_store(MEMORY, DOMAIN)
    with store.transaction():
        store.create_tables()
        for row in case.rows:
            store.insert(row)
    return store


def describe(
    case: Case,
    question: Question,
    found: tuple[str, ...],
    together: tuple[str, ...],
    right: tuple[str, ...],
) -> str:
    """Write a disagreement as a policy, a fixture and a scenario that can be saved and run."""
    return "\n".join(
        [
            f"compiled says {found}, among others {together}; oso says {right}; the question is",
            f"{question}",
            "",
            "# policies/generated.polar",
            case.policy,
            "# fixtures/generated.yaml",
            write_fixture(case),
            "# scenarios/generated.yaml",
            write_scenario(question, right),
        ]
    )


def write_fixture(case: Case) -> str:
    """Write the rows of a case as a fixture file."""
    types: dict[str, dict[str, Any]] = {}
    for row in case.rows:
        values = {name: _plain(value) for name, value in row.values.items()}
        types.setdefault(row.reference.type, {})[row.reference.id] = values
    return str(yaml.safe_dump(types, sort_keys=False, default_flow_style=None))


def write_scenario(question: Question, right: tuple[str, ...]) -> str:
    """Write a question as a scenario file that expects an answer."""
    case: dict[str, Any] = {"who": str(question.subject), "on": str(question.resource)}
    said = {
        part: {
            name: value
            for name, value in getattr(question.said, part).items()
            if value is not None and _counts(question, part, name)
        }
        for part in PARTS
    }
    channel = said["context"].pop("channel", None)
    if channel is not None:
        case["via"] = channel
    if any(said.values()):
        case["with"] = {part: values for part, values in said.items() if values}
    if right:
        case["cannot"] = [{question.action: list(right)}]
    else:
        case["can"] = question.action
    scenario = {
        "scenario": "What oso says",
        "fixture": "generated",
        "at": NOON,
        "cases": [case],
    }
    return str(yaml.safe_dump(scenario, sort_keys=False))


def _counts(question: Question, part: str, name: str) -> bool:
    """Tell whether what is said counts; what does not, a scenario must not say."""
    if part not in {"subject", "resource"}:
        return True
    attributes = DOMAIN.schema.types[getattr(question, part).type].attributes
    return name in attributes and attributes[name].supplied


def _compile(policies: PolicySet) -> CompiledEngine:
    try:
        return CompiledEngine(policies, DOMAIN, LONG)
    except PolicyError as error:
        assume({fault.code for fault in error.faults} - _TOO_LARGE)
        raise


def _ask(engine: Engine, store: Store, request: Request) -> tuple[str, ...]:
    try:
        return engine.reasons(store, request, NOON)
    except Exception as error:  # noqa: BLE001  # an error is an answer that the other must give too
        return (f"error: {error}",)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
