"""What is known of the calls, and of this service."""

from importlib.metadata import version

from fastapi import APIRouter, HTTPException

from stream.api.messages import AboutMessage, SnapshotMessage, TimelineMessage
from stream.desk import Desk
from stream.settings import Settings


def router(desk: Desk, settings: Settings, device: str, models: dict[str, str]) -> APIRouter:
    """Return the routes that read calls."""
    routes = APIRouter(prefix="/v1", tags=["calls"])

    @routes.get("/sessions")
    async def sessions() -> SnapshotMessage:
        """List running and recent calls, newest first."""
        return desk.snapshot()

    @routes.get("/sessions/{session}/timeline")
    async def timeline(session: str) -> TimelineMessage:
        """Return the readings of one call so far."""
        found = desk.timeline(session)
        if found is None:
            raise HTTPException(404, f"call {session!r} is not known")
        return found

    @routes.get("/about")
    async def about() -> AboutMessage:
        """Return what a page must know before it starts a call."""
        return AboutMessage(
            version=version("kua"),
            ice_servers=settings.ice_servers,
            models=models,
            device=device,
            threshold_nat=settings.alert_nat,
        )

    return routes
