"""What questions of one kind can show of the policies, and what one of them does show.

It is read off which clauses hold, whole and lessened. An answer must have been other without a
condition, or nothing was seen of it: where another clause permits as well, or forbids for the same
reason, no test would notice. Nor does it show who is permitted where something forbids it.

Truth is a number with a bit for each question: one bit for a question that was asked, many for the
small stores in which it is looked for what could be asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from authz_service.coverage.lessening import find_held, find_lessened
from authz_service.equivalence.worlds import any_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from authz_service.coverage.lessening import Lessened, Target
    from authz_service.policy.clauses import Clause
    from authz_service.policy.plan import Question

    # Finds where a clause holds.
    Holds = Callable[[Clause], int]


@dataclass(frozen=True)
class _Paper:
    """One clause of a part.

    Arguments:
        clause: whole.
        held: what is shown where it holds.
        lessened: the clause without each of its conditions.
    """

    clause: Clause
    held: frozenset[Target]
    lessened: tuple[Lessened, ...]


class Exam:
    """What questions of one kind can show.

    Arguments:
        permitting: the clauses by which one is permitted.
        forbidding: those by which it is forbidden, for each reason.

    Attributes:
        targets: all that can be shown, as far as the clauses alone tell.
    """

    def __init__(
        self, permitting: Sequence[Clause], forbidding: Sequence[Sequence[Clause]]
    ) -> None:
        self._permitting = _build_part(permitting)
        self._forbidding = [_build_part(each) for each in forbidding]
        self.targets = frozenset(
            target
            for paper in self._papers
            for targets in (paper.held, *(each.targets for each in paper.lessened))
            for target in targets
        )

    @classmethod
    def of(cls, question: Question) -> Self:
        """Find what questions show that were compiled to something."""
        return cls(*question.parts)

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """The clauses of which it must be known where they hold, each once."""
        found: dict[Clause, None] = {}
        for paper in self._papers:
            found[paper.clause] = None
            found |= {each.clause: None for each in paper.lessened}
        return tuple(found)

    @property
    def _papers(self) -> Iterator[_Paper]:
        for part in (self._permitting, *self._forbidding):
            yield from part

    def find(self, holds: Holds) -> dict[Target, int]:
        """Find what is shown, and by which questions.

        Arguments:
            holds: finds by which questions a clause holds.
        """
        forbidden = 0
        for part in self._forbidding:
            forbidden |= any_of(holds(each.clause) for each in part)
        found: dict[Target, int] = {}
        _look(self._permitting, holds, forbidden, found)
        for part in self._forbidding:
            _look(part, holds, 0, found)
        return found


def _build_part(clauses: Sequence[Clause]) -> list[_Paper]:
    return [_Paper(each, find_held(each), tuple(find_lessened(each))) for each in clauses]


def _look(part: Sequence[_Paper], holds: Holds, hidden: int, found: dict[Target, int]) -> None:
    """Look at one part: what is permitted, or what is forbidden for one reason.

    Arguments:
        part: its clauses.
        holds: as above.
        hidden: where it does not show that the part holds.
        found: what is shown; is added to.
    """
    whole = [holds(each.clause) for each in part]
    for number, paper in enumerate(part):
        others = any_of(whole[:number] + whole[number + 1 :])
        seen = whole[number] & ~hidden
        _add(paper.held, seen, found)
        for each in paper.lessened:
            changed = (holds(each.clause) ^ whole[number]) & ~others
            _add(each.targets, changed & (seen | ~whole[number]), found)


def _add(targets: frozenset[Target], seen: int, found: dict[Target, int]) -> None:
    if seen:
        for each in targets:
            found[each] = found.get(each, 0) | seen
