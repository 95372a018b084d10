"""What could still be shown, of what no scenario has shown: by which question, or by none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from authz_service.coverage.exam import Exam
from authz_service.coverage.grid import Cell
from authz_service.coverage.lessening import Target
from authz_service.coverage.reach import OutOfReachError, Reach
from authz_service.coverage.relations import NO_RELATION
from authz_service.equivalence.witness import Trial, Witness
from authz_service.policy.said import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from authz_service.coverage.examiner import Examiner
    from authz_service.coverage.grid import Frame
    from authz_service.policy.clauses import Clause
    from authz_service.policy.plan import Key
    from authz_service.store.domain import Domain

# What a question can show: something of a rule or a condition, or a cell of the grid.
Goal = Target | Cell


@dataclass
class Prospects:
    """What could still be shown.

    Arguments:
        witnesses: the smallest store that was found, with a question that shows it there.
        unknown: of what there are too many stores to tell.
        never: what is shown in no small store.
    """

    witnesses: dict[Goal, Witness] = field(default_factory=dict)
    unknown: set[Goal] = field(default_factory=set)
    never: set[Goal] = field(default_factory=set)


def find_prospects(
    examiner: Examiner,
    domain: Domain,
    goals: Collection[Goal],
    clock: Callable[[], float],
    seconds: float,
) -> Prospects:
    """Find what could still be shown.

    Arguments:
        examiner: knows what can be asked, and what each question shows.
        domain: of the stores.
        goals: what is not shown yet.
        clock: tells the time in seconds.
        seconds: how long it may take.
    """
    trial = Trial(domain, ())
    try:
        explorer = _Explorer(examiner, trial, Reach(domain, clock, seconds))
        explorer.explore_rules({each for each in goals if isinstance(each, Target)})
        explorer.explore_cells(each for each in goals if isinstance(each, Cell))
    finally:
        trial.close()
    found = explorer.found
    found.unknown -= found.witnesses.keys()
    found.never = {*goals} - found.witnesses.keys() - found.unknown
    return found


class _Explorer:
    """Looks for stores and questions, and tries in a database what it finds.

    Arguments:
        examiner: as above.
        trial: the database.
        reach: goes through the stores.

    Attributes:
        found: what was found so far.
    """

    def __init__(self, examiner: Examiner, trial: Trial, reach: Reach) -> None:
        self._examiner = examiner
        self._trial = trial
        self._reach = reach
        self.found = Prospects()

    def explore_rules(self, targets: set[Target]) -> None:
        """Look for what shows something of rules and conditions.

        What is permitted, and what is forbidden for each reason, is looked at by itself first, for
        that takes far fewer stores; all together only where something forbids what was found.
        """
        for key, exam in self._examiner.exams.items():
            wanted = (targets & exam.targets) - self.found.witnesses.keys()
            if not wanted:
                continue
            permitting, forbidding = self._examiner.compiled.get_question(*key).parts
            hidden: set[Target] = set()
            for part in (Exam(permitting, ()), *(Exam((), [each]) for each in forbidding)):
                hidden |= self._explore_exam(key, part, wanted & part.targets)
            self._explore_exam(key, exam, hidden - self.found.witnesses.keys())

    def explore_cells(self, cells: Iterable[Cell]) -> None:
        """Look for what is in cells of the grid; one store does for all actions and channels."""
        blank: dict[tuple[str, str], list[Cell]] = {}
        for cell in cells:
            blank.setdefault((cell.subject, cell.resource), []).append(cell)
        for same in blank.values():
            witnesses, known = self._explore_relations(same)
            for cell in same:
                frame = self._examiner.frames[_find_key(cell)]
                witness = witnesses.get(cell.relation)
                if witness:
                    self._try(cell, _ask_in(cell, frame, witness))
                elif not known:
                    self.found.unknown.add(cell)

    def _explore_exam(self, key: Key, exam: Exam, wanted: set[Target]) -> set[Target]:
        """Look for what an exam shows; give back what does not show once all is looked at."""
        hidden: set[Target] = set()
        try:
            for target, witness in self._reach.search(key, exam.clauses, exam.find, wanted):
                if not self._try(target, witness):
                    hidden.add(target)
        except OutOfReachError:
            self.found.unknown |= wanted
        return hidden

    def _explore_relations(self, cells: list[Cell]) -> tuple[dict[str, Witness], bool]:
        """Look for stores in which subjects are what they are in some cells.

        Returns:
            the stores by relation, and whether there are none for the others.
        """
        key = _find_key(cells[0])
        relations = self._examiner.frames[key].relations
        clauses = [clause for each in relations for clause in each.clauses]

        def find(holds: Callable[[Clause], int]) -> dict[str, int]:
            found, related = {}, 0
            for each in relations:
                found[each.name] = 0
                for clause in each.clauses:
                    found[each.name] |= holds(clause)
                related |= found[each.name]
            return found | {NO_RELATION: ~related}

        witnesses: dict[str, Witness] = {}
        try:
            names = {each.relation for each in cells}
            witnesses.update(self._reach.search(key, clauses, find, names))
        except OutOfReachError:
            return witnesses, False
        return witnesses, True

    def _try(self, goal: Goal, witness: Witness) -> bool:
        """Try whether a question shows something."""
        request = witness.request
        shown = self._trial.put(
            witness, lambda store, now: self._examiner.find_shown(store, request, now)
        )
        is_shown = bool(shown and (goal in shown.targets or goal in shown.cells))
        if is_shown:
            self.found.witnesses[goal] = witness
        return is_shown


def _find_key(cell: Cell) -> Key:
    return cell.subject, cell.action, cell.resource


def _ask_in(cell: Cell, frame: Frame, witness: Witness) -> Witness:
    """Ask what a cell is about, of who and what a store was found for."""
    given = dict(witness.request.given)
    if frame.channels:
        given[CHANNEL] = frame.say_channel(cell.channel)
    request = witness.request._replace(action=cell.action, given=given)
    return Witness(witness.rows, request, witness.now)
