"""How fast scenarios are run, from the first import to the last line: `make bench-scenarios`."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

import click
from portal_store import ROOT

_COMMAND: Final = "from authz_service.cli.main import main; main()"
_CASES: Final = """\
  - {{who: person/a{number}, on: subscription/s{number}, via: web, can: [view_bills, view_usage]}}
  - {{who: person/u{number}, on: subscription/s{number}, via: app, can: view_usage}}
  - {{who: person/u{number}, on: subscription/s{number}, via: app, cannot: view_bills}}
"""
_ASKED_OF_EACH: Final = 4


@click.command()
@click.option("--cases", default=2_000, show_default=True, help="How many questions are put.")
@click.option("--rounds", default=5, show_default=True)
def main(cases: int, rounds: int) -> None:
    """Measure runs of as many questions in few files and in many, on one core."""
    click.echo("| files | fixtures | processes | CPU s | wall s |")
    click.echo("|---|---|---|---|---|")
    for files, fixtures, jobs in ((1, 1, 1), (20, 5, 1), (100, 20, 1), (100, 20, 2)):
        with tempfile.TemporaryDirectory() as folder:
            _write_project(Path(folder), cases, files, fixtures)
            taken = [_run(Path(folder), cases, jobs) for _ in range(rounds)]
        cpu, wall = (median(column) for column in zip(*taken, strict=True))
        click.echo(f"| {files} | {fixtures} | {jobs} | {cpu:.2f} | {wall:.2f} |")


def _write_project(folder: Path, cases: int, files: int, fixtures: int) -> None:
    """Write scenarios that ask the same of every customer of their fixture."""
    customers = cases // files // _ASKED_OF_EACH
    (folder / "policies").symlink_to(ROOT / "policies")
    for name in ("fixtures", "scenarios"):
        (folder / name).mkdir()
    for number in range(fixtures):
        (folder / "fixtures" / f"f{number}.yaml").write_text(_write_fixture(customers))
    asked = "".join(_CASES.format(number=each) for each in range(customers))
    for number in range(files):
        head = f"scenario: Part {number}\nfixture: f{number % fixtures}\ncases:\n"
        (folder / "scenarios" / f"s{number:03}.yaml").write_text(head + asked)


def _write_fixture(customers: int) -> str:
    parts = {
        "person": "  a{0}: {{name: Ann, email: a{0}@c.example}}\n"
        "  u{0}: {{name: Ben, email: u{0}@c.example}}\n",
        "customer": "  c{0}: {{name: Company {0}, kind: business}}\n",
        "membership": "  c{0}/a{0}: {{customer: c{0}, person: a{0}, role: administrator}}\n"
        "  c{0}/u{0}: {{customer: c{0}, person: u{0}, role: user}}\n",
        "subscription": "  s{0}: {{customer: c{0}, kind: mobile, holder: u{0}}}\n",
    }
    return "".join(
        f"{kind}:\n" + "".join(each.format(number) for number in range(customers))
        for kind, each in parts.items()
    )


def _run(folder: Path, cases: int, jobs: int) -> tuple[float, float]:
    """Take the seconds of one run, of its processors and of the clock; a failure ends all."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-c", _COMMAND, "test", "--quiet", "--jobs", str(jobs)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if f"{cases} passed, 0 failed" not in done.stdout:
        sys.exit(f"wrong answer: {(done.stdout + done.stderr)[-1_000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


if __name__ == "__main__":
    main()
