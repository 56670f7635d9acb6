"""How known people look and sound, kept so that only a passphrase opens it: embeddings, never a picture or a sound."""

import asyncio
import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import delete

from models.identity import Identity, Reference
from models.weights import FILES
from stream.alerts.database import Sessions
from stream.alerts.tables import ReferenceRow
from stream.checks import passphrase

NETS = "+".join(FILES[name].sha256[:12] for name in ("resemblyzer", "dlib_face"))
"""Which networks made the embeddings: those of others are not comparable."""
CONSENT = "2026-11"
"""Version of the text that was agreed to; the page has it."""


class StaleReferenceError(Exception):
    """A reference was made by other networks than ours."""

    def __init__(self) -> None:
        super().__init__("this reference was made by an earlier version; enrol the person again")


class References:
    """The references of a store.

    Args:
        sessions: Of the store.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def of(self, people: Sequence[str]) -> dict[str, ReferenceRow]:
        """Return the rows of those of the people who have one."""
        async with self._sessions() as db:
            rows = [await db.get(ReferenceRow, person) for person in people]
        return {row.person: row for row in rows if row is not None}

    async def put(self, person: str, known: Sequence[Reference], secret: str) -> ReferenceRow:
        """Keep what a person is like instead of what was kept before.

        Raises:
            ValueError: The passphrase is too short or too long.
        """
        seconds = {reference.identity: reference.seconds for reference in known}
        row = ReferenceRow(
            person=person,
            sealed=await asyncio.to_thread(passphrase.seal, secret, _packed(known)),
            voice_s=seconds.get(Identity.VOICE, 0.0),
            face_s=seconds.get(Identity.FACE, 0.0),
            nets=NETS,
            consent=CONSENT,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        async with self._sessions.begin() as db:
            return await db.merge(row)

    async def open(self, person: str, secret: str) -> tuple[Reference, ...] | None:
        """Return what a person is like; None if nothing is kept.

        Raises:
            passphrase.WrongPassphraseError: It was sealed with another passphrase.
            StaleReferenceError: Other networks made it.
        """
        async with self._sessions() as db:
            row = await db.get(ReferenceRow, person)
        if row is None:
            return None
        if row.nets != NETS:
            raise StaleReferenceError
        return _unpacked(await asyncio.to_thread(passphrase.unseal, secret, row.sealed))

    async def remove(self, person: str) -> bool:
        """Forget what a person is like; False if nothing was kept."""
        async with self._sessions.begin() as db:
            found = await db.get(ReferenceRow, person)
            await db.execute(delete(ReferenceRow).where(ReferenceRow.person == person))
            return found is not None


def _packed(known: Sequence[Reference]) -> bytes:
    fields = {
        reference.identity.value: {
            "vector": base64.b64encode(reference.vector.astype("<f4").tobytes()).decode(),
            "seconds": reference.seconds,
        }
        for reference in known
    }
    return json.dumps(fields).encode()


def _unpacked(plain: bytes) -> tuple[Reference, ...]:
    return tuple(
        Reference(
            identity=Identity(name),
            vector=np.frombuffer(base64.b64decode(fields["vector"]), "<f4").astype(np.float32),
            seconds=fields["seconds"],
        )
        for name, fields in json.loads(plain).items()
    )
