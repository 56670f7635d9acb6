"""What is known of the calls, and of this service."""

from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException

from stream.api.access import Access
from stream.api.admin_messages import Right
from stream.api.messages import AboutMessage, SnapshotMessage, TimelineMessage
from stream.api.principal import Principal
from stream.api.seen import seen_call
from stream.desk import Desk
from stream.settings import Settings


def router(desk: Desk, settings: Settings, access: Access, device: str, key: str) -> APIRouter:
    """Return the routes that read calls."""
    routes = APIRouter(prefix="/v1", tags=["calls"])
    OfWatch = Annotated[Principal, Depends(access.needs(Right.WATCH))]

    @routes.get("/sessions")
    async def sessions(principal: OfWatch) -> SnapshotMessage:
        """List running and recent calls, newest first."""
        return desk.snapshot(principal.sees)

    @routes.get("/sessions/{session}/timeline")
    async def timeline(session: str, principal: OfWatch) -> TimelineMessage:
        """Return the readings of one call so far."""
        seen_call(desk, principal, session)
        found = desk.timeline(session)
        if found is None:
            raise HTTPException(404, f"call {session!r} is not known")
        return found

    @routes.get("/about")
    async def about(principal: OfWatch) -> AboutMessage:
        """Return what a page must know before it starts a call."""
        return AboutMessage(
            version=version("kua"),
            ice_servers=settings.ice_servers,
            models=desk.digests,
            device=device,
            threshold_nat=desk.policy.terms(is_telephone=False).threshold_nat,
            keep_faces_days=settings.keep_days if settings.keep_faces else 0,
            keep_audio=settings.keep_audio and settings.keep_days > 0,
            signing_key=key,
        )

    return routes
