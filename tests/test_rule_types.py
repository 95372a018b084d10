"""Rule types: which rules fit them, held against what oso accepts."""

from __future__ import annotations

from typing import Final

import pytest
from small_domain import DOMAIN

from authz_service.policy.source import PolicyFile, build_policy_set, check_policies

ALLOW: Final = "allow(_request: Request, _action: String, _record: Record);\n"
ROLES: Final = (
    'actor User {}\nresource Record { roles = ["reader"]; relations = { boss: User }; }\n'
)

FITTING: Final = [
    "type f(x: User); f(_x: User);",
    'type f(x: User); f(_x: User{name: "a"});',
    "type f(x); f(_x: User);",
    "type f(x); f(_x);",
    'type f(x: String); f("a");',
    "type f(x: Integer); f(1);",
    "type f(x: Float); f(1.0);",
    "type f(x: Boolean); f(true);",
    'type f(x: String); type f(x: Integer); f("a"); f(1); f(_x: String);',
    'type f("a"); f("a");',
    "type f(nil); f(nil);",
    'type f(x: User{name: "a"}); f(_x: User{name: "a"});',
    'type f(x: User{name: "a"}); f(_x: User{role: "admin", name: "a"});',
    'type f(x: {name: "a"}); f(_x: User{name: "a"});',
    "type f(x: Request); f(_x: Request);",
    "type f(x: User);",
    "type g(x: User); f(_x: Record);",
]
MISFITS: Final = [
    "type f(x: User); f(_x: Record);",
    "type f(x: User); f(_x);",
    "type f(x: User); f(_x) if _x = 1;",
    'type f(x: User); f(_x: {name: "a"});',
    "type f(x: User); f(nil);",
    'type f(x: Integer); f("a");',
    "type f(x: Integer); f(1.0);",
    "type f(x: Float); f(1);",
    "type f(x: String); f(_x: Integer);",
    "type f(x, y); f(_x);",
    'type f("a"); f("b");',
    'type f("a"); f(_x);',
    'type f("a"); f(_x: String);',
    'type f(x: User{name: "a"}); f(_x: User);',
    'type f(x: User{name: "a"}); f(_x: {name: "a"});',
    'has_permission(_u: User, "read", _r: Record);',
    ROLES + 'has_role(_u: Record, "reader", _r: Record);',
    ROLES + "has_role(_u: User, 1, _r: Record);",
    ROLES + 'has_role(_u: User, "reader", _r);',
    ROLES + "has_role(_u: User, _r: Record);",
    ROLES + 'has_relation(_u: Record, "boss", _r: Record);',
    ROLES + 'has_relation(_u: User, "chief", _r: Record);',
    ROLES + "has_relation(_u: User, _n: String, _r: Record);",
    ROLES + "type f(x: User); f(_x: Actor);",
    ROLES + "type f(x: Actor); f(_x: Record);",
]


def find_codes(policy: str) -> list[str]:
    """Find what is wrong with a policy, by code."""
    policies = build_policy_set("policies", [PolicyFile("records.polar", ALLOW + policy)])
    return [fault.code for fault in check_policies(policies, DOMAIN.schema).errors]


@pytest.mark.parametrize("policy", FITTING)
def test_a_rule_that_fits_is_accepted(policy: str) -> None:
    """One of the rule types of its name is enough, and none if there is none."""
    assert [] == find_codes(policy)


@pytest.mark.parametrize("policy", MISFITS)
def test_a_rule_that_fits_none_is_refused(policy: str) -> None:
    """Another type, another word, more or fewer parameters, or less said of them."""
    assert ["against_rule_type"] == find_codes(policy)


@pytest.mark.parametrize(
    "policy",
    [
        ROLES + 'has_role(_u: User, "reader", _r: Record);',
        ROLES + "has_role(_u: Actor, _n: String, _r: Resource);",
        ROLES + 'has_relation(_u: User, "boss", _r: Record);',
        ROLES + 'has_relation(user: User, "boss", _r: Record{owner: user});',
        ROLES + 'has_permission(_u: User, "read", _r: Record);',
        ROLES + 'has_permission(_u: User{role: "admin"}, _n: String, _r: Resource);',
        ROLES + "type f(x: Actor); f(_x: User); f(_y: Actor);",
        'has_role(_u: Record, 1); has_relation(_u: User, "boss", _r: Record);',
    ],
)
def test_what_blocks_declare_is_fitted(policy: str) -> None:
    """Who has a role or a permission is an actor, and relations lead where blocks say."""
    assert [] == find_codes(policy)


def test_it_is_said_what_a_rule_must_look_like() -> None:
    """All rule types of the name are listed, and the head of the rule is underlined."""
    text = ALLOW + 'type f(x: User{name: "a"}, nil);\ntype f("b", 1);\nf(_x: Record, true);\n'
    policies = build_policy_set("policies", [PolicyFile("records.polar", text)])
    (fault,) = check_policies(policies, DOMAIN.schema).errors

    assert 'a rule `f` must look like `f(x: User{name: "a"}, nil)` or `f("b", 1)`' == fault.message
    assert "policies/records.polar:4:1" == str(fault.where)
    assert "4 | f(_x: Record, true);\n  | ^^^^^^^^^^^^^^^^^^^" == fault.excerpt
