"""How times are taken and told: every call on its own, medians of several rounds."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Times:
    """What calls took in one round, in microseconds."""

    calls: tuple[float, ...]

    def percentile(self, share: int) -> float:
        """Find the time that a share of the calls, in hundredths, did not exceed."""
        ordered = sorted(self.calls)
        return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def time_rounds(
    call: Callable[[Any], Any],
    arguments: Sequence[Any],
    rounds: int,
    accept: Callable[[int, Any], bool],
) -> list[Times]:
    """Time a call with each of some arguments, in several rounds after a warm one.

    What was made before is taken out of Python's search for garbage, as a server would do.

    Arguments:
        call: what is timed.
        arguments: what it is called with, one after the other.
        rounds: how often they are gone through.
        accept: tells whether what a call gave is right, by the number of its argument; a wrong
            answer ends the run.
    """
    gc.collect()
    gc.freeze()
    found = [_time(call, arguments, accept) for _ in range(rounds + 1)]
    gc.unfreeze()
    return found[1:]


def median(rounds: Sequence[Times], share: int) -> float:
    """Find the median of a percentile over rounds."""
    return statistics.median(each.percentile(share) for each in rounds)


def _time(
    call: Callable[[Any], Any], arguments: Sequence[Any], accept: Callable[[int, Any], bool]
) -> Times:
    times = []
    for number, argument in enumerate(arguments):
        start = time.perf_counter_ns()
        found = call(argument)
        times.append((time.perf_counter_ns() - start) / 1_000)
        if not accept(number, found):
            sys.exit(f"wrong answer: {argument} got {found}")
    return Times(tuple(times))
