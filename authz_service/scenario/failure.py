"""A question or a step that is not as expected, in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authz_service.scenario.result import ItemResult


def describe_failure(result: ItemResult) -> list[str]:
    """Say where it stands, what was expected, what came and why, and how to repeat it."""
    return [make_visible(line) for line in _describe(result)]


def make_visible(text: str) -> str:
    """Show what would move the cursor of a terminal, or colour it, as a replacement character."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def _describe(result: ItemResult) -> list[str]:
    lines = [f"{result.place}: {result.name}"]
    if result.message:
        return lines + _label("error", result.message)
    lines += _label("expected", result.expected)
    lines += _label("came", result.given)
    if result.explanation:
        lines += _label("why", result.explanation)
    lines += _label("do" if result.kind == "step" else "ask", result.command)
    if result.steps:
        before = "the step" if result.steps == 1 else f"the {result.steps} steps"
        lines += _label(
            "after", f"{before} before it in the file, which this command does not take"
        )
    return lines


def _label(label: str, text: str) -> list[str]:
    """Put a label before the first line of a text, and the others below it."""
    first, *others = text.splitlines() or [""]
    return [f"  {label + ':':10}{first}", *(f"{'':12}{line}" for line in others)]
