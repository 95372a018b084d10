"""How the tables of MyProximus came to be what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from authz_service.portal.entities import LANGUAGES
from authz_service.portal.token import OneTimeToken
from authz_service.store.migration import Migration, add_column

if TYPE_CHECKING:
    import peewee

    from authz_service.store.domain import Domain
    from authz_service.store.migration import TableMaker


def _add_tokens(database: peewee.Database, tables: TableMaker, _domain: Domain) -> None:
    words = ", ".join(f"'{each}'" for each in LANGUAGES)
    check = f"CHECK (language IN ({words}))"
    add_column(database, "person", f"\"language\" TEXT NOT NULL DEFAULT 'en' {check}")
    tables.create_one(OneTimeToken)


MIGRATIONS: Final = (Migration(1, "the language of people, and one-time tokens", _add_tokens),)
