"""Policies named by a folder or by a revision of git."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import pytest

from authz_service.errors import PolicyError
from authz_service.policy.revision import load_named_policies
from authz_service.policy.source import PolicyFile, load_policies

POLICIES: Final = Path("policies")


def git(*words: str) -> None:
    """Run git here, as somebody."""
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@x.example"]
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


def write(name: str, data: bytes) -> None:
    """Write a file."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits and a change that is in neither; the second has a folder more."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", ".")
    write("policies/a.polar", b"a(1);\r\n")
    write("policies/notes.txt", b"no policy")
    write("policies/old/c.polar", b"c(1);")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    write("policies/a.polar", b"a(2);\n")
    write("other/b.polar", 'b("é");'.encode())
    git("add", ".")
    git("commit", "--quiet", "-m", "second")
    git("tag", "v2")
    write("policies/a.polar", b"a(3);\n")
    return tmp_path


@pytest.mark.parametrize(
    ("label", "files", "name"),
    [
        ("policies", [PolicyFile("a.polar", "a(3);\n")], "policies"),
        ("HEAD:policies", [PolicyFile("a.polar", "a(2);\n")], "HEAD"),
        ("HEAD~1:policies", [PolicyFile("a.polar", "a(1);\r\n")], "HEAD~1"),
        ("v2:policies", [PolicyFile("a.polar", "a(2);\n")], "v2"),
        ("v2:other", [PolicyFile("b.polar", 'b("é");')], "v2:other"),
        ("HEAD:policies/old", [PolicyFile("c.polar", "c(1);")], "HEAD:policies/old"),
    ],
)
def test_policies_are_read_by_their_name(label: str, files: list[PolicyFile], name: str) -> None:
    """A folder as it is; a revision as it was, byte by byte, of this folder or another one."""
    found = load_named_policies(name, POLICIES)

    assert (label, tuple(files)) == (found.folder, found.files)


def test_a_revision_has_the_digest_of_its_files() -> None:
    """Where they came from makes no difference."""
    git("checkout", "--quiet", ".")

    assert load_policies(POLICIES).digest == load_named_policies("HEAD", POLICIES).digest


def test_a_repository_may_be_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Policies at the top of a repository are found as well, from anywhere."""
    monkeypatch.chdir("other")
    git("init", "--quiet", ".")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    monkeypatch.chdir("..")

    assert ["b.polar"] == [each.name for each in load_named_policies("HEAD", Path("other")).files]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("is neither a folder nor a revision of the git repository around `policies`", "HEAD~9"),
        ("is neither a folder nor a revision", "nowhere"),
        ("is neither a folder nor a revision", "--upload-pack=touch x"),
        ("is neither a folder nor a revision", "--git-dir=/tmp"),
        ("is neither a folder nor a revision", "-h"),
        ("is neither a folder nor a revision", ":policies"),
        ("is neither a folder nor a revision", "HEAD^{tree}"),
        ("there is no such folder in that revision", "HEAD:nowhere"),
        ("there is no such folder in that revision", "HEAD:policies/a.polar"),
        ("there is no such folder in that revision", "HEAD:--help"),
        ("holds no `.polar` file", "HEAD:"),
        ("is not written as from the top of the repository", "HEAD:../policies"),
        ("is not written as from the top of the repository", "HEAD:./policies"),
    ],
)
def test_what_is_not_there_is_told(said: str, name: str) -> None:
    """No name is an option of git, whatever it looks like."""
    with pytest.raises(PolicyError, match=said.replace("`.", r"`\.")):
        load_named_policies(name, POLICIES)


def test_a_folder_outside_of_git_has_no_revisions(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so, and does not look elsewhere."""
    monkeypatch.chdir(tmp_path_factory.mktemp("outside"))
    write("policies/a.polar", b"a(1);")

    with pytest.raises(PolicyError, match="`policies` is in no git repository"):
        load_named_policies("HEAD", POLICIES)


def test_a_folder_that_is_gone_has_to_be_named() -> None:
    """A revision alone is of the present folder; another one is named with it."""
    with pytest.raises(PolicyError, match="gone: there is no such folder; name one"):
        load_named_policies("HEAD", Path("gone"))

    assert ["a.polar"] == [
        each.name for each in load_named_policies("HEAD:policies", Path("gone")).files
    ]


def test_where_git_is_missing_a_folder_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are read without it."""
    monkeypatch.setenv("PATH", "")

    assert ["a.polar"] == [each.name for each in load_named_policies("policies", POLICIES).files]
    with pytest.raises(PolicyError, match="git, which reads revisions, is not installed"):
        load_named_policies("HEAD", POLICIES)


def test_files_that_cannot_be_used_are_told(repository: Path) -> None:
    """What is not UTF-8 or too large, all at once; a link is no file."""
    write("bad/a.polar", b"\xff")
    write("bad/b.polar", bytes(4 * 1_024 * 1_024 + 1))
    write("bad/c.polar", b"c(1);")
    write("links/file", b"d(1);")
    (repository / "links" / "d.polar").symlink_to("file")
    git("add", ".")
    git("commit", "--quiet", "-m", "third")

    with pytest.raises(PolicyError) as caught:
        load_named_policies("HEAD:bad", POLICIES)
    with pytest.raises(PolicyError, match=r"HEAD:links/d\.polar: is no file but a link"):
        load_named_policies("HEAD:links", POLICIES)

    assert [
        ("HEAD:bad/a.polar", "byte 1 is not UTF-8; save the file as UTF-8"),
        ("HEAD:bad/b.polar", "is larger than 4 MiB; split it"),
    ] == [(each.where.name, each.message) for each in caught.value.faults]
