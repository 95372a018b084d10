"""The documentation says what is so: its commands run, its tables are whole, its links lead on."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from clinic_sets import NOW, build_keeper, build_settings, open_clinic
from entity_service import open_service
from portal_service import EVALUATION, JSON, open_client

from authz_service import assembly, storage
from authz_service.activation.bundle import read_bundle
from authz_service.activation.candidate import load_folder
from authz_service.activation.signature import load_trust
from authz_service.activation.status import write_status
from authz_service.cli.main import main
from authz_service.errors import Fault, Place, PolicyError
from authz_service.mutation.operators import OPERATORS
from authz_service.portal import DOMAIN
from authz_service.settings import Settings
from authz_service.store.keys import Scope
from authz_service.store.policies import Origin
from authz_service.web.app import create_app

ROOT: Final = Path(__file__).parent.parent
README: Final = (ROOT / "README.md").read_text()
API: Final = (ROOT / "docs" / "api.md").read_text()
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(text: str, language: str) -> list[str]:
    """Find the code blocks of a language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)


def commands_and_answers() -> list[tuple[str, str]]:
    """Find the commands of the README's console blocks, each with what it prints."""
    text = "".join(blocks(README, "console"))
    found = re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)
    return [(command, answer) for command, answer in found]


@pytest.mark.parametrize(("command", "answer"), commands_and_answers())
def test_the_questions_of_the_readme_have_the_answers_of_the_readme(
    command: str, answer: str
) -> None:
    """What the README shows of the command line is what it prints."""
    words = [*shlex.split(command)[1:], "--fixture", str(ROOT / "fixtures" / "smith.yaml")]
    result = CliRunner().invoke(main, [*words, "--policies", str(ROOT / "policies")])

    assert answer == result.output


def test_the_readme_shows_three_questions_and_three_searches() -> None:
    """The example of Company Smith ltd is asked both ways."""
    commands = [command.split()[1] for command, _ in commands_and_answers()]

    assert ["check"] * 3 + ["who", "what", "can"] == commands


def test_the_readme_opens_with_the_two_commands() -> None:
    """A newcomer finds them first, and both are targets."""
    first = [line.split("#")[0].strip() for line in blocks(README, "sh")[0].splitlines()]
    targets = (ROOT / "Makefile").read_text()

    assert ["make serve", "make test"] == first
    assert all(f"\n{line.removeprefix('make ')}:" in targets for line in first)


def test_the_readme_names_every_action() -> None:
    """The table of actions is the vocabulary of the domain, nothing more and nothing less."""
    rows = re.findall(r"^\| (\w+) \| ((?:`\w+`(?:, )?)+) \|", README, re.MULTILINE)
    listed = {
        (kind, action) for kind, actions in rows for action in re.findall(r"`(\w+)`", actions)
    }

    assert {(kind, action) for kind, all_ in DOMAIN.actions.items() for action in all_} == listed


def test_the_scenario_of_the_readme_runs(tmp_path: Path) -> None:
    """Whoever follows the README step by step has a scenario that passes."""
    path = tmp_path / "bills.yaml"
    path.write_text(re.sub(r"^   ", "", blocks(README, "yaml")[0], flags=re.MULTILINE))
    options = ["--policies", str(ROOT / "policies"), "--fixtures", str(ROOT / "fixtures")]
    result = CliRunner().invoke(main, ["test", str(path), *options])

    assert "2 passed, 0 failed" == result.output.splitlines()[-1]


SCENARIOS: Final = blocks((ROOT / "docs" / "scenarios.md").read_text(), "yaml")


def test_the_scenarios_of_the_docs_run(tmp_path: Path) -> None:
    """The first examples of the format, on the example of a fixture."""
    whole, part, *_, fixture = SCENARIOS
    scenarios = tmp_path / "scenarios"
    scenarios.mkdir()
    (scenarios / "users.yaml").write_text(whole)
    (scenarios / "said.yaml").write_text(f"scenario: What is said counts\nfixture: smith\n{part}")
    thomas = "person:\n  thomas: {name: Thomas, email: t@x.example}\n"
    (tmp_path / "smith.yaml").write_text(fixture.replace("person:\n", thomas))
    options = ["--policies", str(ROOT / "policies"), "--fixtures", str(tmp_path)]
    result = CliRunner().invoke(main, ["test", str(scenarios), *options])

    assert "10 passed, 0 failed" == result.output.splitlines()[-1]


@pytest.mark.parametrize("text", SCENARIOS[2:-1], ids=lambda text: text.split("\n")[0])
def test_the_other_scenarios_of_the_docs_run(tmp_path: Path, text: str) -> None:
    """Each example, on the fixture that it names."""
    path = tmp_path / "shown.yaml"
    path.write_text(text)
    options = ["--policies", str(ROOT / "policies"), "--fixtures", str(ROOT / "fixtures")]
    result = CliRunner().invoke(main, ["test", str(path), *options])

    assert result.output.startswith("ok ")
    assert 0 == result.exit_code


def test_the_questions_about_the_past_have_the_answers_of_the_docs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example is a whole one: it begins with an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("policies", "fixtures"):
        (tmp_path / name).symlink_to(ROOT / name)
    [shown] = blocks((ROOT / "docs" / "history.md").read_text(), "console")
    printed = ""
    for command in re.findall(r"^\$ (.+)$", shown, re.MULTILINE):
        result = CliRunner().invoke(main, shlex.split(command)[1:])
        printed += f"$ {command}\n{result.output}"

    assert shown == printed


def test_the_change_of_the_page_on_changing_has_the_impact_that_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule of the page in the place of ours, on the example of a fixture."""
    page = (ROOT / "docs" / "changing-policies.md").read_text()
    [(command, answer)] = re.findall(r"^\$ authz (.+)\n([^`]*)", page, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    for folder in ("policies", "changed"):
        shutil.copytree(ROOT / "policies", folder)
    path = Path("changed/subscriptions.polar")
    kept, rule = path.read_text().rsplit("permit(", 1)
    [written] = blocks(page, "polar")
    path.write_text(kept + written)
    fixture = ["--fixture", str(ROOT / "fixtures" / "smith.yaml")]
    result = CliRunner().invoke(main, [*shlex.split(command), *fixture])

    assert rule.splitlines()[0] == written.removeprefix("permit(").splitlines()[0]
    assert answer == result.output


def test_the_question_of_the_page_on_changing_can_be_replayed(tmp_path: Path) -> None:
    """The line of the page is a question."""
    page = (ROOT / "docs" / "changing-policies.md").read_text()
    asked = tmp_path / "asked.jsonl"
    asked.write_text("".join(blocks(page, "jsonl")))
    policies = str(ROOT / "policies")
    fixture = str(ROOT / "fixtures" / "smith.yaml")
    words = ["replay", "--policies", policies, policies, "--from", str(asked)]
    result = CliRunner().invoke(main, [*words, "--fixture", fixture])

    assert "note: questions: 1; of 1 both policies say the same" in result.output


def option_of(setting: dataclasses.Field[Any]) -> str:
    """Name the option of a setting; a secret has none."""
    return "none" if setting.metadata["secret"] else f"`--{setting.name.replace('_', '-')}`"


def test_the_settings_page_lists_every_setting() -> None:
    """The table of settings has each with its option, its default and its meaning."""
    rows = [
        f"| `AUTHZ_{each.name.upper()}` "
        f"| {option_of(each)} "
        f"| {f'`{each.default}`' if each.default else 'none'} | {each.metadata['meaning']} |"
        for each in dataclasses.fields(Settings)
    ]
    text = (ROOT / "docs" / "settings.md").read_text()

    assert rows == [line for line in text.splitlines() if line.startswith("| `AUTHZ_")]


def test_the_page_on_keys_lists_every_scope() -> None:
    """The table of scopes has each."""
    text = (ROOT / "docs" / "keys.md").read_text()

    assert list(Scope) == re.findall(r"^\| `([a-z:]+)` \|", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("url", "request_number", "answer_number"),
    [
        ("/access/v1/evaluation", 0, 1),
        ("/access/v1/evaluations", 2, 3),
        ("/access/v1/search/resource", 5, 6),
    ],
)
def test_the_examples_of_the_api_are_answered_as_shown(
    url: str, request_number: int, answer_number: int
) -> None:
    """What the page on the API sends gets what the page shows."""
    settings = dataclasses.replace(Settings(), policies=ROOT / "policies")
    store = storage.build_fixture_store(ROOT / "fixtures" / "smith.yaml", DOMAIN)
    engine = assembly.build_engine(settings, DOMAIN)
    client = create_app(assembly.put_together(settings, DOMAIN, engine, store)).test_client()
    examples = [json.loads(block) for block in blocks(API, "json")]
    answer = client.post(url, json=examples[request_number]).get_json()
    store.close()

    assert examples[answer_number] == answer


def test_the_example_of_the_page_on_performing_is_done_as_shown() -> None:
    """What the page sends gets what the page shows."""
    page = (ROOT / "docs" / "performing.md").read_text()
    request, answer = [json.loads(block) for block in blocks(page, "json")]
    with open_client() as client:
        done = client.post("/v1/perform", json=request).get_json()

    assert answer == done


def test_the_explanation_of_the_page_on_explaining_is_the_one_that_is_given() -> None:
    """On the command line and over HTTP, but for the digest, which changes with each rule."""
    page = (ROOT / "docs" / "explaining.md").read_text()
    [console] = blocks(page, "console")
    command, _, shown = console.partition("\n")
    words = [*shlex.split(command)[2:], "--fixture", str(ROOT / "fixtures" / "smith.yaml")]
    with contextlib.chdir(ROOT):
        printed = CliRunner().invoke(main, words).output
        request, answer = [json.loads(block) for block in blocks(page, "json")]
        with open_client() as client:
            given = client.post("/v1/explain", json=request).get_json()
    for each in (answer, given):
        del each["explanation"]["policy_digest"]
        for ground in each["explanation"]["permitting"]:
            for rule in ground["rules"]:
                rule["place"] = Path(rule["place"]).name

    assert shown == printed
    assert answer == given


def test_the_review_of_the_page_on_reviews_is_the_one_that_is_given() -> None:
    """But for the time, and the digest, which changes with each rule; its columns are those."""
    page = (ROOT / "docs" / "review.md").read_text()
    [console] = blocks(page, "console")
    command, _, shown = console.partition("\n")
    words = [*shlex.split(command)[2:], "--fixture", str(ROOT / "fixtures" / "smith.yaml")]
    with contextlib.chdir(ROOT):
        printed = CliRunner().invoke(main, words).output
        table = CliRunner().invoke(main, [*words, "--format", "csv"]).output
    varying = re.compile(r"^  (asked at|policies)  .*$", re.MULTILINE)
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", page, re.MULTILINE)

    assert varying.sub("", shown) == varying.sub("", printed)
    assert table.splitlines()[0].split(",") == re.findall(r"`(\w+)`", " ".join(rows))


def test_the_coverage_of_the_page_on_coverage_is_the_one_that_is_told() -> None:
    """But for what it leaves out; what it suggests is suggested so."""
    page = (ROOT / "docs" / "coverage.md").read_text()
    command, _, shown = blocks(page, "console")[0].partition("\n")
    words = shlex.split(command)[2:]
    with contextlib.chdir(ROOT):
        printed = CliRunner().invoke(main, [*words, "--suggest"]).output
    parts = [part for part in shown.split("...\n") if part]
    places = [printed.find(part) for part in parts]

    assert -1 not in places
    assert sorted(places) == places
    assert blocks(page, "yaml")[0] in printed


def test_the_survivor_of_the_page_on_mutation_is_the_one_that_there_is() -> None:
    """But for the time that it takes; the operators are those of the page."""
    page = (ROOT / "docs" / "mutation.md").read_text()
    [console] = blocks(page, "console")
    command, _, shown = console.partition("\n")
    with contextlib.chdir(ROOT):
        printed = CliRunner().invoke(main, shlex.split(command)[2:]).output
    varying = re.compile(r"\d+ s, \d+ a minute")
    operators = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)

    assert varying.sub("", shown) == varying.sub("", printed)
    assert [*OPERATORS] == operators


def test_the_examples_of_writing_are_answered_as_shown(url: str) -> None:
    """In the order of the page, on a new store; before that, its last question is too early."""
    shown = [json.loads(block) for block in blocks(API, "json")]
    put, entity, refusal, written, question, too_early = shown[7:13]
    lines, feed, _ = blocks(API, "jsonl")
    with open_service(url) as service:
        body = json.dumps(question).encode()
        assert too_early == service.call("POST", EVALUATION, body, content_type=JSON).data
        assert entity == service.put("/v1/entities/person/ann", put["attributes"]).data
        assert refusal == service.call("DELETE", "/v1/entities/person/mary").data
        assert written == service.post(lines.encode()).data
        found = service.call("GET", "/v1/changes?after=18").text
        assert 200 == service.call("POST", EVALUATION, body, content_type=JSON).status

    assert [json.loads(each) for each in feed.splitlines()] == [
        json.loads(each) for each in found.splitlines()
    ]


def test_the_status_of_policies_is_written_as_shown(tmp_path: Path) -> None:
    """With the members of the page, in their order."""
    shown = json.loads(blocks(API, "jsonl")[2])
    fault = Fault(Place("policies/roles.polar", 12, 1), "no_polar", "there is no `;` behind this")
    with open_clinic(f"sqlite:///{tmp_path / 'clinic.db'}") as store:
        settings = build_settings(store.url, tmp_path)
        build_keeper(settings, store).refuse(Origin.FOLDER, "root", PolicyError([fault]))
        given = write_status(store, NOW)
    refused = shown["trial"]["verdict"]

    assert list(shown) == list(given)
    assert list(shown["serves"]) == list(given["serves"])
    assert list(shown["trial"]) == list(given["trial"])
    assert refused == given["trial"]["verdict"]


def test_the_keys_of_the_page_on_activation_are_made_and_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command of the page does what it says."""
    page = (ROOT / "docs" / "activation.md").read_text()
    commands = [each.partition("#")[0] for each in blocks(page, "sh")[1].splitlines()]
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "policies", "policies")
    for command in commands[:3]:
        words, _, file = command.partition(">")
        result = CliRunner().invoke(main, shlex.split(words)[1:])
        assert 0 == result.exit_code, result.output
        if file:
            Path(file.strip()).write_text(result.stdout)
    trust = load_trust("trusted.pem")
    for each in (load_folder(Path("policies")), read_bundle(Path("release.tar").read_bytes(), "")):
        trust.require(each.digest, each.signature, each.place)

    assert commands[3].startswith("AUTHZ_POLICY_KEYS=trusted.pem ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of the documentation leads to a file."""
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text())
    lost = [target for target in targets if not (page.parent / target.replace("\\", "")).exists()]

    assert [] == lost


def test_the_collections_of_the_policies_page_are_those_of_the_schema() -> None:
    """What may be used with `in` is listed, type by type."""
    text = (ROOT / "docs" / "policies.md").read_text()
    listed = {
        kind: set(re.findall(r"`(\w+)`", row))
        for kind, row in re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE)
    }
    real = {
        each.class_name: {name for name, attribute in each.attributes.items() if attribute.many}
        for each in DOMAIN.schema.types.values()
    }

    assert {kind: names for kind, names in real.items() if names} == listed


def test_the_page_on_notifications_lists_every_template() -> None:
    """Each occasion with its fields, in the order in which they are tried."""
    text = (ROOT / "docs" / "notifications.md").read_text()
    listed = [
        (name, set(re.findall(r"`(\w+)`", fields)))
        for name, fields in re.findall(r"^\| `(\w+)` \|[^|]+\|[^|]+\| (.+) \|$", text, re.MULTILINE)
    ]

    assert [
        (name, set(each.fields)) for name, all_ in DOMAIN.templates.items() for each in all_
    ] == listed
