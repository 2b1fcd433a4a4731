"""Authentication of CDS clients by signed tokens (CDS Hooks 2.0.1, "Trusting CDS Clients").

Keys are registered out of band. Nothing a token says is fetched: `jku` and `x5u` are not read.
A caller is never told why a token failed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from jwt import PyJWK
from jwt.exceptions import InvalidTokenError

from accord.kit.errors import Unauthenticated

ALGORITHMS: Final = ("ES384", "RS384")
LONGEST_LIFE: Final = timedelta(seconds=300)
CLOCK_SKEW: Final = timedelta(seconds=30)
LONGEST_TOKEN: Final = 8192
LONGEST_ID: Final = 255
REFUSAL: Final = "密钥无效或已停用。"
LEAST_RSA_BITS: Final = 2048
_WRONG: Final = (
    InvalidTokenError,
    KeyError,
    TypeError,
    ValueError,
    OverflowError,
    OSError,  # a time beyond what the platform can express
    RecursionError,  # JSON nested to make the parser fall over
)


@dataclass(frozen=True)
class Client:
    """A registered CDS client.

    Attributes:
        issuer: Its `iss`.
        institution: The institution whose physicians it serves.
        keys: Its JSON Web Key Set as it was handed over.
    """

    issuer: str
    display: str
    institution: str
    keys: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Token:
    """A token that holds in itself; whether it was used before is the store's to say."""

    client: Client
    id: str
    expires_at: datetime


def looks_like_token(credential: str) -> bool:
    """Say whether a bearer credential is a JWT and not a system key."""
    return credential.count(".") == 2 and credential.startswith("eyJ")  # noqa: PLR2004 - three parts


def read_keys(text: str) -> tuple[dict[str, Any], ...]:
    """Return the usable public keys of a JSON Web Key Set.

    Raises:
        ValueError: It holds none, a private one, or one that is no ES384 or RS384 key with `kid`.
    """
    keys = json.loads(text).get("keys")
    if not isinstance(keys, list) or not keys:
        raise ValueError("the key set has no keys")
    for key in keys:
        if "d" in key:
            raise ValueError("the key set holds a private key; hand over public keys only")
        if not key.get("kid") or _algorithm_of(key) is None:
            raise ValueError("every key needs a kid and must be P-384 (ES384) or RSA (RS384)")
        public = PyJWK(key, algorithm=_algorithm_of(key)).key
        if getattr(public, "key_size", LEAST_RSA_BITS) < LEAST_RSA_BITS and key["kty"] == "RSA":
            raise ValueError(f"an RSA key needs at least {LEAST_RSA_BITS} bits")
    return tuple(keys)


def verify(
    credential: str, *, audience: str, now: datetime, find: Callable[[str], Client | None]
) -> Token:
    """Return the token when signature, issuer, audience and times hold.

    Args:
        credential: The compact token.
        audience: The address that was invoked.
        now: The present moment.
        find: Returns the registered client of an issuer.

    Raises:
        Unauthenticated: Anything is wrong; never says what.
    """
    try:
        return _verify(credential, audience=audience, now=now, find=find)
    except _WRONG as error:
        raise Unauthenticated(REFUSAL) from error


def _verify(
    credential: str, *, audience: str, now: datetime, find: Callable[[str], Client | None]
) -> Token:
    if len(credential) > LONGEST_TOKEN:
        raise ValueError("too long")
    header = jwt.get_unverified_header(credential)
    algorithm = header["alg"]
    if algorithm not in ALGORITHMS or "crit" in header:
        raise ValueError("algorithm")
    claimed = jwt.decode(credential, options={"verify_signature": False})
    client = find(_short_text(claimed["iss"]))
    if client is None:
        raise ValueError("issuer")
    key = next(key for key in (*client.keys, {}) if not key or key.get("kid") == header["kid"])
    if not key or _algorithm_of(key) != algorithm:
        raise ValueError("key")
    claims = jwt.decode(
        credential,
        PyJWK(dict(key), algorithm=algorithm),
        algorithms=[algorithm],
        audience=audience,
        issuer=client.issuer,
        # Times are compared below: with the clock of this site, and with a longest life.
        options={
            "require": ["iss", "aud", "exp", "iat", "jti"],
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
        },
    )
    issued, expires = _moment(claims["iat"]), _moment(claims["exp"])
    starts = _moment(claims["nbf"]) if "nbf" in claims else issued
    if not (
        issued - CLOCK_SKEW <= now < expires
        and starts - CLOCK_SKEW <= now
        and timedelta(0) < expires - issued <= LONGEST_LIFE
    ):
        raise ValueError("times")
    return Token(client, _short_text(claims["jti"]), expires)


def _algorithm_of(key: Mapping[str, Any]) -> str | None:
    """Return the one algorithm a public key is used with here."""
    if key.get("kty") == "EC" and key.get("crv") == "P-384":
        return "ES384"
    return "RS384" if key.get("kty") == "RSA" else None


def _moment(seconds: object) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError("not a time")
    return datetime.fromtimestamp(seconds, UTC)


def _short_text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
        raise ValueError("not a short text")
    return value
