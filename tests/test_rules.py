"""The rules of a policy, and whether its `allow` is the usual one."""

from __future__ import annotations

from typing import Final

import pytest

from authz_service.polar.reader import read_policy
from authz_service.polar.text import Source
from authz_service.policy.clauses import Literal
from authz_service.policy.rules import Rules
from authz_service.policy.symbols import Unbound

USUAL: Final = """
allow(request: Request, action: String, resource) if
    permit(request.subject, action, resource) and
    not forbid(_reason, request, action, resource);
"""
OTHERS: Final = """
permit(_user: User, "read", _record: Record);
forbid("kept", _request: Request, "delete", _record: Record);
"""
TYPES: Final = ("User", "Record")


def rules_of(policy: str) -> Rules:
    """Read the rules of a policy."""
    return Rules(read_policy(Source("records.polar", policy)).statements)


@pytest.mark.parametrize(
    "allow",
    [
        USUAL,
        USUAL.replace("resource", "record: Record", 1).replace("resource", "record"),
        USUAL.replace("request", "r").replace("action", "a").replace("_reason", "_"),
        USUAL.replace(": Request", "").replace(": String", ""),
        USUAL + 'allow(request: Request, "read", user: User) if request.subject = user;',
    ],
)
def test_the_usual_allow_is_known(allow: str) -> None:
    """Permitted and not forbidden, whatever its variables are called."""
    assert rules_of(allow + OTHERS).are_split("Record", TYPES)


@pytest.mark.parametrize(
    "policy",
    [
        "",
        USUAL,
        OTHERS,
        USUAL + 'permit(_user: User, "read", _record: Record);',
        USUAL + 'allow(_request, "read", _record);' + OTHERS,
        USUAL + 'allow(_request, "read", _record: Record);' + OTHERS,
        USUAL + 'allow(_request, "read", _record: Resource);' + OTHERS,
        USUAL + 'allow(_request, "read", _record: Record{size: 3});' + OTHERS,
        USUAL.replace("resource", "resource: Resource", 1) + OTHERS,
        USUAL.replace("resource", "resource: Record{size: 3}", 1) + OTHERS,
        USUAL.replace("action: String", '"read"').replace("action", '"read"') + OTHERS,
        USUAL.replace("action", "_") + OTHERS,
        USUAL.replace("_reason", "action") + OTHERS,
        USUAL.replace("_reason", '"kept"') + OTHERS,
        USUAL.replace("request.subject", "request.owner") + OTHERS,
        USUAL.replace("permit(request.subject, action", 'permit(request.subject, "read"') + OTHERS,
        USUAL.replace("request, action, resource", "request, resource, action") + OTHERS,
        USUAL.replace("not forbid", 'request.channel = "web" and not forbid') + OTHERS,
        USUAL.replace("and\n    not", "or\n    not") + OTHERS,
        USUAL.replace("not forbid", "forbid") + OTHERS,
        USUAL.replace("forbid(_reason, request, action, resource)", "forbid()") + OTHERS,
    ],
)
def test_any_other_allow_is_another(policy: str) -> None:
    """What is allowed, is for `allow` to say; nothing is taken for the usual that is not."""
    assert not rules_of(policy).are_split("Record", TYPES)


def test_rules_for_other_words_are_not_looked_at() -> None:
    """A rule whose word is another one cannot match; one without a word can."""
    rules = rules_of("""
        permit(_user: User, "read", _record: Record);
        permit(_user: User, "write", _record: Record);
        permit(_user: User, _action: String, _record: Record{size: 3});
        permit("nobody", "read", _record);
        permit(_user, "read");
    """)

    def find(*asked: Literal | Unbound) -> list[int]:
        return [number for number, _ in rules.find("permit", asked)]

    one = Unbound(1)

    assert [0, 2, 3] == find(one, Literal.of("read"), one)
    assert [1, 2] == find(one, Literal.of("write"), one)
    assert [2] == find(one, Literal.of("delete"), one)
    assert [0, 1, 2, 3] == find(one, one, one)
    assert [0, 1, 2, 3] == find(one, Literal.of(True), one)
    assert [4] == find(one, Literal.of("read"))
    assert [] == find(one)


def test_rules_are_known_by_name_and_number_of_parameters() -> None:
    """`permit` of three parameters is another rule than `permit` of two."""
    rules = rules_of(OTHERS)

    assert rules.has("permit", 3)
    assert not rules.has("permit", 2)
    assert {"permit", "forbid"} == rules.names
