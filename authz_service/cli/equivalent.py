"""`authz equivalent`: find the smallest store and question that two policies answer differently."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from authz_service import storage
from authz_service.cli.comparing import check_actions, compile_both
from authz_service.cli.keeping import print_kept, save_kept
from authz_service.cli.options import takes_settings
from authz_service.cli.output import show_progress
from authz_service.equivalence.comparison import Bounds, compare_policies
from authz_service.errors import EXIT_DENY, PolicyError
from authz_service.scenario.kept import describe_answer, keep_difference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authz_service.equivalence.comparison import Difference, Verdict
    from authz_service.scenario.kept import Kept
    from authz_service.settings import Settings

_STEPS: Final = 1_000
_MOST_LISTED: Final = 5


@click.command()
@click.argument("old")
@click.argument("new")
@click.option(
    "--action",
    "actions",
    metavar="ACTION",
    multiple=True,
    help="Compare what is said of this action only. Can be given several times.",
)
@click.option(
    "--entities",
    type=click.IntRange(min=1),
    default=Bounds.entities,
    show_default=True,
    metavar="N",
    help="How many entities of each type a store has at the most.",
)
@click.option(
    "--stores",
    type=click.IntRange(min=1),
    default=Bounds.stores,
    show_default=True,
    metavar="MAX",
    help="Give up a question where there are more stores than that, times the questions to each.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=Bounds.seconds,
    show_default=True,
    metavar="S",
    help="Give up what is left after that time.",
)
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write what was found into the folders `fixtures` and `scenarios` there.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@takes_settings("policies", "domain")
def equivalent(
    settings: Settings,
    *,
    old: str,
    new: str,
    actions: tuple[str, ...],
    entities: int,
    stores: int,
    seconds: float,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Hold the policies OLD and NEW against each other, in all small stores.

    Each is a folder, or a revision of the git repository around the policies: REVISION, or
    REVISION:FOLDER. Prints the smallest store and question that they answer differently, as a
    fixture and a scenario to keep; or in how many stores there is no difference.

    Exit code 0 means that there is none, 1 that there is one, 2 that it could not be found out.

    \b
    Example:
      authz equivalent HEAD policies
      authz equivalent policies ../changed/policies --action view_bills --to .
    """
    domain = storage.find_domain(settings.domain)
    check_actions(actions, domain)
    first, second = compile_both(settings, domain, old, new)
    with show_progress(_STEPS, "comparing") as tell:
        verdict = compare_policies(
            first,
            second,
            domain,
            Bounds(entities, stores, seconds),
            time.monotonic,
            actions=actions,
            tell=_tell_in_steps(tell),
        )
    found = verdict.difference
    kept = keep_difference(domain.schema, found, old, new) if found else None
    if as_json:
        click.echo(json.dumps(_write(verdict, kept, entities), indent=2))
    elif found and kept:
        _print(found, kept, (old, new))
    if kept and folder:
        save_kept(kept, folder)
    if found:
        sys.exit(EXIT_DENY)
    if verdict.left_out:
        raise _give_up(verdict)
    if not as_json:
        click.echo(_describe(verdict, entities))


def _tell_in_steps(tell: Callable[[int], Any]) -> Callable[[float], None]:
    """Tell of a share how many steps were done since it was told before."""
    done = 0

    def tell_share(share: float) -> None:
        nonlocal done
        before, done = done, int(share * _STEPS)
        tell(done - before)

    return tell_share


def _print(difference: Difference, kept: Kept, names: Sequence[str]) -> None:
    click.echo(str(kept.inquiry))
    for name, reasons in zip(names, (difference.old, difference.new), strict=True):
        click.echo(f"  {name}: {describe_answer(reasons)}")
    print_kept(kept)


def _describe(verdict: Verdict, entities: int) -> str:
    """Say that there is no difference, and of how much that is known."""
    kinds = f"{verdict.questions} kinds of questions"
    if verdict.same == verdict.questions:
        return f"no difference: all {kinds} come to the same conditions"
    return (
        f"no difference in {verdict.stores:,} stores with at most {entities} of each type,"
        f" asked {verdict.asked:,} questions;"
        f" {verdict.same} of {kinds} come to the same conditions"
    )


def _give_up(verdict: Verdict) -> PolicyError:
    listed = ", ".join(" ".join(key) for key in verdict.left_out[:_MOST_LISTED])
    more = len(verdict.left_out) - _MOST_LISTED
    also = f" and {more} more" if more > 0 else ""
    message = (
        f"no difference was found, but there are too many stores for {listed}{also};"
        " raise `--stores` and `--seconds`, or look at fewer with `--entities` or `--action`"
    )
    return PolicyError.at("the stores", "too_many_stores", message)


def _write(verdict: Verdict, kept: Kept | None, entities: int) -> dict[str, Any]:
    found = verdict.difference
    difference = None
    if found and kept:
        difference = {
            "question": str(kept.inquiry),
            "old": _write_answer(found.old),
            "new": _write_answer(found.new),
            "name": kept.name,
            "fixture": kept.fixture,
            "scenario": kept.scenario,
        }
    return {
        "difference": difference,
        "questions": verdict.questions,
        "same": verdict.same,
        "entities": entities,
        "stores": verdict.stores,
        "asked": verdict.asked,
        "left_out": [" ".join(key) for key in verdict.left_out],
    }


def _write_answer(reasons: Sequence[str]) -> dict[str, Any]:
    return {"allowed": not reasons, "reasons": list(reasons)}
