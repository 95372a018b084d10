"""Values in one line, so that YAML reads the same."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, Final

# What YAML takes for text without quotes, wherever it stands.
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_/-]*(?: [A-Za-z0-9_/-]+)*", re.ASCII)
_WORDS_OF_YAML: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def write_value(value: Any) -> str:
    """Write a value in one line, so that YAML reads the same."""
    match value:
        case dict():
            entries = (f"{write_value(name)}: {write_value(each)}" for name, each in value.items())
            return f"{{{', '.join(entries)}}}"
        case list() | tuple():
            return f"[{', '.join(map(write_value, value))}]"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case str() if _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML:
            return value
        case str():
            return f'"{"".join(map(_escape, value))}"'
        case _:
            return json.dumps(value)


def _escape(character: str) -> str:
    if character in {'"', "\\"}:
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
