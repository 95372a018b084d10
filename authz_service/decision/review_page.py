"""An access review as one page of HTML, which needs nothing else and is fit to print."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final

from authz_service.decision.review_text import say_others, tell_facts
from authz_service.decision.sentences import write_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz_service.decision.review import Basis, Grant, Review
    from authz_service.policy.origin import RuleText

    # The address on the page of each rule.
    Anchors = Mapping[RuleText, str]

# Names are isolated, so that one that is written from right to left turns nothing else around.
_STYLE: Final = """\
body { font: 0.9rem/1.4 system-ui, sans-serif; color: #111; max-width: 75rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 0.5rem; }
h1, h2, dd, td, li, p { unicode-bidi: isolate; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; }
dt { color: #555; }
dd { margin: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #bbb; padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
th { background: #eee; }
pre { background: #f6f6f6; padding: 0.5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
@media print {
  @page { margin: 15mm; }
  body { font-size: 9pt; max-width: none; margin: 0; padding: 0; }
  a { color: inherit; text-decoration: none; }
  thead { display: table-header-group; }
  h2 { break-after: avoid; }
  tr, dl, .rule { break-inside: avoid; }
}
"""
# Whatever a name may smuggle in, nothing is run and nothing is fetched.
_NOTHING_ELSE: Final = "default-src 'none'; style-src 'unsafe-inline'"
_HEADS: Final = ("Action", "On", "Via", "Since", "Rules", "By what is stored")


def write_page(review: Review) -> Iterator[str]:
    """Write a review as a page, line by line: a section for each subject, and the rules."""
    title = _text(f"Access review of {review.entity}")
    anchors = {rule: f"rule-{number}" for number, rule in enumerate(review.rules, 1)}
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield '<head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_NOTHING_ELSE}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{title}</title>"
    yield f"<style>\n{_STYLE}</style></head>"
    yield f"<body><h1>{title}</h1>"
    yield "<dl>"
    for name, value in tell_facts(review):
        yield f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>"
    yield "</dl>"
    for subject, grants in groupby(review.grants, key=lambda each: each.subject):
        yield f"<section><h2>{_text(subject)}</h2>"
        yield from _write_grants(grants, anchors)
        yield "</section>"
    yield from _write_others(review, anchors)
    yield from _write_rules(anchors)
    yield "</body></html>"


def _write_grants(grants: Iterable[Grant], anchors: Anchors) -> Iterator[str]:
    heads = "".join(f'<th scope="col">{each}</th>' for each in _HEADS)
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for grant in grants:
        for each in grant.bases:
            granted = grant.action, grant.resource, grant.via
            cells = [*map(_text, granted), *_write_basis(each, anchors)]
            yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield "</tbody></table>"


def _write_basis(basis: Basis, anchors: Anchors) -> Iterator[str]:
    yield "" if basis.since is None else str(basis.since)
    yield " &gt; ".join(_link(each, anchors) for each in basis.rules)
    yield "<br>".join(_text(write_evidence(each)) for each in basis.evidence)


def _write_others(review: Review, anchors: Anchors) -> Iterator[str]:
    if not review.others:
        return
    yield "<section><h2>Not listed</h2><ul>"
    for each in review.others:
        links = " or ".join(_link(rule, anchors) for rule in each.rules)
        yield f"<li>{_text(say_others(review, each))}, via {_text(each.via)}, by {links}</li>"
    yield "</ul></section>"


def _write_rules(anchors: Anchors) -> Iterator[str]:
    if not anchors:
        return
    yield "<section><h2>Rules</h2>"
    for rule, anchor in anchors.items():
        yield f'<div class="rule" id="{anchor}"><p><strong>{_text(rule.place)}</strong>'
        yield f"{_text(rule.comment)}</p><pre>{_text(rule.text)}</pre></div>"
    yield "</section>"


def _link(rule: RuleText, anchors: Anchors) -> str:
    return f'<a href="#{anchors[rule]}">{_text(rule.place)}</a>'


def _text(value: object) -> str:
    return escape(str(value))
