"""Bundles: a policy set as one file, for which there is one way only to write it.

A bundle is a tar of the `.polar` files, sorted by name, and of the signature, without times and
owners. It is read by the letter: what is found in it is written anew, and that has to be the very
same bytes. So nothing else can be in one, such as links, paths, devices, a name that comes twice or
files that are larger than they say, and none of it has to be looked for.
"""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Final

from authz_service.activation.candidate import LONGEST_SIGNATURE, SIGNATURE, Candidate
from authz_service.errors import RequestError
from authz_service.policy.source import PolicyFile, build_policy_set, decode_policy
from authz_service.store.policies import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

TAR: Final = "application/x-tar"
LARGEST_BUNDLE: Final = 64 * 1024 * 1024

_BLOCK: Final = 512
# Where a header of a tar has the name, and the size in octal digits.
_NAME: Final = slice(0, 100)
_SIZE: Final = slice(124, 135)
_ENDING: Final = ".polar"


def write_bundle(candidate: Candidate) -> bytes:
    """Write a policy set and its signature as a bundle.

    Raises:
        RequestError: when a file has a name that no bundle can hold.
    """
    files = {each.name: each.text.encode() for each in candidate.policies.files}
    if candidate.signature:
        files[SIGNATURE] = f"{candidate.signature}\n".encode()
    try:
        return _write(files)
    except ValueError:
        message = "the name of a file is longer than 100 bytes; give it a shorter one"
        raise RequestError.at(candidate.place, "name_too_long", message) from None


def read_bundle(data: bytes, place: str) -> Candidate:
    """Read a bundle.

    Arguments:
        data: its bytes.
        place: stands for it in messages.

    Raises:
        RequestError: when it is none, or holds what a bundle does not.
    """
    try:
        files = _read_whole(data)
        signature = files.pop(SIGNATURE, b"")[:LONGEST_SIGNATURE].decode("ascii").strip()
        texts = [PolicyFile(name, decode_policy(text)) for name, text in files.items()]
    except ValueError as error:
        message = f"is no bundle of policies: {error}; `authz policy bundle` writes one"
        raise RequestError.at(place, "no_bundle", message) from None
    return Candidate(build_policy_set(place, texts), signature, Origin.BUNDLE)


def _read_whole(data: bytes) -> dict[str, bytes]:
    """Read a bundle, and write it anew to see whether that was all."""
    files = dict(_read(data))
    if not files.keys() - {SIGNATURE}:
        raise ValueError("it holds no `.polar` file")
    if _write(files) != data:
        raise ValueError("it is not written as bundles are")
    return files


def _read(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Read the files of a tar; what is not as it should be shows when it is written again."""
    start = 0
    while header := data[start : start + _BLOCK].rstrip(b"\0"):
        name = header[_NAME].rstrip(b"\0").decode()
        is_policy = name.endswith(_ENDING) and "/" not in name and name.isprintable()
        if not is_policy and name != SIGNATURE:
            raise ValueError("it holds something else than `.polar` files and a signature")
        digits = header[_SIZE]
        if not (digits.isdigit() and digits.translate(None, b"89") == digits):
            raise ValueError("it is broken off, or says of a file no size")
        size = int(digits, 8)
        start += _BLOCK
        yield name, data[start : start + size]
        start += -(-size // _BLOCK) * _BLOCK


def _write(files: dict[str, bytes]) -> bytes:
    output = io.BytesIO()
    with tarfile.open(
        fileobj=output, mode="w", format=tarfile.USTAR_FORMAT, encoding="utf-8"
    ) as tar:
        for name in sorted(files):
            about = tarfile.TarInfo(name)
            about.size = len(files[name])
            tar.addfile(about, io.BytesIO(files[name]))
    return output.getvalue()
