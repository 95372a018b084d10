"""YAML files as values that know their line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz_service.document import (
    Mapping,
    Scalar,
    Sequence,
    load_document,
    locate,
    parse_document,
    to_plain,
)
from authz_service.errors import DocumentError, Fault, Place

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.document import Value


def parse(text: str) -> Value:
    """The document that a text holds."""
    value = parse_document(text.encode(), "a.yaml")
    assert value
    return value


def refuse(text: str | bytes) -> tuple[Fault, ...]:
    """What is wrong with a text."""
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(DocumentError) as caught:
        parse_document(data, "a.yaml")
    return caught.value.faults


def at(line: int, column: int) -> Place:
    """A place in the file that the tests parse."""
    return Place("a.yaml", line, column)


def test_everything_knows_its_place() -> None:
    """A document is mappings, lists and scalars, each with line and column."""
    expected = Mapping(
        at(1, 1),
        (
            (Scalar(at(1, 1), "str", "name"), Scalar(at(1, 7), "str", "Mary")),
            (
                Scalar(at(2, 1), "str", "lines"),
                Sequence(at(3, 3), (Scalar(at(3, 5), "str", "a"), Scalar(at(4, 5), "int", "1"))),
            ),
        ),
    )

    assert expected == parse("name: Mary\nlines:\n  - a\n  - 1\n")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("str", "mary"),
        ("int", "0470000001"),
        ("int", "1_000"),
        ("int", "1:30"),
        ("float", "1.5"),
        ("bool", "true"),
        ("bool", "yes"),
        ("null", "null"),
        ("null", "~"),
        ("timestamp", "2026-01-05T09:00:00Z"),
        ("timestamp", "2026-01-05"),
        ("merge", "<<"),
    ],
)
def test_a_scalar_says_what_yaml_takes_it_for(kind: str, text: str) -> None:
    """A scalar has YAML's word for its kind, and the text as it was written."""
    assert Scalar(at(1, 1), kind, text) == parse(text)


@pytest.mark.parametrize("text", ['"0470000001"', "'0470000001'", "|-\n  0470000001"])
def test_what_is_in_quotes_is_text(text: str) -> None:
    """A quoted number or a block is text."""
    assert Scalar(at(1, 1), "str", "0470000001") == parse(text)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "\ufeff"])
def test_nothing_is_none(text: str) -> None:
    """A text without a value gives none."""
    assert parse_document(text.encode(), "a.yaml") is None


def test_keys_keep_their_order() -> None:
    """A mapping has its keys as the file has them."""
    value = parse("b: 1\na: 2\nc: 3\n")
    expected = ["b", "a", "c"]

    assert expected == list(to_plain(value))


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (Fault(at(1, 4), "yaml_tag", "the tag `!x` is not used here"), "a: !x b"),
        (
            Fault(at(1, 1), "yaml_tag", "the tag `tag:yaml.org,2002:str` is not used here"),
            "!!str a",
        ),
        (
            Fault(
                at(1, 4),
                "yaml_tag",
                "the tag `tag:yaml.org,2002:python/object/apply:os.system` is not used here",
            ),
            "a: !!python/object/apply:os.system [true]",
        ),
        (
            Fault(
                at(2, 6), "yaml_alias", "anchors and aliases are not used here; write the value out"
            ),
            "a:\n  b: &x c",
        ),
        (
            Fault(
                at(1, 4), "yaml_alias", "anchors and aliases are not used here; write the value out"
            ),
            "a: *x",
        ),
        (Fault(at(1, 33), "nested_too_deep", "is nested deeper than 32 levels"), "[" * 33),
        (Fault(at(1, 33), "nested_too_deep", "is nested deeper than 32 levels"), "[" * 10_000),
        (Fault(at(1, 33), "nested_too_deep", "is nested deeper than 32 levels"), "{" * 10_000),
        (Fault(at(1, 65), "nested_too_deep", "is nested deeper than 32 levels"), "- " * 10_000),
        (Fault(at(1, 65), "nested_too_deep", "is nested deeper than 32 levels"), "? " * 10_000),
        (
            Fault(at(2, 1), "duplicate_key", "`a` stands in line 1 already; remove one of them"),
            "a: 1\na: 2",
        ),
        (Fault(at(1, 3), "invalid_key", "a key must be a single word"), "? [a]\n: b"),
        (Fault(at(1, 3), "invalid_key", "a key must be a single word"), "? {a: b}\n: c"),
        (
            Fault(at(1, 5), "not_yaml", "is not YAML: mapping values are not allowed here"),
            "a: b: c",
        ),
        (
            Fault(
                at(1, 3),
                "not_yaml",
                "is not YAML: while parsing a flow sequence, expected ',' or ']', "
                "but got '<stream end>'",
            ),
            "[a",
        ),
        (
            Fault(
                at(2, 1),
                "not_yaml",
                "is not YAML: expected a single document in the stream, but found another document",
            ),
            "--- a\n--- b",
        ),
        (
            Fault(
                at(1, 2),
                "not_yaml",
                "is not YAML: while scanning for the next token, "
                "found character '\\t' that cannot start any token",
            ),
            " \ta",
        ),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_what_is_wrong_is_told_with_its_place(expected: Fault, text: str) -> None:
    """A text that is not plain YAML is refused where it stops being so."""
    assert (expected,) == refuse(text)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"name: M\xe9lanie", "a".encode("utf-16")])
def test_another_encoding_is_refused(data: bytes) -> None:
    """A file that is not UTF-8 is refused with the byte and what to do."""
    fault = refuse(data)[0]

    assert fault.code == "not_utf8"
    assert fault.message.endswith("is not UTF-8; save the file as UTF-8")


def test_the_byte_that_is_not_utf8_is_counted_from_one() -> None:
    """A wrong byte is told by its position as people count."""
    message = "byte 8 is not UTF-8; save the file as UTF-8"

    assert (Fault(Place("a.yaml"), "not_utf8", message),) == refuse(b"name: M\xe9")


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\ufffe"], ids=ascii)
def test_a_control_character_is_refused(character: str) -> None:
    """A character that is no text is refused, on one line."""
    fault = refuse(f"name: Mary{character}")[0]

    assert (Place("a.yaml"), "not_yaml") == (fault.where, fault.code)
    assert [str(fault)] == str(fault).splitlines()


@pytest.mark.parametrize(
    "escape", ["\\UFFFFFFFF", "\\U00110000", "\\uD800", "\\0"], ids=lambda value: value[1:]
)
def test_an_escape_for_what_no_text_holds_is_refused(escape: str) -> None:
    """An escape that stands for no character, or for one that no database takes, is refused."""
    assert ["a.yaml"] == [fault.where.name for fault in refuse(f'name: "Mary{escape}"')]


def test_all_wrong_keys_are_told_at_once() -> None:
    """Every repeated or compound key is a fault, wherever it is."""
    text = "a: {b: 1, b: 2}\nc:\n  - {d: 1, d: 2, d: 3}\n? [e]\n: f\n"
    expected = [
        (at(1, 11), "duplicate_key"),
        (at(3, 12), "duplicate_key"),
        (at(3, 18), "duplicate_key"),
        (at(4, 3), "invalid_key"),
    ]

    assert expected == [(fault.where, fault.code) for fault in refuse(text)]


def test_a_document_may_be_32_levels_deep() -> None:
    """A document at the limit is read."""
    assert Sequence is type(parse("[" * 32 + "]" * 32))


def test_a_file_is_read(tmp_path: Path) -> None:
    """A file gives its document, with the path in the places."""
    path = tmp_path / "a.yaml"
    path.write_text("name: Mélanie\n", encoding="utf-8")
    name, value = Place(str(path), 1, 1), Place(str(path), 1, 7)
    expected = Mapping(name, ((Scalar(name, "str", "name"), Scalar(value, "str", "Mélanie")),))

    assert expected == load_document(path)


def test_an_empty_file_is_none(tmp_path: Path) -> None:
    """A file with nothing in it gives none."""
    path = tmp_path / "a.yaml"
    path.touch()

    assert load_document(path) is None


@pytest.mark.parametrize(
    ("reason", "name"), [("No such file or directory", "missing.yaml"), ("Is a directory", ".")]
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, reason: str, name: str) -> None:
    """A file that the system refuses is told with the system's reason."""
    path = tmp_path / name
    expected = (Fault(Place(str(path)), "unreadable_file", f"cannot be read: {reason}"),)

    with pytest.raises(DocumentError) as caught:
        load_document(path)

    assert expected == caught.value.faults


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    """A file beyond 64 MiB is refused before it is parsed."""
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    expected = (Fault(Place(str(path)), "file_too_large", "is larger than 64 MiB; split it"),)

    with pytest.raises(DocumentError) as caught:
        load_document(path)

    assert expected == caught.value.faults


def test_plain_values_have_no_places() -> None:
    """A document becomes dictionaries, lists and text; a time is text and nothing is None."""
    text = "who: mary\nvia: [web, app]\nat: 2026-01-05T09:00:00Z\nholder: null\n"
    expected = {
        "who": "mary",
        "via": ["web", "app"],
        "at": "2026-01-05T09:00:00Z",
        "holder": None,
    }

    assert expected == to_plain(parse(text))


@pytest.mark.parametrize("text", ["12", "1.5", "true"])
def test_what_is_no_text_does_not_become_text(text: str) -> None:
    """A number or a truth value stays a scalar, so that whoever wants text refuses it."""
    value = parse(text)

    assert value is to_plain(value)


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        (at(1, 1), []),
        (at(2, 3), ["cases"]),
        (at(3, 10), ["cases", 1, "who"]),
        (at(3, 5), ["cases", 1]),
        (at(3, 5), ["cases", 1, "whom"]),
        (at(1, 1), ["nowhere", 0, "who"]),
        (at(2, 10), ["cases", 0, "who", "deeper", 3]),
        (at(2, 3), ["cases", "who"]),
        (at(2, 3), ["cases", 2]),
    ],
)
def test_a_path_leads_to_a_place(expected: Place, path: list[str | int]) -> None:
    """A path of keys and positions leads as far as the document goes along with it."""
    value = parse("cases:\n  - who: mary\n  - who: tom\n")

    assert expected == locate(value, path)
