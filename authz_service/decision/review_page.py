"""An access review as one page of HTML, which needs nothing else and is fit to print."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from authz_service.decision.review_text import say_others, tell_facts
from authz_service.decision.sentences import write_evidence
from authz_service.page import CLOSE, open_page, write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz_service.decision.review import Basis, Grant, Review
    from authz_service.policy.origin import RuleText

    # The address on the page of each rule.
    Anchors = Mapping[RuleText, str]

_HEADS: Final = ("Action", "On", "Via", "Since", "Rules", "By what is stored")


def write_page(review: Review) -> Iterator[str]:
    """Write a review as a page, line by line: a section for each subject, and the rules."""
    title = f"Access review of {review.entity}"
    anchors = {rule: f"rule-{number}" for number, rule in enumerate(review.rules, 1)}
    yield from open_page(title)
    yield "<dl>"
    for name, value in tell_facts(review):
        yield f"<dt>{write_text(name)}</dt><dd>{write_text(value)}</dd>"
    yield "</dl>"
    for subject, grants in groupby(review.grants, key=lambda each: each.subject):
        yield f"<section><h2>{write_text(subject)}</h2>"
        yield from _write_grants(grants, anchors)
        yield "</section>"
    yield from _write_others(review, anchors)
    yield from _write_rules(anchors)
    yield CLOSE


def _write_grants(grants: Iterable[Grant], anchors: Anchors) -> Iterator[str]:
    heads = "".join(f'<th scope="col">{each}</th>' for each in _HEADS)
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for grant in grants:
        for each in grant.bases:
            granted = grant.action, grant.resource, grant.via
            cells = [*map(write_text, granted), *_write_basis(each, anchors)]
            yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield "</tbody></table>"


def _write_basis(basis: Basis, anchors: Anchors) -> Iterator[str]:
    yield "" if basis.since is None else str(basis.since)
    yield " &gt; ".join(_link(each, anchors) for each in basis.rules)
    yield "<br>".join(write_text(write_evidence(each)) for each in basis.evidence)


def _write_others(review: Review, anchors: Anchors) -> Iterator[str]:
    if not review.others:
        return
    yield "<section><h2>Not listed</h2><ul>"
    for each in review.others:
        links = " or ".join(_link(rule, anchors) for rule in each.rules)
        said = f"{say_others(review, each)}, via {each.via}, by"
        yield f"<li>{write_text(said)} {links}</li>"
    yield "</ul></section>"


def _write_rules(anchors: Anchors) -> Iterator[str]:
    if not anchors:
        return
    yield "<section><h2>Rules</h2>"
    for rule, anchor in anchors.items():
        yield f'<div class="rule" id="{anchor}"><p><strong>{write_text(rule.place)}</strong>'
        yield f"{write_text(rule.comment)}</p><pre>{write_text(rule.text)}</pre></div>"
    yield "</section>"


def _link(rule: RuleText, anchors: Anchors) -> str:
    return f'<a href="#{anchors[rule]}">{write_text(rule.place)}</a>'
