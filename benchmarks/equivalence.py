"""How fast two policies are compared in all small stores: `make bench-equivalent`."""

from __future__ import annotations

import re
import statistics
import time
from typing import TYPE_CHECKING, Final

import click
from portal_store import ROOT

from authz_service.equivalence.comparison import Bounds, compare_policies
from authz_service.errors import PolicyError
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import PolicyFile, build_policy_set, check_policies, load_policies
from authz_service.portal import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.equivalence.comparison import Verdict
    from authz_service.policy.source import PolicySet

_LONG: Final = 60_000
_RULE_LINE: Final = re.compile(r"^(?!#).+\n", re.MULTILINE)
_CONDITION: Final = re.compile(r" +[^\]\[]+ and\n")
_WORD: Final = re.compile(r'"\w+"')
# Says the same, but is not the usual rule, so that every question is looked at as a whole.
_USUAL: Final = "not forbid(_reason, request, action, resource);"
_TWICE: Final = f"{_USUAL.removesuffix(';')} and\n    {_USUAL.replace('_reason', '_other')}"


@click.command()
@click.option("--rounds", default=3, show_default=True)
def main(rounds: int) -> None:
    """Change the portal's policies in one place at a time, and find what that changes.

    Each condition is dropped, and each word swapped for the next one of the file. Then the policies
    are held against others that say the same of every question in another way. One thread does it
    all, and times are those of the processor.
    """
    ours = load_policies(ROOT / "policies")
    engine = CompiledEngine(ours, DOMAIN, _LONG)
    click.echo(
        "| changes | found | compiling ms | p50 ms | p95 ms | slowest ms | changes a minute |"
    )
    click.echo("|---|---|---|---|---|---|---|")
    found = [_measure_mutants(engine, ours) for _ in range(rounds)]
    click.echo(sorted(found, key=lambda each: each[0])[rounds // 2][1])
    same = [
        each.text.replace(_USUAL, _TWICE) if each.name == "main.polar" else each.text
        for each in ours.files
    ]
    other = CompiledEngine(_build(ours, same), DOMAIN, _LONG)
    verdict, _ = _compare(engine, other)
    taken = statistics.median(_compare(engine, other)[1] for _ in range(rounds))
    click.echo(
        f"\nall {verdict.questions} kinds of questions as a whole: {verdict.stores:,} stores,"
        f" {verdict.asked:,} questions, {taken:.2f} s"
    )


def _measure_mutants(engine: CompiledEngine, ours: PolicySet) -> tuple[float, str]:
    searched, compiled, differences = [], [], 0
    for policies in _find_mutants(ours):
        start = time.process_time()
        try:
            other = CompiledEngine(policies, DOMAIN, _LONG)
        except PolicyError:  # what it bound is asked for later
            continue
        compiled.append(time.process_time() - start)
        verdict, taken = _compare(engine, other)
        searched.append(taken)
        differences += verdict.difference is not None
    every = statistics.quantiles(searched, n=20)
    a_minute = 60 * len(searched) / (sum(searched) + sum(compiled))
    times = [statistics.median(compiled), every[9], every[18], max(searched)]
    shown = " | ".join(f"{1_000 * each:.0f}" for each in times)
    return sum(searched), f"| {len(searched)} | {differences} | {shown} | {a_minute:.0f} |"


def _find_mutants(ours: PolicySet) -> Iterator[PolicySet]:
    texts = [each.text for each in ours.files]
    for number, text in enumerate(texts):
        for changed in _change(text):
            mutant = _build(ours, [*texts[:number], changed, *texts[number + 1 :]])
            if not check_policies(mutant, DOMAIN.schema).errors:
                yield mutant


def _change(text: str) -> Iterator[str]:
    """Drop each condition that has one behind it, and swap each word."""
    rules = [each for each in _RULE_LINE.finditer(text) if not each[0].startswith("reason(")]
    words = list(dict.fromkeys(word for each in rules for word in _WORD.findall(each[0])))
    for line in rules:
        start, end = line.span()
        if _CONDITION.fullmatch(line[0]):
            yield text[:start] + text[end:]
        for word in _WORD.finditer(line[0]):
            other = words[(words.index(word[0]) + 1) % len(words)]
            if other != word[0]:
                yield text[: start + word.start()] + other + text[start + word.end() :]


def _build(ours: PolicySet, texts: list[str]) -> PolicySet:
    names = (each.name for each in ours.files)
    return build_policy_set(
        "changed", [PolicyFile(name, text) for name, text in zip(names, texts, strict=True)]
    )


def _compare(old: CompiledEngine, new: CompiledEngine) -> tuple[Verdict, float]:
    start = time.process_time()
    verdict = compare_policies(old, new, DOMAIN, Bounds(), time.monotonic)
    return verdict, time.process_time() - start


if __name__ == "__main__":
    main()
