"""Stores events, then pushes them, one after the other.

An event that cannot be stored (a full disk) waits and is tried again; what comes after it waits too. The live reading
still shows the state meanwhile, so no viewer is left without it. What a person asks for waits for nothing: it is
stored or refused.
"""

import asyncio
import itertools
from collections import deque
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
MAX_BATCH = 100
"""Events that are stored in one transaction when more come than a disk can take one by one."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    make: Make
    scope: Scope
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
        self._waiting: deque[_Waiting] = deque()
        self._has_work = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()
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

    def record(self, make: Make, scope: Scope = EVERYWHERE) -> None:
        """Store and push an event in the background.

        Args:
            make: Builds the message for a given `seq`.
            scope: Whose call it is of.
        """
        self._put(_Waiting(make, scope, None))

    async def keep(self, make: Make, scope: Scope) -> StoredMessage:
        """Store and push what a person asks for, and return it.

        Raises:
            ConflictError: It does not fit what is there now.
            SQLAlchemyError, OSError: It cannot be stored; nothing of it is.
        """
        told: asyncio.Future[StoredMessage] = asyncio.get_running_loop().create_future()
        self._put(_Waiting(make, scope, told))
        return await told

    async def close(self, timeout_s: float = 5.0) -> None:
        """Write what waits, then stop."""
        if self._task is None:
            return
        try:
            await asyncio.wait_for(self._is_idle.wait(), timeout_s)
        except TimeoutError:
            log.error("events could not be stored before the end", waiting=len(self._waiting))
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _put(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        self._is_idle.clear()
        self._has_work.set()

    async def _write(self) -> None:
        while True:
            await self._has_work.wait()
            batch = self._batch()
            stored = await self._keep(batch)
            for waiting, message in zip(batch, stored, strict=False):
                self._tell(waiting, message)
            for _ in batch:
                self._waiting.popleft()
            if not self._waiting:
                self._has_work.clear()
                self._is_idle.set()

    def _batch(self) -> list[_Waiting]:
        """Return what is stored in one transaction: what waits in the background, or one thing that a person asks."""
        first = self._waiting[0]
        if first.told is not None:
            return [first]
        return list(itertools.takewhile(lambda w: w.told is None, itertools.islice(self._waiting, MAX_BATCH)))

    def _tell(self, waiting: _Waiting, message: StoredMessage) -> None:
        self.seq = message.seq
        for listener in self._listeners:
            listener(message, waiting.scope)
        self._bus.publish(message, waiting.scope)
        if waiting.told is not None and not waiting.told.done():  # whoever asked may have gone
            waiting.told.set_result(message)

    async def _keep(self, batch: list[_Waiting]) -> list[StoredMessage]:
        """Return what was stored: all of the batch, or nothing of what cannot be."""
        while True:
            try:
                return await self._store.append_all([(waiting.make, waiting.scope) for waiting in batch])
            except Exception as exc:  # one event that cannot be must not keep all later ones from being stored
                told = batch[0].told
                if told is not None:
                    if not told.done():
                        told.set_exception(exc)
                    return []
                if isinstance(exc, SQLAlchemyError | OSError):
                    log.error("cannot store an event; trying again", error=str(exc), waiting=len(self._waiting))
                    await asyncio.sleep(RETRY_S)
                elif len(batch) > 1:
                    del batch[1:]  # to find the one; the others come after it
                else:
                    self._give_up(exc)
                    return []

    def _give_up(self, exc: Exception) -> None:
        if isinstance(exc, ShreddedError):
            log.warning("an explanation came after its evidence was deleted")
        else:
            log.error("an event cannot be stored, ever; it is lost", exc_info=exc)
