"""A YAML file as nodes that know how they are written, each entry with the comments at it."""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from authz_service.formatting.lines import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENT: Final = re.compile("#[^\n]*")
# What is text without quotes, if it is no word of YAML's; `y` and `n` are some to other programs.
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_/-]+(?: [A-Za-z0-9_/-]+)*", re.ASCII)
_TEXT: Final = "tag:yaml.org,2002:str"
_WIDE: Final = re.compile("[:,]  +[^ \n]")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')
START: Final = re.compile("^---(?=\\s|$)", re.MULTILINE)


@dataclass(frozen=True)
class Leaf:
    """A single value.

    Arguments:
        text: as it is to be written; several lines are still indented as they were.
        is_block: whether it is lines behind a `|` or a `>`.
        margin: how far the collection is indented in which it stands.
        said: what it says.
    """

    text: str
    is_block: bool
    margin: int
    said: str


@dataclass
class Entry:
    """A value in a collection.

    Arguments:
        key: its name; None in a list.
        value: what it is.
        above: the comments on lines of their own before it.
        behind: the comment behind it, or behind its key, if its value has more lines.
        is_spaced: whether a blank line stands before it, below the comments.
        is_apart: whether the value begins on another line than the key.
        is_whole: whether all of it is on one line.
        is_wide: whether there is more than a space between some of its words.
    """

    key: Leaf | None
    value: Node
    above: list[Remark] = field(default_factory=list)
    behind: Remark | None = None
    is_spaced: bool = False
    is_apart: bool = False
    is_whole: bool = False
    is_wide: bool = False


@dataclass
class Branch:
    """A collection.

    Arguments:
        is_flow: whether it is in brackets or braces.
        is_mapping: whether its entries have keys.
        entries: in their order.
        end: the comments behind the last entry, on lines of their own.
    """

    is_flow: bool
    is_mapping: bool
    entries: list[Entry]
    end: list[Remark] = field(default_factory=list)


Node = Leaf | Branch


@dataclass(frozen=True)
class Tree:
    """A file.

    Arguments:
        before: the comments before `---`, which is there if this is not None.
        above: the comments before a root that is no collection of lines.
        root: what the file holds; None for nothing.
        end: the comments after that.
    """

    before: tuple[Remark, ...] | None
    above: tuple[Remark, ...]
    root: Node | None
    end: tuple[Remark, ...]


def read_tree(text: str) -> Tree:
    """Read a YAML file that was read before, so that nothing is wrong with it.

    Arguments:
        text: with lines that end in line feeds.
    """
    return _Reader(text).read()


def find_comments(text: str) -> list[str]:
    """Find all comments of such a file."""
    return [remark.text for _, remark in _find_remarks(text, yaml.compose(text, yaml.SafeLoader))]


def find_data(text: str) -> Any:
    """Find what such a file says, whatever the order of its keys."""
    return _to_data(yaml.compose(text, yaml.SafeLoader))


def _to_data(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {_to_data(key): _to_data(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_to_data(each) for each in node.value]
    return (node.tag, node.value) if node else None


def _find_leaves(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for each in pair:
                yield from _find_leaves(each)
    elif node:
        for each in node.value:
            yield from _find_leaves(each)


def _find_remarks(text: str, root: yaml.Node | None) -> Iterator[tuple[int, Remark]]:
    """Find the comments with their places: between values, nothing else begins with `#`."""
    place = 0
    ends = [(each.start_mark.index, each.end_mark.index) for each in _find_leaves(root)]
    for start, end in [*ends, (len(text), len(text))]:
        for found in _COMMENT.finditer(text, place, max(place, start)):
            column = found.start() - text.rfind("\n", 0, found.start()) - 1
            spaced = _is_spaced(text, found.start())
            yield found.start(), Remark(found[0].rstrip(), column, spaced)
        place = end


def _is_spaced(text: str, at: int) -> bool:
    """Tell whether the line before that of a place is blank."""
    start = text.rfind("\n", 0, at)
    return start > 0 and not text[text.rfind("\n", 0, start) + 1 : start].strip()


class _Reader:
    """Puts together what YAML says of a text and the comments in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._root = yaml.compose(text, yaml.SafeLoader)
        self._remarks = deque(_find_remarks(text, self._root))
        self._resolver = yaml.SafeLoader("")

    def read(self) -> Tree:
        """Read all of it."""
        before = None
        place = self._root.start_mark.index if self._root else len(self._text)
        start = START.search(self._text, 0, place)
        if start:
            before = tuple(self._take(start.start()))
        if self._root is None:
            return Tree(before, (), None, tuple(self._take(len(self._text))))
        is_block = isinstance(self._root, yaml.CollectionNode) and not self._root.flow_style
        above = () if is_block else tuple(self._take(place))
        root = self._build(self._root, 0, len(self._text))
        return Tree(before, above, root, tuple(self._take(len(self._text))))

    def _take(self, limit: int) -> Iterator[Remark]:
        """Take the comments before a place."""
        while self._remarks and self._remarks[0][0] < limit:
            yield self._remarks.popleft()[1]

    def _take_end(self, limit: int, column: int) -> Iterator[Remark]:
        """Take the comments before a place that stand at a column or behind it, on own lines."""
        while self._remarks and self._remarks[0][0] < limit:
            place, remark = self._remarks[0]
            if remark.column < column or self._text[place - remark.column : place].strip():
                return
            self._remarks.popleft()
            yield remark

    def _take_behind(self, place: int, limit: int) -> Remark | None:
        """Take the comment before a limit that is on the line of a place."""
        place_of_remark = self._remarks[0][0] if self._remarks else limit
        if place_of_remark < limit and "\n" not in self._text[place:place_of_remark]:
            return self._remarks.popleft()[1]
        return None

    def _build(self, node: Any, margin: int | None, limit: int) -> Node:
        """Build a node.

        Arguments:
            node: as YAML has it.
            margin: how far the collection is indented in which it stands; None within brackets.
            limit: where what comes after it begins.
        """
        if isinstance(node, yaml.ScalarNode):
            return self._build_leaf(node, margin)
        is_mapping = isinstance(node, yaml.MappingNode)
        pairs = node.value if is_mapping else [(None, each) for each in node.value]
        if node.flow_style:
            return self._build_flow(node, pairs)
        column = node.start_mark.column
        starts = [(key or value).start_mark.index for key, value in pairs]
        entries = [
            self._build_entry(key, value, column, end)
            for (key, value), end in zip(pairs, [*starts[1:], limit], strict=True)
        ]
        # where a list stands right under its key, a comment there belongs to the next key
        is_under = not is_mapping and column == margin and limit < len(self._text)
        end = list(self._take_end(limit, column + is_under))
        return Branch(is_flow=False, is_mapping=is_mapping, entries=entries, end=end)

    def _build_entry(self, key: Any, value: Any, margin: int, limit: int) -> Entry:
        first = key or value
        place, start, end = first.start_mark.index, value.start_mark.index, value.end_mark.index
        above = list(self._take(place))
        name = self._build_leaf(key, margin) if key else None
        is_lines = isinstance(value, yaml.CollectionNode) and not value.flow_style
        behind = self._take_behind(place, start) if is_lines else None
        above += () if is_lines else self._take(start)
        built = self._build(value, margin, limit)
        if is_lines and not key and isinstance(built, Branch):
            above += built.entries[0].above  # between a dash and what stands behind it
            built.entries[0].above = []
        if not is_lines and self._text[end - 1] != "\n":
            behind = self._take_behind(end, limit)
        return Entry(
            key=name,
            value=built,
            above=above,
            behind=behind,
            is_spaced=_is_spaced(self._text, place),
            is_apart="\n" in self._text[place:start],
            is_whole="\n" not in self._text[place:end],
            is_wide=bool(_WIDE.search(_QUOTED.sub("", self._text[place:end]))),
        )

    def _build_flow(self, node: Any, pairs: list[Any]) -> Branch:
        flow = Branch(is_flow=True, is_mapping=isinstance(node, yaml.MappingNode), entries=[])
        ended = node.start_mark.index
        for key, value in pairs:
            place = (key or value).start_mark.index
            above = self._take_within(flow, ended, place)
            name = self._build_leaf(key, None) if key else None
            above += self._take(value.start_mark.index)
            ended = value.end_mark.index
            flow.entries.append(Entry(name, self._build(value, None, ended), above))
        flow.end = self._take_within(flow, ended, node.end_mark.index)
        return flow

    def _take_within(self, flow: Branch, place: int, limit: int) -> list[Remark]:
        """Take the comments behind an entry: the first one is its own, if it is on its line."""
        behind = self._take_behind(place, limit)
        if behind and flow.entries:
            flow.entries[-1].behind = behind
            return list(self._take(limit))
        return [*filter(None, [behind]), *self._take(limit)]

    def _build_leaf(self, node: Any, margin: int | None) -> Leaf:
        text = self._text[node.start_mark.index : node.end_mark.index]
        is_block = node.style in {"|", ">"}
        is_quoted = node.style in {"'", '"'}
        if "\n" in text and margin is None:
            is_whole = not is_quoted and "\n" not in node.value
            text = node.value if is_whole else json.dumps(node.value, ensure_ascii=False)
        if is_quoted and "\n" not in text and self._is_plain(node.value):
            text = node.value
        text = text if is_block else text.strip()
        return Leaf(text, is_block, margin or 0, node.value)

    def _is_plain(self, value: str) -> bool:
        """Tell whether YAML reads a value as text without quotes as well."""
        resolved = self._resolver.resolve(  # type: ignore[no-untyped-call]  # PyYAML has few types
            yaml.ScalarNode, value, (True, False)
        )
        return bool(_PLAIN.fullmatch(value)) and resolved == _TEXT
