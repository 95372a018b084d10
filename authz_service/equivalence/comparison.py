"""Two policies held against each other, in all small stores.

For each question whose clauses are not the same in both, all stores are gone through in which
either policy could say something (`small_stores`), many at once (`worlds`, `truth`): first those
with one entity of each type, then those with two. Answers differ where the permit differs, or a
forbid; so each is looked at by itself, which takes far fewer stores, for fewer conditions look at
less. Only where one differs is the whole question looked at, for the smallest store in which one
policy allows what the other does not, or else gives other reasons.

What is found is stored in a database and asked of both policies' own statements before it is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authz_service.equivalence.cone import Cone
from authz_service.equivalence.contrast import Contrast
from authz_service.equivalence.small_stores import find_scopes
from authz_service.equivalence.witness import Trial, build_witness
from authz_service.equivalence.worlds import Shape, sort_worlds
from authz_service.errors import PolicyError
from authz_service.policy.compiled import find_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from authz_service.equivalence.small_stores import Scope
    from authz_service.equivalence.witness import Witness
    from authz_service.equivalence.worlds import Block
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.plan import Key
    from authz_service.store.domain import Domain

# How many stores with their questions are searched for the smallest difference of a whole question;
# where there are more, the part that differs has to do.
_MOST_WORLDS: Final = 2**25


@dataclass(frozen=True)
class Bounds:
    """How far to look.

    Arguments:
        entities: how many of each type there may be.
        stores: how many there may be for one condition, each counted once for every question that
            is put to it.
        seconds: how long it may take.
    """

    entities: int = 2
    stores: int = 1_000_000_000
    seconds: float = 60


@dataclass(frozen=True)
class Difference:
    """A store and a question that two policies answer differently.

    Arguments:
        witness: the store and the question.
        old, new: the reasons against it by either policy, none for an allow.
    """

    witness: Witness
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What came of comparing two policies.

    Arguments:
        difference: the smallest that was found; None for none.
        questions: how many kinds of questions were compared, by types and action.
        same: for how many of them both policies come to the same conditions.
        stores: to how many stores the other conditions were put.
        asked: how many questions that were.
        left_out: the kinds of questions for which the bounds did not do.
    """

    difference: Difference | None
    questions: int
    same: int
    stores: int
    asked: int
    left_out: tuple[Key, ...] = ()


def compare_policies(  # noqa: PLR0913  # two policies, what they are about, and how far to look
    old: CompiledEngine,
    new: CompiledEngine,
    domain: Domain,
    bounds: Bounds,
    clock: Callable[[], float],
    *,
    actions: Sequence[str] = (),
    tell: Callable[[float], None] = lambda _share: None,
) -> Verdict:
    """Find the smallest store and question that two policies answer differently.

    A question that only one of them allows comes before one that both deny, for other reasons; then
    the fewest entities count, and the fewest values that are not plain.

    Arguments:
        old: a policy, compiled for the domain.
        new: another one.
        domain: what they are about.
        bounds: how far to look.
        clock: tells the time in seconds.
        actions: the only ones to compare; all of them if none is named.
        tell: is told now and then how far it is, from 0 to 1.

    Raises:
        PolicyError: when the policies' own statements do not bear out what was found.
    """
    keys = [key for key in find_keys(domain) if not actions or key[1] in actions]
    contrasts = [Contrast.of(key, old, new) for key in keys]
    different = [each for each in contrasts if any(each.parts)]
    trial = Trial(domain, (old, new))
    try:
        search = _Search(domain, bounds, clock, trial)
        difference = search.run(different, tell)
    finally:
        trial.close()
    same, left_out = len(keys) - len(different), tuple(search.left_out)
    return Verdict(difference, len(keys), same, search.stores, search.asked, left_out)


@dataclass(frozen=True)
class _Candidate:
    """A difference, and what speaks against telling it: the less, the better.

    Arguments:
        cost: whether it is one of reasons only, how many entities it takes, and how many values
            that are not plain.
        difference: what was found.
    """

    cost: tuple[bool, int, int]
    difference: Difference


class _Search:
    """Goes through the stores of questions.

    Arguments:
        domain, bounds, clock: as above.
        trial: asks both policies.

    Attributes:
        left_out, stores, asked: as of a verdict.
    """

    def __init__(
        self, domain: Domain, bounds: Bounds, clock: Callable[[], float], trial: Trial
    ) -> None:
        self._domain = domain
        self._bounds = bounds
        self._clock = clock
        self._deadline = clock() + bounds.seconds
        self._trial = trial
        self._best: _Candidate | None = None
        self.left_out: list[Key] = []
        self.stores = self.asked = 0

    def run(
        self, contrasts: Sequence[Contrast], tell: Callable[[float], None]
    ) -> Difference | None:
        """Find the smallest difference of some questions."""
        for entities in range(1, self._bounds.entities + 1):
            # stores with fewer entities are among those with more
            self.stores = self.asked = 0
            for number, contrast in enumerate(contrasts):
                tell((entities - 1 + number / len(contrasts)) / self._bounds.entities)
                try:
                    self._look_at(contrast, entities)
                except _OutOfBoundsError:
                    self.left_out.append(contrast.key)
            is_decided = self._best is not None and not self._best.cost[0]
            if is_decided or self.left_out:
                break
        tell(1)
        return self._best.difference if self._best else None

    def _look_at(self, contrast: Contrast, entities: int) -> None:
        """Look for a difference in a question, among stores of one size."""
        part = next((each for each in contrast.parts if self._is_different(each, entities)), None)
        if part is None:
            return
        whole = self._find_scopes(contrast, entities)
        if sum(each.size for each in whole) > _MOST_WORLDS:
            whole = self._find_scopes(part, entities)
            contrast = part
        self._find_smallest(contrast, whole)

    def _find_scopes(self, contrast: Contrast, entities: int) -> list[Scope]:
        return list(find_scopes(Cone(contrast.clauses, contrast.key, self._domain), entities))

    def _is_different(self, part: Contrast, entities: int) -> bool:
        for scope in self._find_scopes(part, entities):
            if scope.size > self._bounds.stores:
                raise _OutOfBoundsError
            asked = 0
            for block in Shape(scope).blocks():
                self._check_time()
                if any(part.find_worlds(block, scope)):
                    return True
                asked += block.stores.bit_count()
            self.asked += asked
            self.stores += asked // scope.questions
        return False

    def _find_smallest(self, contrast: Contrast, scopes: Iterable[Scope]) -> None:
        for scope in scopes:
            for block in Shape(scope).blocks():
                self._check_time()
                decisions, reasons = contrast.find_worlds(block, scope)
                self._offer(contrast, scope, block, decisions, of_reasons=False)
                self._offer(contrast, scope, block, reasons, of_reasons=True)

    def _offer(
        self, contrast: Contrast, scope: Scope, block: Block, worlds: int, *, of_reasons: bool
    ) -> None:
        """Take the smallest of some worlds, if it is the best so far and a database takes it."""
        if self._best and self._best.cost[0] < of_reasons:
            return
        is_alike = self._best and self._best.cost[0] == of_reasons
        most = self._best.cost[1] if self._best and is_alike else None
        for size, bit in sort_worlds(worlds, block, most):
            self._check_time()
            cost = of_reasons, *size
            if self._best and self._best.cost <= cost:
                return
            difference = self._try(build_witness(scope, contrast.key[1], block.read(bit)))
            if difference:
                self._best = _Candidate(cost, difference)
                return

    def _try(self, witness: Witness | None) -> Difference | None:
        """Ask both policies; None where there is no such store."""
        answers = self._trial.ask(witness) if witness else None
        if not witness or not answers:
            return None
        old, new = answers
        if old == new:
            asked = witness.request
            message = f"found a difference that the database does not see; please report {asked}"
            raise PolicyError.at("the search", "search_disagrees", message)
        return Difference(witness, old, new)

    def _check_time(self) -> None:
        if self._clock() > self._deadline:
            raise _OutOfBoundsError


class _OutOfBoundsError(Exception):
    """There is more to look at than there may be."""
