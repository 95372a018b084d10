"""`authz log`, and the log that commands keep when they decide."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner
from decision_log import ask, fill, note, open_log, opened_journal

from authz_service.cli.main import main
from authz_service.store.journal import SegmentRow, find_log_file
from authz_service.store.url import build_database

if TYPE_CHECKING:
    from click.testing import Result

ROOT: Final = Path(__file__).parent.parent
SMITH: Final = str(ROOT / "fixtures" / "smith.yaml")
QUESTION: Final = ("check", "person/mary", "view_usage", "subscription/0470000001", "--via", "app")
KEY: Final = "a key that nobody can guess, or so we hope"


@pytest.fixture(autouse=True)
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command runs beside the company of Smith."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").symlink_to(ROOT / "policies")
    assert 0 == run("load", SMITH).exit_code


def run(*words: str, **variables: str) -> Result:
    """Run a command, with variables of the environment."""
    return CliRunner().invoke(main, list(words), env=variables)


def query(*words: str, **variables: str) -> list[dict[str, object]]:
    """Look entries up."""
    done = run("log", "query", "--json", *words, **variables)
    assert 0 == done.exit_code, done.output
    return [json.loads(each) for each in done.stdout.splitlines()]


def test_commands_note_what_they_decide() -> None:
    """Under the names of the commands; the newest comes first."""
    run(*QUESTION)
    run("perform", "person/mary", "become_administrator", "customer/123456789", "--via", "web")
    run("what", "person/mary", "view_usage", "subscription")
    run("can", "person/mary", "subscription/0470000001")
    run("who", "view_usage", "subscription/0470000001", "--type", "person")

    assert ["authz who", "authz can", "authz what", "authz perform", "authz check"] == [
        each["client"] for each in query()
    ]


@pytest.mark.parametrize(
    "words", [["--fixture", SMITH], ["--now", "2026-01-05T09:00:00Z"], ["--at", "17"]]
)
def test_what_is_only_imagined_is_not_noted(words: list[str]) -> None:
    """Other entities, another time."""
    assert 0 == run(*QUESTION, *words).exit_code
    assert "[no_log]" in run("log", "query").stderr


def test_a_log_that_is_off_is_none() -> None:
    """Nothing is made; who looks is told how to turn it on."""
    assert 0 == run(*QUESTION, "--log", "off").exit_code
    done = run("log", "verify")

    assert 2 == done.exit_code
    assert "no decision was ever logged here; the setting is `log` [no_log]" in done.stderr


def test_a_line_for_people_says_what_was_decided() -> None:
    """When, which entry, the answer, the question, who asked and why not."""
    run("check", "person/mary", "view_bills", "subscription/0470000001")
    [line] = run("log", "query").stdout.splitlines()

    assert (
        "1-1 deny person/mary view_bills subscription/0470000001 for authz check (not_permitted)"
    ) == line.partition(" ")[2]


def test_entries_are_filtered() -> None:
    """As over HTTP."""
    run(*QUESTION)
    run("check", "person/mary", "view_bills", "subscription/0470000001")

    assert 1 == len(query("--decision", "deny"))
    assert 1 == len(query("--action", "view_usage"))
    assert 1 == len(query("--reason", "not_permitted"))
    assert 2 == len(query("--who", "person/mary", "--client", "authz check"))
    assert 1 == len(query("--limit", "1"))
    assert [] == query("--until", "2000-01-01T00:00:00Z")
    assert [] == query("--since", "2999-01-01T00:00:00Z", "--on", "subscription/tv-1")


def test_pseudonyms_are_looked_up_by_what_they_stand_for() -> None:
    """By who has the key."""
    hashed = {"AUTHZ_LOG_HASH": "subject.id", "AUTHZ_LOG_KEY": KEY}
    run(*QUESTION, **hashed)

    assert [] == query("--who", "person/mary")
    assert [{"subject.id": "hashed"}] == [
        each["redacted"] for each in query("--who", "person/mary", **hashed)
    ]


def test_lines_go_to_the_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    """Beside what the command prints."""
    assert 0 == run(*QUESTION, "--log-lines", "-").exit_code
    line = json.loads(capfd.readouterr().out)

    assert query() == [line]


def test_the_log_is_verified() -> None:
    """With how much there is, and the digest to note elsewhere."""
    run(*QUESTION)
    done = run("log", "verify")

    assert 0 == done.exit_code
    assert "as it was written: 1 entries, 1 segments" == done.stdout.splitlines()[0]
    assert done.stdout.splitlines()[1].startswith("segment 1 was closed with ")


def test_a_missing_segment_is_one_sentence() -> None:
    """And exit code 2."""
    url = "sqlite:///var/portal.db"
    for _ in range(3):
        fill(url, 1)
    database = build_database(f"sqlite:///{find_log_file(url)}")
    SegmentRow.delete().where(SegmentRow.id == 2).execute(database)
    database.close()
    done = run("log", "verify")

    assert (2, "") == (done.exit_code, done.stdout)
    assert [
        "error: the decision log: segment 2 is missing; 3 is there [missing_segment]"
    ] == done.stderr.splitlines()


def test_a_gap_is_told_with_what_is_there() -> None:
    """By whoever reads the log."""
    url = "sqlite:///var/portal.db"
    fill(url, 1)
    with opened_journal(url) as journal:
        [segment] = journal.find_segments()
    database = build_database(f"sqlite:///{find_log_file(url)}")
    gone = {"closed": None, "closing": None, "promised": 501}
    SegmentRow.update(**gone).where(SegmentRow.id == segment.id).execute(database)
    database.close()
    told = "up to 500 entries may be missing behind 1-1: their process was killed"

    assert f"warning: {told}\n" == run("log", "query").stderr
    assert f"warning: {told}\n" == run("log", "export").stderr
    assert told == run("log", "verify").stdout.splitlines()[0]


def test_lines_are_given_out_the_oldest_first(tmp_path: Path) -> None:
    """The same that a query prints, into a file."""
    url = "sqlite:///var/portal.db"
    fill(url, 1_500)
    done = run("log", "export", "decisions.jsonl", "--domain", "small_domain")
    lines = (tmp_path / "decisions.jsonl").read_text().splitlines()

    assert 0 == done.exit_code, done.output
    assert [f"1-{number}" for number in range(1, 1_501)] == [
        json.loads(each)["id"] for each in lines
    ]


def test_a_table_is_given_out() -> None:
    """With a header; no cell is a formula to a spreadsheet."""
    with open_log("sqlite:///var/portal.db") as log:
        note(log, ask(1), ask(2, "=1+1"), client="=cmd")
    done = run("log", "export", "--format", "csv", "--domain", "small_domain")
    first, second = csv.DictReader(done.stdout.splitlines())

    assert ["1-1", "allow", "rules.polar:3", "7"] == [
        first[name] for name in ("id", "decision", "rules", "revision")
    ]
    assert ["'=cmd", "user/=1+1"] == [second[name] for name in ("client", "subject")]
    assert "ann" == json.loads(first["request"])["subject"]["id"]
