"""Coverage as LCOV's tracefile, which editors show beside the lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz_service.coverage.lines import find_lines, make_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.coverage.assessment import Coverage, FileCoverage


def write_lcov(coverage: Coverage) -> Iterator[str]:
    """Write coverage as lines: rules are functions, what conditions can show are branches."""
    for file in coverage.files:
        if file.rules:
            yield from _write_file(file)


def _write_file(file: FileCoverage) -> Iterator[str]:
    yield "TN:"
    yield f"SF:{make_plain(file.source.name)}"
    for rule in file.rules:
        yield f"FN:{rule.span.line},{rule.name}:{rule.span.line}"
    for rule in file.rules:
        yield f"FNDA:{rule.decided.count},{rule.name}:{rule.span.line}"
    yield f"FNF:{len(file.rules)}"
    yield f"FNH:{sum(bool(rule.decided.count) for rule in file.rules)}"
    lines = find_lines(file)
    for line in lines:
        for number, count in enumerate(line.branches):
            yield f"BRDA:{line.number},0,{number},{count if line.hits else '-'}"
    yield f"BRF:{sum(len(line.branches) for line in lines)}"
    yield f"BRH:{sum(line.taken for line in lines)}"
    for line in lines:
        yield f"DA:{line.number},{line.hits}"
    yield f"LF:{len(lines)}"
    yield f"LH:{sum(bool(line.hits) for line in lines)}"
    yield "end_of_record"
