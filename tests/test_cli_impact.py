"""`authz impact`, with the company of Smith in the default database."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner

from authz_service import storage
from authz_service.cli.main import main
from authz_service.settings import Settings

if TYPE_CHECKING:
    from click.testing import Result

ROOT: Final = Path(__file__).parent.parent
SMITH: Final = ROOT / "fixtures" / "smith.yaml"
# Users see the bills of the mobile that they hold, and activate nothing.
BEFORE: Final = 'action in ["view_usage", "activate_free_option"] and'
AFTER: Final = 'action in ["view_usage", "view_bills"] and'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with our policies, changed ones beside them, and a database."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "policies", "policies")
    shutil.copytree(ROOT / "policies", "changed")
    edit(BEFORE, AFTER)
    storage.load_into_store(Settings(), [SMITH])
    return tmp_path


def edit(before: str, after: str) -> None:
    """Edit the changed policies about subscriptions."""
    path = Path("changed/subscriptions.polar")
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def run(*words: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["impact", *words])


def test_everybody_who_gains_or_loses_is_listed() -> None:
    """With the rule, and the ways to ask; each as a question is asked."""
    result = run("policies", "changed", "--on", "subscription")

    assert (0, "") == (result.exit_code, result.stderr)
    assert [
        "policies -> changed, entities of revision 17",
        "newly allowed: 2 pairs",
        "  person view_bills subscription, no channel, channel app, channel web: 2 pairs",
        "    permitted by permit changed/subscriptions.polar:19",
        "    person/mary view_bills subscription/0470000001",
        "    person/thomas view_bills subscription/0470000002",
        "newly denied: 2 pairs",
        "  person activate_free_option subscription, no channel, channel app, channel web: 2 pairs",
        "    no longer permitted by permit policies/subscriptions.polar:19",
        "    person/mary activate_free_option subscription/0470000001",
        "    person/thomas activate_free_option subscription/0470000002",
    ] == result.stdout.splitlines()


def test_the_same_policies_concern_nobody() -> None:
    """Also where any difference would be a failure."""
    result = run("policies", "policies", "--fail-on", "any")

    assert 0 == result.exit_code
    assert ["newly allowed: nobody", "newly denied: nobody"] == result.stdout.splitlines()[1:3]


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (1, ("--fail-on", "any")),
        (1, ("--fail-on", "newly-allowed")),
        (1, ("--fail-on", "newly-denied")),
        (0, ("--fail-on", "newly-allowed", "--action", "activate_free_option")),
        (1, ("--fail-on", "newly-denied", "--action", "activate_free_option")),
        (0, ("--fail-on", "newly-denied", "--action", "view_bills")),
        (0, ("--fail-on", "any", "--on", "customer")),
        (0, ("--fail-on", "any", "--via", "post")),
        (1, ("--fail-on", "any", "--via", "app")),
        (1, ("--fail-on", "any", "--action", "view", "--action", "view_bills")),
    ],
)
def test_a_difference_can_be_a_failure(expected: int, words: tuple[str, ...]) -> None:
    """Exit code 1 is for what was named, of what was looked at."""
    assert expected == run("policies", "changed", *words).exit_code


def test_the_examples_are_as_many_as_are_wanted() -> None:
    """What is not listed is counted all the same."""
    result = run("policies", "changed", "--action", "view_bills", "--limit", "1")
    none = run("policies", "changed", "--action", "view_bills", "--limit", "0")

    assert "    person/mary view_bills subscription/0470000001\n    and 1 more\n" in result.stdout
    assert "2 pairs" in none.stdout
    assert "person/" not in none.stdout


def test_it_can_be_json_and_markdown_at_once() -> None:
    """JSON is printed; Markdown goes to its file."""
    result = run("policies", "changed", "--on", "subscription", "--json", "--markdown", "x.md")
    found = json.loads(result.stdout)

    assert [2] == [each["count"] for each in found["newly_allowed"]]
    assert "### Who gains and who loses" in Path("x.md").read_text()
    assert [] == list(Path().glob("*.partial"))


def test_a_fixture_takes_the_place_of_the_database() -> None:
    """So that a change can be looked at where there is no database."""
    fixture = str(ROOT / "fixtures" / "bakery.yaml")
    result = run("policies", "changed", "--action", "view_bills", "--fixture", fixture)

    assert "newly allowed: 4 pairs" in result.stdout


def test_what_comes_with_a_question_can_be_said() -> None:
    """Then nothing is assumed of it."""
    Path("changed/delegation.polar").write_text("")
    words = ("policies", "changed", "--action", "request_delegate_access")
    said = '["123456789/photos"]'

    assert "note: nothing is said of `applications`" in run(*words).stdout
    assert "note:" not in run(*words, "--with", f"action.applications={said}").stdout


def test_a_revision_is_compared_with_the_folder() -> None:
    """The usual question before a commit."""
    for words in (("init", "--quiet"), ("add", "policies"), ("commit", "--quiet", "-m", "x")):
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@x.example")
        subprocess.run(["git", *who, *words], check=True)
    shutil.copytree("changed", "policies", dirs_exist_ok=True)
    result = run("HEAD", "policies", "--action", "activate_free_option")

    assert "no longer permitted by permit HEAD:policies/subscriptions.polar:19" in result.stdout


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("nowhere: is no folder, nor can it be a revision", ("nowhere", "changed")),
        (
            "`view_bils` is no action; did you mean",
            ("policies", "changed", "--action", "view_bils"),
        ),
        (
            "`view` is no action on `subscription`; there is",
            ("policies", "changed", "--action", "view", "--on", "subscription"),
        ),
        ("`bill` is no type of resource; there is", ("policies", "changed", "--on", "bill")),
        (
            "everybody is as stored, so nothing is said of the resource",
            ("policies", "changed", "--with", "resource.kind=tv"),
        ),
        (
            "no `action.applicatons` comes with a question; did you mean",
            ("policies", "changed", "--with", "action.applicatons=[]"),
        ),
        ("there is no such file", ("policies", "changed", "--database", "sqlite:///no.db")),
        ("cannot be written", ("policies", "changed", "--markdown", "no/such/folder.md")),
        (
            "the store has reached revision 17 only",
            ("policies", "changed", "--min-revision", "18"),
        ),
    ],
)
def test_what_cannot_be_found_ends_with_2(said: str, words: tuple[str, ...]) -> None:
    """It is told what is wrong, and nothing is reported."""
    result = run(*words)

    assert (2, "") == (result.exit_code, result.stdout)
    assert said in result.stderr


def test_policies_that_do_not_compile_are_told_with_their_places() -> None:
    """Each file with its line, as every command does."""
    edit("mobile.holder = person", "mobile.holdr = person")
    result = run("policies", "changed")

    assert (2, "") == (result.exit_code, result.stdout)
    assert "error: changed/subscriptions.polar:21:5: a Subscription has no" in result.stderr


ENDLESS: Final = """
    first in person.memberships and second in mobile.customer.memberships and
    third in mobile.customer.memberships and second.id < first.id and third.id < second.id and
    third.role < second.role;
"""


def make_slow() -> None:
    """Make a change whose impact takes very long to find."""
    edit("mobile.holder = person;", ENDLESS)
    lines = ["person:"]
    lines += [f"  p{number}: {{name: P, email: p@x.example}}" for number in range(700)]
    lines += ["customer:", "  '1': {name: C, kind: business}", "membership:"]
    lines += [
        f"  1/p{number}: {{customer: '1', person: p{number}, role: user}}" for number in range(700)
    ]
    lines += ["subscription:", "  m: {customer: '1', kind: mobile, holder: p1}"]
    Path("slow.yaml").write_text("\n".join(lines))


def test_what_takes_too_long_is_given_up() -> None:
    """It says how to ask for less, or for longer."""
    make_slow()
    result = run("policies", "changed", "--fixture", "slow.yaml", "--seconds", "1")

    assert (2, "") == (result.exit_code, result.stdout)
    assert "takes longer than 1 seconds; name fewer actions with --action" in result.stderr


def test_an_interruption_ends_it_at_once() -> None:
    """Whoever interrupts a long statement gets their terminal back, and no half of a report."""
    make_slow()
    code = "from authz_service.cli.main import main; main()"
    words = ["impact", "policies", "changed", "--fixture", "slow.yaml", "--markdown", "x.md"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(4)  # it is under way then; earlier it would end as well
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)

    assert (2, "") == (process.returncode, stdout)
    assert "error: interrupted; nothing is reported" in stderr
    assert not Path("x.md").exists()
