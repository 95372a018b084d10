"""Reading the decision log: the entries that somebody looks for, in the order of the log.

The order is that in which entries were written. Several processes write blocks of a tenth of a
second, so it is that of the time but for about as much.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from authz_service.decision.entry import encode, read_lines, unpack
from authz_service.errors import LogError, RequestError
from authz_service.store.journal import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from authz_service.decision.entry import Entry
    from authz_service.decision.redaction import Redaction
    from authz_service.store.entity import Reference
    from authz_service.store.journal import Block, Journal

_CURSOR: Final = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})", re.ASCII)
_ESCAPE: Final = b"\\u"
_BLOCKS: Final = 50
# So many blocks are looked through for one page, and no more, whatever is found.
_BLOCKS_A_PAGE: Final = 200


@dataclass(frozen=True)
class Wanted:
    """Which entries are looked for; what is None may be anything.

    Arguments:
        who: the subject.
        on: the resource.
        action: its name.
        since: of this time, or later.
        until: from before this time.
        allowed: whether it was allowed.
        reason: a code that stands against it.
        client: the name of the API key; empty for those without one.
        redaction: knows the pseudonyms under which ids may stand.
    """

    who: Reference | None = None
    on: Reference | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    allowed: bool | None = None
    reason: str | None = None
    client: str | None = None
    redaction: Redaction | None = None

    def find_texts(self) -> list[list[bytes]]:
        """Find what must stand in a block for there to be an entry; one of each list."""
        ids = [each for each in (self._who_ids, self._on_ids) if each]
        words = [[each] for each in (self.action, self.reason, self.client) if each]
        return [[encode(each) for each in names] for names in (*ids, *words)]

    def is_met_by(self, entry: Entry) -> bool:
        """Tell whether an entry is looked for."""
        decided = entry.decided
        return (
            (self.action is None or decided.action == self.action)
            and (self.who is None or decided.subject.type == self.who.type)
            and (self.who is None or decided.subject.id in self._who_ids)
            and (self.on is None or decided.resource.type == self.on.type)
            and (self.on is None or decided.resource.id in self._on_ids)
            and (self.since is None or decided.at >= self.since)
            and (self.until is None or decided.at < self.until)
            and (self.allowed is None or entry.allowed is self.allowed)
            and (self.reason is None or self.reason in decided.finding.reasons)
            and (self.client is None or decided.client == self.client)
        )

    @cached_property
    def _who_ids(self) -> list[str]:
        return self._find_ids(self.who)

    @cached_property
    def _on_ids(self) -> list[str]:
        return self._find_ids(self.on)

    def _find_ids(self, wanted: Reference | None) -> list[str]:
        if wanted is None:
            return []
        pseudonyms = [self.redaction.hash(wanted.id)] if self.redaction else []
        return [wanted.id, *pseudonyms]


EVERYTHING: Final = Wanted()


class Cursor(NamedTuple):
    """Where a page ends.

    Arguments:
        block: the id of the block.
        entries: how many of its entries were looked at.
    """

    block: int = 0
    entries: int = 0

    def __str__(self) -> str:
        """Write it for whoever goes on."""
        return f"{self.block}.{self.entries}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read it.

        Raises:
            RequestError: when it is none.
        """
        found = _CURSOR.fullmatch(text)
        if not found:
            message = "`after` must be what a page gave as where to go on"
            raise RequestError.at("after", "invalid_request", message)
        return cls(int(found[1]), int(found[2]))


def read_entries(
    journal: Journal, wanted: Wanted = EVERYTHING, *, newest_first: bool = False
) -> Iterator[Entry]:
    """Go through the entries that are looked for.

    Arguments:
        journal: the log.
        wanted: which.
        newest_first: the last that was written first.

    Raises:
        LogError: when entries cannot be read.
    """
    texts = wanted.find_texts()
    span = Span(since=wanted.since, until=wanted.until, newest_first=newest_first)
    while blocks := journal.find_blocks(span, _BLOCKS):
        for block in blocks:
            found = _read(block, texts)
            ordered: Iterable[Entry] = reversed(list(found)) if newest_first else found
            yield from filter(wanted.is_met_by, ordered)
        end = blocks[-1].id
        span = span._replace(before=end) if newest_first else span._replace(after=end)


def read_page(
    journal: Journal, wanted: Wanted, after: Cursor, limit: int
) -> tuple[list[Entry], Cursor]:
    """Read a page of the entries that are looked for, and where it ends.

    A page may have fewer entries than the limit, or none, and not be the last: only so much is
    looked through for one. It is the last when it ends where it began.

    Raises:
        LogError: when entries cannot be read.
    """
    texts = wanted.find_texts()
    span = Span(after=after.block - 1, since=wanted.since, until=wanted.until)
    found: list[Entry] = []
    for block in journal.find_blocks(span, _BLOCKS_A_PAGE):
        seen = after.entries if block.id == after.block else 0
        for entry in list(_read(block, texts))[seen:]:
            if len(found) == limit:
                return found, after
            after = Cursor(block.id, entry.number - block.first + 1)
            if wanted.is_met_by(entry):
                found.append(entry)
        after = Cursor(block.id, block.entries)
    return found, after


def _read(block: Block, texts: list[list[bytes]]) -> Iterator[Entry]:
    """Read a block, unless what must stand in it does not."""
    try:
        text = unpack(block.data)
        # what is escaped is not looked for in the text
        if _ESCAPE in text or all(any(each in text for each in names) for names in texts):
            header, _, lines = text.partition(b"\n")
            yield from read_lines(block.segment, block.first, header, lines)
    except ValueError as error:
        message = (
            f"entries {block.segment}-{block.first} to"
            f" {block.segment}-{block.first + block.entries - 1} cannot be read ({error});"
            " `authz log verify` tells what is wrong"
        )
        raise LogError.at("the decision log", "unreadable_entries", message) from None
