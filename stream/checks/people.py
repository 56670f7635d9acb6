"""People who are known to somebody: kept with a number to call back on and the hash of a safe word."""

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import delete, select

from stream.alerts.database import Sessions
from stream.alerts.tables import PersonRow, ReferenceRow
from stream.api.rate import Rate
from stream.checks import safe_word
from stream.errors import ConflictError
from stream.scope import Scope

TRIES_PER_MINUTE = 5
"""Of one person's safe word or passphrase: nobody guesses it, and everybody may mistype."""


class TooManyTriesError(Exception):
    """A safe word or a passphrase was tried too often.

    Args:
        after_s: When it may be tried again [s].
    """

    def __init__(self, after_s: float) -> None:
        super().__init__(f"that was tried too often; again in {after_s:.0f} s")
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

    async def of(self, scope: Scope, customer: str = "") -> list[PersonRow]:
        """Return whom somebody knows, by name; given a customer, that one of the organisation alone."""
        query = select(PersonRow).where(PersonRow.org == scope.org, PersonRow.customer == customer)
        if not customer:
            query = query.where(PersonRow.owner == scope.owner)
        async with self._sessions() as db:
            return list(await db.scalars(query.order_by(PersonRow.name)))

    async def find(self, scope: Scope, id: str) -> PersonRow | None:
        """Return a person whom somebody knows, or a customer of their organisation; None if there is none."""
        async with self._sessions() as db:
            row = await db.get(PersonRow, id)
        return row if row is not None and _knows(scope, row) else None

    async def add(self, scope: Scope, name: str, number: str, word: str, customer: str = "") -> PersonRow:
        """Keep a person; of the safe word only its hash.

        Raises:
            ValueError: The safe word is too short or too long.
            ConflictError: The organisation has that customer already.
        """
        if customer and await self.of(scope, customer):
            raise ConflictError(f"customer {customer!r} is known already")
        row = PersonRow(
            id=secrets.token_hex(6),
            org=scope.org,
            owner=scope.owner,
            name=name,
            number=number,
            safe_word=await asyncio.to_thread(safe_word.hashed, word) if word else "",
            customer=customer,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        async with self._sessions.begin() as db:
            db.add(row)
        return row

    async def remove(self, scope: Scope, id: str) -> bool:
        """Forget a person with all that is kept; False if there is none."""
        async with self._sessions.begin() as db:
            row = await db.get(PersonRow, id)
            if row is None or not _knows(scope, row):
                return False
            await db.execute(delete(ReferenceRow).where(ReferenceRow.person == id))
            await db.delete(row)
            return True

    async def try_word(self, scope: Scope, id: str, word: str) -> bool | None:
        """Whether a word is the person's safe word; None if there is no such person or no such word.

        Raises:
            TooManyTriesError: It was tried too often.
        """
        row = await self.find(scope, id)
        if row is None or not row.safe_word:
            return None
        self.count_try(id)
        return await asyncio.to_thread(safe_word.matches, word, row.safe_word)

    def count_try(self, id: str) -> None:
        """Count a guess at what only the right person knows.

        Raises:
            TooManyTriesError: There were too many.
        """
        wait_s = self._tries.take(id, self._clock())
        if wait_s:
            raise TooManyTriesError(wait_s)


def _knows(scope: Scope, row: PersonRow) -> bool:
    return row.org == scope.org and (bool(row.customer) or row.owner == scope.owner)
