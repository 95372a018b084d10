"""What a message says on an occasion: data that a domain brings, a text in each language."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template as Pattern
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Wording:
    """A message in one language; `$name` stands for a field.

    Arguments:
        text: what it says.
        subject: of an e-mail, on one line; a text message has none.
    """

    text: str
    subject: str = ""

    @property
    def fields(self) -> frozenset[str]:
        """The fields that it uses."""
        patterns = Pattern(self.subject), Pattern(self.text)
        return frozenset(name for each in patterns for name in each.get_identifiers())


@dataclass(frozen=True)
class Template:
    """A message in all its languages.

    Arguments:
        fields: those that it may use, and that must be given.
        wordings: by language; the first is for people whose language it lacks.
    """

    fields: frozenset[str]
    wordings: Mapping[str, Wording]
