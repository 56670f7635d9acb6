"""A check in a running call, through the routes and the real eye for faces: proposed, asked, judged, stored, told."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import websockets
from fastapi import FastAPI
from test_api import make_app, serving
from test_references import SeeingModels

from models import weights
from models.challenge import Challenge, ChallengeKind, Step
from models.faces import FaceFinder
from models.light_plan import LIGHT, STEP_S
from models.training.challenge_people import REST_S, Behaviour, Sitter, film
from models.window import SAMPLE_RATE_HZ, Pixels
from stream.api.app import Service
from stream.events import AudioFrame, VideoFrame

RATE_HZ = 5


@pytest.fixture(scope="module")
def sitter() -> Sitter:
    bgr = cv2.imread(str(weights.ensure("astronaut")))
    assert bgr is not None
    rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
    return Sitter.of(rgb, FaceFinder().find(rgb)[0])


async def feed(app: FastAPI, session: str, picture: Callable[[float], Pixels], from_s: float, to_s: float) -> None:
    """Send pictures and silence faster than they would come."""
    service: Service = app.state.service
    call = service.desk.running(session)
    assert call is not None
    for i in range(round(from_s * RATE_HZ), round(to_s * RATE_HZ)):
        time_s = i / RATE_HZ
        call.push(AudioFrame(start_s=time_s, samples=np.zeros(SAMPLE_RATE_HZ // RATE_HZ, np.float32)))
        call.push(VideoFrame(time_s=time_s, pixels=await asyncio.to_thread(picture, time_s)))
        await asyncio.sleep(0.03)


async def checked(app: FastAPI, address: str, sitter: Sitter, who: Behaviour) -> dict[str, Any]:
    """Ask somebody to turn the head; return the event that says what came of it."""
    rng = np.random.default_rng(4)
    session = app.state.service.desk.open(source="test", name="a call").id
    still = Challenge(kind=ChallengeKind.TURN, steps=())
    async with (
        httpx.AsyncClient(base_url=f"http://{address}", timeout=30) as client,
        websockets.connect(f"ws://{address}/v1/alerts?session={session}") as events,
    ):
        await feed(app, session, film(who, sitter, sitter, still, rng), 0, REST_S)
        path = f"/v1/sessions/{session}/checks"
        proposed = (await client.get(path)).json()
        assert 1 <= len(proposed["proposed"]) <= 3
        assert proposed["running"] is None
        asked = (await client.post(path, json={"kind": "turn"})).json()
        assert (await client.get(path)).json()["running"] == asked
        assert (await client.post(path, json={})).status_code == 409
        drawn = Challenge(kind=ChallengeKind.TURN, steps=tuple(map(Step, asked["steps"])))
        await feed(app, session, film(who, sitter, sitter, drawn, rng), REST_S, REST_S + drawn.seconds)
        async with asyncio.timeout(15):
            while (event := json.loads(await events.recv()))["type"] != "check":
                pass
        stored = (await client.get(f"/v1/events?after=0&session={session}")).json()
        assert [one for one in stored if one["type"] == "check"] == [event]
        assert event["id"] == asked["id"]
        app.state.service.desk.close(session, "over")
        assert (await client.post(path, json={})).status_code == 409
        return dict(event)


async def test_who_does_what_is_asked_is_told_from_who_does_not(tmp_path: Path, sitter: Sitter) -> None:
    app = make_app(tmp_path, SeeingModels())
    async with serving(app) as address:
        genuine, still = await asyncio.gather(
            checked(app, address, sitter, Behaviour.BONA_FIDE), checked(app, address, sitter, Behaviour.LIP_SYNC)
        )
    assert (genuine["outcome"], len(genuine["seen"])) == ("followed", 3)
    assert 0 < genuine["latency_s"] < 4
    assert genuine["asked_s"] < genuine["start_s"] < genuine["end_s"] <= genuine["asked_s"] + 10
    assert (still["outcome"], still["seen"], still["llr"]) == ("not_followed", [], 0)
    assert still["before_nat"] == still["after_nat"]


def lit(camera: Callable[[float], Pixels], code: str, late_s: float) -> Callable[[float], Pixels]:
    """Return what the camera sees if the colours of a plan fall on the face, 2 % of its brightness."""
    colours = LIGHT[[int(digit) for digit in code]] / LIGHT.mean()
    left, top, wide, high = FaceFinder().find(camera(0.0))[0].box
    mask = np.zeros(camera(0.0).shape[:2], np.float32)
    middle, half = (int(left + wide / 2), int(top + high / 2)), (int(0.6 * wide), int(0.65 * high))
    mask = cv2.GaussianBlur(cv2.ellipse(mask, middle, half, 0, 0, 360, 1.0, -1), (0, 0), 12)  # type: ignore[assignment]

    def picture(time_s: float) -> Pixels:
        step = int((time_s - REST_S - late_s) // STEP_S)
        if not 0 <= step < len(colours):
            return camera(time_s)
        shown = camera(time_s) * (1 + 0.02 * colours[step] * mask[..., None]) ** (1 / 2.2)  # light adds up linearly
        return np.asarray(np.clip(shown, 0, 255), np.uint8)

    return picture


async def test_the_light_of_a_screen_is_found_on_a_face_and_asked_for_only_over_our_link(
    tmp_path: Path, sitter: Sitter
) -> None:
    app = make_app(tmp_path, SeeingModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}", timeout=30) as client:
        desk = app.state.service.desk
        other = desk.open(source="test", name="not by our link").id
        refused = await client.post(f"/v1/sessions/{other}/checks", json={"kind": "light"})
        assert (refused.status_code, "only a page" in refused.json()["error"]) == (409, True)
        session = desk.open(source="test", name="by our link", is_invited=True).id
        still = Challenge(kind=ChallengeKind.TURN, steps=())
        camera = film(Behaviour.BONA_FIDE, sitter, sitter, still, np.random.default_rng(1))
        await feed(app, session, camera, 0, REST_S)
        async with websockets.connect(f"ws://{address}/v1/alerts?session={session}") as events:
            asked_s = time.monotonic()
            asked = (await client.post(f"/v1/sessions/{session}/checks", json={"kind": "light"})).json()
            shown = lit(camera, asked["code"], late_s=0.8)
            await feed(app, session, shown, REST_S, REST_S + asked["seconds"])
            async with asyncio.timeout(20):
                while (event := json.loads(await events.recv()))["type"] != "check":
                    pass
            assert time.monotonic() - asked_s < 15
    assert event["outcome"] == "followed"
    assert event["latency_s"] == pytest.approx(0.8, abs=0.3)


async def test_nobody_is_asked_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.checks.challenges.GRACE_S", -20.0)
    app = make_app(tmp_path, SeeingModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        session = app.state.service.desk.open(source="test", name="a call").id
        path, statuses = f"/v1/sessions/{session}/checks", []
        for kind in list(ChallengeKind)[:7]:
            statuses.append((await client.post(path, json={"kind": kind})).status_code)
            await asyncio.sleep(0.1)
        assert statuses == [201] * 6 + [409]
        outcomes = [e["outcome"] for e in (await client.get("/v1/events?after=0")).json() if e["type"] == "check"]
        assert outcomes == ["unseen"] * 6
