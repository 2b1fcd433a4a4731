"""Tokens of CDS clients: what must hold, and every known way to cheat."""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from accord.kit.errors import Unauthenticated
from accord.reminder.tokens import Client, looks_like_token, read_keys, verify

NOW = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)
AUDIENCE = "http://127.0.0.1:8080/cds-services/cyhr-duplicate-imaging"
EC_KEY = ec.generate_private_key(ec.SECP384R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = ec.generate_private_key(ec.SECP384R1())


def public(key, kid):
    algorithm = ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else RSAAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid}


CLIENT = Client(
    "https://his.example", "医院信息系统", "CQ-H1", (public(EC_KEY, "e1"), public(RSA_KEY, "r1"))
)


def claims(**changes):
    issued = int(NOW.timestamp())
    given = {
        "iss": CLIENT.issuer,
        "aud": AUDIENCE,
        "iat": issued,
        "exp": issued + 300,
        "jti": "one",
    }
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def sign(payload=None, key=EC_KEY, algorithm="ES384", **headers):
    return jwt.encode(
        payload or claims(), key, algorithm=algorithm, headers={"kid": "e1", **headers}
    )


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def check(token, now=NOW, audience=AUDIENCE):
    return verify(token, audience=audience, now=now, find={CLIENT.issuer: CLIENT}.get)


def test_a_right_token_names_its_client():
    token = check(sign())
    assert token.client.institution == "CQ-H1"
    assert token.id == "one"
    assert token.expires_at == NOW + timedelta(seconds=300)


def test_rs384_and_an_array_of_audiences_are_taken():
    token = sign(claims(aud=["https://other.example", AUDIENCE]), RSA_KEY, "RS384", kid="r1")
    assert check(token).id == "one"


@pytest.mark.parametrize(
    "token",
    [
        f"{part({'alg': 'none', 'kid': 'e1'})}.{part(claims())}.",
        sign(key=b"secret-secret-secret-secret-secret-secret-secret", algorithm="HS384"),
        sign(key=OTHER_KEY),
        sign(kid="unknown"),
        sign(key=RSA_KEY, algorithm="RS256", kid="r1"),
        sign(key=RSA_KEY, algorithm="RS384", kid="e1"),
        sign(claims(aud=f"{AUDIENCE}/feedback")),
        sign(claims(aud="http://127.0.0.1:8080/cds-services")),
        sign(claims(iss="https://stranger.example")),
        sign(claims(jti=None)),
        sign(claims(jti="")),
        sign(claims(jti="x" * 256)),
        sign(claims(exp=None)),
        sign(claims(iat=None)),
        sign(claims(exp=int(NOW.timestamp()) + 301)),
        sign(claims(exp=int(NOW.timestamp()) + 10**9)),
        sign(claims(exp=10**40)),
        sign(claims(iat=int(NOW.timestamp()) + 60, exp=int(NOW.timestamp()) + 120)),
        sign(claims(nbf=int(NOW.timestamp()) + 60)),
        sign(claims(exp=int(NOW.timestamp()))),
        sign(crit=["b64"], b64=False),
        "eyJ.eyJ.eyJ",
        "a.b.c",
        "eyJ" + "A" * 9000 + ".x.y",
    ],
)
def test_a_wrong_token_is_refused_without_saying_why(token):
    with pytest.raises(Unauthenticated) as refusal:
        check(token)
    assert str(refusal.value) == "密钥无效或已停用。"


def test_the_public_key_is_no_shared_secret():
    pem = json.dumps(CLIENT.keys[0]).encode()
    header, payload = part({"alg": "HS384", "kid": "e1", "typ": "JWT"}), part(claims())
    import hashlib
    import hmac

    mac = hmac.new(pem, f"{header}.{payload}".encode(), hashlib.sha384).digest()
    forged = f"{header}.{payload}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    with pytest.raises(Unauthenticated):
        check(forged)


def test_a_token_ends_at_its_time():
    token = sign()
    assert check(token, NOW + timedelta(seconds=299)).id == "one"
    with pytest.raises(Unauthenticated):
        check(token, NOW + timedelta(seconds=300))


def test_a_clock_half_a_minute_ahead_is_forgiven():
    assert check(sign(), NOW - timedelta(seconds=30)).id == "one"


def test_a_system_key_is_no_token():
    assert not looks_like_token("Zk3n-4mQ")
    assert looks_like_token(sign())


def test_a_key_set_of_public_keys_is_taken():
    keys = [public(EC_KEY, "e1"), public(RSA_KEY, "r1")]
    assert [key["kid"] for key in read_keys(json.dumps({"keys": keys}))] == ["e1", "r1"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([], "no keys"),
        ([json.loads(ECAlgorithm.to_jwk(EC_KEY)) | {"kid": "e1"}], "private"),
        ([json.loads(ECAlgorithm.to_jwk(EC_KEY.public_key()))], "kid"),
        ([{"kty": "oct", "k": "AAAA", "kid": "s1"}], "P-384"),
        ([public(ec.generate_private_key(ec.SECP256R1()), "p1")], "P-384"),
        ([public(rsa.generate_private_key(65537, 1024), "w1")], "2048"),
    ],
)
def test_a_key_set_that_cannot_be_trusted_is_refused(keys, said):
    with pytest.raises(ValueError, match=said):
        read_keys(json.dumps({"keys": keys}))
