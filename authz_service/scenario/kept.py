"""A difference between two policies as files to keep: a fixture and a scenario."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authz_service.errors import Place, quote, with_article
from authz_service.policy.request import Said
from authz_service.policy.said import CHANNEL, PARTS
from authz_service.scenario.case import Scenario
from authz_service.scenario.inquiry import Expectation, Inquiry
from authz_service.scenario.writing import write_fixture, write_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz_service.equivalence.comparison import Difference
    from authz_service.polar.schema import Schema
    from authz_service.policy.request import Request


@dataclass(frozen=True)
class Kept:
    """A difference to keep.

    Arguments:
        name: of both files, without an ending.
        inquiry: the question, with the answer that the scenario expects.
        fixture: the text of the file with the entities.
        scenario: the text of the file with the question.
    """

    name: str
    inquiry: Inquiry
    fixture: str
    scenario: str


def keep_difference(  # noqa: PLR0913  # what to keep, and in whose words
    schema: Schema,
    difference: Difference,
    old: str,
    new: str,
    *,
    command: str = "authz equivalent",
    name: str = "",
) -> Kept:
    """Write a difference as files.

    The scenario expects the old policies' answer, and so fails by the new ones.

    Arguments:
        schema: the vocabulary.
        difference: what was found.
        old: how the old policies are called.
        new: how the new ones are.
        command: what found it.
        name: of both files; without one, they are called after the question.
    """
    witness = difference.witness
    request = witness.request
    name = name or f"{request.subject.type}-{request.action}-{request.resource.type}"
    # by the new policies there may be these reasons and more
    only_these = bool(difference.old) and {*difference.old} <= {*difference.new}
    inquiry = build_inquiry(schema, request, difference.old, only_these=only_these)
    told = [
        f"Found by `{command}`: the smallest store on which two policies differ.",
        f"{quote(old)} says {describe_answer(difference.old)};",
        f"{quote(new)} says {describe_answer(difference.new)}.",
    ]
    asker, kind = with_article(request.subject.type), with_article(request.resource.type)
    scenario = Scenario(
        path=Path(f"{name}.yaml"),
        title=f"{request.action} on {kind} by {asker}",
        source="",
        fixture=name,
        at=witness.now,
        items=(inquiry,),
    )
    outcome = f"This passes by {quote(old)} and fails by {quote(new)}."
    return Kept(
        name,
        inquiry,
        write_fixture(witness.rows, told),
        write_scenario(scenario, [*told, outcome]),
    )


def describe_answer(reasons: Sequence[str]) -> str:
    """Say what came of a question."""
    return f"deny, with {', '.join(reasons)}" if reasons else "allow"


def build_inquiry(
    schema: Schema, request: Request, reasons: tuple[str, ...], *, only_these: bool = False
) -> Inquiry:
    """Build the question of a scenario that asks what a request does.

    Arguments:
        schema: the vocabulary.
        request: what is asked.
        reasons: what must stand against it; none for an allow.
        only_these: whether nothing else may.
    """
    said: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for name, value in request.given.items():
        if value not in (None, []):
            said["context" if name in schema.context else "action"][name] = _say(value)
    for path, value in request.supplied.items():
        part, _, name = path.partition(".")
        said[part][name] = _say(value)
    channel = said["context"].pop(CHANNEL, None)
    expected = Expectation(Place(""), request.action, not reasons, reasons, only_these=only_these)
    return Inquiry(expected, request.subject, request.resource, channel, Said(**said))


def _say(value: Any) -> Any:
    """Say a value as callers do, whose times are text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value
