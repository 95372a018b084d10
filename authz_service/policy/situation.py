"""What is known of a question while it is explained: its rows, what was said, and what is supposed.

Conditions whose rows are all known are decided here, as the database would: text by text, and null
like nothing, not even like null unless that is asked for.
"""

from __future__ import annotations

import operator
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from authz_service.policy.clauses import (
    Column,
    Comparison,
    Given,
    IsNull,
    Literal,
    OneOf,
)
from authz_service.policy.condition import NOW_SLOT
from authz_service.policy.symbols import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from authz_service.policy.clauses import Operand
    from authz_service.policy.probe import Found

# What tells a row from others: its type and id, or the two ends of a link.
Key = tuple[str, ...]

NOT_IN: Final = "not in"

# What ids of new entities begin with: no database has such an id.
NO_ID: Final = "\uffff"

_NOTHING: Final[MappingProxyType[Any, Any]] = MappingProxyType({})

_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def is_entity(key: Key) -> bool:
    """Tell whether a row is an entity, and no link and no item of a list."""
    kind, *rest = key
    return bool(kind) and len(rest) == 1


class Demand(NamedTuple):
    """What a value would have to be.

    A named tuple, for many are made and compared for one explanation.

    Arguments:
        operator: `=` for one of the values, `not in` for any other, or an order.
        values: of which an order has one; as the database has them.
    """

    operator: str
    values: tuple[Any, ...]


class Situation(NamedTuple):
    """What is known, what is supposed, and which rows the names of a clause stand for.

    A named tuple, for many are made for one explanation.

    Arguments:
        said: what came with the question, by the slots of statements.
        bound: for which row a name stands.
        rows: by what tells them apart; their values as they are supposed to be.
        stored: the same, as they are.
        demands: what is supposed of rows that are there, and of new ones.
        added: rows that are supposed to be there.
        gone: rows that are supposed not to be there.
        asked: what is supposed to have been said otherwise.
    """

    said: Mapping[str, Any]
    bound: Mapping[str, Key] = _NOTHING
    rows: Mapping[Key, Mapping[str, Any]] = _NOTHING
    stored: Mapping[Key, Mapping[str, Any]] = _NOTHING
    demands: Mapping[Key, Mapping[str, Demand]] = _NOTHING
    added: tuple[Key, ...] = ()
    gone: tuple[Key, ...] = ()
    asked: Mapping[str, Demand] = _NOTHING

    @property
    def is_supposed(self) -> bool:
        """Whether rows are supposed to be otherwise."""
        return bool(self.demands or self.added or self.gone)

    def bind(self, found: Iterable[Found]) -> Situation:
        """Let names stand for rows that were found; what was supposed of them stays."""
        bound, rows, stored = {**self.bound}, {**self.rows}, {**self.stored}
        for each in found:
            bound[each.alias] = key = each.key
            if key not in rows:
                rows[key] = stored[key] = each.values
        # `_replace` takes longer, and this is done most
        known = self.said, bound, rows, stored
        return Situation(*known, self.demands, self.added, self.gone, self.asked)

    def add(
        self, alias: str, key: Key, values: Mapping[str, Any], demands: Mapping[str, Demand]
    ) -> Situation:
        """Suppose a row more, for which a name stands.

        Arguments:
            alias: the name.
            key: tells the row from others.
            values: of the row.
            demands: what of them is demanded.
        """
        return self._replace(
            bound={**self.bound, alias: key},
            rows={**self.rows, key: values},
            demands={**self.demands, key: demands},
            added=(*self.added, key),
        )

    def remove(self, key: Key) -> Situation:
        """Suppose a row less."""
        return self._replace(gone=(*self.gone, key))

    def demand(self, operand: Column | Given, demand: Demand, value: Any) -> Situation:
        """Suppose a value to be otherwise.

        Arguments:
            operand: where it stands.
            demand: what it would have to be.
            value: one that it could be then.
        """
        if isinstance(operand, Given):
            said = {**self.said, operand.name: value}
            return self._replace(said=said, asked={**self.asked, operand.name: demand})
        key = self.bound[operand.alias.name]
        demands = {**self.demands.get(key, {}), operand.name: demand}
        row = {**self.rows[key], operand.name: value}
        return self._replace(rows={**self.rows, key: row}, demands={**self.demands, key: demands})

    def is_fixed(self, operand: Column | Given) -> bool:
        """Tell whether it is supposed already what a value is."""
        if isinstance(operand, Given):
            return operand.name in self.asked
        return operand.name in self.demands.get(self.bound[operand.alias.name], {})

    def read(self, slot: str) -> Any:
        """Find what a statement binds: what was said, or a value of a row with a name."""
        value = self.said.get(slot)
        if value is not None or "." not in slot:
            return value
        alias, _, name = slot.partition(".")
        return self.rows[self.bound[alias]].get(name) if alias in self.bound else None

    def find_value(self, operand: Operand) -> Any:
        """Find what stands somewhere, as the database has it."""
        match operand:
            case Column():
                alias, name = operand.alias.name, operand.name
                said = self.said.get(f"{alias}.{name}") if operand.supplied else None
                return said if said is not None else self.rows[self.bound[alias]].get(name)
            case Literal():
                return operand.value
            case Given():
                return self.said.get(NOW_SLOT if operand == NOW else operand.name)

    def fulfils(self, condition: Comparison | IsNull | OneOf) -> bool:
        """Tell whether a condition holds; all rows that it is about have to be known."""
        match condition:
            case IsNull(operand, negated):
                return (self.find_value(operand) is None) != negated
            case OneOf(operand, values):
                value = self.find_value(operand)
                return value is not None and any(value == each.value for each in values)
            case Comparison(word, left, right):
                first, second = self.find_value(left), self.find_value(right)
                if word == "same":
                    return bool(first == second)
                if first is None or second is None:
                    return False
                return bool(first == second if word == "=" else _ORDERS[word](first, second))
