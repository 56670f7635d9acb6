"""The hash chain over the events of one call. Pure.

Each link is SHA-256 over the link before it, the event's number and the hash of its body, so that none can be changed,
left out or put in later without breaking all that follow. The body enters by its hash alone: what has to be deleted
can be deleted, and the chain still holds.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

GENESIS = "0" * 64
"""What the first link of a call follows."""


def body_sha256(body: Mapping[str, Any]) -> str:
    """Return the hash of an event's body without its `seq`: of its JSON with sorted keys, as UTF-8."""
    plain = {name: value for name, value in body.items() if name != "seq"}
    return hashlib.sha256(canonical(plain)).hexdigest()


def canonical(value: Any) -> bytes:
    """Return the JSON that is hashed and signed: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def link(previous: str, seq: int, body: str) -> str:
    """Return the link of an event.

    Args:
        previous: The link before it, or `GENESIS`.
        seq: The event's number.
        body: The hash of its body.
    """
    return hashlib.sha256(f"{previous}\n{seq}\n{body}".encode()).hexdigest()


def broken(links: Iterable[tuple[int, str, str]]) -> int | None:
    """Return the number of the first event of a call whose link does not follow; None if the chain holds.

    Args:
        links: Number, hash of the body and link of each event, by number.
    """
    previous, last = GENESIS, 0
    for seq, body, given in links:
        if seq <= last or link(previous, seq, body) != given:
            return seq
        previous, last = given, seq
    return None
