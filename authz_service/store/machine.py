"""State machines as data: states, steps, who takes them, and what follows; and how a step is taken.

A step is found by the state that an entity is in and the action. There is no way around the table:
what is not in it cannot be done, whatever the policies say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from authz_service.store.entity import Reference, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authz_service.store.work import Work

WRONG_STATE: Final = "wrong_state"


@dataclass(frozen=True)
class Effect:
    """What follows from a step.

    Arguments:
        says: what it does, for people.
        run: does it; it is given the entity as it was before the step.
    """

    says: str
    run: Callable[[Work, Row], None]


@dataclass(frozen=True)
class Step:
    """A way from one state to another.

    Arguments:
        action: that takes it.
        source: the state before; empty where the entity is made by it.
        target: the state behind it.
        who: takes it, for people; who may is for the policies to say.
        effects: what follows, in this order.
    """

    action: str
    source: str
    target: str
    who: str
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class Machine:
    """The life of one type of entity, or of those of a kind.

    Arguments:
        title: for people.
        type: of the entities.
        steps: all there are.
        kind: what their attribute `kind` is; empty for all.
    """

    title: str
    type: str
    steps: tuple[Step, ...]
    kind: str = ""

    @property
    def start(self) -> Step:
        """The step by which an entity is made."""
        return next(each for each in self.steps if not each.source)

    def begin(self, work: Work, values: Mapping[str, Any]) -> None:
        """Make an entity, by the first step.

        Arguments:
            work: of the action that is performed.
            values: of the entity, without its status.
        """
        reference = Reference(self.type, work.new_id())
        row = Row(reference, {**values, "status": self.start.target})
        work.writer.insert(row)
        for effect in self.start.effects:
            effect.run(work, row)

    def find(self, state: str, action: str) -> Step | None:
        """Find the step that an action takes from a state."""
        found = (each for each in self.steps if (each.source, each.action) == (state, action))
        return next(found, None)


def draw(machine: Machine) -> str:
    """Draw a machine, as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for step in machine.steps:
        source = step.source or "[*]"
        lines.append(f"    {source} --> {step.target}: {step.action}")
    sources = {step.source for step in machine.steps}
    ends = dict.fromkeys(step.target for step in machine.steps if step.target not in sources)
    return "\n".join([*lines, *(f"    {each} --> [*]" for each in ends)])


@dataclass(frozen=True)
class Taking:
    """Performs an action on an entity by taking a step of its machine.

    Arguments:
        machines: of the type, one for each kind.
    """

    machines: tuple[Machine, ...]

    def __call__(self, work: Work) -> None:
        """Take the step, or refuse it where the state has none."""
        row = work.writer.get(work.resource)
        step = self._find(row, work.action)
        if step is None:
            work.refuse(WRONG_STATE, f"it is {row.values['status']}, where this cannot be done")
        work.writer.update(work.resource, status=step.target)
        for effect in step.effects:
            effect.run(work, row)

    def _find(self, row: Row, action: str) -> Step | None:
        for machine in self.machines:
            if machine.kind in {"", row.values.get("kind", "")}:
                return machine.find(row.values["status"], action)
        return None
