"""What must not be lost: every call's beginning and end and every alert, numbered by a `seq` that only grows.

SQLite in WAL mode by default, any database that SQLAlchemy knows by URL. An event is on disk before anybody hears of
it.
"""

from collections.abc import Callable, Collection
from pathlib import Path

from sqlalchemy import JSON, Integer, Select, String, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.event import listen
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

from stream.api.messages import STORED, SessionStartedMessage, StoredMessage
from stream.errors import SettingsError


class _Base(DeclarativeBase):
    pass


class EventRow(_Base):
    """One stored event."""

    __tablename__ = "events"
    # AUTOINCREMENT: a number is never given twice, also after the newest rows were deleted.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  # SQLAlchemy's own idiom

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    session: Mapped[str] = mapped_column(String(64), index=True)
    type: Mapped[str] = mapped_column(String(32), index=True)
    body: Mapped[dict[str, object]] = mapped_column(JSON)

    def message(self) -> StoredMessage:
        """Return the event as it goes over the wire."""
        return STORED.validate_python(self.body | {"seq": self.seq}, strict=False)


class Store:
    """The event store.

    Args:
        url: An SQLAlchemy URL with an asynchronous driver.
    """

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._engine = create_async_engine(self._url)
        if self._url.get_backend_name() == "sqlite":
            listen(self._engine.sync_engine, "connect", _set_pragmas)
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    async def open(self) -> None:
        """Create what is missing.

        Raises:
            SettingsError: The database cannot be opened or written.
        """
        try:
            if self._url.get_backend_name() == "sqlite" and self._url.database:
                Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
            async with self._engine.begin() as connection:
                await connection.run_sync(_Base.metadata.create_all)
        except (SQLAlchemyError, OSError) as exc:
            raise SettingsError(f"cannot open the alert store {self._url}: {exc}") from exc

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    async def append(self, make: Callable[[int], StoredMessage]) -> StoredMessage:
        """Store an event and return it with its number.

        Args:
            make: Builds the message for a given `seq`.
        """
        draft = make(0)
        row = EventRow(session=draft.session, type=draft.type, body=draft.model_dump(mode="json", exclude={"seq"}))
        async with self._sessions.begin() as session:
            session.add(row)
        return make(row.seq)

    async def newest_seq(self) -> int:
        """Return the number of the newest event, 0 if there is none."""
        async with self._sessions() as session:
            return await session.scalar(select(func.max(EventRow.seq))) or 0

    async def after(
        self, seq: int, limit: int = 1000, session: str | None = None, types: Collection[str] = ()
    ) -> list[StoredMessage]:
        """Return up to `limit` events newer than `seq`, oldest first, of one session and of some types if given."""
        query = select(EventRow).where(EventRow.seq > seq)
        if types:
            query = query.where(EventRow.type.in_(types))
        if session is not None:
            query = query.where(EventRow.session == session)
        return await self._read(query.order_by(EventRow.seq).limit(limit))

    async def recent(self, n: int) -> list[StoredMessage]:
        """Return the newest `n` events, oldest first."""
        return (await self._read(select(EventRow).order_by(EventRow.seq.desc()).limit(n)))[::-1]

    async def unended(self) -> list[SessionStartedMessage]:
        """Return the calls that began and never ended: those that ran when the service was killed."""
        ended = select(EventRow.session).where(EventRow.type == "session_ended")
        query = select(EventRow).where(EventRow.type == "session_started", EventRow.session.not_in(ended))
        return [event for event in await self._read(query) if isinstance(event, SessionStartedMessage)]

    async def _read(self, query: Select[EventRow]) -> list[StoredMessage]:
        async with self._sessions() as session:
            return [row.message() for row in await session.scalars(query)]


def _set_pragmas(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """WAL lets viewers read while a call writes; FULL makes a committed alert survive a power cut."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
