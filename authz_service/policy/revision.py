"""Policies named on a command line: a folder, or a revision of the git repository around one.

What is in a revision is read out of the repository's own store; nothing is checked out, no hook and
no filter runs. A revision is turned into the number of a commit first, behind `--end-of-options`,
so that no name is ever taken for an option.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authz_service.errors import Fault, Place, PolicyError, quote
from authz_service.policy.source import (
    LARGEST_FILE,
    PolicyFile,
    build_policy_set,
    decode_policy,
    load_policies,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz_service.policy.source import PolicySet

_ENDING: Final = b".polar"
_FILE_MODES: Final = {b"100644", b"100755"}


def load_named_policies(name: str, policies: Path) -> PolicySet:
    """Read policies by their name: `FOLDER`, `REVISION` or `REVISION:FOLDER`.

    Arguments:
        name: a folder, before all else; or a revision, by itself of the folder `policies`, or with
            a folder as seen from the top of the repository.
        policies: the folder whose repository is meant.

    Raises:
        PolicyError: when there is no such thing, or it cannot be read.
    """
    if Path(name).is_dir():
        return load_policies(Path(name))
    revision, colon, folder = name.partition(":")
    repository = _Repository(policies if policies.is_dir() else Path())
    commit = repository.find_commit(name, revision)
    if not colon:
        folder = repository.find_place(policies)
    label = f"{revision}:{folder}"
    if folder.startswith(("./", "../")):
        message = "is not written as from the top of the repository, as in `HEAD:policies`"
        raise _refuse(name, message)
    files, faults = [], []
    for file, number, size in repository.list_files(label, f"{commit}:{folder}"):
        try:
            # what is too large is not read
            data = repository.read(number) if size <= LARGEST_FILE else bytes(LARGEST_FILE + 1)
            files.append(PolicyFile(file, decode_policy(data)))
        except ValueError as error:
            faults.append(Fault(Place(f"{label}/{file}"), "unreadable_file", str(error)))
    if faults:
        raise PolicyError(faults)
    if not files:
        raise _refuse(label, "holds no `.polar` file")
    return build_policy_set(label, files)


class _Repository:
    """The git repository around a folder.

    Arguments:
        folder: a folder in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_commit(self, name: str, revision: str) -> str:
        """Find the number of a revision's commit."""
        if self._ask("rev-parse", "--git-dir") is None:
            message = (
                f"is no folder, nor can it be a revision, for {quote(str(self._folder))} is in no"
                " git repository"
            )
            raise _refuse(name, message)
        wanted = f"{revision}^{{commit}}"
        found = self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
        if not revision or not found:
            message = (
                "is neither a folder nor a revision of the git repository around"
                f" {quote(str(self._folder))}"
            )
            raise _refuse(name, message)
        return found.decode().strip()

    def find_place(self, folder: Path) -> str:
        """Find where a folder lies in the repository."""
        found = self._ask("rev-parse", "--show-prefix") if folder == self._folder else None
        if found is None:
            raise _refuse(str(folder), "there is no such folder; name one, as in `HEAD:policies`")
        return found.decode(errors="surrogateescape").strip("\n").rstrip("/")

    def list_files(self, label: str, tree: str) -> Iterator[tuple[str, str, int]]:
        """List the policy files directly in a folder of a commit: name, number and size."""
        found = self._ask("ls-tree", "--full-tree", "-l", "-z", tree)
        if found is None:
            raise _refuse(label, "there is no such folder in that revision")
        for line in found.split(b"\0"):
            about, _, name = line.partition(b"\t")
            if not name.endswith(_ENDING):
                continue
            mode, _, number, size = about.split()
            file = name.decode(errors="replace")
            if mode not in _FILE_MODES:
                raise _refuse(f"{label}/{file}", "is no file but a link or a folder")
            yield file, number.decode(), int(size)

    def read(self, number: str) -> bytes:
        """Read a file by its number."""
        found = self._ask("cat-file", "blob", number)
        if found is None:
            raise ValueError("cannot be read from the git repository; `git fsck` says more")
        return found

    def _ask(self, *words: str) -> bytes | None:
        """Run git; None when it refuses."""
        command = ["git", "-C", str(self._folder), *words]
        try:
            done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # no shell; names are behind `--end-of-options` or a number
        except FileNotFoundError:
            message = "git, which reads revisions, is not installed; name a folder"
            raise _refuse(str(self._folder), message) from None
        return done.stdout if done.returncode == 0 else None


def _refuse(name: str, message: str) -> PolicyError:
    return PolicyError.at(name, "no_policies", message)
