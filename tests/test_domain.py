"""A domain's schema, and its promises as the databases speak of them."""

from __future__ import annotations

import dataclasses
from typing import Final

import peewee
import pytest
from store_suite import LIBRARY, ONE_ATLAS, Book, Reader

from authz_service.polar.schema import STRING, Attribute
from authz_service.store.domain import Domain, Promise

ONE_NAME: Final = Promise("one_name", Reader, ("name",), "a name belongs to one reader")


@pytest.mark.parametrize(
    ("expected", "promise"),
    [
        ('CREATE UNIQUE INDEX "one_name" ON "reader" ("name")', ONE_NAME),
        (
            (
                'CREATE UNIQUE INDEX "one_atlas_per_reader" ON "book" ("keeper_id", "kind")'
                " WHERE kind = 'atlas'"
            ),
            ONE_ATLAS,
        ),
    ],
)
def test_a_promise_is_a_unique_index(expected: str, promise: Promise) -> None:
    """A promise is held by an index of its name, over the rows that it is about."""
    assert expected == promise.index_sql


@pytest.mark.parametrize(
    "said",
    [
        "UNIQUE constraint failed: book.keeper_id, book.kind",
        (
            'duplicate key value violates unique constraint "one_atlas_per_reader"\n'
            "DETAIL:  Key (keeper_id, kind)=(mary, atlas) already exists.\n"
        ),
    ],
    ids=["SQLite", "PostgreSQL"],
)
def test_a_promise_is_known_by_the_complaint(said: str) -> None:
    """A promise is named by PostgreSQL with its code and by SQLite with its columns."""
    assert ONE_ATLAS.is_named_in(peewee.IntegrityError(said))


@pytest.mark.parametrize(
    "said",
    [
        "UNIQUE constraint failed: book.keeper_id",
        "UNIQUE constraint failed: book.keeper_id, book.kind, book.title",
        "UNIQUE constraint failed: book.title, book.keeper_id, book.kind",
        "UNIQUE constraint failed: reader.keeper_id, reader.kind",
        "FOREIGN KEY constraint failed",
        'duplicate key value violates unique constraint "one_atlas_per_reader_and_year"',
        (
            'duplicate key value violates unique constraint "book_pkey"\n'
            "DETAIL:  Key (id)=(one_atlas_per_reader) already exists.\n"
        ),
    ],
)
def test_another_complaint_is_about_something_else(said: str) -> None:
    """A complaint about other columns or another index is not taken for the promise."""
    assert not ONE_ATLAS.is_named_in(peewee.IntegrityError(said))


def test_a_domain_reads_its_schema_off_its_models() -> None:
    """A domain's schema has its types, subjects, actions, context and parameters."""
    channel, reason = Attribute("channel", STRING), Attribute("reason", STRING)
    schema = dataclasses.replace(LIBRARY, context=(channel,), parameters=(reason,)).schema

    assert {"reader", "book"} == set(schema.types)
    assert schema.subjects == {"reader"}
    assert {"reader": (), "book": ("borrow",)} == {
        name: each.actions for name, each in schema.types.items()
    }
    assert {"channel": channel} == schema.context
    assert {"reason": reason} == schema.parameters


def test_a_domain_may_be_without_context_and_promises() -> None:
    """A domain says no more than what it has."""
    domain = Domain("plain", (Reader, Book), frozenset({"reader"}), {})

    assert ({}, {}, ()) == (domain.schema.context, domain.schema.parameters, domain.promises)
