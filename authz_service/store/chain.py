"""The chain of a decision log: what makes a changed, removed or reordered entry show.

A segment begins with an opening digest, which is made of that of the segment before. Each line goes
into one running SHA-256 after the other, so the digest behind a line depends on all before it. A
block keeps four bytes of the digest behind each of its entries, by which the first bad one is
found, and the whole digest behind its last. When a segment is closed, a closing digest is made of
the last one and of how many entries there are and how many may be missing; it is kept when the
entries are dropped.

Who can write the database can make a chain anew, to its end; so note the newest closing digest
somewhere else.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECK_SIZE: Final = 4


class Links(NamedTuple):
    """What a chain came to over the lines of a block.

    Arguments:
        checks: four bytes for each entry, one after the other.
        digest: behind the last.
    """

    checks: bytes
    digest: bytes


def open_chain(before: bytes, number: int, writer: int, opened: str) -> bytes:
    """Begin the chain of a segment.

    Arguments:
        before: the opening digest of the segment before; empty for the first.
        number: of the segment.
        writer: which process writes it.
        opened: when, as the database has it.
    """
    return hashlib.sha256(b"%b open %d %d %b" % (before, number, writer, opened.encode())).digest()


def follow_chain(before: bytes, about: bytes, lines: Sequence[bytes]) -> Links:
    """Go on with a chain over a block.

    Arguments:
        before: the digest behind the block before, or that with which the segment was opened.
        about: what all entries of the block have in common.
        lines: the entries.
    """
    running = hashlib.sha256(before)
    running.update(about)
    update, digest = running.update, running.digest
    checks = []
    for line in lines:
        update(line)
        checks.append(digest()[:CHECK_SIZE])
    return Links(b"".join(checks), digest())


def close_chain(before: bytes, entries: int, missing: int, closed: str) -> bytes:
    """End the chain of a segment.

    Arguments:
        before: the digest behind its last block, or that with which it was opened.
        entries: how many it has.
        missing: how many may be missing behind them.
        closed: when, as the database has it.
    """
    return hashlib.sha256(
        b"%b close %d %d %b" % (before, entries, missing, closed.encode())
    ).digest()
