"""How fast searches find one page, in process: `make bench-search` runs this.

Every page is compared with the known one; a wrong page ends the run. Times are of
`Decider.search_subjects` and `Decider.search_resources`, each call on its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from measure import median, time_rounds
from portal_store import ROOT, build_decider, make_crowded_store

from authz_service.policy.request import Said, build_request
from authz_service.portal import DOMAIN
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz_service.decision.answer import Found
    from authz_service.decision.decider import Decider
    from authz_service.policy.request import Request

_WEB: Final = Said(context={"channel": "web"})
_PAGES: Final = 100
# How often a page is asked for in a round.
_TIMES: Final = 500


@dataclass(frozen=True)
class Search:
    """A search whose results are known.

    Arguments:
        title: what it looks for.
        request: the question.
        expected: the ids, in their order.
    """

    title: str
    request: Request
    expected: Sequence[str]


@click.command()
@click.option("--customers", default=200_000, show_default=True, help="How large the store is.")
@click.option("--crowd", default=100_000, show_default=True, help="How large the largest set is.")
@click.option("--page", default=100, show_default=True, help="How many results a page has.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=ROOT / "var" / "benchmarks")
def main(customers: int, crowd: int, page: int, rounds: int, folder: Path) -> None:
    """Measure searches in a large store, among them pages of a very large set."""
    decider = build_decider("compiled", make_crowded_store(folder, customers, crowd))
    click.echo("| search | page | results | p50 µs | p99 µs |")
    click.echo("|---|---|---|---|---|")
    for search in _searches(customers, crowd):
        _measure(decider, search, page, rounds)


def _searches(customers: int, crowd: int) -> Iterator[Search]:
    number = customers // 2
    five = [f"i{number}", *(f"m{number}-{each}" for each in (1, 2, 3)), f"t{number}"]
    yield Search("the subscriptions of one administrator", _on_what(f"p{number}-0"), five)
    two = [f"p{number}-0", f"p{number}-1"]
    mobile = Reference("subscription", f"m{number}-1")
    yield Search("who may see one subscription", _who("view_usage", mobile), two)
    many = [f"s{each:06}" for each in range(crowd)]
    yield Search(f"{crowd:,} subscriptions of one administrator", _on_what("boss"), many)
    members = ["boss", *(f"u{each:06}" for each in range(1, crowd))]
    customer = Reference("customer", "crowded")
    yield Search(f"{crowd:,} members of one customer", _who("view", customer), members)


def _on_what(person: str) -> Request:
    asked = Reference("person", person), "view_usage", Reference("subscription", "")
    return build_request(DOMAIN.schema, *asked, _WEB)


def _who(action: str, resource: Reference) -> Request:
    return build_request(DOMAIN.schema, Reference("person", ""), action, resource, _WEB)


def _measure(decider: Decider, search: Search, page: int, rounds: int) -> None:
    """Measure the first page, and of a large set the hundredth."""
    tokens = [""]
    while len(tokens) < min(_PAGES, -(-len(search.expected) // page)):
        tokens.append(_look(decider, search.request, page, tokens[-1]).next_token)
    for number in sorted({1, len(tokens)}):
        wanted = tuple(search.expected[page * (number - 1) : page * number])
        found = time_rounds(
            lambda token: _look(decider, search.request, page, token),
            [tokens[number - 1]] * _TIMES,
            rounds,
            lambda _, answer, wanted=wanted: answer.results == wanted,
        )
        figures = f"{median(found, 50):.0f} | {median(found, 99):.0f}"
        click.echo(f"| {search.title} | {number} | {len(wanted)} | {figures} |")


def _look(decider: Decider, request: Request, page: int, token: str) -> Found:
    search = decider.search_subjects if not request.subject.id else decider.search_resources
    return search(request, page, token)


if __name__ == "__main__":
    main()
