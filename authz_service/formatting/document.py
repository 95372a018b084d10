"""A scenario or a fixture laid out anew: what it says stays, and so does every comment.

Collections stay as they are written, in lines or in braces and brackets. What is in braces stands
on the line of its key, if that is where it was put and there is room, and otherwise below; a list
in brackets that has no room becomes lines. Entries that were put in columns stay in columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from authz_service.document import parse_document
from authz_service.errors import DocumentError
from authz_service.formatting.flow import find_table, has_remarks, write_flow, write_in_one_line
from authz_service.formatting.lines import WIDTH, Line, join_lines
from authz_service.formatting.nodes import (
    START,
    Branch,
    Leaf,
    find_comments,
    find_data,
    read_tree,
)

if TYPE_CHECKING:
    from authz_service.formatting.lines import Remark
    from authz_service.formatting.nodes import Entry, Node

# Gives the names of a mapping in their order; where it stands is said as keys and positions.
Order = Callable[[Sequence[str | int], Sequence[str]], Sequence[str]]

_INDENT: Final = 2
_DIRECTIVE: Final = re.compile("^%", re.MULTILINE)


def format_document(data: bytes, name: str, choose_order: Callable[[Sequence[str]], Order]) -> str:
    """Lay a YAML file out anew.

    Arguments:
        data: what it holds.
        name: stands for the file in messages.
        choose_order: finds how keys are ordered in a file with certain keys at the top.

    Raises:
        DocumentError: when it cannot be read, with every fault.
    """
    parse_document(data, name)
    text = re.sub("\r\n?", "\n", data.decode("utf-8").removeprefix("\ufeff"))
    tree = read_tree(text)
    start = START.search(text)
    if tree.before is not None and start and _DIRECTIVE.search(text, 0, start.start()):
        message = "directives are not used here; leave the line that begins with `%` out"
        raise DocumentError.at(name, "yaml_directive", message)
    lines: list[Line] = []
    if tree.before is not None:
        _write_remarks(lines, tree.before, 0)
        lines.append(Line("---"))
    _write_remarks(lines, tree.above, 0)
    if isinstance(tree.root, Branch):
        if tree.root.is_mapping:
            names = [each.key.said for each in tree.root.entries if each.key]
            _sort(tree.root, (), choose_order(names))
        lines += _write_root(tree.root)
    elif tree.root:
        lines += _write_leaf("", tree.root, 0)
    _write_remarks(lines, tree.end, 0)
    written = join_lines(lines)
    _check(text, written, name)
    return written


def _check(old: str, new: str, name: str) -> None:
    """Refuse a layout that says something else: nothing must depend on this module being right."""
    if old == new:
        return
    try:
        parse_document(new.encode(), name)
        is_same = find_data(old) == find_data(new)
        is_same = is_same and sorted(find_comments(old)) == sorted(find_comments(new))
    except DocumentError:
        is_same = False
    if not is_same:
        message = "laid out anew, it would not say the same, so it was left alone; please report it"
        raise DocumentError.at(name, "format_failed", message)


def _sort(node: Node, path: tuple[str | int, ...], order: Order) -> None:
    """Bring keys in their order; comments above the first one stay above all of them."""
    if isinstance(node, Leaf):
        return
    if node.is_mapping and node.entries:
        names = [each.key.said if each.key else "" for each in node.entries]
        places = {said: place for place, said in enumerate(order(path, names))}
        first = node.entries[0]
        node.entries.sort(key=lambda each: places[each.key.said] if each.key else 0)
        if node.entries[0] is not first:
            top, first.above, first.is_spaced = first.above, [], False
            node.entries[0].above = [*top, *node.entries[0].above]
    for number, entry in enumerate(node.entries):
        _sort(entry.value, (*path, entry.key.said if entry.key else number), order)


def _write_root(root: Branch) -> list[Line]:
    return write_flow(root, 0) if root.is_flow else _write_block(root, 0)


def _write_block(branch: Branch, indent: int) -> list[Line]:
    lines: list[Line] = []
    table = find_table(branch)
    for number, entry in enumerate(branch.entries):
        _write_remarks(lines, entry.above, indent)
        if entry.is_spaced:
            _write_blank(lines)
        if number in table:
            lines.append(Line(f"{' ' * indent}{table[number]}", entry.behind))
        else:
            lines += _write_entry(entry, indent)
    _write_remarks(lines, branch.end, indent)
    return lines


def _write_entry(entry: Entry, indent: int) -> list[Line]:
    start = f"{' ' * indent}{f'{entry.key.text}:' if entry.key else '-'}"
    value = entry.value
    if isinstance(value, Leaf):
        lines = _write_leaf(start, value, indent, is_apart=entry.is_apart)
    elif value.is_flow and (not entry.key or _has_room(start, entry, value)):
        first, *others = write_flow(value, len(start) + 1)
        lines = [Line(f"{start} {first.text}", first.remark), *others]
    elif value.is_flow and (value.is_mapping or (entry.is_apart and not has_remarks(value))):
        below = indent + _INDENT
        first, *others = write_flow(value, below)
        lines = [Line(start), Line(f"{' ' * below}{first.text}", first.remark), *others]
    else:
        return _write_below(start, entry, value, indent)
    return [*lines[:-1], Line(lines[-1].text, entry.behind)]


def _has_room(start: str, entry: Entry, value: Branch) -> bool:
    """Tell whether a value in brackets stands behind its key."""
    if not value.entries:
        return not value.end
    if entry.is_apart or has_remarks(value):
        return False
    return len(start) + 1 + len(write_in_one_line(value)) <= WIDTH


def _write_below(start: str, entry: Entry, value: Branch, indent: int) -> list[Line]:
    lines = _write_block(value, indent + _INDENT)
    if entry.key:
        return [Line(start, entry.behind), *lines]
    first = lines[0]
    return [Line(f"{start} {first.text.lstrip()}", first.remark), *lines[1:]]


def _write_leaf(start: str, leaf: Leaf, indent: int, *, is_apart: bool = False) -> list[Line]:
    first, *others = leaf.text.split("\n")
    below = " " * (indent + _INDENT)
    if leaf.is_block:
        return [Line(f"{start} {first}".rstrip()), *_write_block_text(leaf, first, others, indent)]
    if is_apart and (others or len(start) + 1 + len(first) > WIDTH):
        lines = [Line(start), Line(f"{below}{first.rstrip()}")]
    else:
        lines = [Line(f"{start}{' ' * bool(start and first)}{first.rstrip()}")]
    return lines + [Line(f"{below}{each.strip()}" if each.strip() else "") for each in others]


def _write_block_text(leaf: Leaf, header: str, lines: list[str], indent: int) -> list[Line]:
    """Write the lines behind a `|` or a `>`, which stand as far from its collection as they did."""
    digits = re.search("[1-9]", header.partition("#")[0])
    filled = [each for each in lines if each.strip()]
    margin = len(filled[0]) - len(filled[0].lstrip(" ")) if filled else 0
    shift = indent + _INDENT - margin
    if digits:
        margin, shift = leaf.margin + int(digits[0]), indent - leaf.margin
    written = [
        Line(f"{' ' * (margin + shift)}{each[margin:]}" if each.strip() else "") for each in lines
    ]
    written.pop()  # what follows the last line end
    while written and not written[-1].text and "+" not in header:
        written.pop()
    return written


def _write_remarks(lines: list[Line], remarks: Sequence[Remark], indent: int) -> None:
    for each in remarks:
        if each.spaced:
            _write_blank(lines)
        lines.append(Line(f"{' ' * indent}{each.text}"))


def _write_blank(lines: list[Line]) -> None:
    """Write a blank line, unless there is one, or nothing yet."""
    if lines and lines[-1].text:
        lines.append(Line(""))
