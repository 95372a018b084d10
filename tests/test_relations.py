"""What a subject can be to a resource, as far as policies look: the rows of the grid."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from covering import POLICY, USUAL, build_examiner, compile_text, read_by
from small_domain import ALICE, BOB, NOON, NOTE, REPORT, build_records
from small_domain import DOMAIN as RECORDS

from authz_service.coverage.grid import Cell, find_frames
from authz_service.policy.compiled import CompiledEngine
from authz_service.policy.source import load_policies
from authz_service.portal import DOMAIN

if TYPE_CHECKING:
    from authz_service.coverage.grid import Frame
    from authz_service.store.entity import Reference

TESTS: Final = Path(__file__).parent
LONG: Final = 60_000
READ: Final = ("user", "read", "record")
SILENT: Final = 'forbid("never", _: Request, "delete", _: Record);\n'


def frame_of(body: str) -> Frame:
    """The cells of a policy with one rule."""
    rule = f'permit(user: User, "read", record: Record) if user matches User and {body};\n'
    return find_frames(compile_text(USUAL + rule + SILENT), RECORDS.schema)[READ]


def name_relations(frame: Frame) -> list[str]:
    """The names of the rows."""
    return [each.name for each in frame.relations]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("record.owner = user", ["owner", "no relation"]),
        ("user = record.owner", ["owner", "no relation"]),
        ("user in record.readers", ["readers", "no relation"]),
        ("not record.owner = user", ["owner", "no relation"]),
        ('user.role = "admin"', ["admin", "member", "no relation"]),
        ('user.name in ["Alice", "Bob"]', ["Alice", "Bob", "other name", "no relation"]),
        ("report in user.reports and record.owner = report", ["user", "no relation"]),
        (
            'report in user.reports and record.owner = report and report.role = "admin"',
            ["admin", "member", "no relation"],
        ),
        ('record.status = "active"', ["no relation"]),
    ],
)
def test_a_relation_is_a_way_from_the_subject_to_the_resource(body: str, names: list[str]) -> None:
    """By an attribute, a list, a row between, or a word of the first row, or of the subject."""
    assert names == name_relations(frame_of(body))


@pytest.mark.parametrize(
    ("subject", "resource", "relations"),
    [
        (ALICE, REPORT, {"owner", "readers"}),
        (BOB, REPORT, {"readers"}),
        (ALICE, NOTE, {"no relation"}),
    ],
)
def test_a_subject_is_everything_that_the_store_says(
    url: str, subject: Reference, resource: Reference, relations: set[str]
) -> None:
    """Several relations, one, or none."""
    store = build_records(url)
    shown = build_examiner(
        USUAL + 'permit(user: User, "read", record: Record) if record.owner = user;\n'
        'permit(user: User, "read", record: Record) if user in record.readers;\n' + SILENT
    ).find_shown(store, read_by(subject, resource), NOON)
    store.close()

    assert relations == {each.relation for each in shown.cells}


def test_only_channels_that_the_policies_look_at_are_columns() -> None:
    """The words that they name, none and any other; or one for all where they look at none."""
    looked_at = find_frames(compile_text(POLICY), RECORDS.schema)[READ]
    not_looked_at = frame_of("record.owner = user")

    assert ["none", "fax", "other"] == looked_at.channel_names
    assert ["any"] == not_looked_at.channel_names


@pytest.mark.parametrize(
    ("said", "name"), [(None, "none"), ("fax", "fax"), ("smoke", "other"), ("other", "other")]
)
def test_a_channel_is_found_by_what_is_said(said: str | None, name: str) -> None:
    """What is not named is any other, also where it is called so."""
    frame = find_frames(compile_text(POLICY), RECORDS.schema)[READ]

    assert name == frame.name_channel(said)


def test_what_is_said_for_a_channel_is_of_that_channel() -> None:
    """So a question can be made for each cell."""
    frame = find_frames(compile_text(POLICY), RECORDS.schema)[READ]

    assert frame.channel_names == [
        frame.name_channel(frame.say_channel(each)) for each in frame.channel_names
    ]


def test_the_roles_of_our_policies_are_the_rows() -> None:
    """Persons by their role on the number or as holders, and the back office, which has none."""
    engine = CompiledEngine(load_policies(TESTS.parent / "policies"), DOMAIN, LONG)
    frames = find_frames(engine, DOMAIN.schema)
    roles = ["access_owner", "administrator", "delegate", "holder", "user", "no relation"]

    assert roles == name_relations(frames["person", "view_bills", "subscription"])
    assert ["no relation"] == name_relations(frames["operator", "view_bills", "subscription"])
    assert (
        Cell("subscription", "person", "holder", "view_bills", "app")
        in frames["person", "view_bills", "subscription"].cells
    )


def test_roles_of_other_domains_are_found_as_well() -> None:
    """Roles on an organization and on its repositories, and whoever opened an issue."""
    domain = importlib.import_module("domains.gitclub").DOMAIN
    policies = load_policies(TESTS / "domains" / "gitclub" / "policies")
    frames = find_frames(CompiledEngine(policies, domain, LONG), domain.schema)

    assert [
        "creator",
        "maintainer",
        "member",
        "owner",
        "reader",
        "no relation",
    ] == name_relations(frames["user", "close", "issue"])
