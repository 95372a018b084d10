"""A YAML file as values that know their line; refuses what YAML would change behind one's back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import yaml

from authz_service.errors import DocumentError, Fault, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_LARGEST: Final = 64 * 1024 * 1024
_DEEPEST: Final = 32
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_NO_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
_TAG: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Scalar:
    """A single value.

    Arguments:
        place: where it stands.
        kind: what YAML takes it for: `str`, `int`, `float`, `bool`, `null` or `timestamp`.
        text: as it was written, without quotes.
    """

    place: Place
    kind: str
    text: str


@dataclass(frozen=True)
class Sequence:
    """A list of values."""

    place: Place
    items: tuple[Value, ...]


@dataclass(frozen=True)
class Mapping:
    """Keys with their values, in the order of the file; each key is a scalar and unique."""

    place: Place
    entries: tuple[tuple[Scalar, Value], ...]


Value = Scalar | Sequence | Mapping


def find_files(paths: Iterable[Path], *, below: bool) -> list[Path]:
    """Find the YAML files that paths stand for: a folder is the `.yaml` files in it.

    Arguments:
        paths: files and folders.
        below: whether the folders in a folder count as well.

    Raises:
        DocumentError: for a path that does not exist, and a folder without such a file.
    """
    found: list[Path] = []
    faults = []
    for path in paths:
        try:
            files = [path]
            if path.is_dir():
                files = sorted(path.rglob("*.yaml") if below else path.glob("*.yaml"))
            elif not path.exists():
                message = "there is no such file or folder"
                faults.append(Fault(Place(str(path)), "missing_file", message))
        except OSError as error:
            message = f"cannot be looked up: {error.strerror or error}"
            faults.append(Fault(Place(str(path)), "unreadable_file", message))
            continue
        if not files:
            faults.append(Fault(Place(str(path)), "empty_folder", "holds no `.yaml` file"))
        found += files
    if faults:
        raise DocumentError(faults)
    return found


def load_document(path: Path) -> Value | None:
    """Read a YAML file; None when there is nothing in it.

    Anchors, aliases, tags and repeated keys are refused: they make a file mean something else
    than it shows.

    Raises:
        DocumentError: with every fault that was found.
    """
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise DocumentError.at(name, "unreadable_file", message) from None
    if len(data) > _LARGEST:
        message = f"is larger than {_LARGEST // 1024**2} MiB; split it"
        raise DocumentError.at(name, "file_too_large", message)
    return parse_document(data, name)


def parse_document(data: bytes, name: str) -> Value | None:
    """Read YAML text (UTF-8); `name` stands for the file in messages.

    Raises:
        DocumentError: with every fault that was found.
    """
    try:
        text = data.decode("utf-8")
        node = _Loader(text, name).get_single_node()
    except UnicodeDecodeError as error:
        message = f"byte {error.start + 1} is not UTF-8; save the file as UTF-8"
        raise DocumentError.at(name, "not_utf8", message) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DocumentError.at(_place(name, mark), "not_yaml", _problem(error)) from None
    except (ValueError, OverflowError):  # an escape for a character beyond Unicode
        message = "is not YAML: an escape stands for no character"
        raise DocumentError.at(name, "not_yaml", message) from None
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        raise DocumentError.at(name, "not_yaml", message) from None
    if node is None:
        return None
    faults: list[Fault] = []
    value = _convert(node, name, faults)
    if faults:
        raise DocumentError(faults)
    return value


def parse_time(text: str) -> datetime:
    """Read a time with its zone, in UTC.

    Raises:
        ValueError: when it is no time, has no zone, or lies before or after all times.
    """
    if not _TIME.fullmatch(text):
        raise ValueError("it is not of the form 2026-01-05T09:00:00Z")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        raise ValueError("it lies beyond all times") from None


def to_plain(value: Value) -> Any:
    """Strip the places: dictionaries, lists and text, as validating libraries want them.

    A scalar that YAML takes for something else than text stays what it is, so that a check for
    text fails; a time is text, and nothing is None.
    """
    if isinstance(value, Mapping):
        return {key.text: to_plain(entry) for key, entry in value.entries}
    if isinstance(value, Sequence):
        return [to_plain(item) for item in value.items]
    if value.kind == "null":
        return None
    return value.text if value.kind in {"str", "timestamp"} else value


def locate(value: Value, path: Iterable[str | int]) -> Place:
    """Find the place of what a path of keys and positions leads to, or how far it leads."""
    return follow(value, path).place


def locate_key(value: Value, path: tuple[str | int, ...]) -> Place:
    """Find the place of the key in which a path ends, or how far the path leads."""
    owner = follow(value, path[:-1])
    entries = owner.entries if isinstance(owner, Mapping) else ()
    return next((key.place for key, _ in entries if key.text == path[-1]), owner.place)


def follow(value: Value, path: Iterable[str | int]) -> Value:
    """Find what a path of keys and positions leads to, or how far it leads."""
    for step in path:
        if isinstance(value, Mapping):
            found = next((pair for pair in value.entries if pair[0].text == step), None)
            if found is None:
                break
            value = found[1]
        elif isinstance(value, Sequence) and isinstance(step, int) and step < len(value.items):
            value = value.items[step]
        else:
            break
    return value


def _problem(error: yaml.MarkedYAMLError) -> str:
    said = [part for part in (error.context, error.problem) if part]
    return "is not YAML: " + ", ".join(said)


def _place(name: str, mark: Any) -> Place:
    if mark is None:
        return Place(name)
    return Place(name, mark.line + 1, mark.column + 1)


class _Loader(yaml.SafeLoader):
    """Composes a document, and looks at each event first: aliases and depth exhaust nothing.

    Arguments:
        text: the document.
        name: stands for the file in messages.
    """

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self._name = name
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose what comes next.

        Raises:
            DocumentError: when it says something else than it shows, or is nested too deep.
        """
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # its stubs have no types
        place = _place(self._name, event.start_mark)
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            message = "anchors and aliases are not used here; write the value out"
            raise DocumentError.at(place, "yaml_alias", message)
        if event.tag:
            raise DocumentError.at(place, "yaml_tag", f"the tag `{event.tag}` is not used here")
        self._depth += isinstance(event, yaml.CollectionStartEvent)
        if self._depth > _DEEPEST:
            message = f"is nested deeper than {_DEEPEST} levels"
            raise DocumentError.at(place, "nested_too_deep", message)
        node = super().compose_node(parent, index)
        self._depth -= isinstance(event, yaml.CollectionStartEvent)
        return node


def _convert(node: yaml.Node, name: str, faults: list[Fault]) -> Value:
    place = _place(name, node.start_mark)
    if isinstance(node, yaml.ScalarNode):
        if _NO_TEXT.search(node.value):
            message = "holds a character that is no text: NUL, or half of a surrogate pair"
            faults.append(Fault(place, "not_text", message))
        return Scalar(place, node.tag.removeprefix(_TAG), node.value)
    if isinstance(node, yaml.SequenceNode):
        return Sequence(place, tuple(_convert(item, name, faults) for item in node.value))
    return Mapping(place, tuple(_entries(node, name, faults)))


def _entries(node: yaml.Node, name: str, faults: list[Fault]) -> Iterator[tuple[Scalar, Value]]:
    first: dict[str, int] = {}
    for key_node, value_node in node.value:
        key = _convert(key_node, name, faults)
        value = _convert(value_node, name, faults)
        if not isinstance(key, Scalar):
            faults.append(Fault(key.place, "invalid_key", "a key must be a single word"))
        elif key.text in first:
            message = f"`{key.text}` stands in line {first[key.text]} already; remove one of them"
            faults.append(Fault(key.place, "duplicate_key", message))
        else:
            first[key.text] = key.place.line
            yield key, value
