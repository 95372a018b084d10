"""Policies that are swapped while requests are answered: no answer fails, and none is mixed."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import swaps
from clinic_sets import (
    CLOSED,
    READS,
    build_service,
    build_set,
    build_settings,
    open_clinic,
    write_set,
)
from domains.clinic import DOMAIN
from installation import AUTHZ, wait_until

from authz_service import assembly
from authz_service.policy.kept import find_policies
from authz_service.store.database import open_store
from authz_service.store.policies import find_activations
from authz_service.store.trials import TrialState, find_trial
from authz_service.store.writer import write_time
from authz_service.web.app import build_app, build_guard, build_keeper
from authz_service.web.front import Front
from authz_service.web.patience import Patience

if TYPE_CHECKING:
    from datetime import datetime
    from wsgiref.types import WSGIApplication

    from installation import Installation

BATCH: Final = "/access/v1/evaluations"
BODY: Final = json.dumps({**READS, "evaluations": [{}] * 5}).encode()


def ask(door: WSGIApplication) -> tuple[str, Any]:
    """Ask a batch at a door; give back the digest that the answer names, and the answer."""
    named: dict[str, str] = {}

    def start_response(_status: str, headers: list[tuple[str, str]], _info: Any = None) -> Any:
        named.update(headers)

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": BATCH,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(BODY)),
        "QUERY_STRING": "",
        "SERVER_NAME": "clinic.example",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(BODY),
        "wsgi.errors": io.StringIO(),
    }
    answer = json.loads(b"".join(door(environ, start_response)))
    return named["X-Policy-Digest"], answer


@pytest.mark.parametrize("door", ["lean", "flask"])
def test_of_a_hundred_swaps_no_answer_is_mixed(sqlite_url: str, tmp_path: Path, door: str) -> None:
    """At either door, three clients ask all the while."""
    settings = build_settings(sqlite_url, tmp_path)
    seen: list[tuple[str, Any]] = []
    enough = threading.Condition()
    ended = threading.Event()
    with open_clinic(sqlite_url) as store:
        service = build_service(settings, store, build_set())
        sets = [build_set(CLOSED), build_set()]
        engines = [assembly.build_engine(settings, DOMAIN, policies=each) for each in sets]
        front = Front(service)
        patience = Patience(1, 10) if door == "lean" else None
        app = build_app(front, build_keeper(service), patience, build_guard(service)).wsgi_app

        def be_client() -> None:
            while not ended.is_set():
                found = ask(app)
                with enough:
                    seen.append(found)
                    enough.notify()
            store.close()

        clients = [threading.Thread(target=be_client) for _ in range(3)]
        for each in clients:
            each.start()
        for number in range(100):
            front.swap(assembly.renew(service, engines[number % 2]))
            with enough:
                count = len(seen)
                enough.wait_for(lambda count=count: len(seen) > count + 3)  # type: ignore[misc]  # bound here
        ended.set()
        for each in clients:
            each.join()

    assert {each.digest for each in sets} == {digest for digest, _ in seen}
    assert [] == [
        (digest, answer) for digest, answer in seen if {digest} != swaps.find_digests(BATCH, answer)
    ]


def test_a_server_swaps_under_load(tmp_path: Path) -> None:
    """Two processes: every answer, and every entry of the log, is of the set that it names.

    What is asked of the past is answered by the policies of then.
    """
    installed = swaps.install(tmp_path)
    with installed.serve("--create", "--workers=2"):
        with swaps.open_clients(installed.port, 2, 0.01) as clients:
            swaps.swap(installed, clients, 3)
        with closing(open_store(f"sqlite:///{installed.database}", DOMAIN)) as store:
            activations = find_activations(store)
            kept = [find_policies(store, each.at) for each in activations]
        then = [explain_at(installed, each.at) for each in activations]
    logged = read_log(installed)

    assert [] == [fault for each in clients for fault in each.faults]
    assert [True, False, True, False] == [decision for decision, _ in then]
    assert [each.digest for each in activations] == [digest for _, digest in then]
    assert [each.digest for each in activations] == [each.digest for each in kept if each]
    assert {(swaps.OPEN.digest, True), (swaps.SHUT.digest, False)} == logged


def explain_at(installed: Installation, at: datetime) -> tuple[bool, str]:
    """Ask as of a time: what was decided, and by which policies."""
    asked = {**READS, "context": {"at": write_time(at)}}
    answer = installed.ask(asked, "/v1/explain").data
    return answer["decision"], answer["explanation"]["policy_digest"]


def read_log(installed: Installation) -> set[tuple[str, bool]]:
    """Find which policies gave which answers, by the log of decisions."""
    done = subprocess.run(
        [AUTHZ, "log", "export", f"--database=sqlite:///{installed.database}"],
        capture_output=True,
        check=True,
        env=installed.environment,
    )
    entries = [json.loads(each) for each in done.stdout.splitlines()]
    return {
        (each["policy_digest"], each["decision"]) for each in entries if each["kind"] == "check"
    }


def find_children(process: int) -> list[int]:
    """Find the processes that a process has started."""
    listed = Path(f"/proc/{process}/task").iterdir()
    return [int(each) for task in listed for each in (task / "children").read_text().split()]


def test_a_folder_is_tried_again_after_a_kill_and_a_rollback_outlives_a_start(
    tmp_path: Path,
) -> None:
    """A trial that is killed refuses; SIGHUP has it tried again; what is rolled back stays so."""
    installed = swaps.install(tmp_path)
    digest = build_set(CLOSED).digest
    with installed.serve("--create") as process:
        write_set(installed.policies, CLOSED)
        kill_trial(installed, process.pid)
        wait_until(lambda: "degraded" == installed.call("GET", "/health").data["status"])
        killed, meanwhile = installed.call("GET", "/health").data, installed.ask(READS).data
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: installed.ask(READS).headers["x-policy-digest"] == digest)
        healed = installed.ask(READS).data
        roll_back(installed)
        wait_until(lambda: installed.ask(READS).data["decision"])
    with installed.serve():
        after = installed.ask(READS)
    printed = installed.printed

    assert "[trial_died]" in killed["problems"][0]
    assert (True, False) == (meanwhile["decision"], healed["decision"])
    assert (True, build_set().digest) == (after.data["decision"], after.headers["x-policy-digest"])
    assert any("and not what is in" in line and "from a rollback by" in line for line in printed)


def kill_trial(installed: Installation, server: int) -> None:
    """Kill the process that tries the policies, as soon as there is one."""
    found: list[int] = []

    def find() -> bool:
        with closing(open_store(f"sqlite:///{installed.database}", DOMAIN)) as store:
            trial = find_trial(store)
        if trial and trial.state is TrialState.UNDER_WAY:
            found.extend(each for worker in find_children(server) for each in find_children(worker))
        return bool(found)

    wait_until(find)
    os.kill(found[0], signal.SIGKILL)


def roll_back(installed: Installation) -> None:
    """Have the policies serve again that served before."""
    database = f"--database=sqlite:///{installed.database}"
    command = [str(AUTHZ), "policy", "rollback", build_set().digest, "--without-checks", database]
    subprocess.run(command, capture_output=True, check=True, env=installed.environment)
