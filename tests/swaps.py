"""Swap policies under load, and hold every answer against its digest: `make swaps`."""

from __future__ import annotations

import http.client
import itertools
import json
import sys
import tempfile
import threading
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from clinic_sets import CLINIC, CLOSED, READS, build_set, write_set
from domains.clinic import DOMAIN
from installation import PATIENCE, Installation, find_port, wait_until

from authz_service.policy.kept import pack_policies
from authz_service.store.database import open_store
from authz_service.store.policies import Origin, keep_policies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.policy.source import PolicySet

OPEN: Final = build_set()
SHUT: Final = build_set(CLOSED)
_CLIENTS: Final = 4
_ITEMS: Final = 20
# What is asked, and where; each answer is that of one policy set.
_ASKED: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("/access/v1/evaluation", READS),
    ("/access/v1/evaluations", {**READS, "evaluations": [{}] * _ITEMS}),
    ("/v1/explain", READS),
    ("/access/v1/search/resource", {**READS, "resource": {"type": "record"}}),
)


class Client:
    """Asks over one connection, again and again, until it is told to end.

    Arguments:
        port: where.
        pause: seconds between two questions.

    Attributes:
        seen: how many answers there were of each policy set.
        faults: answers that were none, or not of the set that they name.
    """

    def __init__(self, port: int, pause: float = 0) -> None:
        self.seen: Counter[str] = Counter()
        self.faults: list[str] = []
        self._port = port
        self._pause = pause
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        """Ask no more."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        with closing(connection):
            for path, data in itertools.cycle(_ASKED):
                if self._ending.wait(self._pause):
                    return
                try:
                    self._ask(connection, path, data)
                except (OSError, http.client.HTTPException) as error:
                    self.faults.append(f"{path}: {error!r}")
                    connection.close()

    def _ask(self, connection: http.client.HTTPConnection, path: str, data: Any) -> None:
        body = json.dumps(data).encode()
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        text, digest = response.read(), response.getheader("X-Policy-Digest") or ""
        self.seen[digest] += 1
        if response.status != 200 or find_digests(path, json.loads(text)) != {
            digest
        }:  # as HTTP has it
            self.faults.append(f"{path}: {response.status} {digest} {text.decode()}")


def find_digests(path: str, answer: Any) -> set[str]:
    """Find by which policy sets an answer can have been given."""
    if path.endswith("/resource"):
        return {OPEN.digest if answer["results"] else SHUT.digest}
    if path == "/v1/explain":
        return {answer["explanation"]["policy_digest"]} | _by(answer["decision"])
    answers = answer.get("evaluations", [answer])
    return {digest for each in answers for digest in _by(each["decision"])}


def _by(decision: object) -> set[str]:
    return {OPEN.digest if decision else SHUT.digest}


def install(folder: Path) -> Installation:
    """Prepare a folder with a clinic, and find a free port."""
    (folder / "fixtures").mkdir()
    (folder / "fixtures" / "clinic.yaml").write_bytes(
        (CLINIC / "fixtures/clinic.yaml").read_bytes()
    )
    write_set(folder / "policies")
    return Installation(folder, find_port(), folder / "policies", "domains.clinic")


@contextmanager
def open_clients(port: int, count: int = _CLIENTS, pause: float = 0) -> Iterator[list[Client]]:
    """Have several clients ask meanwhile."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(Client(port, pause))) for _ in range(count)]


def activate(installed: Installation, policies: PolicySet) -> None:
    """Have policies serve, as whoever tried them does."""
    with closing(open_store(f"sqlite:///{installed.database}", DOMAIN)) as store:
        keep_policies(
            store, pack_policies(policies), "ann", datetime.now(UTC), origin=Origin.BUNDLE
        )


def swap(installed: Installation, clients: list[Client], count: int) -> None:
    """Swap policies so often, each time when all clients were answered by those before."""
    for number in range(count):
        policies = OPEN if number % 2 else SHUT
        before = [each.seen[policies.digest] for each in clients]
        activate(installed, policies)
        wait_until(
            lambda policies=policies, before=before: all(  # type: ignore[misc]  # bound here
                each.seen[policies.digest] > old + len(_ASKED)
                for each, old in zip(clients, before, strict=True)
            )
        )


@click.command()
@click.option("--swaps", default=100, show_default=True, help="How often.")
def main(swaps: int) -> None:
    """Swap the policies of a server of two processes while four clients ask."""
    with tempfile.TemporaryDirectory() as folder:
        installed = install(Path(folder))
        with installed.serve("--create", "--workers=2"), open_clients(installed.port) as clients:
            swap(installed, clients, swaps)
    faults = [fault for each in clients for fault in each.faults]
    answers = sum(each.seen.total() for each in clients)
    click.echo(f"{swaps} swaps, {answers:,} answers, {len(faults)} of them wrong")
    for each in faults[:10]:
        click.echo(f"  {each}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
