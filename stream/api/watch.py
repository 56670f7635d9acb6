"""An agent sees and hears the remote party of a call live (WHEP): offers in, answers out."""

import asyncio
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from stream.api.access import Access
from stream.api.admin_messages import Right
from stream.api.principal import Principal
from stream.api.sdp import ANSWERED, OFFERED, SDP, answered, read_fragment, read_sdp
from stream.api.seen import PRIVATE, seen_call
from stream.desk import Desk
from stream.errors import ServiceFullError, SignallingError
from stream.ingest.webrtc import WebRtcIngest

ASKED_EVERY_S = 10.0
"""Whether somebody who watches still may [s]."""


def router(ingest: WebRtcIngest, desk: Desk, access: Access) -> APIRouter:
    """Return the routes of watching a call."""
    routes = APIRouter(prefix="/v1", tags=["watch"])
    OfCall = Annotated[Principal, Depends(access.needs(Right.CALL))]
    watchers: dict[str, Principal] = {}
    holding: set[asyncio.Task[None]] = set()

    def require_own(principal: Principal, id: str) -> None:
        own = watchers.get(id)
        if own is None or (own.org, own.token) != (principal.org, principal.token):
            raise SignallingError("nothing is watched under this address", status=404)

    async def hold(id: str, principal: Principal) -> None:
        """End a watcher soon after its token is revoked."""
        while ingest.is_watched(id):
            await asyncio.sleep(ASKED_EVERY_S)
            if not await access.is_valid(principal) and ingest.is_watched(id):
                await ingest.unwatch(id)
        watchers.pop(id, None)

    @routes.post(
        "/sessions/{session}/watch",
        status_code=201,
        response_class=Response,
        responses=ANSWERED,
        openapi_extra=OFFERED,
    )
    async def watch(session: str, request: Request, principal: OfCall) -> Response:
        """Answer an offer to receive the picture and sound of a call; sound that it sends is heard by the caller."""
        seen_call(desk, principal, session)
        await access.note(request, principal, "call.watch", session)
        try:
            answer = await ingest.watch(session, await read_sdp(request, SDP))
        except (SignallingError, ServiceFullError) as exc:
            return _error(exc)
        watchers[answer.id] = principal
        task = asyncio.create_task(hold(answer.id, principal), name=f"watch-{answer.id}")
        holding.add(task)
        task.add_done_callback(holding.discard)
        return answered(answer, f"{request.scope.get('root_path', '')}/v1/watch/{quote(answer.id, safe='')}", PRIVATE)

    @routes.patch("/watch/{id}", status_code=204, response_class=Response)
    async def trickle(id: str, request: Request, principal: OfCall) -> Response:
        """Take more ICE candidates of a watcher."""
        try:
            require_own(principal, id)
            fragment, etag = await read_fragment(request)
            await ingest.patch_watch(id, etag, fragment)
        except SignallingError as exc:
            return _error(exc)
        return Response(status_code=204)

    @routes.delete("/watch/{id}", response_class=Response)
    async def leave(id: str, principal: OfCall) -> Response:
        """Stop watching; the call goes on."""
        try:
            require_own(principal, id)
            watchers.pop(id, None)
            await ingest.unwatch(id)
        except SignallingError as exc:
            return _error(exc)
        return Response(status_code=200)

    return routes


def _error(exc: SignallingError | ServiceFullError) -> Response:
    if isinstance(exc, ServiceFullError):
        return JSONResponse({"error": str(exc)}, 503, {"Retry-After": str(exc.retry_after_s)})
    return JSONResponse({"error": str(exc)}, exc.status)
