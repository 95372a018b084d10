"""How searches are cut into pages, and the tokens with which they go on.

A token says behind which id the next page begins, so it stays good whatever is written meanwhile.
It is signed, and tied to the question, the policies and the size of the page, so that it means
nothing anywhere else.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from itsdangerous import BadPayload, BadSignature, URLSafeSerializer

from authz_service.errors import RequestError
from authz_service.policy.clauses import RESOURCE, SUBJECT
from authz_service.policy.request import Page

if TYPE_CHECKING:
    from authz_service.policy.request import Request

_WHERE: Final = "page.token"
_AGAIN: Final = "begin the search again, without a token"
# Another one when what is in a token changes.
_VERSION: Final = 1


@dataclass(frozen=True)
class Asked:
    """What a token is tied to.

    Arguments:
        searched: what is open: `subject`, `resource` or `action`.
        request: the question; what is open in it does not count.
        policy_digest: which policies answer it.
    """

    searched: str
    request: Request
    policy_digest: str

    @property
    def policy(self) -> str:
        """So much of the policy digest as tells policy sets apart."""
        return self.policy_digest[-32:]

    @property
    def known(self) -> Request:
        """The question without what is open in it."""
        request = self.request
        if self.searched == SUBJECT:
            return request._replace(subject=replace(request.subject, id=""))
        if self.searched == RESOURCE:
            return request._replace(resource=replace(request.resource, id=""))
        return request._replace(action="")

    def digest(self) -> str:
        """Sum up the question without the policies, and without what is open."""
        request = self.request
        known = {
            "subject": [request.subject.type, request.subject.id],
            "action": [request.action, ""],
            "resource": [request.resource.type, request.resource.id],
        }
        known[self.searched][self.searched != "action"] = ""
        parts = [self.searched, known, dict(request.given), dict(request.supplied)]
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Pager:
    """Cuts searches into pages.

    Arguments:
        key: the secret with which tokens are signed; all processes that serve must have the same.
        most: how many results a page has at the most, and when no number is asked for.
        time_limit: milliseconds that finding one page may take.
    """

    def __init__(self, key: str, most: int, time_limit: int) -> None:
        self._serializer = URLSafeSerializer(key, salt="authz-service search")
        self._most = most
        self._time_limit = time_limit

    def open(self, asked: Asked, limit: int | None, token: str) -> Page:
        """Find which page is wanted.

        Arguments:
            asked: the question.
            limit: how many results are wanted; None for as many as the token, or the service, says.
            token: from the page before; empty for the first page.

        Raises:
            RequestError: when the token is not one of this question, policy set and limit.
        """
        wanted = self._most if limit is None else min(limit, self._most)
        if not token:
            return Page("", wanted, self._time_limit)
        known = self._read(token)
        if known["question"] != asked.digest():
            raise _refuse("token_of_another_question", "it belongs to another question")
        if known["policy"] != asked.policy:
            raise _refuse("policy_changed", "the policies have changed since it was given")
        if limit is not None and wanted != known["limit"]:
            message = f"it belongs to pages of {known['limit']}, so leave `page.limit` as it was"
            raise _refuse("limit_changed", message)
        return Page(known["after"], known["limit"], self._time_limit)

    def next_token(self, asked: Asked, page: Page, after: str) -> str:
        """Write the token of the page that begins behind an id."""
        return self._serializer.dumps(
            {
                "version": _VERSION,
                "question": asked.digest(),
                "policy": asked.policy,
                "limit": page.limit,
                "after": after,
            }
        )

    def _read(self, token: str) -> dict[str, Any]:
        try:
            known = self._serializer.loads(token)
        except BadPayload:
            known = None
        except BadSignature:
            _, known = self._serializer.loads_unsafe(token)
            if known is not None:
                message = "it was not given by this service, or before it was started again"
                raise _refuse("foreign_token", message) from None
        except UnicodeError:
            known = None
        if not isinstance(known, dict):
            raise _refuse("garbled_token", "it is no token of a page, or not all of one")
        if known.get("version") != _VERSION:
            raise _refuse("stale_token", "it was given by another version of this service")
        return known


def _refuse(code: str, said: str) -> RequestError:
    return RequestError.at(_WHERE, code, f"`{_WHERE}` cannot be used: {said}; {_AGAIN}")
