"""Hold both engines against each other on very many made-up policies and stores: `make agree`."""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
import traceback
from typing import Final

import click
from generated_agreement import Tally, compare_many
from generated_policies import CONSTRUCTS

# A run may be suspended for longer than oso lets a question take; that is no disagreement.
_NO_LIMIT: Final = {"POLAR_TIMEOUT_MS": "0"}
# What is made up from one number; enough to use every construct.
_BATCH: Final = 250


@click.command()
@click.option("--pairs", default=100_000, show_default=True, help="How many are made up.")
@click.option("--processes", type=int, help="How many at once; one for each core, if left out.")
@click.option("--number", type=int, help="Where to begin, to repeat a run; any, if left out.")
def main(pairs: int, processes: int | None, number: int | None) -> None:
    r"""Hold the compiled engine against oso; exit code 1 tells of a disagreement.

    \b
    Example:
      python tests/agree.py --pairs 2000 --number 7
    """
    os.environ |= _NO_LIMIT
    first = random.SystemRandom().randrange(2**32) if number is None else number
    numbers = range(first, first + -(-pairs // _BATCH))
    click.echo(f"{len(numbers) * _BATCH:,} pairs of policy and store, from number {first}")
    started, total, wrong = time.monotonic(), Tally(), 0
    with multiprocessing.Pool(processes) as pool:
        for tally, found in pool.imap_unordered(_compare, numbers):
            total.add(tally)
            if found:
                wrong += 1
                click.echo(found)
            _tell(total.pairs, len(numbers) * _BATCH)
    seconds = time.monotonic() - started
    missing = sorted(CONSTRUCTS - total.constructs.keys())
    click.echo(
        f"{total.pairs:,} pairs, {total.questions:,} questions of which {total.allowed:,} are"
        f" allowed, {len(CONSTRUCTS) - len(missing)} of {len(CONSTRUCTS)} constructs,"
        f" {wrong} disagreements, in {seconds:,.0f} s"
    )
    sys.exit(1 if wrong or missing else 0)


def _compare(number: int) -> tuple[Tally, str]:
    tally = Tally()
    try:
        compare_many(_BATCH, number, tally)
    except Exception as error:  # noqa: BLE001  # the other numbers are compared all the same
        return tally, f"number {number}: " + "".join(traceback.format_exception(error))
    return tally, ""


def _tell(pairs: int, wanted: int) -> None:
    """Show how far it is: all the time on a terminal, else each time another twentieth is done."""
    if sys.stderr.isatty():
        click.echo(f"\r{pairs:,} of {wanted:,}", nl=False, err=True)
    elif pairs * 20 // wanted > (pairs - _BATCH) * 20 // wanted:
        click.echo(f"{pairs:,} of {wanted:,}", err=True)


if __name__ == "__main__":
    main()
