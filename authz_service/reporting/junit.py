"""A run as JUnit's XML, which most build servers read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from authz_service.scenario.failure import describe_failure
from authz_service.scenario.result import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.scenario.result import ItemResult, Run, ScenarioResult

# What no document of XML can hold, not even as a reference.
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(run: Run) -> Iterator[str]:
    """Write a run as a document, line by line: a suite a scenario, a case a question or step."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    counts = _write_counts(*_add_up(run.scenarios), run.seconds)
    yield f"<testsuites{_write(name='authz test')}{counts}>"
    for each in run.scenarios:
        yield from _write_suite(each)
    yield "</testsuites>"


def _add_up(scenarios: tuple[ScenarioResult, ...]) -> tuple[int, int, int, int]:
    """Count cases, failures, errors and what is skipped; a scenario that is not run is a case."""
    broken = sum(bool(each.faults) for each in scenarios)
    failed, errors, skipped = (
        sum(each.count(status) for each in scenarios)
        for status in (Status.FAILED, Status.ERROR, Status.SKIPPED)
    )
    return sum(len(each.items) for each in scenarios) + broken, failed, errors + broken, skipped


def _write_counts(tests: int, failures: int, errors: int, skipped: int, seconds: float) -> str:
    return _write(
        tests=tests, failures=failures, errors=errors, skipped=skipped, time=f"{seconds:.3f}"
    )


def _write_suite(result: ScenarioResult) -> Iterator[str]:
    name = f"{result.path}: {result.title}" if result.title else result.path
    counts = _write_counts(*_add_up((result,)), result.seconds)
    yield f"<testsuite{_write(name=name)}{counts}>"
    if result.faults:
        yield _write_broken(result)
    for each in result.items:
        yield from _write_case(result, each)
    yield "</testsuite>"


def _write_broken(result: ScenarioResult) -> str:
    first = result.faults[0]
    attributes = _write(
        classname=result.path,
        name=result.path,
        file=first.where.name,
        line=first.where.line or 1,
        time="0.000",
    )
    told = _clean("\n".join(str(each) for each in result.faults))
    error = f"<error{_write(message=first.message, type=first.code)}>{told}</error>"
    return f"<testcase{attributes}>{error}</testcase>"


def _write_case(result: ScenarioResult, item: ItemResult) -> Iterator[str]:
    attributes = _write(
        classname=result.path,
        name=item.name,
        file=item.place.name,
        line=item.place.line,
        time=f"{item.seconds:.3f}",
    )
    told = _clean("\n".join(describe_failure(item)))
    match item.status:
        case Status.PASSED:
            yield f"<testcase{attributes}/>"
            return
        case Status.SKIPPED:
            inner = f"<skipped{_write(message=item.message)}/>"
        case Status.FAILED:
            message = f"expected {item.expected}, came {item.given}"
            inner = f"<failure{_write(message=message, type=item.kind)}>{told}</failure>"
        case Status.ERROR:
            inner = f"<error{_write(message=item.message, type=item.kind)}>{told}</error>"
    yield f"<testcase{attributes}>{inner}</testcase>"


def _write(**attributes: object) -> str:
    return "".join(f" {name}={quoteattr(_drop(str(each)))}" for name, each in attributes.items())


def _clean(text: str) -> str:
    return escape(_drop(text))


def _drop(text: str) -> str:
    """Show what XML cannot hold as a replacement character."""
    return _NO_XML.sub("\ufffd", text)
