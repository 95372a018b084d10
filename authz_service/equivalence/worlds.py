"""Many small stores at once: a set of them is a number, with a bit for each.

A *world* is a store with a question: one option of each choice of a scope. Worlds are counted like
numbers whose digits are the options, so that "the role is `user`" is a pattern of bits that
repeats, and all worlds are looked at with `&` and `|`, hundreds in a step of the processor. Where
there are more than lie well in memory, the last digits are taken one after the other.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING, Any, Final

from authz_service.equivalence.small_stores import Item, Link
from authz_service.policy.clauses import HERE, ID, ITEM, THERE
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from authz_service.equivalence.small_stores import About, Being, Choice, Scope, Taken
    from authz_service.store.uniqueness import Uniqueness

# What still lies near the processor: 64 KiB.
_MOST_AT_ONCE: Final = 2**19

# The worlds, as bits, in which something has each of its values.
Split = list[tuple[Any, int]]
# What the columns of a row hold.
Columns = dict[str, Split]


class Shape:
    """How the choices of a scope are laid out in bits, smaller ones first.

    Arguments:
        scope: which.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        order = sorted(scope.choices, key=lambda each: len(each.options))
        self._inner: list[tuple[Choice, int]] = []
        self.width = 1
        for choice in order:
            if self.width * len(choice.options) > _MOST_AT_ONCE:
                break
            self._inner.append((choice, self.width))
            self.width *= len(choice.options)
        self._outer = order[len(self._inner) :]
        self.full = (1 << self.width) - 1
        self._patterns = {
            choice.about: [self._repeat(each, step, choice) for each in range(len(choice.options))]
            for choice, step in self._inner
        }

    def blocks(self) -> Iterator[Block]:
        """Go through all worlds, block by block."""
        for numbers in product(*(range(len(each.options)) for each in self._outer)):
            masks, taken = dict(self._patterns), {}
            for choice, number in zip(self._outer, numbers, strict=True):
                taken[choice.about] = choice.options[number]
                masks[choice.about] = [0] * len(choice.options)
                masks[choice.about][number] = self.full
            yield Block(self, masks, taken)

    def read(self, bit: int) -> Taken:
        """Read which options are taken in a world of a block, as far as the bit says."""
        return {
            choice.about: choice.options[bit // step % len(choice.options)]
            for choice, step in self._inner
        }

    def _repeat(self, number: int, step: int, choice: Choice) -> int:
        pattern, length = ((1 << step) - 1) << (number * step), step * len(choice.options)
        while length < self.width:
            pattern |= pattern << length
            length *= 2
        return pattern & self.full


class Block:
    """Worlds that are looked at together.

    Arguments:
        shape: of the scope.
        masks: the worlds in which each option of each choice is taken, by what the choice is about.
        taken: the options that are taken in all of them.

    Attributes:
        full: all worlds.
        rows: the entities of each type, with the worlds in which each is there.
        links: the pairs of many-to-many attributes, in the same way.
        items: those of the lists that come with the question, in the same way.
        givens: what else comes with it.
        stores: the worlds whose store is one that there can be.
        oddities: for each thing that is not as plain as it can be, the worlds in which it is so.
    """

    def __init__(self, shape: Shape, masks: Mapping[About, Sequence[int]], taken: Taken) -> None:
        self._shape = shape
        self._scope = shape.scope
        self._masks = masks
        self._taken = taken
        self.full = shape.full
        self._there: dict[Reference, int] = {}
        self._columns: dict[Reference, Columns] = {}
        self.rows: dict[str, list[tuple[Columns, int]]] = {}
        self.links: dict[tuple[str, str], list[tuple[Columns, int]]] = {}
        self.items: dict[str, list[tuple[Columns, int]]] = {}
        self.givens: dict[str, Split] = {}
        self.oddities: list[int] = []
        for each in self._scope.choices:
            self._read(each)
        for kind, beings in self._scope.beings.items():
            self.rows[kind] = [self._read_row(each) for each in beings]
        self._referring = self._find_referring()
        self.stores = self._find_stores()

    def read(self, bit: int) -> Taken:
        """Read which options are taken in one of the worlds."""
        return {**self._taken, **self._shape.read(bit)}

    def find_entities(self) -> Iterator[int]:
        """Find for each entity that need not be there, in which worlds it is."""
        for reference, there in self._there.items():
            if reference in {self._scope.subject, self._scope.resource}:
                continue
            if reference.type in self._scope.cone.sight.walked:
                yield there
            else:  # it is there as far as another one needs it
                yield any_of(self._referring.get(reference, ()))

    def _read(self, choice: Choice) -> None:
        """Read what a choice is about into the columns of a row, or into the question."""
        about, masks = choice.about, self._masks[choice.about]
        match about:
            case Reference():
                self._read_options(about, choice.options, masks)
            case Link():
                pair = {HERE: [(about.here.id, self.full)], THERE: [(about.there.id, self.full)]}
                self.links.setdefault(about.field, []).append((pair, masks[1]))
                self.oddities.append(masks[1])
            case Item():
                item = {ITEM: [(about.value, self.full)]}
                self.items.setdefault(about.given, []).append((item, masks[1]))
                self.oddities.append(masks[1])
            case _:
                split = zip(choice.options, masks, strict=True)
                self.givens[about] = [(value, mask) for value, mask in split if mask]
                self.oddities.append(self.full ^ masks[0])

    def _read_options(
        self, reference: Reference, options: Sequence[Any], masks: Sequence[int]
    ) -> None:
        plainest = options[0] or options[1]
        found: dict[str, dict[Any, int]] = {name: {} for name in plainest}
        there = 0
        for option, mask in zip(options, masks, strict=True):
            if not mask or option is None:
                continue
            there |= mask
            for name, value in option.items():
                found[name][value] = found[name].get(value, 0) | mask
        self._there[reference] = there
        self._columns[reference] = {name: list(each.items()) for name, each in found.items()}
        for name, value in plainest.items():
            self.oddities.append(there & ~found[name].get(value, 0))

    def _read_row(self, being: Being) -> tuple[Columns, int]:
        columns = self._columns.setdefault(being.reference, {})
        columns[ID] = [(being.reference.id, self.full)]
        columns |= {name: [(value, self.full)] for name, value in being.key.items()}
        return columns, self._there.setdefault(being.reference, self.full)

    def _find_referring(self) -> dict[Reference, list[int]]:
        """Find for each entity in which worlds each of the others refers to it."""
        found: dict[Reference, list[int]] = {}
        for source, target, mask in self._find_references():
            if source != target:
                found.setdefault(target, []).append(mask)
        return found

    def _find_references(self) -> Iterator[tuple[Reference, Reference, int]]:
        for reference, columns in self._columns.items():
            for name, kind in self._scope.cone.references[reference.type].items():
                for value, mask in columns.get(name, ()):
                    if value is not None:
                        yield reference, Reference(kind, value), mask & self._there[reference]
        for about, options in self._masks.items():
            if isinstance(about, Link):
                yield about.here, about.there, options[1]

    def _find_stores(self) -> int:
        found = self.full
        for reference, masks in self._referring.items():
            found &= self._there[reference] | ~any_of(masks)
        for about, options in self._masks.items():
            if isinstance(about, Link):
                found &= self._there[about.here] | ~options[1]
        for first, second in self._scope.alike:
            found &= self._are_in_order(first, second)
        for promise in self._scope.cone.promises:
            found &= ~self._find_broken(promise)
        return found & ~self._find_loops() if self._scope.cone.loops else found

    def _are_in_order(self, first: Reference, second: Reference) -> int:
        """Find the worlds in which there is no more to the second of two entities."""
        found = at_least = 0
        both = zip(reversed(self._masks[first]), reversed(self._masks[second]), strict=True)
        for mine, yours in both:
            at_least |= mine
            found |= at_least & yours
        return found

    def _find_broken(self, promise: Uniqueness) -> int:
        kind = promise.kind
        rows = [
            (columns, there & self._find_counting(promise, kind, columns))
            for columns, there in self.rows[kind]
        ]
        broken = 0
        for (first, there), (second, too) in combinations(rows, 2):
            same = there & too
            for path in promise.columns:
                if not same:
                    break
                mine, yours = self._follow(kind, first, path), self._follow(kind, second, path)
                same &= any_of(
                    mask & other
                    for value, mask in mine
                    for another, other in yours
                    if value == another and value is not None
                )
            broken |= same
        return broken

    def _find_counting(self, promise: Uniqueness, kind: str, columns: Columns) -> int:
        """Find the worlds in which a promise is about a row."""
        splits = [self._follow(kind, columns, path) for path in promise.conditions]
        found = 0
        for parts in product(*splits):
            if promise.counts([value for value, _ in parts]):
                mask = self.full
                for _, each in parts:
                    mask &= each
                found |= mask
        return found

    def _follow(self, kind: str, columns: Columns, path: str) -> Split:
        """Find what a path from a row leads to."""
        head, _, rest = path.partition(".")
        if not rest:
            return columns[head]
        target = self._scope.cone.references[kind][head]
        found: dict[Any, int] = {}
        for entity_id, mask in columns[head]:
            if entity_id is None:
                continue
            for value, other in self._follow(
                target, self._columns[Reference(target, entity_id)], rest
            ):
                found[value] = found.get(value, 0) | mask & other
        return list(found.items())

    def _find_loops(self) -> int:
        """Find the worlds in which entities refer to themselves by way of others."""
        leads: dict[tuple[Reference, Reference], int] = {}
        for source, target, mask in self._find_references():
            if source != target and {source.type, target.type} <= self._scope.cone.loops:
                leads[source, target] = leads.get((source, target), 0) | mask
        nodes = dict.fromkeys(each for pair in leads for each in pair)
        for middle, start, end in product(nodes, repeat=3):
            way = leads.get((start, middle), 0) & leads.get((middle, end), 0)
            if way:
                leads[start, end] = leads.get((start, end), 0) | way
        return any_of(mask for (start, end), mask in leads.items() if start == end)


def sort_worlds(
    worlds: int, block: Block, most: int | None = None
) -> Iterator[tuple[tuple[int, int], int]]:
    """Go through worlds of a block, those with the fewest entities first, then the plainest.

    Arguments:
        worlds: which.
        block: of which they are.
        most: how many entities there may be; None for any number.

    Returns:
        how many entities there are, how much is not plain, and the bit of the world.
    """
    while worlds:
        entities, fewest = find_fewest(worlds, block.find_entities(), most)
        oddities, plainest = find_fewest(fewest, block.oddities)
        if not plainest:
            return
        first = plainest & -plainest
        yield (entities, oddities), first.bit_length() - 1
        worlds ^= first


def find_fewest(worlds: int, sets: Iterable[int], most: int | None = None) -> tuple[int, int]:
    """Find the worlds that are in the fewest of some sets, and in how many they are.

    Arguments:
        worlds: from which; if there are none left, none are found.
        sets: of worlds.
        most: in how many of them they may be; None for any number.
    """
    levels = [worlds]
    for each in sets:
        inside = [level & each for level in levels]
        outside = [level ^ part for level, part in zip(levels, inside, strict=True)]
        levels = [same | more for same, more in zip([*outside, 0], [0, *inside], strict=True)]
        if most is not None:
            del levels[most + 1 :]
    return next(((number, level) for number, level in enumerate(levels) if level), (0, 0))


def any_of(masks: Iterable[int]) -> int:
    """Find the worlds that are in any of some sets."""
    found = 0
    for each in masks:
        found |= each
    return found
