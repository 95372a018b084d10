"""What can go wrong, as data: a closed hierarchy; each fault has a code, a sentence and a place."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EXIT_DENY: Final = 1
EXIT_ERROR: Final = 2

_LONGEST_WORD: Final = 100
_MOST_COMPARED: Final = 200
_MOST_LISTED: Final = 20


@dataclass(frozen=True, order=True)
class Place:
    """Where a fault is: a file with its line and column, or a name such as `subject.id`.

    Arguments:
        name: the file, the member of a request, the setting, or the address.
        line: counted from 1; 0 when lines mean nothing here.
        column: counted from 1; 0 when unknown.
    """

    name: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Write the place as editors and compilers do: `file:line:column`."""
        numbers = [str(number) for number in (self.line, self.column) if number]
        return ":".join([self.name, *numbers])


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong.

    Arguments:
        where: the place, so that faults sort by it.
        code: a stable word for programs.
        message: one lower-case sentence: what is wrong and what to do, user input in backticks.
        excerpt: the lines at the place, for people; empty where that shows nothing.
    """

    where: Place
    code: str
    message: str
    excerpt: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        """Write the fault on one line, the place first."""
        return f"{self.where}: {self.message} [{self.code}]"


class AuthzError(Exception):
    """Something that this service refuses, as one fault or several in the order of their places.

    Subclasses say what kind of input was at fault; `http_status` is what a web client is told, and
    `details` what programs are told besides.
    """

    http_status: ClassVar[int] = 500

    def __init__(self, faults: Iterable[Fault], details: Mapping[str, Any] | None = None) -> None:
        self.faults = tuple(sorted(set(faults)))
        self.details = details or {}
        super().__init__("\n".join(str(fault) for fault in self.faults))

    @classmethod
    def at(cls, place: Place | str, code: str, message: str) -> Self:
        """Build the error for a single fault."""
        where = place if isinstance(place, Place) else Place(place)
        return cls([Fault(where, code, message)])


class SettingError(AuthzError):
    """A setting that cannot be used."""


class PolicyError(AuthzError):
    """A policy that cannot be loaded, or that refers to what does not exist."""


class RefusedPoliciesError(PolicyError):
    """Policies that may not serve, though they could."""

    http_status = 422


class StoreError(AuthzError):
    """A database that cannot be used."""

    http_status = 503


class StoreConflictError(StoreError):
    """A transaction that the database broke off for the sake of another one; it can be repeated."""


class FixtureError(AuthzError):
    """Entities that cannot be loaded."""


class ScenarioError(AuthzError):
    """A scenario file that cannot be run."""


class DocumentError(AuthzError):
    """A YAML file that cannot be read."""


class ApiKeyError(AuthzError):
    """An API key that cannot be made or found."""


class DeliveryError(AuthzError):
    """A message that could not be delivered."""


class ChannelError(DeliveryError):
    """A channel that delivers nothing at the moment, whatever the message."""


class EvaluationTimeoutError(AuthzError):
    """A question that took longer than the time limit."""


class SearchTimeoutError(AuthzError):
    """A search that took longer than its time limit; nothing of it is answered."""

    http_status = 503


class RequestError(AuthzError):
    """A request that is not of the agreed form."""

    http_status = 400


class LogError(AuthzError):
    """A decision log that is not there, or not as it was written."""


class NotFoundError(AuthzError):
    """Something that is asked for and not there."""

    http_status = 404


class ConflictError(AuthzError):
    """A request that does not fit what is stored."""

    http_status = 409


class RevisionError(RequestError):
    """A question that may not be answered from a state as old as the store's."""

    http_status = 409


class HistoryError(RequestError):
    """A question about a moment to which the store cannot go back."""

    http_status = 409


class PreconditionError(AuthzError):
    """A write that was asked for on a condition which does not hold."""

    http_status = 412


class RefusedEntitiesError(AuthzError):
    """Entities of which some cannot be written, so that none is."""

    http_status = 422


class RequestTooLargeError(RequestError):
    """A request that is larger than the limit."""

    http_status = 413


class RequestConflictError(RequestError):
    """A request that does not fit what was asked, or written, before."""

    http_status = 409


class UnauthorizedError(AuthzError):
    """A request without a live API key."""

    http_status = 401


class ForbiddenError(AuthzError):
    """A request whose API key is not for this."""

    http_status = 403


class UnavailableError(AuthzError):
    """A request that cannot be answered just now, whatever it is."""

    http_status = 503


def quote(word: str) -> str:
    """Put somebody's word in backticks, cut when it is long."""
    return f"`{word}`" if len(word) <= _LONGEST_WORD else f"`{word[:_LONGEST_WORD]}…`"


def suggest(word: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant, or which there are: the end of a message."""
    options = sorted(known)
    # with very many, comparing takes long and listing helps nobody
    few = options if len(options) <= _MOST_COMPARED else []
    close = difflib.get_close_matches(word[:_LONGEST_WORD], few, n=1)
    if close:
        return f"; did you mean {quote(close[0])}?"
    if not options:
        return ""
    more = f" and {len(options) - _MOST_LISTED} more" if len(options) > _MOST_LISTED else ""
    return "; there is " + ", ".join(map(quote, options[:_MOST_LISTED])) + more


def with_article(noun: str) -> str:
    """Put `a` or `an` before a noun, as far as its first letters tell."""
    start = noun[:2].lower()
    return f"an {noun}" if start[:1] in set("aeio") or start == "un" else f"a {noun}"
