"""An access review as CSV: one record for each grant and each rule by which it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.decision.review_text import say_rules, write_time
from authz_service.decision.sentences import write_evidence
from authz_service.decision.table import write_record
from authz_service.policy.clauses import SUBJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.decision.review import Review

_COLUMNS: Final = (
    "record",
    "subject",
    "action",
    "resource",
    "via",
    "since",
    "rules",
    "comment",
    "details",
)


def write_table(review: Review) -> Iterator[str]:
    """Write a review as CSV, a record after the other, without their ends.

    The first record is of the column names, the second, `review`, of the review as a whole; then
    come those of what is granted, `grant`, and of those that are counted, `others`.
    """
    yield write_record(_COLUMNS)
    yield from map(write_record, _write_rows(review))


def _write_rows(review: Review) -> Iterator[tuple[object, ...]]:
    state = f"revision {review.revision}, {write_time(review)}, {review.policy_digest}"
    subject, resource = (review.entity, "") if review.side == SUBJECT else ("", review.entity)
    yield ("review", subject, "", resource, ", ".join(review.channels), "", "", "", state)
    for grant in review.grants:
        granted = grant.subject, grant.action, grant.resource, grant.via
        for each in grant.bases:
            evidence = "; ".join(map(write_evidence, each.evidence))
            yield ("grant", *granted, each.since, say_rules(each), each.comment, evidence)
    for others in review.others:
        ends = (others.entity, others.action, others.kind)
        subject, action, resource = ends if review.side == SUBJECT else reversed(ends)
        places = " or ".join(each.place for each in others.rules)
        details = f"{others.count} not listed"
        yield ("others", subject, action, resource, others.via, "", places, "", details)
