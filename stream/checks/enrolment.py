"""A recording of somebody who agreed to it -> what that person looks and sounds like. The recording is not kept."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from models.identity import MIN_S, Identity, IdentityModel, Reference
from stream.compare import PersonReader
from stream.errors import MediaError, ServiceFullError
from stream.forwarded.decode import Decoding
from stream.forwarded.frames import End, Facts
from stream.forwarded.upload import receive

MAX_SECONDS = 60.0
"""Of a recording that are used [s]."""
MAX_WAITING = 3


class Enrolment:
    """Reads recordings, one at a time.

    Args:
        folder: Of recordings that wait; each is deleted once it was read.
        model: Embeds voices and faces.
        max_bytes: Of a recording.
    """

    def __init__(self, folder: Path, model: IdentityModel, *, max_bytes: int) -> None:
        self._folder = folder
        self._model = model
        self._max_bytes = max_bytes
        self._one = asyncio.Lock()
        self._n_waiting = 0

    async def read(self, parts: AsyncIterator[bytes]) -> list[Reference]:
        """Return what an uploaded recording's person is like, by voice, by face, or by both.

        Args:
            parts: Bytes of the file.

        Raises:
            ServiceFullError: As many recordings wait as may.
            MediaError: It is too large, cannot be decoded, or holds too little of a person.
            OSError: It cannot be written.
        """
        if self._n_waiting >= MAX_WAITING:
            raise ServiceFullError("other recordings are being read; try again later", 20)
        self._n_waiting += 1
        path = self._folder / f"{secrets.token_urlsafe(12)}.upload"
        try:
            await receive(path, parts, self._max_bytes)
            async with self._one:
                return await asyncio.to_thread(self._read, path)
        finally:
            self._n_waiting -= 1
            await asyncio.to_thread(path.unlink, missing_ok=True)

    def _read(self, path: Path) -> list[Reference]:
        reader, is_whole = PersonReader(self._model), False
        try:
            with Decoding(path, max_s=MAX_SECONDS) as decoding:
                for said in decoding.said():
                    if isinstance(said, End):
                        is_whole = True
                    elif not isinstance(said, Facts):
                        reader.push(said)
        except MediaError as exc:
            raise MediaError(str(exc).replace(path.name, "the recording")) from exc
        if not is_whole:
            raise MediaError("the recording cannot be decoded")
        pieces = reader.finish()
        known = [Reference.of(identity, pieces[identity]) for identity in Identity]
        if not any(known):
            raise MediaError(
                f"the recording holds less than {MIN_S[Identity.VOICE]} s of speech "
                f"and less than {MIN_S[Identity.FACE]} s of one face"
            )
        return [reference for reference in known if reference is not None]
