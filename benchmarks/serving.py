"""How fast questions are answered over HTTP: `make bench-http`; beside a Flask view's hello.

Each server is started alone, asked for its answers once, warmed for a second, and then driven by
`wrk` over 16 connections that stay open. Contenders take turns, so that whatever else the machine
does meets all of them.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from portal_store import ROOT, make_questions, make_store

from authz_service.web.front import EVALUATION, EVALUATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portal_store import Question

_QUESTIONS: Final = 10_000
_BATCH: Final = 1_000
_CHECKED: Final = 1_000
_CONNECTIONS: Final = 16
# A batch keeps a thread busy for milliseconds; two connections are enough that it never waits.
_BATCH_CONNECTIONS: Final = 2
_PATIENCE: Final = 30
_MEGA: Final = 1_000_000


@dataclass(frozen=True)
class Contender:
    """A server, and what it is asked.

    Arguments:
        name: in the table.
        command: starts it.
        path: where it is asked.
        bodies: what it is asked, a line each.
        expected: what it must answer to the first bodies.
        connections: how many ask at once.
    """

    name: str
    command: Sequence[str]
    path: str
    bodies: Sequence[bytes]
    expected: Sequence[Any]
    connections: int = _CONNECTIONS


@dataclass(frozen=True)
class Result:
    """What came of one round; times in milliseconds, sizes in megabytes.

    Arguments:
        rate: requests a second.
        p50: half of the answers came within this time.
        p99: of a hundred answers, all but one did.
        failed: answers that were none.
        cpu: microseconds of processor time that the serving processes took, a request.
        memory: the largest serving process, without the database that it reads in place.
        mapped: what of the database it has before it; the system's to take back.
        ready: seconds from start to the first answer.
    """

    rate: float
    p50: float
    p99: float
    failed: int
    cpu: float
    memory: float
    mapped: float
    ready: float


@click.command()
@click.option("--customers", default=200_000, show_default=True, help="How large the store is.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--seconds", default=5, show_default=True, help="How long a round takes.")
@click.option("--workers", default=1, show_default=True, help="Serving processes.")
@click.option("--threads", default=1, show_default=True, help="Threads in each.")
@click.option("--port", default=8_090, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=ROOT / "var" / "benchmarks")
def main(
    customers: int, rounds: int, seconds: int, workers: int, threads: int, port: int, folder: Path
) -> None:
    """Measure single questions and batches over HTTP, beside a Flask view that says hello."""
    if shutil.which("wrk") is None:
        sys.exit("this needs wrk, which drives the servers; on Debian: apt-get install wrk")
    numbers = [str(port), str(workers), str(threads)]
    contenders = make_contenders(make_store(folder, customers), customers, numbers)
    found: dict[str, list[Result]] = {each.name: [] for each in contenders}
    for _ in range(rounds):
        for each in contenders:
            found[each.name].append(measure(each, port, seconds))
    click.echo(
        "| asked | requests/s | to hello | p50 ms | p99 ms | failed | CPU µs | MB | mapped MB"
        " | ready s |"
    )
    click.echo("|---|---|---|---|---|---|---|---|---|---|")
    hello = _median(found["hello"], "rate")
    for name, results in found.items():
        click.echo(_row(name, results, hello))
    decisions = _median(found["batch"], "rate") * _BATCH
    click.echo(f"\n{_BATCH:,} questions a request: {decisions:,.0f} decisions/s")


def make_contenders(store: Path, customers: int, numbers: Sequence[str]) -> list[Contender]:
    """Make the servers, and what they are asked.

    Arguments:
        store: which the service serves.
        customers: how many it has.
        numbers: port, processes and threads.
    """
    port, workers, threads = numbers
    batch_connections = _BATCH_CONNECTIONS * int(workers) * int(threads)
    options = [f"--database=sqlite:///{store}", f"--policies={ROOT / 'policies'}"]
    options += [f"--port={port}", f"--workers={workers}", f"--threads={threads}", "--log=off"]
    service = [str(Path(sys.executable).parent / "authz"), "serve", *options]
    hello = [sys.executable, str(Path(__file__).parent / "hello.py"), *numbers]
    asked = make_questions(customers, _QUESTIONS)
    bodies = [_write({**_question(each), "context": {"channel": "web"}}) for each in asked]
    answers = [each.allowed for each in asked]
    starts = range(0, len(asked), _BATCH)
    batches = [_write_batch(asked[start : start + _BATCH]) for start in starts]
    answers_many = [answers[start : start + _BATCH] for start in starts]
    return [
        Contender("hello", hello, EVALUATION, bodies, []),
        Contender("single", service, EVALUATION, bodies, answers[:_CHECKED]),
        Contender("batch", service, EVALUATIONS, batches, answers_many, batch_connections),
    ]


def _question(asked: Question) -> dict[str, Any]:
    request = asked.request
    return {
        "subject": {"type": request.subject.type, "id": request.subject.id},
        "action": {"name": request.action},
        "resource": {"type": request.resource.type, "id": request.resource.id},
    }


def _write_batch(asked: Sequence[Question]) -> bytes:
    items = [_question(each) for each in asked]
    return _write({"context": {"channel": "web"}, "evaluations": items})


def _write(data: dict[str, Any]) -> bytes:
    return json.dumps(data).encode()


def measure(contender: Contender, port: int, seconds: int) -> Result:
    """Start a server, hold its answers against the known ones, and drive it for some seconds."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bodies"
        file.write_bytes(b"\n".join(contender.bodies) + b"\n")
        started = time.monotonic()
        with _start(contender.command) as process:
            connection = _connect(process, port, contender)
            ready = time.monotonic() - started
            _check(connection, contender)
            _drive(contender, port, 1, file)
            before = _cpu_seconds(process.pid)
            requests, took, p50, p99, failed = _drive(contender, port, seconds, file)
            cpu = _cpu_seconds(process.pid) - before
            memory, mapped = max(map(_find_memory, _find_children(process.pid)))
    rate, cpu_each = requests / took * _MEGA, cpu / requests * _MEGA
    return Result(rate, p50 / 1_000, p99 / 1_000, failed, cpu_each, memory, mapped, ready)


@contextlib.contextmanager
def _start(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("AUTHZ_")}
    with subprocess.Popen(  # noqa: S603  # our own command
        command, stdout=subprocess.DEVNULL, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _connect(
    process: subprocess.Popen[bytes], port: int, contender: Contender
) -> http.client.HTTPConnection:
    """Connect once the server answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            _ask(connection, contender, contender.bodies[0])
        except ConnectionError:
            connection.close()
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"{contender.name} does not answer")
            time.sleep(0.005)
        else:
            return connection


def _check(connection: http.client.HTTPConnection, contender: Contender) -> None:
    """Hold the first answers against the known ones; a wrong answer ends the run."""
    for body, expected in zip(contender.bodies, contender.expected, strict=False):
        data = json.loads(_ask(connection, contender, body))
        items = data.get("evaluations")
        found = [each["decision"] for each in items] if items else data["decision"]
        if found != expected:
            sys.exit(f"wrong answer: {body[:200]!r} got {found}")
    connection.close()


def _ask(connection: http.client.HTTPConnection, contender: Contender, body: bytes) -> bytes:
    connection.request("POST", contender.path, body, {"Content-Type": "application/json"})
    return connection.getresponse().read()


def _drive(contender: Contender, port: int, seconds: int, file: Path) -> list[int]:
    """Let wrk ask; give back requests, their time, p50 and p99 in microseconds, and failures."""
    script = str(Path(__file__).parent / "wrk.lua")
    url = f"http://127.0.0.1:{port}{contender.path}"
    options = ["-t1", f"-c{contender.connections}", f"-d{seconds}s", "-s", script, url]
    done = subprocess.run(  # noqa: S603  # our own command
        ["wrk", *options, "--", str(file)],  # noqa: S607  # by its name
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search("^result (.*)$", done.stdout, re.MULTILINE)
    return [int(each) for each in found[1].split()] if found else sys.exit(done.stdout)


def _find_children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(each) for each in listed.split()]


def _cpu_seconds(pid: int) -> float:
    """Add up the processor time of the serving processes."""
    ticks = 0
    for child in _find_children(pid):
        fields = Path(f"/proc/{child}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _find_memory(pid: int) -> tuple[float, float]:
    """Find how much memory a process holds, and how much of it is the database in its file."""
    mapped = total = 0
    is_database = False
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        if re.match("[0-9a-f]+-[0-9a-f]+ ", line):
            is_database = line.endswith(".db")
        elif line.startswith("Rss:"):
            size = int(line.split()[1]) * 1_024
            total += size
            mapped += size if is_database else 0
    return (total - mapped) / _MEGA, mapped / _MEGA


def _median(results: Sequence[Result], name: str) -> float:
    return statistics.median(getattr(each, name) for each in results)


def _row(name: str, results: Sequence[Result], hello: float) -> str:
    rate, p50, p99, cpu = (_median(results, each) for each in ("rate", "p50", "p99", "cpu"))
    memory, mapped, ready = (_median(results, each) for each in ("memory", "mapped", "ready"))
    failed = sum(each.failed for each in results)
    figures = f"{rate:,.0f} | {rate / hello:.2f} x | {p50:.2f} | {p99:.2f} | {failed} | {cpu:.0f}"
    return f"| {name} | {figures} | {memory:.0f} | {mapped:.0f} | {ready:.2f} |"


if __name__ == "__main__":
    main()
