"""What the commands that ask have in common: entities, what is said, the moment, the store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from authz_service import assembly, storage
from authz_service.cli.options import show_warning
from authz_service.decision.freshness import Freshness
from authz_service.decision.log_settings import build_log
from authz_service.decision.reviewer import Reviewer
from authz_service.document import parse_time
from authz_service.errors import HistoryError
from authz_service.policy.engine import Engine
from authz_service.policy.said import CHANNEL, add_channel, read_said
from authz_service.policy.source import load_policies
from authz_service.store.database import Store
from authz_service.store.entity import Reference
from authz_service.store.history import AT, find_moment, refuse_absent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from authz_service.decision.decider import Decider
    from authz_service.decision.explainer import Explainer
    from authz_service.decision.log import DecisionLog
    from authz_service.decision.performer import Performer
    from authz_service.polar.schema import Schema
    from authz_service.policy.request import Said
    from authz_service.settings import Settings
    from authz_service.store.domain import Domain

# What evaluates the policies, the entities, and what tells the time.
_Opened = tuple[Engine, Store, Callable[[], datetime]]
# A revision has 64 bits in the databases.
_MOST_DIGITS: Final = 18


class ReferenceType(click.ParamType[Reference]):
    """An entity on the command line, as `type/id`."""

    name = "TYPE/ID"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Reference:
        """Read `type/id`."""
        try:
            return Reference.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class TimeType(click.ParamType[datetime]):
    """A time with its zone on the command line."""

    name = "TIME"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read a time with its zone."""
        try:
            return parse_time(value)
        except ValueError:
            self.fail(f"`{value}` is not a time such as 2026-01-05T09:00:00Z", param, ctx)


class _MomentType(click.ParamType["int | datetime"]):
    name = "REVISION|TIME"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | datetime:
        """Read a revision, or a time with its zone."""
        if value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
            return int(value)
        try:
            return parse_time(value)
        except ValueError:
            message = "is neither a revision nor a time such as 2026-01-05T09:00:00Z"
            self.fail(f"`{value}` {message}", param, ctx)


@dataclass(frozen=True)
class Circumstances:
    """In which circumstances something is asked.

    Arguments:
        via: the channel; None for none.
        said: what else comes with the question.
        fixture: a fixture file to ask about; None for the database.
        now: what time it is; None for the real time, or for that of the moment.
        min_revision: which revision the store must have reached, whatever moment is asked about.
        at: as of which moment, by its revision or its time; None for what is so now.
    """

    via: str | None
    said: Said
    fixture: Path | None
    now: datetime | None
    min_revision: int
    at: int | datetime | None = None

    @property
    def all_said(self) -> Said:
        """All that comes with the question, the channel included."""
        return add_channel(self.said, self.via)

    @contextmanager
    def open_decider(self, settings: Settings, *named: Reference) -> Iterator[Decider]:
        """Open what answers in these circumstances.

        Arguments:
            settings: of the command.
            named: what it is about; as of a moment, it must have been there then.

        Raises:
            AuthzError: of the part that cannot be used.
        """
        with (
            self._open_at(settings, named) as (engine, store, clock),
            self._open_log(settings, store.domain) as log,
        ):
            yield assembly.build_decider(engine, store.domain, store, clock, settings, log=log)

    @contextmanager
    def open_performer(self, settings: Settings) -> Iterator[tuple[Performer, Schema]]:
        """Open what performs in these circumstances, and the vocabulary.

        Raises:
            AuthzError: of the part that cannot be used.
        """
        with (
            self._open(settings) as (engine, store, clock),
            self._open_log(settings, store.domain) as log,
        ):
            performer = assembly.build_performer(
                engine, store.domain, store, clock, settings, log=log
            )
            yield performer, store.domain.schema

    @contextmanager
    def open_store(self, settings: Settings, domain: Domain) -> Iterator[Store]:
        """Open the entities that are asked about.

        Raises:
            AuthzError: when they cannot be used, or have not reached the revision.
        """
        if self.fixture:
            store = storage.build_fixture_store(self.fixture, domain)
        else:
            store = storage.open_existing_store(settings, domain)
        try:
            Freshness(store).require(self.min_revision)
            yield store
        finally:
            store.close()

    def tell_time(self) -> datetime:
        """Tell what time it is."""
        return self.now or storage.tell_time()

    @contextmanager
    def open_explainer(
        self, settings: Settings, *named: Reference
    ) -> Iterator[tuple[Explainer, Schema]]:
        """Open what explains in these circumstances, and the vocabulary; as above."""
        with self._open_at(settings, named) as (engine, store, clock):
            domain = store.domain
            decider = assembly.build_decider(engine, domain, store, clock, settings)
            compiled = assembly.find_compiled(engine, settings, domain)
            yield assembly.build_explainer(compiled, decider, domain, store, clock), domain.schema

    @contextmanager
    def open_reviewer(self, settings: Settings, *named: Reference) -> Iterator[Reviewer]:
        """Open what reviews in these circumstances, all at one time; as above."""
        with self._open_at(settings, named) as (engine, store, clock):
            now, domain = clock(), store.domain
            decider = assembly.build_decider(engine, domain, store, lambda: now, settings)
            compiled = assembly.find_compiled(engine, settings, domain)
            explainer = assembly.build_explainer(compiled, decider, domain, store, lambda: now)
            yield Reviewer(compiled, decider, explainer, store, now)

    def _open_at(
        self, settings: Settings, named: tuple[Reference, ...]
    ) -> AbstractContextManager[_Opened]:
        if self.at is None:
            return self._open(settings)
        return self._open_past(settings, self.at, named)

    @contextmanager
    def _open_log(self, settings: Settings, domain: Domain) -> Iterator[DecisionLog | None]:
        """Open what notes the decisions: about real entities, at the real time."""
        is_real = self.fixture is None and self.at is None and self.now is None
        log = build_log(settings, domain, storage.tell_time) if is_real else None
        try:
            yield log
        finally:
            if log:
                log.close()

    @contextmanager
    def _open(self, settings: Settings) -> Iterator[_Opened]:
        domain = storage.find_domain(settings.domain)
        engine = assembly.build_engine(settings, domain, show_warning)
        with self.open_store(settings, domain) as store:
            yield engine, store, self.tell_time

    @contextmanager
    def _open_past(
        self, settings: Settings, at: int | datetime, named: tuple[Reference, ...]
    ) -> Iterator[_Opened]:
        if self.fixture:
            message = "a fixture has no history; `--now` moves the clock alone"
            raise HistoryError.at(AT, "no_history", message)
        store = storage.open_existing_store(settings, storage.find_domain(settings.domain))
        try:
            Freshness(store).require(self.min_revision)
            moment = find_moment(store, at, storage.tell_time())
            is_said = click.get_current_context().params["policies"] is not None
            policies = load_policies(settings.policies) if is_said else None
            opened = assembly.open_past(settings, store, moment, policies, show_warning)
            with opened as (engine, past):
                for each in named:
                    refuse_absent(store, moment, past, each)
                yield engine, past, lambda: self.now or moment.at
        finally:
            store.close()


def _read_said(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> Said:
    try:
        said = read_said(texts)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if CHANNEL in said.context:
        raise click.BadParameter(f"`context.{CHANNEL}` has an option of its own; say it with --via")
    return said


def takes_circumstances(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say in which circumstances it asks, now or as of a moment."""
    about = (
        "Ask as of this moment: of what was so then, with the policies and the clock of then."
        " `authz changes` tells the revisions."
    )
    return takes_present(click.option("--at", type=_MomentType(), help=about)(command))


def takes_present(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the same, without the moment: it is about what is so now."""
    options = [
        click.option("--via", metavar="CHANNEL", help="The channel that the request comes by."),
        click.option(
            "--with",
            "said",
            metavar="PART.NAME=VALUE",
            multiple=True,
            callback=_read_said,
            help="What comes with the question, of its subject, action, resource or context; VALUE"
            " is JSON where it parses, else text. Can be given several times.",
        ),
    ]
    return _add(options, takes_state(command))


def takes_state(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say of which entities it asks, and as if at what time."""
    options = [
        click.option(
            "--fixture",
            type=click.Path(path_type=Path),
            help="Ask about the entities of this fixture file instead of the database.",
        ),
        click.option(
            "--min-revision",
            type=click.IntRange(min=0),
            default=0,
            metavar="N",
            help="Ask only if the store has reached this revision.",
        ),
        click.option("--now", type=TimeType(), help="Ask as if it were this time."),
    ]
    return _add(options, command)


def _add(
    options: Sequence[Callable[[Callable[..., None]], Callable[..., None]]],
    command: Callable[..., None],
) -> Callable[..., None]:
    for option in reversed(options):
        command = option(command)
    return command
