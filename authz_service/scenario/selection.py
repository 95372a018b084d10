"""Which questions and steps of scenarios are put, and in which order."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from authz_service.errors import ScenarioError, quote, suggest
from authz_service.scenario.result import name_items
from authz_service.scenario.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

    from authz_service.scenario.case import Scenario
    from authz_service.scenario.failed import Failed

_NOT: Final = "not:"


@dataclass(frozen=True)
class Selection:
    """What is picked of scenarios.

    Arguments:
        only: patterns, as of file names; a path, the name of a file with or without its ending, a
            title or a question fits one of them. None pick everything.
        tags: words, one of which a question has; with `not:` before it, one that it does not have.
        failed: what failed before; None picks what did not as well.
    """

    only: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    failed: Failed | None = None

    def pick(self, scenario: Scenario) -> list[int]:
        """Pick items of a scenario: their places in it, from 0, in the order of the file."""
        path = scenario.path
        is_whole = any(map(self._fits, (str(path), path.name, path.stem, scenario.title)))
        return [
            position
            for position, (item, name) in enumerate(
                zip(scenario.items, name_items(scenario), strict=True)
            )
            if (is_whole or self._fits(name))
            and self._is_tagged(item.tags)
            and (self.failed is None or self.failed.has(scenario.path, name))
        ]

    def refuse_nothing(self, scenarios: Iterable[Scenario]) -> None:
        """Refuse patterns and tags that pick nothing of some scenarios.

        Raises:
            ScenarioError: always; with the nearest names.
        """
        scenarios = list(scenarios)
        for pattern in self.only:
            if not any(Selection((pattern,)).pick(each) for each in scenarios):
                nearest = suggest(pattern.strip("*"), _find_names(scenarios))
                message = f"no path, title or question is like {quote(pattern)}{nearest}"
                raise ScenarioError.at("--only", "nothing_picked", message)
        known = {tag for each in scenarios for item in each.items for tag in item.tags}
        for tag in self.tags:
            if not tag.startswith(_NOT) and tag not in known:
                message = f"nothing has the tag {quote(tag)}{suggest(tag, known)}"
                raise ScenarioError.at("--tag", "nothing_picked", message)
        option = "--only" if self.only else "--tag"
        message = "no question fits all that was said; leave something out"
        raise ScenarioError.at(option, "nothing_picked", message)

    def _fits(self, text: str) -> bool:
        return not self.only or any(fnmatchcase(text, each) for each in self.only)

    def _is_tagged(self, tags: Sequence[str]) -> bool:
        wanted = [each for each in self.tags if not each.startswith(_NOT)]
        unwanted = [each.removeprefix(_NOT) for each in self.tags if each.startswith(_NOT)]
        return (not wanted or any(each in tags for each in wanted)) and not any(
            each in tags for each in unwanted
        )


def shuffle(scenario: Scenario, positions: Iterable[int], random: Random) -> list[int]:
    """Shuffle what is put between one step and the next; what begins anew stays together.

    Arguments:
        scenario: of which the items are.
        positions: their places in it, in the order of the file.
        random: draws the order.
    """
    steps = [isinstance(each, Step) for each in scenario.items]
    steps_before = list(itertools.accumulate(steps, initial=0))
    shuffled: list[int] = []
    for (_, _, is_step), group in itertools.groupby(
        positions,
        key=lambda each: (bisect_right(scenario.starts, each), steps_before[each], steps[each]),
    ):
        stretch = list(group)
        if not is_step:
            random.shuffle(stretch)
        shuffled += stretch
    return shuffled


def _find_names(scenarios: Iterable[Scenario]) -> set[str]:
    """Find what a pattern may have meant; the questions by their parts, for there are many."""
    names: set[str] = set()
    for each in scenarios:
        names |= {str(each.path), each.path.name, each.path.stem, each.title}
        for item in each.items:
            names |= set(str(item).split())
    return names
