"""What a clause asks for, in words that wait for the names of its rows; found once a clause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.policy.clauses import ID, find_columns
from authz_service.policy.words import describe_condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authz_service.policy.clauses import Clause, Condition

# Stands around the name of a row, and in no text of a policy.
_MARK: Final = "\0"


class Phrases:
    """The conditions of a clause in words, and the attributes that they look at.

    Arguments:
        clause: which one.

    Attributes:
        looked_at: by the name of a row, the attributes that are looked at, ids left out.
    """

    def __init__(self, clause: Clause) -> None:
        self._conditions = [_split(each) for each in clause.conditions]
        looked_at: dict[str, set[str]] = {source.alias.name: set() for source in clause.sources}
        for condition in clause.conditions:
            for column in find_columns(condition):
                looked_at.setdefault(column.alias.name, set()).add(column.name)
        own = {each.alias.name for each in clause.sources}
        self.looked_at = {
            name: tuple(sorted(attributes - {ID}))
            for name, attributes in looked_at.items()
            if name in own or attributes - {ID}
        }

    def write(self, position: int, names: Mapping[str, str]) -> str:
        """Write a condition.

        Arguments:
            position: of the condition in its clause, from 0.
            names: how rows are called, by their names in the clause.
        """
        parts = self._conditions[position]
        return "".join(
            names.get(part, part) if number % 2 else part for number, part in enumerate(parts)
        )


def _split(condition: Condition) -> tuple[str, ...]:
    """Write a condition in parts, every other of which is the name of a row."""
    lines = describe_condition(condition, lambda name: f"{_MARK}{name}{_MARK}")
    first, *rest = (line.strip() for line in lines)
    return tuple((f"{first} {'; '.join(rest)}" if rest else first).split(_MARK))
