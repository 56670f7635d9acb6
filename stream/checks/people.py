"""People who are known to somebody: kept with a number to call back on and the hash of a safe word."""

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import select

from stream.alerts.database import Sessions
from stream.alerts.tables import PersonRow
from stream.api.rate import Rate
from stream.checks import safe_word
from stream.scope import Scope

TRIES_PER_MINUTE = 5
"""Of one person's safe word: nobody guesses it, and everybody may mistype."""


class TooManyTriesError(Exception):
    """The safe word was tried too often.

    Args:
        after_s: When it may be tried again [s].
    """

    def __init__(self, after_s: float) -> None:
        super().__init__(f"the safe word was tried too often; again in {after_s:.0f} s")
        self.after_s = after_s


class People:
    """The known people of a store.

    Args:
        sessions: Of the store.
        clock: Monotonic time [s].
    """

    def __init__(self, sessions: Sessions, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._clock = clock
        self._tries = Rate(TRIES_PER_MINUTE)

    async def of(self, scope: Scope) -> list[PersonRow]:
        """Return whom somebody knows, by name."""
        query = select(PersonRow).where(PersonRow.org == scope.org, PersonRow.owner == scope.owner)
        async with self._sessions() as db:
            return list(await db.scalars(query.order_by(PersonRow.name)))

    async def add(self, scope: Scope, name: str, number: str, word: str) -> PersonRow:
        """Keep a person; of the safe word only its hash.

        Raises:
            ValueError: The safe word is too short or too long.
        """
        row = PersonRow(
            id=secrets.token_hex(6),
            org=scope.org,
            owner=scope.owner,
            name=name,
            number=number,
            safe_word=await asyncio.to_thread(safe_word.hashed, word) if word else "",
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        async with self._sessions.begin() as db:
            db.add(row)
        return row

    async def remove(self, scope: Scope, id: str) -> bool:
        """Forget a person; False if there is none."""
        async with self._sessions.begin() as db:
            row = await db.get(PersonRow, id)
            if row is None or Scope(row.org, row.owner) != scope:
                return False
            await db.delete(row)
            return True

    async def try_word(self, scope: Scope, id: str, word: str) -> bool | None:
        """Whether a word is the person's safe word; None if there is no such person or no such word.

        Raises:
            TooManyTriesError: It was tried too often.
        """
        async with self._sessions() as db:
            row = await db.get(PersonRow, id)
        if row is None or Scope(row.org, row.owner) != scope or not row.safe_word:
            return None
        wait_s = self._tries.take(id, self._clock())
        if wait_s:
            raise TooManyTriesError(wait_s)
        return await asyncio.to_thread(safe_word.matches, word, row.safe_word)
