"""Files that are laid out: found, read, and replaced as a whole."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from authz_service.errors import DocumentError, Fault, Place, PolicyError
from authz_service.formatting.document import format_document
from authz_service.formatting.policy import format_policy
from authz_service.polar.text import Source
from authz_service.policy.source import LARGEST_FILE, decode_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from authz_service.formatting.document import Order

POLICY: Final = "polar"
DOCUMENT: Final = "yaml"
_KINDS: Final = (POLICY, DOCUMENT)


@dataclass(frozen=True)
class Formatted:
    """A text before and after.

    Arguments:
        old: as it was, with its byte order mark and its line ends.
        new: as it is to be.
    """

    old: str
    new: str

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to write."""
        return self.old != self.new


def find_formatted_files(paths: Iterable[Path]) -> tuple[list[Path], list[Fault]]:
    """Find the policies and documents that paths stand for: a folder is those below it.

    What is in folders whose names begin with a dot is left out.

    Returns:
        the files, each once, and what is wrong with the paths.
    """
    found: dict[Path, None] = {}
    faults = []
    for path in paths:
        try:
            files = _look_up(path)
            exists = path.exists()
        except OSError as error:
            message = f"cannot be looked up: {error.strerror or error}"
            faults.append(Fault(Place(str(path)), "unreadable_file", message))
            continue
        if not exists:
            message = "there is no such file or folder"
            faults.append(Fault(Place(str(path)), "missing_file", message))
        elif not files:
            message = "is, or holds, no `.polar` or `.yaml` file"
            faults.append(Fault(Place(str(path)), "unknown_kind", message))
        found |= dict.fromkeys(files)
    return list(found), faults


def _look_up(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path] if path.is_file() and path.suffix[1:] in _KINDS else []
    below = {each for kind in _KINDS for each in path.rglob(f"*.{kind}") if each.is_file()}
    return sorted(each for each in below if not _is_hidden(each.relative_to(path)))


def format_file(path: Path, choose_order: Callable[[Sequence[str]], Order]) -> Formatted:
    """Lay a file out anew, and leave it as it is.

    Raises:
        AuthzError: when it cannot be read, with every fault.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise DocumentError.at(str(path), "unreadable_file", message) from None
    return format_text(data, str(path), path.suffix[1:], choose_order)


def format_text(
    data: bytes, name: str, kind: str, choose_order: Callable[[Sequence[str]], Order]
) -> Formatted:
    """Lay a text out anew.

    Arguments:
        data: the text, in UTF-8; of one that is too long, more than `LARGEST_FILE` bytes will do.
        name: stands for its file in messages.
        kind: `polar` or `yaml`.
        choose_order: finds how the keys of a document are ordered.

    Raises:
        AuthzError: as above.
    """
    if len(data) > LARGEST_FILE:
        message = f"is larger than {LARGEST_FILE // 1024**2} MiB; what is so large, nobody reads"
        raise DocumentError.at(name, "file_too_large", message)
    if kind == DOCUMENT:
        new = format_document(data, name, choose_order)
        return Formatted(data.decode(), new)
    try:
        old = decode_policy(data)
    except ValueError as error:
        raise PolicyError.at(name, "unreadable_file", str(error)) from None
    return Formatted(old, format_policy(Source(name, old)))


def replace_file(path: Path, text: str) -> None:
    """Put a text in the place of a file, which is never there in part; its mode stays.

    A link stays one: what it leads to is replaced.

    Raises:
        DocumentError: when it cannot be written; nothing is left of the attempt then.
    """
    target = path.resolve()
    partial = None
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
        if not mode & stat.S_IWUSR or not os.access(target, os.W_OK):
            raise PermissionError("it is read-only")
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        partial = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
        partial.chmod(mode)
        partial.replace(target)
    except OSError as error:
        if partial:
            partial.unlink(missing_ok=True)
        message = f"cannot be written: {error.strerror or error}"
        raise DocumentError.at(str(path), "unwritable_file", message) from None


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
