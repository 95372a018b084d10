"""What tests perform with: the portal's policies, compiled once, and deeds on the web."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authz_service import assembly
from authz_service.decision.performer import Deed
from authz_service.policy.request import Said, build_request
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.store.database import open_store
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from authz_service.decision.performer import Performer
    from authz_service.policy.engine import Engine
    from authz_service.store.database import Store

ROOT: Final = Path(__file__).parent.parent
SETTINGS: Final = replace(Settings(), policies=ROOT / "policies")
WEB: Final = Said(context={"channel": "web"})


@functools.cache
def build_portal_engine() -> Engine:
    """Compile the portal's policies."""
    return assembly.build_compiled(SETTINGS, DOMAIN)


def open_performer(url: str) -> tuple[Store, Performer]:
    """Open a store of the portal, and what performs on it."""
    store = open_store(url, DOMAIN)
    return store, assembly.build_performer(build_portal_engine(), DOMAIN, store)


def make_deed(who: str, action: str, on: str, key: str = "") -> Deed:
    """Make a deed of what somebody does on something, by the web."""
    asked = Reference.parse(who), action, Reference.parse(on)
    return Deed(build_request(DOMAIN.schema, *asked, WEB), key=key)
