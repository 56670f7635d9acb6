"""A database for the store: its engine, its tables in whatever version it has, and who may write when."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from stream.alerts.tables import Base

PRAGMAS = (
    # WAL lets viewers read while a call writes; FULL makes a committed alert survive a power cut.
    *("journal_mode=WAL", "synchronous=FULL"),
    *("secure_delete=ON", "foreign_keys=ON", "busy_timeout=10000"),
)


class Sessions:
    """Sessions of a database. Of this process one writes at a time, in the order in which they came.

    SQLite's own lock is not fair: under load a writer was seen to wait for longer than any time-out.

    Args:
        engine: Of the database.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._make = async_sessionmaker(engine, expire_on_commit=False)
        self._one = asyncio.Lock()

    def __call__(self) -> AsyncSession:
        """Return a session to read with."""
        return self._make()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """Write in one transaction: all of it, or nothing if it raises."""
        async with self._one, self._make.begin() as db:
            yield db


def make_engine(url: URL) -> AsyncEngine:
    """Return the engine of a database; nothing is opened yet."""
    engine = create_async_engine(url)
    if is_sqlite(engine):
        listen(engine.sync_engine, "connect", _set_pragmas)
    return engine


def is_sqlite(engine: AsyncEngine) -> bool:
    """Whether it is the embedded database."""
    return engine.dialect.name == "sqlite"


def create(connection: Connection) -> None:
    """Make missing tables, and missing columns of those that are there."""
    Base.metadata.create_all(connection)
    known = inspect(connection)
    for table in Base.metadata.sorted_tables:
        there = {column["name"] for column in known.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                kind = column.type.compile(connection.dialect)
                default = getattr(column.server_default, "arg", None)
                rest = f" NOT NULL DEFAULT '{default}'" if default is not None else ""
                connection.execute(text(f'ALTER TABLE {table.name} ADD COLUMN "{column.name}" {kind}{rest}'))


def _set_pragmas(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
