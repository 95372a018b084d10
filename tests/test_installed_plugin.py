"""The pytest plugin of the installed package, in the repository of somebody else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Final

import pytest
from installation import clean_environment

ROOT: Final = Path(__file__).parent.parent
FILES: Final = {
    "pytest.ini": "[pytest]\npythonpath = .\naddopts = --strict-markers\nfilterwarnings = error\n",
    "albums.py": """
        import peewee
        from authz_service.store.domain import Domain
        from authz_service.store.entity import Entity

        class Person(Entity):
            name = peewee.TextField()

        class Album(Entity):
            owner = peewee.ForeignKeyField(Person)

        DOMAIN = Domain(
            name="the albums",
            models=(Person, Album),
            subjects=frozenset({"person"}),
            actions={"album": ("view", "share")},
        )
    """,
    "policies/albums.polar": """
        # Albums are for those who own them.
        allow(request: Request, _: String, album: Album) if album.owner = request.subject;
    """,
    "fixtures/family.yaml": """
        person: {ann: {name: Ann}, ben: {name: Ben}}
        album: {holidays: {owner: ann}, wedding: {owner: ann}}
    """,
    "scenarios/albums.yaml": """
        scenario: Owners see their albums
        fixture: family
        tags: albums
        cases:
          - {who: person/ann, on: album/holidays, can: [view, share]}
          - {who: person/ben, on: album/holidays, cannot: view}
          - {who: person/ben, on: album/holidays, can: share, tags: open}
          - {who: person/ann, on: album/wedding, cannot: view, skip: no channels yet}
    """,
    "conftest.py": """
        def pytest_report_header():
            import authz_service
            return f"package: {authz_service.__file__}"
    """,
}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The package as pip installs it, from a copy of what it is built of."""
    source, folder = tmp_path / "source", tmp_path / "installed"
    source.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "authz_service", source / "authz_service", ignore=caches)
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--no-compile"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", folder, source], check=True
    )
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a domain, policies and scenarios of its own."""
    folder = tmp_path / "repository"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())
    return folder


def test_scenarios_of_another_repository_are_run(installed: Path, repository: Path) -> None:
    """By the plugin that comes with the package: items, messages, tags and all."""
    done = subprocess.run(
        # importing hypothesis takes a second
        [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "-rs", "-m", "albums"],
        cwd=repository,
        env=clean_environment() | {"PYTHONPATH": str(installed), "AUTHZ_DOMAIN": "albums"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    start = lines.index("scenarios/albums.yaml:7:48: person/ben share album/holidays")

    assert f"package: {installed}/authz_service/__init__.py" in lines
    assert [
        "  expected: allow",
        "  came:     deny: not_permitted (no rule permits this)",
        (
            "  why:      person/ben may not share on album/holidays: no rule permits this. For"
            " another answer, album holidays would need owner `ben`."
        ),
    ] == lines[start + 1 : start + 4]
    assert any(line.startswith("SKIPPED") and "no channels yet" in line for line in lines)
    assert "1 failed, 3 passed, 1 skipped" in lines[-1]
