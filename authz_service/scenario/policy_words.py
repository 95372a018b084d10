"""What scenarios say of policies: rules by their names, and the reasons that policies can give.

A rule is called `bills.polar:12`, by any line of its text and with or without the folder, or by
the name with which others call it, as `administers`; that stands for all rules of the name.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from authz_service.errors import quote, suggest
from authz_service.polar.blocks import expand_blocks
from authz_service.policy.clauses import Step
from authz_service.policy.origin import Origins
from authz_service.policy.reasons import MISHAPS, NOT_PERMITTED
from authz_service.policy.source import read_statements

if TYPE_CHECKING:
    from authz_service.policy.compiled import CompiledEngine
    from authz_service.policy.source import PolicySet


# No file has so many lines that it takes more digits.
_LONGEST: Final = 9


class PolicyWords:
    """Finds what words stand for in the policies of an engine; looks at them once it is asked.

    Arguments:
        engine: whose.
    """

    def __init__(self, engine: CompiledEngine) -> None:
        self._engine = engine

    @cached_property
    def rules(self) -> Rules:
        """The rules."""
        return Rules(self._engine.policies)

    @cached_property
    def reasons(self) -> frozenset[str]:
        """The codes of all reasons that can be given."""
        questions = (self._engine.get_question(*key) for key in self._engine.keys)
        own = {code for each in questions for code in each.forbid}
        return frozenset({*own, *MISHAPS, NOT_PERMITTED})


class Rules:
    """Finds rules by their names.

    Arguments:
        policies: whose.
    """

    def __init__(self, policies: PolicySet) -> None:
        origins = Origins(policies.sources)
        statements, _ = read_statements(policies)
        self._places: dict[str, set[str]] = {}
        self._lines: dict[str, dict[int, str]] = {}
        for rule in expand_blocks(statements):
            text = origins.get(Step(rule.name, rule.span))
            self._places.setdefault(rule.name, set()).add(text.place)
            lines = self._lines.setdefault(PurePath(rule.span.file).name, {})
            for number in range(text.text.count("\n") + 1):
                lines[rule.span.line + number] = text.place

    def find(self, written: str) -> frozenset[str]:
        """Find the places, as explanations give them, of the rules that a name stands for."""
        file, line = _split(written)
        place = self._lines.get(file, {}).get(line)
        return frozenset({place} if place else self._places.get(written, ()))

    def describe_unknown(self, written: str) -> str:
        """Say that a name stands for no rule, and what may have been meant."""
        file, line = _split(written)
        lines = self._lines.get(file)
        if lines and line:
            nearest = lines[min(lines, key=lambda each: abs(each - line))]
            near = PurePath(nearest).name
            return f"there is no rule at {quote(written)}; did you mean {quote(near)}?"
        known = {*self._places, *(f"{name}:{min(each)}" for name, each in self._lines.items())}
        return f"{quote(written)} is no rule of the policies{suggest(written, known)}"


def _split(written: str) -> tuple[str, int]:
    """Find the name of the file, without its folder, and the line; 0 where there is none."""
    file, _, line = written.rpartition(":")
    is_line = line.isascii() and line.isdecimal() and len(line) <= _LONGEST
    return PurePath(file).name, int(line) if is_line else 0
