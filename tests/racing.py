"""Many ask for the same at once, from several processes: what each of them is told."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from performing import make_deed, open_performer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.synchronize import Barrier

_PATIENCE: Final = 120


@dataclass(frozen=True)
class Wanted:
    """What one client asks for: a subject, an action and a resource."""

    who: str
    action: str
    on: str
    key: str = ""


def race(url: str, wanted: Sequence[Wanted], processes: int) -> list[tuple[str, ...]]:
    """Let all ask at once, in threads of several processes.

    Returns:
        the reasons that each was given, none for who had it.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    shares = [list(wanted[number::processes]) for number in range(processes)]
    results = context.Queue()
    runners = [
        context.Process(target=_run, args=(url, share, barrier, results)) for share in shares
    ]
    for each in runners:
        each.start()
    found = [results.get(timeout=_PATIENCE) for _ in wanted]
    for each in runners:
        each.join()
    return found


def _run(
    url: str,
    share: Sequence[Wanted],
    barrier: Barrier,
    results: multiprocessing.Queue[tuple[str, ...]],
) -> None:
    store, performer = open_performer(url)

    def ask(wanted: Wanted) -> None:
        deed = make_deed(wanted.who, wanted.action, wanted.on, wanted.key)
        results.put(tuple(each.code for each in performer.perform(deed).decision.reasons))
        store.close()

    barrier.wait(_PATIENCE)
    with ThreadPoolExecutor(len(share)) as pool:
        list(pool.map(ask, share))
