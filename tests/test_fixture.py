"""Fixture files: every fault is told with its place and what to do, and nothing is half stored."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import generated_policies
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from store_suite import LIBRARY, PUPILS, related_ids

from authz_service.document import find_files
from authz_service.errors import DocumentError, Fault, FixtureError, Place
from authz_service.portal import DOMAIN
from authz_service.store.database import open_store
from authz_service.store.entity import Reference
from authz_service.store.fixture import load_fixtures
from authz_service.store.url import MEMORY
from authz_service.store.writer import Cause
from authz_service.store.writer import write as write_entities

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.store.database import Store
    from authz_service.store.domain import Domain

# Two lines that most files below begin with, so what they are about stands in line 3.
SMITH: Final = """\
person: {mary: {name: Mary, email: m@smith.example}, tom: {name: Tom, email: t@smith.example}}
customer: {"1": {name: Smith ltd, kind: business}, "2": {name: Jones, kind: residential}}
"""
CLOUD: Final = SMITH + "application: {1/cloud: {customer: '1', name: cloud}}\n"
REQUEST: Final = (
    "delegate_request: {r: {customer: '1', person: mary, kind: fixed, status: submitted, "
)


@pytest.fixture
def url() -> str:
    """Memory."""
    return MEMORY


@pytest.fixture
def library() -> Iterator[Store]:
    """A store of the library, which has attributes that the portal has not."""
    store = open_store(MEMORY, LIBRARY)
    with store.transaction():
        store.create_tables()
    yield store
    store.close()


def load(store: Store, *paths: Path) -> int:
    """Load files into a store of the portal."""
    return load_into(store, DOMAIN, *paths)


def load_into(store: Store, domain: Domain, *paths: Path) -> int:
    """Load files into a store of a domain."""
    with write_entities(store, Cause(), datetime(2026, 1, 5, tzinfo=UTC)) as writer:
        return load_fixtures(paths, writer, domain)


def refuse(store: Store, folder: Path, **texts: str) -> list[str]:
    """The faults of files that are loaded together, a line each, with paths from the folder."""
    paths = [write(folder, name, text) for name, text in texts.items()]
    with pytest.raises(FixtureError) as caught:
        load(store, *paths)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file."""
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_becomes_entities(portal: Store, tmp_path: Path) -> None:
    """A file that is right is stored whole, and counted."""
    text = CLOUD + (
        "membership: {1/tom: {customer: '1', person: tom, role: access_owner}}\n"
        "application_grant: {1/mary/cloud: {application: 1/cloud, person: mary, granted_by: tom}}\n"
        + REQUEST
        + "applications: [1/cloud]}}"
    )
    expected = 8

    assert expected == load(portal, write(tmp_path, "a", text))
    assert portal.find(Reference("application_grant", "1/mary/cloud"))


def test_what_may_be_left_out_has_its_default(portal: Store, tmp_path: Path) -> None:
    """An attribute that is left out is nothing, or its default."""
    text = SMITH + "membership: {1/tom: {customer: '1', person: tom, role: user}}\n"
    load(portal, write(tmp_path, "a", text))
    tom, member = Reference("person", "tom"), Reference("membership", "1/tom")
    found = [portal.find(tom), portal.find(member)]

    assert [None, False] == [
        row and row.values[name]
        for row, name in zip(found, ("mobile", "excluded_from_administration"), strict=True)
    ]


def test_a_list_is_stored_with_its_entity(portal: Store, tmp_path: Path) -> None:
    """The members of a list are found through the entity that lists them."""
    text = CLOUD + REQUEST + "applications: [1/cloud]}}"
    load(portal, write(tmp_path, "a", text))
    applications = DOMAIN.schema.types["delegate_request"].attributes["applications"]
    expected = ["1/cloud"]

    assert expected == related_ids(portal, Reference("delegate_request", "r"), applications)


def test_types_and_files_come_in_any_order(portal: Store, tmp_path: Path) -> None:
    """An entity may stand before those that it refers to, in its file and among the files."""
    text = "membership: {1/tom: {customer: '1', person: tom, role: user}}\n"
    expected = 5

    assert expected == load(portal, write(tmp_path, "a", text), write(tmp_path, "b", SMITH))


def test_a_file_builds_on_what_is_stored(portal: Store, tmp_path: Path) -> None:
    """An entity may refer to those that were loaded earlier, and has its id checked with them."""
    load(portal, write(tmp_path, "a", CLOUD))
    text = "application_grant: {1/tom/cloud: {application: 1/cloud, person: tom, granted_by: mary}}"
    expected = 1

    assert expected == load(portal, write(tmp_path, "b", text))


def test_an_entity_may_refer_to_a_later_one_of_its_type(library: Store, tmp_path: Path) -> None:
    """An entity may stand before another of the same type that it refers to."""
    path = write(tmp_path, "a", "reader: {mary: {name: Mary, mentor: tom}, tom: {name: Tom}}\n")
    load_into(library, LIBRARY, path)
    expected = ["mary"]

    assert expected == related_ids(library, Reference("reader", "tom"), PUPILS)


def test_the_fixtures_of_the_project_load_together(portal: Store) -> None:
    """The folder of fixtures that comes with the service is right."""
    assert load(portal, Path(__file__).parents[1] / "fixtures")


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (
            "a.yaml:1:1: there is no entity type `persn`; did you mean `person`? [unknown_type]",
            "persn: {mary: {}}",
        ),
        (
            (
                "a.yaml:1:1: there is no entity type `zzz`; there is `access_owner_registration`,"
                " `application`, `application_grant`, `customer`, `delegate_request`, `membership`,"
                " `operator`, `person`, `subscription` [unknown_type]"
            ),
            "zzz: 1",
        ),
        (
            (
                "a.yaml:1:29: a person has no attribute `emial` that is written here;"
                " did you mean `email`? [unknown_attribute]"
            ),
            "person: {mary: {name: Mary, emial: m, email: m}}",
        ),
        (
            (
                "a.yaml:1:29: a person has no attribute `id` that is written here;"
                " there is `email`, `language`, `mobile`, `name` [unknown_attribute]"
            ),
            "person: {mary: {name: Mary, id: mary, email: m}}",
        ),
        (
            (
                "a.yaml:1:29: a person has no attribute `memberships` that is written here;"
                " there is `email`, `language`, `mobile`, `name` [unknown_attribute]"
            ),
            "person: {mary: {name: Mary, memberships: [], email: m}}",
        ),
        (
            (
                "a.yaml:3:62: a membership has no attribute `customer_kind` that is written here;"
                " did you mean `customer`? [unknown_attribute]"
            ),
            SMITH + "membership: "
            "{1/tom: {customer: '1', person: tom, role: user, customer_kind: business}}",
        ),
        (
            (
                "a.yaml:3:41: `kind` cannot be `phone`; there is `fixed_line`, `internet`,"
                " `mobile`, `tv` [unknown_value]"
            ),
            SMITH + "subscription: {m: {customer: '1', kind: phone}}",
        ),
        (
            "a.yaml:3:41: `kind` cannot be `Mobile`; did you mean `mobile`? [unknown_value]",
            SMITH + "subscription: {m: {customer: '1', kind: Mobile}}",
        ),
    ],
    ids=[
        "type",
        "type that resembles none",
        "attribute",
        "id",
        "collection seen from here",
        "column of the database",
        "choice",
        "choice in another case",
    ],
)
def test_an_unknown_word_is_told_with_what_was_meant(
    portal: Store, tmp_path: Path, expected: str, text: str
) -> None:
    """A word that the domain does not have is told with the nearest, or with those that it has."""
    assert [expected] == refuse(portal, tmp_path, a=text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (
            "a.yaml:1:10: `person/mary` lacks `email`; write `email:` and text [missing_attribute]",
            "person: {mary: {name: Mary}}",
        ),
        (
            (
                "a.yaml:3:14: `membership/1/tom` lacks `role`; write `role:` and one of"
                " `access_owner`, `administrator`, `delegate`, `user` [missing_attribute]"
            ),
            SMITH + "membership: {1/tom: {customer: '1', person: tom}}",
        ),
        (
            (
                "a.yaml:3:16: `subscription/tv-1` lacks `customer`; write `customer:` and the id"
                " of a customer [missing_attribute]"
            ),
            SMITH + "subscription: {tv-1: {kind: tv}}",
        ),
        (
            (
                "a.yaml:3:29: `access_owner_registration/r` lacks `terms_accepted`;"
                " write `terms_accepted:` and `true` or `false` [missing_attribute]"
            ),
            SMITH + "access_owner_registration: "
            "{r: {customer: '1', person: tom, status: submitted}}",
        ),
    ],
    ids=["text", "choice", "reference", "truth value"],
)
def test_what_is_missing_is_told_with_what_to_write(
    portal: Store, tmp_path: Path, expected: str, text: str
) -> None:
    """An attribute that must be there is told with the kind of value that it takes."""
    assert [expected] == refuse(portal, tmp_path, a=text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (
            "a.yaml:3:57: there is no person `mari`; did you mean `mary`? [dangling_reference]",
            SMITH + "subscription: {m: {customer: '1', kind: mobile, holder: mari}}",
        ),
        (
            "a.yaml:3:30: there is no customer `777`; there is `1`, `2` [dangling_reference]",
            SMITH + "subscription: {m: {customer: '777', kind: mobile}}",
        ),
        (
            "a.yaml:1:30: there is no customer `1` [dangling_reference]",
            "subscription: {t: {customer: '1', kind: tv}}",
        ),
        (
            (
                "a.yaml:4:99: there is no application `1/clowd`; did you mean `1/cloud`?"
                " [dangling_reference]"
            ),
            CLOUD + REQUEST + "applications: [1/cloud, 1/clowd]}}",
        ),
    ],
    ids=["near", "far", "none to choose from", "in a list"],
)
def test_a_reference_to_nobody_is_told_with_who_was_meant(
    portal: Store, tmp_path: Path, expected: str, text: str
) -> None:
    """A reference that leads nowhere is told with the nearest id, or with those that there are."""
    assert [expected] == refuse(portal, tmp_path, a=text)


def test_a_faulty_entity_can_be_referred_to(portal: Store, tmp_path: Path) -> None:
    """A reference to an entity with a fault of its own is no second fault."""
    text = (
        "person: {mary: {name: Mary}}\n"
        "customer: {'1': {name: Smith ltd, kind: business}}\n"
        "membership: {1/mary: {customer: '1', person: mary, role: user}}\n"
    )
    expected = [
        "a.yaml:1:10: `person/mary` lacks `email`; write `email:` and text [missing_attribute]"
    ]

    assert expected == refuse(portal, tmp_path, a=text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (
            (
                "a.yaml:3:16: YAML reads `0470000001` as a number, not as text;"
                ' write it in quotes: "0470000001" [not_text]'
            ),
            SMITH + "subscription: {0470000001: {customer: '1', kind: mobile}}",
        ),
        (
            (
                "a.yaml:1:10: YAML reads `null` as nothing, not as text;"
                ' write it in quotes: "null" [not_text]'
            ),
            "person: {null: {name: Mary, email: m}}",
        ),
        (
            (
                "a.yaml:1:10: YAML reads `2026-01-05` as a timestamp, not as text;"
                ' write it in quotes: "2026-01-05" [not_text]'
            ),
            "person: {2026-01-05: {name: Mary, email: m}}",
        ),
        (
            (
                "a.yaml:1:47: YAML reads `0470000001` as a number, but `mobile` is text;"
                ' write it in quotes: "0470000001" [not_text]'
            ),
            "person: {mary: {name: Mary, email: m, mobile: 0470000001}}",
        ),
        (
            (
                "a.yaml:1:36: YAML reads `1.5` as a number, but `email` is text;"
                ' write it in quotes: "1.5" [not_text]'
            ),
            "person: {mary: {name: Mary, email: 1.5}}",
        ),
        (
            (
                "a.yaml:1:23: YAML reads `no` as true or false, but `name` is text;"
                ' write it in quotes: "no" [not_text]'
            ),
            "person: {mary: {name: no, email: m}}",
        ),
        (
            (
                "a.yaml:3:30: YAML reads `1` as a number, but `customer` is text;"
                ' write it in quotes: "1" [not_text]'
            ),
            SMITH + "subscription: {m: {customer: 1, kind: mobile}}",
        ),
    ],
    ids=["id", "null", "date", "attribute", "fraction", "truth value", "reference"],
)
def test_what_yaml_takes_for_something_else_is_told(
    portal: Store, tmp_path: Path, expected: str, text: str
) -> None:
    """A text without quotes that YAML reads otherwise is told with the quotes that it needs."""
    assert [expected] == refuse(portal, tmp_path, a=text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (
            "a.yaml:1:23: `name` must be text, not `null` [wrong_type]",
            "person: {mary: {name: null, email: m}}",
        ),
        (
            "a.yaml:1:22: `name` must be text, not `nothing` [wrong_type]",
            "person: {mary: {name: , email: m}}",
        ),
        (
            "a.yaml:1:23: `name` must be text [wrong_type]",
            "person: {mary: {name: [Mary], email: m}}",
        ),
        (
            "a.yaml:1:23: `name` must be text [wrong_type]",
            "person: {mary: {name: {first: Mary}, email: m}}",
        ),
        (
            "a.yaml:3:30: `customer` must be the id of a customer [wrong_type]",
            SMITH + "subscription: {m: {customer: ['1'], kind: mobile}}",
        ),
        (
            (
                "a.yaml:3:41: `kind` must be one of `internet`, `mobile`, `tv`, `fixed_line`,"
                " not `~` [wrong_type]"
            ),
            SMITH + "subscription: {m: {customer: '1', kind: ~}}",
        ),
        (
            "a.yaml:3:93: `terms_accepted` must be `true` or `false`, not `maybe` [wrong_type]",
            SMITH + "access_owner_registration: "
            "{x: {customer: '1', person: tom, status: called, terms_accepted: maybe}}",
        ),
        (
            "a.yaml:3:93: `terms_accepted` must be `true` or `false`, not `true` [wrong_type]",
            SMITH + "access_owner_registration: "
            "{x: {customer: '1', person: tom, status: called, terms_accepted: 'true'}}",
        ),
    ],
    ids=[
        "null",
        "nothing",
        "list",
        "mapping",
        "list for a reference",
        "null for a choice",
        "no truth value",
        "truth value in quotes",
    ],
)
def test_a_value_of_another_type_is_told(
    portal: Store, tmp_path: Path, expected: str, text: str
) -> None:
    """A value of a wrong type is told with what must stand there."""
    assert [expected] == refuse(portal, tmp_path, a=text)


@pytest.mark.parametrize(
    ("expected", "applications"),
    [
        (
            ['a.yaml:4:99: `applications` must be a list, as in `["a", "b"]` [wrong_type]'],
            "1/cloud",
        ),
        (
            ['a.yaml:4:99: `applications` must be a list, as in `["a", "b"]` [wrong_type]'],
            "null",
        ),
        (
            ['a.yaml:4:99: `applications` must be a list, as in `["a", "b"]` [wrong_type]'],
            "{a: 1/cloud}",
        ),
        (
            ["a.yaml:4:109: `1/cloud` is in the list already [duplicate_item]"],
            "[1/cloud, 1/cloud]",
        ),
        (
            ["a.yaml:4:100: each of `applications` must be the id of an application [wrong_type]"],
            "[[1/cloud]]",
        ),
        (
            [
                (
                    "a.yaml:4:100: YAML reads `1` as a number, but `applications` is text;"
                    ' write it in quotes: "1" [not_text]'
                ),
                (
                    "a.yaml:4:103: YAML reads `2` as a number, but `applications` is text;"
                    ' write it in quotes: "2" [not_text]'
                ),
            ],
            "[1, 2]",
        ),
    ],
    ids=["scalar", "null", "mapping", "repetition", "list in a list", "numbers"],
)
def test_what_is_wrong_with_a_list_is_told(
    portal: Store, tmp_path: Path, expected: list[str], applications: str
) -> None:
    """A list is told to be one, and each of its members what it must be, once."""
    text = CLOUD + REQUEST + "applications: " + applications + "}}"

    assert expected == refuse(portal, tmp_path, a=text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (
            (
                "a.yaml:3:14: the id of this membership must be `1/tom`, after what it holds"
                " [wrong_id]"
            ),
            SMITH + "membership: {1/mary: {customer: '1', person: tom, role: user}}",
        ),
        (
            (
                "a.yaml:3:15: the id of this application must be `1/cloud`, after what it holds"
                " [wrong_id]"
            ),
            SMITH + "application: {cloud: {customer: '1', name: cloud}}",
        ),
        (
            (
                "a.yaml:4:21: the id of this application_grant must be `1/mary/cloud`, after what"
                " it holds [wrong_id]"
            ),
            CLOUD + "application_grant: "
            "{mary/cloud: {application: 1/cloud, person: mary, granted_by: tom}}",
        ),
    ],
    ids=["membership", "application", "grant"],
)
def test_an_id_that_contradicts_its_entity_is_told(
    portal: Store, tmp_path: Path, expected: str, text: str
) -> None:
    """An id that is made of other attributes must agree with them."""
    assert [expected] == refuse(portal, tmp_path, a=text)


def test_an_id_is_compared_with_what_is_stored(portal: Store, tmp_path: Path) -> None:
    """An id that is made of the attributes of a stored entity must agree with those."""
    load(portal, write(tmp_path, "stored", CLOUD))
    text = "application_grant: {x: {application: 1/cloud, person: mary, granted_by: tom}}"
    expected = [
        (
            "a.yaml:1:21: the id of this application_grant must be `1/mary/cloud`,"
            " after what it holds [wrong_id]"
        )
    ]

    assert expected == refuse(portal, tmp_path, a=text)


def test_an_id_is_no_fault_where_its_parts_are_unknown(portal: Store, tmp_path: Path) -> None:
    """An id whose parts lead nowhere is not blamed beside the reference that does."""
    text = SMITH + "application_grant: {x: {application: y, person: mary, granted_by: tom}}"
    expected = ["a.yaml:3:38: there is no application `y` [dangling_reference]"]

    assert expected == refuse(portal, tmp_path, a=text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (
            (
                "a.yaml:3:71: breaks a promise: a customer number has one access owner at most"
                " [access_owner_taken]"
            ),
            (
                "membership: {1/tom: {customer: '1', person: tom, role: access_owner}, "
                "1/mary: {customer: '1', person: mary, role: access_owner}}"
            ),
        ),
        (
            (
                "a.yaml:3:72: breaks a promise: a residential customer has one administrator"
                " at most [residential_single_administrator]"
            ),
            (
                "membership: {2/tom: {customer: '2', person: tom, role: administrator}, "
                "2/mary: {customer: '2', person: mary, role: administrator}}"
            ),
        ),
    ],
    ids=["two access owners", "two residential administrators"],
)
def test_a_broken_promise_is_told_at_the_entity_that_breaks_it(
    portal: Store, tmp_path: Path, expected: str, text: str
) -> None:
    """An entity that the database refuses for a promise is told like any other fault."""
    assert [expected] == refuse(portal, tmp_path, a=SMITH + text)


def test_a_broken_promise_is_told_beside_other_faults(portal: Store, tmp_path: Path) -> None:
    """A promise is found broken though something else is wrong as well."""
    text = SMITH + (
        "membership:\n"
        "  1/tom: {customer: '1', person: tom, role: access_owner}\n"
        "  1/mary: {customer: '1', person: mary, role: access_owner}\n"
        "subscription: {m: {customer: '3', kind: mobile}}\n"
    )
    expected = [
        (
            "a.yaml:5:3: breaks a promise: a customer number has one access owner at most"
            " [access_owner_taken]"
        ),
        "a.yaml:6:30: there is no customer `3`; there is `1`, `2` [dangling_reference]",
    ]

    assert expected == refuse(portal, tmp_path, a=text)


def test_a_promise_binds_what_is_stored_and_what_is_loaded(portal: Store, tmp_path: Path) -> None:
    """A file cannot add a second access owner to a number that has one."""
    owner = "membership: {1/tom: {customer: '1', person: tom, role: access_owner}}"
    other = "membership: {1/mary: {customer: '1', person: mary, role: access_owner}}"
    load(portal, write(tmp_path, "stored", SMITH + owner))
    expected = [
        (
            "a.yaml:1:14: breaks a promise: a customer number has one access owner at most"
            " [access_owner_taken]"
        )
    ]

    assert expected == refuse(portal, tmp_path, a=other)


def test_an_id_is_used_once_in_a_file(portal: Store, tmp_path: Path) -> None:
    """A repeated id is told with the line of the first."""
    text = "person:\n  mary: {name: Mary, email: m}\n  mary: {name: Maria, email: m}"
    expected = ["a.yaml:3:3: `mary` stands in line 2 already; remove one of them [duplicate_key]"]

    assert expected == refuse(portal, tmp_path, a=text)


def test_an_id_is_used_once_in_all_files(portal: Store, tmp_path: Path) -> None:
    """An id that another file has is told with that file and line."""
    text = "person: {tom: {name: Thomas, email: t}}"
    expected = [
        (
            "b.yaml:1:10: `person/tom` stands in a.yaml:1:54 already; an id is used once"
            " [duplicate_id]"
        )
    ]

    assert expected == refuse(portal, tmp_path, a=SMITH, b=text)


def test_an_id_is_used_once_in_the_store(portal: Store, tmp_path: Path) -> None:
    """What was loaded is not loaded again."""
    text = SMITH + "membership: {1/tom: {customer: '1', person: tom, role: access_owner}}"
    load(portal, write(tmp_path, "a", text))
    already = "is in the store already; an id is used once [duplicate_id]"
    expected = [
        f"a.yaml:1:10: `person/mary` {already}",
        f"a.yaml:1:54: `person/tom` {already}",
        f"a.yaml:2:12: `customer/1` {already}",
        f"a.yaml:2:52: `customer/2` {already}",
        f"a.yaml:3:14: `membership/1/tom` {already}",
    ]

    assert expected == refuse(portal, tmp_path, a=text)


def test_an_id_is_its_types_own(portal: Store, tmp_path: Path) -> None:
    """Two types may use the same id."""
    text = "person: {mary: {name: Mary, email: m}}\noperator: {mary: {name: Mary}}"
    expected = 2

    assert expected == load(portal, write(tmp_path, "a", text))


def test_an_empty_id_is_refused(portal: Store, tmp_path: Path) -> None:
    """An id of no characters could not be written in a reference."""
    assert refuse(portal, tmp_path, a='person: {"": {name: Mary, email: m}}')


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("a.yaml: holds no entities [empty_file]", ""),
        ("a.yaml: holds no entities [empty_file]", "# person:\n"),
        (
            (
                "a.yaml:1:1: write entity types, as in `person:` with what belongs to each"
                " [wrong_type]"
            ),
            "[person, customer]",
        ),
        (
            (
                "a.yaml:1:1: write entity types, as in `person:` with what belongs to each"
                " [wrong_type]"
            ),
            "Dear Mary",
        ),
        (
            (
                "a.yaml:1:9: write person entities by their ids with what belongs to each"
                " [wrong_type]"
            ),
            "person: [mary]",
        ),
        (
            (
                "a.yaml:1:8: write person entities by their ids with what belongs to each"
                " [wrong_type]"
            ),
            "person:",
        ),
        (
            "a.yaml:1:13: anchors and aliases are not used here; write the value out [yaml_alias]",
            "person: {m: &m {name: Mary, email: m}, n: *m}",
        ),
        (
            "a.yaml:1:13: anchors and aliases are not used here; write the value out [yaml_alias]",
            "person: {m: *m}",
        ),
        (
            (
                "a.yaml:1:9: the tag `tag:yaml.org,2002:python/name:os.system` is not used here"
                " [yaml_tag]"
            ),
            "person: !!python/name:os.system {}",
        ),
        ("a.yaml:1:33: is nested deeper than 32 levels [nested_too_deep]", "[" * 10_000),
        (
            "a.yaml:1:13: is not YAML: mapping values are not allowed here [not_yaml]",
            "person: mary: {}",
        ),
    ],
    ids=[
        "nothing",
        "comment",
        "list",
        "scalar",
        "list of entities",
        "type without entities",
        "anchor",
        "alias",
        "tag",
        "depth",
        "not YAML",
    ],
)
def test_a_file_of_another_form_is_told(
    portal: Store, tmp_path: Path, expected: str, text: str
) -> None:
    """A file that does not hold entities by type and id is told what it must hold."""
    assert [expected] == refuse(portal, tmp_path, a=text)


def test_a_file_in_another_encoding_is_told(portal: Store, tmp_path: Path) -> None:
    """A file that is not UTF-8 is told to be saved as such."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"person: {m: {name: M\xe9lanie, email: m}}")
    message = "byte 21 is not UTF-8; save the file as UTF-8"

    with pytest.raises(FixtureError) as caught:
        load(portal, path)
    assert (Fault(Place(str(path)), "not_utf8", message),) == caught.value.faults


def test_an_entity_that_is_no_mapping_lacks_everything(portal: Store, tmp_path: Path) -> None:
    """An entity that is written as a word is told the form and what it must hold."""
    expected = [
        "a.yaml:1:10: `person/mary` lacks `email`; write `email:` and text [missing_attribute]",
        "a.yaml:1:10: `person/mary` lacks `name`; write `name:` and text [missing_attribute]",
        (
            "a.yaml:1:16: write attributes, as in `{name: Mary Jones}`, with what belongs to each"
            " [wrong_type]"
        ),
    ]

    assert expected == refuse(portal, tmp_path, a="person: {mary: Mary}")


FAULTY: Final = {
    "a": SMITH
    + (
        "membership:\n"
        "  1/mary: {customer: '1', person: mary, role: access_owner}\n"
        "  1/tom: {customer: '1', person: tom, role: access_owner}\n"
        "  2/thom: {customer: '2', person: thom, role: user}\n"
    ),
    "b": "person:\n  ann: {name: Ann, email: a, age: '7'}\n  tom: {name: Thomas, email: t}\n",
    "c": "[",
    "d": "",
    "e": "operator: {07: {name: no}}\npersn: {}\n",
}


def test_all_faults_of_all_files_are_told_together(portal: Store, tmp_path: Path) -> None:
    """Every fault is told at once, in the order of files and lines."""
    expected = [
        ("a.yaml:5:3", "access_owner_taken"),
        ("a.yaml:6:35", "dangling_reference"),
        ("b.yaml:2:30", "unknown_attribute"),
        ("b.yaml:3:3", "duplicate_id"),
        ("c.yaml:1:2", "not_yaml"),
        ("d.yaml", "empty_file"),
        ("e.yaml:1:12", "not_text"),
        ("e.yaml:1:23", "not_text"),
        ("e.yaml:2:1", "unknown_type"),
    ]
    told = refuse(portal, tmp_path, **FAULTY)

    assert expected == [(line.partition(": ")[0], line[line.rindex("[") + 1 : -1]) for line in told]


def test_nothing_is_stored_when_anything_is_wrong(portal: Store, tmp_path: Path) -> None:
    """Entities without fault are not stored beside those with one."""
    refuse(portal, tmp_path, **FAULTY)
    stored = [Reference("person", "mary"), Reference("customer", "1"), Reference("person", "ann")]

    assert not [each for each in stored if portal.find(each)]


def test_many_wrong_references_make_a_message_of_bearable_size(
    portal: Store, tmp_path: Path
) -> None:
    """A message about a wrong reference does not list all entities that there are."""
    people = "".join(f"  p{number}: {{name: x, email: x}}\n" for number in range(500))
    text = f"person:\n{people}subscription: {{m: {{customer: '1', kind: tv, holder: zzz}}}}\n"
    line = next(
        line
        for line in refuse(portal, tmp_path, a=text + "customer: {'1': {name: x, kind: business}}")
        if "dangling_reference" in line
    )

    assert len(line) < 1_000


def test_a_folder_stands_for_the_yaml_files_in_it(tmp_path: Path) -> None:
    """A folder is its `.yaml` files, sorted by name; a file is itself; their order is kept."""
    for name in ("b.yaml", "a.yaml", "notes.txt", "c.yml", "A.YAML"):
        (tmp_path / "folder" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "folder" / name).touch()
    single = write(tmp_path, "single", "")
    expected = [single, tmp_path / "folder" / "a.yaml", tmp_path / "folder" / "b.yaml"]

    assert expected == find_files([single, tmp_path / "folder"], below=False)


def test_paths_without_fixtures_are_told_together(tmp_path: Path) -> None:
    """A path that is not there and a folder without fixtures are told at once."""
    (tmp_path / "folder").mkdir()
    expected = (
        Fault(Place(f"{tmp_path}/a.yaml"), "missing_file", "there is no such file or folder"),
        Fault(Place(f"{tmp_path}/folder"), "empty_folder", "holds no `.yaml` file"),
    )

    with pytest.raises(DocumentError) as caught:
        find_files([tmp_path / "folder", tmp_path / "a.yaml"], below=False)

    assert expected == caught.value.faults


@pytest.mark.parametrize("name", ["a" * 5_000, "a\0b"], ids=["too long", "impossible"])
def test_a_name_that_no_file_has_is_told(tmp_path: Path, name: str) -> None:
    """A name that the system itself refuses is told like one that is missing."""
    with pytest.raises(DocumentError):
        find_files([tmp_path / name], below=False)


def test_a_folder_among_the_files_is_told(portal: Store, tmp_path: Path) -> None:
    """A folder that is named like a fixture cannot be read as one."""
    (tmp_path / "a.yaml").mkdir()
    expected = f"{tmp_path}/a.yaml: cannot be read: Is a directory [unreadable_file]"

    with pytest.raises(FixtureError) as caught:
        load(portal, tmp_path)
    assert expected == str(caught.value)


@pytest.mark.parametrize(
    ("expected", "attribute"),
    [
        (7, "pages: 7"),
        (-7, "pages: -7"),
        (1000, "pages: 1_000"),
        (10, "pages: 010"),
        (True, "lent: true"),
        (True, "lent: Yes"),
        (True, "lent: ON"),
        (False, "lent: false"),
        (False, "lent: no"),
        (False, "lent: Off"),
        (datetime(2026, 1, 5, 9, tzinfo=UTC), "bought: 2026-01-05T09:00:00Z"),
        (None, "bought: null"),
        (None, "bought: ~"),
    ],
)
def test_a_scalar_is_stored_as_its_type(
    library: Store, tmp_path: Path, expected: Any, attribute: str
) -> None:
    """A number, a truth value and a time are stored as such; a number is always decimal."""
    rest = "kind: novel" + ("" if "pages" in attribute else ", pages: 1")
    path = write(tmp_path, "a", f"book: {{emma: {{title: Emma, {rest}, {attribute}}}}}")
    load_into(library, LIBRARY, path)
    found = library.find(Reference("book", "emma"))

    assert found
    assert expected == found.values[attribute.partition(":")[0]]


@pytest.mark.parametrize(
    ("wanted", "attribute"),
    [
        ("a whole number", "pages: many"),
        ("a whole number", "pages: 1.5"),
        ("a whole number", "pages: '7'"),
        ("a whole number", "pages: 0x1F"),
        ("a whole number", "pages: 0b11"),
        ("a whole number", "pages: 1:30"),
        ("a whole number", "pages: " + "9" * 5_000),
        ("a whole number", "pages: " + "9" * 30),
        ("a time such as 2026-01-05T09:00:00Z", "bought: 2026-13-45"),
        ("a time such as 2026-01-05T09:00:00Z", "bought: yesterday"),
        ("a time such as 2026-01-05T09:00:00Z", "bought: '2026-01-05'"),
        ("`true` or `false`", "lent: 1"),
    ],
    ids=lambda value: value[:30],
)
def test_a_scalar_that_is_not_of_its_type_is_told(
    library: Store, tmp_path: Path, wanted: str, attribute: str
) -> None:
    """A value that is no such number, truth value or time is told with what must stand there."""
    rest = "kind: novel" + ("" if "pages" in attribute else ", pages: 1")
    path = write(tmp_path, "a", f"book: {{emma: {{title: Emma, {rest}, {attribute}}}}}")
    with pytest.raises(FixtureError) as caught:
        load_into(library, LIBRARY, path)

    assert ["wrong_type"] == [fault.code for fault in caught.value.faults]
    assert f"must be {wanted}, not `" in str(caught.value)


HOSTILE: Final = {
    "nested lists": "[" * 10_000,
    "nested lists that end": "[" * 10_000 + "]" * 10_000,
    "nested mappings": "{" * 10_000,
    "nested dashes": "- " * 10_000,
    "nested questions": "? " * 10_000,
    "nested entities": "person: " + "{a: " * 10_000,
    "huge key": "a" * 200_000 + ": {}",
    "huge quoted key": '"' + "a" * 200_000 + '": {}',
    "huge key of a type": "{? " + "a" * 200_000 + " : {}}",
    "huge number": "person: {" + "9" * 10_000 + ": {name: x, email: x}}",
    "character NUL": "person: {a\0b: {}}",
    "merge key": "<<: {person: {}}",
    "merge key in an entity": "person: {a: {<<: {name: x, email: x}}}",
    "value key": "person: {=: {name: x, email: x}}",
    "Python attribute": "__class__: {}",
    "Python attribute as attribute": "person: {a: {__class__: x, __dict__: {}}}",
    "Python object": "!!python/object/apply:os.system ['true']",
    "billion laughs": "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
    "recursion": "&a [*a]",
    "two documents": "person: {}\n---\nperson: {}\n",
    "directive": "%YAML 9.9\n---\nperson: {}\n",
    "quote without end": 'person: {a: "',
    "compound key": "person: {? [a, b] : {}}",
}

ESCAPES: Final = {
    "escape beyond Unicode": 'person: {a: {name: "\\U00110000", email: x}}',
    "escape beyond numbers": 'person: {a: {name: "\\UFFFFFFFF", email: x}}',
    "half a character": 'person: {a: {name: "\\uD800", email: x}}',
    "half a character in an id": 'person: {"\\uD800": {name: x, email: x}}',
    "escape for NUL": 'person: {a: {name: "\\0", email: x}}',
    "escape for NUL in an id": 'person: {"\\0": {name: x, email: x}}',
    "escape for NUL in a reference": SMITH + 'subscription: {a: {customer: "\\0", kind: tv}}',
}


@pytest.mark.parametrize("text", [*HOSTILE.values(), *ESCAPES.values()], ids=[*HOSTILE, *ESCAPES])
def test_a_hostile_file_is_a_fault_like_another(portal: Store, tmp_path: Path, text: str) -> None:
    """A file that is made to do harm is refused, and by nothing but a fixture error."""
    assert refuse(portal, tmp_path, a=text)


class TestPostgresql:
    """What another database would take is a fault there too, or is stored."""

    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        """A new database in PostgreSQL."""
        return postgresql_url

    @pytest.mark.parametrize("text", ESCAPES.values(), ids=ESCAPES)
    def test_a_character_that_no_text_holds_is_a_fault(
        self, portal: Store, tmp_path: Path, text: str
    ) -> None:
        """A text that the database could not store is refused before it is tried."""
        assert refuse(portal, tmp_path, a=text)

    def test_a_long_text_is_no_error_of_the_database(self, portal: Store, tmp_path: Path) -> None:
        """A text beyond what a column is usually made for is stored, as in SQLite."""
        expected = 1

        assert expected == load(
            portal, write(tmp_path, "a", f"person: {{a: {{name: {'x' * 300}, email: x}}}}")
        )

    def test_the_fixtures_of_the_project_load_together(self, portal: Store) -> None:
        """The folder of fixtures that comes with the service is right in PostgreSQL too."""
        assert load(portal, Path(__file__).parents[1] / "fixtures")


PIECES: Final = st.sampled_from(
    [
        *("person", "customer", "membership", "subscription", "delegate_request", "application"),
        *("name", "email", "mobile", "kind", "role", "holder", "applications", "mary", "'1'", "1"),
        *("business", "user", "0470000001", "2026-01-05", "true", "null", "~", "<<", "=", "1.5"),
        *(": ", ":", "{", "}", "[", "]", ", ", "- ", "? ", "\n", "\n  ", "\n    ", " ", "# ", "\t"),
        *('"', "'", "|", ">", "&a ", "*a", "!x ", "!!str ", "%", "---\n", "...\n", "@", "`"),
        *('"\\x00"', '"\\uD800"', '"\\U00110000"', "\ufeff", "\0", "\x85", "\u2028", "é", "😀"),
    ]
)
TEXTS: Final = st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join))


@pytest.fixture(scope="module")
def empty_portal() -> Iterator[Store]:
    """A store of the portal in memory, which stays empty."""
    store = open_store(MEMORY, DOMAIN)
    with store.transaction():
        store.create_tables()
    yield store
    store.close()


@settings(max_examples=1_000, deadline=None)
@given(text=TEXTS)
@example(text=SMITH)
def test_any_text_loads_or_is_refused(
    empty_portal: Store, tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """A file of whatever text either loads or is a fixture error."""
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode())
    with contextlib.suppress(FixtureError), empty_portal.transaction():
        load_into(empty_portal, DOMAIN, path)
        raise FixtureError([])  # undoes what was loaded, for the next text


def test_what_is_not_stored_is_in_no_fixture(tmp_path: Path) -> None:
    """An entity whose attributes come with the question is refused, with its line."""
    store = open_store(MEMORY, generated_policies.DOMAIN)
    with store.transaction():
        store.create_tables()
    path = tmp_path / "letters.yaml"
    path.write_text("letter:\n  unsent: {title: a, size: 1, secret: false}\n")
    with pytest.raises(FixtureError) as caught:
        load_into(store, generated_policies.DOMAIN, path)
    store.close()

    message = "what a `letter` is comes with each question; none is stored"
    assert [f"{path}:1:1: {message} [not_stored]"] == [str(each) for each in caught.value.faults]
