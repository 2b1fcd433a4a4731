"""Signatures of the publications."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from accord.disclosure.signing import SigningKey


@pytest.fixture(scope="module")
def key():
    return SigningKey(ec.generate_private_key(ec.SECP384R1()))


def test_signature_is_believed_for_exactly_these_bytes(key):
    signature = key.sign(b"content")
    assert key.public.has_signed(b"content", signature)
    assert not key.public.has_signed(b"content ", signature)


def test_signature_of_another_key_is_not_believed(key):
    other = SigningKey(ec.generate_private_key(ec.SECP384R1()))
    assert not key.public.has_signed(b"content", other.sign(b"content"))


def test_signature_has_the_form_of_jose(key):
    signature = key.sign(b"content")
    assert len(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))) == 96
    assert "=" not in signature


@pytest.mark.parametrize("signature", ["", "AAAA", "A" * 128, "!" * 128, "名单"])
def test_what_is_no_signature_is_not_believed(key, signature):
    assert not key.public.has_signed(b"content", signature)


def test_key_is_called_by_the_hash_of_its_public_half(key):
    assert len(key.public.fingerprint) == 64
    assert key.public.fingerprint == SigningKey(key.key).public.fingerprint
