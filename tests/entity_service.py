"""The service over the company of Smith in any database, called as those call it who write."""

from __future__ import annotations

import functools
import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from portal_service import JSON, POLICIES, SMITH, Answer

from authz_service import assembly, storage
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.store.database import open_store
from authz_service.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask import Flask

    from authz_service.policy.engine import Engine
    from authz_service.store.database import Store

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
LINES: Final = "application/jsonl"
MARY: Final = "/v1/entities/person/mary"
ANN: Final = "/v1/entities/person/ann"
ABOUT_ANN: Final = {"name": "Ann", "email": "ann@smith.example"}


@dataclass(frozen=True)
class EntityService:
    """A service, and what is behind it."""

    app: Flask
    store: Store

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Answer:
        """Call it."""
        response = self.app.test_client().open(
            path, method=method, data=body, headers=headers, content_type=content_type
        )
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, found, response.get_data(as_text=True))

    def put(self, path: str, attributes: Any, **headers: str) -> Answer:
        """Put an entity; `if_match` is the header of that name."""
        body = json.dumps({"attributes": attributes}).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("PUT", path, body, named, JSON)

    def post(self, *lines: Any, content_type: str = LINES) -> Answer:
        """Post lines; what is no text is written as JSON."""
        texts = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]
        return self.call("POST", "/v1/entities", b"\n".join(texts), None, content_type)

    def read(self, path: str) -> Any:
        """Read an entity, or the error."""
        return self.call("GET", path).data


def line(kind: str, entity_id: str, /, **attributes: Any) -> dict[str, Any]:
    """Write an entity as a line has it."""
    return {"type": kind, "id": entity_id, "attributes": attributes}


@functools.cache
def _build_engine() -> Engine:
    """Build what decides, once: it knows no store."""
    return assembly.build_engine(replace(Settings(), policies=POLICIES), DOMAIN)


@contextmanager
def open_service(url: str, **changes: Any) -> Iterator[EntityService]:
    """Build the service, whose clock stands still, over a new store with the company in it."""
    settings = replace(Settings(), policies=POLICIES, database=url, **changes)
    store = open_store(url, DOMAIN)
    try:
        storage.create_store(store, DOMAIN, [SMITH])
        service = assembly.put_together(settings, DOMAIN, _build_engine(), store, lambda: NOW)
        yield EntityService(create_app(service), store)
    finally:
        store.close()
