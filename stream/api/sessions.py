"""What is known of the calls, and of this service."""

from importlib.metadata import version

from fastapi import APIRouter, HTTPException, Response

from stream.api.messages import AboutMessage, SnapshotMessage, TimelineMessage
from stream.desk import Desk
from stream.settings import Settings

# No cache and no foreign page may hold a face; a page can embed a picture without an `Origin` that we could refuse.
_PRIVATE = {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin"}
_NO_FACE = (
    "no face is held of alert {alert!r}: it never had one, or its time is over; pictures are in memory only, "
    "unless KUA_KEEP_FACES_DAYS keeps them"
)


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

    @routes.get(
        "/sessions/{session}/alerts/{alert}/face.jpg",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}},
    )
    async def face(session: str, alert: str) -> Response:
        """Return the picture that the newest explanation of an alert lies over, while it is there."""
        jpeg = await desk.face(session, alert)
        if jpeg is None:
            raise HTTPException(404, _NO_FACE.format(alert=alert), _PRIVATE)
        return Response(jpeg, media_type="image/jpeg", headers=_PRIVATE)

    @routes.get("/about")
    async def about() -> AboutMessage:
        """Return what a page must know before it starts a call."""
        return AboutMessage(
            version=version("kua"),
            ice_servers=settings.ice_servers,
            models=models,
            device=device,
            threshold_nat=desk.policy.terms(is_telephone=False).threshold_nat,
            keep_faces_days=settings.keep_faces_days,
        )

    return routes
