"""A folder of policy files as one thing."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest

from authz_service.errors import Fault, Place, PolicyError
from authz_service.policy.source import PolicyFile, build_policy_set, load_policies

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two policies and something else."""
    write(tmp_path, {"b.polar": "b(1);\n", "a.polar": 'a("é");\r\n', "notes.txt": "no policy"})
    return tmp_path


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write some files as they are, whatever the system thinks of line ends."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())


def test_files_are_read_in_the_order_of_their_names(folder: Path) -> None:
    """A policy set has every `.polar` file with its text, unchanged."""
    files = (PolicyFile("a.polar", 'a("é");\r\n'), PolicyFile("b.polar", "b(1);\n"))

    assert files == load_policies(folder).files


def test_a_policy_set_knows_its_folder(folder: Path) -> None:
    """The folder is kept for messages."""
    assert str(folder) == load_policies(folder).folder


def test_folders_in_the_folder_do_not_count(folder: Path) -> None:
    """Only files directly in the folder are read."""
    before = load_policies(folder)
    write(folder / "old", {"c.polar": "c(1);"})

    assert before == load_policies(folder)


def test_a_policy_set_stays_as_it_is(folder: Path) -> None:
    """A policy set cannot be changed."""
    policies = load_policies(folder)

    with pytest.raises(dataclasses.FrozenInstanceError):
        policies.files = ()  # type: ignore[misc]


def test_a_digest_says_how_it_was_made(folder: Path) -> None:
    """A digest is the name of the algorithm and 64 hexadecimal digits."""
    assert re.fullmatch("sha256:[0-9a-f]{64}", load_policies(folder).digest)


def test_a_digest_does_not_depend_on_the_folder(tmp_path: Path) -> None:
    """The same files elsewhere have the same digest."""
    texts = {"a.polar": "a(1);", "b.polar": "b(1);"}
    write(tmp_path / "here", texts)
    write(tmp_path / "there", dict(reversed(texts.items())))

    assert load_policies(tmp_path / "here").digest == load_policies(tmp_path / "there").digest


def test_a_digest_does_not_depend_on_other_files(folder: Path) -> None:
    """What is no policy has no part in the digest."""
    before = load_policies(folder).digest
    write(folder, {"notes.txt": "something else", "more.txt": ""})

    assert before == load_policies(folder).digest


@pytest.mark.parametrize(
    "texts",
    [
        {"a.polar": "a(1);", "b.polar": "b(2);"},
        {"a.polar": "a(1);", "b.polar": "b(1); "},
        {"a.polar": "a(1);", "b.polar": "b(1);\n"},
        {"a.polar": "a(1);", "c.polar": "b(1);"},
        {"a.polar": "b(1);", "b.polar": "a(1);"},
        {"a.polar": "a(1);b.polarb(1);"},
        {"a.polar": "a(1);b", "b.polar": "(1);"},
        {"a.polar": "", "aa.polar": "(1);", "b.polar": "b(1);"},
        {"a.polar": "a(1);"},
        {"a.polar": "a(1);", "b.polar": "b(1);", "c.polar": ""},
    ],
    ids=str,
)
def test_other_names_or_texts_have_another_digest(tmp_path: Path, texts: Mapping[str, str]) -> None:
    """Digests are equal for equal names and texts only."""
    write(tmp_path / "one", {"a.polar": "a(1);", "b.polar": "b(1);"})
    write(tmp_path / "other", texts)

    assert load_policies(tmp_path / "one").digest != load_policies(tmp_path / "other").digest


def test_the_order_of_files_is_that_of_their_names() -> None:
    """A policy set that is put together in another order is the same one."""
    files = [PolicyFile("b.polar", "b(1);"), PolicyFile("a.polar", "a(1);")]

    assert build_policy_set("x", files) == build_policy_set("x", files[::-1])


def test_a_file_can_have_another_text(folder: Path) -> None:
    """The set is then as if it had been read so; what the other files say is not read again."""
    policies = load_policies(folder)
    changed = policies.change(PolicyFile("b.polar", "c(1);"))
    (folder / "b.polar").write_text("c(1);")

    assert load_policies(folder) == changed
    assert load_policies(folder).readings == changed.readings
    assert policies.readings[0] is changed.readings[0]


@pytest.mark.parametrize("name", ["missing", "notes.txt"])
def test_what_is_no_folder_is_refused(folder: Path, name: str) -> None:
    """A folder that is not there, and a file in its place, are errors."""
    with pytest.raises(PolicyError) as caught:
        load_policies(folder / name)

    message = "there is no such folder; name the one that holds the `.polar` files"
    assert (Fault(Place(str(folder / name)), "no_policies", message),) == caught.value.faults


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """A folder without a policy is an error, whatever else is in it."""
    write(tmp_path, {"a.polar.txt": "a(1);"})

    with pytest.raises(PolicyError) as caught:
        load_policies(tmp_path)

    assert f"{tmp_path}: holds no `.polar` file [no_policies]" == str(caught.value)


def test_all_files_that_cannot_be_read_are_told(folder: Path) -> None:
    """An error has a fault for each file that cannot be used, with what to do."""
    (folder / "c.polar").write_bytes(b"c(1);\xff")
    (folder / "d.polar").mkdir()
    (folder / "e.polar").symlink_to(folder / "nowhere")
    (folder / "f.polar").write_bytes(b" " * (4 * 1024 * 1024 + 1))

    with pytest.raises(PolicyError) as caught:
        load_policies(folder)

    assert [
        f"{folder}/c.polar: byte 6 is not UTF-8; save the file as UTF-8 [unreadable_file]",
        f"{folder}/d.polar: cannot be read: Is a directory [unreadable_file]",
        f"{folder}/e.polar: cannot be read: No such file or directory [unreadable_file]",
        f"{folder}/f.polar: is larger than 4 MiB; split it [unreadable_file]",
    ] == str(caught.value).splitlines()


def test_a_file_may_be_as_large_as_the_limit(tmp_path: Path) -> None:
    """Four mebibytes are not too many."""
    write(tmp_path, {"a.polar": " " * (4 * 1024 * 1024)})

    assert 4 * 1024 * 1024 == len(load_policies(tmp_path).files[0].text)
