"""What clauses look at."""

from __future__ import annotations

import pytest
from test_clauses import allow_if

from authz_service.policy.mention import Mentions


@pytest.mark.parametrize(
    ("expected", "condition"),
    [
        ({"web"}, 'request.channel = "web"'),
        ({"web"}, '"web" = request.channel'),
        ({"web", "app"}, 'request.channel in ["web", "app"]'),
        ({"web"}, 'record.status = "active" and not request.channel = "web"'),
        (set(), "request.channel = nil"),
        (set(), "request.channel = record.title"),
    ],
)
def test_what_is_compared_with_a_channel_is_found(expected: set[str], condition: str) -> None:
    """On either side, in a list, and under a `not`; what stands in the policy alone."""
    mentions = Mentions(allow_if(condition))

    assert {("channel", each) for each in expected} == mentions.compared
    assert "channel" in mentions.said
