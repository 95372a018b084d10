"""A whole policy held against the schema of its domain: what is told, and what is not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import small_domain
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import load_oracle

from authz_service.polar.checker import check_statements
from authz_service.polar.reader import read_policy
from authz_service.polar.text import Source
from authz_service.policy.source import (
    PolicyFile,
    build_policy_set,
    check_policies,
    load_policies,
)
from authz_service.portal import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from authz_service.errors import Fault
    from authz_service.polar.checker import Findings

POLICIES: Final = load_policies(Path(__file__).parent.parent / "policies")
ALLOW: Final = "allow(request: Request, action, record) if permit(request.subject, action, record);"
READ: Final = 'permit(user: User, "read", record: Record) if '


def check(*texts: str) -> Findings:
    """Check a policy of the small domain, a file a text."""
    sources = [Source(f"{number}.polar", text) for number, text in enumerate(texts, 1)]
    readings = [read_policy(source) for source in sources]

    assert [] == [fault for reading in readings for fault in reading.faults]
    statements = [statement for reading in readings for statement in reading.statements]
    return check_statements(sources, statements, small_domain.DOMAIN.schema)


def tell(faults: Iterable[Fault]) -> list[str]:
    """Say where the faults are, with the file but not its folder, and what they are."""
    return [str(fault).removeprefix("policies/") for fault in faults]


def codes(faults: Iterable[Fault]) -> list[str]:
    """Give the codes alone."""
    return [fault.code for fault in faults]


# the portal


def test_the_portal_has_no_finding() -> None:
    """The policies that we ship have no error, and nothing about them is odd."""
    findings = check_policies(POLICIES, DOMAIN.schema)

    assert ((), ()) == (findings.errors, findings.warnings)


# What one slip of the pen does: the file, what stands there, what is written instead, and exactly
# what is told of it, errors and warnings.
SLIPS: Final[tuple[tuple[str, str, str, list[str], list[str]], ...]] = (
    (
        "roles",
        ("person.memberships and\n    membership.customer = customer and\n    membership.role in"),
        ("person.membership and\n    membership.customer = customer and\n    membership.role in"),
        [
            (
                "roles.polar:9:19: a Person has no attribute `membership`; did you mean "
                "`memberships`? [unknown_attribute]"
            )
        ],
        [],
    ),
    (
        "roles",
        "membership.excluded_from_administration = true",
        "membership.excluded = true",
        [
            (
                "roles.polar:30:5: a Membership has no attribute `excluded`; there is "
                "`customer`, `excluded_from_administration`, `id`, `person`, `role` "
                "[unknown_attribute]"
            )
        ],
        [],
    ),
    (
        "roles",
        "delegate(person: Person",
        "delegate(person: Persn",
        [("roles.polar:18:18: there is no type `Persn`; did you mean `Person`? [unknown_type]")],
        [],
    ),
    (
        "roles",
        'membership.role = "delegate"',
        'membership.role = "delegat"',
        [
            (
                'roles.polar:21:23: `role` is never `"delegat"`; did you mean `delegate`? '
                "[unknown_word]"
            )
        ],
        [],
    ),
    (
        "roles",
        ('membership.role in ["administrator", "access_owner"];\n\nowns'),
        ('membership.role in ["administrator", "acces_owner"];\n\nowns'),
        [
            (
                'roles.polar:11:42: `role` is never `"acces_owner"`; did you mean '
                "`access_owner`? [unknown_word]"
            )
        ],
        [],
    ),
    (
        "roles",
        "membership.excluded_from_administration = true",
        'membership.excluded_from_administration = "true"',
        [
            (
                "roles.polar:30:5: compares Boolean with String, which are never the same "
                "[different_types]"
            )
        ],
        [],
    ),
    (
        "roles",
        "membership.excluded_from_administration = true",
        "membership.excluded_from_administration",
        [
            (
                "roles.polar:30:5: is a value, not a condition; compare it, as in `... = "
                "true` [no_condition]"
            )
        ],
        [],
    ),
    (
        "roles",
        "membership.excluded_from_administration = true",
        "membership.excluded_from_administration >= true",
        ["roles.polar:30:5: `>=` puts no order among Boolean [no_order]"],
        [],
    ),
    (
        "roles",
        ("has_administrator(customer: Customer) if\n    membership in customer.memberships"),
        ("has_administrator(customer: Customer) if\n    membership in customer.name"),
        [("roles.polar:34:19: is a String and no collection; compare with `=` [no_collection]")],
        [],
    ),
    (
        "roles",
        ("has_administrator(customer: Customer) if\n    membership in customer.memberships"),
        ("has_administrator(customer: Customer) if\n    membership = customer.memberships"),
        [
            (
                "roles.polar:34:5: compares a whole collection; take one of it with `each "
                "in ...` [is_a_collection]"
            ),
            (
                "roles.polar:35:5: `membership` is a collection of Membership; take one "
                "with `each in membership` [is_a_collection]"
            ),
        ],
        [],
    ),
    (
        "customers",
        'manage_account"',
        'manage_acount"',
        [
            (
                'customers.polar:8:24: there is no action `"manage_acount"` on a Customer; '
                "did you mean `manage_account`? [unknown_action]"
            )
        ],
        [],
    ),
    (
        "customers",
        "owns_access(",
        "owns_acess(",
        [
            (
                "customers.polar:14:5: there is no rule `owns_acess`; did you mean "
                "`owns_access`? [unknown_rule]"
            )
        ],
        [],
    ),
    (
        "customers",
        "owns_access(person, customer)",
        "owns_access(customer, person)",
        [
            (
                "customers.polar:14:5: no rule `owns_access` can match these arguments: "
                "Customer, Person [never_matches]"
            )
        ],
        [],
    ),
    (
        "customers",
        "owns_access(person, customer)",
        "owns_access(person)",
        [
            (
                "customers.polar:13:40: `customer` is used once only; is it misspelt? If "
                "not, write `_customer` [variable_used_once]"
            ),
            "customers.polar:14:5: `owns_access` takes 2 arguments, not 1 [wrong_arity]",
        ],
        [],
    ),
    (
        "customers",
        'Customer{kind: "business"}',
        'Customer{knd: "business"}',
        [
            (
                "customers.polar:17:75: a Customer has no attribute `knd`; did you mean "
                "`kind`? [unknown_attribute]"
            )
        ],
        [],
    ),
    (
        "customers",
        'Customer{kind: "business"}',
        'Customer{kind: "busines"}',
        [
            (
                'customers.polar:17:76: `kind` is never `"busines"`; did you mean '
                "`business`? [unknown_word]"
            )
        ],
        [],
    ),
    (
        "customers",
        'Customer{kind: "business"}',
        "Customer{kind: true}",
        ["customers.polar:17:76: `kind` is String, never `true` [different_types]"],
        [],
    ),
    (
        "customers",
        '"view", customer: Customer',
        '"view", customer: Subscription',
        [
            (
                'customers.polar:5:24: there is no action `"view"` on a Subscription; '
                "there is `activate_free_option`, `activate_paid_option`, "
                "`manage_options`, `view_bills`, `view_usage` [unknown_action]"
            ),
            (
                "customers.polar:6:5: no rule `member` can match these arguments: Person, "
                "Subscription [never_matches]"
            ),
        ],
        [],
    ),
    (
        "applications",
        "grant.person = person",
        "grant.person.id.length = person",
        [("applications.polar:13:5: a String has no attribute `length` [unknown_attribute]")],
        [],
    ),
    (
        "applications",
        "grant.person = person",
        'grant.person = "person"',
        [
            (
                "applications.polar:13:5: compares Person with String, which are never the "
                "same [different_types]"
            )
        ],
        [],
    ),
    (
        "applications",
        "grant.person = person",
        "grant.person = application",
        [
            (
                "applications.polar:13:5: compares Person with Application, which are "
                "never the same [different_types]"
            )
        ],
        [],
    ),
    (
        "applications",
        "grant.person = person",
        "application.grants.person = person",
        [
            (
                "applications.polar:12:5: `grant` is used once only; is it misspelt? If "
                "not, write `_grant` [variable_used_once]"
            ),
            (
                "applications.polar:13:5: `application.grants` is a collection of "
                "ApplicationGrant; take one with `each in application.grants` "
                "[is_a_collection]"
            ),
        ],
        [],
    ),
    (
        "applications",
        "grant.person = person",
        "grant.granted_by.nme = person.name",
        [
            (
                "applications.polar:13:5: a Person has no attribute `nme`; did you mean "
                "`name`? [unknown_attribute]"
            )
        ],
        [],
    ),
    (
        "applications",
        "grant.person = person",
        "not grant.persn = person",
        [
            (
                "applications.polar:13:9: an ApplicationGrant has no attribute `persn`; "
                "did you mean `person`? [unknown_attribute]"
            )
        ],
        [],
    ),
    (
        "applications",
        "grant.person = person",
        "(grant.person = person or grant.granter = person)",
        [
            (
                "applications.polar:13:31: an ApplicationGrant has no attribute `granter`; "
                "did you mean `granted_by`? [unknown_attribute]"
            )
        ],
        [],
    ),
    (
        "applications",
        "grant.person = person",
        "forall(other in application.grants, other.persn = person)",
        [
            (
                "applications.polar:12:5: `grant` is used once only; is it misspelt? If "
                "not, write `_grant` [variable_used_once]"
            ),
            (
                "applications.polar:13:41: an ApplicationGrant has no attribute `persn`; "
                "did you mean `person`? [unknown_attribute]"
            ),
        ],
        [],
    ),
    (
        "applications",
        "grant.person = person",
        'grant.person matches {nme: "Rose"}',
        [
            (
                "applications.polar:13:32: a Person has no attribute `nme`; did you mean "
                "`name`? [unknown_attribute]"
            )
        ],
        [],
    ),
    (
        "applications",
        "grant.person = person",
        "grant.person matches Operator",
        ["applications.polar:13:5: a Person is never an Operator [never_matches]"],
        [],
    ),
    (
        "applications",
        "grant.person = person",
        "grant.person = persn",
        [
            (
                "applications.polar:13:20: `persn` is used once only; is it misspelt? If "
                "not, write `_persn` [variable_used_once]"
            )
        ],
        [],
    ),
    (
        "applications",
        "grant in application.grants",
        "grant in person.subscriptions",
        [
            (
                "applications.polar:13:5: a Subscription has no attribute `person`; there "
                "is `customer`, `holder`, `id`, `kind` [unknown_attribute]"
            )
        ],
        [],
    ),
    (
        "channels",
        "request.channel = nil",
        "request.chanel = nil",
        [
            (
                "channels.polar:17:36: a Request has no attribute `chanel`; did you mean "
                "`channel`? [unknown_attribute]"
            )
        ],
        [],
    ),
    (
        "channels",
        'request.channel in ["web", "app"]',
        "request.channel in [1, 2]",
        [
            (
                "channels.polar:18:36: looks for String in a collection of Integer, where "
                "there is none [different_types]"
            )
        ],
        [],
    ),
    (
        "channels",
        "known_channel(request) and",
        "known_channel(request.channel) and",
        [
            (
                "channels.polar:9:5: no rule `known_channel` can match these arguments: "
                "String [never_matches]"
            )
        ],
        [],
    ),
    (
        "channels",
        '_application: Application{name: "onedrive"}',
        '_application: Aplication{name: "onedrive"}',
        [
            (
                "channels.polar:52:37: there is no type `Aplication`; did you mean "
                "`Application`? [unknown_type]"
            )
        ],
        [],
    ),
    (
        "delegate_requests",
        'open_to("confirm_email", "approved")',
        'open_to("confirm_email")',
        [],
        [
            (
                "delegate_requests.polar:46:1: nothing asks `open_to` with such arguments "
                "[unused_rule]"
            )
        ],
    ),
    (
        "delegate_requests",
        'delegate_request: DelegateRequest{kind: "mobile"}',
        'delegate_request: DelegateRequest{kind: "mobil"}',
        [
            (
                'delegate_requests.polar:35:80: `kind` is never `"mobil"`; did you mean '
                "`mobile`? [unknown_word]"
            )
        ],
        [],
    ),
    (
        "delegate_requests",
        "open_to(action, delegate_request.status)",
        "open_to(action, delegate_request.state)",
        [
            (
                "delegate_requests.polar:40:25: a DelegateRequest has no attribute "
                "`state`; did you mean `status`? [unknown_attribute]"
            )
        ],
        [],
    ),
    (
        "delegate_requests",
        'action in ["view", "withdraw"]',
        'action in ["view", "withdrow"]',
        [
            (
                'delegate_requests.polar:21:24: there is no action `"withdrow"` on a '
                "DelegateRequest; did you mean `withdraw`? [unknown_action]"
            )
        ],
        [],
    ),
    (
        "delegate_requests",
        'forbid("no_access_owner", _request: Request, "request',
        'forbid("no_access_owner", "request',
        [("delegate_requests.polar:17:1: `forbid` has 4 parameters, not 3 [wrong_arity]")],
        [],
    ),
    (
        "delegation",
        'forbid("partial_delegation", _request',
        "forbid(_reason, _request",
        [
            (
                "delegation.polar:6:8: a `forbid` gives its reason as text, the first "
                "argument [no_reason]"
            )
        ],
        [],
    ),
    (
        "delegation",
        "application.id = name",
        "application.id = 1",
        [
            (
                "delegation.polar:14:19: `name` is used once only; is it misspelt? If not, "
                "write `_name` [variable_used_once]"
            ),
            (
                "delegation.polar:16:5: compares String with Integer, which are never the "
                "same [different_types]"
            ),
        ],
        [],
    ),
    (
        "delegation",
        ("name in request.applications and\n    not"),
        ("name in request.aplications and\n    not"),
        [
            (
                "delegation.polar:11:13: a Request has no attribute `aplications`; did you "
                "mean `applications`? [unknown_attribute]"
            )
        ],
        [],
    ),
    (
        "main",
        "permit(request.subject, action, resource)",
        "permit(request, action, resource)",
        [
            (
                "main.polar:15:5: no rule `permit` can match these arguments: Request, "
                "String, something unknown [never_matches]"
            )
        ],
        [],
    ),
    (
        "main",
        "permit(request.subject, action, resource)",
        "permit(request.subject, resource, action)",
        [
            (
                "main.polar:15:5: no rule `permit` can match these arguments: Operator or "
                "Person, something unknown, String [never_matches]"
            )
        ],
        [],
    ),
    (
        "main",
        "allow(request: Request, action: String, resource)",
        "allow(person: Person, action: String, resource)",
        [
            (
                "main.polar:14:7: `allow` is asked with a Request here, never with a "
                "Person [never_matches]"
            ),
            (
                "main.polar:14:7: `person` is used once only; is it misspelt? If not, "
                "write `_person` [variable_used_once]"
            ),
        ],
        [],
    ),
    (
        "main",
        "allow(request: Request",
        "alow(request: Request",
        [
            (
                "access_owner_registration.polar:1:1: no file has a rule `allow(request, "
                "action, resource)`, so nothing is allowed [no_allow]"
            )
        ],
        ["main.polar:14:1: nothing asks `alow` [unused_rule]"],
    ),
    (
        "access_owner_registration",
        "registration.person = person",
        "registration.person < person",
        [("access_owner_registration.polar:18:5: `<` puts no order among Person [no_order]")],
        [],
    ),
    (
        "access_owner_registration",
        "registration.person = person",
        "registration.customer = person",
        [
            (
                "access_owner_registration.polar:18:5: compares Customer with Person, "
                "which are never the same [different_types]"
            )
        ],
        [],
    ),
    (
        "access_owner_registration",
        "registration.status != turn",
        "registration.status != turm",
        [
            (
                "access_owner_registration.polar:28:31: `turn` is used once only; is it "
                "misspelt? If not, write `_turn` [variable_used_once]"
            ),
            (
                "access_owner_registration.polar:29:28: `turm` is used once only; is it "
                "misspelt? If not, write `_turm` [variable_used_once]"
            ),
        ],
        [],
    ),
    (
        "access_owner_registration",
        "registration.person = person;",
        (
            "registration.person = person;\n"
            '?= has_administrator(_c) and _c.nme = "x" and _c matches Customer;'
        ),
        [
            (
                "access_owner_registration.polar:19:30: a Customer has no attribute `nme`; "
                "did you mean `name`? [unknown_attribute]"
            )
        ],
        [],
    ),
    (
        "administration",
        "has_administrator(customer)",
        "has_administrator(customer.kind)",
        [
            (
                "administration.polar:19:5: no rule `has_administrator` can match these "
                "arguments: String [never_matches]"
            )
        ],
        [("roles.polar:33:1: nothing asks `has_administrator` with such arguments [unused_rule]")],
    ),
    (
        "administration",
        "not administers(person, customer)",
        'not administers(person, customer, "x")',
        [("administration.polar:10:9: `administers` takes 2 arguments, not 3 [wrong_arity]")],
        [],
    ),
    (
        "administration",
        ('administers(person, customer);\n\n# AU: "Are'),
        ('(1 = 1) and administers(person, customer);\n\n# AU: "Are'),
        [
            (
                "administration.polar:15:6: compares two values that are written out; it "
                "is always the same [never_changes]"
            )
        ],
        [],
    ),
    (
        "roles",
        ("member(person: Person, customer: Customer) if\n    membership in"),
        (
            "member(person: Person, customer: Customer) if\n    "
            "administers(person, customer) and member(person, customer) and membership "
            "in"
        ),
        [
            (
                "roles.polar:23:1: asks itself: `member` asks `member`; write out the "
                "levels that there are [recursion]"
            )
        ],
        [],
    ),
)


@pytest.mark.parametrize(("file", "old", "new", "errors", "warnings"), SLIPS)
def test_a_slip_is_told(
    file: str, old: str, new: str, errors: list[str], warnings: list[str]
) -> None:
    """Of one slip exactly what is wrong is told, with its place and what to write."""
    findings = check_policies(build_policy_set("policies", mutate(file, old, new)), DOMAIN.schema)

    assert (errors, warnings) == (tell(findings.errors), tell(findings.warnings))


def mutate(name: str, old: str, new: str) -> list[PolicyFile]:
    """Change one place of one file."""
    texts = {file.name: file.text for file in POLICIES.files}

    assert old in texts[f"{name}.polar"]
    texts[f"{name}.polar"] = texts[f"{name}.polar"].replace(old, new, 1)
    return [PolicyFile(each, text) for each, text in texts.items()]


# each code of the checker, and its near miss


@pytest.mark.parametrize(
    ("expected", "wrong", "right"),
    [
        (
            "1.polar:2:14: there is no type `Usr`; did you mean `User`? [unknown_type]",
            'permit(user: Usr, "read", record: Record) if record.owner = user;',
            'permit(user: User, "read", record: Record) if record.owner = user;',
        ),
        (
            (
                "1.polar:2:8: `user` is used once only; is it misspelt? If not, write `_user` "
                "[variable_used_once]"
            ),
            'permit(user: User, "read", record: Record) if record.size = 1;',
            'permit(_user: User, "read", record: Record) if record.size = 1;',
        ),
        (
            "1.polar:2:70: there is no rule `ons`; did you mean `owns`? [unknown_rule]",
            READ + "owns(user, record) and ons(user, record); owns(u, r: Record) if r.owner = u;",
            READ + "owns(user, record) and owns(user, record); owns(u, r: Record) if r.owner = u;",
        ),
        (
            "1.polar:2:47: `owns` takes 1 or 3 arguments, not 2 [wrong_arity]",
            READ + "owns(user, record); owns(_); owns(_, _, _);",
            READ + "owns(user, record) and owns(1); owns(_); owns(_, _);",
        ),
        (
            "1.polar:2:86: `permit` has 3 parameters, not 2 [wrong_arity]",
            READ + "record.owner.manager.name = user.name; permit(_: User, _: Record);",
            READ + "record.owner.manager.name = user.name; permit(_: User, _, _: Record);",
        ),
        (
            '1.polar:2:47: no rule `owns` can match these arguments: User, `"x"` [never_matches]',
            READ + 'owns(user, "x") and record.size = 1; owns(_: User, "y"); owns(_, 1);',
            READ + 'owns(user, "x") and record.size = 1; owns(_: User, "x"); owns(_, "y");',
        ),
        (
            "1.polar:2:47: no rule `is_on` can match these arguments: `true` [never_matches]",
            READ + "is_on(true) and record.owner = user; is_on(1);",
            READ + "is_on(true) and record.owner = user; is_on(true);",
        ),
        (
            "1.polar:2:8: `permit` is asked with a User here, never with a Record [never_matches]",
            'permit(_: Record, "read", _: Record); permit(_: User, "write", _: Record);',
            'permit(_: User, "read", _: Record); permit(_: User, "write", _: Record);',
        ),
        (
            (
                "1.polar:2:20: `permit` is asked with an entity here, never with a Request "
                "[never_matches]"
            ),
            "permit(_: User, _, _: Request); permit(_, _, _);",
            "permit(_: User, _, _: User); permit(_, _, _);",
        ),
        (
            "1.polar:2:8: a `forbid` gives its reason as text, the first argument [no_reason]",
            'forbid(_, _, "read", _); permit(_, _, _);',
            'forbid("no", _, "read", _); permit(_, _, _);',
        ),
        (
            (
                '1.polar:2:17: there is no action `"raed"` on a Record; did you mean `read`? '
                "[unknown_action]"
            ),
            'permit(_: User, "raed", _: Record);',
            'permit(_: User, "read", _: Record);',
        ),
        (
            '1.polar:2:15: there is no action `"raed"`; did you mean `read`? [unknown_action]',
            'permit(_, _a: "raed", _);',
            'permit(_, _a: "read", _);',
        ),
        (
            (
                '1.polar:2:49: there is no action `"raed"` on a Record; did you mean `read`? '
                "[unknown_action]"
            ),
            'permit(_: User, action, _: Record) if action == "raed";',
            'permit(_: User, action, _: Record) if action == "read";',
        ),
        (
            (
                "1.polar:2:1: asks itself: `owns` asks `owns`; write out the levels that there are "
                "[recursion]"
            ),
            "owns(u: User, r: Record) if owns(u, r); " + READ + "owns(user, record);",
            "owns(u: User, r: Record) if owns(u.manager, r.title); owns(u: User, _: String) if "
            'u.role = "admin"; ' + READ + "owns(user, record);",
        ),
    ],
)
def test_an_error_and_its_near_miss(expected: str, wrong: str, right: str) -> None:
    """What is wrong is told, once; what only looks like it is not."""
    told = tell(check(f"{ALLOW}\n{wrong}").errors), tell(check(f"{ALLOW}\n{right}").errors)

    assert ([expected], []) == told


def test_a_policy_without_allow_allows_nothing() -> None:
    """That there is no entry is told at the beginning of the first file."""
    message = "no file has a rule `allow(request, action, resource)`, so nothing is allowed"

    assert [f"1.polar:1:1: {message} [no_allow]"] == tell(check("permit(_, _, _);", "").errors)


def test_an_allow_of_the_subject_is_told() -> None:
    """The first parameter of `allow` is the request; a rule of others would never match."""
    told = tell(check("allow(user: User, _, record: Record) if record.owner = user;").errors)

    assert [
        "1.polar:1:7: `allow` is asked with a Request here, never with a User [never_matches]"
    ] == told


def test_all_faults_of_all_files_are_told_in_order() -> None:
    """Faults are sorted by file, line and column, and each is told once."""
    first = f'{ALLOW}\n{READ}user.nme = "x" and\n  record.sze = 1;'
    findings = check(first, 'helper(x: Usr) if x.a = 1;\npermit(_, "reed", _);')

    assert [
        "1.polar:2:47 unknown_attribute",
        "1.polar:3:3 unknown_attribute",
        "2.polar:1:11 unknown_type",
        "2.polar:2:11 unknown_action",
    ] == [f"{fault.where} {fault.code}" for fault in findings.errors]


def test_the_place_is_underlined() -> None:
    """An excerpt shows the line, and under it what is wrong in it."""
    (fault,) = check(f"{ALLOW}\n{READ}not user.nme = record.title;").errors

    line = f"2 | {READ}not user.nme = record.title;"
    assert f"{line}\n  | {' ' * 50}^^^^^^^^" == fault.excerpt


def test_what_was_refused_has_no_other_fault() -> None:
    """Nothing is said of variables where a part of the rule could not be used."""
    source = Source("1.polar", f'{ALLOW} {READ}x := 1 and record.size = x and user.name = "a";')
    reading = read_policy(source)
    findings = check_statements([source], reading.statements, small_domain.DOMAIN.schema)

    assert (["outside_the_subset"], []) == (codes(reading.faults), codes(findings.errors))


# warnings


def test_an_unused_rule_is_odd() -> None:
    """A rule that nothing asks is a warning, and no error."""
    findings = check(f"{ALLOW} permit(_, _, _);\nowns(_, _);")

    assert ([], ["1.polar:2:1: nothing asks `owns` [unused_rule]"]) == (
        tell(findings.errors),
        tell(findings.warnings),
    )


@pytest.mark.parametrize("rule", ["owns(_);", "owns(_: Record, _);", 'owns(_, "x");'])
def test_a_rule_that_no_call_fits_is_odd(rule: str) -> None:
    """A rule of the right name is not used either, when no call can be answered by it."""
    findings = check(f"{ALLOW} permit(u: User, _, _) if owns(u, 1); owns(_, _);\n{rule}")

    assert (
        [],
        ["1.polar:2:1: nothing asks `owns` with such arguments [unused_rule]"],
    ) == (tell(findings.errors), tell(findings.warnings))


def test_a_rule_that_a_query_asks_is_used() -> None:
    """Inline queries use rules."""
    assert () == check(f"{ALLOW} permit(_, _, _); owns(1); ?= owns(1);").warnings


# actions and roles

HANDS_ON: Final = (
    f"{ALLOW} permit(_, _, _);"
    'forbid("no", _, action, record: Record) if refused(action, record);'
    "refused(action, record: Record) if late(action, record);\n"
)
BLOCKS: Final = """allow(request: Request, action, record) if
  has_permission(request.subject, action, record);
actor User {}
resource Record {
  roles = ["reader", "owner"];
  permissions = ["read", "write"];
  "read" if "reader";
  "reader" if "owner";
}
"""


@pytest.mark.parametrize(
    ("expected", "rules"),
    [
        ([], 'late("read", _: Record);'),
        (["2:6"], 'late("raed", _: Record);'),
        (["2:37"], 'late(action, _: Record) if action = "raed";'),
        (["2:38"], 'late(action, _: Record) if action != "raed";'),
        (["2:39"], 'late(action, _) if action in ["read", "raed"];'.replace("  ", " ")),
        (["2:6"], 'late("raed", _);'),
        ([], 'late(action, _) if later(action, "x") or later("raed", "x"); later("raed", _);'),
        (["2:57"], 'late(action, record) if later(action, record.id); later("raed", _);'),
        ([], 'late(action, record) if word = action and later(word, record); later("raed", _);'),
    ],
)
def test_words_are_actions_wherever_the_action_is_handed_on(
    expected: list[str], rules: str
) -> None:
    """A word that no question brings would be a forbid that never applies."""
    findings = check(f"{HANDS_ON}{rules}")

    assert [f"1.polar:{place} unknown_action" for place in expected] == [
        f"{fault.where} {fault.code}" for fault in findings.errors
    ]


@pytest.mark.parametrize(
    ("expected", "before", "after"),
    [
        ([], "u: User", "u: User"),
        (['there is no action `"raed"` on a Record; did you mean `read`?'], '"read"', '"raed"'),
        (
            [
                'no rule `has_role` can match these arguments: User, `"owner"`, Record',
                '`Record` declares no role `"ownr"`; did you mean `owner`?',
            ],
            'u: User, "owner"',
            'u: User, "ownr"',
        ),
        (
            ['`Record` declares no permission `"list"`; there is `read`, `write`'],
            "u in r.readers;",
            'u in r.readers or has_permission(u, "list", r);',
        ),
        (
            ['`Record` declares no role `"boss"`; there is `owner`, `reader`'],
            "r.owner = u;",
            'r.owner = u or has_role(u, "boss", r);',
        ),
    ],
)
def test_words_of_blocks_are_those_that_there_are(
    expected: list[str], before: str, after: str
) -> None:
    """Permissions are actions of the domain, and rules for roles are about declared ones."""
    rules = (
        'has_role(u: User, "owner", r: Record) if r.owner = u;\n'
        'has_permission(u: User, "write", r: Record) if u in r.readers;\n'
    )
    findings = check(f"{BLOCKS}{rules}".replace(before, after))

    assert expected == [fault.message for fault in [*findings.errors, *findings.warnings]]


def test_a_permission_that_only_rules_ask_for_is_no_action() -> None:
    """A permission on which others rest need not be an action itself."""
    rules = BLOCKS.replace('["read", "write"]', '["read", "look"]').replace(
        '"read" if "reader"', '"read" if "look"; "look" if "reader"'
    )
    findings = check(f'{rules}has_role(u: User, "owner", r: Record) if r.owner = u;')

    assert ((), ()) == (findings.errors, findings.warnings)


# recursion


@pytest.mark.parametrize(
    ("expected", "rules"),
    [
        ("`f` asks `f`", "f(x) if f(x);"),
        ("`f` asks `g` asks `f`", "f(x) if g(x); g(x) if f(x);"),
        ("`f` asks `g` asks `h` asks `f`", "f(x) if g(x); g(x) if not h(x); h(x) if f(x) or g(x);"),
        ('`f("a")` asks `f("a")`', 'f("a", x) if f("a", x);'),
        ('`f("a")` asks `f("b")` asks `f("a")`', 'f("a", x) if f("b", x); f("b", x) if f("a", x);'),
        ("`f` asks `f`", "f(u: User) if f(u.manager);"),
        ("`f` asks `f`", "f(x) if forall(y in [1], y = x and f(x));"),
    ],
)
def test_rules_that_ask_themselves_are_refused(expected: str, rules: str) -> None:
    """A circle is told with its whole way round."""
    errors = check(
        f"{ALLOW} permit(u, _, _) if f(u);\n{rules}".replace("f(u)", call_of(rules))
    ).errors

    assert f"asks itself: {expected}; write out the levels that there are" in [
        fault.message for fault in errors
    ]


def call_of(rules: str) -> str:
    """Ask the first rule as it wants to be asked."""
    return 'f("a", u)' if rules.startswith('f("a"') else "f(u)"


@pytest.mark.parametrize(
    "rules",
    [
        "f(u: User) if g(u); g(u: User) if h(u); h(_: User);",
        'f(u: User) if u.role = "admin" or f(u.name); f(_: String);',
        'f(u) if g("a", u); g("a", u) if g("b", u); g("b", _);',
        "f(u: User) if r in u.records and f(r); f(r: Record) if f(r.title); f(_: String);",
        "f(x: User) if f(x.name) and f(x.role, x); f(_: String); f(_, _);",
    ],
)
def test_chains_are_no_circles(rules: str) -> None:
    """Rules of the same name for other types, words or numbers of arguments are other rules."""
    assert () == check(f"{ALLOW} permit(u: User, _, _) if f(u); {rules}").errors


def test_a_long_chain_is_checked() -> None:
    """A chain of two thousand rules exhausts nothing."""
    links = "".join(f"f{number}(x) if f{number + 1}(x);\n" for number in range(2000))

    assert ((), ()) == (
        (findings := check(f"{ALLOW} permit(u, _, _) if f0(u);\n{links}f2000(_);")).errors,
        findings.warnings,
    )


def test_deep_branches_are_checked() -> None:
    """Alternatives within alternatives take no longer than the text is long, and are all seen."""
    deep = "".join(f"(x = {number} or " for number in range(90)) + "x = user.nme" + ")" * 90
    rule = READ.replace("user: User", "x, user: User").replace("permit", "may")
    findings = check(
        f'{ALLOW} permit(u, _, r) if may(1, u, "read", r);\n{rule}record.size = x and {deep};'
    )

    assert ["unknown_attribute"] == codes(findings.errors)


def test_a_long_circle_is_refused() -> None:
    """A circle through two thousand rules is found, once."""
    links = "".join(f"f{number}(x) if f{(number + 1) % 2000}(x);\n" for number in range(2000))

    assert ["recursion"] == codes(check(f"{ALLOW} permit(u, _, _) if f0(u);\n{links}").errors)


# what must not be refused

IDIOMS: Final = (
    READ + "record.owner = user;",
    READ + "user = record.owner;",
    READ + "record.owner.manager = user;",
    READ + "record.owner.id = user.id;",
    READ + "user in record.readers;",
    READ + "user in [record.owner, record.owner.manager];",
    READ + 'user.role = "admin" and record.secret = false;',
    READ + 'user.role in ["admin", "member"] and record.status != "archived";',
    READ + "user.name in [1, record.title];",
    READ + "not (user.name = record.title or not record.owner = user);",
    READ + 'not (not (user.role = "admin")) and record.size >= 1;',
    READ + "user matches User and record matches Record;",
    READ + 'user matches User{role: "admin"} and record matches Record{owner: user};',
    READ + 'record.owner matches {role: "admin"} and user.manager = nil;',
    READ + "record matches Record{size: size} and size < 10 and user.manager != nil;",
    READ + 'record matches Record{owner: User{manager: User{role: "admin"}}} and user.name = "x";',
    READ + "record.owner != nil and not record.title = nil and user.name = record.title;",
    READ + "record.size = 1.5 and user.name = record.title;",
    READ + "record.size > 0.5 and record.size <= 3 and record.owner == user;",
    READ + 'record.title < user.name and record.title >= "a";',
    READ + "forall(reader in record.readers, reader.manager = user);",
    READ + "reader in record.readers and reader.manager = user;",
    READ + "(boss = user.manager or boss in record.readers) and boss.role = record.title;",
    READ + "helper(user, record); helper(x, y) if y.owner = x;",
    READ + "helper(_, record, _) and user.id = record.id; helper(_: User, _: Record, _: Integer);",
    READ + "helper(_x, record) and helper(_x, user); helper(_, _);",
    READ + 'is_any(user) and is_any(record); is_any(x) if (x matches User and x.role = "admin") or '
    '(x matches Record and x.status = "active");',
    READ + "kind(user.role, rank) and record.size > rank; kind(_, 1); kind(_, 2.5);",
    READ + 'word(user.role) and record.owner = user; word(x: "admin") if x = "admin"; word("b");',
    READ + "owns(user, record); owns(u: User, _: Record{owner: u}); owns(_: Integer, _);",
    READ + "x = record.owner and x.manager = user and nil = x.manager.manager;",
    READ + "x = nil and record.owner = x and user.manager = x;",
    READ + "(o = nil or o = record.owner) and o.name = user.name;",
    'permit(user: User, "read", _: Record{owner: user, status: "active"});',
    'permit(_: User{role: "admin"}, _action, _resource);',
    'permit(_user: User, "read", _: {status: "active"});',
    'permit(_, "read", _: Record{secret: false});',
    (
        "permit(user: User, action, record: Record) if may(user.role, action) and record.size > 0; "
        'may("admin", "write"); may(_, "read");'
    ),
    (
        'forbid("late", request: Request, "read", record: Record) if request.now > record.created; '
        "permit(_, _, _);"
    ),
    (
        'forbid("soft", request: Request, "delete", _: Record) if request.soft = true and '
        'request.copies >= 2 and "x" in request.parts; permit(_, _, _);'
    ),
    (
        'forbid("channel", request: Request, _, _) if not request.channel in ["web"] and '
        'request.subject.role = "member"; permit(_, _, _);'
    ),
    'reason("late", "it is too late"); permit(_, _, _);',
    "type owns(u: User, r: Record); owns(u: User, r: Record) if r.owner = u; "
    + READ
    + "owns(user, record);",
    "permit(_, _, _); ?= permit(1, 2, 3); ?= not (1 in [2]);",
)


@pytest.mark.parametrize("rules", IDIOMS)
def test_idioms_are_not_refused(rules: str) -> None:
    """What people write in Polar, and mean, has no error."""
    assert [] == tell(check(ALLOW, rules).errors)


@pytest.mark.parametrize("rules", IDIOMS)
def test_oso_does_not_refuse_the_idioms_either(rules: str) -> None:
    """What we accept is a part of Polar."""
    assert load_in_oso(f"{ALLOW}\n{rules}")


def load_in_oso(text: str) -> bool:
    """Let the reference load a policy of the small domain; it raises what it does not like."""
    policies = build_policy_set("policies", [PolicyFile("1.polar", text)])
    oracle = load_oracle(policies, small_domain.DOMAIN)
    return oracle.policy_digest == policies.digest


# policies that nobody wrote

VALUES: Final = {
    "user": ("user", "record.owner", "user.manager", "record.owner.manager", "nil"),
    "text": ("user.name", "record.title", "record.status", '"active"', "user.role", "record.tilte"),
    "number": ("record.size", "1", "2.5", "record.sise"),
    "truth": ("record.secret", "true", "user.secret"),
    "time": ("record.created", "user.created"),
}
TERMS: Final = tuple(term for terms in VALUES.values() for term in terms)
OPERATORS: Final = ("=", "==", "!=", "<", ">=")
PATTERNS: Final = ("User", "Record", "Usr", 'User{role: "admin"}', "Record{owner: user}", "String")


def conditions() -> st.SearchStrategy[str]:
    """Make conditions, right and wrong, of a user and a record."""
    term = st.sampled_from(TERMS)
    alike = st.sampled_from(sorted(VALUES)).flatmap(
        lambda kind: st.tuples(*[st.sampled_from(VALUES[kind])] * 2)
    )
    pairs = st.one_of(alike, st.tuples(term, term))
    compared = st.builds(
        lambda pair, o: f"{pair[0]} {o} {pair[1]}", pairs, st.sampled_from(OPERATORS)
    )
    found = st.builds(
        "{} in {}".format, term, st.sampled_from(["record.readers", '["active"]', "[1]"])
    )
    matched = st.builds("{} matches {}".format, term, st.sampled_from(PATTERNS))
    called = st.builds("{}({}, {})".format, st.sampled_from(["owns", "ows"]), term, term)
    simple = st.one_of(compared, found, matched, called)
    return st.recursive(simple, combine, max_leaves=4)


def combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Put conditions together."""
    pair = st.tuples(inner, inner)
    return st.one_of(
        inner.map("not ({})".format),
        pair.map(lambda each: f"({each[0]} and {each[1]})"),
        pair.map(lambda each: f"({each[0]} or {each[1]})"),
        pair.map(lambda each: f"forall({each[0]}, {each[1]})"),
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(conditions(), min_size=1, max_size=3))
def test_what_has_no_error_is_loaded_by_oso(bodies: Sequence[str]) -> None:
    """Whatever we accept, oso accepts."""
    rules = [f"{READ}user.id = record.id and {body};" for body in bodies]
    text = "\n".join([ALLOW, "owns(user, record) if record.owner = user;", *rules])
    source = Source("1.polar", text)
    reading = read_policy(source)
    findings = check_statements([source], reading.statements, small_domain.DOMAIN.schema)

    assert reading.faults or findings.errors or load_in_oso(text)
