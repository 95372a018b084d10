"""From templates to letters: the language, the fields, and what no field can do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from authz_service.delivery.texts import flatten, write_letter
from authz_service.errors import DeliveryError
from authz_service.store.outbox import Claimed, Notice
from authz_service.store.template import Template, Wording

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
WELCOME: Final = Template(
    frozenset({"name"}),
    {
        "en": Wording("Dear $name,\nit costs $$5.\n", "Hello $name"),
        "nl": Wording("Beste $name,\n", "Dag $name"),
    },
)
LINK: Final = Template(frozenset({"name", "link"}), {"en": Wording("See $link, $name")})
TEMPLATES: Final = {"welcome": (WELCOME,), "either": (LINK, WELCOME)}
MARY: Final = Notice("email", "mary@x.example", "nl", "welcome", {"name": "Mary"})


def write(notice: Notice) -> tuple[str, str, str]:
    """Write a notice out: language, subject and text."""
    letter = write_letter(TEMPLATES, Claimed("a", notice, NOW, 1))
    return letter.language, letter.subject, letter.text


def test_a_letter_is_written_in_the_language_of_the_person() -> None:
    """Subject and text."""
    assert ("nl", "Dag Mary", "Beste Mary,\n") == write(MARY)


def test_a_language_that_is_lacking_is_replaced_by_the_first() -> None:
    """And the letter says in which it is written."""
    expected = ("en", "Hello Mary", "Dear Mary,\nit costs $5.\n")

    assert expected == write(replace(MARY, language="de"))


@pytest.mark.parametrize(
    ("expected", "fields"),
    [
        ("See L, Mary", {"name": "Mary", "link": "L"}),
        ("Dear Mary,\nit costs $5.\n", {"name": "Mary"}),
    ],
)
def test_of_several_templates_the_fields_choose(expected: str, fields: dict[str, str]) -> None:
    """The first all of whose fields are given."""
    assert expected == write(replace(MARY, template="either", language="en", fields=fields))[2]


@pytest.mark.parametrize(
    ("notice", "message"),
    [
        (replace(MARY, template="none"), "the template `none`: is none of this domain; "),
        (replace(MARY, fields={"token": "swordfish"}), "the template `welcome`: needs `name`, "),
    ],
)
def test_what_cannot_be_written_is_told_by_its_names(notice: Notice, message: str) -> None:
    """The values of fields are not repeated."""
    with pytest.raises(DeliveryError) as caught:
        write(notice)

    assert str(caught.value).startswith(message)
    assert "swordfish" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "Mary\nBcc: evil@x.example",
        "Mary\r\n\r\nPay here: http://x.example",
        "Mary\x0bBcc: x",
        "Mary\x85x",
        "Mary\u2028x",
        "Mary\u2029x",
        "Mary\x1b[2Jx",
        "Mary\x00x",
        "Mary \ud800x",
    ],
    ids=ascii,
)
def test_no_field_adds_a_line(name: str) -> None:
    """Neither to the subject nor to the text."""
    _, subject, text = write(replace(MARY, fields={"name": name}))

    assert 1 == len(subject.splitlines())
    assert 1 == len(text.splitlines())
    assert subject.isprintable()


def test_no_field_brings_in_another() -> None:
    """What looks like a field of the template is a name like any other."""
    assert "Dag $name $$ ${name}" == write(replace(MARY, fields={"name": "$name $$ ${name}"}))[1]


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("Zoë d'Août", "Zoë d'Août"),
        ("a b", " a \t\n b "),
        ("", "\n"),
        ("李 안나 👩‍🚀", "李 안나 👩‍🚀"),
    ],
)
def test_names_stay_as_they_are(expected: str, text: str) -> None:
    """In any alphabet."""
    assert expected == flatten(text)


def test_a_wording_knows_its_fields() -> None:
    """Those of the subject and of the text."""
    assert {"a", "b", "c"} == Wording("$a ${b} $$x", "$c $a").fields
