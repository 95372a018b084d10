"""A policy set that is to serve, wherever it comes from, and who signed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from authz_service.errors import PolicyError
from authz_service.policy.kept import open_kept, pack_policies
from authz_service.policy.source import load_policies
from authz_service.store.policies import KeptPolicies, Origin

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.policy.source import PolicySet

# Beside the `.polar` files, in a folder as in a bundle.
SIGNATURE: Final = "SIGNATURE"
LONGEST_SIGNATURE: Final = 1_024


@dataclass(frozen=True)
class Candidate:
    """A policy set that is to serve.

    Arguments:
        policies: the set.
        signature: of its digest; empty where nobody signed it.
        origin: where it comes from.
    """

    policies: PolicySet
    signature: str
    origin: Origin

    @property
    def digest(self) -> str:
        """Which set it is."""
        return self.policies.digest

    @property
    def place(self) -> str:
        """Where it comes from, for messages."""
        return self.policies.folder

    def pack(self) -> KeptPolicies:
        """Put it into the form in which stores keep it."""
        kept = pack_policies(self.policies)
        return KeptPolicies(kept.digest, kept.files, self.signature)


def load_folder(folder: Path, origin: Origin = Origin.FOLDER) -> Candidate:
    """Read a folder: its `.polar` files, and the signature beside them, if there is one.

    Raises:
        PolicyError: with every file that cannot be read.
    """
    return Candidate(load_policies(folder), _read_signature(folder / SIGNATURE), origin)


def open_candidate(kept: KeptPolicies, origin: Origin) -> Candidate:
    """Take a set that is kept.

    Raises:
        PolicyError: when it was changed after it was kept.
    """
    return Candidate(open_kept(kept), kept.signature, origin)


def write_signature(folder: Path, signature: str) -> None:
    """Write the signature of a policy set beside its files.

    Raises:
        OSError: when it cannot be written.
    """
    (folder / SIGNATURE).write_text(f"{signature}\n", encoding="ascii")


def _read_signature(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            return file.read(LONGEST_SIGNATURE).strip()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        message = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise PolicyError.at(str(path), "unreadable_file", message) from None
