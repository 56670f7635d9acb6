"""Stores events, then pushes them, one after the other.

An event that cannot be stored (a full disk) waits and is tried again; what comes after it waits too. The live reading
still shows the state meanwhile, so no viewer is left without it.
"""

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from stream.alerts.bus import Bus
from stream.alerts.store import Store
from stream.api.messages import StoredMessage

log = structlog.get_logger()

RETRY_S = 1.0

Make = Callable[[int], StoredMessage]


class Recorder:
    """The one writer of the event store.

    Args:
        store: Where events are kept.
        bus: Where they are pushed once they are kept.
    """

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus
        self._queue: asyncio.Queue[tuple[Make, Callable[[StoredMessage], None]]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.seq = 0
        """The newest event that was pushed."""

    async def start(self) -> None:
        """Begin to write."""
        self.seq = await self._store.newest_seq()
        self._task = asyncio.create_task(self._write(), name="recorder")

    def record(self, make: Make, stored: Callable[[StoredMessage], None] = lambda _: None) -> None:
        """Store and push an event in the background.

        Args:
            make: Builds the message for a given `seq`.
            stored: Called with the message once it is stored, before it is pushed.
        """
        self._queue.put_nowait((make, stored))

    async def close(self, timeout_s: float = 5.0) -> None:
        """Write what waits, then stop."""
        if self._task is None:
            return
        try:
            await asyncio.wait_for(self._queue.join(), timeout_s)
        except TimeoutError:
            log.error("events could not be stored before the end", waiting=self._queue.qsize())
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _write(self) -> None:
        while True:
            make, stored = await self._queue.get()
            message = await self._keep(make)
            self.seq = message.seq
            stored(message)
            self._bus.publish(message)
            self._queue.task_done()

    async def _keep(self, make: Make) -> StoredMessage:
        while True:
            try:
                return await self._store.append(make)
            except (SQLAlchemyError, OSError) as exc:
                log.error("cannot store an event; trying again", error=str(exc), waiting=self._queue.qsize() + 1)
                await asyncio.sleep(RETRY_S)
