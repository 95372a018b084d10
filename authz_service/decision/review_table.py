"""An access review as CSV: one record for each grant and each rule by which it stands."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from authz_service.decision.review_text import write_time
from authz_service.decision.sentences import write_evidence
from authz_service.policy.clauses import SUBJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.decision.review import Review

COLUMNS: Final = (
    "record",
    "subject",
    "action",
    "resource",
    "via",
    "since",
    "rule",
    "comment",
    "details",
)
# What a spreadsheet takes for the beginning of a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_END: Final = "\r\n"


def write_table(review: Review) -> Iterator[str]:
    """Write a review as CSV, a record after the other, without their ends.

    The first record is of the column names, the second, `review`, of the review as a whole; then
    come those of what is granted, `grant`, and of those that are counted, `others`. A text that a
    spreadsheet would take for a formula begins with an apostrophe.
    """
    for row in (COLUMNS, *_write_rows(review)):
        text = io.StringIO()
        # before Python 3.13 only what the end is made of is quoted, so it has both
        csv.writer(text, lineterminator=_END).writerow(map(_write_cell, row))
        yield text.getvalue().removesuffix(_END)


def _write_rows(review: Review) -> Iterator[tuple[object, ...]]:
    state = f"revision {review.revision}, {write_time(review)}, {review.policy_digest}"
    subject, resource = (review.entity, "") if review.side == SUBJECT else ("", review.entity)
    yield ("review", subject, "", resource, ", ".join(review.channels), "", "", "", state)
    for grant in review.grants:
        granted = grant.subject, grant.action, grant.resource, grant.via
        for each in grant.bases:
            since = "" if each.since is None else each.since
            evidence = "; ".join(map(write_evidence, each.evidence))
            yield ("grant", *granted, since, each.rule.place, each.rule.comment, evidence)
    for others in review.others:
        ends = (others.entity, others.action, others.kind)
        subject, action, resource = ends if review.side == SUBJECT else reversed(ends)
        places = " ".join(each.place for each in others.rules)
        details = f"{others.count} not listed"
        yield ("others", subject, action, resource, others.via, "", places, "", details)


def _write_cell(value: object) -> object:
    """Keep a spreadsheet from taking for a formula what somebody gave as an id."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
