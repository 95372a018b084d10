"""The store in SQLite, in a file and in memory, and the URLs of stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from store_suite import LIBRARY, MARY, SharedStoreSuite, StoreSuite, add, reader

from authz_service.errors import Fault, Place, StoreError
from authz_service.store.database import open_store
from authz_service.store.url import MEMORY, find_missing_file

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunSql


class TestSqliteFile(SharedStoreSuite):
    """The contract, in a SQLite file."""

    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        """A new file."""
        return sqlite_url


class TestSqliteMemory(StoreSuite):
    """The contract, in memory."""

    @pytest.fixture
    def url(self) -> str:
        """Memory, new each time."""
        return MEMORY


def test_two_stores_in_memory_know_nothing_of_each_other() -> None:
    """A store in memory is its own."""
    one, other = open_store(MEMORY, LIBRARY), open_store(MEMORY, LIBRARY)
    with one.transaction():
        one.create_tables()
    found = other.has_tables()
    one.close()
    other.close()

    assert not found


def test_two_files_are_open_at_once(tmp_path: Path) -> None:
    """Two stores of one domain live side by side."""
    one = open_store(f"sqlite:///{tmp_path}/one.db", LIBRARY)
    other = open_store(f"sqlite:///{tmp_path}/other.db", LIBRARY)
    for store in (one, other):
        with store.transaction():
            store.create_tables()
    add(one, reader("mary"))
    found = (one.find(MARY) is not None, other.find(MARY) is not None)
    one.close()
    other.close()
    expected = (True, False)

    assert expected == found


def test_a_relative_path_starts_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL with three slashes names a file from the working folder; its folders are made."""
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///var/lib/portal.db", LIBRARY)
    store.has_tables()
    store.close()

    assert (tmp_path / "var" / "lib" / "portal.db").is_file()


@pytest.mark.parametrize("in_place", [True, False])
def test_a_file_is_read_in_place_or_not(tmp_path: Path, *, in_place: bool) -> None:
    """SQLite maps the file into memory only where it is told to read in place."""
    store = open_store(f"sqlite:///{tmp_path}/portal.db", LIBRARY, in_place=in_place)
    [(size,)] = store.execute({"sqlite": "PRAGMA mmap_size"}, [], 1_000)
    store.close()

    assert in_place == (size > 0)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "portal.db",
        "sqlite:///",
        "sqlite://portal.db",
        "mysql://host/portal",
        "sqlite:portal.db",
    ],
)
def test_what_is_no_database_is_refused(url: str) -> None:
    """A URL of another form is refused with the forms that there are."""
    message = "is no URL of a database; write `sqlite:///PATH` or `postgresql://USER@HOST/NAME`"
    expected = (Fault(Place("database"), "unknown_database", message),)

    with pytest.raises(StoreError) as caught:
        open_store(url, LIBRARY)

    assert expected == caught.value.faults


def test_a_refused_url_keeps_its_password_to_itself() -> None:
    """A message about a URL of an unknown kind does not show the password in it."""
    with pytest.raises(StoreError) as caught:
        open_store("postgres://philip:swordfish@host/portal", LIBRARY)

    assert "swordfish" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A path below a file is refused."""
    (tmp_path / "file").touch()
    expected = (Fault(Place(f"{tmp_path}/file"), "no_folder", "cannot be made: File exists"),)

    with pytest.raises(StoreError) as caught:
        open_store(f"sqlite:///{tmp_path}/file/portal.db", LIBRARY)

    assert expected == caught.value.faults


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """A file of another kind is refused with its name."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear Mary, " * 100, encoding="utf-8")
    message = "the database cannot be used: file is not a database"
    expected = (Fault(Place(str(path)), "database_error", message),)
    store = open_store(f"sqlite:///{path}", LIBRARY)

    with pytest.raises(StoreError) as caught:
        store.has_tables()

    assert expected == caught.value.faults


class TestForeignDatabaseInFile:
    """Whose database it is, in messages."""

    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        """A new file."""
        return sqlite_url

    def test_a_database_of_somebody_else_is_named(self, url: str, run_sql: RunSql) -> None:
        """A file with the tables of somebody else is refused by its path."""
        run_sql("CREATE TABLE album (id TEXT)")
        store = open_store(url, LIBRARY)

        with pytest.raises(StoreError) as caught:
            store.has_tables()
        store.close()

        assert [Place(url.removeprefix("sqlite:///"))] == [
            fault.where for fault in caught.value.faults
        ]


def test_a_missing_file_is_found_missing(tmp_path: Path) -> None:
    """A SQLite URL whose file is not there gives its path."""
    path = tmp_path / "portal.db"

    assert path == find_missing_file(f"sqlite:///{path}")


def test_a_file_that_is_there_is_not_missing(tmp_path: Path) -> None:
    """A SQLite URL whose file is there gives nothing."""
    path = tmp_path / "portal.db"
    path.touch()

    assert find_missing_file(f"sqlite:///{path}") is None


@pytest.mark.parametrize("url", [MEMORY, "postgresql://host/portal"])
def test_what_is_no_file_is_not_missing(url: str) -> None:
    """A URL that names no file gives nothing."""
    assert find_missing_file(url) is None


def test_looking_for_a_file_makes_none(tmp_path: Path) -> None:
    """A look for a missing file leaves the folder as it was."""
    find_missing_file(f"sqlite:///{tmp_path}/var/portal.db")

    assert not list(tmp_path.iterdir())
