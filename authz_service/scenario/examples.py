"""Examples: a case, or all cases of a scenario, written once and asked of many values.

    - examples:
        - {person: mary, number: "0470000001"}
        - {person: thomas, number: "0470000002"}
      who: person/<person>
      on: subscription/<number>
      can: view_usage

is replaced by two cases before anything else is read, so that all else is as if both were written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from authz_service.document import Mapping, Scalar, Sequence
from authz_service.errors import Fault, ScenarioError, quote, suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz_service.document import Value
    from authz_service.errors import Place

_EXAMPLES: Final = "examples"
_CASES: Final = "cases"
# Examples multiply; more cases than this come from no hand.
_MOST_CASES: Final = 10_000
_PLACEHOLDER: Final = re.compile(r"<([^<>\n]+)>")


@dataclass(frozen=True)
class Expanded:
    """A scenario without examples.

    Arguments:
        document: the file, with a case for each example.
        starts: the positions of cases at which everything begins anew.
    """

    document: Value
    starts: tuple[int, ...]


def expand_examples(document: Value) -> Expanded:
    """Write a scenario out, example by example.

    Raises:
        ScenarioError: for examples that are none, and placeholders that are not known or not used.
    """
    whole = _get(document, _EXAMPLES)
    cases = _get(document, _CASES)
    if not isinstance(document, Mapping) or not isinstance(cases, Sequence):
        return Expanded(document, (0,))
    faults: list[Fault] = []
    if whole is None:
        written = tuple(each for case in cases.items for each in _expand(case, faults))
        starts: tuple[int, ...] = (0,)
    else:
        faults += _find_nested(cases)
        rounds = [] if faults else list(_fill_all(cases, whole, faults))
        written = tuple(each for one in rounds for each in _items(one))
        starts = tuple(range(0, len(written), len(cases.items) or 1)) or (0,)
    if faults:
        raise ScenarioError(faults)
    entries = tuple(
        (key, replace(cases, items=written) if key.text == _CASES else value)
        for key, value in document.entries
        if key.text != _EXAMPLES
    )
    return Expanded(replace(document, entries=entries), starts)


def _expand(case: Value, faults: list[Fault]) -> Iterator[Value]:
    """Write one case out."""
    examples = _get(case, _EXAMPLES)
    if examples is None or not isinstance(case, Mapping) or _get(case, "do") is not None:
        yield case
        return
    entries = tuple(each for each in case.entries if each[0].text != _EXAMPLES)
    yield from _fill_all(replace(case, entries=entries), examples, faults)


def _find_nested(cases: Sequence) -> Iterator[Fault]:
    for case in cases.items:
        nested = _get(case, _EXAMPLES)
        if nested is not None:
            message = "the scenario has `examples:` for all its cases; leave out one of them"
            yield Fault(nested.place, "examples_twice", message)


def _fill_all(template: Value, examples: Value, faults: list[Fault]) -> Iterator[Value]:
    """Fill a template once for each example."""
    if not isinstance(examples, Sequence) or not examples.items:
        message = "`examples` must be a list such as `[{person: mary}, {person: thomas}]`"
        faults.append(Fault(examples.place, "invalid_value", message))
        return
    cases = len(template.items) if isinstance(template, Sequence) else 1
    if len(examples.items) * cases > _MOST_CASES:
        message = f"`examples` make more than {_MOST_CASES:,} cases; split the file"
        faults.append(Fault(examples.place, "too_many_cases", message))
        return
    asked = dict[str, "Place"]()
    for name, place in _find_placeholders(template):
        asked.setdefault(name, place)
    for example in examples.items:
        if not isinstance(example, Mapping) or not example.entries:
            message = "an example is names with values, as in `{person: mary}`"
            faults.append(Fault(example.place, "invalid_value", message))
            continue
        known = {key.text: value for key, value in example.entries}
        wrong = list(_find_wrong(asked, example))
        faults += wrong
        if not wrong:
            yield _fill(template, known, faults)


def _find_wrong(asked: dict[str, Place], example: Mapping) -> Iterator[Fault]:
    """Find the placeholders that an example lacks, and what it has for none."""
    known = {key.text: key for key, _ in example.entries}
    for name, place in asked.items():
        if name not in known:
            where = f"the example in line {example.place.line} has no {quote(name)}"
            yield Fault(place, "unknown_placeholder", where + suggest(name, known))
    for name, key in known.items():
        if name not in asked:
            message = f"{quote(f'<{name}>')} stands nowhere; leave {quote(name)} out"
            yield Fault(key.place, "unused_placeholder", message)


def _fill(template: Value, known: dict[str, Value], faults: list[Fault]) -> Value:
    """Put values for placeholders; where one is the whole text, the value may be of any kind."""
    if isinstance(template, Sequence):
        return replace(template, items=tuple(_fill(each, known, faults) for each in template.items))
    if isinstance(template, Mapping):
        entries = tuple(
            (_fill_text(key, known, faults), _fill(value, known, faults))
            for key, value in template.entries
        )
        faults += _find_same(key for key, _ in entries)
        return replace(template, entries=entries)
    whole = _PLACEHOLDER.fullmatch(template.text)
    if whole:
        return replace(known[whole.group(1)], place=template.place)
    return _fill_text(template, known, faults)


def _fill_text(template: Scalar, known: dict[str, Value], faults: list[Fault]) -> Scalar:
    """Put values into a text."""

    def find(match: re.Match[str]) -> str:
        value = known[match.group(1)]
        if isinstance(value, Scalar) and value.kind == "str":
            return value.text
        message = f"{quote(match.group())} stands within a text, so its values must be text"
        faults.append(Fault(value.place, "not_text", f"{message}; write them in quotes"))
        return ""

    return replace(template, text=_PLACEHOLDER.sub(find, template.text))


def _find_same(keys: Iterable[Scalar]) -> Iterator[Fault]:
    """Find keys that are the same once they are filled; one of them would be lost."""
    seen: set[str] = set()
    for each in keys:
        if each.text in seen:
            message = f"an example makes {quote(each.text)} a key that is there already"
            yield Fault(each.place, "duplicate_key", message)
        seen.add(each.text)


def _find_placeholders(value: Value) -> Iterator[tuple[str, Place]]:
    if isinstance(value, Sequence):
        for each in value.items:
            yield from _find_placeholders(each)
    elif isinstance(value, Mapping):
        for key, each in value.entries:
            yield from _find_placeholders(key)
            yield from _find_placeholders(each)
    else:
        for match in _PLACEHOLDER.finditer(value.text):
            yield match.group(1), value.place


def _get(value: Value, name: str) -> Value | None:
    entries = value.entries if isinstance(value, Mapping) else ()
    return next((each for key, each in entries if key.text == name), None)


def _items(value: Value) -> tuple[Value, ...]:
    return value.items if isinstance(value, Sequence) else ()
