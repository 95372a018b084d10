"""What of a request the decision log does not have: dropped, or replaced by a pseudonym.

A pseudonym is a keyed hash (HMAC-SHA256), so the same id is the same pseudonym, and nobody finds
the id again without the key. What was redacted stands in the entry.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from authz_service.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from authz_service.decision.entry import Row
    from authz_service.polar.schema import Schema
    from authz_service.store.entity import Reference

DROPPED: Final = "dropped"
HASHED: Final = "hashed"

_ALL: Final = "*"
_PSEUDONYM: Final = "hmac-sha256:"
# Half of the hash: nobody meets a pseudonym twice by chance.
_DIGITS: Final = 32


@dataclass(frozen=True)
class Redaction:
    """Redacts requests.

    Arguments:
        dropped: the paths of what is left out, such as `context.ip`.
        hashed: the paths of what is replaced by a pseudonym; what is dropped as well is dropped.
        key: of the pseudonyms.
        parameters: the names that are said about an action; all other names that are given are
            said in the context.
    """

    dropped: frozenset[str]
    hashed: frozenset[str]
    key: bytes = field(repr=False)
    parameters: frozenset[str]

    def apply(self, row: Row) -> Row:
        """Redact a decision before it is written, and note what was done to which path."""
        *before, subject, action, resource, given, supplied, finding = row
        done: dict[str, str] = {}
        return (
            *before,
            self._redact_id(subject, "subject.id", done),
            action,
            self._redact_id(resource, "resource.id", done),
            self._redact_all(given, self._place_given, done),
            self._redact_all(supplied, _place_supplied, done) if supplied else None,
            finding,
            done,
        )

    def hash(self, value: Any) -> str:
        """Find the pseudonym of a value."""
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        data = text.encode("utf-8", "surrogatepass")
        return _PSEUDONYM + hmac.digest(self.key, data, hashlib.sha256).hex()[:_DIGITS]

    def _redact_id(self, reference: Reference, path: str, done: dict[str, str]) -> Reference:
        found = self._redact(reference.id, path, done)
        return reference if found == reference.id else replace(reference, id=found or "")

    def _redact_all(
        self, values: Mapping[str, Any], place: Callable[[str], str], done: dict[str, str]
    ) -> dict[str, Any]:
        # nothing is there to be hidden where nothing was said
        return {
            name: value if value in (None, []) else self._redact(value, place(name), done)
            for name, value in values.items()
        }

    def _redact(self, value: Any, path: str, done: dict[str, str]) -> Any:
        everything = path.rpartition(".")[0] + f".{_ALL}"
        if path in self.dropped or everything in self.dropped:
            done[path] = DROPPED
            return None
        if path in self.hashed or everything in self.hashed:
            done[path] = HASHED
            return self.hash(value)
        return value

    def _place_given(self, name: str) -> str:
        return f"action.properties.{name}" if name in self.parameters else f"context.{name}"


def _place_supplied(name: str) -> str:
    part, _, attribute = name.partition(".")
    return f"{part}.properties.{attribute}"


def build_redaction(
    dropped: Collection[str], hashed: Collection[str], key: str, schema: Schema
) -> Redaction | None:
    """Build what redacts; None where nothing is to be.

    Arguments:
        dropped: paths of what is left out.
        hashed: paths of what is replaced by a pseudonym.
        key: of the pseudonyms; empty for none.
        schema: the vocabulary.

    Raises:
        SettingError: when there is no key for pseudonyms.
    """
    if hashed and not key:
        message = "pseudonyms need a key, or the ids are found by trying; set `AUTHZ_LOG_KEY`"
        raise SettingError.at("log_hash", "no_log_key", message)
    if not dropped and not hashed:
        return None
    parameters = frozenset(schema.parameters)
    return Redaction(frozenset(dropped), frozenset(hashed), key.encode(), parameters)
