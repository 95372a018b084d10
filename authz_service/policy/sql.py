"""Clauses into statements: one tree for each question, written in the dialect of either database.

Beside the answer stands the revision of the state from which it is. Each set of clauses is a digit
of one text, so that one statement gives the decision and all
reasons. Subject and resource are rows of the outermost query; their ids are bound parameters, as is
everything that comes with the question. What a policy says itself stands in the text. For many
questions of one kind, what would be bound stands in a table of values instead, with a line for each
question; their answers come as one text, for each row that SQLite gives out costs Python the lock
that its threads share.

The subject's own row is looked for only when nothing else shows that it is there: a row that refers
to it does, for the database lets no reference lead nowhere.

An example, `subscription.holder = person` and a forbid if `not subscription.kind = "mobile"`:

    SELECT CASE WHEN "resource"."holder_id" = ? THEN '2' WHEN
        EXISTS(SELECT 1 FROM "person" AS "subject" WHERE "subject"."id" = ?) THEN '1' ELSE '0' END
        || CASE WHEN NOT "resource"."kind" = 'mobile' THEN '1' ELSE '0' END
    FROM "subscription" AS "resource" WHERE "resource"."id" = ?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import peewee

from authz_service.policy.clauses import ID, RESOURCE, SUBJECT, find_columns
from authz_service.policy.condition import (
    ASKED,
    POSTGRESQL,
    SQLITE,
    ConditionWriter,
    join,
    words,
)
from authz_service.policy.pairs import PairsWriter
from authz_service.policy.search import SearchWriter
from authz_service.store.entity import type_name
from authz_service.store.system import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from authz_service.policy.clauses import Clause
    from authz_service.policy.condition import Slot
    from authz_service.policy.parts import Part
    from authz_service.store.entity import Entity

# What joins the texts of several rows.
_JOINED: Final = {SQLITE: "group_concat", POSTGRESQL: "string_agg"}


@dataclass(frozen=True)
class Statement:
    """A statement in both dialects.

    Arguments:
        texts: by dialect.
        slots: what to bind, in order; the same for both.
    """

    texts: Mapping[str, str]
    slots: tuple[str, ...]


class StatementBuilder:
    """Builds the statements of the questions about one domain.

    Arguments:
        models: the entities.
    """

    def __init__(self, models: Iterable[type[Entity]]) -> None:
        self.models = {type_name(model): model for model in models}
        self._known: dict[tuple[str, str], Statement] = {}
        self._writers = [
            _Writer(self.models, SQLITE, peewee.SqliteDatabase(None)),
            _Writer(self.models, POSTGRESQL, peewee.PostgresqlDatabase(None)),
        ]

    def decide(
        self, subject: str, resource: str, questions: Sequence[Sequence[Clause]]
    ) -> Statement:
        """Build what gives one row, a text with a digit for each of the questions: does it hold.

        Beside it stands the revision of the store.

        Of the first it says 2 when it holds, 1 when not, and 0 when not, there being no such
        subject. It gives no row where there is no such resource; there may be none as well where
        there is no such subject.
        """
        return self._build(lambda writer: writer.decide(subject, resource, questions))

    def decide_many(
        self, subject: str, resource: str, questions: Sequence[Sequence[Clause]], count: int
    ) -> Statement:
        """Build the same for several requests at once.

        It binds, for each request, a number and then the slots. It gives one row, a text in which
        each answer follows its number and a colon, with commas between them, null for no answer;
        and the revision of the store.
        """
        texts = {
            writer.dialect: writer.decide_many(subject, resource, questions, count)
            for writer in self._writers
        }
        slots = self.decide(subject, resource, questions).slots
        return Statement(texts, tuple(dict.fromkeys(slots)))

    def is_known(self, subject: str, resource: str) -> Statement:
        """Build what gives one row: is there the subject, is there the resource, the revision."""
        types = subject, resource
        if types not in self._known:  # it is the same for all actions
            self._known[types] = self._build(lambda writer: writer.is_known(*types))
        return self._known[types]

    def search(
        self,
        subject: str,
        resource: str,
        searched: str,
        allowed: Sequence[Clause],
        forbidden: Sequence[Sequence[Clause]],
    ) -> Statement:
        """Build what lists the ids of the subjects, or of the resources, that are allowed.

        Arguments:
            subject: its type.
            resource: its type.
            searched: which of the two is open, `subject` or `resource`.
            allowed: one of these must hold.
            forbidden: none of these may.
        """
        given = RESOURCE if searched == SUBJECT else SUBJECT
        types = {SUBJECT: subject, RESOURCE: resource}
        return self._build(
            lambda writer: SearchWriter(self.models, writer.dialect, given, searched, types).write(
                allowed, forbidden
            )
        )

    def build(self, write: Callable[[ConditionWriter], peewee.Node]) -> Statement:
        """Build any statement, of what writes conditions in either dialect."""
        return self._build(lambda writer: write(writer.conditions))

    def pairs(self, subject: str, resource: str, part: Part) -> Statement:
        """Build what counts the pairs of a part of a difference, and lists the first of them."""
        types = {SUBJECT: subject, RESOURCE: resource}
        return self._build(
            lambda writer: PairsWriter(self.models, writer.dialect, types).write_pairs(part)
        )

    def ends(self, subject: str, resource: str, part: Part) -> Statement:
        """Build what gives one row: how many subjects a product has, and how many resources."""
        types = {SUBJECT: subject, RESOURCE: resource}
        return self._build(
            lambda writer: PairsWriter(self.models, writer.dialect, types).write_ends(part)
        )

    def _build(self, write: Callable[[_Writer], peewee.Node]) -> Statement:
        texts: dict[str, str] = {}
        slots: tuple[Slot, ...] = ()
        for writer in self._writers:
            texts[writer.dialect], slots = writer.read(write(writer))
        return Statement(texts, tuple(each.name for each in slots))


class _Writer:
    """Writes statements in one dialect.

    Arguments:
        models: by type.
        dialect: one of those above.
        database: of that dialect; it is never opened.
        columns: where in the table of values something stands that would be bound, by its name.
    """

    def __init__(
        self,
        models: Mapping[str, type[Entity]],
        dialect: str,
        database: peewee.Database,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        self._models = models
        self.dialect = dialect
        self._database = database
        self._is_many = bool(columns)
        self.conditions = ConditionWriter(models, dialect, columns or {})

    def read(self, query: peewee.Node) -> tuple[str, tuple[Slot, ...]]:
        """Read the text of a query and what it binds."""
        text, parameters = self._database.get_sql_context().parse(query)
        return text, tuple(parameters)

    def decide(
        self, subject: str, resource: str, questions: Sequence[Sequence[Clause]]
    ) -> peewee.Select:
        rows = self._outer_rows(subject, resource)
        first, *answers = [self.conditions.any(clauses, rows) for clauses in questions]
        unless: list[peewee.Node | str] = ["ELSE '1'"]
        if SUBJECT in rows and _is_known_by_reference(questions):
            unless = ["WHEN", self._exists(SUBJECT, rows.pop(SUBJECT)), "THEN '1' ELSE '0'"]
        sources = list(rows.values())
        digits = [words("CASE WHEN", first, "THEN '2'", *unless, "END")]
        digits += [words("CASE WHEN", each, "THEN '1' ELSE '0' END") for each in answers]
        answer = join(digits, " || ")
        if self._is_many:
            sources.insert(0, peewee.Entity(ASKED))
            numbered = words(peewee.Entity(ASKED, "number"), "|| ':' ||", answer)
            answer = peewee.Function(_JOINED[self.dialect], (numbered, peewee.SQL("','")))
        has_ids = [self._has_id(name, row) for name, row in rows.items()]
        query = peewee.Select(sources, [answer, _revision()])
        return query.where(join(has_ids, " AND ")) if has_ids else query

    def decide_many(
        self, subject: str, resource: str, questions: Sequence[Sequence[Clause]], count: int
    ) -> str:
        _, slots = self.read(self.decide(subject, resource, questions))
        types = {each.name: each.type for each in slots}
        columns = {name: f"value_{number}" for number, name in enumerate(types)}
        writer = _Writer(self._models, self.dialect, self._database, columns)
        text, _ = self.read(writer.decide(subject, resource, questions))
        names = ", ".join(f'"{name}"' for name in ("number", *columns.values()))
        lines = self._lines(["BIGINT", *types.values()], count)
        return f'WITH "{ASKED}" ({names}) AS (VALUES {lines}) {text}'

    def _lines(self, types: Sequence[str], count: int) -> str:
        """Write lines of values that are bound; for PostgreSQL, the first says of what types."""
        mark = "?" if self.dialect == SQLITE else "%s"
        plain = f"({', '.join(mark for _ in types)})"
        typed = f"({', '.join(f'CAST({mark} AS {each})' for each in types)})"
        first = plain if self.dialect == SQLITE else typed
        return ", ".join([first, *[plain] * (count - 1)])

    def is_known(self, subject: str, resource: str) -> peewee.Select:
        rows = self._outer_rows(subject, resource)
        known = [
            self._exists(name, rows[name]) if name in rows else peewee.SQL("TRUE")
            for name in (SUBJECT, RESOURCE)
        ]
        return peewee.Select(columns=[*known, _revision()])

    def _outer_rows(self, subject: str, resource: str) -> dict[str, Any]:
        """Find the rows of a question; what is not stored has none."""
        models = {SUBJECT: self._models[subject], RESOURCE: self._models[resource]}
        return {name: model.alias(name) for name, model in models.items() if model.stored}

    def _exists(self, name: str, row: Any) -> peewee.Node:
        found = peewee.Select([row], [peewee.SQL("1")]).where(self._has_id(name, row))
        return peewee.fn.EXISTS(found)

    def _has_id(self, name: str, row: Any) -> peewee.Node:
        return words(
            peewee.Column(row, row.model.id.column_name), "=", self.conditions.given(f"?{name}")
        )


def _revision() -> peewee.Select:
    """Read the revision of the state that is asked: once, however many rows are looked at."""
    return State.select(State.revision)


def _is_known_by_reference(questions: Sequence[Sequence[Clause]]) -> bool:
    """Tell whether the subject's own row is not needed: other rows refer to it, or it is denied."""
    columns = (
        column
        for clauses in questions
        for clause in clauses
        for condition in clause.conditions
        for column in find_columns(condition)
    )
    has_own = any(each.alias.name == SUBJECT and each.name != ID for each in columns)
    return not has_own and all(clause.implies_subject for clause in questions[0])
