"""What became of mutants, in text and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from authz_service.mutation.judge import Fate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from authz_service.mutation.judge import Judgement

_SAID: Final = {
    Fate.KILLED: "killed by a scenario",
    Fate.TIMED_OUT: "killed by the time limit",
    Fate.REFUSED: "killed by an inline query",
    Fate.STILLBORN: "stillborn",
    Fate.EQUIVALENT: "equivalent in all small stores",
    Fate.SURVIVED: "survived",
    Fate.UNDECIDED: "undecided",
}


@dataclass(frozen=True)
class Report:
    """What became of mutants.

    Arguments:
        judgements: in the order of the policies' text.
        files: the scenarios.
        seconds: how long it took.
        untried: how many mutants there was no time for.
    """

    judgements: tuple[Judgement, ...]
    files: tuple[Path, ...]
    seconds: float
    untried: int = 0

    def find(self, *fates: Fate) -> list[Judgement]:
        """Find the mutants of which something became."""
        return [each for each in self.judgements if each.fate in fates]

    @property
    def a_minute(self) -> int:
        """How many mutants were tried in a minute."""
        return round(60 * len(self.judgements) / self.seconds) if self.seconds else 0

    @property
    def kills(self) -> dict[str, list[Judgement]]:
        """The mutants that each scenario kills, those of all scenarios that kill none included."""
        found: dict[str, list[Judgement]] = {str(each): [] for each in self.files}
        for judgement in self.judgements:
            for each in judgement.killers:
                found[each].append(judgement)
        return found

    def summarize(self) -> Iterator[str]:
        """Say in lines how many mutants there were, and what became of them."""
        counts = Counter(each.fate for each in self.judgements)
        tried = len(self.judgements) - counts[Fate.UNCONCERNED]
        mutants = "1 mutant" if tried == 1 else f"{tried} mutants"
        yield f"{mutants} in {self.seconds:.0f} s, {self.a_minute} a minute"
        for fate, said in _SAID.items():
            if counts[fate]:
                yield f"{counts[fate]:6} {said}"
        if self.untried:
            yield f"{self.untried:6} not tried, for the time was over"

    def list_others(self) -> Iterator[str]:
        """List the mutants for which no scenario is to blame."""
        for fate in (Fate.EQUIVALENT, Fate.STILLBORN, Fate.REFUSED, Fate.TIMED_OUT):
            for each in self.find(fate):
                yield f"{each.mutant}: {_SAID[fate]}{_write_fault(each)}"

    def list_kills(self) -> Iterator[str]:
        """Say of each scenario how many mutants it kills, and how many no other one does."""
        for path, killed in self.kills.items():
            alone = sum(len(each.killers) == 1 for each in killed)
            yield f"{path} kills {len(killed)}, {alone} of them alone"

    def write_json(self) -> dict[str, Any]:
        """Write all of it."""
        fates = {fate.value.replace(" ", "_"): self.find(fate) for fate in _SAID}
        return {
            "mutants": len(self.judgements) - len(self.find(Fate.UNCONCERNED)),
            "untried": self.untried,
            "seconds": round(self.seconds, 3),
            "a_minute": self.a_minute,
            "fates": {name: len(found) for name, found in fates.items()},
            "survived": _write(self.find(Fate.SURVIVED, Fate.UNDECIDED)),
            "equivalent": _write(fates["equivalent"]),
            "stillborn": _write(fates["stillborn"]),
            "kills": {
                path: [each.mutant.name for each in killed] for path, killed in self.kills.items()
            },
        }


def _write(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    return [_write_judgement(each) for each in judgements]


def _write_judgement(judgement: Judgement) -> dict[str, Any]:
    mutant, kept = judgement.mutant, judgement.kept
    written: dict[str, Any] = {
        "name": mutant.name,
        "operator": mutant.operator,
        "rule": mutant.rule,
        "file": mutant.place.name,
        "line": mutant.place.line,
        "column": mutant.place.column,
        "before": mutant.before,
        "after": mutant.after,
    }
    if judgement.fault:
        written["fault"] = judgement.fault
    if kept:
        written |= {
            "question": str(kept.inquiry),
            "fixture": kept.fixture,
            "scenario": kept.scenario,
        }
    return written


def _write_fault(judgement: Judgement) -> str:
    return f" ({judgement.fault})" if judgement.fault else ""
