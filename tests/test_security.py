"""Who may reach the service: where it may be served, and who is let in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from authz_service.errors import (
    ForbiddenError,
    SettingError,
    UnauthorizedError,
    UnavailableError,
)
from authz_service.store.keys import Scope, create_key, find_keys, revoke_keys, rotate_key
from authz_service.web.security import Guard, find_scope, refuse_exposure

if TYPE_CHECKING:
    from conftest import RunSql

    from authz_service.store.database import Store

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104  # the very thing that is refused

REFUSE_WRITES: Final = {
    "sqlite": (
        "CREATE TRIGGER no_writes BEFORE UPDATE ON authz_key"
        " BEGIN SELECT RAISE(ABORT, 'attempt to write'); END"
    ),
    "postgresql": (
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on',"
        " current_database()); END $$"
    ),
}


class Clocks:
    """A clock and a time of day that go on when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.offset = timedelta()

    def tell_seconds(self) -> float:
        """Tell the seconds that have passed."""
        return self.seconds

    def tell_time(self) -> datetime:
        """Tell the time of day."""
        return NOW + self.offset

    def go_on(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds
        self.offset += timedelta(seconds=seconds)


@pytest.fixture
def clocks() -> Clocks:
    """Clocks that stand still."""
    return Clocks()


@pytest.fixture
def guard(portal: Store, clocks: Clocks) -> Guard:
    """A guard over an empty store, which lets in who shows nothing while there is no key."""
    return build_guard(portal, clocks)


def build_guard(store: Store, clocks: Clocks, *, may_open: bool = True) -> Guard:
    """Build a guard by these clocks."""
    return Guard(store, may_open=may_open, tell_time=clocks.tell_time, clock=clocks.tell_seconds)


def create(store: Store, name: str = "shop", expires: datetime | None = None) -> str:
    """Make a key that decides, and give the header that shows it."""
    return f"Bearer {create_key(store, name, ['decide'], NOW, expires).text}"


def is_let_in(guard: Guard, authorization: str) -> bool:
    """Tell whether a header opens the door for a decision."""
    try:
        guard.admit(authorization, Scope.DECIDE)
    except UnauthorizedError:
        return False
    return True


# where it may be served


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_may_be_served(host: str) -> None:
    """An address that stays on this machine is fine."""
    refuse_exposure(host, has_keys=False)


@pytest.mark.parametrize(
    "host", [EVERYWHERE, "0", "::", "192.0.2.1", "2001:db8::1", "nobody.invalid"]
)
def test_the_world_may_not_be_served_without_keys(host: str) -> None:
    """Every other address is refused: all interfaces, a real one, a name that nobody knows."""
    with pytest.raises(SettingError) as caught:
        refuse_exposure(host, has_keys=False)
    fault = caught.value.faults[0]

    assert ("host", "exposed_without_keys") == (fault.where.name, fault.code)


@pytest.mark.parametrize("host", [EVERYWHERE, "192.0.2.1"])
def test_the_world_may_be_served_with_keys(host: str) -> None:
    """Callers can show who they are then."""
    refuse_exposure(host, has_keys=True)


def test_the_refusal_says_what_to_do() -> None:
    """The message names the host, why it is refused, and what to serve on instead."""
    with pytest.raises(SettingError) as caught:
        refuse_exposure("192.0.2.1", has_keys=False)
    expected = (
        "`192.0.2.1` can be reached from other machines, and no API key exists; serve on a "
        "loopback address such as 127.0.0.1, or make a key with `authz keys create`"
    )

    assert expected == caught.value.faults[0].message


# what a key must be for


@pytest.mark.parametrize(
    ("expected", "method", "path"),
    [
        (Scope.DECIDE, "POST", "/access/v1/evaluation"),
        (Scope.DECIDE, "POST", "/access/v1/evaluations"),
        (Scope.DECIDE, "POST", "/access/v1/search/subject"),
        (Scope.EXPLAIN, "POST", "/v1/explain"),
        (Scope.PERFORM, "POST", "/v1/perform"),
        (Scope.AUDIT, "GET", "/v1/changes"),
        (Scope.POLICIES, "PUT", "/v1/policies"),
        (Scope.ENTITIES_READ, "GET", "/v1/entities/<type>/<path:id>"),
        (Scope.ENTITIES_READ, "HEAD", "/v1/entities/<type>/<path:id>"),
        (Scope.ENTITIES_WRITE, "PUT", "/v1/entities/<type>/<path:id>"),
        (Scope.ENTITIES_WRITE, "DELETE", "/v1/entities/<type>/<path:id>"),
        (Scope.ENTITIES_WRITE, "POST", "/v1/entities"),
        (None, "GET", "/health"),
        (None, "GET", "/.well-known/authzen-configuration"),
        (None, "GET", ""),
    ],
)
def test_each_endpoint_has_its_scope(expected: Scope | None, method: str, path: str) -> None:
    """The metadata, health and what is not there need a key, and no more."""
    assert expected == find_scope(method, path)


# who is let in


def test_everybody_is_let_in_while_there_is_no_key(guard: Guard) -> None:
    """Whatever they show; they have no name."""
    assert ["", "", ""] == [guard.admit(each, Scope.DECIDE) for each in ("", "undefined", "Bearer")]


def test_a_key_has_a_name(portal: Store, guard: Guard) -> None:
    """That of the client, at the first time and at every other."""
    shown = create(portal)

    assert ["shop"] * 2 == [guard.admit(shown, Scope.DECIDE) for _ in range(2)]


def test_the_first_key_closes_the_door_within_a_second(
    portal: Store, guard: Guard, clocks: Clocks
) -> None:
    """What was read of the keys counts for a second and no longer."""
    before = is_let_in(guard, "")
    shown = create(portal)
    clocks.go_on(0.9)
    soon = is_let_in(guard, "")
    clocks.go_on(0.1)

    assert (True, True) == (before, soon)
    assert (False, True) == (is_let_in(guard, ""), is_let_in(guard, shown))


def test_a_revoked_key_ends_within_a_second(portal: Store, guard: Guard, clocks: Clocks) -> None:
    """And the door stays shut, though it was the last one."""
    shown = create(portal)
    before = is_let_in(guard, shown)
    revoke_keys(portal, "shop", NOW)
    clocks.go_on(1)

    assert before
    assert (False, False) == (is_let_in(guard, shown), is_let_in(guard, ""))


def test_a_key_that_expires_ends_within_a_second(
    portal: Store, guard: Guard, clocks: Clocks
) -> None:
    """Nobody has to do anything."""
    shown = create(portal, expires=NOW + timedelta(seconds=10))
    clocks.go_on(9.9)
    before = is_let_in(guard, shown)
    clocks.go_on(1)

    assert (True, False) == (before, is_let_in(guard, shown))


def test_a_rotated_key_opens_until_the_overlap_is_over(
    portal: Store, guard: Guard, clocks: Clocks
) -> None:
    """Both do, and then the new one alone."""
    old = create(portal)
    new = f"Bearer {rotate_key(portal, 'shop', HOUR, NOW).text}"
    both = is_let_in(guard, old), is_let_in(guard, new)
    clocks.go_on(3_600)

    assert (True, True) == both
    assert (False, True) == (is_let_in(guard, old), is_let_in(guard, new))


def test_keys_that_were_revoked_before_it_started_keep_it_shut(
    portal: Store, clocks: Clocks
) -> None:
    """It is not the live ones that count."""
    shown = create(portal)
    revoke_keys(portal, "shop", NOW)
    guard = build_guard(portal, clocks)

    assert (False, False) == (is_let_in(guard, ""), is_let_in(guard, shown))


def test_a_store_whose_keys_are_taken_away_does_not_open(
    portal: Store, guard: Guard, clocks: Clocks, run_sql: RunSql
) -> None:
    """As where an older copy is put in its place."""
    shown = create(portal)
    before = is_let_in(guard, shown)
    run_sql("DELETE FROM authz_key")
    clocks.go_on(1)

    assert (True, False) == (before, is_let_in(guard, ""))


def test_where_others_ask_it_never_opens(portal: Store, clocks: Clocks) -> None:
    """Without keys nobody is let in then."""
    assert not is_let_in(build_guard(portal, clocks, may_open=False), "")


def test_a_key_is_for_its_scopes(portal: Store, guard: Guard) -> None:
    """The refusal names the client and what it lacks."""
    shown = create(portal)
    with pytest.raises(ForbiddenError, match=r"`shop` is not for this; .* `perform`"):
        guard.admit(shown, Scope.PERFORM)

    assert "shop" == guard.admit(shown, None)


def test_a_refusal_repeats_no_key(portal: Store, guard: Guard) -> None:
    """Nor does it say whether there ever was such a key."""
    shown = create(portal)
    revoke_keys(portal, "shop", NOW)
    messages = []
    for each in (shown, shown + "x", "Bearer other"):
        with pytest.raises(UnauthorizedError) as caught:
            guard.admit(each, None)
        messages.append(str(caught.value))

    assert 1 == len(set(messages))
    assert shown.split("_")[-1] not in messages[0]


@pytest.mark.parametrize("with_key", [False, True])
def test_keys_that_cannot_be_read_let_nobody_in(
    portal: Store,
    clocks: Clocks,
    run_sql: RunSql,
    caplog: pytest.LogCaptureFixture,
    *,
    with_key: bool,
) -> None:
    """Whether there are any or not; the log says why, once a second; then they are tried again."""
    guard = build_guard(portal, clocks)
    shown = create(portal) if with_key else ""
    guard.admit(shown, None)
    run_sql("ALTER TABLE authz_key RENAME TO lost")
    clocks.go_on(1)
    for _ in range(3):
        with pytest.raises(UnavailableError):
            guard.admit(shown, None)
    run_sql("ALTER TABLE lost RENAME TO authz_key")
    clocks.go_on(1)

    assert is_let_in(guard, shown)
    assert 1 == caplog.text.count("the API keys cannot be read")


def test_a_row_that_cannot_be_read_lets_nobody_in(
    portal: Store, guard: Guard, run_sql: RunSql
) -> None:
    """Whatever is in the table, the door does not open by it."""
    shown = create(portal)
    run_sql("UPDATE authz_key SET created = 'yesterday'")
    with pytest.raises(UnavailableError):
        guard.admit(shown, None)


def test_scopes_that_nobody_knows_open_nothing(
    portal: Store, guard: Guard, run_sql: RunSql
) -> None:
    """A newer program may have written them."""
    shown = create(portal)
    run_sql("UPDATE authz_key SET scopes = 'decide2 fly'")
    with pytest.raises(ForbiddenError):
        guard.admit(shown, Scope.DECIDE)


# when keys were used


def used_at(store: Store) -> list[datetime | None]:
    """When each key was used."""
    return [each.used for each in find_keys(store)]


def test_a_use_is_written_down_later(portal: Store, guard: Guard) -> None:
    """By another thread than the one that answers."""
    shown = create(portal)
    guard.admit(shown, None)
    before = used_at(portal)
    guard.uses.note()

    assert ([None], [NOW]) == (before, used_at(portal))


def test_a_use_is_written_down_once_a_minute(portal: Store, guard: Guard, clocks: Clocks) -> None:
    """However often the key is used."""
    shown = create(portal)
    found = []
    for seconds in (0, 59, 1):
        clocks.go_on(seconds)
        guard.admit(shown, None)
        guard.uses.note()
        found += used_at(portal)

    assert [NOW, NOW, NOW + timedelta(minutes=1)] == found


def test_what_opens_nothing_is_not_used(portal: Store, guard: Guard) -> None:
    """A key that was revoked has no use."""
    shown = create(portal)
    revoke_keys(portal, "shop", NOW)
    is_let_in(guard, shown)
    guard.uses.note()

    assert [None] == used_at(portal)


def test_a_database_that_can_only_be_read_answers(
    portal: Store, guard: Guard, clocks: Clocks, run_sql: RunSql, caplog: pytest.LogCaptureFixture
) -> None:
    """That the use cannot be written down is told to the log, and nothing else."""
    shown = create(portal)
    guard.admit(shown, None)
    run_sql(REFUSE_WRITES["sqlite" if portal.is_sqlite else "postgresql"])
    portal.close()  # the next connection is one that only reads
    guard.uses.note()
    clocks.go_on(1)

    assert "shop" == guard.admit(shown, Scope.DECIDE)
    assert [None] == used_at(portal)
    assert "the use of API keys cannot be written down" in caplog.text
