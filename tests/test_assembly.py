"""Parts put together into a service."""

from __future__ import annotations

import dataclasses
import importlib.util
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import small_domain

from authz_service import assembly, storage
from authz_service.document import parse_document
from authz_service.errors import FixtureError, PolicyError, SettingError, StoreError
from authz_service.policy.request import Request, read_given
from authz_service.policy.source import load_policies
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.store.database import open_store
from authz_service.store.entity import Reference
from authz_service.web.app import create_app

if TYPE_CHECKING:
    from authz_service.store.database import Store

ROOT: Final = Path(__file__).parent.parent
SMITH: Final = ROOT / "fixtures" / "smith.yaml"
PHILIP: Final = Reference("person", "philip")
ROSE: Final = Reference("person", "rose")
MOBILE: Final = Reference("subscription", "0470000001")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the database is going to be, in a folder that is not there yet."""
    return tmp_path / "var" / "portal.db"


@pytest.fixture
def settings(file: Path) -> Settings:
    """The settings of the project, with a database of the test's own."""
    return Settings(database=f"sqlite:///{file}", policies=ROOT / "policies")


@pytest.fixture
def rose(tmp_path: Path) -> Path:
    """A fixture of one person."""
    path = tmp_path / "rose.yaml"
    path.write_text("person:\n  rose: {name: Rose, email: rose@x.example, mobile: null}\n")
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A fixture of which only the first half is right."""
    path = tmp_path / "broken.yaml"
    path.write_text(
        "person:\n  iris: {name: Iris, email: iris@x.example, mobile: null}\n"
        "subscription:\n  tv-9: {customer: nobody, kind: tv}\n"
    )
    return path


def open_settings(settings: Settings) -> Store:
    """Open the database of the settings, whatever is in it."""
    return open_store(settings.database, DOMAIN)


def test_a_domain_is_found_by_its_package() -> None:
    """The portal and any other domain are found by name."""
    assert DOMAIN is storage.find_domain("authz_service.portal")
    assert small_domain.DOMAIN is storage.find_domain("small_domain")


@pytest.mark.parametrize(
    ("said", "package"),
    [
        ("`nowhere` cannot be imported: No module named 'nowhere'", "nowhere"),
        ("`authz_service.nothing` cannot be imported", "authz_service.nothing"),
        ("`authz_service/portal` cannot be imported", "authz_service/portal"),
        ("`.portal` cannot be imported", ".portal"),
        ("`authz_service` has no `DOMAIN`; name the package of a domain", "authz_service"),
        ("`json` has no `DOMAIN`; name the package of a domain", "json"),
    ],
)
def test_what_is_no_domain_is_refused(said: str, package: str) -> None:
    """A package that is not there, and one without a domain, are errors of the setting."""
    with pytest.raises(SettingError) as caught:
        storage.find_domain(package)

    (fault,) = caught.value.faults
    assert ("domain", "unknown_domain") == (str(fault.where), fault.code)
    assert said in fault.message


def test_a_package_whose_domain_is_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`DOMAIN` has to be a domain."""
    (tmp_path / "another_domain.py").write_text('DOMAIN = "example.org"\n')
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(SettingError, match="`another_domain` has no `DOMAIN`"):
        storage.find_domain("another_domain")


def test_an_engine_has_the_policies_of_the_settings(settings: Settings) -> None:
    """The digest of the engine is that of the folder."""
    engine = assembly.build_engine(settings, DOMAIN)

    assert load_policies(settings.policies).digest == engine.policy_digest


def test_policies_of_another_domain_are_refused(settings: Settings) -> None:
    """An engine does not start with policies that name what the domain does not have."""
    with pytest.raises(PolicyError, match="there is no type"):
        assembly.build_engine(settings, small_domain.DOMAIN)


def test_the_time_has_its_zone() -> None:
    """The clock of this machine is read in UTC."""
    before = datetime.now(UTC)
    told = storage.tell_time()

    assert timedelta(0) == told.utcoffset()
    assert before <= told <= datetime.now(UTC)


def test_a_service_answers(settings: Settings) -> None:
    """A service decides over the store of its settings, by their policies."""
    storage.load_into_store(settings, [SMITH])
    service = assembly.build_service(settings)
    given = read_given(DOMAIN.schema, {}, {})
    decision = service.decider.check(Request(PHILIP, "view_bills", MOBILE, given))
    service.store.close()

    assert decision.allowed
    assert (settings, DOMAIN) == (service.settings, service.domain)


def test_a_service_needs_everything(tmp_path: Path, settings: Settings) -> None:
    """Each part that cannot be used keeps a service from being built."""
    storage.load_into_store(settings, [SMITH])

    with pytest.raises(SettingError):
        assembly.build_service(dataclasses.replace(settings, domain="json"))
    with pytest.raises(PolicyError):
        assembly.build_service(dataclasses.replace(settings, policies=tmp_path / "none"))
    with pytest.raises(StoreError):
        assembly.build_service(dataclasses.replace(settings, database="sqlite:///nowhere/p.db"))


def test_a_store_that_is_not_there_is_not_made(settings: Settings, file: Path) -> None:
    """Opening a store for questions does not make a file, and says what does."""
    with pytest.raises(StoreError) as caught:
        storage.open_existing_store(settings, DOMAIN)

    assert (
        f"sqlite:///{file}: there is no such file; `authz load FILE...` makes it [no_database]"
    ) == str(caught.value)
    assert not file.exists()


def test_a_store_in_memory_is_refused(settings: Settings) -> None:
    """A store that begins and ends with a command has nothing to ask about."""
    with pytest.raises(StoreError, match="so it holds nothing; name a file"):
        storage.open_existing_store(
            dataclasses.replace(settings, database="sqlite:///:memory:"), DOMAIN
        )


def test_a_store_without_tables_is_refused(settings: Settings, file: Path) -> None:
    """An empty database is not a store in which nobody may do anything."""
    file.parent.mkdir()
    file.touch()

    with pytest.raises(StoreError) as caught:
        storage.open_existing_store(settings, DOMAIN)

    assert f"sqlite:///{file}: holds no entities; `authz load FILE...` fills it [no_tables]" == str(
        caught.value
    )


def test_a_store_of_somebody_else_is_refused(settings: Settings, file: Path) -> None:
    """A database with other tables is left alone."""
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE person (id)")

    with pytest.raises(StoreError, match="it is not a store of MyProximus"):
        storage.open_existing_store(settings, DOMAIN)


def test_a_file_that_is_no_database_is_refused(settings: Settings, file: Path) -> None:
    """A file of another kind is an error of the store."""
    file.parent.mkdir()
    file.write_bytes(b"person: nobody\n" * 1000)

    with pytest.raises(StoreError, match="the database cannot be used"):
        storage.open_existing_store(settings, DOMAIN)


def test_loading_makes_the_store(settings: Settings, file: Path, rose: Path) -> None:
    """Loading makes folder, file and tables, and counts the entities."""
    count = storage.load_into_store(settings, [rose])
    store = storage.open_existing_store(settings, DOMAIN)
    found = store.find(ROSE)
    store.close()

    assert 1 == count
    assert file.exists()
    assert found is not None


def test_loading_adds_to_the_store(settings: Settings, rose: Path) -> None:
    """What was loaded before stays."""
    storage.load_into_store(settings, [SMITH])
    count = storage.load_into_store(settings, [rose])
    store = storage.open_existing_store(settings, DOMAIN)
    found = [store.find(each) for each in (PHILIP, ROSE)]
    store.close()

    assert 1 == count
    assert None not in found


def test_loading_is_all_or_nothing(settings: Settings, rose: Path, broken: Path) -> None:
    """One wrong file among several keeps all of them out, tables included."""
    with pytest.raises(FixtureError, match="there is no customer `nobody`"):
        storage.load_into_store(settings, [rose, broken])

    store = open_settings(settings)
    has_tables = store.has_tables()
    store.close()
    assert not has_tables


def test_loading_again_is_refused(settings: Settings, rose: Path) -> None:
    """What is in the store already is an error, and nothing changes."""
    storage.load_into_store(settings, [rose])

    with pytest.raises(FixtureError, match="is in the store already"):
        storage.load_into_store(settings, [SMITH, rose])

    store = open_settings(settings)
    found = store.find(PHILIP)
    store.close()
    assert found is None


def test_creating_fills_what_holds_nothing(settings: Settings) -> None:
    """A store is made from the fixtures, folders included."""
    store = open_settings(settings)
    count = storage.create_store(store, DOMAIN, [SMITH])
    found = store.find(PHILIP)
    store.close()

    assert count is not None
    assert count > 1
    assert found is not None


def test_creating_leaves_a_store_alone(settings: Settings, rose: Path, broken: Path) -> None:
    """A store that is there stays as it is; the fixtures are not even read."""
    storage.load_into_store(settings, [rose])
    store = open_settings(settings)
    counts = [storage.create_store(store, DOMAIN, [path]) for path in (SMITH, broken)]
    found = store.find(PHILIP)
    store.close()

    assert [None, None] == counts
    assert found is None


def test_creating_is_all_or_nothing(settings: Settings, rose: Path, broken: Path) -> None:
    """A fixture with a fault leaves a database without tables; the next try starts afresh."""
    store = open_settings(settings)
    with pytest.raises(FixtureError):
        storage.create_store(store, DOMAIN, [rose, broken])

    assert not store.has_tables()
    assert 1 == storage.create_store(store, DOMAIN, [rose])
    store.close()


def test_a_fixture_store_holds_one_fixture(rose: Path) -> None:
    """A store in memory has the entities of the file and no others."""
    store = storage.build_fixture_store(rose, DOMAIN)
    found = [store.find(each) for each in (ROSE, PHILIP)]
    store.close()

    assert found[0] is not None
    assert found[1] is None


def test_fixture_stores_do_not_share(rose: Path) -> None:
    """Two stores in memory are two."""
    one, other = (storage.build_fixture_store(path, DOMAIN) for path in (rose, SMITH))
    found = [store.find(PHILIP) is not None for store in (one, other)]
    one.close()
    other.close()

    assert [False, True] == found


def test_a_fixture_store_needs_a_good_fixture(tmp_path: Path, broken: Path) -> None:
    """A fixture that is wrong or not there is an error."""
    with pytest.raises(FixtureError, match="there is no customer `nobody`"):
        storage.build_fixture_store(broken, DOMAIN)
    with pytest.raises(FixtureError, match="there is no such file"):
        storage.build_fixture_store(tmp_path / "none.yaml", DOMAIN)


def test_entities_are_added_to_a_store_all_or_none(url: str) -> None:
    """They may refer to what is there; one that is wrong keeps out the others."""
    text = "person: {ann: {name: Ann, email: a@x.example}, rose: {name: R, email: %s}}"
    store = open_store(url, DOMAIN)
    storage.create_store(store, DOMAIN, [SMITH])
    found = []
    for email in ("7", "r@x.example"):
        own = parse_document((text % email).encode(), "own.yaml")
        assert own is not None
        with suppress(FixtureError):
            storage.add_entities(store, DOMAIN, own)
        found.append(store.find(Reference("person", "ann")) is not None)
    store.close()

    assert [False, True] == found


@pytest.fixture
def without_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a Python for which oso has no wheel."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "oso" else find_spec(name)
    )


@pytest.mark.usefixtures("without_reference")
def test_without_oso_the_compiled_engine_serves_alone(settings: Settings) -> None:
    """Nothing is sampled, and the health says that there is no reference."""
    storage.load_into_store(settings, [SMITH])
    service = assembly.build_service(dataclasses.replace(settings, sample=1))
    given = read_given(DOMAIN.schema, {"channel": "web"}, {})
    decision = service.decider.check(Request(PHILIP, "view_bills", MOBILE, given))
    health = create_app(service).test_client().get("/health").json
    service.store.close()

    assert decision.allowed
    assert health is not None
    assert ("ok", "compiled", None) == (health["status"], health["engine"], health["reference"])


@pytest.mark.usefixtures("without_reference")
@pytest.mark.parametrize("engine", ["oso", "both"])
def test_without_oso_no_other_engine_can_be_had(settings: Settings, engine: str) -> None:
    """Who asks for the reference is told why there is none, and what to use."""
    with pytest.raises(SettingError, match=rf"engine: `{engine}` needs oso.*use `compiled`"):
        assembly.build_engine(dataclasses.replace(settings, engine=engine), DOMAIN)


def test_a_decider_tells_the_time_it_is_given(tmp_path: Path) -> None:
    """The clock of a decider is the one that it was built with."""
    oracle = small_domain.build_oracle(
        tmp_path,
        "allow(request: Request, _action: String, record: Record) if record.created < request.now;",
    )
    store = small_domain.build_records()
    old, new = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    deciders = [
        assembly.build_decider(oracle, small_domain.DOMAIN, store, clock)
        for clock in (lambda: old, lambda: new, storage.tell_time)
    ]
    allowed = [each.check(small_domain.ask_for()).allowed for each in deciders]
    store.close()

    assert [False, True, True] == allowed
