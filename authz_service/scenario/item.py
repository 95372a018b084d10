"""What a scenario is made of, and what comes of it: what every kind of question or step can tell.

A kind of its own needs a class for each of both, a reading (`building`) and a putting (`session`);
whoever runs, picks, counts or reports them needs nothing new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from authz_service.errors import Place


class Item(Protocol):
    """Something that is asked or done; written as text, it is one line."""

    @property
    def place(self) -> Place:
        """Where the file has it."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Words by which it is picked, those of its scenario included."""

    @property
    def skip(self) -> str:
        """Why it is not put; empty for one that is."""


class ItemOutcome(Protocol):
    """What came of an item, held against what was expected."""

    @property
    def item(self) -> Item:
        """What it came of."""

    @property
    def passed(self) -> bool:
        """Whether it is what was expected."""

    @property
    def expected(self) -> str:
        """What was expected, in words; a line or several."""

    @property
    def given(self) -> str:
        """What came, in words; a line or several."""

    @property
    def command(self) -> str:
        """Asks or does just that again."""

    @property
    def steps(self) -> int:
        """How many steps were taken before, which the command does not take."""
