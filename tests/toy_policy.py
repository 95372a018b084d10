"""A small policy about records, scenarios with a hole, and a project made of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from small_domain import DOMAIN

from authz_service.mutation.mutant import find_mutants
from authz_service.policy.source import PolicyFile, build_policy_set

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.mutation.mutant import Mutant

ALLOW: Final = """\
allow(request: Request, action: String, record: Record) if
    permit(request.subject, action, record) and
    not forbid(_reason, request, action, record);
"""
# Readers read, owners write and delete; nobody writes what is archived, which no scenario says.
POLICY: Final = """\
permit(user: User, "read", record: Record) if
    user in record.readers;
permit(user: User, action: String, record: Record) if
    action in ["write", "delete"] and
    record.owner = user;
forbid("archived", _request: Request, "write", _record: Record{status: "archived"});
"""
FIXTURE: Final = """\
user:
  alice: {name: Alice, role: member}
  bob: {name: Bob, role: admin}
record:
  report: {status: active, owner: alice, readers: [bob]}
"""
SCENARIO: Final = """\
scenario: Alice owns the report, and Bob reads it
fixture: records
cases:
  - who: user/alice
    on: record/report
    can: [write, delete]
    cannot: read
  - who: user/bob
    on: record/report
    can: read
    cannot: [write, delete]
"""
# Bob could write, too.
FAILING: Final = SCENARIO.replace(
    "can: read\n    cannot: [write, delete]", "can: [read, write]\n    cannot: delete"
)
OPTIONS: Final = ("--domain", "small_domain")


def build_mutants(text: str, *operators: str) -> list[Mutant]:
    """Find the mutants of a policy of a single file, by some operators."""
    policies = build_policy_set("policies", [PolicyFile("records.polar", text)])
    return list(find_mutants(policies, DOMAIN.schema, operators))


def write_project(
    folder: Path, policy: str = POLICY, scenario: str = SCENARIO, fixture: str = FIXTURE
) -> None:
    """Write the policy, the fixture and the scenario into the folders of a project."""
    for name, text in {
        "policies/allow.polar": ALLOW,
        "policies/records.polar": policy,
        "fixtures/records.yaml": fixture,
        "scenarios/records.yaml": scenario,
    }.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
