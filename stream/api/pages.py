"""The pages as files, and what browsers are to hold them to."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles

from stream.settings import Settings

PAGES = Path(__file__).parents[2] / "web" / "dist"

_EMBEDDED = "/console"
"""The page that an agent's desktop may show in a frame."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors "
)


def add(app: FastAPI) -> None:
    """Serve the pages."""
    if not (PAGES / "index.html").is_file():

        @app.get("/", include_in_schema=False)
        async def unbuilt() -> Response:
            return PlainTextResponse("The page is not built yet: run `make web`.", status_code=503)

        return

    @app.get("/", include_in_schema=False)
    @app.get("/viewer", include_in_schema=False)
    @app.get("/desk", include_in_schema=False)
    @app.get("/console", include_in_schema=False)
    @app.get("/join", include_in_schema=False)
    @app.get("/clip", include_in_schema=False)
    @app.get("/admin", include_in_schema=False)
    @app.get("/people", include_in_schema=False)
    @app.get("/answer", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(PAGES / "index.html", headers={"Cache-Control": "no-cache"})

    app.mount("/", StaticFiles(directory=PAGES), name="pages")


def securing(settings: Settings) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """Return the middleware that adds what browsers are to hold our pages to."""
    ancestors = " ".join(settings.embed_origins) or "'none'"

    async def secure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        framed = ancestors if request.url.path == _EMBEDDED else "'none'"
        for name, value in (_HEADERS | {"Content-Security-Policy": _POLICY + framed}).items():
            response.headers.setdefault(name, value)
        return response

    return secure
