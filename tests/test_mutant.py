"""Mutants: which changes there are, and what the text is then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from mutants import POLICIES
from toy_policy import POLICY, build_mutants

from authz_service.mutation.mutant import find_mutants
from authz_service.mutation.operators import OPERATORS
from authz_service.policy.source import load_policies
from authz_service.portal import DOMAIN

if TYPE_CHECKING:
    from authz_service.policy.source import PolicySet

HEAD: Final = "permit(user: User, action: String, record: Record) if "
BLOCK: Final = """resource Record {
  roles = ["owner", "reader"];
  permissions = ["read"];
  "read" if "owner";
}"""

EXAMPLES: Final[list[tuple[str, str, list[tuple[str, str]]]]] = [
    (
        "drop-rule",
        'permit(_: User, "read", _: Record);',
        [('without permit(_: User, "read", _: Record)', "if 1 = 2;")],
    ),
    (
        "drop-rule",
        f'{HEAD}action = "read" and record.owner = user;',
        [(f"without {HEAD.removesuffix(' if ')}", "if 1 = 2;")],
    ),
    ("drop-rule", BLOCK, [('without "read" if "owner";', "\n  \n}")]),
    (
        "negate-rule",
        f'{HEAD}action = "read" and record.owner = user;',
        [
            (
                (
                    'action = "read" and record.owner = user'
                    ' -> not (action = "read" and record.owner = user)'
                ),
                'if not (action = "read" and record.owner = user);',
            )
        ],
    ),
    ("negate-rule", f'{HEAD}action = "read";', []),
    (
        "drop-condition",
        f'{HEAD}action = "read" and (record.owner = user or not (user in record.readers));',
        [
            ('without action = "read"', "if 1 = 1 and ("),
            ("without record.owner = user or not (user in record.readers)", "and (1 = 1);"),
            ("without record.owner = user", "(1 = 2 or not"),
            ("without not (user in record.readers)", "= user or 1 = 2);"),
        ],
    ),
    (
        "negate-condition",
        f'{HEAD}action = "read" and not record.owner = user;',
        [
            ('action = "read" -> not (action = "read")', 'if not (action = "read") and'),
            ("not record.owner = user -> (record.owner = user)", "and (record.owner = user);"),
        ],
    ),
    (
        "drop-field",
        'permit(_: User, "read", _: Record{status: "active", size: 3});',
        [
            ('Record{status: "active", size: 3} -> Record{size: 3}', "_: Record{size: 3});"),
            (
                'Record{status: "active", size: 3} -> Record{status: "active"}',
                '_: Record{status: "active"});',
            ),
        ],
    ),
    (
        "drop-field",
        'permit(_: User, "read", _: Record{size: 3});',
        [("Record{size: 3} -> Record", "_: Record);")],
    ),
    (
        "widen-list",
        f'{HEAD}action in ["read", "write"] and user.role = "admin" and record.owner = user;',
        [('with "delete"', '["read", "write", "delete"] and')],
    ),
    (
        "narrow-list",
        f'{HEAD}action in ["read", "write"] and user.role in ["admin"] and record.owner = user;',
        [
            ('without "read"', 'action in ["write"] and'),
            ('without "write"', 'action in ["read"] and'),
        ],
    ),
    (
        "swap-word",
        f'{HEAD}action = "read" and user.role = "admin" and record.size > 3 and record.secret;',
        [
            ('"read" -> "delete"', 'action = "delete"'),
            ('"read" -> "write"', 'action = "write"'),
            ('"admin" -> "member"', 'user.role = "member"'),
            ("3 -> 4", "record.size > 4"),
        ],
    ),
    (
        "swap-word",
        (
            'step("ask", "new"); step("answer", "asked"); permit(_: User, "read", record: Record)'
            ' if step("ask", record.title) and record.owner = nil;'
        ),
        [
            ('"ask" -> "answer"', 'step("answer", "new");'),
            ('"new" -> "asked"', 'step("ask", "asked");'),
            ('"answer" -> "ask"', 'step("ask", "asked");'),
            ('"asked" -> "new"', 'step("answer", "new");'),
            ('"read" -> "delete"', '"delete", record'),
            ('"read" -> "write"', '"write", record'),
            ('"ask" -> "answer"', 'step("answer", record.title)'),
        ],
    ),
    (
        "swap-word",
        (
            'forbid("a", _: Request, _: String, _: Record); reason("a", "It is so.");'
            'forbid("b", _: Request, _: String, _: Record); forbid("c", _: Request, _, _: Record);'
        ),
        [
            ('"a" -> "b"', 'forbid("b", _: Request, _: String, _: Record); reason("a"'),
            ('"b" -> "a"', '"It is so.");forbid("a"'),
            ('"c" -> "a"', 'forbid("a", _: Request, _, _: Record);'),
        ],
    ),
    (
        "swap-word",
        f'{BLOCK} has_role(_: User, "reader", _: Record); has_role(_: User, "owner", _: Record);',
        [
            ('"owner" -> "reader"', '"read" if "reader";'),
            ('"reader" -> "owner"', 'has_role(_: User, "owner", _: Record); has_role'),
            ('"owner" -> "reader"', 'has_role(_: User, "reader", _: Record);'),
        ],
    ),
    (
        "change-operator",
        f"{HEAD}record.owner = user and record.size <= 3 # not < 4\n and 1 < record.size;",
        [
            ("record.owner = user -> record.owner != user", "record.owner != user"),
            ("record.size <= 3 -> record.size < 3", "record.size < 3 # not < 4"),
            ("1 < record.size -> 1 <= record.size", "and 1 <= record.size;"),
        ],
    ),
    (
        "change-connective",
        f'{HEAD}action = "read" # so and so\n and (record.owner = user or user in record.readers);',
        [
            (
                (
                    'action = "read" and (record.owner = user or user in record.readers)'
                    ' -> action = "read" or (record.owner = user or user in record.readers)'
                ),
                "# so and so\n or (record.owner = user or user",
            ),
            (
                (
                    "record.owner = user or user in record.readers"
                    " -> record.owner = user and user in record.readers"
                ),
                "and (record.owner = user and user in record.readers);",
            ),
        ],
    ),
]


@pytest.fixture(scope="module")
def ours() -> PolicySet:
    """Our policies."""
    return load_policies(POLICIES)


@pytest.mark.parametrize(("operator", "text", "expected"), EXAMPLES)
def test_an_operator_changes_one_thing_at_a_time(
    operator: str, text: str, expected: list[tuple[str, str]]
) -> None:
    """Each change is told in one line, and stands in the text of the mutant."""
    found = build_mutants(text, operator)

    assert [change for change, _ in expected] == [each.change for each in found]
    assert all(part in each.file.text for (_, part), each in zip(expected, found, strict=True))


def test_every_operator_has_an_example() -> None:
    """None is without a test."""
    assert {*OPERATORS} == {operator for operator, _, expected in EXAMPLES if expected}


def test_a_mutant_is_told_with_its_place_and_rule() -> None:
    """As editors and compilers tell places."""
    [first, *_] = build_mutants(POLICY, "drop-condition")

    assert (
        "policies/records.polar:2:5: permit: drop-condition without user in record.readers"
    ) == str(first)


def test_what_is_below_a_change_stays_in_its_line() -> None:
    """So scenarios that name a line name the same rule."""
    text = f'{HEAD}\n  action = "read" and\n  record.owner = user;\npermit(_, "write", _: Record);'
    found = build_mutants(text, *OPERATORS)

    assert {4} == {len(each.file.text.splitlines()) for each in found}


def test_inline_queries_and_what_people_read_stay_as_they_are() -> None:
    """They are there to be held against the rest."""
    assert [] == build_mutants('?= step("ask"); reason("late", "It is too late.");', *OPERATORS)


@pytest.mark.parametrize("word", ['with "quotes"', "back\\slash", "two\nlines", "tab\t", "…"])
def test_words_are_written_so_that_they_are_read_again(word: str) -> None:
    """Whatever stands in them."""
    written = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    swapped = build_mutants(f'step("{written}"); step("plain");', "swap-word")[1]

    assert f'step("{written}"); step("{written}");' == swapped.file.text.replace("\\t", "\t")
    assert "\n" not in str(swapped)


def test_every_mutant_of_ours_can_be_read(ours: PolicySet) -> None:
    """A change of the text is a change of the tree, never a fault of the text."""
    found = find_mutants(ours, DOMAIN.schema, [each for each in OPERATORS if each != "swap-word"])
    read = [ours.change(each.file).readings for each in found if "channels" in each.name]

    assert read
    assert not any(reading.faults for readings in read for reading in readings)


def test_every_mutant_of_ours_has_its_name(ours: PolicySet) -> None:
    """And no text is that of another file, or the one that there was."""
    found = list(find_mutants(ours, DOMAIN.schema))
    texts = {each.text for each in ours.files}

    assert len(found) == len({each.name for each in found})
    assert not any(each.file.text in texts for each in found)
