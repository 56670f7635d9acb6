"""Forwarded clips over real HTTP: the answer that `check` gives, a sentence for hostile files, nothing left behind."""

import asyncio
import os
import signal
import struct
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from test_api import SilentModels, make_app, serving

from models.faces import Detection
from models.window import Pixels
from stream.api.admin_messages import Role
from stream.clip import check_clip
from stream.policy import Policy

Record = Any
SENTENCE_CHARS = 400


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, quick_decision: Path) -> None:
    monkeypatch.setenv("KUA_DECISION_FILE", str(quick_decision))


class SlowModels(SilentModels):
    """Looks at each picture for a while."""

    def find_faces(self, picture: Pixels, near: Sequence[Detection] = ()) -> tuple[Detection, ...]:
        import time

        time.sleep(0.05)
        return ()


@asynccontextmanager
async def open_service(
    folder: Path, models: SilentModels | None = None, **settings: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, FastAPI]]:
    app = make_app(folder, models or SilentModels(), **settings)
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as client:
        yield client, app
    assert list((folder / "clips").glob("*")) == []


async def checked(client: httpx.AsyncClient, path: Path, **more: Any) -> dict[str, Any]:
    """Upload a file and wait for its answer."""
    content = await asyncio.to_thread(path.read_bytes)
    sent = await client.post(f"/v1/clips?name={path.name}", content=content, **more)
    assert sent.status_code == 202, sent.text
    found: dict[str, Any] = sent.json()
    async with asyncio.timeout(60):
        while found["state"] in ("waiting", "running"):
            await asyncio.sleep(0.05)
            found = (await client.get(f"/v1/clips/{found['id']}", **more)).json()
    return found


async def test_a_clip_gets_the_answer_that_check_gives(tmp_path: Path, record: Record) -> None:
    path = record("clip.mp4", seconds=8, video="libx264", audio="aac")
    models = SilentModels()
    models.llr = -6.0
    async with open_service(tmp_path, models) as (client, app):
        policy: Policy = app.state.service.desk.policy
        found = await checked(client, path)
    same = check_clip(path, models, policy).verdict
    assert (found["state"], found["error"], found["progress"]) == ("done", "", 1.0)
    answer = found["answer"]
    assert (answer["state"], answer["first_alert_s"], answer["spoof_s"]) == ("spoof", same.first_alert_s, same.spoof_s)
    assert answer["evidence_nat"] == same.decision.evidence_nat
    assert answer["coverage"]["call_s"] == same.decision.coverage.call_s
    assert [signal["signal"] for signal in answer["signals"]] == [r.signal for r in same.decision.readings]
    assert (found["credentials"]["state"], found["is_truncated"], found["is_cut"]) == ("absent", False, False)
    assert found["duration_s"] == pytest.approx(8, abs=0.2)


async def test_a_clip_is_its_senders_alone_and_can_be_stopped(tmp_path: Path, record: Record) -> None:
    path = record("clip.mp4", seconds=20, video="libx264")
    async with open_service(tmp_path, SlowModels()) as (client, app):
        tokens = app.state.service.tokens
        keys = [(await tokens.create("default", n, Role.ADMIN, by="test")).secret for n in ("Aru", "Dana")]
        aru, dana = ({"Authorization": f"Bearer {key}"} for key in keys)
        sent = (await client.post("/v1/clips", content=path.read_bytes(), headers=aru)).json()
        place = f"/v1/clips/{sent['id']}"
        assert (await client.get(place, headers=dana)).status_code == 404
        assert (await client.delete(place, headers=dana)).status_code == 404
        progress = []
        while len(progress) < 3:
            progress.append((await client.get(place, headers=aru)).json()["progress"])
            await asyncio.sleep(0.3)
        assert progress == sorted(progress)
        assert 0 < progress[-1] < 1
        assert (await client.delete(place, headers=aru)).status_code == 204
        assert (await client.get(place, headers=aru)).status_code == 404
        async with asyncio.timeout(10):
            while os.listdir(tmp_path / "clips"):
                await asyncio.sleep(0.05)


async def test_too_much_is_refused_before_it_is_read(tmp_path: Path, record: Record) -> None:
    path = record("clip.mp4", seconds=10, video="libx264")
    async with open_service(tmp_path, SlowModels(), clip_mb=1) as (client, app):
        large = await client.post("/v1/clips", content=b"x" * 1_000_001)
        assert (large.status_code, large.json()) == (413, {"error": "the file has more than 1 MB"})
        assert list((tmp_path / "clips").glob("*")) == []
        assert app.state.service.clips._clips == {}
        sent = [(await client.post("/v1/clips", content=path.read_bytes())) for _ in range(5)]
        assert [reply.status_code for reply in sent] == [202] * 4 + [429]
        assert sent[-1].headers["retry-after"] == "20"


def png(width: int, height: int) -> bytes:
    """Return a picture of one colour that unpacks to gigabytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    row = zlib.compressobj(9)
    pixels = b"".join(row.compress(bytes(1 + width * 3)) for _ in range(min(height, 2000))) + row.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


async def test_hostile_files_are_answered_in_a_sentence_and_the_next_clip_is_checked(
    tmp_path: Path, record: Record
) -> None:
    good = record("good.mp4", seconds=5, video="libx264", audio="aac")
    whole = good.read_bytes()
    secret = tmp_path / "secret.txt"
    secret.write_text("do not read this")
    hostile: dict[str, bytes] = {
        "empty.mp4": b"",
        "text.mp4": b"hello " * 1000,
        "cut.mp4": whole[: len(whole) // 2],
        "noise.webm": os.urandom(100_000),
        "bomb.png": png(30_000, 30_000),
        "size.gif": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\xf7\x00\x00" + bytes(768) + b",",
        "list.m3u8": f"#EXTM3U\n#EXTINF:1,\n{secret.as_uri()}\n#EXT-X-ENDLIST\n".encode(),
        "concat.mp4": f"ffconcat version 1.0\nfile '{good}'\n".encode(),
        "page.mp4": b"<!doctype html><script>alert(1)</script>" + whole[40:],
        "zip.mp4": b"PK\x03\x04" + whole,
        "../../name.mp4": b"x",
    }
    async with open_service(tmp_path) as (client, _):
        for name, content in hostile.items():
            (tmp_path / "sent").write_bytes(content)
            sent = await client.post("/v1/clips", params={"name": name}, content=content)
            found = sent.json()
            async with asyncio.timeout(60):
                while found["state"] in ("waiting", "running"):
                    await asyncio.sleep(0.05)
                    found = (await client.get(f"/v1/clips/{found['id']}")).json()
            assert found["state"] == "failed", name
            assert 10 < len(found["error"]) < SENTENCE_CHARS, name
            assert "do not read this" not in str(found)
            assert str(tmp_path) not in found["error"], name
        assert (await checked(client, good))["state"] == "done"


async def test_ten_hours_of_silence_are_looked_at_for_ten_minutes(
    tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.forwarded.decode.MAX_SECONDS", 5.0)
    monkeypatch.setattr("stream.forwarded.decode.Decoding.__init__.__defaults__", (5.0,))
    path = record("long.ogg", seconds=60, audio="libopus")
    async with open_service(tmp_path) as (client, _):
        found = await checked(client, path)
    assert (found["state"], found["is_cut"], found["is_truncated"]) == ("done", True, False)
    assert found["answer"]["coverage"]["call_s"] < 7


async def test_a_decoder_that_is_killed_or_hangs_ends_its_own_clip_alone(
    tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record("clip.mp4", seconds=20, video="libx264")
    async with open_service(tmp_path, SlowModels()) as (client, app):
        for how, text in ((signal.SIGKILL, "within the limits of a check"), (signal.SIGSTOP, "its decoder hangs")):
            monkeypatch.setattr("stream.forwarded.decode.MAX_SILENCE_S", 1.0)
            sent = (await client.post("/v1/clips?name=clip.mp4", content=path.read_bytes())).json()
            clip = app.state.service.clips._clips[sent["id"]]
            while clip.progress < 0.02:
                await asyncio.sleep(0.02)
            os.kill(clip.examination.decoding._process.pid, how)
            async with asyncio.timeout(30):
                while clip.state == "running":
                    await asyncio.sleep(0.05)
            assert (clip.state, text in clip.error) == ("failed", True), clip.error
        monkeypatch.setattr("stream.forwarded.decode.MAX_SILENCE_S", 30.0)
        assert (await checked(client, path))["state"] == "done"
