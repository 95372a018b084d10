"""Values that fit what is demanded of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from authz_service.polar.schema import DATETIME, INTEGER
from authz_service.policy.situation import NOT_IN

if TYPE_CHECKING:
    from authz_service.policy.situation import Demand

_OTHER: Final = "~"
_SMALLEST: Final = timedelta(microseconds=1)
_MOST: Final = 2**63 - 1


def find_fitting(kind: str, demand: Demand) -> tuple[Any, ...]:
    """Find values that fit: all that are named, or one of those that are in an order.

    Arguments:
        kind: the type of the value.
        demand: what it has to be, as the database has it.

    Returns:
        none where there is nothing beyond what it has to be beyond.
    """
    if demand.operator == "=":
        return demand.values
    if demand.operator == NOT_IN:
        return (_find_other(kind, demand.values),)
    [value] = demand.values
    if demand.operator in {"<=", ">="}:
        return (value,)
    beyond = _step(kind, value, 1 if demand.operator == ">" else -1)
    return () if beyond is None else (beyond,)


def _find_other(kind: str, values: tuple[Any, ...]) -> Any:
    if kind == INTEGER:
        return next(each for each in range(len(values) + 1) if each not in values)
    if kind == DATETIME:
        return _step(kind, max(values), 1)
    return max(values) + _OTHER


def _step(kind: str, value: Any, direction: int) -> Any:
    if kind == INTEGER:
        return value + direction if abs(value + direction) <= _MOST else None
    if kind == DATETIME:
        try:
            moved = datetime.fromisoformat(value) + direction * _SMALLEST
        except OverflowError:
            return None
        return moved.isoformat(timespec="microseconds")
    if direction > 0:
        return value + _OTHER
    return "" if value else None
