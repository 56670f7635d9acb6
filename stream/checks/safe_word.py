"""A word that a family agreed on: kept only as a slow salted hash, asked for when face and voice prove nothing. Pure.

How it is written and said differs, so case, spaces, punctuation and forms of the same letter do not count.
"""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_CHARS, MAX_CHARS = 4, 200
_HASHER = PasswordHasher()
"""Argon2id with the parameters of RFC 9106 for little memory: some 50 ms and 64 MiB a guess."""


def normalised(word: str) -> str:
    """Return what of a word counts: its letters and digits, small, each in its one form."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(c for c in unicodedata.normalize("NFKC", folded) if unicodedata.category(c)[0] in "LNM")


def hashed(word: str) -> str:
    """Return what is kept of a safe word.

    Raises:
        ValueError: It is too short or too long to be one.
    """
    said = normalised(word)
    if not MIN_CHARS <= len(said) <= MAX_CHARS:
        raise ValueError(f"got a safe word of {len(said)} letters and digits, expected {MIN_CHARS} to {MAX_CHARS}")
    return _HASHER.hash(said)


def matches(word: str, kept: str) -> bool:
    """Whether a word is the one whose hash was kept. Takes some 50 ms, whatever the answer."""
    try:
        return _HASHER.verify(kept, normalised(word)[:MAX_CHARS])
    except (VerificationError, InvalidHashError):
        return False
