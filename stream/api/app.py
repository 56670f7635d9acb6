"""Puts the parts of the service together behind one address."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from models import promise
from models.window import Score
from stream.alerts.bus import Bus
from stream.alerts.faces import Faces
from stream.alerts.recorder import Recorder
from stream.alerts.store import Store
from stream.api import live, metrics, sessions, whip
from stream.api import promise as promise_routes
from stream.api.access import Access
from stream.batcher import Batcher
from stream.desk import Desk
from stream.ingest.webrtc import WebRtcIngest
from stream.ingest.websocket import serve_call
from stream.policy import Policy
from stream.session import FaceSearch
from stream.settings import Settings

PAGES = Path(__file__).parents[2] / "web" / "dist"

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "media-src 'self' blob:; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self)",
}


class Models(FaceSearch, Protocol):
    """What the service needs of `models.detector.Detector`."""

    @property
    def digests(self) -> dict[str, str]:
        """The models' digests by signal."""


@dataclass(frozen=True, slots=True)
class Service:
    """The running parts, for routes and tests."""

    store: Store
    bus: Bus
    recorder: Recorder
    batcher: Batcher
    faces: Faces
    desk: Desk
    ingest: WebRtcIngest
    pool: ThreadPoolExecutor

    async def start(self) -> None:
        """Open the store and start the workers."""
        await self.store.open()
        await self.faces.start()
        await self.recorder.start()
        await self.desk.restore(self.store)
        self.batcher.start()

    async def stop(self) -> None:
        """End every call, keep what was said of them, then close."""
        self.desk.close_all("service stopped")
        await self.ingest.close()
        await self.desk.settle()
        await self.faces.close()
        await self.recorder.close()
        self.bus.close()
        await self.batcher.close()
        self.pool.shutdown(wait=True, cancel_futures=True)
        await self.store.close()


def build_service(settings: Settings, detector: Models, workers: int) -> Service:
    """Make the parts of the service; nothing runs yet.

    Args:
        settings: All limits and addresses.
        detector: Finds faces, scores windows and explains them, in `workers` threads.
        workers: Batches at a time.
    """
    # One more than the batches, so that a picture need not wait behind a long batch.
    pool = ThreadPoolExecutor(workers + 1, thread_name_prefix="inference")

    def run(work: Callable[[], Sequence[Score]]) -> asyncio.Future[Sequence[Score]]:
        return asyncio.get_running_loop().run_in_executor(pool, work)

    store, bus = Store(settings.store_url), Bus()
    recorder = Recorder(store, bus)
    faces = Faces(settings.data_dir / "faces", settings.keep_faces_days)
    batcher = Batcher(
        detector,
        run,
        workers=workers,
        batch_size=settings.batch_size,
        wait_s=settings.batch_wait_ms / 1000,
        limit=settings.queue_windows,
    )
    policy = policy_of(settings)
    desk = Desk(
        detector=detector,
        digests=detector.digests | {"decision": policy.model.digest},
        batcher=batcher,
        recorder=recorder,
        faces=faces,
        bus=bus,
        policy=policy,
        max_sessions=settings.max_sessions,
        pool=pool,
    )
    ingest = WebRtcIngest(desk, settings)
    return Service(store, bus, recorder, batcher, faces, desk, ingest, pool)


def policy_of(settings: Settings) -> Policy:
    """Return the decision's part of the settings."""
    return Policy(
        promise_hours=settings.promise_hours,
        model=promise.load(settings.decision_file) if settings.decision_file else promise.shipped(),
        min_face_s=settings.min_face_s,
        min_speech_s=settings.min_speech_s,
    )


def create_app(settings: Settings, detector: Models, *, device: str, workers: int) -> FastAPI:
    """Return the service as an ASGI application; it starts and stops with the application's lifespan."""
    service = build_service(settings, detector, workers)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    app = FastAPI(
        title="Kua",
        summary="Tells machine-made faces and voices in live calls",
        lifespan=lifespan,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
    )
    app.state.service = service
    _add_routes(app, service, settings, device, service.desk.digests)
    app.middleware("http")(_secure)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    return app


def _add_routes(app: FastAPI, service: Service, settings: Settings, device: str, models: dict[str, str]) -> None:
    access = Access(settings)
    guarded = [Depends(access.require)]
    collector = metrics.KuaCollector(service.desk, service.batcher, service.bus, device, models)
    app.include_router(whip.router(service.ingest, settings, dependencies=guarded))
    app.include_router(sessions.router(service.desk, settings, device, models), dependencies=guarded)
    app.include_router(promise_routes.router(service.desk), dependencies=guarded)
    app.include_router(live.router(live.Feed(service.store, service.bus, service.recorder), service.store, access))

    @app.websocket("/v1/ingest")
    async def ingest(socket: WebSocket) -> None:
        await serve_call(socket, service.desk, settings, access.allows(socket))

    @app.get("/metrics", dependencies=guarded, tags=["service"])
    async def scrape() -> Response:
        return PlainTextResponse(metrics.exposition(collector), media_type="text/plain; version=0.0.4")

    @app.get("/healthz", tags=["service"])
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    _add_pages(app)


def _add_pages(app: FastAPI) -> None:
    if not (PAGES / "index.html").is_file():

        @app.get("/", include_in_schema=False)
        async def unbuilt() -> Response:
            return PlainTextResponse("The page is not built yet: run `make web`.", status_code=503)

        return

    @app.get("/", include_in_schema=False)
    @app.get("/viewer", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(PAGES / "index.html", headers={"Cache-Control": "no-cache"})

    app.mount("/", StaticFiles(directory=PAGES), name="pages")


async def _secure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


async def _http_error(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    return JSONResponse({"error": exc.detail}, exc.status_code, headers=exc.headers)


async def _validation_error(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    texts = (f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors())
    return JSONResponse({"error": "; ".join(texts)}, 422)
