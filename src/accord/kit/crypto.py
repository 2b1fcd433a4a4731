"""Keys of this site and what is done with them: keyed hashes, sealed text, signatures.

Keys live in files of the key folder, readable by the owner alone, each with its algorithm inside,
so that another algorithm (SM2, SM4) is one more row of a table here and old keys keep working.
Everything made with a key names it (`k1:…`); the newest key makes, all of them read.
"""

import base64
import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from accord.kit import clock
from accord.kit.errors import CannotRun, Invalid
from accord.kit.settings import get_settings

MacAlgorithm = Literal["HMAC-SM3", "HMAC-SHA-256"]

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_COORDINATE_BYTES: Final = 48  # P-384
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,40}")
_FILE: Final = re.compile(r"(?P<use>mac|seal|sign)\.(?P<purpose>[a-z0-9-]+)\.k(?P<number>\d+)")


class Broken(Invalid):
    """A sealed text or a token was changed, or belongs to something else."""

    code = "broken_seal"


class UnknownKey(CannotRun):
    """The key that something was made with is not in the key folder."""

    code = "unknown_key"


class UnsafeKeys(CannotRun):
    """Others may read the keys of this site."""

    code = "unsafe_keys"


class Mac(Protocol):
    """A keyed hash."""

    def __call__(self, key: bytes, message: bytes) -> bytes:
        """Return the hash."""


class Sealer(Protocol):
    """Authenticated encryption."""

    def seal(self, key: bytes, plain: bytes, bound_to: bytes) -> bytes:
        """Return nonce and sealed text."""

    def open(self, key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
        """Return the plain text; raises `Broken`."""


class Signer(Protocol):
    """A signature with a private key that others verify with the public one."""

    def new_key(self) -> bytes:
        """Return a fresh private key."""

    def sign(self, key: bytes, message: bytes) -> bytes:
        """Return the signature."""

    def public_key(self, key: bytes) -> str:
        """Return the public key as PEM."""

    def verify(self, public_key: str, signature: bytes, message: bytes) -> bool:
        """Say whether the signature is that key's over that message."""


def _hmac(digest: str) -> Mac:
    def mac(key: bytes, message: bytes) -> bytes:
        return hmac.new(key, message, digest).digest()

    return mac


class _AesGcm:
    def seal(self, key: bytes, plain: bytes, bound_to: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)

    def open(self, key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
        try:
            return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
        except (InvalidTag, ValueError) as error:
            raise Broken("加密内容已损坏，或不属于此处。") from error


class _Es384:
    """ECDSA on P-384 with SHA-384; signatures in the fixed-length form of JWS."""

    def new_key(self) -> bytes:
        return ec.generate_private_key(ec.SECP384R1()).private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def sign(self, key: bytes, message: bytes) -> bytes:
        signature = self._private(key).sign(message, ec.ECDSA(hashes.SHA384()))
        r, s = decode_dss_signature(signature)
        return r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")

    def public_key(self, key: bytes) -> str:
        pem = (
            self._private(key)
            .public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        return pem.decode("ascii")

    def verify(self, public_key: str, signature: bytes, message: bytes) -> bool:
        try:
            key = serialization.load_pem_public_key(public_key.encode())
        except ValueError:
            return False
        if (
            not isinstance(key, ec.EllipticCurvePublicKey)
            or not isinstance(key.curve, ec.SECP384R1)
            or len(signature) != 2 * _COORDINATE_BYTES
        ):
            return False
        r = int.from_bytes(signature[:_COORDINATE_BYTES], "big")
        s = int.from_bytes(signature[_COORDINATE_BYTES:], "big")
        try:
            key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA384()))
        except InvalidSignature:
            return False
        return True

    @staticmethod
    def _private(key: bytes) -> ec.EllipticCurvePrivateKey:
        loaded = serialization.load_der_private_key(key, password=None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise UnknownKey("The signing key is not one of an elliptic curve.")
        return loaded


MACS: Final[Mapping[str, Mac]] = {"HMAC-SHA-256": _hmac("sha256"), "HMAC-SM3": _hmac("sm3")}
SEALERS: Final[Mapping[str, Sealer]] = {"AES-256-GCM": _AesGcm()}
SIGNERS: Final[Mapping[str, Signer]] = {"ES384": _Es384()}


@dataclass(frozen=True)
class Key:
    """A key with its id and algorithm; never shown."""

    id: str
    algorithm: str
    secret: bytes = field(repr=False)


class Crypto:
    """What this site does with its keys.

    A purpose (`identity`, `publication`) has keys of its own; each is made when first needed.

    Args:
        folder: Where the keys are.
        mac_algorithm: Algorithm of keyed-hash keys made from now on.
    """

    def __init__(self, folder: Path, *, mac_algorithm: MacAlgorithm = "HMAC-SM3") -> None:
        self.folder = folder
        self.algorithms: Mapping[str, str] = {
            "mac": mac_algorithm,
            "seal": "AES-256-GCM",
            "sign": "ES384",
        }
        self._loaded: dict[tuple[str, str], tuple[Key, ...]] = {}

    def mac(self, purpose: str, message: bytes) -> str:
        """Return the keyed hash of a message by the newest key, as `k1:…`."""
        return self.macs(purpose, message)[0]

    def macs(self, purpose: str, message: bytes) -> tuple[str, ...]:
        """Return the keyed hashes by every key, newest first: any of them finds an old row."""
        return tuple(
            f"{key.id}:{_encode(MACS[key.algorithm](key.secret, message))}"
            for key in self._keys("mac", purpose)
        )

    def seal(self, purpose: str, plain: bytes, *, bound_to: bytes) -> str:
        """Encrypt with the newest key, bound to what it belongs to, as `k1:…`."""
        key = self._keys("seal", purpose)[0]
        return f"{key.id}:{_encode(SEALERS[key.algorithm].seal(key.secret, plain, bound_to))}"

    def open(self, purpose: str, sealed: str, *, bound_to: bytes) -> bytes:
        """Decrypt what `seal` made.

        Raises:
            Broken: It was changed, or bound to something else.
            UnknownKey: Its key is gone.
        """
        key, body = self._split("seal", purpose, sealed)
        return SEALERS[key.algorithm].open(key.secret, body, bound_to)

    def sign(self, purpose: str, message: bytes) -> str:
        """Sign with the newest key, as `k1:…`."""
        key = self._keys("sign", purpose)[0]
        return f"{key.id}:{_encode(SIGNERS[key.algorithm].sign(key.secret, message))}"

    def public_keys(self, purpose: str) -> dict[str, str]:
        """Return the public key (PEM) of every signing key of a purpose by its id, newest first."""
        return {
            key.id: SIGNERS[key.algorithm].public_key(key.secret)
            for key in self._keys("sign", purpose)
        }

    def rotate(self, use: Literal["mac", "seal", "sign"], purpose: str) -> str:
        """Make a new key that is used from now on, and return its id; old ones still read."""
        with self._alone():
            newest = max((number for number, _ in self._files(use, purpose)), default=0)
            self._make(use, purpose, newest + 1)
        self._loaded.pop((use, purpose), None)
        return f"k{newest + 1}"

    def _split(self, use: str, purpose: str, token: str) -> tuple[Key, bytes]:
        key_id, _, body = token.partition(":")
        for key in self._keys(use, purpose):
            if key.id == key_id:
                return key, _decode(body)
        self._loaded.pop((use, purpose), None)  # another process may have made a newer one
        for key in self._keys(use, purpose):
            if key.id == key_id:
                return key, _decode(body)
        raise UnknownKey(f"The key {key_id} for {purpose} is not in {self.folder.name}.")

    def _keys(self, use: str, purpose: str) -> tuple[Key, ...]:
        known = self._loaded.get((use, purpose))
        if known:
            return known
        if not _NAME.fullmatch(purpose):
            raise ValueError(f"{purpose!r} is not a purpose of keys")
        if not self._files(use, purpose):
            with self._alone():
                if not self._files(use, purpose):
                    self._make(use, purpose, 1)
        files = sorted(self._files(use, purpose), reverse=True)
        keys = tuple(self._load(path, number) for number, path in files)
        self._loaded[use, purpose] = keys
        return keys

    def _files(self, use: str, purpose: str) -> list[tuple[int, Path]]:
        if not self.folder.is_dir():
            return []
        found = []
        for path in self.folder.iterdir():
            parts = _FILE.fullmatch(path.name)
            if parts and (parts["use"], parts["purpose"]) == (use, purpose):
                found.append((int(parts["number"]), path))
        return found

    def _make(self, use: str, purpose: str, number: int) -> None:
        algorithm = self.algorithms[use]
        fresh = SIGNERS[algorithm].new_key() if use == "sign" else secrets.token_bytes(_KEY_BYTES)
        words = json.dumps(
            {
                "algorithm": algorithm,
                "made_at": clock.now().isoformat(),
                "key": base64.b64encode(fresh).decode("ascii"),
            }
        )
        path = self.folder / f"{use}.{purpose}.k{number}"
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(words)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        _sync_folder(self.folder)

    def _load(self, path: Path, number: int) -> Key:
        if path.stat().st_mode & 0o077:
            raise UnsafeKeys(f"Others may read the key {path.name}: set its rights to 0600.")
        content = json.loads(path.read_text(encoding="ascii"))
        return Key(f"k{number}", content["algorithm"], base64.b64decode(content["key"]))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time make keys, so that all agree on the first one."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def verify(public_keys: Mapping[str, str], signature: str, message: bytes) -> bool:
    """Say whether a signature `k1:…` is by one of these public keys; needs no key folder."""
    key_id, _, body = signature.partition(":")
    public = public_keys.get(key_id)
    if public is None:
        return False
    try:
        raw = _decode(body)
    except Broken:
        return False
    return any(signer.verify(public, raw, message) for signer in SIGNERS.values())


def sha256(message: bytes) -> str:
    """Return the plain SHA-256 in hexadecimal, for files and lists; never for ids of people."""
    return hashlib.sha256(message).hexdigest()


def get_crypto() -> Crypto:
    """Return the keys of this site by its settings."""
    settings = get_settings()
    return _crypto(settings.keys_dir, settings.mac_algorithm)


_crypto: Callable[[Path, MacAlgorithm], Crypto] = lru_cache(maxsize=8)(
    lambda folder, algorithm: Crypto(folder, mac_algorithm=algorithm)
)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise Broken("令牌格式不正确。") from error
