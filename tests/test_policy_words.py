"""Rules and reasons, by the words with which scenarios name them."""

from __future__ import annotations

from typing import Final

import pytest
from performing import build_portal_engine

from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import PolicyFile, build_policy_set
from authz_service.scenario.policy_words import PolicyWords, Rules

POLICY: Final = """\
# Who may.
allow(request, action, thing) if
    permit(request.subject, action, thing);
permit(_, "view", _); permit(_, "edit", thing) if
    thing.open;

actor User {}
resource Thing {
  permissions = ["view", "edit"];
  "view" if
    "edit";
}
"""
RULES: Final = Rules(
    build_policy_set("some/policies", [PolicyFile("a.polar", POLICY), PolicyFile("b.polar", "")])
)


@pytest.mark.parametrize(
    ("expected", "written"),
    [
        ({2}, "a.polar:2"),
        ({2}, "a.polar:3"),
        ({2}, "some/policies/a.polar:3"),
        ({2}, "policies/a.polar:3"),
        ({10}, "a.polar:11"),
        ({2}, "allow"),
        ({4}, "permit"),
        ({10}, "has_permission"),
        (set(), "a.polar:1"),
        (set(), "a.polar:6"),
        (set(), "a.polar:9"),
        (set(), "a.polar:0"),
        (set(), "a.polar:-2"),
        (set(), "a.polar:²"),
        (set(), "a.polar:" + "9" * 5_000),
        (set(), "a.polar"),
        (set(), "c.polar:2"),
        (set(), "deny"),
    ],
)
def test_a_rule_is_found_by_any_line_of_it_or_by_its_name(expected: set[int], written: str) -> None:
    """The folder may be named, whatever it is called now; a comment belongs to no rule."""
    assert {f"some/policies/a.polar:{line}" for line in expected} == RULES.find(written)


@pytest.mark.parametrize(
    ("expected", "written"),
    [
        ("there is no rule at `a.polar:1`; did you mean `a.polar:2`?", "a.polar:1"),
        ("there is no rule at `x/a.polar:70`; did you mean `a.polar:10`?", "x/a.polar:70"),
        ("`permitt` is no rule of the policies; did you mean `permit`?", "permitt"),
        ("`aa.polar:3` is no rule of the policies; did you mean `a.polar:2`?", "aa.polar:3"),
    ],
)
def test_the_nearest_rule_is_named(expected: str, written: str) -> None:
    """Where the file is right, the nearest by lines; else by its letters."""
    assert expected == RULES.describe_unknown(written)


def test_all_reasons_are_known() -> None:
    """Those of every forbid, and those that no policy gives."""
    engine = build_portal_engine()
    assert isinstance(engine, CompiledEngine)
    reasons = PolicyWords(engine).reasons

    assert {"wrong_state", "not_permitted", "unknown_action"} <= reasons
    assert "not_permited" not in reasons
