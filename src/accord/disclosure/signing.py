"""The key of the publications: ECDSA on P-384 with SHA-384 (ES384), as JOSE writes it."""

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from accord.disclosure.errors import NoKey

ALGORITHM = "ES384"
SECRET_NAME = "publication.key.pem"  # noqa: S105 - a file name
PUBLIC_NAME = "publication.pub.pem"
_COORDINATE = 48  # bytes of a P-384 coordinate


@dataclass(frozen=True)
class PublicKey:
    """A key to check with, and the id it is called by."""

    key: ec.EllipticCurvePublicKey

    @property
    def pem(self) -> bytes:
        """The key as PEM."""
        return self.key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the DER form, in hex."""
        der = self.key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return hashlib.sha256(der).hexdigest()

    def has_signed(self, content: bytes, signature: str) -> bool:
        """Say whether the signature over the content was made with the secret half of this key."""
        try:
            raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        except ValueError:
            return False
        if len(raw) != 2 * _COORDINATE:
            return False
        r, s = (int.from_bytes(part, "big") for part in (raw[:_COORDINATE], raw[_COORDINATE:]))
        try:
            self.key.verify(encode_dss_signature(r, s), content, ec.ECDSA(hashes.SHA384()))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """The secret half; never leaves the inner side."""

    key: ec.EllipticCurvePrivateKey

    @property
    def public(self) -> PublicKey:
        """The half to hand out."""
        return PublicKey(self.key.public_key())

    def sign(self, content: bytes) -> str:
        """Return the signature, base64url without padding."""
        r, s = decode_dss_signature(self.key.sign(content, ec.ECDSA(hashes.SHA384())))
        raw = r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def load_public_key(path: Path) -> PublicKey:
    """Read a public key.

    Raises:
        NoKey: There is none, or it is not an EC key on P-384.
    """
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NoKey(f"公开名单的验签公钥 {path.name} 不存在或无法读取。") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp384r1":
        raise NoKey(f"公开名单的验签公钥 {path.name} 不是 P-384 密钥。")
    return PublicKey(key)


def open_signing_key(folder: Path) -> SigningKey:
    """Read the key of this site, making it at the first publication.

    The public half is written beside it, to be carried to the hosts of the outer face.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / SECRET_NAME
    if not path.exists():
        _create(path)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise NoKey(f"公开名单的签名密钥 {path.name} 无法读取。") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp384r1":
        raise NoKey(f"公开名单的签名密钥 {path.name} 不是 P-384 密钥。")
    signing = SigningKey(key)
    public = folder / PUBLIC_NAME
    if not public.exists() or public.read_bytes() != signing.public.pem:
        public.write_bytes(signing.public.pem)
    return signing


def _create(path: Path) -> None:
    """Write a new key whole or not at all; of two that try, one wins and both read the same."""
    pem = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            path.hardlink_to(partial)
        except FileExistsError:
            return
    finally:
        partial.unlink()
