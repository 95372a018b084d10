"""A folder of `.polar` files as one immutable policy set with a digest."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from authz_service.errors import Fault, Place, PolicyError
from authz_service.polar.checker import Findings, check_statements
from authz_service.polar.reader import read_policy
from authz_service.polar.text import Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from authz_service.polar.reader import Reading
    from authz_service.polar.schema import Schema
    from authz_service.polar.syntax import Statement

_MISSING: Final = frozenset({"unknown_rule", "no_allow"})
LARGEST_FILE: Final = 4 * 1024 * 1024


@dataclass(frozen=True)
class PolicyFile:
    """One file of a policy set: its name within the folder, and its text."""

    name: str
    text: str


@dataclass(frozen=True)
class PolicySet:
    """All files of a policy, in the order of their names.

    Arguments:
        folder: where they were read from, for messages.
        files: sorted by name.
        digest: `sha256:` and 64 hexadecimal digits; equal for equal names and texts only.
        known: what some of the files say, where they were read for another set.
    """

    folder: str
    files: tuple[PolicyFile, ...]
    digest: str
    known: Mapping[Source, Reading] = field(default_factory=dict, compare=False, repr=False)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files as the reader of Polar takes them, named with their folder."""
        return tuple(Source(f"{self.folder}/{file.name}", file.text) for file in self.files)

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """What each file says, read once for all who need it: reading is most of a start."""
        return tuple(self.known.get(each) or read_policy(each) for each in self.sources)

    def change(self, changed: PolicyFile) -> PolicySet:
        """Give the set with another text for one of its files, which alone is read anew."""
        files = [changed if each.name == changed.name else each for each in self.files]
        known = dict(zip(self.sources, self.readings, strict=True))
        return replace(build_policy_set(self.folder, files), known=known)


def load_policies(folder: Path) -> PolicySet:
    """Read all `.polar` files directly in a folder.

    Raises:
        PolicyError: with every file that cannot be read, or when there is none.
    """
    if not folder.is_dir():
        message = "there is no such folder; name the one that holds the `.polar` files"
        raise PolicyError.at(str(folder), "no_policies", message)
    paths = sorted(folder.glob("*.polar"))
    if not paths:
        raise PolicyError.at(str(folder), "no_policies", "holds no `.polar` file")
    files, faults = [], []
    for path in paths:
        try:
            files.append(PolicyFile(path.name, _read(path)))
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            faults.append(Fault(Place(str(path)), "unreadable_file", message))
        except ValueError as error:
            faults.append(Fault(Place(str(path)), "unreadable_file", str(error)))
    if faults:
        raise PolicyError(faults)
    return build_policy_set(str(folder), files)


def read_statements(policies: PolicySet) -> tuple[tuple[Statement, ...], tuple[Fault, ...]]:
    """Put all files together: what they say, and what in them cannot be read."""
    return (
        tuple(statement for reading in policies.readings for statement in reading.statements),
        tuple(fault for reading in policies.readings for fault in reading.faults),
    )


def check_policies(policies: PolicySet, schema: Schema) -> Findings:
    """Read all files and hold them against the schema, collecting everything that is found."""
    statements, faults = read_statements(policies)
    findings = check_statements(policies.sources, statements, schema)
    # a statement that could not be read is missing, which is no fault of those that ask for it
    errors = (each for each in findings.errors if not faults or each.code not in _MISSING)
    return Findings(tuple(sorted({*faults, *errors})), findings.warnings)


def build_policy_set(folder: str, files: list[PolicyFile]) -> PolicySet:
    """Put files together, in the order of their names, and compute their digest."""
    files = sorted(files, key=lambda file: file.name)
    hasher = hashlib.sha256()
    for file in files:
        for part in (file.name.encode(), file.text.encode()):
            hasher.update(len(part).to_bytes(8, "big") + part)
    return PolicySet(folder, tuple(files), f"sha256:{hasher.hexdigest()}")


def decode_policy(data: bytes) -> str:
    """Read the text of a policy file.

    Raises:
        ValueError: when it is too large, or not UTF-8; says so.
    """
    if len(data) > LARGEST_FILE:
        raise ValueError(f"is larger than {LARGEST_FILE // 1024**2} MiB; split it")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"byte {error.start + 1} is not UTF-8; save the file as UTF-8"
        raise ValueError(message) from None


def _read(path: Path) -> str:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ValueError("is no file, but something that may never end; remove it")
    with path.open("rb") as file:
        return decode_policy(file.read(LARGEST_FILE + 1))
