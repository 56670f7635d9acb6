"""The explanation of an alert over real HTTP: after the alert, kept like it, and a face's picture for viewers alone."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import torch
import websockets
from fastapi import FastAPI
from test_api import DIGESTS, serving, until

from models.audio_features import LogSpectrum
from models.calibration import Calibration
from models.explanation import Explanation, FaceExplanation
from models.faces import Detection
from models.voice_explain import ExplainedView, explain_voice
from models.window import (
    CROP_PX,
    HOP_SAMPLES,
    PICTURE_RATE_HZ,
    SAMPLE_RATE_HZ,
    Batch,
    FaceWindow,
    Pixels,
    Reason,
    Score,
    Signal,
    VoiceWindow,
    scored,
    unscored,
)
from stream.api.app import create_app
from stream.events import AudioFrame, Medium, VideoFrame
from stream.explainer import Explainable
from stream.ingest.wire import Packet, encode_packet
from stream.session import Session
from stream.settings import Settings

PICTURE = np.random.default_rng(5).integers(0, 255, (240, 320, 3), np.uint8)
LANDMARKS = np.array([[130, 90], [190, 90], [160, 120], [135, 150], [185, 150]], np.float32)
JPEG_MAGIC = b"\xff\xd8\xff"
GRID = np.array([[0.1, 0.2, 0.3], [0.4, 0.98765, 0.6]], np.float32)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, quick_decision: Path) -> None:
    monkeypatch.setenv("KUA_DECISION_FILE", str(quick_decision))


class FaceModels:
    """Sees one face in every picture and calls it forged; explains it when it is let."""

    def __init__(self) -> None:
        self.digests = dict(DIGESTS)
        self.longs: dict[Signal, dict[int, Calibration]] = {}
        self.may_explain = threading.Event()
        self.may_explain.set()
        self.grid = GRID
        self.fails = False

    def find_faces(self, picture: Pixels, near: Sequence[Detection] = ()) -> tuple[Detection, ...]:
        return (Detection(box=(100, 60, 120, 120), landmarks=LANDMARKS, confidence=1.0),)

    def score(self, batch: Batch) -> Sequence[Score]:
        return [
            scored(w, raw=-6.0, llr=-6.0, analysed_s=4.0)
            if isinstance(w, FaceWindow) and w.crops
            else unscored(w, Reason.LOST)
            for w in batch
        ]

    def explain(self, window: Explainable) -> Explanation:
        assert threading.current_thread() is not threading.main_thread()
        self.may_explain.wait(10)
        if self.fails:
            raise RuntimeError("the net broke")
        assert isinstance(window, FaceWindow)
        return FaceExplanation(crop=window.crops[min(2, len(window.crops) - 1)], spoof=self.grid)


class VoiceModels(FaceModels):
    """Sees no face, calls every voice forged, and goes by whatever is louder than the mean."""

    def find_faces(self, picture: Pixels, near: Sequence[Detection] = ()) -> tuple[Detection, ...]:
        return ()

    def score(self, batch: Batch) -> Sequence[Score]:
        return [
            scored(w, raw=-6.0, llr=-6.0, analysed_s=4.0) if isinstance(w, VoiceWindow) else unscored(w, Reason.LOST)
            for w in batch
        ]

    def explain(self, window: Explainable) -> Explanation:
        assert isinstance(window, VoiceWindow)
        samples = torch.from_numpy(window.samples)
        loudness = ExplainedView(
            front_end=LogSpectrum(), judge=lambda x, _: -torch.relu(x).square().sum(dim=(1, 2)), weight=1.0
        )
        return explain_voice(samples, [loudness], start_s=window.start_s)


async def speak(session: Session) -> None:
    """Let a call hiss for six seconds; from the third on it whistles at 6 kHz for half a second."""
    hiss = np.random.default_rng(3).normal(0, 0.02, 6 * SAMPLE_RATE_HZ)
    time_s = np.arange(len(hiss)) / SAMPLE_RATE_HZ
    whistle = 0.3 * np.sin(2 * np.pi * 6000 * time_s) * ((time_s >= 3) & (time_s < 3.5))
    for start in range(0, len(hiss), HOP_SAMPLES):
        part = (hiss + whistle)[start : start + HOP_SAMPLES].astype(np.float32)
        session.push(AudioFrame(start_s=start / SAMPLE_RATE_HZ, samples=part))
        await asyncio.sleep(0.05)


def make_app(folder: Path, models: FaceModels, **settings: object) -> FastAPI:
    settings.setdefault("keep_days", 0)
    return create_app(Settings(data_dir=folder, **settings), models, device="cpu:test", workers=1)  # type: ignore[arg-type]


async def show(session: Session, end_s: float = 6.0) -> None:
    """Let a call show its face for a while, faster than real time."""
    for i in range(int(end_s * PICTURE_RATE_HZ)):
        session.push(VideoFrame(time_s=i / PICTURE_RATE_HZ, pixels=PICTURE))
        await asyncio.sleep(0.01)


@asynccontextmanager
async def alerted(app: FastAPI, headers: dict[str, str] | None = None) -> AsyncIterator[tuple[str, dict[str, object]]]:
    """Serve a call until its explanation is told; yield the address and the explanation."""
    async with serving(app) as address:
        live_at = f"ws://{address}/v1/alerts?after=0"
        async with websockets.connect(live_at, additional_headers=headers) as live:
            await show(app.state.service.desk.open(source="test", name="A call"))
            yield address, await until(live, "explanation")


async def kept_events(client: httpx.AsyncClient, address: str) -> list[dict[str, Any]]:
    """Return the stored events but those that tell of kept evidence."""
    events = (await client.get(f"http://{address}/v1/events")).json()
    return [event for event in events if event["type"] != "evidence"]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def face_url(address: str, told: dict[str, object]) -> str:
    return f"http://{address}/v1/sessions/{told['session']}/alerts/{told['alert']}/face.jpg"


async def test_the_explanation_follows_its_alert_and_is_replayed_also_after_a_restart(tmp_path: Path) -> None:
    async with alerted(make_app(tmp_path, FaceModels(), keep_days=1)) as (address, told), httpx.AsyncClient() as client:
        events = await kept_events(client, address)
        assert [event["type"] for event in events] == ["session_started", "alert", "explanation"]
        assert events[2] == told
        assert (told["session"], told["alert"]) == (events[1]["session"], events[1]["id"])
        assert (told["track"], told["model"]) == (1, DIGESTS["face"])
        assert told["spoof"] == [[0.1, 0.2, 0.3], [0.4, 0.988, 0.6]]
        assert (told["start_s"], told["end_s"]) == (events[1]["time_s"] - 4, events[1]["time_s"])
        assert told["start_s"] <= told["time_s"] < told["end_s"]  # type: ignore[operator]
    async with serving(make_app(tmp_path, FaceModels(), keep_days=1)) as address, httpx.AsyncClient() as client:
        assert (await kept_events(client, address))[2] == told
        (call,) = (await client.get(f"http://{address}/v1/sessions")).json()["sessions"]
        assert (call["name"], call["state"]) == ("A call", "spoof")


async def test_an_alerted_voice_is_explained_by_when_and_at_which_pitch_also_after_a_restart(tmp_path: Path) -> None:
    app = make_app(tmp_path, VoiceModels(), keep_days=1)
    async with serving(app) as address, websockets.connect(f"ws://{address}/v1/alerts?after=0") as live:
        await speak(app.state.service.desk.open(source="test", name="A call"))
        told = await until(live, "voice_explanation")
        async with httpx.AsyncClient() as client:
            events = await kept_events(client, address)
            assert [event["type"] for event in events] == ["session_started", "alert", "voice_explanation"]
            assert events[2] == told
            assert (await client.get(face_url(address, told))).status_code == 404
    assert (told["session"], told["alert"]) == (events[1]["session"], events[1]["id"])
    assert (told["start_s"], told["end_s"]) == (events[1]["time_s"] - 4, events[1]["time_s"])
    assert (told["stretches"], told["model"]) == ([{"start_s": 3.0, "end_s": 3.5}], DIGESTS["voice"])
    assert told["band"]["low_hz"] < 6000 < told["band"]["high_hz"]  # type: ignore[index]
    energy, spoof = np.array(told["energy_db"]), np.array(told["spoof_percent"])
    assert energy.shape == spoof.shape
    assert (energy.max(), spoof.max()) == (0, 100)
    assert spoof.max(axis=1).argmax() == energy.max(axis=1).argmax()
    async with serving(make_app(tmp_path, VoiceModels(), keep_days=1)) as address, httpx.AsyncClient() as client:
        assert (await kept_events(client, address))[2] == told


async def test_of_the_sound_only_a_few_hundred_coarse_numbers_are_kept(tmp_path: Path) -> None:
    app = make_app(tmp_path, VoiceModels())
    async with serving(app) as address, websockets.connect(f"ws://{address}/v1/alerts?after=0") as live:
        await speak(app.state.service.desk.open(source="test", name="A call"))
        energy = np.array((await until(live, "voice_explanation"))["energy_db"])
    # 24 bands of 125 ms in nine steps: changes of loudness above 4 Hz, which speech is understood by, are gone.
    assert energy.shape[1] <= 4 * 8
    assert energy.size <= 768
    assert len(np.unique(energy)) <= 9


async def test_the_face_is_for_viewers_with_the_token_and_never_cached(tmp_path: Path) -> None:
    allowed = {"Authorization": "Bearer secret"}
    app = make_app(tmp_path, FaceModels(), token="secret")
    async with alerted(app, allowed) as (address, told), httpx.AsyncClient() as client:
        refused = await client.get(face_url(address, told))
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert (await client.get(face_url(address, told), headers={"Authorization": "Bearer x"})).status_code == 401
        foreign = await client.get(face_url(address, told), headers=allowed | {"Origin": "https://evil.example"})
        assert foreign.status_code == 403
        given = await client.get(face_url(address, told), headers=allowed)
        assert (given.status_code, given.headers["content-type"]) == (200, "image/jpeg")
        assert given.headers["cache-control"] == "no-store"
        assert given.headers["cross-origin-resource-policy"] == "same-origin"
        pixels = cv2.imdecode(np.frombuffer(given.content, np.uint8), cv2.IMREAD_COLOR)
        assert pixels.shape == (CROP_PX, CROP_PX, 3)


async def test_if_nothing_is_kept_no_file_holds_the_face_and_a_restart_forgets_it(tmp_path: Path) -> None:
    async with alerted(make_app(tmp_path, FaceModels())) as (address, told), httpx.AsyncClient() as client:
        assert (await client.get(face_url(address, told))).status_code == 200
        about = (await client.get(f"http://{address}/v1/about")).json()
        assert about["keep_faces_days"] == 0
        names = {path.name for path in files(tmp_path)}
        assert names <= {"kua.sqlite", "kua.sqlite-wal", "kua.sqlite-shm", "signing.pem"}
        assert all(JPEG_MAGIC not in path.read_bytes() for path in files(tmp_path))
    async with serving(make_app(tmp_path, FaceModels())) as address, httpx.AsyncClient() as client:
        gone = await client.get(face_url(address, told))
        assert (gone.status_code, gone.headers["cache-control"]) == (404, "no-store")
        assert gone.json() == {
            "error": f"no face is held of alert {told['alert']!r}: it never had one, or its time is over "
            "(KUA_KEEP_DAYS, KUA_KEEP_FACES)"
        }


async def test_a_kept_face_is_sealed_and_served_after_a_restart(tmp_path: Path) -> None:
    async with (
        alerted(make_app(tmp_path, FaceModels(), keep_days=0.5)) as (address, told),
        httpx.AsyncClient() as client,
    ):
        before = (await client.get(face_url(address, told))).content
        events = (await client.get(f"http://{address}/v1/events")).json()
        kept = [event["seq"] for event in events if event["type"] == "evidence" and event["kind"] == "face"]
        assert len(kept) == 1
        assert kept[0] < told["seq"]  # type: ignore[operator]  # whoever hears of the explanation can ask for it
    assert all(JPEG_MAGIC not in path.read_bytes() for path in files(tmp_path))
    app = make_app(tmp_path, FaceModels(), keep_days=0.5)
    async with serving(app) as address, httpx.AsyncClient() as client:
        assert (await client.get(face_url(address, told))).content == before
        assert (await client.get(f"http://{address}/v1/about")).json()["keep_faces_days"] == 0.5


async def test_an_alert_waits_for_no_explanation_and_a_call_that_ends_meanwhile_still_gets_its_own(
    tmp_path: Path,
) -> None:
    models = FaceModels()
    models.may_explain.clear()
    app = make_app(tmp_path, models)
    async with serving(app) as address, websockets.connect(f"ws://{address}/v1/alerts?after=0") as live:
        session = app.state.service.desk.open(source="test", name="A call")
        await show(session)
        raised = await until(live, "alert")
        session.close("hung up")
        ended = await until(live, "session_ended")
        models.may_explain.set()
        told = await until(live, "explanation")
        assert (told["alert"], told["seq"]) == (raised["id"], int(ended["seq"]) + 1)  # type: ignore[call-overload]
        async with httpx.AsyncClient() as client:
            assert (await client.get(face_url(address, told))).status_code == 200


@pytest.mark.parametrize("grid", [None, np.full((2, 2), np.nan, np.float32)])
async def test_an_explanation_that_fails_costs_neither_the_alert_nor_the_call(
    tmp_path: Path, grid: np.ndarray | None, capsys: pytest.CaptureFixture[str]
) -> None:
    models = FaceModels()
    models.fails = grid is None
    models.grid = GRID if grid is None else grid
    app = make_app(tmp_path, models)
    async with serving(app) as address, websockets.connect(f"ws://{address}/v1/alerts?after=0") as live:
        session = app.state.service.desk.open(source="test", name="A call")
        await show(session, 8.0)
        await until(live, "alert")
        later = await until(live, "verdict")
        assert (later["state"], len(app.state.service.desk)) == ("spoof", 1)
        session.close("hung up")
        await until(live, "session_ended")
        async with httpx.AsyncClient() as client:
            events = (await client.get(f"http://{address}/v1/events")).json()
    assert [event["type"] for event in events] == ["session_started", "alert", "session_ended"]
    assert "an alert stays unexplained" in capsys.readouterr().out


async def test_a_full_disk_costs_neither_the_alert_nor_its_explanation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("stream.alerts.evidence.Evidence._write", full)
    app = make_app(tmp_path, FaceModels(), keep_days=1)
    async with alerted(app) as (address, told), httpx.AsyncClient() as client:
        assert (await client.get(face_url(address, told))).status_code == 200
        assert len(app.state.service.desk) == 1


async def test_a_stop_keeps_the_explanation_that_is_being_made(tmp_path: Path) -> None:
    models = FaceModels()
    models.may_explain.clear()
    app = make_app(tmp_path, models, keep_days=1)
    async with serving(app) as address, websockets.connect(f"ws://{address}/v1/alerts?after=0") as live:
        session = app.state.service.desk.open(source="test", name="A call")
        session.on_close(lambda: threading.Timer(0.2, models.may_explain.set).start())
        await show(session)
        await until(live, "alert")
    async with serving(make_app(tmp_path, models, keep_days=1)) as address, httpx.AsyncClient() as client:
        events = await kept_events(client, address)
    assert [event["type"] for event in events] == ["session_started", "alert", "session_ended", "explanation"]


async def test_the_sender_of_an_alerted_call_hears_of_none_of_it(tmp_path: Path) -> None:
    app = make_app(tmp_path, FaceModels())
    jpeg = cv2.imencode(".jpg", PICTURE)[1].tobytes()
    async with (
        serving(app) as address,
        websockets.connect(f"ws://{address}/v1/alerts?after=0") as live,
        websockets.connect(f"ws://{address}/v1/ingest") as call,
    ):
        await call.send(json.dumps({"type": "hello", "version": 1, "video": {"codec": "jpeg"}}))
        for i in range(6 * PICTURE_RATE_HZ):
            time_us = i * 1_000_000 // PICTURE_RATE_HZ
            await call.send(encode_packet(Packet(medium=Medium.VIDEO, time_us=time_us, payload=jpeg, is_key=True)))
            await asyncio.sleep(0.02)
        told = await until(live, "explanation")
        assert json.loads(await call.recv())["type"] == "welcome"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call.recv(), 0.3)
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            for path in (f"/whip/{told['session']}", f"/whip/{told['session']}/face.jpg"):
                assert (await client.get(path)).status_code in (404, 405)
