"""Stores events, then pushes them, one after the other.

An event that cannot be stored (a full disk) waits and is tried again; what comes after it waits too. The live reading
still shows the state meanwhile, so no viewer is left without it. What a person asks for waits for nothing: it is
stored or refused.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from stream.alerts.bus import Bus
from stream.alerts.store import Make, Store
from stream.alerts.vault import ShreddedError
from stream.api.messages import StoredMessage
from stream.scope import EVERYWHERE, Scope

log = structlog.get_logger()

RETRY_S = 1.0

Stored = Callable[[StoredMessage], None]


@dataclass(frozen=True, slots=True)
class _Waiting:
    make: Make
    scope: Scope
    stored: Stored
    told: "asyncio.Future[StoredMessage] | None"
    """Whom a refusal or a failure is told; None: it must be stored."""


class Recorder:
    """The one writer of the event store.

    Args:
        store: Where events are kept.
        bus: Where they are pushed once they are kept.
    """

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[StoredMessage, Scope], None]] = []
        self.seq = 0
        """The newest event that was pushed."""

    async def start(self) -> None:
        """Begin to write."""
        self.seq = await self._store.newest_seq()
        self._task = asyncio.create_task(self._write(), name="recorder")

    def on_stored(self, listener: Callable[[StoredMessage, Scope], None]) -> None:
        """Have `listener` called with each event once it is stored, before it is pushed."""
        self._listeners.append(listener)

    def record(self, make: Make, scope: Scope = EVERYWHERE, stored: Stored = lambda _: None) -> None:
        """Store and push an event in the background.

        Args:
            make: Builds the message for a given `seq`.
            scope: Whose call it is of.
            stored: Called with the message once it is stored, before it is pushed.
        """
        self._queue.put_nowait(_Waiting(make, scope, stored, None))

    async def keep(self, make: Make, scope: Scope) -> StoredMessage:
        """Store and push what a person asks for, and return it.

        Raises:
            ConflictError: It does not fit what is there now.
            SQLAlchemyError, OSError: It cannot be stored; nothing of it is.
        """
        told: asyncio.Future[StoredMessage] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Waiting(make, scope, lambda _: None, told))
        return await told

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
            waiting = await self._queue.get()
            message = await self._keep(waiting)
            if message is not None:
                self.seq = message.seq
                for listener in self._listeners:
                    listener(message, waiting.scope)
                waiting.stored(message)
                self._bus.publish(message, waiting.scope)
                if waiting.told is not None and not waiting.told.done():  # whoever asked may have gone
                    waiting.told.set_result(message)
            self._queue.task_done()

    async def _keep(self, waiting: _Waiting) -> StoredMessage | None:
        while True:
            try:
                return await self._store.append(waiting.make, waiting.scope)
            except Exception as exc:  # one event that cannot be must not keep all later ones from being stored
                if waiting.told is not None:
                    if not waiting.told.done():
                        waiting.told.set_exception(exc)
                    return None
                if isinstance(exc, ShreddedError):
                    log.warning("an explanation came after its evidence was deleted")
                    return None
                if not isinstance(exc, SQLAlchemyError | OSError):
                    log.exception("an event cannot be stored, ever; it is lost")
                    return None
                log.error("cannot store an event; trying again", error=str(exc), waiting=self._queue.qsize() + 1)
                await asyncio.sleep(RETRY_S)
