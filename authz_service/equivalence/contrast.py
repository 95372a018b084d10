"""A question by two policies, and the worlds in which they answer it differently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from authz_service.equivalence.truth import Truth
from authz_service.policy.plan import Question

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz_service.equivalence.small_stores import Scope
    from authz_service.equivalence.worlds import Block
    from authz_service.policy.clauses import Clause
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.plan import Key


@dataclass(frozen=True)
class Contrast:
    """A question, or a part of it, by two policies.

    Arguments:
        key: which question.
        old, new: what either policy comes to.
    """

    key: Key
    old: Question
    new: Question

    @classmethod
    def of(cls, key: Key, old: CompiledEngine, new: CompiledEngine) -> Self:
        """Put a question of the domain by both policies side by side."""
        return cls(key, old.get_question(*key), new.get_question(*key))

    @property
    def clauses(self) -> Iterator[Clause]:
        """All that is looked at."""
        for each in (self.old, self.new):
            for clauses in (each.allow or (), each.permit, *each.forbid.values()):
                yield from clauses

    @property
    def parts(self) -> Iterator[Contrast]:
        """The parts that are not the same; the answers differ where one of the parts does.

        That is so where a question is allowed when it is permitted and not forbidden; any other is
        one part.
        """
        if self.old.allow is not None or self.new.allow is not None:
            if self.old != self.new:
                yield self
            return
        if not _are_same(self.old.permit, self.new.permit):
            old, new = (Question(None, each.permit, {}) for each in (self.old, self.new))
            yield Contrast(self.key, old, new)
        for code in sorted({*self.old.forbid, *self.new.forbid}):
            mine, yours = (each.forbid.get(code, ()) for each in (self.old, self.new))
            if not _are_same(mine, yours):
                old, new = (Question(None, (), {code: each}) for each in (mine, yours))
                yield Contrast(self.key, old, new)

    def find_worlds(self, block: Block, scope: Scope) -> tuple[int, int]:
        """Find the worlds in which the decisions differ, and those in which any reason does."""
        truth = Truth(block, scope.subject, scope.resource)
        allowed, reasons = truth.answer(self.old)
        allowed_now, reasons_now = truth.answer(self.new)
        different = 0
        for code in {**reasons, **reasons_now}:
            different |= reasons.get(code, 0) ^ reasons_now.get(code, 0)
        return (allowed ^ allowed_now) & block.stores, different & block.stores


def _are_same(old: Sequence[Clause], new: Sequence[Clause]) -> bool:
    """Tell whether clauses are the same, whatever their order, and that of their conditions."""
    first, second = (
        {(each.sources, frozenset(each.conditions)) for each in clauses} for clauses in (old, new)
    )
    return first == second
