"""`authz serve`, started for real: a folder with all that a service needs, and a port for it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from portal_service import EVALUATION, JSON, POLICIES, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

TESTS: Final = Path(__file__).parent
AUTHZ: Final = Path(sys.executable).parent / "authz"

# How long anything may take before the test gives up on it; nothing here comes near.
PATIENCE: Final = 30


@dataclass(frozen=True)
class Installation:
    """A folder with all that a service needs, and a port for it.

    Arguments:
        folder: holds the fixtures, the database when there is one, and what the service prints.
        port: where to serve.
        policies: what it decides by.
        domain: what it is about.
        path: where Python finds the domain.
    """

    folder: Path
    port: int
    policies: Path = POLICIES
    domain: str = "authz_service.portal"
    path: Path = TESTS

    @property
    def database(self) -> Path:
        """The file of the database."""
        return self.folder / "portal.db"

    @property
    def fixtures(self) -> Path:
        """The folder of the fixtures."""
        return self.folder / "fixtures"

    @property
    def printed(self) -> list[str]:
        """The lines that the service has printed."""
        return (self.folder / "output").read_text().splitlines()

    @property
    def url(self) -> str:
        """By which it is called."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the tests, with no settings of the service but the domain."""
        # whoever runs the tests may have named places of their own
        places = [str(self.path), *filter(None, [os.environ.get("PYTHONPATH")])]
        found = {"AUTHZ_DOMAIN": self.domain, "PYTHONPATH": os.pathsep.join(places)}
        return clean_environment() | found

    def command(self, *options: str) -> list[str]:
        """Write the command that serves this installation; options given here come last."""
        return [
            str(AUTHZ),
            "serve",
            f"--database=sqlite:///{self.database}",
            f"--policies={self.policies}",
            f"--fixtures={self.fixtures}",
            f"--port={self.port}",
            *options,
        ]

    @contextlib.contextmanager
    def start(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start the service in a process group of its own, of which nothing is left at the end."""
        with (self.folder / "output").open("wb") as output:
            process = subprocess.Popen(
                self.command(*options),
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self.folder,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @contextlib.contextmanager
    def serve(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start the service and wait until it answers."""
        with self.start(*options) as process:
            wait_until(lambda: process.poll() is not None or self.answers())
            assert process.poll() is None, self.printed
            yield process

    def refuse(self, *options: str) -> str:
        """Have it refuse to serve, in one line and those that it is about, with exit code 2."""
        done = subprocess.run(
            self.command(*options),
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=PATIENCE,
            check=False,
        )
        assert (2, "") == (done.returncode, done.stdout), done
        line, *excerpt = done.stderr.splitlines()
        assert all(each.startswith("    ") for each in excerpt), done
        return line

    def answers(self) -> bool:
        """Tell whether anybody answers on the port."""
        try:
            return self.call("GET", "/health").status == 200
        except ConnectionError:
            return False

    def call(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Call the service over HTTP; a body in pieces is sent in chunks, without a length."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            # a body that is refused may be refused before all of it is sent
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, {"Content-Type": JSON, **(headers or {})})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read().decode())

    def ask(self, data: Any, path: str = EVALUATION) -> Answer:
        """Ask a question, or a batch of them, as JSON."""
        return self.call("POST", path, json.dumps(data).encode())


def clean_environment() -> dict[str, str]:
    """Give the environment of the tests without settings of the service."""
    return {name: text for name, text in os.environ.items() if not name.startswith("AUTHZ_")}


def find_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, and fail when it never does."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.002)
