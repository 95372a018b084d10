"""What trying a policy set comes to, as a value and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from authz_service.errors import Fault, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Arguments:
        faults: why the set may not serve; none where it may.
        passed: how many questions and steps of scenarios came as expected; None where none were
            put.
        gained, lost: how many pairs of subject and resource are newly allowed and newly denied,
            each counted in each way to ask; None where it was not counted.
        notes: what was left out, and why.
    """

    faults: tuple[Fault, ...] = ()
    passed: int | None = None
    gained: int | None = None
    lost: int | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, faults: Iterable[Fault]) -> Self:
        """Build the verdict that consists of faults alone."""
        return cls(tuple(faults))

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """Read what `write` wrote."""
        faults = tuple(
            Fault(Place(each["where"]), each["code"], each["message"]) for each in data["faults"]
        )
        notes = tuple(data["notes"])
        return cls(faults, data["passed"], data["gained"], data["lost"], notes)

    def write(self) -> dict[str, Any]:
        """Write it as JSON has it."""
        return {
            "faults": [write_fault(each) for each in self.faults],
            "passed": self.passed,
            "gained": self.gained,
            "lost": self.lost,
            "notes": list(self.notes),
        }


def write_fault(fault: Fault) -> dict[str, str]:
    """Write a fault as JSON has it."""
    return {"code": fault.code, "message": fault.message, "where": str(fault.where)}


def describe(verdict: Mapping[str, Any]) -> str:
    """Say on one line what was counted; empty where nothing was."""
    said = []
    if verdict.get("passed") is not None:
        said.append(f"{verdict['passed']} questions and steps of scenarios came as expected")
    if verdict.get("gained") is not None:
        said.append(f"{verdict['gained']} pairs gained, {verdict['lost']} lost")
    return ", ".join(said)
