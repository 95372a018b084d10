"""Inline queries, `?= condition;`: what must be so of a policy itself, tried when it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz_service.polar.syntax import Query
from authz_service.policy.symbols import RefusedError, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz_service.polar.syntax import Statement
    from authz_service.policy.resolver import Resolver


def find_broken(statements: Iterable[Statement], resolver: Resolver) -> Iterator[RefusedError]:
    """Find the inline queries that do not hold, and those that the policy alone cannot decide."""
    for each in statements:
        if not isinstance(each, Query):
            continue
        span = each.condition.span
        try:
            if not resolver.holds(each.condition):
                yield refuse(
                    span, "query_fails", "must hold when the policy is loaded; it does not"
                )
        except RefusedError as error:
            yield error
