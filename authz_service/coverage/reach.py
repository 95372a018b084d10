"""Whether what no scenario has shown could be shown at all, in any small store.

A condition that the others imply never fails alone, and what is always forbidden is never seen to
be permitted. No test can show that, so it does not count against a suite. It is looked for in all
small stores, as when policies are compared: those with one entity of each type, then with two. What
is found is the smallest such store with its question.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

from authz_service.equivalence.cone import Cone
from authz_service.equivalence.small_stores import find_scopes
from authz_service.equivalence.truth import Truth
from authz_service.equivalence.witness import build_witness
from authz_service.equivalence.worlds import Shape, sort_worlds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from authz_service.equivalence.small_stores import Scope
    from authz_service.equivalence.witness import Witness
    from authz_service.equivalence.worlds import Block
    from authz_service.policy.clauses import Clause
    from authz_service.policy.plan import Key
    from authz_service.store.domain import Domain

T = TypeVar("T")
_MOST_ENTITIES: Final = 2
# How many stores with their questions of one scope are gone through.
_MOST_WORLDS: Final = 2**25


class OutOfReachError(Exception):
    """There are more stores than can be gone through."""


class Reach:
    """Searches small stores.

    Arguments:
        domain: what the stores hold.
        clock: tells the time in seconds.
        seconds: how long all searches together may take.
    """

    def __init__(self, domain: Domain, clock: Callable[[], float], seconds: float) -> None:
        self._domain = domain
        self._clock = clock
        self._deadline = clock() + seconds

    def search(
        self,
        key: Key,
        clauses: Sequence[Clause],
        find: Callable[[Callable[[Clause], int]], Mapping[T, int]],
        wanted: Collection[T],
    ) -> Iterator[tuple[T, Witness]]:
        """Find for each of several things the smallest store and a question that shows it.

        Arguments:
            key: the kind of question.
            clauses: all that is looked at.
            find: finds in which worlds each thing is shown, by what finds where a clause holds.
            wanted: the things; those that are not given back are shown in no small store.

        Raises:
            OutOfReachError: when there are too many stores, or the time is up.
        """
        left = set(wanted)
        cone = Cone(clauses, key, self._domain)
        for entities in range(1, _MOST_ENTITIES + 1):
            best: dict[T, tuple[tuple[int, int], Witness]] = {}
            for scope in find_scopes(cone, entities):
                for block in self._go_through(scope):
                    shown = find(_build_truth(block, scope))
                    for each in left & shown.keys():
                        known = best.get(each)
                        found = _find_smallest(
                            scope, block, key[1], shown[each], known[0] if known else None
                        )
                        best.update({each: found} if found else {})
            for each, (_, witness) in best.items():
                yield each, witness
            left -= best.keys()
            if not left:
                return

    def _go_through(self, scope: Scope) -> Iterator[Block]:
        if scope.size > _MOST_WORLDS:
            raise OutOfReachError
        for block in Shape(scope).blocks():
            if self._clock() > self._deadline:
                raise OutOfReachError
            yield block


def _build_truth(block: Block, scope: Scope) -> Callable[[Clause], int]:
    truth = Truth(block, scope.subject, scope.resource)
    return cache(lambda clause: truth.any([clause]))


def _find_smallest(
    scope: Scope, block: Block, action: str, shown: int, known: tuple[int, int] | None
) -> tuple[tuple[int, int], Witness] | None:
    """Find the smallest of some worlds, if it is smaller than one that is known."""
    for size, bit in sort_worlds(shown & block.stores, block, known[0] if known else None):
        if known and known <= size:
            return None
        witness = build_witness(scope, action, block.read(bit))
        if witness:
            return size, witness
    return None
