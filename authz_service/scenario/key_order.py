"""In which order the keys of a scenario stand: that of the schema for editors."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_SCHEMA: Final = "scenario.schema.json"
_BRANCHES: Final = ("then", "else")
_UNIONS: Final = ("allOf", "anyOf", "oneOf")


class KeyOrder:
    """Brings the keys of a scenario into the order in which the schema describes them."""

    def __init__(self) -> None:
        text = files("authz_service.scenario").joinpath(_SCHEMA).read_text("utf-8")
        self._schema: dict[str, Any] = json.loads(text)

    def is_scenario(self, names: Sequence[str]) -> bool:
        """Tell whether a file with some keys at the top is a scenario, and no fixture."""
        return not set(names).isdisjoint(self._schema["required"])

    def choose(
        self, names: Sequence[str]
    ) -> Callable[[Sequence[str | int], Sequence[str]], Sequence[str]]:
        """Find how keys are sorted in a file with some keys at the top: those of a fixture stay."""
        return self.sort if self.is_scenario(names) else lambda _path, same: same

    def sort(self, path: Sequence[str | int], names: Sequence[str]) -> list[str]:
        """Sort the keys of a mapping; those that the schema does not name come last, as they are.

        Arguments:
            path: leads to the mapping, by keys and positions.
            names: the keys.
        """
        schemas = [self._schema]
        for step in path:
            schemas = [
                below
                for schema in schemas
                for each in self._expand(schema)
                for below in _follow(each, step)
            ]
        described = [
            list(each["properties"])
            for schema in schemas
            for each in self._expand(schema)
            if "properties" in each
        ]
        # of a case and a step, the one that it is has the most keys in common
        known = max(described, key=lambda each: len(set(each) & set(names)), default=[])
        return sorted(names, key=lambda name: known.index(name) if name in known else len(known))

    def _expand(self, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Find everything that a schema may demand of a value."""
        yield schema
        if "$ref" in schema:
            yield from self._expand(self._schema["$defs"][schema["$ref"].rpartition("/")[2]])
        for branch in _BRANCHES:
            if branch in schema:
                yield from self._expand(schema[branch])
        for union in _UNIONS:
            for each in schema.get(union, ()):
                yield from self._expand(each)


def _follow(schema: dict[str, Any], step: str | int) -> Iterator[dict[str, Any]]:
    if isinstance(step, int):
        below = schema.get("items")
    else:
        below = schema.get("properties", {}).get(step, schema.get("additionalProperties"))
    if isinstance(below, dict):
        yield below
