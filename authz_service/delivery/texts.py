"""From a template, a language and fields to what is sent."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from string import Template as Pattern
from typing import TYPE_CHECKING, Final

from authz_service.errors import DeliveryError, quote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from authz_service.store.outbox import Claimed, Notice
    from authz_service.store.template import Template, Wording

# Control characters, the ends of lines and paragraphs, halves of pairs: no name has them.
_BREAKS: Final = {"Cc", "Zl", "Zp", "Cs"}


@dataclass(frozen=True)
class Letter:
    """A message as it is sent.

    Arguments:
        id: the same for every repeat.
        at: when it was queued.
        address: where to.
        language: in which it is written.
        subject: on one line; empty for a text message.
        text: what it says; may hold a one-time token, so it is never shown.
    """

    id: str
    at: datetime
    address: str
    language: str
    subject: str = field(repr=False)
    text: str = field(repr=False)


def write_letter(templates: Mapping[str, tuple[Template, ...]], message: Claimed) -> Letter:
    """Write a message out.

    Each field comes onto one line, so that none can add a line to a text or to a header.

    Arguments:
        templates: those of the domain.
        message: the one to be sent.

    Raises:
        DeliveryError: when there is no such template, or a field is missing.
    """
    notice = message.notice
    language, wording = _choose(_find(templates, notice), notice.language)
    fields = {name: flatten(text) for name, text in notice.fields.items()}
    subject, text = (Pattern(each).substitute(fields) for each in (wording.subject, wording.text))
    return Letter(message.id, message.at, notice.address, language, subject, text)


def flatten(text: str) -> str:
    """Put a text onto one line, without what steers terminals, headers and paragraphs."""
    kept = (" " if unicodedata.category(each) in _BREAKS else each for each in text)
    return " ".join("".join(kept).split())


def _find(templates: Mapping[str, tuple[Template, ...]], notice: Notice) -> Template:
    place = f"the template {quote(notice.template)}"
    choice = templates.get(notice.template)
    if not choice:
        message = "is none of this domain; add it there, then retry the message"
        raise DeliveryError.at(place, "unknown_template", message)
    for each in choice:
        if each.fields <= notice.fields.keys():
            return each
    missing = ", ".join(quote(name) for name in sorted(choice[-1].fields - notice.fields.keys()))
    message = f"needs {missing}, which the message lacks"
    raise DeliveryError.at(place, "missing_field", message)


def _choose(template: Template, language: str) -> tuple[str, Wording]:
    usual = next(iter(template.wordings))
    chosen = language if language in template.wordings else usual
    return chosen, template.wordings[chosen]
