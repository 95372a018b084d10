"""Signatures of policy sets, by Ed25519: what is signed is the digest, so names and texts.

Several keys may be trusted, so that one can take over from another. The library is imported when a
key is at hand, for that takes longer than most commands.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from authz_service.errors import RefusedPoliciesError, SettingError

if TYPE_CHECKING:
    from Crypto.PublicKey.ECC import EccKey
    from Crypto.Signature.eddsa import EdDSASigScheme

_CURVE: Final = "Ed25519"
# So that no signature of something else can be taken for one of a policy set.
_PURPOSE: Final = b"authz-service policy set\n"
_END: Final = "-----END PUBLIC KEY-----"
_LARGEST: Final = 65_536


class KeyPair(NamedTuple):
    """A new key: what signs, and what others trust; both as PEM."""

    private: str
    public: str


@dataclass(frozen=True)
class Trust:
    """Whose signatures count.

    Arguments:
        keys: public keys; with none, policies need no signature.
    """

    keys: tuple[EccKey, ...] = ()

    def require(self, digest: str, signature: str, place: str) -> None:
        """Refuse a policy set that none of the keys signed, if there are any.

        Arguments:
            digest: of the set.
            signature: of the digest; empty where there is none.
            place: where the set comes from, for the message.

        Raises:
            RefusedPoliciesError: when it is not signed, or by nobody who is trusted.
        """
        if not self.keys:
            return
        if not signature:
            message = (
                "is not signed; sign it with `authz policy sign`; the setting is `policy_keys`"
            )
            raise RefusedPoliciesError.at(place, "unsigned_policies", message)
        if not any(_is_by(key, digest, signature) for key in self.keys):
            message = (
                "is signed by none of the keys that are trusted, or was changed since; sign it anew"
                " with `authz policy sign`; the setting is `policy_keys`"
            )
            raise RefusedPoliciesError.at(place, "wrong_signature", message)


def load_trust(file: str) -> Trust:
    """Read the public keys of a file, one PEM after the other; no file means no keys.

    Raises:
        SettingError: when the file cannot be read, or holds anything else.
    """
    if not file:
        return Trust()
    try:
        with Path(file).open(encoding="ascii") as opened:
            text = opened.read(_LARGEST)
        *blocks, rest = text.split(_END)
        keys = tuple(_read_key(block.lstrip() + _END) for block in blocks)
    except OSError as error:
        message = f"`{file}` cannot be read: {error.strerror or error}"
        raise SettingError.at("policy_keys", "unreadable_file", message) from None
    except ValueError:
        keys, rest = (), ""
    if not keys or rest.strip() or any(each.has_private() for each in keys):
        message = f"`{file}` must hold public keys of Ed25519 as PEM, and nothing else"
        raise SettingError.at("policy_keys", "no_public_key", message)
    return Trust(keys)


def make_key() -> KeyPair:
    """Make a new key."""
    from Crypto.PublicKey import ECC  # noqa: PLC0415  # as said above

    key = ECC.generate(curve=_CURVE)
    public = key.public_key().export_key(format="PEM")
    return KeyPair(f"{key.export_key(format='PEM')}\n", f"{public}\n")


def sign(digest: str, file: Path) -> str:
    """Sign the digest of a policy set.

    Arguments:
        digest: what is signed.
        file: of the private key, as PEM.

    Raises:
        SettingError: when the file cannot be read, or is no private key.
    """
    try:
        key = _read_key(file.read_text(encoding="ascii"))
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise SettingError.at(str(file), "unreadable_file", message) from None
    except ValueError:
        key = None
    if key is None or not key.has_private():
        message = "must hold a private key of Ed25519 as PEM; `authz policy keygen` makes one"
        raise SettingError.at(str(file), "no_private_key", message)
    return base64.b64encode(_use(key).sign(_PURPOSE + digest.encode())).decode()


def _is_by(key: EccKey, digest: str, signature: str) -> bool:
    try:
        written = base64.b64decode(signature, validate=True)
        _use(key).verify(_PURPOSE + digest.encode(), written)
    except (binascii.Error, ValueError):
        return False
    return True


def _read_key(text: str) -> EccKey:
    """Read a key of the one kind that is used; whatever else it is, is a `ValueError`."""
    from Crypto.PublicKey import ECC  # noqa: PLC0415  # as said above

    try:
        key = ECC.import_key(text)
    except (IndexError, TypeError) as error:  # what the library runs into in garbage
        raise ValueError("it is no key") from error
    if key.curve != _CURVE:
        raise ValueError("it is a key of another kind")
    return key


def _use(key: EccKey) -> EdDSASigScheme:
    from Crypto.Signature import eddsa  # noqa: PLC0415  # as said above

    return eddsa.new(key, "rfc8032")
