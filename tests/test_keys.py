"""API keys in the store: made, listed, rotated, revoked, and never kept as they are."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from authz_service.errors import ApiKeyError
from authz_service.store.keys import (
    KeyState,
    create_key,
    digest_key,
    find_keys,
    find_live_keys,
    has_keys,
    note_uses,
    read_scopes,
    revoke_keys,
    rotate_key,
)

if TYPE_CHECKING:
    from conftest import RunSql

    from authz_service.store.database import Store
    from authz_service.store.keys import NewKey

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
SECOND: Final = timedelta(seconds=1)


def create(store: Store, name: str = "desk", expires: datetime | None = None) -> NewKey:
    """Make a key that decides."""
    return create_key(store, name, ["decide"], NOW, expires)


def live(store: Store, now: datetime) -> set[str]:
    """Find the ids of the keys that open something at a time."""
    return {each.id for each in find_live_keys(store, now)}


def code_of(error: pytest.ExceptionInfo[ApiKeyError]) -> str:
    """The code of the one fault."""
    [fault] = error.value.faults
    return fault.code


def test_a_key_has_256_random_bits_and_a_form_of_its_own(store: Store) -> None:
    """A scanner can find it by its beginning, and its id stands in it."""
    made = create(store)
    found = re.fullmatch(r"authz_([0-9]{12})_([A-Za-z0-9_-]{43})", made.text)

    assert found
    assert made.key.id == found[1]
    assert found[2] not in create(store, "other").text


def test_a_key_is_known_by_its_digest_only(store: Store, run_sql: RunSql) -> None:
    """Nothing in the table holds what is secret, and nothing that is printed."""
    made = create(store)
    secret = made.text.rpartition("_")[2]

    assert [made.key] == find_keys(store)
    assert digest_key(made.text) == made.key.digest
    assert secret not in str(run_sql("SELECT * FROM authz_key"))
    assert secret not in repr(made)
    assert made.key.digest not in repr(made)


def test_a_key_comes_back_as_it_was_made(store: Store) -> None:
    """Scopes and times included."""
    made = create_key(store, "desk", ["entities:read", "decide"], NOW, NOW + DAY).key

    assert [made] == find_live_keys(store, NOW)
    assert {"decide", "entities:read"} == made.scopes
    assert (NOW, NOW + DAY, None, None) == (made.created, made.expires, made.used, made.revoked)


def test_there_are_no_keys_at_first(store: Store) -> None:
    """And there are for ever after the first, whatever becomes of it."""
    before = has_keys(store)
    create(store)
    revoke_keys(store, "desk", NOW)

    assert (False, True) == (before, has_keys(store))
    assert [] == find_live_keys(store, NOW)


def test_a_key_ends_when_it_expires(store: Store) -> None:
    """To the moment."""
    key = create(store, expires=NOW + DAY).key

    assert {key.id} == live(store, NOW + DAY - SECOND)
    assert set() == live(store, NOW + DAY)
    assert [KeyState.LIVE, KeyState.EXPIRED] == [key.state(NOW), key.state(NOW + DAY)]


def test_a_client_has_one_live_key(store: Store) -> None:
    """A second is made by rotating only."""
    create(store)
    with pytest.raises(ApiKeyError, match="`authz keys rotate desk` makes the next one") as caught:
        create(store)

    assert "taken_name" == code_of(caught)
    assert 1 == len(find_keys(store))


@pytest.mark.parametrize("end", ["expire", "revoke"])
def test_a_client_whose_keys_have_ended_can_have_another(store: Store, end: str) -> None:
    """The name is free again."""
    create(store, expires=NOW + HOUR)
    if end == "revoke":
        revoke_keys(store, "desk", NOW)
    made = create_key(store, "desk", ["audit"], NOW + HOUR)

    assert {made.key.id} == live(store, NOW + HOUR)


def test_many_at_once_make_one_key(store: Store) -> None:
    """Of eight who make a key of the same name one succeeds."""

    def attempt(_number: int) -> bool:
        try:
            create(store)
        except ApiKeyError:
            return False
        finally:
            store.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(attempt, range(8)))

    assert 1 == sum(made)
    assert 1 == len(find_keys(store))


@pytest.mark.parametrize(
    "name", ["", "1st", "a b", "a/b", "é", "a" * 65, "a\n", "-a", "123456789012"]
)
def test_a_name_is_a_plain_word(store: Store, name: str) -> None:
    """It is printed, and no id can be taken for it."""
    with pytest.raises(ApiKeyError) as caught:
        create(store, name)

    assert "invalid_name" == code_of(caught)


def test_scopes_that_there_are_not_are_all_told() -> None:
    """Each with what was probably meant."""
    with pytest.raises(ApiKeyError) as caught:
        read_scopes(["decide", "entity:read", "preform"])

    assert [
        "there is no scope `entity:read`; did you mean `entities:read`?",
        "there is no scope `preform`; did you mean `perform`?",
    ] == [each.message for each in caught.value.faults]


def test_a_key_is_for_something() -> None:
    """One without scopes is not made."""
    with pytest.raises(ApiKeyError) as caught:
        read_scopes([])

    assert "no_scope" == code_of(caught)


def test_a_rotated_key_stays_live_for_the_overlap(store: Store) -> None:
    """Both open until then, with the same scopes; after that the new one alone."""
    old = create(store).key
    new = rotate_key(store, "desk", HOUR, NOW).key

    assert old.scopes == new.scopes
    assert {old.id, new.id} == live(store, NOW + HOUR - SECOND)
    assert {new.id} == live(store, NOW + HOUR)


def test_a_rotation_without_overlap_revokes(store: Store) -> None:
    """The key before ends at once."""
    create(store)
    new = rotate_key(store, "desk", timedelta(0), NOW).key

    assert {new.id} == live(store, NOW)


def test_a_rotated_key_does_not_live_longer_for_it(store: Store) -> None:
    """A key that ends before the overlap ends as it would have; the next lives as long as it."""
    old = create(store, expires=NOW + HOUR).key
    new = rotate_key(store, "desk", DAY, NOW).key

    assert {new.id, old.id} == live(store, NOW)
    assert set() == live(store, NOW + HOUR)
    assert NOW + HOUR == new.expires


def test_a_rotated_key_can_be_given_another_life(store: Store) -> None:
    """What is said counts more than what was."""
    create(store, expires=NOW + HOUR)

    assert NOW + DAY == rotate_key(store, "desk", HOUR, NOW, NOW + DAY).key.expires


def test_a_key_is_rotated_once_at_a_time(store: Store) -> None:
    """There are two live keys of a name and no more; when the older has ended, the next is made."""
    create(store)
    rotate_key(store, "desk", HOUR, NOW)
    with pytest.raises(ApiKeyError) as caught:
        rotate_key(store, "desk", HOUR, NOW)
    rotate_key(store, "desk", HOUR, NOW + HOUR)

    assert "rotating_name" == code_of(caught)
    assert 2 == len(live(store, NOW + HOUR))


def test_a_client_without_a_live_key_has_none_to_rotate(store: Store) -> None:
    """It is told what to do."""
    create(store)
    revoke_keys(store, "desk", NOW)
    with pytest.raises(ApiKeyError, match="`authz keys create` makes one") as caught:
        rotate_key(store, "desk", HOUR, NOW)

    assert "no_live_key" == code_of(caught)


def test_a_name_revokes_all_that_are_live(store: Store) -> None:
    """While it is rotated that is two; those of others stay."""
    create(store)
    rotate_key(store, "desk", HOUR, NOW)
    other = create(store, "other").key
    ended = revoke_keys(store, "desk", NOW)

    assert [NOW, NOW] == [each.revoked for each in ended]
    assert {other.id} == live(store, NOW)


def test_an_id_revokes_one(store: Store) -> None:
    """The other one of the same name stays."""
    old = create(store).key
    new = rotate_key(store, "desk", HOUR, NOW).key
    revoke_keys(store, new.id, NOW)

    assert {old.id} == live(store, NOW)


def test_what_has_ended_is_not_revoked_again(store: Store) -> None:
    """The time at which it was revoked stays."""
    create(store)
    revoke_keys(store, "desk", NOW)

    assert [] == revoke_keys(store, "desk", NOW + HOUR)
    assert [NOW] == [each.revoked for each in find_keys(store)]


def test_a_key_that_was_found_somewhere_can_be_revoked_by_itself(store: Store) -> None:
    """Whoever finds a key need not know whose it is."""
    made = create(store)
    revoke_keys(store, made.text, NOW)

    assert set() == live(store, NOW)


def test_a_name_that_there_is_not_is_told(store: Store) -> None:
    """With the one that was probably meant."""
    create(store)
    with pytest.raises(ApiKeyError, match="no key `dekc`; did you mean `desk`") as revoking:
        revoke_keys(store, "dekc", NOW)
    with pytest.raises(ApiKeyError, match="no key `dekc`; did you mean `desk`") as rotating:
        rotate_key(store, "dekc", HOUR, NOW)

    assert ["unknown_key"] * 2 == [code_of(revoking), code_of(rotating)]


def test_no_message_repeats_a_key(store: Store) -> None:
    """Wherever one is written by mistake."""
    text = f"authz_000000000000_{'s3cret' * 7}x"
    messages = []
    for act in (
        lambda: create(store, text),
        lambda: create_key(store, "desk", [text], NOW),
        lambda: rotate_key(store, text, HOUR, NOW),
        lambda: revoke_keys(store, text, NOW),
    ):
        with pytest.raises(ApiKeyError) as caught:
            act()
        messages.append(str(caught.value))

    assert 4 == len(messages)
    assert not any("s3cret" in each for each in messages)


def test_a_use_is_written_down_once_a_minute(store: Store) -> None:
    """Whichever process sees it; keys that were not used stay as they are."""
    used, other = create(store).key, create(store, "other").key
    times = [NOW, NOW + 59 * SECOND, NOW + 60 * SECOND, NOW + 61 * SECOND]
    found = []
    for now in times:
        note_uses(store, [used.id], now)
        found.append({each.id: each.used for each in find_keys(store)})

    assert [NOW, NOW, times[2], times[2]] == [each[used.id] for each in found]
    assert [None] * 4 == [each[other.id] for each in found]
