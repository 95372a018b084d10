"""The door in front of Flask: whatever comes in is answered as Flask itself would answer it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import settings as tuned
from hypothesis import strategies as st
from portal_service import (
    EVALUATION,
    EVALUATIONS,
    JSON,
    MARY_SEES_BILLS,
    MARY_SEES_USAGE,
    METADATA,
    PHILIP_SEES_BILLS,
    open_app,
    open_service,
)

from authz_service.store.keys import create_key, revoke_keys
from authz_service.web.app import create_app
from authz_service.web.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from wsgiref.types import WSGIApplication, WSGIEnvironment

BODY: Final = json.dumps(MARY_SEES_USAGE).encode()
TENANT: Final = "https://pdp.example/tenant"
MAX_BODY: Final = 2_048
BATCH: Final = {
    **MARY_SEES_USAGE,
    "context": {"channel": "web"},
    "evaluations": [{}, {"action": {"name": "view_bills"}}, PHILIP_SEES_BILLS],
    "options": {"evaluations_semantic": "execute_all", "reasons": True},
}
PARAMETERS: Final = {
    **MARY_SEES_USAGE,
    "action": {"name": "view_usage", "properties": {"applications": ["a:b", "c"], "n": [1, None]}},
    "context": {"channel": "app", "time": "12:30", "risk": 0.5, "new": True},
}


@dataclass(frozen=True)
class Doors:
    """One service, and its two doors.

    Arguments:
        flask: the application without the layer.
        lean: with it.
        keys: what may stand in the header that shows a key.
    """

    flask: WSGIApplication
    lean: WSGIApplication
    keys: Mapping[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    """Both doors of a service with a public URL that has a path, and with low limits."""
    changes: dict[str, Any] = {"public_url": TENANT, "max_body": MAX_BODY, "max_batch": 4}
    with open_app(**changes) as flask, open_app(door="lean", **changes) as lean:
        yield Doors(flask, lean)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Doors]:
    """Both doors of a service that has keys: one that decides, one that does not, one revoked."""
    now, scopes = datetime.now(UTC), {"asks": "decide", "audits": "audit", "gone": "decide"}
    with open_service(public_url=TENANT, max_body=MAX_BODY, max_batch=4) as service:
        made = {
            name: create_key(service.store, name, [scope], now).text
            for name, scope in scopes.items()
        }
        revoke_keys(service.store, "gone", now)
        lean = create_app(service, Patience(1, 10))
        yield Doors(create_app(service), lean, made)


def knock(door: WSGIApplication, environ: WSGIEnvironment, body: bytes) -> tuple[Any, ...]:
    """Send a request as a server passes it on, and give back all that comes out."""
    length = environ.get("CONTENT_LENGTH", "")
    if length.isdecimal() and len(length) < 10:
        body = body[: int(length)]  # no server passes on more
    answered: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _info: Any = None) -> Any:
        answered.extend((status, sorted((name.lower(), value) for name, value in headers)))

    rest = {
        "SERVER_NAME": "pdp.example",
        "SERVER_PORT": "80",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
    }
    pieces = door({**rest, **environ}, start_response)
    return (*answered, b"".join(pieces))


def post(path: str, body: bytes, **others: str) -> WSGIEnvironment:
    """Write the head of a usual request."""
    usual = {"CONTENT_TYPE": JSON, "CONTENT_LENGTH": str(len(body))}
    return {"REQUEST_METHOD": "POST", "PATH_INFO": path, **usual, **others}


# Bodies, whole and mutated: cut, with bytes put in, with members twice, spaced, escaped.
_VALID: Final = st.sampled_from([MARY_SEES_USAGE, MARY_SEES_BILLS, BATCH, PARAMETERS])
_SNIPPETS: Final = st.sampled_from(
    [
        b"",
        b" ",
        b":",
        b'"',
        b"\\",
        b"\\u003a",
        b"\\ud800",
        b"\xff",
        b"\xc3\xa9",
        b"null",
        b"1e999",
        b"01",
        b"9" * 20,
        b"9" * 310,
        b"NaN",
        b"[]",
        b"{",
        b"}",
        b',"a":1',
        b'"a":{"b":"c:d"},',
        b'"subject":{"type":"person","id":"philip"},',
        b'"type":"operator",',
        b'"action":{"name":"view_bills"},',
        b'"channel":"fax",',
        b'"properties":{"role":"administrator"},',
        b'"properties":null,',
        b'"context":{},',
        b'"reasons":1,',
        b'"evaluations":[],',
        b"\x00",
        b"[" * 70,
    ]
)


@st.composite
def _bodies(draw: st.DrawFn) -> bytes:
    """Write a valid body in some spacing, with a few pieces put in or taken out."""
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:")]))
    body = json.dumps(draw(_VALID), separators=separators).encode()
    for _ in range(draw(st.integers(0, 2))):
        # mostly where a member may begin, so that what comes out often is JSON
        starts = [place + 1 for place, byte in enumerate(body) if byte in b'{,:["']
        start = draw(st.sampled_from(starts) if starts else st.just(0))
        taken = draw(st.sampled_from([0, 0, 0, 1, 5, 30]))
        body = body[:start] + draw(_SNIPPETS) + body[start + taken :]
    return body


_HEADERS: Final = st.fixed_dictionaries(
    {},
    optional={
        "CONTENT_TYPE": st.sampled_from(
            [JSON, f"{JSON}; charset=utf-8", f"{JSON};", "Application/JSON", "text/json", "", "é"]
        ),
        "CONTENT_LENGTH": st.sampled_from(
            ["", "0", "7", "+7", "-1", "1_0", "²", "1" * 5_000, str(MAX_BODY), str(MAX_BODY + 1)]
        ),
        "HTTP_TRANSFER_ENCODING": st.sampled_from(["chunked", "gzip", ""]),
        "HTTP_UPGRADE": st.just("websocket"),
        "HTTP_CONNECTION": st.sampled_from(["upgrade", "close"]),
        "HTTP_X_REQUEST_ID": st.text(st.characters(max_codepoint=255), max_size=8),
        "HTTP_HOST": st.sampled_from(["", "x", "x:y", "[", "é"]),
        "HTTP_AUTHORIZATION": st.just("undefined"),
        "QUERY_STRING": st.sampled_from(["a=b", "%", "é"]),
        "REQUEST_METHOD": st.sampled_from(["GET", "PUT", "HEAD", "OPTIONS", "post", "BREW"]),
    },
)
_PATHS: Final = st.sampled_from(
    [
        *([EVALUATION, EVALUATIONS, f"/tenant{EVALUATION}", f"/tenant{EVALUATIONS}"] * 3),
        f"{EVALUATION}/",
        f"/other{EVALUATION}",
        METADATA,
        "/health",
        "",
    ]
)


@given(path=_PATHS, body=_bodies() | st.binary(max_size=100), headers=_HEADERS | st.just({}))
@tuned(deadline=None, max_examples=1_000)
def test_both_doors_answer_alike(
    doors: Doors, path: str, body: bytes, headers: dict[str, str]
) -> None:
    """Any request has the same status, headers and body at either door, refusals included."""
    environ = post(path, body) | headers
    expected = knock(doors.flask, environ, body)

    assert expected == knock(doors.lean, environ, body)


# How a key is written, and by which status a usual question is answered then.
_SPELLINGS: Final = {
    "Bearer {asks}": 200,
    "bearer {asks}": 200,
    "BEARER   {asks} ": 200,
    "Bearer {audits}": 403,
    "Bearer {gone}": 401,
    "Bearer {asks}x": 401,
    "Bearer x{asks}": 401,
    "Bearer": 401,
    "Bearer ": 401,
    "Basic {asks}": 401,
    "{asks}": 401,
    "Bearer {asks},Bearer {asks}": 401,
    "Bearer é\x00\udcff": 401,
    "undefined": 401,
    "": 401,
}


@given(
    path=_PATHS | st.just(f"/{EVALUATION}"),
    body=_bodies() | st.binary(max_size=100),
    headers=_HEADERS | st.just({}),
    spelling=st.sampled_from([*_SPELLINGS, None]),
)
@tuned(deadline=None, max_examples=500)
def test_both_doors_want_the_same_keys(
    guarded: Doors, path: str, body: bytes, headers: dict[str, str], spelling: str | None
) -> None:
    """Any request with any key, or none, has the same answer at either door, and none passes."""
    environ = post(path, body) | headers
    environ.pop("HTTP_AUTHORIZATION", None)
    if not environ.get("HTTP_X_REQUEST_ID", "").isprintable():
        del environ["HTTP_X_REQUEST_ID"]  # no server passes it on
    if spelling is not None:
        environ["HTTP_AUTHORIZATION"] = spelling.format(**guarded.keys)
    status, found, answer = knock(guarded.flask, environ, body)
    is_refused = _SPELLINGS.get(spelling or "") == 401

    assert (status, found, answer) == knock(guarded.lean, environ, body)
    assert is_refused == status.startswith("401")
    assert is_refused == (("www-authenticate", 'Bearer realm="authz"') in found)
    assert all(text.encode() not in answer for text in guarded.keys.values())


@pytest.mark.parametrize("door", ["flask", "lean"])
@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_a_key_is_written_behind_the_word_bearer(guarded: Doors, spelling: str, door: str) -> None:
    """In whatever letters, and after it has been seen as well."""
    body = BODY
    environ = post(EVALUATION, body)
    environ["HTTP_AUTHORIZATION"] = spelling.format(**guarded.keys)
    answers = [knock(getattr(guarded, door), environ, body)[0] for _ in range(2)]

    assert [str(_SPELLINGS[spelling])] * 2 == [each[:3] for each in answers]


def test_a_body_is_not_waited_for_without_a_key(guarded: Doors) -> None:
    """Who shows no key keeps no thread waiting."""

    class Slow(io.BytesIO):
        """A body that never comes."""

        def read(self, _size: int | None = -1) -> bytes:
            raise AssertionError

    environ = post(EVALUATION, BODY) | {"wsgi.input": Slow()}

    assert knock(guarded.lean, environ, BODY)[0].startswith("401")


@pytest.mark.parametrize("prefix", ["", "/tenant"])
def test_a_usual_question_with_a_key_does_not_reach_flask(prefix: str) -> None:
    """The layer knows the keys itself."""
    with open_service(public_url=TENANT) as service:
        made = create_key(service.store, "asks", ["decide"], datetime.now(UTC))
        app = create_app(service, Patience(1, 10))
        app.before_request(lambda: "Flask was asked")
        environ = post(prefix + EVALUATION, BODY, HTTP_AUTHORIZATION=f"Bearer {made.text}")
        *_, answer = knock(app, environ, BODY)

    assert b"Flask was asked" != answer
    assert b'"decision"' in answer


@pytest.mark.parametrize("prefix", ["", "/tenant"])
@pytest.mark.parametrize(
    ("path", "data"),
    [(EVALUATION, MARY_SEES_USAGE), (EVALUATION, PARAMETERS), (EVALUATIONS, BATCH)],
)
def test_a_usual_question_does_not_reach_flask(prefix: str, path: str, data: object) -> None:
    """What the layer answers by itself is not passed on, below the path of the public URL too."""
    body = json.dumps(data).encode()
    with open_app(door="lean", public_url=TENANT) as app:
        app.before_request(lambda: "Flask was asked")
        *_, answer = knock(app, post(prefix + path, body), body)

    assert b"Flask was asked" != answer
    assert b'"decision"' in answer
