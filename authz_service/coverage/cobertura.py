"""Coverage as Cobertura's XML, which build servers show."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

from authz_service.coverage.lines import find_lines, make_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from authz_service.coverage.assessment import Coverage, FileCoverage
    from authz_service.coverage.lines import Line

_TYPE: Final = '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">'
_VERSION: Final = "1"


def write_cobertura(coverage: Coverage, now: datetime) -> Iterator[str]:
    """Write coverage as lines; a file of policies is a class of the package that is its folder.

    Arguments:
        coverage: what was seen.
        now: when.
    """
    folders: dict[str, list[tuple[FileCoverage, list[Line]]]] = {}
    for file in coverage.files:
        if file.rules:
            folder = str(PurePath(file.source.name).parent)
            folders.setdefault(folder, []).append((file, find_lines(file)))
    lines = [line for files in folders.values() for _, found in files for line in found]
    counts = {
        "lines-covered": sum(bool(each.hits) for each in lines),
        "lines-valid": len(lines),
        "branches-covered": sum(each.taken for each in lines),
        "branches-valid": sum(len(each.branches) for each in lines),
        "complexity": 0,
        "version": _VERSION,
        "timestamp": int(now.timestamp() * 1000),
    }
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield _TYPE
    yield f"<coverage{_write(_find_rates(lines) | counts)}>"
    yield "<sources><source>.</source></sources>"
    yield "<packages>"
    for folder, files in folders.items():
        yield from _write_package(folder, files)
    yield "</packages>"
    yield "</coverage>"


def _write_package(folder: str, files: Sequence[tuple[FileCoverage, list[Line]]]) -> Iterator[str]:
    rates = _find_rates([line for _, lines in files for line in lines])
    yield f"<package{_write({'name': folder} | rates | {'complexity': 0})}><classes>"
    for file, lines in files:
        path = file.source.name
        about = {"name": PurePath(path).stem, "filename": path}
        yield f"<class{_write(about | _find_rates(lines) | {'complexity': 0})}><methods/><lines>"
        for line in lines:
            yield _write_line(line)
        yield "</lines></class>"
    yield "</classes></package>"


def _write_line(line: Line) -> str:
    about: dict[str, object] = {"number": line.number, "hits": line.hits}
    if not line.branches:
        return f"<line{_write(about | {'branch': 'false'})}/>"
    count = len(line.branches)
    covered = f"{100 * line.taken // count}% ({line.taken}/{count})"
    conditions = "".join(
        f"<condition{_write({'number': number, 'type': 'jump', 'coverage': _say(taken)})}/>"
        for number, taken in enumerate(line.branches)
    )
    opening = f"<line{_write(about | {'branch': 'true', 'condition-coverage': covered})}>"
    return f"{opening}<conditions>{conditions}</conditions></line>"


def _say(taken: int) -> str:
    return "100%" if taken else "0%"


def _find_rates(lines: Iterable[Line]) -> dict[str, object]:
    lines = list(lines)
    branches = sum(len(each.branches) for each in lines)
    return {
        "line-rate": _divide(sum(bool(each.hits) for each in lines), len(lines)),
        "branch-rate": _divide(sum(each.taken for each in lines), branches),
    }


def _divide(part: int, whole: int) -> str:
    return f"{part / whole if whole else 1:.4f}"


def _write(attributes: dict[str, object]) -> str:
    return "".join(
        f" {name}={quoteattr(make_plain(str(each)))}" for name, each in attributes.items()
    )
