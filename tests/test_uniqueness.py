"""What a promise looks at, in the words of entities."""

from __future__ import annotations

import pytest

from authz_service.portal.entities import PROMISES
from authz_service.store.uniqueness import Uniqueness

ROLE, OWNER, ADMINISTRATOR, GRANT, NAME = map(Uniqueness, PROMISES)


def test_columns_are_attributes_and_paths() -> None:
    """A copy of another entity's attribute is the path to it."""
    assert ("customer", "person") == ROLE.columns
    assert ("customer", "customer.kind") == ADMINISTRATOR.columns
    assert "membership" == ADMINISTRATOR.kind


def test_conditions_are_what_tells_which_rows_count() -> None:
    """They are in the order of the columns of the table."""
    assert () == GRANT.conditions == NAME.conditions
    assert ("role",) == OWNER.conditions
    assert ("role", "customer.kind") == ADMINISTRATOR.conditions


@pytest.mark.parametrize(
    ("role", "kind", "counts"),
    [
        ("administrator", "residential", True),
        ("access_owner", "residential", True),
        ("administrator", "business", False),
        ("user", "residential", False),
        ("user", None, False),
    ],
)
def test_a_row_counts_when_the_index_is_about_it(
    role: str, kind: str | None, *, counts: bool
) -> None:
    """As the database reads the condition, where nothing is not true."""
    assert counts == ADMINISTRATOR.counts((role, kind))


def test_all_rows_count_without_a_condition() -> None:
    """Then the promise is about each."""
    assert GRANT.counts(())
