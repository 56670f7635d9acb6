"""Live events for viewers: a WebSocket, and server-sent events where that does not get through.

Both begin with the stored events after the `seq` that the viewer names, then go on live, so that a viewer who connects
again misses nothing and hears nothing twice.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, WebSocket
from fastapi.responses import StreamingResponse
from starlette.requests import HTTPConnection

from stream.alerts.bus import Bus
from stream.alerts.recorder import Recorder
from stream.alerts.store import Store
from stream.api.access import SUBPROTOCOL, Access
from stream.api.admin_messages import Right
from stream.api.messages import HelloMessage, StoredMessage, VerdictMessage
from stream.api.principal import Principal

KEEP_ALIVE_S = 10.0
UNAUTHORISED = 4401
TOO_SLOW = 4408
PAGE = 1000
MAX_SEQ = 2**31 - 1
"""Of the database's column."""

After = Annotated[int | None, Query(ge=0, le=MAX_SEQ)]
LiveMessage = HelloMessage | StoredMessage | VerdictMessage


class Feed:
    """Replay, then live."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        recorder: Recorder,
        access: Access,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._access = access
        self._clock = clock
        self._store = store
        self._bus = bus
        self._recorder = recorder

    async def messages(
        self, after: int | None, session: str | None, principal: Principal, connection: HTTPConnection
    ) -> AsyncIterator[LiveMessage]:
        """Yield a hello, what was stored after `after` (None: nothing), then live messages until the viewer is cut.

        Only what `principal` may see; it is asked anew whether that one still may every `KEEP_ALIVE_S`. Whenever there
        is nothing to say for so long, another hello comes.
        """
        # Before the replay, so that nothing falls between.
        subscription = self._bus.subscribe(session, principal.accepts)
        asked_s = self._clock()
        try:
            seq = self._recorder.seq if after is None else after
            yield HelloMessage(seq=self._recorder.seq)
            while page := await stored(self._store, principal, seq, PAGE, session):
                for event in page:
                    seq = event.seq
                    await self._access.note_seen(connection, principal, event)
                    yield event
            while True:
                if self._clock() - asked_s >= KEEP_ALIVE_S:
                    asked_s = self._clock()
                    if not await self._access.is_valid(principal):
                        return
                try:
                    message = await asyncio.wait_for(subscription.get(), KEEP_ALIVE_S)
                except TimeoutError:
                    # A browser cannot see a WebSocket's pings; without a word it would take the line for dead.
                    yield HelloMessage(seq=self._recorder.seq)
                    continue
                if message is None:
                    return
                if isinstance(message, VerdictMessage):
                    yield message
                elif message.seq > seq:
                    await self._access.note_seen(connection, principal, message)
                    yield message
        finally:
            self._bus.unsubscribe(subscription)


async def stored(
    store: Store, principal: Principal, after: int, limit: int, session: str | None
) -> list[StoredMessage]:
    """Return stored events after `after` that somebody may see, oldest first, of one call if it is named."""
    hidden = principal.hidden
    return await store.after(after, limit, session, org=principal.org, owner=principal.owner, without=hidden)


def router(feed: Feed, store: Store, access: Access) -> APIRouter:
    """Return the routes of the live feed."""
    routes = APIRouter(tags=["live"])
    OfWatch = Annotated[Principal, Depends(access.needs(Right.WATCH))]

    @routes.websocket("/v1/alerts")
    async def alerts(socket: WebSocket, after: After = None, session: str | None = None) -> None:
        """Send `ServerMessage`s as JSON text; what the viewer sends is ignored."""
        offered = socket.headers.get("sec-websocket-protocol", "")
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        principal = await access.admits(socket, Right.WATCH)
        if principal is None:
            await socket.close(UNAUTHORISED, "a bearer token is needed")
            return
        told = feed.messages(after, session, principal, socket)
        tasks = [asyncio.create_task(_send(socket, told)), asyncio.create_task(_gone(socket))]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @routes.get("/v1/alerts/stream", response_class=StreamingResponse)
    async def stream(
        request: Request,
        principal: OfWatch,
        after: After = None,
        session: str | None = None,
        last_event_id: Annotated[int | None, Header(ge=0, le=MAX_SEQ)] = None,
    ) -> StreamingResponse:
        """Send `ServerMessage`s as server-sent events; stored ones carry their `seq` as the event's id."""
        start = last_event_id if last_event_id is not None else after
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            _events(feed.messages(start, session, principal, request)), media_type="text/event-stream", headers=headers
        )

    @routes.get("/v1/events")
    async def events(
        request: Request,
        principal: OfWatch,
        after: Annotated[int, Query(ge=0, le=MAX_SEQ)] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
        session: str | None = None,
    ) -> list[StoredMessage]:
        """Return stored events after `after`, oldest first, of one call if it is named."""
        found = await stored(store, principal, after, limit, session)
        for event in found:
            await access.note_seen(request, principal, event)
        return found

    return routes


async def _send(socket: WebSocket, messages: AsyncIterator[LiveMessage]) -> None:
    async for message in messages:
        await socket.send_text(message.model_dump_json())
    await socket.close(TOO_SLOW, "the service stops, or this viewer reads too slowly: connect again")


async def _gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass  # what a viewer says is ignored


async def _events(messages: AsyncIterator[LiveMessage]) -> AsyncIterator[str]:
    async for message in messages:
        # Stored events only: a viewer that is cut after the hello must not skip the replay.
        head = "" if isinstance(message, HelloMessage | VerdictMessage) else f"id: {message.seq}\n"
        yield f"{head}data: {message.model_dump_json()}\n\n"
