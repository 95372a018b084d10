"""What the commands that ask have in common: entities, what is said, the time, the store."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from authz_service import assembly, storage
from authz_service.cli.options import show_warning
from authz_service.decision.freshness import Freshness
from authz_service.document import parse_time
from authz_service.policy.said import CHANNEL, add_channel, read_said
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authz_service.decision.decider import Decider
    from authz_service.decision.explainer import Explainer
    from authz_service.decision.performer import Performer
    from authz_service.decision.reviewer import Reviewer
    from authz_service.polar.schema import Schema
    from authz_service.policy.engine import Engine
    from authz_service.policy.request import Said
    from authz_service.settings import Settings
    from authz_service.store.database import Store
    from authz_service.store.domain import Domain


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


class _TimeType(click.ParamType[datetime]):
    name = "TIME"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read a time with its zone."""
        try:
            return parse_time(value)
        except ValueError:
            self.fail(f"`{value}` is not a time such as 2026-01-05T09:00:00Z", param, ctx)


@dataclass(frozen=True)
class Circumstances:
    """In which circumstances something is asked.

    Arguments:
        via: the channel; None for none.
        said: what else comes with the question.
        fixture: a fixture file to ask about; None for the database.
        at: what time it is; None for the real time.
        min_revision: which revision the entities must have reached.
    """

    via: str | None
    said: Said
    fixture: Path | None
    at: datetime | None
    min_revision: int

    @property
    def all_said(self) -> Said:
        """All that comes with the question, the channel included."""
        return add_channel(self.said, self.via)

    @contextmanager
    def open_decider(self, settings: Settings) -> Iterator[Decider]:
        """Open what answers in these circumstances.

        Raises:
            AuthzError: of the part that cannot be used.
        """
        with self._open(settings) as (engine, domain, store):
            decider = assembly.build_decider(engine, domain, store, self._clock, settings)
            decider.open_freshness().require(self.min_revision)
            yield decider

    @contextmanager
    def open_performer(self, settings: Settings) -> Iterator[tuple[Performer, Schema]]:
        """Open what performs in these circumstances, and the vocabulary.

        Raises:
            AuthzError: of the part that cannot be used.
        """
        with self._open(settings) as (engine, domain, store):
            performer = assembly.build_performer(engine, domain, store, self._clock, settings)
            yield performer, domain.schema

    @contextmanager
    def open_explainer(self, settings: Settings) -> Iterator[tuple[Explainer, Schema]]:
        """Open what explains in these circumstances, and the vocabulary.

        Raises:
            AuthzError: of the part that cannot be used.
        """
        with self._open(settings) as (engine, domain, store):
            decider = assembly.build_decider(engine, domain, store, self._clock, settings)
            decider.open_freshness().require(self.min_revision)
            compiled = assembly.find_compiled(engine, settings, domain)
            yield (
                assembly.build_explainer(compiled, decider, domain, store, self._clock),
                domain.schema,
            )

    @contextmanager
    def open_reviewer(self, settings: Settings) -> Iterator[Reviewer]:
        """Open what reviews in these circumstances.

        Raises:
            AuthzError: of the part that cannot be used.
        """
        with self._open(settings) as (engine, domain, store):
            Freshness(store).require(self.min_revision)
            yield assembly.build_reviewer(engine, domain, store, self._clock, settings)

    def _clock(self) -> datetime:
        return self.at or storage.tell_time()

    @contextmanager
    def _open(self, settings: Settings) -> Iterator[tuple[Engine, Domain, Store]]:
        domain = storage.find_domain(settings.domain)
        engine = assembly.build_engine(settings, domain, show_warning)
        if self.fixture:
            store = storage.build_fixture_store(self.fixture, domain)
        else:
            store = storage.open_existing_store(settings, domain)
        try:
            yield engine, domain, store
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
    """Give a command the options that say in which circumstances it asks."""
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
            help="Ask only if the entities have reached this revision.",
        ),
        click.option("--at", type=_TimeType(), help="Ask as if it were this time."),
    ]
    for option in reversed(options):
        command = option(command)
    return command
