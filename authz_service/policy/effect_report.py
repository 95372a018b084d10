"""What a change of policies does, in text, as JSON, and in Markdown for a pull request.

Ids are somebody else's words. In text, what could move the cursor of a terminal is written as an
escape; in Markdown, every sign that could mean something is written by its number.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, Final

from authz_service.policy.effect import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz_service.policy.effect import Effect, Example, Outcome

_ANY_WAY: Final = "however it is asked"
# Letters, digits and what means nothing to Markdown, wherever it stands.
_SIGN: Final = re.compile(r"[^\w /,-]|_")


def write_text(outcome: Outcome) -> Iterator[str]:
    """Write it for people, line by line."""
    yield f"{show(outcome.old)} -> {show(outcome.new)}, entities of revision {outcome.revision}"
    for direction in Direction:
        effects = outcome.find(direction)
        yield f"{direction}: {_total(effects, outcome.unit)}"
        for effect in effects:
            yield f"  {' '.join(effect.key)}, {_when(effect)}: {_count(effect, outcome.unit)}"
            yield f"    {effect.cause.ground} {show(effect.cause.rule)}"
            for example in effect.examples:
                yield f"    {_describe(effect, example)}"
            if effect.examples and not outcome.is_repeated:
                yield from _write_rest(effect)
    for note in outcome.notes:
        yield f"note: {show(note)}"


def write_json(outcome: Outcome) -> dict[str, Any]:
    """Write it for programs."""
    return {
        "old": outcome.old,
        "new": outcome.new,
        "revision": outcome.revision,
        "unit": outcome.unit,
        **{
            direction.replace(" ", "_"): [_write(each) for each in outcome.find(direction)]
            for direction in Direction
        },
        "notes": list(outcome.notes),
    }


def write_markdown(outcome: Outcome) -> str:
    """Write it for a pull request."""
    lines = [
        f"### Who gains and who loses: {_code(outcome.old)} → {_code(outcome.new)}",
        "",
        f"Entities of revision {outcome.revision}.",
        "",
    ]
    for direction in Direction:
        effects = outcome.find(direction)
        lines += [f"**{direction.capitalize()}: {_total(effects, outcome.unit)}**", ""]
        if effects:
            lines += _write_table(effects, outcome.unit)
    lines += [f"- {_escape(each)}" for each in outcome.notes]
    return "\n".join(lines).rstrip("\n") + "\n"


def show(text: str) -> str:
    """Write somebody's text so that a terminal shows it and does nothing else."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def _write_table(effects: Iterable[Effect], unit: str) -> Iterator[str]:
    yield f"| who | action | on | when | {unit}s | why | such as |"
    yield "|---|---|---|---|---|---|---|"
    for each in effects:
        subject, action, resource = each.key
        cells = [
            _code(subject),
            _code(action),
            _code(resource),
            _escape(_when(each)),
            _number(each),
            f"{each.cause.ground} {_code(each.cause.rule)}",
            "<br>".join(_code(_describe(each, example)) for example in each.examples),
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _write(effect: Effect) -> dict[str, Any]:
    subject, action, resource = effect.key
    return {
        "subject": subject,
        "action": action,
        "resource": resource,
        "circumstances": list(effect.circumstances),
        "ground": effect.cause.ground.replace(" ", "_"),
        "rule": effect.cause.rule,
        "count": effect.count,
        "exact": effect.is_exact,
        "examples": [
            {
                "subject": each.subject,
                "resource": each.resource,
                "via": each.via,
                "said": list(each.said),
            }
            for each in effect.examples
        ],
    }


def _describe(effect: Effect, example: Example) -> str:
    """Write an example as the commands take a question."""
    subject, action, resource = effect.key
    via = [] if example.via is None else ["--via", example.via]
    said = [word for each in example.said for word in ("--with", each)]
    words = [f"{subject}/{example.subject}", action, f"{resource}/{example.resource}"]
    return show(shlex.join([*words, *via, *said]))


def _write_rest(effect: Effect) -> Iterator[str]:
    rest = effect.count - len(effect.examples)
    if not effect.is_exact:
        yield "    and more"
    elif rest:
        yield f"    and {rest:,} more"


def _when(effect: Effect) -> str:
    return ", ".join(map(show, effect.circumstances)) or _ANY_WAY


def _total(effects: list[Effect], unit: str) -> str:
    if not effects:
        return "nobody"
    count = sum(each.count for each in effects)
    is_exact = all(each.is_exact for each in effects)
    return f"{'' if is_exact else 'more than '}{_plural(count, unit)}"


def _count(effect: Effect, unit: str) -> str:
    return f"{'' if effect.is_exact else 'more than '}{_plural(effect.count, unit)}"


def _number(effect: Effect) -> str:
    return f"{'' if effect.is_exact else 'more than '}{effect.count:,}"


def _plural(count: int, unit: str) -> str:
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"


def _code(text: str) -> str:
    return f"<code>{_escape(show(text))}</code>"


def _escape(text: str) -> str:
    return _SIGN.sub(lambda found: f"&#{ord(found.group())};", show(text))
