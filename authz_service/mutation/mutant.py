"""Mutants: policies with one thing changed in them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from authz_service.errors import Place
from authz_service.mutation.operators import OPERATORS, find_edits
from authz_service.mutation.words import Words
from authz_service.policy.source import PolicyFile, read_statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz_service.mutation.operators import Edit
    from authz_service.polar.schema import Schema
    from authz_service.polar.text import Source
    from authz_service.policy.source import PolicySet

_COMMENT: Final = re.compile(r'("(?:[^"\\]|\\.)*")|#[^\r\n]*')
# What had better not be in the name of a file.
_UNFIT: Final = re.compile(r"[^\w.-]+")
_WIDEST: Final = 100


@dataclass(frozen=True)
class Mutant:
    """Policies with one thing changed in them.

    Arguments:
        name: tells it from all others, in words that a file can be called by.
        operator: what kind of change it is.
        rule: the name of the rule that is changed, or the type of the block.
        place: where.
        before: what stands there, in one line; empty for what is added.
        after: what stands there then; empty for what is dropped.
        file: the one that is changed, with its new text.
    """

    name: str
    operator: str
    rule: str
    place: Place
    before: str
    after: str
    file: PolicyFile

    @property
    def change(self) -> str:
        """The change in one line."""
        if not self.before:
            return f"with {self.after}"
        return f"{self.before} -> {self.after}" if self.after else f"without {self.before}"

    def __str__(self) -> str:
        """Write where it is, and what is changed there."""
        return f"{self.place}: {self.rule}: {self.operator} {self.change}"


def find_mutants(
    policies: PolicySet, schema: Schema, operators: Iterable[str] = OPERATORS
) -> Iterator[Mutant]:
    """Find all mutants of some policies, in the order of the text.

    Arguments:
        policies: which; all of them can be read.
        schema: the vocabulary.
        operators: what kinds of changes.
    """
    statements, _ = read_statements(policies)
    words = Words(statements, schema)
    named = Counter[str]()
    for file, source, reading in zip(
        policies.files, policies.sources, policies.readings, strict=True
    ):
        stem = _UNFIT.sub("-", PurePath(file.name).stem)
        for statement in reading.statements:
            for operator in operators:
                for rule, edit in find_edits(statement, operator, source, words):
                    name = f"{stem}-{edit.place.line}-{operator}"
                    named[name] += 1
                    yield Mutant(
                        name=f"{name}-{named[name]}",
                        operator=operator,
                        rule=rule,
                        place=Place(edit.place.file, edit.place.line, edit.place.column),
                        before=_put_in_a_line(edit.before),
                        after=_put_in_a_line(edit.after),
                        file=PolicyFile(file.name, _apply(edit, source)),
                    )


def _apply(edit: Edit, source: Source) -> str:
    """Change a text, so that what stands below stays in its line."""
    part = source.find(edit.span)
    lost = source.text[part].count("\n") - edit.text.count("\n")
    rest = "\n" * lost + source.text[part.stop :]
    return f"{source.text[: part.start]}{edit.text}{rest}"


def _put_in_a_line(text: str) -> str:
    """Put a piece of a policy in one line, without comments, cut when it is long."""
    bare = _COMMENT.sub(lambda found: found[1] or " ", text)
    line = " ".join("".join(each if each.isprintable() else " " for each in bare).split())
    return line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…"
