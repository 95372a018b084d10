"""Signatures: whose count, and what of a set they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from authz_service.activation.signature import KeyPair, load_trust, make_key, sign
from authz_service.errors import RefusedPoliciesError, SettingError

if TYPE_CHECKING:
    from pathlib import Path

    from authz_service.activation.signature import Trust

DIGEST: Final = "sha256:" + "1a" * 32
# Written by OpenSSL: what others make is read, and these bytes are for good.
PRIVATE: Final = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIFqlAtQupvBqJmVZ4vC80l9bVJvcXOh73sFmgCXRaP5U
-----END PRIVATE KEY-----
"""
PUBLIC: Final = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAb+3qXo1MbP6CunnNaHAQwPvvZ6SNHWE/mRgCenaMnns=
-----END PUBLIC KEY-----
"""
RSA: Final = """-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDFqtnrgEM2gyu9YW4eUGFWZw50
e7Tsxfo6oSEag18+gC4etw9lUgp14PJiiRIHIn6Rlqlk7YxmFz55SwsLR/LiojEH
/KpWQRTCzKXP/Uoo7mY/WhdY8UI1EkI6xcyeiNrVMJNOLMpEIZBhPp8pjF/M4FuA
mY3S47xsAbfSWR7T3wIDAQAB
-----END PUBLIC KEY-----
"""


@pytest.fixture(scope="module")
def mine() -> KeyPair:
    """A key that is trusted."""
    return make_key()


@pytest.fixture(scope="module")
def other() -> KeyPair:
    """Another key."""
    return make_key()


def trust(folder: Path, *texts: str) -> Trust:
    """Trust what is in a file."""
    file = folder / "trusted.pem"
    file.write_text("".join(texts))
    return load_trust(str(file))


def sign_with(folder: Path, pair: KeyPair, digest: str = DIGEST) -> str:
    """Sign with a key."""
    file = folder / "key"
    file.write_text(pair.private)
    return sign(digest, file)


def refuse(trusted: Trust, signature: str, digest: str = DIGEST) -> str:
    """Have it refused, and give back the code."""
    with pytest.raises(RefusedPoliciesError) as caught:
        trusted.require(digest, signature, "policies")
    return caught.value.faults[0].code


def test_without_keys_nothing_need_be_signed() -> None:
    """Nor is it looked at what is."""
    load_trust("").require(DIGEST, "whatever", "policies")


def test_what_a_trusted_key_signed_is_taken(tmp_path: Path, mine: KeyPair, other: KeyPair) -> None:
    """One of several keys is enough, so that one can take over from another."""
    trusted = trust(tmp_path, other.public, mine.public)
    trusted.require(DIGEST, sign_with(tmp_path, mine), "policies")
    trusted.require(DIGEST, sign_with(tmp_path, other), "policies")


def test_what_nobody_signed_is_refused(tmp_path: Path, mine: KeyPair) -> None:
    """It is said how to sign it."""
    assert "unsigned_policies" == refuse(trust(tmp_path, mine.public), "")


def test_what_somebody_else_signed_is_refused(
    tmp_path: Path, mine: KeyPair, other: KeyPair
) -> None:
    """Whoever it was."""
    assert "wrong_signature" == refuse(trust(tmp_path, mine.public), sign_with(tmp_path, other))


@pytest.mark.parametrize("signature", ["c2lnbmVk", "not base64", "é", "A" * 88, "=" * 1_000])
def test_what_is_no_signature_is_refused(tmp_path: Path, mine: KeyPair, signature: str) -> None:
    """Whatever it is."""
    assert "wrong_signature" == refuse(trust(tmp_path, mine.public), signature)


def test_a_signature_of_another_set_is_refused(tmp_path: Path, mine: KeyPair) -> None:
    """It is about one digest."""
    signature = sign_with(tmp_path, mine, "sha256:" + "2b" * 32)

    assert "wrong_signature" == refuse(trust(tmp_path, mine.public), signature)


def test_a_signature_stays_what_it_is(tmp_path: Path) -> None:
    """With a key of somebody else's making."""
    signature = sign_with(tmp_path, KeyPair(PRIVATE, PUBLIC))
    trust(tmp_path, PUBLIC).require(DIGEST, signature, "policies")

    assert (
        "eGlAKm4lZ+xCZpJmWzfBm4txYy/oPwn+6I8FVpb6YRDicjcLLmecAXuI28Qzf2fyW0jqKs0eEhe8H2Da3yc7AA=="
    ) == signature


@pytest.mark.parametrize(
    "text", ["", "garbage", PUBLIC.replace("MCow", "MCox"), PUBLIC + "more", PRIVATE, RSA, "é"]
)
def test_a_file_without_public_keys_is_refused(tmp_path: Path, text: str) -> None:
    """Else nobody would notice that nothing is checked, or that a secret lies around."""
    with pytest.raises(SettingError, match="must hold public keys of Ed25519"):
        trust(tmp_path, text)


@pytest.mark.parametrize("text", ["", "garbage", PUBLIC, "é"])
def test_a_file_without_a_private_key_is_refused(tmp_path: Path, text: str) -> None:
    """Before anything is signed."""
    with pytest.raises(SettingError, match="must hold a private key of Ed25519"):
        sign_with(tmp_path, KeyPair(text, ""))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Of either kind."""
    with pytest.raises(SettingError, match="cannot be read: No such file"):
        load_trust(str(tmp_path / "none"))
    with pytest.raises(SettingError, match="cannot be read: No such file"):
        sign(DIGEST, tmp_path / "none")
