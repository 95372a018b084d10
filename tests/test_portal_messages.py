"""The messages of the portal: each in all languages, with the fields that it is given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from authz_service.delivery.sms import write_plainly
from authz_service.delivery.texts import write_letter
from authz_service.portal import DOMAIN
from authz_service.portal.entities import LANGUAGES
from authz_service.portal.messages import TEMPLATES, write_confirmation
from authz_service.store.outbox import EMAIL, SMS, Claimed, Notice

if TYPE_CHECKING:
    from authz_service.delivery.texts import Letter
    from authz_service.store.template import Template

NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
ALL: Final = [
    pytest.param(template, id=f"{name}-{number}")
    for name, templates in TEMPLATES.items()
    for number, template in enumerate(templates)
]
COMPANY: Final = {"customer": "123456789", "customer_name": "Smith ltd", "person_name": "Mary"}


def write(template: str, language: str, medium: str, fields: dict[str, str]) -> Letter:
    """Write a notice of the portal out."""
    notice = Notice(medium, "x@x.example", language, template, fields)
    return write_letter(DOMAIN.templates, Claimed("a", notice, NOW, 1))


def test_the_notices_are_those_of_the_pages() -> None:
    """Four occasions."""
    expected = {"administrator_added", "access_owner_confirmed", "delegate_link", "delegate_code"}

    assert expected == set(TEMPLATES)


@pytest.mark.parametrize("template", ALL)
def test_each_has_all_languages(template: Template) -> None:
    """English first, for it is the default."""
    assert LANGUAGES == tuple(template.wordings)
    assert "en" == LANGUAGES[0]


@pytest.mark.parametrize("template", ALL)
def test_each_uses_all_of_its_fields_and_no_other(template: Template) -> None:
    """In each language the same is said."""
    assert {template.fields} == {
        each.fields | template.fields for each in template.wordings.values()
    }
    assert len({each.fields for each in template.wordings.values()}) == 1


@pytest.mark.parametrize("template", ALL)
def test_a_subject_is_a_line(template: Template) -> None:
    """E-mail has one, a text message has none; all languages agree."""
    subjects = [each.subject for each in template.wordings.values()]

    assert 1 == len({bool(each) for each in subjects})
    assert all(len(each.splitlines()) == 1 for each in subjects if each)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("template", "fields"),
    [
        ("administrator_added", COMPANY),
        ("access_owner_confirmed", COMPANY),
        ("delegate_link", COMPANY | write_confirmation("https://x.example/y", "r-1", "t-1")),
        ("delegate_link", COMPANY | write_confirmation("", "r-1", "t-1")),
    ],
)
def test_an_e_mail_says_all_that_it_is_given(
    language: str, template: str, fields: dict[str, str]
) -> None:
    """Each field stands in the text or in the subject."""
    letter = write(template, language, EMAIL, fields)

    assert [] == [each for each in fields.values() if each not in letter.subject + letter.text]
    assert letter.text.endswith("\n\nMyProximus\n")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["Smith ltd", "x" * 300, "Noël, Peña & Søns", "Ça et là çŁ"])
def test_a_code_fits_into_one_text_message(language: str, name: str) -> None:
    """The code stands first, so no name can push it out."""
    letter = write("delegate_code", language, SMS, {"code": "481516", "customer_name": name})
    plain = write_plainly(letter.text)

    assert plain.startswith("481516 ")
    assert len(plain) <= 160 or "Ł" in plain


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_code_are_plain(language: str) -> None:
    """There is room for a name of 60 letters beside them."""
    name = "x" * 60
    letter = write("delegate_code", language, SMS, {"code": "481516", "customer_name": name})

    assert letter.text == write_plainly(letter.text)


def test_a_link_leads_to_the_page_with_request_and_token() -> None:
    """Whatever characters they have."""
    [(name, link)] = write_confirmation("https://x.example/y", "r/1 &", "t=?").items()
    parts = urlsplit(link)

    assert ("link", "/y") == (name, parts.path)
    assert {"request": ["r/1 &"], "token": ["t=?"]} == parse_qs(parts.query)


def test_without_a_page_there_is_something_to_enter() -> None:
    """The request and its token."""
    assert {"request": "r-1", "token": "t-1"} == write_confirmation("", "r-1", "t-1")
