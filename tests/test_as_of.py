"""`--at`: questions on the command line, as of a past moment."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner
from reference import ENGINES, require_reference
from small_domain import NOON, NOTE, build_records, write_policy

from authz_service.cli.main import main
from authz_service.policy.kept import pack_policies
from authz_service.policy.source import load_policies
from authz_service.portal import DOMAIN
from authz_service.store.database import open_store
from authz_service.store.entity import Reference
from authz_service.store.fixture import load_fixtures
from authz_service.store.policies import keep_policies
from authz_service.store.system import Activated
from authz_service.store.writer import Cause, find_revision, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

    from authz_service.store.database import Store

ROOT: Final = Path(__file__).parent.parent
SMITH: Final = ROOT / "fixtures" / "smith.yaml"
POLICIES: Final = ROOT / "policies"
MOBILE: Final = "subscription/0470000001"
# The fixture has 17 entities; then Mary becomes an administrator, and Philip and Thomas go.
BEFORE: Final = "17"
AFTER: Final = "21"
PROMOTED: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
LEFT: Final = PROMOTED + timedelta(days=1)
STRICT: Final = 'allow(_request: Request, "step_down", _customer: Customer);\n'


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """The company of Smith, of which much has changed."""
    store = open_store(url, DOMAIN)
    with store.transaction():
        store.create_tables()
    with write(store, Cause(), PROMOTED - timedelta(days=1)) as writer:
        load_fixtures([SMITH], writer, DOMAIN)
    with write(store, Cause(), PROMOTED) as writer:
        writer.update(Reference("membership", "123456789/mary"), role="administrator")
    with write(store, Cause(), LEFT) as writer:
        writer.update(Reference("subscription", "0470000002"), holder=None)
        writer.delete(Reference("membership", "123456789/thomas"))
        writer.delete(Reference("person", "thomas"))
    yield store
    store.close()


@pytest.fixture
def ask(store: Store, url: str) -> _Ask:
    """Ask about that store, once its policies are kept."""
    policies = pack_policies(load_policies(POLICIES))
    keep_policies(store, policies, "root", PROMOTED - timedelta(days=365))
    return _Ask(url)


class _Ask:
    """Asks on the command line."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, *words: str) -> Result:
        environment = {"AUTHZ_POLICIES": str(POLICIES), "AUTHZ_SEARCH_TIME_LIMIT": "60000"}
        command = [*words, "--database", self.url, "--via", "web"]
        return CliRunner(env=environment).invoke(main, command)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_check_is_of_then(ask: _Ask, engine: str) -> None:
    """By either engine, Mary sees no bills until she is an administrator."""
    if engine == "oso":
        require_reference()
    words = "check", "person/mary", "view_bills", MOBILE, "--engine", engine
    then, now = ask(*words, "--at", BEFORE), ask(*words)

    assert (1, "deny\n  not_permitted: no rule permits this\n") == (then.exit_code, then.output)
    assert (0, "allow\n") == (now.exit_code, now.output)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (["person/philip"], ("who", "view_bills", MOBILE, "--at", BEFORE)),
        (["person/mary", "person/philip"], ("who", "view_bills", MOBILE, "--at", AFTER)),
        (
            ["subscription/0470000002"],
            ("what", "person/thomas", "view_usage", "subscription", "--at", BEFORE),
        ),
        (["view"], ("can", "person/thomas", "customer/123456789", "--at", "18")),
        (
            ["person/mary", "person/philip"],
            ("who", "view_bills", MOBILE, "--at", "2026-01-05T12:00:00Z"),
        ),
    ],
)
def test_searches_are_of_then(ask: _Ask, expected: list[str], words: tuple[str, ...]) -> None:
    """By revision and by time, about those who have left as well."""
    result = ask(*words)

    assert (0, "") == (result.exit_code, result.stderr)
    assert set(expected) <= set(result.stdout.splitlines())


def test_those_who_are_no_more_are_not_found_later(ask: _Ask) -> None:
    """What `--at` sees at the last revision is what there is."""
    words = "who", "view", "customer/123456789"

    assert "person/thomas" in ask(*words, "--at", "19").stdout
    assert ask(*words).output == ask(*words, "--at", AFTER).output
    assert "person/thomas" not in ask(*words).output


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("no `person/thomas` at revision 21; it went with revision 21", ("person/thomas", AFTER)),
        ("no `person/mary` at revision 0; it came with revision ", ("person/mary", "0")),
        ("no `person/nobody` at revision 17; nor at any other", ("person/nobody", BEFORE)),
        ("the store has reached revision 21 only; name one", ("person/mary", "22")),
        ("2999-01-01T00:00:00Z is still to come", ("person/mary", "2999-01-01T00:00:00Z")),
        ("history begins at ", ("person/mary", "2000-01-01T00:00:00Z")),
        ("`noon` is neither a revision nor a time such as", ("person/mary", "noon")),
        ("`-1` is neither a revision nor", ("person/mary", "-1")),
    ],
)
def test_a_moment_that_cannot_be_asked_about_ends_with_2(
    ask: _Ask, said: str, words: tuple[str, str]
) -> None:
    """In one sentence, with the way out."""
    who, at = words
    result = ask("check", who, "view_bills", MOBILE, f"--at={at}")

    assert (2, "") == (result.exit_code, result.stdout)
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    "words",
    [
        ("who", "view_bills", "subscription/none"),
        ("what", "person/nobody", "view_bills", "subscription"),
        ("can", "person/nobody", MOBILE),
        ("can", "person/mary", "subscription/none"),
    ],
)
def test_a_search_about_what_was_not_there_ends_with_2(ask: _Ask, words: tuple[str, ...]) -> None:
    """Rather than to find nothing."""
    result = ask(*words, "--at", BEFORE)

    assert (2, "") == (result.exit_code, result.stdout)
    assert "not_there_then" in result.stderr


def test_a_fixture_has_no_history(ask: _Ask) -> None:
    """It says what else could be meant."""
    words = "check", "person/mary", "view_bills", MOBILE, "--fixture", str(SMITH)
    result = ask(*words, "--at", BEFORE)

    assert (2, "") == (result.exit_code, result.stdout)
    assert "a fixture has no history; `--now` moves the clock alone" in result.stderr


@pytest.mark.parametrize(("expected", "revision"), [(1, "21"), (2, "22")])
def test_a_revision_to_be_reached_is_that_of_the_store(
    ask: _Ask, expected: int, revision: str
) -> None:
    """Not that of the moment: a copy that is behind cannot tell what was so at a time."""
    words = "check", "person/mary", "view_bills", MOBILE, "--at", BEFORE

    assert expected == ask(*words, "--min-revision", revision).exit_code


def test_the_policies_of_then_are_asked(ask: _Ask, store: Store, tmp_path: Path) -> None:
    """By their text, though the folder has others now; unless a folder is named."""
    policies = tmp_path / "strict"
    policies.mkdir()
    (policies / "main.polar").write_text(STRICT)
    strict = pack_policies(load_policies(policies))
    keep_policies(store, strict, "root", PROMOTED + timedelta(hours=1))
    words = "check", "person/philip", "view_bills", MOBILE
    at_noon = *words, "--at", "2026-01-05T12:00:00Z"
    asked = [(*words, "--at", "18"), at_noon, (*at_noon, "--policies", str(POLICIES)), words]

    assert [0, 1, 0, 0] == [ask(*each).exit_code for each in asked]


@pytest.mark.usefixtures("store")
def test_policies_that_are_not_kept_are_missed(url: str) -> None:
    """Those of now take their place, and a line says so."""
    result = _Ask(url)("check", "person/philip", "view_bills", MOBILE, "--at", "18")

    assert (0, "allow\n") == (result.exit_code, result.stdout)
    assert (
        "warning: context.at: the policies of 2026-01-05T09:00:00Z are not kept, so those in"
        f" `{POLICIES}` are asked [policies_not_kept]\n"
    ) == result.stderr


@pytest.mark.parametrize(
    ("expected", "options"),
    [
        (0, ("--at", "1")),
        (0, ("--at", "2026-01-05T11:59:59Z")),
        (1, ("--at", "2026-01-05T12:00:01Z")),
        (1, ("--at", "1", "--now", "2026-01-05T14:00:00Z")),
        (0, ("--now", "2026-01-05T10:00:00Z")),
        (1, ()),
    ],
)
def test_the_clock_is_that_of_then(
    url: str, tmp_path: Path, expected: int, options: tuple[str, ...]
) -> None:
    """That of the revision, or the time that was said; `--now` moves it alone."""
    policies = write_policy(
        tmp_path,
        "allow(request: Request, _action: String, record: Record) if"
        " not record.created < request.now;",
    )
    with closing(build_records(url)) as store, write(store, Cause(), PROMOTED) as writer:
        writer.update(NOTE, created=NOON)
    settings = "--database", url, "--domain", "small_domain", "--policies", str(policies)
    words = "check", "user/alice", "read", "record/note", *settings

    assert expected == CliRunner().invoke(main, [*words, *options]).exit_code


def test_asking_writes_nothing(ask: _Ask, store: Store) -> None:
    """Neither about now nor about then."""

    def look() -> list[object]:
        return [*store.run(Activated.select().tuples()), find_revision(store)]

    before = look()
    for options in ((), ("--at", BEFORE)):
        ask("who", "view_bills", MOBILE, *options)

    assert before == look()


def test_nothing_is_performed_in_the_past(ask: _Ask) -> None:
    """The clock can be moved; the moment cannot."""
    words = "perform", "person/mary", "step_down", "customer/123456789"
    result = ask(*words, "--at", BEFORE)

    assert 2 == result.exit_code
    assert "No such option '--at'" in result.stderr
