"""The grid as tables, one for each type of resource: actions down, subjects across."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from authz_service.coverage.relations import NO_RELATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz_service.coverage.assessment import CellCoverage, Coverage


@dataclass(frozen=True)
class GridTable:
    """The cells of one type of resource.

    Arguments:
        resource: the type.
        columns: subjects, each by type and relation.
        rows: for each action its channels, in order.
        cells: by column, action and channel.
    """

    resource: str
    columns: tuple[tuple[str, str], ...]
    rows: Mapping[str, tuple[str, ...]]
    cells: Mapping[tuple[tuple[str, str], str, str], CellCoverage]

    def name_column(self, column: tuple[str, str]) -> str:
        """Name a column: by the relation, by the type where there is no relation, or by both."""
        subject, relation = column
        counts = Counter(each for each, _ in self.columns)
        if relation == NO_RELATION and counts[subject] == 1:
            return subject
        related = [each for each, count in counts.items() if count > 1]
        return relation if related == [subject] else f"{subject}: {relation}"

    def find_cells(self, column: tuple[str, str], action: str) -> Iterator[CellCoverage]:
        """Find the cells of a subject and an action, a channel each."""
        for channel in self.rows[action]:
            found = self.cells.get((column, action, channel))
            if found:
                yield found


def find_tables(coverage: Coverage) -> Iterator[GridTable]:
    """Find the tables of the grid, in the order of the types."""
    by_type: dict[str, list[CellCoverage]] = {}
    for each in coverage.cells:
        by_type.setdefault(each.cell.resource, []).append(each)
    for resource, cells in by_type.items():
        columns: dict[tuple[str, str], None] = {}
        rows: dict[str, dict[str, None]] = {}
        for each in cells:
            columns[each.cell.subject, each.cell.relation] = None
            rows.setdefault(each.cell.action, {})[each.cell.channel] = None
        yield GridTable(
            resource,
            tuple(columns),
            {action: tuple(channels) for action, channels in rows.items()},
            {
                ((each.cell.subject, each.cell.relation), each.cell.action, each.cell.channel): each
                for each in cells
            },
        )
