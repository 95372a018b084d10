"""Bundles: the same policies are the same bytes, and nothing else is read."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from typing import TYPE_CHECKING, Any, Final

import pytest
from clinic_sets import build_candidate, build_set

from authz_service.activation.bundle import read_bundle, write_bundle
from authz_service.activation.candidate import Candidate
from authz_service.errors import RequestError
from authz_service.policy.source import PolicyFile, build_policy_set
from authz_service.store.policies import Origin

if TYPE_CHECKING:
    from collections.abc import Callable

BUNDLE: Final = write_bundle(build_candidate("# é\r\n", signature="c2lnbmVk"))


def refuse(data: bytes) -> str:
    """Have it refused, and give back why."""
    with pytest.raises(RequestError, match="is no bundle of policies") as caught:
        read_bundle(data, "body")
    assert "no_bundle" == caught.value.faults[0].code
    return str(caught.value)


def pack(*files: tuple[str, bytes], **about: Any) -> bytes:
    """Write a tar as anybody might."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, text in files:
            info = tarfile.TarInfo(name)
            info.size = len(text)
            for key, value in about.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(text))
    return output.getvalue()


def with_size(size: bytes) -> bytes:
    """Write a tar whose only file is as large as it says."""
    data = bytearray(pack(("a.polar", b"allow(_, _, _);")))
    data[124:136] = size.rjust(11, b"0") + b"\0"
    return bytes(data)


def test_what_is_read_is_what_was_written() -> None:
    """Names, texts to the byte, and the signature."""
    found = read_bundle(BUNDLE, "body")

    assert build_set("# é\r\n").files == found.policies.files
    assert (build_set("# é\r\n").digest, "c2lnbmVk") == (found.digest, found.signature)
    assert ("body", Origin.BUNDLE) == (found.place, found.origin)


def test_the_same_policies_are_the_same_bytes() -> None:
    """Whatever wrote them, and whenever: these bytes are for good."""
    one = Candidate(build_policy_set("x", [PolicyFile("a.polar", "one")]), "", Origin.FOLDER)
    expected = "67f083c7"

    assert expected == hashlib.sha256(write_bundle(one)).hexdigest()[:8]


def test_a_bundle_is_a_tar() -> None:
    """Anybody can look into one."""
    with tarfile.open(fileobj=io.BytesIO(BUNDLE)) as tar:
        names = tar.getnames()

    assert ["SIGNATURE", "denials.polar", "main.polar", "more.polar"] == names


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        bytes(10_240),
        BUNDLE[:-1],
        BUNDLE[:700],
        BUNDLE + b"\0",
        BUNDLE + BUNDLE,
        gzip.compress(BUNDLE),
        pack(("SIGNATURE", b"c2ln\n")),
        pack(("../a.polar", b"x")),
        pack(("/etc/a.polar", b"x")),
        pack(("a.polar", b"x"), ("a.polar", b"y")),
        pack(("b.polar", b"x"), ("a.polar", b"y")),
        pack(("a.polar", b"x"), ("run.sh", b"y")),
        pack(("a\n.polar", b"x")),
        pack(("a.polar", b"\xff")),
        pack(("a.polar", b"x"), mtime=1),
        pack(("a.polar", b"x"), uid=1),
        pack(("a.polar", b"x"), mode=0o4755),
        pack(("a.polar", b""), type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        pack(("a.polar", b""), type=tarfile.LNKTYPE, linkname="b.polar"),
        pack(("a.polar", b""), type=tarfile.CHRTYPE),
        pack(("a.polar", b""), type=tarfile.FIFOTYPE),
        pack(("a.polar", b""), type=tarfile.DIRTYPE),
        pack(("a.polar", b"x"), type=tarfile.GNUTYPE_SPARSE),
        pack(("a.polar", b"21 path=../b.polar"), type=tarfile.XHDTYPE),
        with_size(b"77777777777"),
        with_size(b"-1000"),
        with_size(b"-1"),
        with_size(b"x"),
        with_size(b""),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    """What is cut, added, hidden, linked, moved, or not as large as it says."""
    assert refuse(data).startswith("body: is no bundle of policies: ")


def test_a_file_that_is_too_large_is_refused() -> None:
    """As in a folder."""
    assert "is larger than 4 MiB" in refuse(pack(("a.polar", b"#" * (4 * 1024 * 1024 + 1))))


def test_every_changed_byte_shows() -> None:
    """It is refused, or the digest is another one, or the signature is."""
    whole = read_bundle(BUNDLE, "body")
    read: list[Candidate] = []
    for place in range(0, len(BUNDLE), 41):
        changed = bytearray(BUNDLE)
        changed[place] ^= 1
        try:
            read.append(read_bundle(bytes(changed), "body"))
        except RequestError:
            continue

    assert read
    assert all((each.digest, each.signature) != (whole.digest, whole.signature) for each in read)


def test_a_name_that_no_bundle_can_hold_is_refused() -> None:
    """It is told where the bundle is written."""
    policies = build_policy_set("x", [PolicyFile(f"{'a' * 100}.polar", "one")])
    with pytest.raises(RequestError, match="longer than 100 bytes"):
        write_bundle(Candidate(policies, "", Origin.FOLDER))


@pytest.mark.parametrize("change", [bytes.upper, lambda data: data.replace(b"doctor", b"Doctor")])
def test_other_texts_have_another_digest(change: Callable[[bytes], bytes]) -> None:
    """The digest is that of the set, and not of what the file says of itself."""
    candidate = build_candidate()
    files = [(each.name, change(each.text.encode())) for each in candidate.policies.files]

    assert candidate.digest != read_bundle(pack(*files), "body").digest
