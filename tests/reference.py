"""The reference, oso: what tests that need it ask for first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from authz_service import assembly

if TYPE_CHECKING:
    from authz_service.policy.oracle import Oracle
    from authz_service.policy.source import PolicySet
    from authz_service.store.domain import Domain

# What a service can decide with.
ENGINES: Final = ("compiled", "oso")


def require_reference() -> None:
    """Skip the test where oso is not installed."""
    if not assembly.has_reference():
        pytest.skip("oso, the reference, has no wheel for Python 3.13 and later")


def load_oracle(policies: PolicySet, domain: Domain, time_limit: int = 60_000) -> Oracle:
    """Load policies into the reference; the time limit is in milliseconds."""
    require_reference()
    from authz_service.policy.oracle import Oracle  # noqa: PLC0415  # only where oso is

    return Oracle(policies, domain.schema, time_limit)
