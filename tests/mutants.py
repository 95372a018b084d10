"""Our policies with something changed in them, for whatever has to notice."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authz_service.equivalence.comparison import Bounds, compare_policies
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import PolicyFile, build_policy_set, load_policies
from authz_service.portal import DOMAIN

if TYPE_CHECKING:
    from authz_service.equivalence.comparison import Verdict
    from authz_service.policy.source import PolicySet

POLICIES: Final = Path(__file__).parent.parent / "policies"
LONG: Final = 60_000

# A change: the file, what stands there, and what shall stand there instead.
Change = tuple[str, str, str]

# What each changes is what somebody may do, or why not.
DIFFERENT: Final[dict[str, Change]] = {
    "role taken out of a list": (
        "roles",
        'membership.role in ["administrator", "access_owner"];\n\nowns',
        'membership.role in ["administrator"];\n\nowns',
    ),
    "role added to a list": (
        "roles",
        'role in ["administrator", "access_owner"];\n\nowns',
        'role in ["administrator", "access_owner", "user"];\n\nowns',
    ),
    "role swapped": ("roles", 'role = "access_owner"', 'role = "administrator"'),
    "condition dropped": ("applications", "delegate(person, application.customer) and\n", ""),
    "condition negated": ("subscriptions", "mobile.holder = person", "mobile.holder != person"),
    "any customer will do": (
        "roles",
        'membership.customer = customer and\n    membership.role = "delegate"',
        'membership.role = "delegate"',
    ),
    "any grant will do": (
        "applications",
        "grant in application.grants and\n    grant.person = person",
        "grant in person.grants and\n    grant.person = person",
    ),
    "who granted instead of who was granted": (
        "applications",
        "grant.person = person",
        "grant.granted_by = person",
    ),
    "who asks is not looked at": (
        "administration",
        "excluded_from_administration(request.subject, customer)",
        "member in customer.memberships and member.excluded_from_administration = true",
    ),
    "boolean flipped": (
        "roles",
        "excluded_from_administration = true",
        "excluded_from_administration = false",
    ),
    "permit dropped": (
        "customers",
        'permit(person: Person, "manage_account"',
        'permit(person: Person, "manage_users"',
    ),
    "forbid dropped": (
        "access_owner_registration",
        "    has_access_owner(customer);",
        "    has_access_owner(customer) and 1 = 2;",
    ),
    "forbid of fewer": (
        "administration",
        "    has_administrator(customer);",
        "    has_access_owner(customer);",
    ),
    "forbid turned round": (
        "access_owner_registration",
        "registration.status != turn",
        "registration.status = turn",
    ),
    "action dropped": (
        "subscriptions",
        'action in ["view_usage", "activate_free_option"] and\n    mobile',
        'action in ["view_usage"] and\n    mobile',
    ),
    "kind not looked at": ("subscriptions", 'Subscription{kind: "mobile"}', "Subscription"),
    "state dropped": (
        "delegate_requests",
        'open_to("reject", status) if status in ["submitted", "code_confirmed"]',
        'open_to("reject", status) if status in ["submitted"]',
    ),
    "state added": (
        "delegate_requests",
        'open_to("confirm_email", "approved");',
        'open_to("confirm_email", "approved");\nopen_to("confirm_email", "rejected");',
    ),
    "channel added": ("channels", 'in ["web", "app"]', 'in ["web", "app", "fax"]'),
    "channel weakened": (
        "channels",
        'not request.channel = "web";',
        'not request.channel in ["web", "app"];',
    ),
    "nil let in": (
        "channels",
        'not request.channel = "web";',
        'not request.channel in ["web", nil];',
    ),
    "nil kept out": ("channels", "known_channel(request: Request) if request.channel = nil;\n", ""),
    "name not looked at": ("channels", 'Application{name: "onedrive"}', "Application"),
    "list not looked at": (
        "delegation",
        "not whole_application(name, customer)",
        'name = "123456789/cloud" and not whole_application(name, customer)',
    ),
    "reason renamed": ("administration", '"excluded_from_administration", r', '"excluded", r'),
}

# What each changes is only how it is said. The first are the same once they are resolved.
SAME: Final[dict[str, Change]] = {
    "conditions in another order": (
        "roles",
        (
            "membership in person.memberships and\n"
            "    membership.customer = customer and\n"
            '    membership.role = "delegate"'
        ),
        (
            "membership in customer.memberships and\n"
            '    membership.role = "delegate" and\n'
            "    membership.person = person"
        ),
    ),
    "variables renamed": (
        "applications",
        "grant in application.grants and\n    grant.person = person",
        "given in application.grants and\n    given.person = person",
    ),
    "negated twice": (
        "administration",
        "    administers(person, customer);",
        "    not (not administers(person, customer));",
    ),
    "rule split in two": (
        "roles",
        'role in ["administrator", "access_owner"];\n\nowns',
        (
            'role = "access_owner";\n'
            "administers(person: Person, customer: Customer) if\n"
            "    membership in person.memberships and\n"
            "    membership.customer = customer and\n"
            '    membership.role = "administrator";\n\nowns'
        ),
    ),
    "list negated": (
        "roles",
        'role in ["administrator", "access_owner"];\n\nowns',
        'role != "user" and\n    not membership.role = "delegate";\n\nowns',
    ),
    "what a promise rules out anyway": (
        "administration",
        "    has_administrator(customer);",
        '    has_administrator(customer) and customer.kind != "business";',
    ),
    "all said twice": (
        "subscriptions",
        "    mobile.holder = person;",
        (
            "    mobile.holder = person and\n    subscription in person.subscriptions and\n"
            "    subscription = mobile;"
        ),
    ),
    "who holds is somebody": (
        "subscriptions",
        "    mobile.holder = person;",
        "    mobile.holder = person and\n    mobile.holder != nil;",
    ),
    "what is written out": (
        "delegate_requests",
        'open_to("confirm_code", status) if status in ["submitted", "approved"];',
        'open_to("confirm_code", "submitted");\nopen_to("confirm_code", "approved");',
    ),
}


def change(file: str, before: str, after: str) -> PolicySet:
    """Change our policies in one place."""
    policies = load_policies(POLICIES)
    files = [
        PolicyFile(each.name, each.text.replace(before, after, 1))
        if each.name == f"{file}.polar"
        else each
        for each in policies.files
    ]
    assert files != list(policies.files), f"{before} is not in {file}.polar"
    return build_policy_set("changed", files)


@cache
def compile_ours() -> CompiledEngine:
    """Compile our policies as they are."""
    return CompiledEngine(load_policies(POLICIES), DOMAIN, LONG)


def compare_with_ours(changed: CompiledEngine, bounds: Bounds | None = None) -> Verdict:
    """Hold changed policies against ours, by a clock that stands still."""
    return compare_policies(compile_ours(), changed, DOMAIN, bounds or Bounds(), lambda: 0.0)
