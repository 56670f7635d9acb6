"""The service's routes over real HTTP: who may read, what a viewer gets, what a restart keeps."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
import websockets
from fastapi import FastAPI

from models.calibration import Calibration
from models.faces import Detection
from models.window import Batch, Pixels, Reason, Score, Signal, scored, unscored
from stream.api.app import Service, create_app
from stream.events import Gap, Medium
from stream.explainer import Explainable
from stream.settings import Settings

DIGESTS = {"face": "f" * 12, "voice": "e" * 12}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, quick_decision: Path) -> None:
    monkeypatch.setenv("KUA_DECISION_FILE", str(quick_decision))


class SilentModels:
    """Says of every voice window what the test wants; sees no faces."""

    def __init__(self) -> None:
        self.llr = 3.0
        self.digests = dict(DIGESTS)
        self.longs: dict[Signal, dict[int, Calibration]] = {}

    def find_faces(self, picture: Pixels, near: Sequence[Detection] = ()) -> tuple[Detection, ...]:
        return ()

    def score(self, batch: Batch) -> Sequence[Score]:
        return [
            scored(w, raw=self.llr, llr=self.llr, analysed_s=4.0)
            if w.signal is Signal.VOICE
            else unscored(w, Reason.LOST)
            for w in batch
        ]

    def explain(self, window: Explainable) -> None:
        return None


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="error", timeout_graceful_shutdown=1))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


def make_app(folder: Path, models: SilentModels, **settings: object) -> FastAPI:
    settings.setdefault("keep_days", 0)  # evidence has tests of its own
    return create_app(Settings(data_dir=folder, **settings), models, device="cpu:test", workers=1)  # type: ignore[arg-type]


def hear(app: FastAPI, name: str, end_s: float = 20.0) -> str:
    """Open a call and let it hear nothing for a while, which the models score as they please."""
    service: Service = app.state.service
    session = service.desk.open(source="test", name=name)
    for i in range(int(end_s * 2)):
        asyncio.get_running_loop().call_later(
            i * 0.005, session.push, Gap(medium=Medium.AUDIO, start_s=i / 2, end_s=(i + 1) / 2)
        )
    return session.id


async def until(live: websockets.ClientConnection, type: str, **fields: object) -> dict[str, object]:
    """Read until a message of a type with these fields comes."""
    async with asyncio.timeout(10):
        while True:
            message: dict[str, object] = json.loads(await live.recv())
            if message["type"] == type and all(message[name] == value for name, value in fields.items()):
                return message


async def test_every_route_but_health_and_pages_wants_the_token(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels(), token="secret")
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        for path in (
            "/v1/sessions",
            "/v1/about",
            "/v1/promise",
            "/v1/events",
            "/v1/alerts/stream",
            "/v1/sessions/x/timeline",
            "/metrics",
        ):
            reply = await client.get(path)
            assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer"), path
            assert reply.json() == {"error": "a bearer token is needed: Authorization: Bearer ..."}
            assert (await client.get(path, headers={"Authorization": "Bearer wrong"})).status_code == 401
        assert (
            await client.post("/whip", content="v=0", headers={"Content-Type": "application/sdp"})
        ).status_code == 401
        allowed = {"Authorization": "Bearer secret"}
        assert (await client.get("/v1/sessions", headers=allowed)).json() == {"seq": 0, "sessions": []}
        assert (await client.get("/metrics", headers=allowed)).status_code == 200
        assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_a_live_connection_wants_the_token_also_as_a_subprotocol(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels(), token="secret")
    async with serving(app) as address:
        async with websockets.connect(f"ws://{address}/v1/alerts") as live:
            await live.wait_closed()
            assert (live.close_code, live.close_reason) == (4401, "a bearer token is needed")
        token = base64.urlsafe_b64encode(b"secret").decode().rstrip("=")
        names = [websockets.Subprotocol("kua.v1"), websockets.Subprotocol(f"bearer.{token}")]
        async with websockets.connect(f"ws://{address}/v1/alerts", subprotocols=names) as live:
            assert live.subprotocol == "kua.v1"
            assert json.loads(await live.recv()) == {"type": "hello", "version": 1, "seq": 0}


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"Host": "evil.example"}, "host name 'evil.example' is not served here; set KUA_ALLOWED_HOSTS to allow it"),
        (
            {"Origin": "https://evil.example"},
            "pages of https://evil.example may not call this service; set KUA_ALLOWED_ORIGINS to allow it",
        ),
    ],
)
async def test_without_a_token_foreign_pages_are_refused(tmp_path: Path, headers: dict[str, str], error: str) -> None:
    async with serving(make_app(tmp_path, SilentModels())) as address, httpx.AsyncClient() as client:
        reply = await client.get(f"http://{address}/v1/sessions", headers=headers)
        assert (reply.status_code, reply.json()) == (403, {"error": error})


async def test_a_viewer_hears_of_a_call_its_alert_and_its_end_within_a_second(tmp_path: Path) -> None:
    models = SilentModels()
    app = make_app(tmp_path, models)
    models.llr = -6.0
    async with serving(app) as address, websockets.connect(f"ws://{address}/v1/alerts?after=0") as live:
        session = hear(app, "A call")
        started = await until(live, "session_started", session=session)
        assert (started["name"], started["source"], started["seq"]) == ("A call", "test", 1)
        raised = await until(live, "alert", session=session)
        assert (raised["kind"], raised["seq"]) == ("raised", 2)
        assert raised["models"] == DIGESTS | {"decision": app.state.service.desk.policy.model.digest}
        assert [s["signal"] for s in raised["signals"]] == ["voice"]  # type: ignore[union-attr, index]
        app.state.service.desk.close_all("hung up")
        ended = await until(live, "session_ended", session=session)
        assert (ended["state"], ended["cause"], ended["seq"]) == ("spoof", "hung up", 3)


async def test_whoever_connects_again_misses_nothing_and_hears_nothing_twice(tmp_path: Path) -> None:
    models = SilentModels()
    models.llr = -6.0
    app = make_app(tmp_path, models)
    async with serving(app) as address:
        async with websockets.connect(f"ws://{address}/v1/alerts?after=0") as live:
            session = hear(app, "A call")
            seen = [await until(live, "session_started")]
        while len(await app.state.service.store.after(0)) < 2:
            await asyncio.sleep(0.02)
        app.state.service.desk.close_all("hung up")
        async with websockets.connect(f"ws://{address}/v1/alerts?after={seen[-1]['seq']}") as live:
            seen += [await until(live, "alert"), await until(live, "session_ended")]
        assert [event["seq"] for event in seen] == [1, 2, 3]
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            assert (await client.get("/v1/events")).json() == seen
            timeline = (await client.get(f"/v1/sessions/{session}/timeline")).json()
            assert [reading["time_s"] for reading in timeline["readings"]][:3] == [4.0, 4.5, 5.0]
            assert (await client.get("/v1/sessions/nobody/timeline")).status_code == 404


async def test_server_sent_events_carry_the_same_and_go_on_after_the_last_event_id(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        for name in ("One", "Two"):
            app.state.service.desk.open(source="test", name=name)
        while len(await app.state.service.store.after(0)) < 2:
            await asyncio.sleep(0.02)
        async with client.stream("GET", "/v1/alerts/stream?after=0", headers={"Last-Event-ID": "1"}) as reply:
            lines = reply.aiter_lines()
            got = [line async for line in _first(lines, 5)]
        assert got[0].startswith('data: {"type":"hello"')
        assert got[2] == "id: 2"
        assert json.loads(got[3].removeprefix("data: "))["name"] == "Two"


async def _first(lines: AsyncIterator[str], n: int) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        n -= 1
        if not n:
            return


async def test_a_call_that_was_cut_short_by_a_kill_is_ended_at_the_next_start(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels())
    async with serving(app):
        service: Service = app.state.service
        service.desk.open(source="test", name="Cut short")
        while not await service.store.after(0):
            await asyncio.sleep(0.02)
        service.desk._running.clear()  # as a kill would: no end is written
    async with serving(make_app(tmp_path, SilentModels())) as address, httpx.AsyncClient() as client:
        events = []
        while len(events) < 2:
            events = (await client.get(f"http://{address}/v1/events")).json()
            await asyncio.sleep(0.02)
        assert [(e["type"], e.get("cause")) for e in events] == [
            ("session_started", None),
            ("session_ended", "service stopped"),
        ]
        snapshot = (await client.get(f"http://{address}/v1/sessions")).json()
        assert [(s["name"], s["state"], bool(s["ended_at"])) for s in snapshot["sessions"]] == [
            ("Cut short", "undecided", True)
        ]


async def test_what_a_person_found_of_an_alert_is_kept_told_and_counted_also_after_a_restart(tmp_path: Path) -> None:
    models = SilentModels()
    models.llr = -6.0
    app = make_app(tmp_path, models)
    async with (
        serving(app) as address,
        websockets.connect(f"ws://{address}/v1/alerts?after=0") as live,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        fresh = (await client.get("/v1/promise")).json()
        assert (fresh["promise_hours"], [c["channel"] for c in fresh["channels"]]) == (100, ["wideband", "telephone"])
        hear(app, "A call", end_s=40)
        raised = await until(live, "alert", kind="raised")
        assert raised["promise_hours"] == 100
        said = {"label": "false_alert", "by": "Aigerim", "note": "the customer came to the branch"}
        reply = await client.post(f"/v1/alerts/{raised['id']}/label", json=said)
        assert (reply.status_code, reply.json()["alert"]) == (200, raised["id"])
        told = await until(live, "label")
        assert told == reply.json()
        assert {name: told[name] for name in said} == said
        unknown = await client.post("/v1/alerts/nothing/label", json=said)
        assert (unknown.status_code, unknown.json()) == (404, {"error": "alert 'nothing' is not known"})
        wrong = await client.post(f"/v1/alerts/{raised['id']}/label", json={"label": "maybe"})
        assert wrong.status_code == 422
        app.state.service.desk.close_all("hung up")
        ended = await until(live, "session_ended")
        assert ended["call_s"] == ended["speech_s"] + sum(ended["speech_missed_s"].values()) > 4  # type: ignore[operator, attr-defined]
        assert [s["signal"] for s in ended["signals"] if s["analysed_s"]] == ["voice"]  # type: ignore[attr-defined, index]
    async with serving(make_app(tmp_path, models)) as address, httpx.AsyncClient() as client:
        channels = (await client.get(f"http://{address}/v1/promise")).json()["channels"]
        wideband = next(c for c in channels if c["channel"] == "wideband")
        assert (wideband["alerts"], wideband["false_alerts"], wideband["open_alerts"]) == (1, 1, 0)
        assert wideband["call_hours"] > 0
        assert wideband["standing"] == "broken"  # one false alert in seconds


async def test_a_full_service_says_so_and_when_to_ask_again(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels(), max_sessions=1)
    async with serving(app) as address, websockets.connect(f"ws://{address}/v1/ingest") as one:
        hello = json.dumps(
            {"type": "hello", "version": 1, "audio": {"codec": "pcm_s16le", "rate_hz": 16000, "channels": 1}}
        )
        await one.send(hello)
        assert json.loads(await one.recv())["type"] == "welcome"
        async with websockets.connect(f"ws://{address}/v1/ingest") as two:
            await two.send(hello)
            await two.wait_closed()
            assert two.close_code == 4503


async def test_metrics_name_device_batches_and_latency(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels())
    async with serving(app) as address, httpx.AsyncClient() as client:
        hear(app, "A call", end_s=8)
        while app.state.service.batcher.stats.windows < 5:
            await asyncio.sleep(0.02)
        text = (await client.get(f"http://{address}/metrics")).text
        decision = app.state.service.desk.policy.model.digest
        assert (
            f'kua_info{{decision="{decision}",device="cpu:test",face="ffffffffffff",voice="eeeeeeeeeeee"}} 1.0' in text
        )
        assert "kua_calls 1.0" in text
        assert 'kua_batch_latency_seconds{quantile="0.99"}' in text
