"""Bytes that only a passphrase opens: Argon2id makes the key of it, AES-256-GCM seals. Pure.

salt (16 bytes)  nonce (12 bytes)  what was sealed, and its tag
"""

import os
import unicodedata

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MIN_CHARS, MAX_CHARS = 8, 200
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32


class WrongPassphraseError(Exception):
    """It does not open what was sealed."""

    def __init__(self) -> None:
        super().__init__("that passphrase does not open it")


def seal(passphrase: str, plain: bytes) -> bytes:
    """Seal bytes. Takes some 50 ms and 64 MiB.

    Raises:
        ValueError: The passphrase is too short or too long.
    """
    n_chars = len(_normalised(passphrase))
    if not MIN_CHARS <= n_chars <= MAX_CHARS:
        raise ValueError(f"got a passphrase of {n_chars} characters, expected {MIN_CHARS} to {MAX_CHARS}")
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    return salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, plain, None)


def unseal(passphrase: str, sealed: bytes) -> bytes:
    """Return what was sealed. Takes as long as sealing.

    Raises:
        WrongPassphraseError: Another one sealed it, or it was changed.
    """
    salt, nonce = sealed[:_SALT_BYTES], sealed[_SALT_BYTES : _SALT_BYTES + _NONCE_BYTES]
    try:
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, sealed[_SALT_BYTES + _NONCE_BYTES :], None)
    except InvalidTag as exc:
        raise WrongPassphraseError from exc


def _key(passphrase: str, salt: bytes) -> bytes:
    """Return a key by RFC 9106's parameters for little memory."""
    return hash_secret_raw(
        _normalised(passphrase)[:MAX_CHARS].encode(),
        salt,
        time_cost=3,
        memory_cost=1 << 16,
        parallelism=4,
        hash_len=_KEY_BYTES,
        type=Type.ID,
    )


def _normalised(passphrase: str) -> str:
    """Return the one form of a passphrase: keyboards write the same letter in several."""
    return unicodedata.normalize("NFKC", passphrase).strip()
