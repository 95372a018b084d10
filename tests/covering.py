"""A policy about records whose coverage can be told by hand, and what its questions show."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from small_domain import ALICE, DOMAIN, NOON, REPORT, ask_for

from authz_service.coverage.assessment import read_text
from authz_service.coverage.examiner import Examiner
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import PolicyFile, build_policy_set

if TYPE_CHECKING:
    from authz_service.coverage.lessening import Target
    from authz_service.policy.engine import Finding
    from authz_service.policy.request import Request
    from authz_service.store.database import Store
    from authz_service.store.entity import Reference

USUAL: Final = """\
allow(request: Request, action: String, record) if
    permit(request.subject, action, record) and
    not forbid(_reason, request, action, record);
"""
# Alice, a member, owns the report, which is active and not secret; nobody owns the note, which is
# archived. Bob is an admin. Both read the report.
POLICY: Final = f"""{USUAL}
permit(user: User, "read", record: Record) if
    owns(user, record) and
    record.status = "active";

permit(user: User, "read", _record: Record) if
    user.role = "admin";

forbid("by_fax", request: Request, "read", record: Record) if
    request.channel = "fax" and
    not request.subject in record.readers;

owns(user: User, record: Record) if record.owner = user;
"""
LONG: Final = 60_000


@cache
def compile_text(text: str) -> CompiledEngine:
    """Compile a policy of a single file."""
    policies = build_policy_set("policies", [PolicyFile("records.polar", text)])
    return CompiledEngine(policies, DOMAIN, LONG)


def build_examiner(text: str = POLICY) -> Examiner:
    """Build what notes what questions show of a policy."""
    return Examiner(compile_text(text), DOMAIN)


def name_target(examiner: Examiner, target: Target) -> str:
    """Name what can be shown by the text that it is about."""
    sources = {each.name: each for each in examiner.compiled.policies.sources}
    text = read_text(sources[target.span.file], target.span)
    return f"{target.event.value}: {text}"


def show(examiner: Examiner, store: Store, request: Request) -> set[str]:
    """Ask a question, and name what it shows."""
    shown = examiner.find_shown(store, request, NOON)
    return {name_target(examiner, each) for each in shown.targets}


def read_by(
    subject: Reference = ALICE, resource: Reference = REPORT, channel: str | None = None
) -> Request:
    """Ask to read a record."""
    return ask_for(subject, "read", resource, context={"channel": channel})


def observe(examiner: Examiner, store: Store, *requests: Request) -> list[Finding]:
    """Ask questions, and have them noted."""
    found = []
    for each in requests:
        found.append(examiner.compiled.decide(store, each, NOON))
        examiner.observe(store, each, NOON, found[-1])
    return found
