"""Rules as auditors read them: the place, the text, and what the comment above it says first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz_service.polar.text import Source
    from authz_service.policy.clauses import Step

# What is quoted is not cut in the middle.
_SENTENCE: Final = re.compile(r'(?:"[^"]*"|[^"])+?(?:(?<=[.!?])|(?<=[.!?]"))(?=\s|$)')


# A rule goes to its semicolon; one in a text or in a comment is none.
_RULE: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|#[^\n]*|[^;"#])*;', re.DOTALL)


@dataclass(frozen=True)
class RuleText:
    """A rule.

    Arguments:
        name: of the rule, as `permit`.
        place: file and line.
        text: as it is written.
        comment: the first sentence of the comment right above it; empty without one.
    """

    name: str
    place: str
    text: str
    comment: str


class Origins:
    """Finds the texts of rules.

    Arguments:
        sources: the files of the policy set.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = {each.name: each for each in sources}
        self._known: dict[Step, RuleText] = {}

    def get(self, step: Step) -> RuleText:
        """Get the text of a rule that a clause came by."""
        found = self._known.get(step)
        if found is None:
            found = self._known[step] = self._read(step)
        return found

    def _read(self, step: Step) -> RuleText:
        span = step.span
        lines = self._sources[span.file].lines
        found = _RULE.match("\n".join(lines[span.line - 1 :]), span.column - 1)
        text = found.group() if found else lines[span.line - 1]
        above = " ".join(reversed(list(_find_comment(lines[: span.line - 1]))))
        sentence = _SENTENCE.match(above)
        return RuleText(
            step.name, f"{span.file}:{span.line}", text, sentence.group() if sentence else above
        )


def _find_comment(lines: Sequence[str]) -> Iterator[str]:
    """Find the lines of the comment that ends with some lines, the last one first."""
    for line in reversed(lines):
        stripped = line.strip()
        if not stripped.startswith("#"):
            return
        yield stripped.lstrip("#").strip()
