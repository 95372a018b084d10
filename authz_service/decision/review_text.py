"""An access review as text, and the words that other writings of it share."""

from __future__ import annotations

from datetime import UTC
from itertools import groupby
from typing import TYPE_CHECKING

from authz_service.policy.clauses import RESOURCE, SUBJECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz_service.decision.review import Basis, Grant, Others, Review


def write_text(review: Review) -> Iterator[str]:
    """Write a review as text, line by line: a paragraph for each subject, and the rules."""
    yield escape_line(f"Access review of {review.entity}")
    for name, value in tell_facts(review):
        yield f"  {name:<10}{escape_line(value)}"
    for subject, grants in groupby(review.grants, key=lambda each: each.subject):
        yield ""
        yield escape_line(str(subject))
        yield from _align([_write_grant(each) for each in grants])
    if review.others:
        yield ""
        yield "not listed"
    for each in review.others:
        places = " or ".join(rule.place for rule in each.rules)
        yield escape_line(f"  {say_others(review, each)}, via {each.via}, by {places}")
    if review.rules:
        yield ""
        yield "rules"
    for rule in review.rules:
        yield escape_line(f"  {rule.place}  {rule.comment}".rstrip())


def tell_facts(review: Review) -> Iterator[tuple[str, str]]:
    """Tell what stands at the top of a review, each with its name."""
    if review.side == RESOURCE:
        belongings = _count(review.belongings, "other entity", "other entities")
        yield "question", f"who may do what on it, and on what belongs to it: {belongings}"
    else:
        yield "question", "what it may do, and on which entities"
    yield "entities", f"revision {review.revision}"
    yield "asked at", write_time(review)
    yield "policies", review.policy_digest
    yield "channels", ", ".join(review.channels)
    yield "found", say_found(review)


def write_time(review: Review) -> str:
    """Write when it was asked."""
    at = review.at.astimezone(UTC).isoformat(timespec="seconds")
    return at.replace("+00:00", "Z")


def say_found(review: Review) -> str:
    """Say how much was found."""
    subjects = len({each.subject for each in review.grants})
    counted = sum(each.count for each in review.others)
    if not review.grants and not counted:
        return "nobody may do anything" if review.side == RESOURCE else "nothing"
    grants = _count(len(review.grants), "grant", "grants")
    said = f"{grants} to {_count(subjects, 'subject', 'subjects')}"
    return f"{said}; {counted} more that are not listed" if counted else said


def say_others(review: Review, others: Others) -> str:
    """Say how many are counted, and what they may, or what may be done on them."""
    more = f"{others.count} more of type {others.kind}"
    if review.side == SUBJECT:
        return f"{others.entity} may {others.action} on {more}"
    return f"{more} may {others.action} on {others.entity}"


def say_rules(basis: Basis) -> str:
    """Say where the rules stand, from the first to the last."""
    return " > ".join(each.place for each in basis.rules)


def escape_line(text: str) -> str:
    """Write what would break a line, or cannot be seen, as escapes."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _write_grant(grant: Grant) -> tuple[str, ...]:
    bases = " and ".join(map(_write_basis, grant.bases))
    return tuple(map(escape_line, (grant.action, str(grant.resource), grant.via, bases)))


def _write_basis(basis: Basis) -> str:
    since = "" if basis.since is None else f"since {basis.since} "
    return f"{since}by {say_rules(basis)}"


def _align(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
