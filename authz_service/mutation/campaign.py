"""Many mutants tried, by one process or several."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from authz_service.errors import UnavailableError
from authz_service.scenario.workers import work_in_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from authz_service.mutation.judge import Judge, Judgement
    from authz_service.mutation.mutant import Mutant


def try_mutants(
    judge: Judge, mutants: Sequence[Mutant], processes: int, is_over: Callable[[], bool]
) -> Iterator[Judgement | None]:
    """Try mutants, in their order; None for one for which there was no time.

    Arguments:
        judge: tries each; with the stores that it has open, it is copied into each process.
        mutants: which.
        processes: how many try them.
        is_over: tells whether the time is over.

    Raises:
        PolicyError: when the statements of a mutant do not bear out what the search found.
        SettingError: where processes cannot be forked.
        UnavailableError: when a process ends before its work is done.
    """

    def work(number: int) -> Judgement | None:
        return None if is_over() else judge.judge(mutants[number])

    def lose(number: int, end: str) -> NoReturn:
        message = f"the process that tried this ended with {end}; is there memory enough?"
        raise UnavailableError.at(mutants[number].place, "process_ended", message)

    if processes == 1:
        yield from map(work, range(len(mutants)))
    else:
        yield from work_in_processes(work, len(mutants), processes, lose)
