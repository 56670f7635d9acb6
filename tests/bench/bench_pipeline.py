"""The pipeline of calls that come the real way: `python tests/bench/bench_pipeline.py --out calls.jsonl`.

Starts the real service on loopback. Chromium, with a file in place of its camera, sends it the demonstration's moving
portrait as a camera would film it, and as attackers' programs would make it; and an aiortc peer forwards packets that
were encoded beforehand. After each call its stored end is read: one line of JSON for each, as `pipeline_fit` takes it.
Chromium's camera is no camera: what its clocks do says nothing of real ones, and is left out.
"""

import argparse
import asyncio
import json
import tempfile
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import httpx
import numpy as np
from bench_calls import PacketTrack, encode_pictures, encode_sound, service
from playwright.async_api import async_playwright

from models.training.pipeline_lab import Maker, made
from models.training.transcode import Timed
from models.traits import Trait
from stream import demo
from stream.whip_client import publish

CALL_S = 34.0
"""Long enough for every request that the service makes of a sender."""
CLIP_S, RATE_HZ = 10.0, 30
FACE = (200, 60, 240, 260)
"""Left, top, width, height of the portrait's face in the call's picture [px]."""
CLOCKS = {Trait.EVEN_CLOCK, Trait.CLOCK_RATE, Trait.CLOCKS_APART}
CHROMIUM = "/usr/bin/chromium"
CALL = """async () => {
  const media = await navigator.mediaDevices.getUserMedia(
    {audio: {autoGainControl: false}, video: {width: 640, height: 480, frameRate: 30}});
  const pc = window.pc = new RTCPeerConnection();
  media.getTracks().forEach((track) => pc.addTrack(track, media));
  await pc.setLocalDescription(await pc.createOffer());
  await new Promise((done) => setTimeout(done, 1000));
  const body = pc.localDescription.sdp, headers = {"Content-Type": "application/sdp"};
  const answer = await fetch("/whip?name=bench", {method: "POST", headers, body});
  await pc.setRemoteDescription({type: "answer", sdp: await answer.text()});
}"""


def write_camera(path: Path, pictures: Iterator[Timed]) -> None:
    """Write pictures as the raw video that Chromium takes for a camera."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{demo.WIDTH_PX} H{demo.HEIGHT_PX} F{RATE_HZ}:1 Ip C420jpeg\n".encode())
        for _, rgb in pictures:
            file.write(b"FRAME\n" + cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).tobytes())


def write_voice(path: Path) -> None:
    """Write the demonstration's genuine voice."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, demo.SOUND_HZ, 0, "NONE", ""))
        file.writeframes(demo.load_voices()[0].tobytes())


async def browser_call(url: str, camera: Path, voice: Path) -> None:
    """Have Chromium call the service for a while."""
    flags = [
        "--no-sandbox",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
        f"--use-file-for-fake-audio-capture={voice}",
    ]
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = await browser.new_page()
        await page.goto(url)
        await page.evaluate(CALL)
        await asyncio.sleep(CALL_S)
        await browser.close()


async def forwarded_call(url: str) -> None:
    """Send packets that were encoded beforehand, for a while."""
    pictures, sound = encode_pictures(), encode_sound()
    tracks = PacketTrack("audio", sound, 0.02, 48_000, 0), PacketTrack("video", pictures, 1 / 30, 90_000, 0)
    call = await publish(url, tracks, name="bench")
    await asyncio.sleep(CALL_S)
    await call.close()


async def traits_of_last(url: str) -> dict[str, float]:
    """Return the traits that the end of the newest call holds."""
    async with httpx.AsyncClient(base_url=url) as client:
        for _ in range(100):
            events = (await client.get("/v1/events?after=0")).json()
            ends = [event for event in events if event["type"] == "session_ended"]
            if len(ends) == sum(event["type"] == "session_started" for event in events):
                return {one["trait"]: round(one["value"], 4) for one in ends[-1]["pipeline"]}
            await asyncio.sleep(0.3)
    raise TimeoutError("the call did not end")


@contextmanager
def files(maker: Maker, rng: np.random.Generator) -> Iterator[tuple[Path, Path]]:
    """A camera's and a microphone's file."""
    portrait = demo.load_portrait()
    plain = demo.Portrait(portrait.genuine, portrait.forged, np.zeros_like(portrait.noise))
    clip = [(i / RATE_HZ, plain.picture(i / RATE_HZ, forged=False)) for i in range(round(CLIP_S * RATE_HZ))]
    with tempfile.TemporaryDirectory() as folder:
        camera, voice = Path(folder) / "camera.y4m", Path(folder) / "voice.wav"
        write_camera(camera, made(maker, clip, FACE, rng))
        write_voice(voice)
        yield camera, voice


async def run(out: Path, bona_fide: int, attacks: int) -> None:
    """Make the calls, one after the other, and write a line for each."""
    rng, makers = np.random.default_rng(5), [maker for maker in Maker if maker is not Maker.BONA_FIDE]
    plan = [Maker.BONA_FIDE] * bona_fide + makers * attacks
    with service() as (url, _), out.open("w") as file:
        for i, who in enumerate([*plan, *["forwarded"] * attacks]):
            started = time.monotonic()
            if isinstance(who, Maker):
                with files(who, rng) as (camera, voice):
                    await browser_call(url, camera, voice)
            else:
                await forwarded_call(url)
            traits = {trait: value for trait, value in (await traits_of_last(url)).items() if trait not in CLOCKS}
            line = {"signal": "call", "who": str(who), "source": f"bench {i}", "traits": traits}
            file.write(json.dumps(line) + "\n")
            file.flush()
            print(json.dumps(line | {"seconds": round(time.monotonic() - started, 1)}), flush=True)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="lines of JSON")
    parser.add_argument("--bona-fide", type=int, default=8, help="calls as of a camera")
    parser.add_argument("--attacks", type=int, default=1, help="calls of each attacker")
    args = parser.parse_args()
    asyncio.run(run(args.out, args.bona_fide, args.attacks))


if __name__ == "__main__":
    main()
