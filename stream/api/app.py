"""Puts the parts of the service together behind one address."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Protocol

import structlog
from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from models import promise
from models.identity import IdentityModel
from models.window import Score
from stream.alerts.audit import Audit
from stream.alerts.bus import Bus
from stream.alerts.case_file import public_hex
from stream.alerts.cases import Cases
from stream.alerts.evidence import Evidence, Keeping
from stream.alerts.recorder import Recorder
from stream.alerts.store import Store, open_store
from stream.alerts.tokens import Tokens
from stream.alerts.verify import fingerprint
from stream.alerts.webhook_store import WebhookStore
from stream.alerts.webhooks import Webhooks
from stream.api import (
    admin,
    asks,
    clips,
    forwarding,
    hooks,
    invites,
    live,
    metrics,
    pages,
    party,
    people,
    sessions,
    watch,
    whip,
)
from stream.api import cases as case_routes
from stream.api import evidence as evidence_routes
from stream.api import promise as promise_routes
from stream.api.access import Access
from stream.api.admin_messages import Right
from stream.api.calls import Calls
from stream.api.evidence import CaseFiles
from stream.api.examples import with_examples
from stream.api.principal import Principal
from stream.batcher import Batcher
from stream.checks.asks import Asks
from stream.checks.enrolment import Enrolment
from stream.checks.people import People
from stream.checks.references import References
from stream.desk import Desk
from stream.errors import ConflictError
from stream.forwarded.clips import Clips
from stream.ingest.webrtc import WebRtcIngest
from stream.ingest.websocket import serve_call
from stream.policy import Policy
from stream.session import FaceSearch
from stream.settings import Settings

log = structlog.get_logger()


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
    evidence: Evidence
    webhooks: Webhooks
    tokens: Tokens
    desk: Desk
    clips: Clips
    ingest: WebRtcIngest
    pool: ThreadPoolExecutor

    async def start(self) -> None:
        """Open the store and start the workers."""
        await self.store.open()
        await self.recorder.start()
        await self.desk.restore(self.store)
        await self.evidence.start()
        await self.webhooks.start()
        await self.clips.start()
        self.batcher.start()

    async def stop(self) -> None:
        """End every call, keep what was said of them, then close."""
        self.desk.close_all("service stopped")
        await self.ingest.close()
        await self.clips.close()
        await self.desk.settle()
        await self.evidence.close()
        await self.recorder.close()
        await self.webhooks.close()
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

    store, bus = open_store(settings), Bus()
    recorder = Recorder(store, bus)
    keeping = Keeping(days=settings.keep_days, faces=settings.keep_faces, audio=settings.keep_audio)
    evidence = Evidence(store, recorder, keeping)
    webhooks = build_webhooks(store, settings)
    recorder.on_stored(lambda *_: webhooks.wake())
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
        evidence=evidence,
        bus=bus,
        policy=policy,
        max_sessions=settings.max_sessions,
        pool=pool,
    )
    ingest, tokens = WebRtcIngest(desk, settings), Tokens(store.sessions)
    max_bytes = settings.clip_mb * 1_000_000
    folder = settings.data_dir / "clips"
    clips = Clips(folder, detector, policy, max_bytes=max_bytes, is_busy=lambda: len(desk) > 0)
    return Service(store, bus, recorder, batcher, evidence, webhooks, tokens, desk, clips, ingest, pool)


def build_webhooks(store: Store, settings: Settings) -> Webhooks:
    """Return the webhooks of a store."""
    allow_private = settings.webhook_private
    return Webhooks(WebhookStore(store.sessions, store.vault, allow_private=allow_private), allow_private=allow_private)


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
    _add_routes(app, service, settings, device)
    describe = app.openapi
    app.openapi = lambda: app.openapi_schema or with_examples(describe())  # type: ignore[method-assign]  # FastAPI's own way
    app.middleware("http")(pages.securing(settings))
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(ConflictError, _conflict)
    for failure in (SQLAlchemyError, OSError):  # asyncpg's refused connections come as they are
        app.add_exception_handler(failure, _storage_error)
    return app


def _add_routes(app: FastAPI, service: Service, settings: Settings, device: str) -> None:
    audit = Audit(service.store.sessions)
    access = Access(settings, service.tokens, audit)
    cases = Cases(service.store.sessions)
    kept = {"keep_days", "keep_faces", "keep_audio", "promise_hours", "min_face_s", "min_speech_s"}
    files = CaseFiles(service.store, cases, service.evidence, settings.model_dump(mode="json", include=kept))
    calls = Calls(service.desk, service.tokens, access)
    key = fingerprint(public_hex(service.store.vault.signing_key().public_key()))
    feed = live.Feed(service.store, service.bus, service.recorder, access)
    app.include_router(whip.router(service.ingest, settings, calls))
    app.include_router(watch.router(service.ingest, service.desk, access))
    app.include_router(sessions.router(service.desk, settings, access, device, key))
    app.include_router(promise_routes.router(service.desk, access))
    app.include_router(case_routes.router(cases, service.evidence, service.recorder, service.desk, access))
    app.include_router(evidence_routes.router(files, service.desk, access))
    app.include_router(admin.router(service.tokens, audit, access))
    app.include_router(invites.router(service.tokens, service.desk, settings, access))
    app.include_router(hooks.router(service.webhooks, access))
    app.include_router(clips.router(service.clips, access))
    app.include_router(forwarding.router(access))
    known, references = People(service.store.sessions), References(service.store.sessions)
    identity = IdentityModel()
    enrolment = Enrolment(settings.data_dir / "enrol", identity, max_bytes=settings.clip_mb * 1_000_000)
    app.include_router(people.router(known, references, enrolment, access))
    app.include_router(asks.router(Asks(), access))
    app.include_router(party.router(service.desk, known, references, identity, access))
    app.include_router(live.router(feed, service.store, access))

    @app.websocket("/v1/ingest")
    async def ingest(socket: WebSocket) -> None:
        principal = await access.admits(socket, Right.CALL)
        desk = calls.under(principal) if principal else service.desk
        await serve_call(socket, desk, settings, principal is not None)

    collector = metrics.KuaCollector(service, device, service.desk.digests)

    @app.get("/metrics", tags=["service"], response_class=PlainTextResponse)
    async def scrape(principal: Annotated[Principal, Depends(access.needs(Right.ADMIN))]) -> Response:
        """Return the service's figures for Prometheus: of all organisations together."""
        await collector.count(cases)
        return PlainTextResponse(metrics.exposition(collector), media_type="text/plain; version=0.0.4")

    @app.get("/healthz", tags=["service"])
    async def health() -> dict[str, str]:
        """Say that the service runs."""
        return {"status": "ok"}

    pages.add(app)


async def _http_error(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    return JSONResponse({"error": exc.detail}, exc.status_code, headers=exc.headers)


async def _validation_error(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    texts = (f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors())
    return JSONResponse({"error": "; ".join(texts)}, 422)


async def _conflict(_: Request, exc: Exception) -> Response:
    return JSONResponse({"error": str(exc)}, 409)


async def _storage_error(_: Request, exc: Exception) -> Response:
    """Say that nothing was stored: a full disk, a database that went away."""
    log.error("the store failed", exc_info=exc)
    return JSONResponse(
        {"error": "the store does not answer; nothing was changed, try again"}, 503, {"Retry-After": "5"}
    )
