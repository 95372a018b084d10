"""What becomes of a mutant: who kills it, and what would."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from authz_service.equivalence.comparison import Bounds, compare_policies
from authz_service.errors import PolicyError
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import check_policies
from authz_service.scenario.affected import find_changed
from authz_service.scenario.kept import keep_difference

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from authz_service.mutation.mutant import Mutant
    from authz_service.mutation.suite import Suite
    from authz_service.policy.plan import Key
    from authz_service.scenario.kept import Kept
    from authz_service.store.domain import Domain

# Milliseconds that a question to a mutant may take, on a store as small as those of scenarios.
LONGEST: Final = 5_000
# Seconds for which a difference is looked for that no scenario sees.
_SEARCH: Final = 20.0
# What is no fault of a mutant: a variable whose other mention is gone, and what drops a condition.
_FORGIVEN: Final = frozenset({"variable_used_once", "never_changes"})
_BROKEN: Final = "query_fails"


class Fate(Enum):
    """What can become of a mutant."""

    KILLED = "killed"
    REFUSED = "refused"
    TIMED_OUT = "timed out"
    STILLBORN = "stillborn"
    EQUIVALENT = "equivalent"
    UNCONCERNED = "unconcerned"
    SURVIVED = "survived"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Judgement:
    """What became of a mutant.

    Arguments:
        mutant: which.
        fate: what.
        killers: the files of the scenarios that fail by it: the first one, or all of them.
        kept: a scenario that would kill it, where it survived.
        fault: why it could not be tried, where it is stillborn.
    """

    mutant: Mutant
    fate: Fate
    killers: tuple[str, ...] = ()
    kept: Kept | None = None
    fault: str = ""


class Judge:
    """Tries mutants.

    Arguments:
        engine: the policies as they are.
        domain: what they are about.
        suite: the scenarios.
        clock: tells the time in seconds.
        actions: the only ones to look at; all of them if none is named.
        all_killers: whether to look for every scenario that kills a mutant.
    """

    def __init__(  # noqa: PLR0913  # what is tried, on what, and how far
        self,
        engine: CompiledEngine,
        domain: Domain,
        suite: Suite,
        clock: Callable[[], float],
        *,
        actions: Collection[str] = (),
        all_killers: bool = False,
    ) -> None:
        self._engine = engine
        self._domain = domain
        self._suite = suite
        self._clock = clock
        self._actions = actions
        self._all_killers = all_killers

    def judge(self, mutant: Mutant) -> Judgement:
        """Try a mutant.

        Raises:
            PolicyError: when its own statements do not bear out what the search found.
        """
        try:
            engine = self._compile(mutant)
        except PolicyError as error:
            is_broken = any(each.code == _BROKEN for each in error.faults)
            fate = Fate.REFUSED if is_broken else Fate.STILLBORN
            return Judgement(mutant, fate, fault=str(error.faults[0]))
        different = find_changed(self._engine, engine).answers
        if not different:
            return Judgement(mutant, Fate.EQUIVALENT)
        keys = [each for each in different if not self._actions or each[1] in self._actions]
        if not keys:
            return Judgement(mutant, Fate.UNCONCERNED)
        killers = []
        for each in self._suite.find_killers(engine, keys):
            killers.append(str(each))
            if not self._all_killers:
                break
        if killers:
            fate = Fate.TIMED_OUT if self._suite.has_timed_out else Fate.KILLED
            return Judgement(mutant, fate, tuple(killers))
        return self._find_scenario(mutant, engine, keys)

    def _compile(self, mutant: Mutant) -> CompiledEngine:
        """Compile a mutant.

        Raises:
            PolicyError: when it is no policy.
        """
        policies = self._engine.policies.change(mutant.file)
        errors = check_policies(policies, self._domain.schema).errors
        serious = [each for each in errors if each.code not in _FORGIVEN]
        if serious:
            raise PolicyError(serious)
        return CompiledEngine(policies, self._domain, LONGEST, alike=self._engine)

    def _find_scenario(
        self, mutant: Mutant, engine: CompiledEngine, keys: Collection[Key]
    ) -> Judgement:
        """Find a scenario that would kill a mutant."""
        verdict = compare_policies(
            self._engine,
            engine,
            self._domain,
            Bounds(seconds=_SEARCH),
            self._clock,
            actions=sorted({action for _, action, _ in keys}),
        )
        if verdict.difference:
            kept = keep_difference(
                self._domain.schema,
                verdict.difference,
                self._engine.policies.folder,
                str(mutant),
                command="authz mutate",
                name=mutant.name,
            )
            return Judgement(mutant, Fate.SURVIVED, kept=kept)
        fate = Fate.UNDECIDED if verdict.left_out else Fate.EQUIVALENT
        return Judgement(mutant, fate)
