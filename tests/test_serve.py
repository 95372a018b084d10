"""`authz serve`, the real command: what it prints, serves, refuses, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pytest
from installation import AUTHZ, PATIENCE, Installation, clean_environment, find_port, wait_until
from portal_service import (
    EVALUATION,
    EVALUATIONS,
    JSON,
    MARY_SEES_BILLS,
    MARY_SEES_USAGE,
    METADATA,
    PHILIP_SEES_BILLS,
    SMITH,
    THOMAS_SEES_MARYS_USAGE,
    question,
    read_decisions,
    read_error,
    read_reasons,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

BODY: Final = json.dumps(MARY_SEES_USAGE).encode()
MEMBERS: Final = b",".join(b'"%06d":0' % number for number in range(90_000))


def is_gone(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether a process and all those that it started have ended."""
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


def install(folder: Path) -> Installation:
    """Prepare a folder with the fixture of Smith, and find a free port."""
    (folder / "fixtures").mkdir()
    (folder / "fixtures" / "smith.yaml").write_bytes(SMITH.read_bytes())
    return Installation(folder, find_port())


def size_of(path: Path) -> int:
    """Tell how large a file is; one that is not there is empty."""
    return path.stat().st_size if path.exists() else 0


def write_people(path: Path, count: int, length: int) -> None:
    """Write a fixture of many people with long names."""
    entry = f'{{name: "{"🙂" * length}", email: e, mobile: null}}'
    lines = [f"  p{number}: {entry}" for number in range(count)]
    path.write_text("\n".join(["person:", *lines, ""]), encoding="utf-8")


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """All that a service needs, and no database yet."""
    return install(tmp_path)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A service that runs."""
    installed = install(tmp_path_factory.mktemp("service"))
    with installed.serve("--create"):
        yield installed


@pytest.fixture(scope="module")
def attacked_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Another one, for what could stop it."""
    installed = install(tmp_path_factory.mktemp("attacked"))
    with installed.serve("--create"):
        yield installed


def test_it_tells_what_it_made_and_what_it_serves(service: Installation) -> None:
    """The first lines name the database, its entities and the address."""
    expected = [
        f"made sqlite:///{service.database} with 17 entities from {service.fixtures}",
        f"serving MyProximus on http://127.0.0.1:{service.port}; stop with Ctrl-C. Try:",
    ]

    assert expected == service.printed[:2]


def test_the_printed_command_works_as_it_is(service: Installation) -> None:
    """The line that it says to try answers when it is pasted into a shell."""
    done = subprocess.run(
        ["/bin/sh", "-c", service.printed[2]], capture_output=True, check=True, timeout=PATIENCE
    )

    assert {"decision": True} == json.loads(done.stdout)


def test_it_says_that_there_is_no_key(service: Installation) -> None:
    """And what that means."""
    expected = (
        "there is no API key, so only this machine is served, and whoever asks from it is answered;"
        " `authz keys create` changes that"
    )

    assert expected == service.printed[3]


def test_it_denies(service: Installation) -> None:
    """A deny over HTTP has its reasons and the policies that gave it."""
    answer = service.ask(MARY_SEES_BILLS)

    assert 200 == answer.status
    assert ["not_permitted"] == read_reasons(answer.data)
    assert answer.headers["x-policy-digest"].startswith("sha256:")


def test_its_metadata_leads_back_to_it(service: Installation) -> None:
    """Without a public URL it is known by the address on which it serves."""
    found = service.call("GET", METADATA).data

    assert f"http://127.0.0.1:{service.port}" == found["policy_decision_point"]


def test_a_body_in_chunks_is_read(service: Installation) -> None:
    """A body needs no length."""
    answer = service.call("POST", EVALUATION, iter([BODY[:10], BODY[10:]]))

    assert {"decision": True} == answer.data


@pytest.mark.parametrize(
    "body", [b"x" * 2_000_000, [b"x" * 50_000] * 40], ids=["with-length", "in-chunks"]
)
def test_a_body_over_the_limit_is_refused(
    service: Installation, body: bytes | Iterable[bytes]
) -> None:
    """Two megabytes are 413 in our shape, the id of the request included."""
    answer = service.call("POST", EVALUATION, body, {"X-Request-ID": "big"})

    assert (413, "request_entity_too_large") == (answer.status, read_error(answer)["code"])
    assert "big" == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "value", ["7", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716", 'a  b;c="d",{e}~%00']
)
def test_the_id_of_the_request_comes_back(service: Installation, value: str) -> None:
    """`X-Request-ID` passes the server unchanged, there and back."""
    answer = service.call("POST", EVALUATION, BODY, {"X-Request-ID": value})

    assert value == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nothing", (404, "not_found")),
        ("GET", EVALUATION, (405, "method_not_allowed")),
        ("POST", EVALUATION, (400, "invalid_json")),
    ],
)
def test_errors_have_their_shape_over_http(
    service: Installation, method: str, path: str, expected: tuple[int, str]
) -> None:
    """The server adds no pages of its own."""
    answer = service.call(method, path)

    assert expected == (answer.status, read_error(answer)["code"])


def test_twenty_clients_at_once_get_their_own_answers(service: Installation) -> None:
    """Everybody is told about their own question, allow or deny, however many ask at once."""
    asked = [
        (MARY_SEES_USAGE, True),
        (MARY_SEES_BILLS, False),
        (PHILIP_SEES_BILLS, True),
        (THOMAS_SEES_MARYS_USAGE, False),
        (question("thomas", "view_usage", "0470000002"), True),
        (question("nobody", "view_usage", "0470000002"), False),
        (question("philip", "manage_options", "tv-1"), True),
    ]

    def be_client(first: int) -> list[tuple[bool, bool]]:
        turns = [asked[(first + turn) % len(asked)] for turn in range(10)]
        return [(expected, service.ask(data).data["decision"]) for data, expected in turns]

    with ThreadPoolExecutor(20) as pool:
        pairs = [pair for pairs in pool.map(be_client, range(20)) for pair in pairs]

    assert 200 == len(pairs)
    assert [expected for expected, _ in pairs] == [decision for _, decision in pairs]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (EVALUATION, b"[[]," * 100 + b'"' + b'\\"' * 500_000, 400),
        (EVALUATION, b"{" + MEMBERS + b"}", 400),
        (EVALUATION, b"{" + MEMBERS + b',"000000":0}', 400),
        (EVALUATION, b"{" + MEMBERS + b',"089999":0}', 400),
        (EVALUATIONS, b'{"evaluations":[' + b"1," * 500_000 + b"1]}", 413),
    ],
    ids=["quotes-without-end", "members", "first-twice", "last-twice", "items"],
)
def test_a_hostile_body_keeps_nobody_busy(
    attacked_service: Installation, path: str, body: bytes, status: int
) -> None:
    """What fits into the limit is refused at once, in a few words, and the service goes on."""
    answer = attacked_service.call("POST", path, body)

    assert status == answer.status
    assert len(read_error(answer)["message"]) < 1_000
    assert {"decision": True} == attacked_service.ask(MARY_SEES_USAGE).data


def test_a_second_start_keeps_what_is_there(installation: Installation) -> None:
    """`--create` makes a store once; what was written since is there after the next start."""
    sophie = installation.folder / "sophie.yaml"
    sophie.write_text(
        "person:\n"
        "  sophie: {name: Sophie, email: sophie@smith.example, mobile: null}\n"
        "subscription:\n"
        '  "0470000003": {customer: "123456789", kind: mobile, holder: sophie}\n'
    )
    asked = question("sophie", "view_usage", "0470000003")
    with installation.serve("--create"):
        before = installation.ask(asked).data
        subprocess.run(
            [AUTHZ, "load", sophie, f"--database=sqlite:///{installation.database}"],
            check=True,
            capture_output=True,
            env=clean_environment(),
        )
    with installation.serve("--create"):
        after = installation.ask(asked).data
    first_word = installation.printed[0].split()[0]

    assert ["unknown_subject"] == read_reasons(before)
    assert ({"decision": True}, "serving") == (after, first_word)


def test_what_is_written_while_it_serves_counts_at_once(installation: Installation) -> None:
    """Nothing is kept in memory that the database could contradict."""
    late = installation.folder / "late.yaml"
    late.write_text("operator:\n  late: {name: Late}\n")
    data = {**MARY_SEES_USAGE, "subject": {"type": "operator", "id": "late"}}
    with installation.serve("--create"):
        before = read_reasons(installation.ask(data).data)
        subprocess.run(
            [AUTHZ, "load", late, f"--database=sqlite:///{installation.database}"],
            check=True,
            capture_output=True,
            env=clean_environment(),
        )
        after = read_reasons(installation.ask(data).data)

    assert (["unknown_subject"], ["not_permitted"]) == (before, after)


def test_a_database_that_breaks_under_it_denies(installation: Installation) -> None:
    """A running service whose database turns into garbage denies, and goes on answering.

    As soon as it looks for keys again, and cannot tell whether there are any, it refuses.
    """
    answers = []

    def is_refused() -> bool:
        answers.append(installation.ask(MARY_SEES_USAGE))
        return answers[-1].status == 503

    with installation.serve("--create"):
        before = installation.ask(MARY_SEES_USAGE).data
        installation.database.write_bytes(b"garbage" * 5_000)
        wait_until(is_refused)
    *denied, refused = answers

    assert {"decision": True} == before
    assert all(["evaluation_error"] == read_reasons(answer.data) for answer in denied)
    assert "unreadable_keys" == read_error(refused)["code"]


def test_several_processes_serve_together(installation: Installation) -> None:
    """With more than one worker the answers are the same, and all of them end."""
    batch = {**MARY_SEES_USAGE, "evaluations": [{}, {"action": {"name": "view_bills"}}]}
    with installation.serve("--create", "--workers=2") as process:
        answers = [read_decisions(installation.ask(batch, EVALUATIONS)) for _ in range(10)]
        process.terminate()
        wait_until(lambda: is_gone(process))

    assert [[True, False]] * 10 == answers


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])  # noqa: S104  # what is refused
def test_it_refuses_to_serve_others(installation: Installation, host: str) -> None:
    """Nobody but this machine is served, and nothing is made on the way."""
    line = installation.refuse("--create", f"--host={host}")

    assert line.startswith(f"error: host: `{host}` can be reached from other machines")
    assert not installation.database.exists()


def test_it_refuses_a_port_that_is_taken(installation: Installation) -> None:
    """A port on which somebody else listens is refused, and the message names it."""
    with socket.create_server(("127.0.0.1", installation.port)):
        line = installation.refuse("--create")

    assert "[address_taken]" in line
    assert f"`127.0.0.1:{installation.port}`" in line


def test_it_refuses_the_port_of_another_service(
    service: Installation, installation: Installation
) -> None:
    """Two services do not share a port, unseen."""
    line = installation.refuse("--create", f"--port={service.port}")

    assert "[address_taken]" in line


def test_it_refuses_broken_policies(installation: Installation) -> None:
    """A policy that is no Polar is refused with its file, line and column."""
    broken = installation.folder / "policies"
    broken.mkdir()
    (broken / "broken.polar").write_text("allow(a, b, c) if\n  a = ;\n")
    line = installation.refuse(f"--policies={broken}")

    assert line.startswith(f"error: {broken}/broken.polar:2:7: ")
    assert line.endswith("[no_polar]")


def test_it_refuses_to_serve_without_policies(installation: Installation) -> None:
    """A folder that holds no policy is refused."""
    line = installation.refuse(f"--policies={installation.fixtures}")

    assert f"error: {installation.fixtures}: holds no `.polar` file [no_policies]" == line


def test_it_makes_no_database_that_it_would_not_serve(installation: Installation) -> None:
    """The policies are looked at before anything is made."""
    line = installation.refuse("--create", f"--policies={installation.fixtures}")

    assert "[no_policies]" in line
    assert not installation.database.exists()


def test_it_refuses_a_database_that_is_not_there(installation: Installation) -> None:
    """Without `--create` a missing database is refused, and not made by the attempt."""
    line = installation.refuse()

    assert f"error: sqlite:///{installation.database}: there is no such file; " in line
    assert not installation.database.exists()


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "no_tables"), (b"garbage" * 1_000, "database_error")]
)
def test_it_refuses_a_database_that_it_cannot_use(
    installation: Installation, content: bytes, code: str
) -> None:
    """A file without tables, and one that is no database, are refused."""
    installation.database.write_bytes(content)

    assert f"[{code}]" in installation.refuse()


def test_it_refuses_broken_fixtures_and_makes_nothing(installation: Installation) -> None:
    """A fixture that cannot be loaded leaves no half of a store behind."""
    bad = installation.fixtures / "bad.yaml"
    bad.write_text("person:\n  anna: {name: Anna}\n")
    line = installation.refuse("--create")
    bad.unlink()
    with installation.serve("--create"):
        answer = installation.ask(MARY_SEES_USAGE).data

    assert line.startswith(f"error: {bad}:2:3: `person/anna` lacks `email`")
    assert {"decision": True} == answer


@pytest.mark.parametrize(
    ("option", "place"),
    [
        ("--port=http", "--port"),
        ("--public-url=http://pdp.example", "--public-url"),
        ("--domain=nothing.here", "domain"),
    ],
)
def test_it_refuses_a_setting_that_it_cannot_use(
    installation: Installation, option: str, place: str
) -> None:
    """A setting that means nothing is refused by its name."""
    assert installation.refuse("--create", option).startswith(f"error: {place}: ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_it_is_told_to(installation: Installation, number: signal.Signals) -> None:
    """On SIGTERM and Ctrl-C it ends well, with every process that it started."""
    with installation.serve("--create") as process:
        process.send_signal(number)
        wait_until(lambda: is_gone(process))

    assert 0 == process.returncode


def test_it_stops_though_a_client_dawdles(installation: Installation) -> None:
    """A client that sends half a request and waits holds a thread, and does not keep it alive."""
    with (
        installation.serve("--create", "--threads=2") as process,
        socket.create_connection(("127.0.0.1", installation.port)) as dawdler,
    ):
        head = f"POST {EVALUATION} HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\n"
        dawdler.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        installation.ask(MARY_SEES_USAGE)
        process.terminate()
        wait_until(lambda: is_gone(process))

    assert not installation.answers()


def test_clients_that_dawdle_do_not_keep_it_from_others(installation: Installation) -> None:
    """A process whose every thread waits for a client is replaced, and others are answered."""
    with (
        installation.serve("--create", "--body-timeout=1"),
        socket.create_connection(("127.0.0.1", installation.port)) as dawdler,
    ):
        head = f"POST {EVALUATION} HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\n"
        dawdler.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        wait_until(lambda: "keep all threads waiting" in "".join(installation.printed))
        wait_until(installation.answers)

        assert {"decision": True} == installation.ask(MARY_SEES_USAGE).data


def test_it_stops_though_it_has_only_just_begun(installation: Installation) -> None:
    """A SIGTERM that comes with the first word is not lost."""
    with installation.start("--create") as process:
        wait_until(lambda: any("serving" in line for line in installation.printed))
        process.terminate()
        wait_until(lambda: is_gone(process))

    assert not installation.answers()


def test_what_is_killed_leaves_the_port_free(installation: Installation) -> None:
    """After a SIGKILL nothing goes on answering, and the next start serves again."""
    with installation.serve("--create") as process:
        process.kill()
        wait_until(lambda: not installation.answers())
    with installation.serve():
        answer = installation.ask(MARY_SEES_USAGE).data

    assert {"decision": True} == answer


@pytest.mark.parametrize(
    ("growing", "length"),
    [("portal.db", 10), ("portal.db-wal", 5_000)],
    ids=["before-it-writes", "while-it-writes"],
)
def test_what_is_killed_while_it_creates_is_created_whole_next_time(
    installation: Installation, growing: str, length: int
) -> None:
    """A SIGKILL during `--create` leaves nothing that the next start takes for a store."""
    count = 140
    write_people(installation.fixtures / "people.yaml", count, length)
    with installation.start("--create") as process:
        wait_until(lambda: size_of(installation.folder / growing) > 0)
        process.kill()
        process.wait()
    people = [{"subject": {"type": "person", "id": f"p{number}"}} for number in range(count)]
    with installation.serve("--create"):
        batch = {**MARY_SEES_USAGE, "evaluations": people, "options": {"reasons": True}}
        answer = installation.ask(batch, EVALUATIONS)
        mary = installation.ask(MARY_SEES_USAGE).data
    reasons = [read_reasons(item) for item in answer.data["evaluations"]]

    assert [["not_permitted"]] * count == reasons
    assert {"decision": True} == mary
