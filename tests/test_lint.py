"""`authz lint`: what it prints about policies, fixtures and scenarios, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner
from reference import require_reference
from small_domain import write_policy

from authz_service.cli.main import main

if TYPE_CHECKING:
    from click.testing import Result

ROOT: Final = Path(__file__).parent.parent
GOOD: Final = """\
allow(request: Request, action, record) if permit(request.subject, action, record);
permit(user: User, action, record: Record) if
  action in ["read", "write", "delete"] and record.owner = user;
"""
ODD: Final = f"{GOOD}spare(1);\n"
BROKEN: Final = f"{ODD}permit(user: User, _, record: Record) if not record.onwer = user;\n"
ERROR: Final = "records.polar:5:46: a Record has no attribute `onwer`; did you mean `owner`?"
WARNING: Final = "records.polar:4:1: nothing asks `spare`"

# oso warns of roles that nothing asks about, which can only be a mistake.
OSO_ONLY: Final = f'{GOOD}actor User {{}}\nresource Record {{ roles = ["owner"]; }}\n'
# What is seen when questions are resolved, and not before.
COMPILED_ONLY: Final = f"{GOOD}?= spare(1, 2) and not spare(1, 2);\nspare(1, 2);\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every command runs in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lint(*options: str) -> Result:
    """Check the policies of the folder, those of the small domain."""
    words = ("lint", "--policies", "policies", "--domain", "small_domain", *options)
    return CliRunner().invoke(main, words)


def test_good_policies_end_with_0(folder: Path) -> None:
    """Where nothing is found, it says so in numbers."""
    write_policy(folder, GOOD)
    result = lint()

    assert (0, "0 errors, 0 warnings\n", "") == (result.exit_code, result.stdout, result.stderr)


def test_the_policies_of_the_portal_are_good() -> None:
    """What we ship passes, warnings counted."""
    words = ("lint", "--strict", "--policies", str(ROOT / "policies"))
    result = CliRunner().invoke(main, words)

    assert (0, "0 errors, 0 warnings\n", "") == (result.exit_code, result.stdout, result.stderr)


def test_errors_end_with_1(folder: Path) -> None:
    """Errors come first, then warnings, each with its line and what is wrong in it underlined."""
    write_policy(folder, BROKEN)
    result = lint()

    assert (1, "1 error, 1 warning\n") == (result.exit_code, result.stdout)
    assert [
        f"error: policies/{ERROR} [unknown_attribute]",
        "    5 | permit(user: User, _, record: Record) if not record.onwer = user;",
        f"      | {' ' * 45}{'^' * 12}",
        f"warning: policies/{WARNING} [unused_rule]",
        "    4 | spare(1);",
        "      | ^^^^^^^^",
    ] == result.stderr.splitlines()


def test_warnings_end_with_0(folder: Path) -> None:
    """What is only odd can be used."""
    write_policy(folder, ODD)
    result = lint()

    assert (0, "0 errors, 1 warning\n") == (result.exit_code, result.stdout)


def test_strict_warnings_end_with_1(folder: Path) -> None:
    """With `--strict` a warning counts; it is still called one."""
    write_policy(folder, ODD)
    result = lint("--strict")

    assert (1, "0 errors, 1 warning\n") == (result.exit_code, result.stdout)
    assert result.stderr.startswith("warning: ")


@pytest.mark.parametrize("style", ["text", "json"])
def test_no_policies_end_with_2(style: str) -> None:
    """What cannot be read cannot be checked."""
    result = lint("--format", style)

    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith("error: policies: there is no such folder; ")


def test_an_unknown_domain_ends_with_2(folder: Path) -> None:
    """Without a domain there is nothing to hold a policy against."""
    write_policy(folder, GOOD)
    result = lint("--domain", "nothing_of_the_kind")

    assert 2 == result.exit_code


def test_json_says_the_same(folder: Path) -> None:
    """Programs get one object, and nothing beside it."""
    write_policy(folder, BROKEN)
    result = lint("--format", "json")

    assert (1, "") == (result.exit_code, result.stderr)
    assert {
        "errors": [
            {
                "file": "policies/records.polar",
                "line": 5,
                "column": 46,
                "code": "unknown_attribute",
                "message": "a Record has no attribute `onwer`; did you mean `owner`?",
            }
        ],
        "warnings": [
            {
                "file": "policies/records.polar",
                "line": 4,
                "column": 1,
                "code": "unused_rule",
                "message": "nothing asks `spare`",
            }
        ],
    } == json.loads(result.stdout)


def test_json_of_good_policies_is_empty_lists(folder: Path) -> None:
    """Both lists are always there."""
    write_policy(folder, GOOD)
    result = lint("--format", "json", "--strict")

    assert (0, {"errors": [], "warnings": []}) == (result.exit_code, json.loads(result.stdout))


FIXTURE: Final = "user:\n  alice: {name: Alice, role: member}\n"
CASE: Final = "{who: user/alice, on: record/one, cannot: [{read: unknown_resource}]}"
SCENARIO: Final = f"scenario: Reading\nfixture: small\ncases: [{CASE}]\n"


def write(name: str, text: str) -> None:
    """Write a file beside the policies."""
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(text)


def faults_of(*options: str) -> list[str]:
    """Find what is told, each as its kind, place and code."""
    lines = [line for line in lint(*options).stderr.splitlines() if line[0] != " "]
    return [f"{' '.join(line.split(': ')[:2])} {line.split()[-1]}" for line in lines]


def test_fixtures_are_loaded_each_by_itself(folder: Path) -> None:
    """References and promises are looked at, and a file does without the others."""
    write_policy(folder, GOOD)
    write("fixtures/a.yaml", f"{FIXTURE}record:\n  one: {{status: active, owner: alcie}}\n")
    twice = "".join(f"  {name}: {{status: active, title: same}}\n" for name in ("one", "two"))
    write("fixtures/b.yaml", f"record:\n{twice}")
    write("fixtures/c.yaml", f"record:\n{twice.splitlines()[0]}\n")

    assert [
        "error fixtures/a.yaml:4:32 [dangling_reference]",
        "error fixtures/b.yaml:3:3 [one_title]",
    ] == faults_of()


def test_scenarios_are_held_against_the_domain(folder: Path) -> None:
    """Nothing of them is asked; a fixture that is not there is one of their faults."""
    write_policy(folder, GOOD)
    write("fixtures/small.yaml", FIXTURE)
    write("scenarios/good.yaml", SCENARIO)
    write("scenarios/b.yaml", SCENARIO.replace("small", "smal"))
    write("scenarios/c.yaml", SCENARIO.replace("on: record/one", "on: record/one, via: [5]"))
    write("scenarios/d.yaml", SCENARIO.replace("who:", "with: {action: {x: 1}}, who:"))
    result = lint()

    assert (1, "3 errors, 0 warnings\n") == (result.exit_code, result.stdout)
    assert "there is no fixture `smal`; did you mean `small`? [unknown_fixture]" in result.stderr
    assert [
        "error scenarios/b.yaml:2:10 [unknown_fixture]",
        "error scenarios/c.yaml:3:49 [invalid_value]",
        "error scenarios/d.yaml:3:26 [unknown_name]",
    ] == faults_of()


def test_a_fault_of_a_fixture_is_told_once(folder: Path) -> None:
    """Although two scenarios use it."""
    write_policy(folder, GOOD)
    write("fixtures/small.yaml", FIXTURE.replace("member", "membre"))
    write("scenarios/one.yaml", SCENARIO)
    write("scenarios/two.yaml", SCENARIO)

    assert ["error fixtures/small.yaml:2:30 [unknown_value]"] == faults_of()


def test_a_fixture_that_no_scenario_uses_is_odd(folder: Path) -> None:
    """If there are scenarios, and all of them can be read."""
    write_policy(folder, GOOD)
    write("fixtures/small.yaml", FIXTURE)
    write("fixtures/other.yaml", FIXTURE)

    assert [] == faults_of()
    write("scenarios/one.yaml", SCENARIO)
    assert ["warning fixtures/other.yaml:1 [unused_fixture]"] == faults_of()
    write("scenarios/two.yaml", "scenario: [")
    assert ["error scenarios/two.yaml:1:12 [not_yaml]"] == faults_of()


def test_a_rule_that_changes_no_answer_is_odd(folder: Path) -> None:
    """One that can never hold, and one that says what another one says."""
    never = 'action in ["read"] and action = "write" and record.owner = user'
    write_policy(
        folder,
        f"{GOOD}permit(user: User, action, record: Record) if\n    {never};\n"
        'permit(user: User, "read", record: Record) if record.owner = user;\n',
    )

    assert [
        "warning policies/records.polar:4:1 [idle_rule]",
        "warning policies/records.polar:6:1 [idle_rule]",
    ] == faults_of()


def test_only_the_paths_that_are_given_are_looked_at(folder: Path) -> None:
    """A policy needs the others to be checked, of which nothing is told then."""
    write_policy(folder, ODD)
    write("policies/other.polar", "other(1);\n")
    write("fixtures/small.yaml", FIXTURE.replace("member", "membre"))
    write("scenarios/one.yaml", SCENARIO.replace("small", "none"))
    write("elsewhere/small.yaml", FIXTURE.replace("name", "nmae"))
    other = "warning policies/other.polar:1:1 [unused_rule]"
    spare = "warning policies/records.polar:4:1 [unused_rule]"

    assert [other] == faults_of("policies/other.polar")
    assert [other, spare] == faults_of("policies")
    assert [spare, "error"] == [
        *faults_of("policies/records.polar"),
        *(line.split()[0] for line in faults_of("fixtures")),
    ]
    assert ["error scenarios/one.yaml:2:10 [unknown_fixture]"] == faults_of("scenarios")
    assert "error elsewhere/small.yaml:2:3 [missing_attribute]" in faults_of("elsewhere")


def test_a_policy_of_this_folder_is_looked_at(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path without a folder is one as well."""
    write_policy(folder, ODD)
    monkeypatch.chdir("policies")

    assert ["warning ./records.polar:4:1 [unused_rule]"] == faults_of("records.polar")


def test_a_path_that_is_not_there_ends_with_2(folder: Path) -> None:
    """It cannot be checked."""
    write_policy(folder, GOOD)
    result = lint("nothing")

    assert 2 == result.exit_code
    assert result.stderr.startswith("error: nothing: there is no such file or folder")


def test_github_shows_findings_beside_the_lines(folder: Path) -> None:
    """One command each, and nothing beside them."""
    write_policy(folder, BROKEN)
    result = lint("--format", "github")

    assert (1, "") == (result.exit_code, result.stderr)
    assert [
        "::error file=policies/records.polar,line=5,col=46,title=unknown_attribute",
        "a Record has no attribute `onwer`; did you mean `owner`?",
        "::warning file=policies/records.polar,line=4,col=1,title=unused_rule",
        "nothing asks `spare`",
    ] == [each for line in result.stdout.splitlines() for each in line.rsplit("::", 1)]


@pytest.mark.parametrize("style", ["text", "json", "sarif", "github"])
def test_findings_go_to_a_file(folder: Path, style: str) -> None:
    """What is printed then, is how many there are."""
    write_policy(folder, BROKEN)
    printed = lint("--format", style)
    result = lint("--format", style, "--to", "found")
    told = printed.stderr if style == "text" else printed.stdout

    assert (1, "1 error, 1 warning\n", "") == (result.exit_code, result.stdout, result.stderr)
    assert told == Path("found").read_text()


def test_a_file_that_cannot_be_written_ends_with_2(folder: Path) -> None:
    """A build that reads the file would go on with an old one."""
    write_policy(folder, GOOD)
    result = lint("--to", "no/such/folder")

    assert 2 == result.exit_code
    assert "cannot be written" in result.stderr


def test_what_only_oso_refuses_is_refused(folder: Path) -> None:
    """The reference has its say where the checker finds nothing."""
    require_reference()
    write_policy(folder, OSO_ONLY)
    result = lint()

    assert 1 == result.exit_code
    assert "1 error, " in result.stdout
    assert "[invalid_policy]" in result.stderr.splitlines()[0]


def test_what_cannot_be_resolved_is_refused(folder: Path) -> None:
    """So has the compiler, which shows the line as well."""
    write_policy(folder, COMPILED_ONLY)
    result = lint()

    assert (1, True) == (result.exit_code, "1 error, " in result.stdout)
    assert "[query_fails]" in result.stderr.splitlines()[0]
    assert "?= spare(1, 2) and not spare(1, 2);" in result.stderr.splitlines()[1]


@pytest.mark.parametrize(
    "command",
    [("check", "user/alice", "read", "record/report"), ("serve", "--port", "8123")],
    ids=lambda words: words[0],
)
def test_every_command_gives_the_same_errors(folder: Path, command: tuple[str, ...]) -> None:
    """Commands that decide by policies refuse them in the words of `lint`, with exit code 2."""
    write_policy(folder, BROKEN)
    errors, mark, warnings = lint().stderr.partition("warning: ")
    options = ("--policies", "policies", "--domain", "small_domain")
    result = CliRunner().invoke(main, [*command, *options])

    assert (2, f"{mark}{warnings}{errors}") == (result.exit_code, result.stderr)


def test_every_command_gives_the_same_warnings(folder: Path) -> None:
    """What is odd is told in the words of `lint`, and the question is answered all the same."""
    write_policy(folder, ODD.replace(', "delete"', ""))
    (folder / "small.yaml").write_text(
        "user: {alice: {name: Alice, role: member}}\n"
        "record: {report: {status: active, owner: alice}}\n"
    )
    question = ("check", "user/alice", "read", "record/report", "--fixture", "small.yaml")
    options = ("--policies", "policies", "--domain", "small_domain")
    result = CliRunner().invoke(main, [*question, *options])

    assert (0, "allow\n", lint().stderr) == (result.exit_code, result.stdout, result.stderr)
    assert [1, 1] == [result.stderr.count(code) for code in ("[never_permitted]", "[unused_rule]")]


def test_scenarios_are_refused_in_the_same_words(folder: Path) -> None:
    """`authz test` counts a broken policy as an error of the scenario, told as elsewhere."""
    write_policy(folder, BROKEN)
    (folder / "small.yaml").write_text("user:\n  alice: {name: Alice, role: member}\n")
    (folder / "scenario.yaml").write_text(
        "scenario: reading\nfixture: small\n"
        "cases:\n  - {who: user/alice, on: user/alice, cannot: [read]}\n"
    )
    options = ("--policies", "policies", "--domain", "small_domain", "--fixtures", ".")
    result = CliRunner().invoke(main, ["test", "scenario.yaml", *options])

    assert 2 == result.exit_code
    assert f"policies/{ERROR} [unknown_attribute]" in result.output
