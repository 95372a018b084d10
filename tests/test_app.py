"""The application as a whole: one shape for errors, the caller's id, and never a wrong allow."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import settings as tuned
from hypothesis import strategies as st
from portal_service import (
    EVALUATION,
    EVALUATIONS,
    MARY_SEES_BILLS,
    MARY_SEES_USAGE,
    METADATA,
    POLICIES,
    SMITH,
    WAYS,
    Answer,
    ask,
    call,
    open_app,
    open_client,
    read_decisions,
    read_error,
    read_reasons,
    send,
)
from reference import ENGINES

from authz_service import assembly, storage
from authz_service.errors import PolicyError, StoreError
from authz_service.settings import Settings
from authz_service.web.app import create_app, load_app
from authz_service.web.security import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask.testing import FlaskClient

BODY: Final = json.dumps(MARY_SEES_USAGE).encode()
REQUEST_ID: Final = "X-Request-ID"


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def client(request: pytest.FixtureRequest) -> Iterator[FlaskClient]:
    """A client of the service for the company of Smith, by each engine and door."""
    engine, door = request.param
    with open_client(engine=engine, door=door) as opened:
        yield opened


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with the company of Smith in it."""
    path = tmp_path / "portal.db"
    storage.load_into_store(Settings(database=f"sqlite:///{path}"), [SMITH])
    return path


@pytest.fixture
def file_client(database: Path) -> Iterator[FlaskClient]:
    """A client of a service that has answered from that database, and looks at no keys again."""
    service = assembly.build_service(Settings(policies=POLICIES, database=f"sqlite:///{database}"))
    once = Guard(service.store, may_open=True, tell_time=storage.tell_time, clock=lambda: 0.0)
    opened = create_app(service, guard=once).test_client()
    assert {"decision": True} == ask(opened, MARY_SEES_USAGE).data
    yield opened
    service.store.close()


def fail_with(error: Exception) -> Answer:
    """Ask an application in which one view has a fault that nobody expects."""

    def view() -> str:
        raise error

    with open_app() as app:
        app.add_url_rule("/faulty", view_func=view)
        return call(app.test_client(), "GET", "/faulty", [(REQUEST_ID, "7")])


def send_in_chunks(settings: Settings, body: bytes) -> Answer:
    """Ask the application of a serving process, without saying how long the question is."""
    response = (
        load_app(settings)
        .test_client()
        .post(
            EVALUATION,
            input_stream=io.BytesIO(body),
            content_type="application/json",
            headers={"Transfer-Encoding": "chunked"},
        )
    )
    return Answer(response.status_code, {}, response.get_data(as_text=True))


def drop_tables(path: Path) -> None:
    """Take all tables out of a database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            connection.execute(f"DROP TABLE {name}")


def drop_memberships(path: Path) -> None:
    """Take one table out of a database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE membership")


def overwrite(path: Path) -> None:
    """Put garbage into a file."""
    path.write_bytes(b"garbage" * 5_000)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", (404, "not_found", "GET /")),
        ("POST", "/access/v1", (404, "not_found", "POST /access/v1")),
        ("POST", f"{EVALUATION}/", (404, "not_found", f"POST {EVALUATION}/")),
        ("POST", "/access/v2/evaluation", (404, "not_found", "POST /access/v2/evaluation")),
        ("GET", "/..%2f..%2fetc/passwd", (404, "not_found", "GET /../../etc/passwd")),
        ("GET", "/%ff%00", (404, "not_found", r"GET /\ufffd\x00")),
        ("GET", EVALUATION, (405, "method_not_allowed", f"GET {EVALUATION}")),
        ("PUT", METADATA, (405, "method_not_allowed", f"PUT {METADATA}")),
    ],
)
def test_what_is_not_there_is_told_in_the_shape_of_all_errors(
    client: FlaskClient, method: str, path: str, expected: tuple[int, str, str]
) -> None:
    """A wrong path or method gets JSON like everything else, no page of HTML."""
    answer = call(client, method, path)
    error = read_error(answer)

    assert expected == (answer.status, error["code"], error["where"])


def test_a_doubled_slash_is_not_found(client: FlaskClient) -> None:
    """A path is taken as it is: nobody is sent to another address by a page of HTML."""
    answer = send(client, "/access//v1/evaluation", BODY)

    assert (404, "not_found") == (answer.status, read_error(answer)["code"])


def test_the_message_of_an_error_is_a_sentence(client: FlaskClient) -> None:
    """What is not there is named, in words for people."""
    error = read_error(call(client, "GET", "/evaluation"))

    assert "there is no `/evaluation` here" == error["message"]


def test_a_long_path_is_not_repeated_whole(client: FlaskClient) -> None:
    """The message about a path of any length is short."""
    error = read_error(call(client, "GET", "/" + "x" * 10_000))

    assert len(error["message"]) < 200


def test_a_body_over_the_limit_names_the_setting(client: FlaskClient) -> None:
    """The message of a 413 says what an operator can change."""
    answer = send(client, EVALUATION, b"x" * 2_000_000)

    assert 413 == answer.status
    assert "`max_body`" in read_error(answer)["message"]


@pytest.mark.parametrize(
    "error", [RuntimeError("pins and needles"), KeyError("pins"), SystemError()]
)
def test_a_fault_that_nobody_expects_is_500(error: Exception) -> None:
    """It is answered in the shape of all errors, the id of the request included."""
    answer = fail_with(error)
    found = read_error(answer)

    assert (500, "internal_error", "GET /faulty") == (answer.status, found["code"], found["where"])
    assert "7" == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("pins and needles"),
        StoreError.at("pins", "database_error", "the database of needles cannot be used"),
    ],
)
def test_a_fault_is_told_to_the_log_and_not_to_the_caller(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """What went wrong is the operator's business: the log has it, the answer does not."""
    answer = fail_with(error)

    assert "pins" not in answer.text
    assert "needles" not in answer.text
    assert "pins" in caplog.text
    assert "needles" in caplog.text
    assert "GET /faulty" in caplog.text


def test_the_log_cannot_be_forged_by_a_path(caplog: pytest.LogCaptureFixture) -> None:
    """A line break in a path does not start a new line of the log."""

    def view(rest: str) -> str:
        raise RuntimeError(rest)

    with open_app() as app:
        app.add_url_rule("/faulty/<rest>", view_func=view)
        call(app.test_client(), "GET", "/faulty/%0aERROR forged")
    (record,) = caplog.records

    assert "\n" not in record.getMessage()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", METADATA, 200),
        ("GET", "/health", 200),
        ("GET", "/nothing", 404),
        ("GET", EVALUATION, 405),
        ("POST", EVALUATION, 400),
    ],
)
def test_the_id_of_the_request_comes_back(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    """`X-Request-ID` is echoed, whatever the answer is."""
    answer = call(client, method, path, [(REQUEST_ID, "7")])

    assert (status, "7") == (answer.status, answer.headers["x-request-id"])


@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS])
@pytest.mark.parametrize(("body", "status"), [(BODY, 200), (b"{}", 400), (b"x" * 2_000_000, 413)])
@pytest.mark.parametrize(
    "value", ["7", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716", 'a  b;c="d",{e}~%00', "{é}"]
)
def test_the_id_of_a_question_comes_back_as_it_was(
    client: FlaskClient, path: str, body: bytes, status: int, value: str
) -> None:
    """It is any text, and echoed to the byte, with the answer or with the error."""
    answer = send(client, path, body, headers=[(REQUEST_ID, value)])

    assert (status, value) == (answer.status, answer.headers["x-request-id"])


def test_no_id_is_needed(client: FlaskClient) -> None:
    """Without the header the answer is the same, and has no such header either."""
    answer = ask(client, MARY_SEES_USAGE)

    assert 200 == answer.status
    assert "x-request-id" not in answer.headers


@pytest.mark.parametrize("value", ["undefined", "Bearer nothing", "Basic Og==", ""])
def test_an_odd_authorization_is_ignored(client: FlaskClient, value: str) -> None:
    """While nobody has to show who they are, what they show is not looked at."""
    answer = send(client, EVALUATION, BODY, headers=[("Authorization", value)])

    assert {"decision": True} == answer.data


@pytest.mark.parametrize("break_it", [overwrite, drop_tables, drop_memberships])
def test_a_broken_database_denies(
    file_client: FlaskClient, database: Path, break_it: Callable[[Path], None]
) -> None:
    """What was allowed is denied, with a reason of its own, once the database cannot be read."""
    break_it(database)
    answer = ask(file_client, MARY_SEES_USAGE)

    assert 200 == answer.status
    assert ["evaluation_error"] == read_reasons(answer.data)


@pytest.mark.parametrize("break_it", [overwrite, drop_tables, drop_memberships])
def test_a_broken_database_denies_every_item_of_a_batch(
    file_client: FlaskClient, database: Path, break_it: Callable[[Path], None]
) -> None:
    """No item slips through."""
    break_it(database)
    answer = ask(file_client, {**MARY_SEES_USAGE, "evaluations": [{}, {}]}, EVALUATIONS)

    assert [False, False] == read_decisions(answer)


@pytest.mark.parametrize("break_it", [overwrite, drop_tables, drop_memberships])
def test_a_broken_database_is_no_good_health(
    file_client: FlaskClient, database: Path, break_it: Callable[[Path], None]
) -> None:
    """The health check fails, with the problem, while questions cannot be answered."""
    break_it(database)
    answer = call(file_client, "GET", "/health")

    assert (503, "degraded") == (answer.status, answer.data["status"])
    assert 1 == len(answer.data["problems"])


def test_a_database_that_is_whole_again_is_used_again(
    file_client: FlaskClient, database: Path
) -> None:
    """Nothing has to be restarted when the database comes back."""
    whole = database.read_bytes()
    overwrite(database)
    broken = ask(file_client, MARY_SEES_USAGE).data["decision"]
    database.write_bytes(whole)

    assert (False, True) == (broken, ask(file_client, MARY_SEES_USAGE).data["decision"])


def test_a_closed_store_opens_again(database: Path) -> None:
    """A connection that was closed is opened by the next question."""
    service = assembly.build_service(Settings(policies=POLICIES, database=f"sqlite:///{database}"))
    service.store.close()
    decision = ask(create_app(service).test_client(), MARY_SEES_USAGE).data
    service.store.close()

    assert {"decision": True} == decision


@pytest.mark.parametrize("engine", ENGINES)
def test_a_policy_that_would_fail_is_not_served(tmp_path: Path, engine: str) -> None:
    """A rule that some question would run into an error with is refused before any is asked.

    What `thing` is, the rule does not say; the questions of the domain are tried on it.
    """
    policies = tmp_path / "policies"
    policies.mkdir()
    rules = """
        allow(request: Request, action: String, resource) if
            permit(request.subject, action, resource) and
            not forbid(_reason, request, action, resource);
        permit(_: Person, "view_bills", _: Subscription);
        permit(_: Person, "view_usage", _: Subscription);
        forbid("red", _: Request, "view_usage", thing) if
            thing.colour = "red";
    """
    (policies / "rules.polar").write_text(rules)

    with (
        pytest.raises(PolicyError, match=r"rules.polar:8:13: .*no attribute `colour`"),
        open_client(policies=policies, engine=engine),
    ):
        pass


def test_a_clock_that_fails_denies() -> None:
    """Without the time nothing is decided, so it is denied."""

    def fail() -> Any:
        raise OSError("the clock has stopped")

    with open_app(clock=fail) as app:
        answer = ask(app.test_client(), MARY_SEES_USAGE)

    assert ["evaluation_error"] == read_reasons(answer.data)


def test_an_evaluation_error_is_told_to_the_log(
    file_client: FlaskClient, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller learns that it could not be decided, the log learns why."""
    overwrite(database)
    answer = ask(file_client, MARY_SEES_USAGE)

    assert str(database) not in answer.text
    assert str(database) in caplog.text


def test_a_body_without_a_length_is_read(database: Path) -> None:
    """The application that is served reads a body that comes in chunks."""
    answer = send_in_chunks(Settings(policies=POLICIES, database=f"sqlite:///{database}"), BODY)

    assert {"decision": True} == answer.data


@pytest.mark.parametrize(("size", "status"), [(1_023, 200), (1_025, 413), (1_000_000, 413)])
def test_a_body_without_a_length_has_the_same_limit(database: Path, size: int, status: int) -> None:
    """Leaving the length out does not get a larger body in, nor part of one."""
    settings = Settings(policies=POLICIES, database=f"sqlite:///{database}", max_body=1_024)

    assert status == send_in_chunks(settings, BODY.ljust(size)).status


# Questions in which some members are wrong, so that every check is reached, and some are none.
_MEMBERS: Final = st.sampled_from(
    [
        "subject",
        "action",
        "resource",
        "context",
        "evaluations",
        "options",
        "type",
        "id",
        "name",
        "properties",
        "channel",
        "applications",
        "evaluations_semantic",
        "reasons",
    ]
)
_WORDS: Final = st.sampled_from(["person", "mary", "view_usage", "customer", "123456789", "web"])
_ANYTHING: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_MEMBERS, inner, max_size=4),
    max_leaves=8,
)
_OBJECTS: Final = st.dictionaries(_MEMBERS, _ANYTHING, max_size=4)
_PARTS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "subject": st.fixed_dictionaries({"type": _WORDS, "id": _WORDS}, optional={"x": _ANYTHING}),
    "action": st.fixed_dictionaries({"name": _WORDS}, optional={"properties": _OBJECTS}),
    "resource": _OBJECTS,
    "context": st.dictionaries(st.just("channel"), _WORDS | _ANYTHING),
}


def change_some(members: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Give values to a few members, of the type that they ought to have or of any."""
    one = st.one_of([st.tuples(st.just(name), _ANYTHING | each) for name, each in members.items()])
    return st.lists(one, max_size=2).map(dict)


_GOOD: Final = st.sampled_from([{}, MARY_SEES_USAGE, MARY_SEES_BILLS])
_ITEMS: Final = st.tuples(_GOOD, change_some(_PARTS)).map(lambda both: both[0] | both[1])
_OPTIONS: Final = change_some(
    {
        "evaluations_semantic": st.sampled_from(["execute_all", "permit_on_first_permit"]),
        "reasons": st.booleans(),
    }
)
_REQUESTS: Final = st.tuples(
    _ITEMS, change_some({"evaluations": st.lists(_ITEMS, max_size=4), "options": _OPTIONS})
).map(lambda both: both[0] | both[1])


def assert_in_shape(answer: Answer) -> None:
    """Hold an answer to be a decision, a batch of them, or a refusal."""
    if answer.status != 200:
        assert answer.status in {400, 413}, answer
        read_error(answer)
    elif "evaluations" in answer.data:
        read_decisions(answer)
    elif answer.data["decision"]:
        assert {"decision": True} == answer.data
    else:
        read_reasons(answer.data)


@given(
    path=st.sampled_from([EVALUATION, EVALUATIONS]),
    body=st.binary(max_size=200) | _ANYTHING.map(lambda value: json.dumps(value).encode()),
    cut=st.integers(0, 20),
)
@tuned(deadline=None, max_examples=200)
def test_any_bytes_are_answered_in_shape(
    client: FlaskClient, path: str, body: bytes, cut: int
) -> None:
    """Whatever is sent, the answer is one of ours; JSON that was cut short included."""
    assert_in_shape(send(client, path, body[: len(body) - cut]))


@given(path=st.sampled_from([EVALUATION, EVALUATIONS]), data=_REQUESTS)
@tuned(deadline=None, max_examples=300)
def test_any_values_are_answered_in_shape(
    client: FlaskClient, path: str, data: dict[str, Any]
) -> None:
    """The right members with wrong values in them are answered or refused, and break nothing."""
    assert_in_shape(ask(client, data, path))
