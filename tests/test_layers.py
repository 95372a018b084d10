"""Who may import what: the table of docs/design.md."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = "authz_service"
MODULES: Final = sorted((ROOT / PACKAGE).rglob("*.py"))

_FOUNDATION: Final = {"errors"}
_SETTINGS: Final = {"addresses", "settings"}
_STORE: Final = _FOUNDATION | _SETTINGS | {"document", "strict_json", "polar"}
_DECISION: Final = _STORE | {"store", "policy"}
_SERVICE: Final = _DECISION | {"decision", "delivery", "storage", "assembly"}

MAY_IMPORT: Final = {
    "": set[str](),
    "errors": set[str](),
    "addresses": set[str](),
    "page": set[str](),
    "settings": _FOUNDATION | {"addresses"},
    "document": _FOUNDATION,
    "strict_json": _FOUNDATION,
    "polar": _FOUNDATION,
    "store": _STORE,
    "policy": _STORE | {"store"},
    "equivalence": _DECISION,
    "delivery": _FOUNDATION | _SETTINGS | {"store"},
    "decision": _DECISION | {"page"},
    "portal": _DECISION | {"decision"},
    "storage": _STORE | {"store"},
    "assembly": _DECISION | {"decision", "delivery", "storage"},
    "scenario": _SERVICE | {"equivalence"},
    "activation": _SERVICE | {"scenario"},
    "mutation": _SERVICE | {"equivalence", "scenario"},
    "reporting": _FOUNDATION | {"page", "polar", "scenario"},
    "coverage": _DECISION | {"equivalence", "page", "scenario"},
    "web": _SERVICE | {"activation"},
    "formatting": _FOUNDATION | {"document", "polar", "policy"},
    "cli": _SERVICE
    | {"equivalence", "scenario", "activation", "mutation", "reporting", "coverage", "web"}
    | {"formatting"},
}

ONLY_IN: Final = {
    "oso": ("policy.oracle",),
    "polar": ("policy.oracle",),
    "flask": ("web",),
    "werkzeug": ("web",),
    "lark": ("polar.reader", "polar.builder"),
    "marshmallow": ("web.wire", "scenario.shape", "scenario.value"),
    "msgspec": ("web.fast", "store.lines", "decision.entry", "policy.asked"),
    "peewee": (
        "store",
        "portal",
        "policy.sql",
        "policy.condition",
        "policy.search",
        "policy.pairs",
        "policy.probe",
        "policy.supposition",
        "policy.vocabulary",
    ),
    "psycopg": ("store.database", "store.url", "store.postgresql", "store.watch"),
    "itsdangerous": ("decision.paging",),
    "yaml": ("document", "formatting.nodes"),
    "click": ("cli",),
    "granian": ("cli.serve",),
    "Crypto": ("activation.signature",),
    "pytest": ("scenario.pytest_plugin",),
    "smtplib": ("delivery.mail",),
}


def name_of(path: Path) -> str:
    """Name a module of the package as the table does: `store.entity`."""
    parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(path: Path) -> Iterator[str]:
    """Find what a module imports, for types or for use, with full names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relative to itself"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_of_ours_go_down_only(path: Path) -> None:
    """A module imports from its own package and from those below it."""
    own = name_of(path).partition(".")[0]
    ours = {name.split(".")[1] for name in imports_of(path) if name.startswith(f"{PACKAGE}.")}

    assert ours - {own} <= MAY_IMPORT[own]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_libraries_stay_where_they_belong(path: Path) -> None:
    """A library is imported by the modules that exist for it, and by no others."""
    own = name_of(path)
    strays = [
        name
        for name in imports_of(path)
        for places in [ONLY_IN.get(name.partition(".")[0])]
        if places and not any(own == place or own.startswith(f"{place}.") for place in places)
    ]

    assert [] == strays


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_settings_reads_the_environment(path: Path) -> None:
    """The environment is read in one place."""
    reads = "environ" in path.read_text() and "os.environ" in path.read_text()

    assert (name_of(path) == "settings") == reads


def test_no_module_is_a_drawer() -> None:
    """No module is called after nothing in particular."""
    drawers = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}

    assert drawers.isdisjoint(path.stem for path in MODULES)


def test_no_module_is_too_long() -> None:
    """A module that needs more than 400 lines is two."""
    long = [name_of(path) for path in MODULES if len(path.read_text().splitlines()) > 400]

    assert [] == long


def test_the_table_in_the_docs_is_this_one() -> None:
    """Each library of the table stands in the docs with its places."""
    text = (ROOT / "docs" / "design.md").read_text()
    missing = [
        place
        for library, places in ONLY_IN.items()
        for place in (library, *places)
        if f"`{place}`" not in text
    ]

    assert [] == missing
