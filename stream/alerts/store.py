"""What must not be lost: every call's beginning and end, every alert and what people did, numbered by a growing `seq`.

SQLite in WAL mode by default, PostgreSQL by URL. An event is on disk before anybody hears of it, together with its link
in the chain of its call and with what follows from it for cases and webhooks. What shows a face or gives back a sound
is sealed with its call's key.
"""

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from sqlalchemy import Select, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from stream.alerts import chain
from stream.alerts.announce import announce
from stream.alerts.database import Sessions, create, is_sqlite, make_engine
from stream.alerts.projection import call_of, project
from stream.alerts.tables import CallRow, EventRow
from stream.alerts.vault import ShreddedError, Vault
from stream.api.messages import STORED, SessionStartedMessage, StoredMessage
from stream.errors import SettingsError
from stream.scope import EVERYWHERE, Scope
from stream.settings import Settings

SEALED = ("explanation", "voice_explanation")
"""Types of events whose body shows where on a face, or when in a sound, evidence lies."""
OPEN_FIELDS = ("type", "session", "alert", "at")
"""What of a sealed event is not."""
_LOCK = 0x6B7561
"""PostgreSQL's advisory lock of whoever appends: numbers become visible in their order."""

Make = Callable[[int], StoredMessage]


class Store:
    """The event store.

    Args:
        url: An SQLAlchemy URL with an asynchronous driver.
        vault: Keys of what is sealed.
    """

    def __init__(self, url: str, vault: Vault) -> None:
        self._url = make_url(url)
        self.vault = vault
        self.engine = make_engine(self._url)
        self.is_sqlite = is_sqlite(self.engine)
        self.sessions = Sessions(self.engine)

    async def open(self) -> None:
        """Create what is missing, also in a database of an earlier version.

        Raises:
            SettingsError: The database cannot be opened or written.
        """
        try:
            if self.is_sqlite and self._url.database:
                Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
            async with self.engine.begin() as connection:
                await connection.run_sync(create)
            await self._link_old_events()
        except (SQLAlchemyError, OSError) as exc:
            raise SettingsError(f"cannot open the alert store {self._url}: {exc}") from exc

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()

    async def append(self, make: Make, scope: Scope = EVERYWHERE) -> StoredMessage:
        """Store an event with all that follows from it, and return it with its number.

        Args:
            make: Builds the message for a given `seq`.
            scope: Whose call it is of.

        Raises:
            ConflictError: A person's deed does not fit the case as it is now; nothing is stored.
        """
        return (await self.append_all([(make, scope)]))[0]

    async def append_all(self, makes: Sequence[tuple[Make, Scope]]) -> list[StoredMessage]:
        """Store events in their order in one transaction: all of them, or none if it raises. See `append`."""
        async with self.sessions.begin() as db:
            if not self.is_sqlite:
                await db.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            return [await self._append(db, make, scope) for make, scope in makes]

    async def _append(self, db: AsyncSession, make: Make, scope: Scope) -> StoredMessage:
        draft = make(0)
        row = EventRow(session=draft.session, type=draft.type, org=scope.org, owner=scope.owner, body={})
        db.add(row)
        await db.flush()
        event = make(row.seq)
        await self._fill(db, row, event, scope)
        return event

    async def _fill(self, db: AsyncSession, row: EventRow, event: StoredMessage, scope: Scope) -> None:
        body = event.model_dump(mode="json", exclude={"seq"})
        row.body_sha256 = chain.body_sha256(body)
        if event.type in SEALED:
            row.sealed = self.vault.seal(event.session, chain.canonical(body))
            body = {name: body[name] for name in OPEN_FIELDS}
        row.body = body
        await project(db, event, scope)
        call = await call_of(db, event.session, scope)
        call.chain = row.chain = chain.link(call.chain or chain.GENESIS, row.seq, row.body_sha256)
        await announce(db, event, scope, row.chain)

    async def newest_seq(self) -> int:
        """Return the number of the newest event, 0 if there is none."""
        async with self.sessions() as db:
            return await db.scalar(select(func.max(EventRow.seq))) or 0

    async def after(
        self,
        seq: int,
        limit: int = 1000,
        session: str | None = None,
        types: Collection[str] = (),
        *,
        org: str | None = None,
        owner: str | None = None,
        without: Collection[str] = (),
    ) -> list[StoredMessage]:
        """Return up to `limit` events newer than `seq`, oldest first, of one session and of some types if given.

        Args:
            seq: Number of an event.
            limit: How many at most.
            session: Only of this call.
            types: Only of these types.
            org: Only of this organisation.
            owner: Only of this token's calls.
            without: None of these types.
        """
        query = select(EventRow).where(EventRow.type.not_in(without))
        if types:
            query = query.where(EventRow.type.in_(types))
        for column, value in ((EventRow.session, session), (EventRow.org, org), (EventRow.owner, owner)):
            if value is not None:
                query = query.where(column == value)
        # Deleted ones leave holes; a page is empty only at the end.
        while rows := await self._rows(query.where(EventRow.seq > seq).order_by(EventRow.seq).limit(limit)):
            if found := self._opened(rows):
                return found
            seq = rows[-1].seq
        return []

    async def recent(self, n: int) -> list[StoredMessage]:
        """Return the newest `n` events, oldest first."""
        return self._opened(await self._rows(select(EventRow).order_by(EventRow.seq.desc()).limit(n)))[::-1]

    async def links(self, session: str) -> list[tuple[EventRow, StoredMessage | None]]:
        """Return all events of a call with their links, oldest first; None where a body was deleted."""
        rows = await self._rows(select(EventRow).where(EventRow.session == session).order_by(EventRow.seq))
        return [(row, self._message(row)) for row in rows]

    async def unended(self) -> list[tuple[SessionStartedMessage, Scope]]:
        """Return the calls that began and never ended: those that ran when the service was killed."""
        ended = select(EventRow.session).where(EventRow.type == "session_ended")
        query = select(EventRow).where(EventRow.type == "session_started", EventRow.session.not_in(ended))
        rows = await self._rows(query.order_by(EventRow.seq))
        events = [(self._message(row), Scope(row.org, row.owner)) for row in rows]
        return [(event, scope) for event, scope in events if isinstance(event, SessionStartedMessage)]

    async def organisations(self) -> list[str]:
        """Return the organisations that have calls."""
        async with self.sessions() as db:
            return list(await db.scalars(select(CallRow.org).distinct()))

    async def scopes(self) -> dict[str, Scope]:
        """Return whose the calls of the newest events are."""
        query = select(EventRow.session, EventRow.org, EventRow.owner).order_by(EventRow.seq.desc()).limit(2000)
        async with self.sessions() as db:
            return {session: Scope(org, owner) for session, org, owner in await db.execute(query)}

    async def erase(self) -> None:
        """Have SQLite forget what was deleted, also in its write-ahead log."""
        if self.is_sqlite:
            async with self.engine.connect() as connection:
                await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))

    async def _rows(self, query: Select[EventRow]) -> list[EventRow]:
        async with self.sessions() as db:
            return list(await db.scalars(query))

    def _opened(self, rows: list[EventRow]) -> list[StoredMessage]:
        return [event for row in rows if (event := self._message(row)) is not None]

    def _message(self, row: EventRow) -> StoredMessage | None:
        """Return the event as it goes over the wire; None if its body was deleted."""
        body = row.body
        if row.sealed is not None:
            try:
                body = json.loads(self.vault.open(row.session, row.sealed))
            except ShreddedError:
                return None
        return STORED.validate_python(body | {"seq": row.seq}, strict=False)

    async def _link_old_events(self) -> None:
        """Give events of versions before the chain their links and their cases."""
        query = select(EventRow).where(EventRow.chain == "").order_by(EventRow.seq).limit(500)
        while True:
            async with self.sessions.begin() as db:
                rows = list(await db.scalars(query))
                for row in rows:
                    scope = Scope(row.org, row.owner)
                    event = STORED.validate_python(row.body | {"seq": row.seq}, strict=False)
                    await self._fill(db, row, event, scope)
                    await db.flush()
            if not rows:
                return


def open_store(settings: Settings) -> Store:
    """Return the store of the settings, not yet opened."""
    return Store(settings.store_url, Vault(settings.data_dir / "keys", is_volatile=settings.keep_days == 0))
