"""The command line: what it prints, and how it ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner
from small_domain import write_policy

from authz_service.cli.main import main
from authz_service.portal import DOMAIN
from authz_service.store.database import open_store
from authz_service.store.entity import Reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

ROOT: Final = Path(__file__).parent.parent
SMITH: Final = str(ROOT / "fixtures" / "smith.yaml")
MARY: Final = "person/mary"
MOBILE: Final = "subscription/0470000001"

SCENARIO: Final = """\
scenario: {title}
fixture: smith
cases:
  - {{who: person/mary, on: subscription/0470000001, via: web, can: [view_usage, {action}]}}
"""

NO_DATABASE: Final = (
    "error: sqlite:///var/portal.db: there is no such file; "
    "`authz load FILE...` makes it [no_database]"
)
NOT_TAKEN: Final = (
    "error: action.aplications: ... ; did you mean `applications`? [unknown_name]",
    "error: action.applications: ... must be a list, each item a string [wrong_type]",
    "error: context.weather: ... comes with a question; there is `channel` [unknown_name]",
    "error: resource.kind: ... comes with a question: it is stored [unknown_name]",
)
NO_POLICIES: Final = (
    "error: nowhere: there is no such folder; "
    "name the one that holds the `.polar` files [no_policies]"
)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every command runs in a folder that holds only the policies and fixtures of the project."""
    monkeypatch.chdir(tmp_path)
    for name in ("policies", "fixtures"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.fixture
def loaded() -> None:
    """A database that holds the company Smith."""
    assert 0 == run("load", SMITH).exit_code


def run(*words: str, **environment: str) -> Result:
    """Run a command."""
    return CliRunner(env=environment).invoke(main, words)


def check(*options: str, action: str = "view_usage", resource: str = MOBILE) -> Result:
    """Ask about Mary and her mobile, among the entities of the fixture."""
    return run("check", MARY, action, resource, "--fixture", SMITH, *options)


# check


def test_an_allow_ends_with_0() -> None:
    """An allow is a word on the output and nothing else."""
    result = check("--via", "app")

    assert (0, "allow\n", "") == (result.exit_code, result.stdout, result.stderr)


def test_a_denial_ends_with_1() -> None:
    """A denial is told with every reason, its code first, sorted."""
    result = check("--via", "app", action="view_bills")

    assert (1, "deny\n  not_permitted: no rule permits this\n", "") == (
        result.exit_code,
        result.stdout,
        result.stderr,
    )


def test_a_denial_has_all_its_reasons() -> None:
    """The words of the reasons are those of the policies."""
    words = ("check", "person/philip", "request_delegate_access", "customer/123456789")
    result = run(*words, "--fixture", SMITH, "--via", "app")

    assert [
        "deny",
        "  no_access_owner: this customer number has no access owner who could approve a request",
        "  not_offered_on_channel: this is offered on the web site only",
        "  not_permitted: no rule permits this",
    ] == result.stdout.splitlines()


@pytest.mark.parametrize(
    ("expected", "options"),
    [
        (0, ("--via", "web")),
        (0, ("--via", "app")),
        (0, ()),
        (1, ("--via", "fax")),
        (1, ("--via", "")),
    ],
)
def test_a_channel_is_sent(expected: int, options: tuple[str, ...]) -> None:
    """The channel of the request can be named; an empty one is a channel nobody knows."""
    assert expected == check(*options).exit_code


def test_what_does_not_exist_is_denied() -> None:
    """An unknown action is a denial that says what was probably meant."""
    result = check(action="view_usaeg")

    assert 1 == result.exit_code
    assert "unknown_action: `view_usaeg` is no action on a subscription" in result.stdout
    assert "did you mean `view_usage`?" in result.stdout


@pytest.mark.usefixtures("loaded")
def test_the_database_is_asked() -> None:
    """Without a fixture the question is about the entities of the database."""
    answers = [run("check", who, "view_usage", MOBILE) for who in (MARY, "person/thomas")]

    assert [0, 1] == [answer.exit_code for answer in answers]


@pytest.mark.usefixtures("loaded")
def test_a_fixture_takes_the_place_of_the_database(tmp_path: Path) -> None:
    """With a fixture the database has no part in the answer."""
    path = tmp_path / "rose.yaml"
    path.write_text("person:\n  rose: {name: Rose, email: rose@x.example, mobile: null}\n")
    result = run("check", MARY, "view_usage", MOBILE, "--fixture", str(path))

    assert "deny\n  unknown_subject: there is no such subject\n" == result.stdout


@pytest.mark.parametrize(
    ("expected", "now"),
    [
        (0, "2026-12-31T23:59:59Z"),
        (1, "2027-01-01T00:00:01Z"),
        (0, "2027-01-01T00:30:00+01:00"),
        (1, "2026-12-31T23:30:00-01:00"),
    ],
)
def test_the_time_can_be_chosen(tmp_path: Path, expected: int, now: str) -> None:
    """A question can be asked as if at another time, written in any zone."""
    policies = write_policy(
        tmp_path / "var",
        "allow(request: Request, _action: String, record: Record) if"
        " not record.created < request.now;",
    )
    fixture = tmp_path / "records.yaml"
    fixture.write_text(
        "user:\n  alice: {name: Alice, role: member, manager: null}\n"
        "record:\n  note: {status: active, created: 2027-01-01T00:00:00Z}\n"
    )
    words = ["user/alice", "read", "record/note", "--now", now, "--fixture", str(fixture)]
    domain = ["--domain", "small_domain", "--policies", str(policies)]

    assert expected == run("check", *words, *domain).exit_code


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("`mary` is not of the form type/id, as in person/mary", ["mary", "view", MOBILE]),
        ("`person/` is not of the form type/id", ["person/", "view", MOBILE]),
        ("`/0470000001` is not of the form type/id", [MARY, "view", "/0470000001"]),
        ("Missing argument 'RESOURCE'", [MARY, "view"]),
        ("unexpected extra argument", [MARY, "view", MOBILE, "now"]),
        ("No such option", [MARY, "view", MOBILE, "--channel", "web"]),
        (
            "`2026-01-05T09:00:00` is not a time such as 2026-01-05T09:00:00Z",
            [MARY, "view", MOBILE, "--now", "2026-01-05T09:00:00"],
        ),
        (
            "`soft` is not of the form PART.NAME=VALUE, as in action.soft=true",
            [MARY, "view", MOBILE, "--with", "soft"],
        ),
        (
            "`context.channel` has an option of its own; say it with --via",
            [MARY, "view", MOBILE, "--with", "context.channel=web"],
        ),
        ("`noon` is not a time", [MARY, "view", MOBILE, "--now", "noon"]),
        (
            "`0001-01-01T00:00:00+01:00` is not a time",
            [MARY, "view", MOBILE, "--now", "0001-01-01T00:00:00+01:00"],
        ),
    ],
)
def test_what_is_no_question_ends_with_2(said: str, words: list[str]) -> None:
    """A question that is not of the right form is not asked."""
    result = run("check", *words)

    assert 2 == result.exit_code
    assert said in result.stderr
    assert "" == result.stdout


@pytest.mark.parametrize(
    ("said", "options"),
    [
        (NO_DATABASE, []),
        (NO_POLICIES, ["--policies", "nowhere"]),
        (
            "error: domain: `json` has no `DOMAIN`; name the package of a domain [unknown_domain]",
            ["--domain", "json"],
        ),
        (
            "error: nothing.yaml: there is no such file or folder [missing_file]",
            ["--fixture", "nothing.yaml"],
        ),
    ],
)
def test_a_question_that_cannot_be_asked_ends_with_2(said: str, options: list[str]) -> None:
    """What keeps a question from being asked is told, a fault a line, on the error output."""
    result = run("check", MARY, "view_usage", MOBILE, *options)

    assert (2, "", f"{said}\n") == (result.exit_code, result.stdout, result.stderr)


def test_a_broken_policy_ends_with_2(tmp_path: Path) -> None:
    """A policy with a mistake is told with file, line and column."""
    policies = write_policy(tmp_path / "var", "allow(_a, _b, _c);\nf(x);")
    result = check("--policies", str(policies))

    assert 2 == result.exit_code
    [error] = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert error.startswith(f"error: {policies}/records.polar:2:3: `x` is used once only")


def test_a_question_can_come_with_more() -> None:
    """What is said with a question counts, the channel among it."""
    words = ("check", "person/mary", "request_delegate_access", "customer/123456789")
    parts = 'action.applications=["123456789/onedrive/photos"]'
    result = run(*words, "--fixture", SMITH, "--via", "app", "--with", parts)
    codes = [line.split(":")[0].strip() for line in result.stdout.splitlines()[1:]]

    assert ["no_access_owner", "not_offered_on_channel", "partial_delegation"] == codes


def test_what_the_domain_does_not_take_ends_with_2() -> None:
    """A name that means nothing, and a value of another type, are told, a fault a line."""
    said = ("resource.kind=mobile", "action.aplications=[]", "context.weather=fine")
    options = [word for each in said for word in ("--with", each)]
    result = check(*options, "--with", "action.applications=x")
    starts, ends = zip(*(each.split(" ... ") for each in NOT_TAKEN), strict=True)
    lines = result.stderr.splitlines()

    assert (len(NOT_TAKEN), 2, "") == (len(lines), result.exit_code, result.stdout)
    assert all(map(str.startswith, lines, starts)), lines
    assert all(map(str.endswith, lines, ends)), lines


# load


def find(kind: str, identity: str) -> bool:
    """Tell whether the default database has an entity."""
    store = open_store("sqlite:///var/portal.db", DOMAIN)
    try:
        return store.has_tables() and store.find(Reference(kind, identity)) is not None
    finally:
        store.close()


ROSE: Final = """\
person:
  rose: {name: Rose, email: rose@x.example, mobile: null}
  iris: {name: Iris, email: iris@x.example, mobile: null}
"""


def test_loading_counts_what_it_stored(tmp_path: Path) -> None:
    """A fixture that is loaded is told with the number of its entities."""
    (tmp_path / "rose.yaml").write_text(ROSE)
    result = run("load", "rose.yaml")

    assert (0, "2 entities loaded into sqlite:///var/portal.db\n", "") == (
        result.exit_code,
        result.stdout,
        result.stderr,
    )
    assert find("person", "rose")


def test_a_folder_is_loaded_whole() -> None:
    """A folder stands for the files in it."""
    result = run("load", "fixtures")

    assert 0 == result.exit_code
    assert find("person", "mary")
    assert find("person", "greet")


def test_loading_is_all_or_nothing(tmp_path: Path) -> None:
    """Every fault of every file is told on a line of its own, and nothing is stored."""
    (tmp_path / "rose.yaml").write_text(ROSE)
    (tmp_path / "iris.yaml").write_text("person:\n  lily: {name: 7, emial: x}\npreson: {}\n")
    result = run("load", "rose.yaml", "iris.yaml")
    places = [line.split(": ")[:2] for line in result.stderr.splitlines()]

    assert (2, "") == (result.exit_code, result.stdout)
    assert {"error"} == {start for start, _ in places}
    assert [
        "iris.yaml:2:3",
        "iris.yaml:2:16",
        "iris.yaml:2:19",
        "iris.yaml:3:1",
    ] == list(dict.fromkeys(place for _, place in places))
    assert not find("person", "rose")


@pytest.mark.usefixtures("loaded")
def test_what_is_loaded_already_is_refused(tmp_path: Path) -> None:
    """Loading the same again changes nothing."""
    (tmp_path / "rose.yaml").write_text(ROSE)
    result = run("load", "rose.yaml", SMITH)

    assert 2 == result.exit_code
    assert "`person/mary` is in the store already; an id is used once" in result.stderr
    assert not find("person", "rose")


def test_a_password_is_not_printed() -> None:
    """A database that cannot be reached is told without the secrets of its URL."""
    result = run("load", SMITH, "--database", "postgresql://rose:s3cret@127.0.0.1:1/none")

    assert 2 == result.exit_code
    assert "the database cannot be used" in result.stderr
    assert "s3cret" not in result.output


def test_nothing_to_load_ends_with_2() -> None:
    """A file has to be named."""
    result = run("load")

    assert 2 == result.exit_code
    assert "Missing argument 'FILE...'" in result.stderr


def test_a_fixture_that_is_not_there_ends_with_2() -> None:
    """A path that leads nowhere is told."""
    result = run("load", "nothing.yaml")

    assert (2, "error: nothing.yaml: there is no such file or folder [missing_file]\n") == (
        result.exit_code,
        result.stderr,
    )


# test


@pytest.fixture
def write_scenario(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a scenario that passes, or one in which the second action is not as expected."""

    def write(name: str, action: str) -> Path:
        path = tmp_path / "scenarios" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(SCENARIO.format(title=f"About {action}", action=action))
        return path

    return write


def test_scenarios_that_pass_end_with_0(write_scenario: Callable[[str, str], Path]) -> None:
    """Each scenario is a line; without a path it is those in `scenarios`."""
    write_scenario("b.yaml", "activate_free_option")
    write_scenario("a.yaml", "activate_free_option")
    result = run("test")

    assert [
        "ok   scenarios/a.yaml: About activate_free_option (2 questions)",
        "ok   scenarios/b.yaml: About activate_free_option (2 questions)",
        "4 passed, 0 failed",
    ] == result.stdout.splitlines()
    assert (0, "") == (result.exit_code, result.stderr)


def test_a_scenario_that_fails_ends_with_1(write_scenario: Callable[[str, str], Path]) -> None:
    """What is not as expected is told, with the command that asks again."""
    write_scenario("a.yaml", "view_bills")
    write_scenario("b.yaml", "activate_free_option")
    result = run("test")
    lines = result.stdout.splitlines()
    asked = f"{MARY} view_bills {MOBILE}"

    assert 1 == result.exit_code
    assert [
        "FAIL scenarios/a.yaml: About view_bills (2 questions)",
        f"     scenarios/a.yaml:4:81: {asked} via web",
        "       expected: allow",
        "       came:     deny: not_permitted (no rule permits this)",
    ] == lines[:4]
    assert lines[4].startswith(f"       why:      {MARY} may not view_bills on {MOBILE}: no rule")
    assert lines[5].endswith(f" check {asked} --fixture fixtures/smith.yaml --via web")
    assert ["ok  ", "3 passed, 1 failed"] == [lines[6][:4], lines[7]]


def test_a_scenario_that_cannot_be_run_ends_with_2(
    tmp_path: Path, write_scenario: Callable[[str, str], Path]
) -> None:
    """A broken file is told with its faults, and the others are run all the same."""
    write_scenario("b.yaml", "view_bills")
    (tmp_path / "scenarios" / "a.yaml").write_text("scenario: x\ncases: []\n")
    path = write_scenario("c.yaml", "activate_free_option")
    path.write_text(path.read_text().replace("smith", "nobody"))
    result = run("test")
    lines = result.stdout.splitlines()

    assert 2 == result.exit_code
    assert [
        "ERROR scenarios/a.yaml:1:1: lacks `fixture:` [missing_key]",
        "ERROR scenarios/a.yaml:2:8: `cases` asks nothing; add a case [invalid_value]",
        "FAIL scenarios/b.yaml: About view_bills (2 questions)",
    ] == lines[:3]
    assert [
        "ERROR fixtures/nobody.yaml: there is no such file or folder [missing_file]",
        "2 scenario files could not be run",
        "1 passed, 1 failed",
    ] == lines[-3:]


def test_only_the_named_scenarios_are_run(write_scenario: Callable[[str, str], Path]) -> None:
    """A path is a file or a folder."""
    write_scenario("a.yaml", "view_bills")
    path = write_scenario("b.yaml", "activate_free_option")
    result = run("test", str(path))

    assert (0, "2 passed, 0 failed") == (result.exit_code, result.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("error: scenarios: there is no such file or folder [missing_file]", []),
        ("error: nothing.yaml: there is no such file or folder [missing_file]", ["nothing.yaml"]),
        ("error: policies: holds no `.yaml` file [empty_folder]", ["policies"]),
        (NO_POLICIES, ["fixtures", "--policies", "nowhere"]),
    ],
)
def test_nothing_to_run_ends_with_2(said: str, words: list[str]) -> None:
    """Without scenarios or policies nothing is run."""
    result = run("test", *words)

    assert (2, "", f"{said}\n") == (result.exit_code, result.stdout, result.stderr)


# all of them


@pytest.mark.parametrize(
    ("example", "words"),
    [
        ("authz check person/mary view_usage subscription/0470000001 --via app", []),
        ("authz check person/mary view_usage subscription/0470000001 --via app", ["check"]),
        ("authz check user/alice delete record/record-1 --with action.soft=true", ["check"]),
        ("authz load fixtures/smith.yaml --database sqlite:///var/portal.db", ["load"]),
        ("authz test scenarios/smith.yaml", ["test"]),
    ],
)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_has_an_example(example: str, words: list[str], option: str) -> None:
    """Every help text ends its words with an example, on a line of its own."""
    result = run(*words, option)

    assert 0 == result.exit_code
    assert ["Example:", example] == [
        line.strip() for line in result.stdout.splitlines() if line.strip() in {"Example:", example}
    ]


def test_the_example_of_the_help_works() -> None:
    """What the help shows can be pasted once the example is loaded."""
    run("load", "fixtures/smith.yaml", "--database", "sqlite:///var/portal.db")

    assert 0 == run("check", MARY, "view_usage", MOBILE, "--via", "app").exit_code


def test_every_command_is_listed() -> None:
    """The main help has a line for each command."""
    listed = run("--help").stdout.partition("Commands:")[2]

    expected = "can changes check equivalent explain export fmt impact import keys lint load log"
    more = (
        "messages migrate mutate notify perform policy replay review serve show steps test what who"
    )
    assert [*expected.split(), *more.split()] == [
        line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "
    ]


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("check", ["database", "policies", "domain", "time_limit"]),
        ("load", ["database", "domain"]),
        ("test", ["policies", "domain", "fixtures"]),
    ],
)
def test_settings_are_options_with_their_variables(command: str, names: list[str]) -> None:
    """The help of a command says how each setting is called in the environment."""
    text = " ".join(run(command, "--help").stdout.split())

    for name in names:
        assert f"--{name.replace('_', '-')} {name.upper()}" in text
        assert f"[env: AUTHZ_{name.upper()}; default: " in text


def test_the_version_is_told() -> None:
    """The program knows its version."""
    result = run("--version")

    assert 0 == result.exit_code
    assert "0.1.0" in result.stdout


@pytest.mark.parametrize(
    "words", [["check", MARY, "view_usage", MOBILE], ["load", SMITH], ["test", "fixtures"]]
)
def test_unknown_settings_are_refused(tmp_path: Path, words: list[str]) -> None:
    """A misspelt variable ends every command, before it does anything."""
    result = run(*words, AUTHZ_DATABSE="sqlite:///other.db")

    assert 2 == result.exit_code
    assert result.stderr.startswith("error: AUTHZ_DATABSE: there is no setting `AUTHZ_DATABSE`")
    assert "did you mean `AUTHZ_DATABASE`?" in result.stderr
    assert not (tmp_path / "var").exists()


def test_all_settings_that_are_wrong_are_told() -> None:
    """Each setting is a line, whether it comes from an option or from the environment."""
    words = ("check", MARY, "view_usage", MOBILE, "--time-limit", "soon")
    result = run(*words, AUTHZ_PORT="0", AUTHZ_NAME="x")

    assert ["--time-limit", "AUTHZ_NAME", "AUTHZ_PORT"] == [
        line.split(": ")[1] for line in result.stderr.splitlines()
    ]


def test_a_setting_may_come_from_the_environment() -> None:
    """A variable takes the place of an option, and an option wins over it."""
    elsewhere = {"AUTHZ_DATABASE": "sqlite:///elsewhere.db"}
    loaded = run("load", SMITH, **elsewhere)
    words = ("check", MARY, "view_usage", MOBILE)
    answers = [
        run(*words, **elsewhere),
        run(*words),
        run(*words, "--database", "sqlite:///none.db", **elsewhere),
    ]

    assert loaded.stdout.endswith("loaded into sqlite:///elsewhere.db\n")
    assert [0, 2, 2] == [answer.exit_code for answer in answers]
