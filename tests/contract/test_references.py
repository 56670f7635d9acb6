"""Somebody who agreed is enrolled from a recording, sealed, and compared with callers by the real networks."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import av
import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from test_api import SilentModels, make_app, serving
from test_store_chain import contents

from models.drift import Identity
from models.faces import Detection, FaceFinder
from models.training.voice_data import decode
from models.window import SAMPLE_RATE_HZ, Pixels, Samples
from stream import demo
from stream.api.admin_messages import Role
from stream.api.side_messages import ResemblanceMessage
from stream.events import AudioFrame, Likeness, VideoFrame

ROOT = Path(__file__).parents[2]
PASSPHRASE = "көк піл туралы"
SEALED = {"Kua-Passphrase": quote(PASSPHRASE)}


class SeeingModels(SilentModels):
    """As silent, but its eye for faces is the real one."""

    def __init__(self) -> None:
        super().__init__()
        self._finder = FaceFinder()

    def find_faces(self, picture: Pixels, near: Sequence[Detection] = ()) -> tuple[Detection, ...]:
        return self._finder.find(picture, near)


@pytest.fixture(scope="module")
def voices() -> dict[str, Samples]:
    genuine, _ = demo.load_voices()
    known = genuine[::3].astype(np.float32) / 32768
    return {"known": known, "other": decode(ROOT / "stream" / "demo_voice.ogg")}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory, voices: dict[str, Samples]) -> bytes:
    """Eight seconds of the portrait and the genuine voice, as a phone would record them."""
    path, portrait = tmp_path_factory.mktemp("enrol") / "known.mp4", demo.load_portrait()
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = demo.WIDTH_PX, demo.HEIGHT_PX, "yuv420p"
        audio = out.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
        for i in range(80):
            out.mux(video.encode(av.VideoFrame.from_ndarray(portrait.picture(i / 10, forged=False), format="rgb24")))
        out.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(np.resize(voices["known"], 8 * SAMPLE_RATE_HZ)[None], "fltp", "mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        out.mux([*audio.encode(frame), *audio.encode(None)])
    return path.read_bytes()


async def enrol(client: httpx.AsyncClient, recording: bytes, **person: str) -> str:
    made = (await client.post("/v1/people", json={"name": "Ерлан"} | person)).json()
    path = f"/v1/people/{made['id']}/reference?consent=true"
    reply = await client.put(path, content=recording, headers=SEALED, timeout=60)
    assert reply.status_code == 200, reply.text
    assert reply.json()["voice_s"] > 5
    assert reply.json()["face_s"] > 3
    return str(made["id"])


async def compared(
    app: FastAPI, client: httpx.AsyncClient, person: str, sound: Samples, *, mirrored: bool
) -> dict[Identity, ResemblanceMessage]:
    """Call with a voice and the portrait, upright or not the portrait at all; return what is said at the end."""
    session = app.state.service.desk.open(source="test", name="a call")
    chosen = {"person": person, "passphrase": PASSPHRASE}
    assert (await client.put(f"/v1/sessions/{session.id}/reference", json=chosen)).status_code == 204
    portrait = demo.load_portrait()
    for i in range(60):
        picture = portrait.picture(i / 5, forged=False)
        session.push(VideoFrame(time_s=i / 5, pixels=np.ascontiguousarray(picture[:, ::-1]) if mirrored else picture))
        begin = i * SAMPLE_RATE_HZ // 5
        part = np.resize(sound, 12 * SAMPLE_RATE_HZ)[begin : begin + SAMPLE_RATE_HZ // 5]
        session.push(AudioFrame(start_s=i / 5, samples=part.astype(np.float32)))
        await asyncio.sleep(0.04)
    async with asyncio.timeout(20):
        while True:
            snapshot = app.state.service.desk.snapshot()
            verdict = next(call.verdict for call in snapshot.sessions if call.session == session.id)
            found = {one.identity: one for one in verdict.likeness} if verdict else {}
            if len(found) == 2 and all(one.caller_s > 5 for one in found.values()):
                assert verdict
                assert verdict.compared_with == "Ерлан"
                return found
            await asyncio.sleep(0.1)


async def test_the_enrolled_voice_is_told_from_another_while_the_call_runs(
    tmp_path: Path, recording: bytes, voices: dict[str, Samples]
) -> None:
    app = make_app(tmp_path, SeeingModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        person = await enrol(client, recording)
        same = await compared(app, client, person, voices["known"], mirrored=False)
        other = await compared(app, client, person, voices["other"], mirrored=True)
        assert same[Identity.VOICE].likeness is Likeness.SAME
        assert same[Identity.FACE].likeness is Likeness.SAME
        assert other[Identity.VOICE].likeness is Likeness.OTHER
        assert other[Identity.FACE].likeness is Likeness.SAME, "a mirrored face is the same face"


async def test_what_is_kept_is_sealed_and_can_be_deleted(tmp_path: Path, recording: bytes) -> None:
    app = make_app(tmp_path, SilentModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        person = await enrol(client, recording)
        known = (await client.get("/v1/people")).json()
        assert known[0]["reference"]["consent"] == "2026-11"
        assert not list((tmp_path / "enrol").iterdir())
        kept = contents(tmp_path)
        assert all(b"seconds" not in content and PASSPHRASE.encode() not in content for content in kept)
        call = app.state.service.desk.open(source="test", name="a call")
        path = f"/v1/sessions/{call.id}/reference"
        wrong = [(await client.put(path, json={"person": person, "passphrase": f"guess {i}"})) for i in range(6)]
        assert [reply.status_code for reply in wrong] == [403] * 5 + [429]
        assert (await client.delete(f"/v1/people/{person}/reference")).status_code == 204
        assert (await client.delete(f"/v1/people/{person}/reference")).status_code == 404
        assert (await client.get("/v1/people")).json()[0]["reference"] is None


async def test_nobody_is_enrolled_without_consent_or_from_too_little(tmp_path: Path, recording: bytes) -> None:
    app = make_app(tmp_path, SilentModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        made = (await client.post("/v1/people", json={"name": "Ерлан"})).json()
        path = f"/v1/people/{made['id']}/reference"
        for query, headers, content, error in (
            ("", SEALED, recording, "must have agreed"),
            ("?consent=true", SEALED, b"no film" * 100, "the recording"),
            ("?consent=true", {"Kua-Passphrase": "short"}, recording, "got a passphrase of 5 characters"),
            ("?consent=true", {}, recording, "Kua-Passphrase"),
        ):
            reply = await client.put(path + query, headers=headers, content=content, timeout=60)
            assert (reply.status_code, error in reply.json()["error"]) == (422, True), reply.text
        assert (await client.get("/v1/people")).json()[0]["reference"] is None


async def test_a_banks_customer_is_known_to_all_its_agents_and_to_no_other_bank(
    tmp_path: Path, recording: bytes
) -> None:
    app = make_app(tmp_path, SilentModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        tokens = app.state.service.tokens
        aru, dana, other = [
            {"Authorization": f"Bearer {(await tokens.create(org, name, Role.ADMIN, by='test')).secret}"}
            for org, name in (("bank", "Aru"), ("bank", "Dana"), ("other", "Ben"))
        ]
        client.headers = httpx.Headers(aru)
        person = await enrol(client, recording, customer="C-1017")
        again = await client.post("/v1/people", json={"name": "Ерлан", "customer": "C-1017"})
        assert (again.status_code, again.json()["error"]) == (409, "customer 'C-1017' is known already")
        assert (await client.get("/v1/people", headers=dana)).json() == [], "a bank's customers are no list"
        found = (await client.get("/v1/people?customer=C-1017", headers=dana)).json()
        assert [one["id"] for one in found] == [person]
        assert (await client.get("/v1/people?customer=C-1017", headers=other)).json() == []
        assert (await client.delete(f"/v1/people/{person}", headers=other)).status_code == 404
        assert (await client.delete(f"/v1/people/{person}", headers=dana)).status_code == 204
