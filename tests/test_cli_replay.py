"""`authz replay`, with the company of Smith in the default database."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner

from authz_service import storage
from authz_service.cli.main import main
from authz_service.settings import Settings

if TYPE_CHECKING:
    from click.testing import Result

ROOT: Final = Path(__file__).parent.parent
SMITH: Final = ROOT / "fixtures" / "smith.yaml"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with our policies, changed ones beside them, a database, and what was asked."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "policies", "policies")
    shutil.copytree(ROOT / "policies", "changed")
    path = Path("changed/subscriptions.polar")
    text = path.read_text().replace(
        '["view_usage", "activate_free', '["view_bills", "activate_free'
    )
    path.write_text(text)
    storage.load_into_store(Settings(), [SMITH])
    lines = [
        ask("mary", "view_usage", time="2026-01-05T09:00:00Z", client="app"),
        ask("mary", "view_usage", time="2026-01-06T09:00:00Z", client="shop"),
        ask("philip", "view_usage", time="2026-01-07T09:00:00Z", client="app"),
        ask("mary", "view_bills", time="2026-01-08T09:00:00Z", client="app"),
        ask("mary", "manage_options"),
        ask("nobody", "view_usage"),
    ]
    Path("asked.jsonl").write_text("".join(lines))
    return tmp_path


def ask(person: str, action: str, **more: Any) -> str:
    """Write a line in which somebody asks for Mary's mobile, in the app."""
    line = {
        "subject": {"type": "person", "id": person},
        "action": {"name": action},
        "resource": {"type": "subscription", "id": "0470000001"},
        "context": {"channel": "app"},
        **more,
    }
    return f"{json.dumps(line)}\n"


def run(*words: str, entered: str | None = None) -> Result:
    """Run the command on both policies."""
    compared = ["replay", "--policies", "policies", "changed"]
    return CliRunner().invoke(main, [*compared, *words], input=entered)


def test_each_answer_that_turns_is_told() -> None:
    """With the rule, how often it was asked, and the question as it is asked again."""
    result = run("--from", "asked.jsonl")

    assert (0, "") == (result.exit_code, result.stderr)
    assert [
        "policies -> changed, entities of revision 17",
        "newly allowed: 1 decision",
        "  person view_bills subscription, however it is asked: 1 decision",
        "    permitted by permit changed/subscriptions.polar:19",
        "    person/mary view_bills subscription/0470000001 --via app",
        "newly denied: 2 decisions",
        "  person view_usage subscription, however it is asked: 2 decisions",
        "    no longer permitted by permit policies/subscriptions.polar:19",
        "    person/mary view_usage subscription/0470000001 --via app",
        "note: questions: 6; of 1 both policies say the same, whatever is stored",
    ] == result.stdout.splitlines()


@pytest.mark.parametrize(
    ("allowed", "denied", "words"),
    [
        (1, 1, ("--since", "2026-01-06T09:00:00Z")),
        (0, 2, ("--until", "2026-01-08T09:00:00Z")),
        (0, 1, ("--since", "2026-01-06T00:00:00Z", "--until", "2026-01-07T00:00:00Z")),
        (0, 1, ("--client", "shop")),
        (1, 1, ("--client", "app")),
        (0, 0, ("--client", "nobody")),
    ],
)
def test_some_of_the_questions_can_be_chosen(
    allowed: int, denied: int, words: tuple[str, ...]
) -> None:
    """By when they were asked, and by whom."""
    found = json.loads(run("--from", "asked.jsonl", "--json", *words).stdout)

    assert (allowed, denied) == tuple(
        sum(each["count"] for each in found[direction])
        for direction in ("newly_allowed", "newly_denied")
    )


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (0, ()),
        (1, ("--fail-on", "any")),
        (1, ("--fail-on", "newly-denied", "--client", "shop")),
        (0, ("--fail-on", "newly-allowed", "--client", "shop")),
    ],
)
def test_an_answer_that_turns_can_be_a_failure(expected: int, words: tuple[str, ...]) -> None:
    """For whoever changes the policies, before they do."""
    assert expected == run("--from", "asked.jsonl", *words).exit_code


def test_questions_may_come_from_a_pipe() -> None:
    """`-` is the standard input; a stranger's question is counted."""
    result = run("--from", "-", "--markdown", "x.md", entered=ask("mary", "fly"))

    assert 0 == result.exit_code
    assert "note: 1 are about what the domain does not have" in result.stdout
    assert "**Newly denied: nobody**" in Path("x.md").read_text()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("does not exist", ("--from", "nowhere.jsonl")),
        ("policies/main.polar:1: the line is no question", ("--from", "policies/main.polar")),
        ("is not a time such as", ("--from", "asked.jsonl", "--since", "yesterday")),
        ("there is no such file", ("--from", "asked.jsonl", "--database", "sqlite:///no.db")),
    ],
)
def test_what_cannot_be_asked_ends_with_2(said: str, words: tuple[str, ...]) -> None:
    """Nothing is reported then."""
    result = run(*words)

    assert (2, "") == (result.exit_code, result.stdout)
    assert said in result.stderr


def decide(*words: str) -> None:
    """Ask something, so that it is in the decision log."""
    mobile = "subscription/0470000001"
    CliRunner().invoke(main, ["check", "person/mary", *words, mobile, "--via", "app"])


def test_the_decision_log_is_replayed() -> None:
    """All checks of it, unless others are given."""
    for action in ("view_usage", "view_usage", "view_bills"):
        decide(action)
    CliRunner().invoke(main, ["who", "view_usage", "subscription/0470000001"])
    result = run()

    assert (0, "") == (result.exit_code, result.stderr)
    assert "newly allowed: 1 decision" in result.stdout
    assert "newly denied: 2 decisions" in result.stdout
    assert "note: questions: 3;" in result.stdout
    assert "searches that were left out, for they cannot be asked again: 2" in result.stdout


def test_what_was_redacted_is_not_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows any more who asked; it is counted."""
    decide("view_bills")
    monkeypatch.setenv("AUTHZ_LOG_DROP", "subject.id")
    decide("view_bills")
    result = run()

    assert "newly allowed: 1 decision" in result.stdout
    assert "redacted questions that were left out, for they cannot be asked again: 1" in (
        result.stdout
    )


def test_a_log_that_is_not_there_is_told() -> None:
    """With the setting that makes one."""
    result = run()

    assert 2 == result.exit_code
    assert "no decision was ever logged here" in result.stderr


def test_the_log_can_be_narrowed_down() -> None:
    """By the time, and by who asked."""
    decide("view_bills")
    later = run("--since", "2096-01-01T00:00:00Z")
    others = run("--client", "shop")

    for result in (later, others):
        assert "note: questions: 0;" in result.stdout
