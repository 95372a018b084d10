"""Tells what a run of `authz test` did not test, as it is wanted, and suggests what lacks."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authz_service.cli.output import create_file, open_output
from authz_service.coverage.assessment import assess
from authz_service.coverage.cobertura import write_cobertura
from authz_service.coverage.examiner import Examiner
from authz_service.coverage.lcov import write_lcov
from authz_service.coverage.page import write_page
from authz_service.coverage.record import write_record
from authz_service.coverage.suggestions import Suggester
from authz_service.coverage.text import write_lack, write_text
from authz_service.errors import FixtureError
from authz_service.scenario.fixtures import FixtureStores
from authz_service.scenario.inquiry import Inquiry
from authz_service.scenario.result import Status, name_items
from authz_service.scenario.step import Step
from authz_service.scenario.suite import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from authz_service.cli.coverage_options import WantedCoverage
    from authz_service.coverage.assessment import Coverage
    from authz_service.coverage.suggestions import Suggested
    from authz_service.scenario.result import Run
    from authz_service.scenario.runner import Runner
    from authz_service.scenario.suite import Plan
    from authz_service.settings import Settings

_WRITERS: Final[dict[str, Callable[[Coverage], Iterable[str]]]] = {
    "cobertura": lambda coverage: write_cobertura(coverage, datetime.now(UTC)),
    "html": write_page,
    "json": write_record,
    "lcov": write_lcov,
    "text": write_text,
}
# How long it is looked for what could be shown besides.
_SECONDS: Final = 20.0


class CoverageWatch:
    """Watches a run, and tells afterwards what it did not test.

    Arguments:
        wanted: what is told.
        runner: of the run, which has not begun.
        settings: of it.

    Attributes:
        is_enough: whether as much is tested as is wanted; known afterwards.
    """

    def __init__(self, wanted: WantedCoverage, runner: Runner, settings: Settings) -> None:
        self._wanted = wanted
        self._domain = runner.domain
        self._settings = settings
        self._examiner = Examiner(runner.compiled, runner.domain)
        runner.observe(self._examiner.observe)
        self.is_enough = True

    def finish(self, plan: Plan, run: Run, print_line: Callable[[str], object]) -> None:
        """Tell what was not tested.

        Arguments:
            plan: what was run.
            run: what came of it.
            print_line: prints what goes to the terminal.

        Raises:
            AuthzError: when a file cannot be written.
        """
        self._examiner.settle(_find_items(plan, run))
        coverage = assess(self._examiner, self._domain, time.monotonic, _SECONDS)
        wanted = self._wanted
        for kind, file in wanted.files.items():
            lines = _WRITERS[kind](coverage)
            if file:
                with open_output(file) as output:
                    output.writelines(f"{each}\n".encode("utf-8", "replace") for each in lines)
            else:
                for line in ("", *lines):
                    print_line(line)
        if wanted.suggests:
            self._suggest(plan, coverage, print_line)
        if wanted.least is not None and coverage.percent < wanted.least:
            self.is_enough = False
            print_line(write_lack(coverage, wanted.least))

    def _suggest(self, plan: Plan, coverage: Coverage, print_line: Callable[[str], object]) -> None:
        suggester = Suggester(self._examiner, self._domain, coverage)
        stores = FixtureStores(self._domain)
        suggested: list[Suggested] = []
        for name in dict.fromkeys(each.scenario.fixture for each in plan if isinstance(each, Task)):
            with suppress(FixtureError):  # of which the run has told
                store = stores.build(self._settings.fixtures / f"{name}.yaml")
                suggested += suggester.suggest_in(name, store)
                store.close()
        suggested += suggester.suggest_stores()
        for each in suggested:
            path = Path(each.folder, f"{each.name}.yaml")
            if self._wanted.folder:
                create_file(self._wanted.folder / path, each.text)
            else:
                for line in ("", f"# {path.as_posix()}", *each.text.splitlines()):
                    print_line(line)
        if not suggested:
            print_line("nothing to suggest: all that can be is tested")


def _find_items(plan: Plan, run: Run) -> Iterator[Inquiry | Step]:
    """Find what was asked and done, in the order in which it was."""
    items = {
        (str(task.scenario.path), name): item
        for task in plan
        if isinstance(task, Task)
        for name, item in zip(name_items(task.scenario), task.scenario.items, strict=True)
    }
    for result in run.scenarios:
        for each in result.items:
            item = items[result.path, each.name]
            if each.status is not Status.SKIPPED and isinstance(item, Inquiry | Step):
                yield item
