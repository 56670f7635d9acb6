"""Active checks against people and attackers who call the real way: `python tests/bench/bench_checks.py --runs 2`.

Starts the real service on loopback. People and attackers of the laboratory call it as WebRTC peers, are asked by the
API as an agent would, and answer what was drawn then. One line of JSON for each check and caller: the outcomes.
Needs ../shared/data.
"""

import argparse
import asyncio
import fractions
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from itertools import product
from pathlib import Path

import av
import httpx
import numpy as np
from aiortc import MediaStreamTrack
from bench_calls import service

from models.challenge import MODALITY, Challenge, ChallengeKind, Step, draw
from models.faces import FaceFinder
from models.training import challenge_sounds
from models.training.challenge_lab import OF_LAB, portraits, voices
from models.training.challenge_people import REST_S, Behaviour, Sitter, film
from models.training.challenge_sounds import Speaker
from models.training.voice_codecs import resample
from models.window import SAMPLE_RATE_HZ, Pixels, Samples, Signal
from stream.whip_client import publish

DATA = Path(__file__).parents[3] / "shared" / "data"
RATE_HZ, CLOCK_HZ = 10, 90_000
SOUND_HZ, PACKET = 48_000, 960
BEFORE_S = 9.0
"""Before anything is asked."""
ROOM = 0.0005
"""A silent room, as a root mean square of full scale."""


class Film(MediaStreamTrack):
    """Somebody before a camera: idle until asked, then what `act` gave."""

    kind = "video"

    def __init__(self, idle: Callable[[float], Pixels]) -> None:
        super().__init__()
        self._picture, self._n, self._start_s, self._asked_s = idle, 0, time.monotonic(), float("inf")

    def act(self, picture: Callable[[float], Pixels]) -> None:
        """Begin to do something: `picture` gives it from `REST_S` on."""
        self._picture, self._asked_s = picture, self._n / RATE_HZ

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(max(self._start_s + self._n / RATE_HZ - time.monotonic(), 0))
        time_s = self._n / RATE_HZ
        since_s = time_s - self._asked_s
        at_s = REST_S + since_s if since_s >= 0 else REST_S * abs(time_s / REST_S % 2 - 1)
        rgb = await asyncio.to_thread(self._picture, at_s)
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
        frame.pts, frame.time_base = self._n * CLOCK_HZ // RATE_HZ, fractions.Fraction(1, CLOCK_HZ)
        self._n += 1
        return frame


class Sound(MediaStreamTrack):
    """Somebody before a microphone: talks until asked, then what `act` gave."""

    kind = "audio"

    def __init__(self, idle: Samples) -> None:
        super().__init__()
        self._rest, self._next = resample(idle, SAMPLE_RATE_HZ, SOUND_HZ), 0
        self._n, self._start_s = 0, time.monotonic()

    def act(self, samples: Samples) -> None:
        """Begin to say something else."""
        self._rest, self._next = resample(samples, SAMPLE_RATE_HZ, SOUND_HZ), 0

    async def recv(self) -> av.AudioFrame:
        await asyncio.sleep(max(self._start_s + self._n * PACKET / SOUND_HZ - time.monotonic(), 0))
        part = np.take(self._rest, np.arange(self._next, self._next + PACKET), mode="wrap")
        frame = av.AudioFrame.from_ndarray(
            (np.clip(part, -1, 1) * 32767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = SOUND_HZ, self._n * PACKET, fractions.Fraction(1, SOUND_HZ)
        self._next += PACKET
        self._n += 1
        return frame


async def outcome(
    url: str, kind: ChallengeKind, track: Film | Sound, act: Callable[[Challenge], object], *, listens: bool = False
) -> str:
    """Call, be asked, do it; return what the service says came of it. Who listens is silent while they are asked."""
    call = await publish(url, [track], name="bench")
    session = call.resource.rsplit("/", 1)[-1]
    try:
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            await asyncio.sleep(BEFORE_S)
            if listens and isinstance(track, Sound):
                track.act(np.random.default_rng(0).normal(0, ROOM, SAMPLE_RATE_HZ).astype(np.float32))
                await asyncio.sleep(0.5)
            asked = (await client.post(f"/v1/sessions/{session}/checks", json={"kind": kind})).json()
            drawn = Challenge(kind=kind, steps=tuple(map(Step, asked["steps"])), code=asked["code"])
            track.act(await asyncio.to_thread(act, drawn))  # type: ignore[arg-type]  # each act fits its track
            for _ in range(60):
                await asyncio.sleep(0.5)
                events = (await client.get(f"/v1/events?after=0&session={session}")).json()
                if found := [event["outcome"] for event in events if event["type"] == "check"]:
                    return str(found[0])
    finally:
        await call.close()
    raise TimeoutError(f"no answer to {kind}")


async def face_run(url: str, kind: ChallengeKind, who: Behaviour, sitters: list[Sitter], seed: list[int]) -> str:
    """Return the outcome of one check of the face."""
    rng = np.random.default_rng(seed)
    first, second = rng.permutation(len(sitters))[:2]
    sitter, other = sitters[first], sitters[second]
    idle = film(who, sitter, other, Challenge(kind=kind, steps=()), rng)
    return await outcome(url, kind, Film(idle), lambda drawn: film(who, sitter, other, drawn, rng))


async def voice_run(url: str, kind: ChallengeKind, who: Speaker, spoken: list[Samples], seed: list[int]) -> str:
    """Return the outcome of one check of the voice."""
    rng = np.random.default_rng(seed)
    speech, cut = spoken[int(rng.integers(len(spoken)))], round(challenge_sounds.REST_S * SAMPLE_RATE_HZ)
    # Before they are asked, whatever it will be.
    idle = challenge_sounds.sound(who, speech, draw(kind, random.Random(0)), rng)[:cut]
    act: Callable[[Challenge], Samples] = lambda drawn: challenge_sounds.sound(who, speech, drawn, rng)[cut:]  # noqa: E731
    return await outcome(url, kind, Sound(idle), act, listens=who is not Speaker.REPLAY)


async def run(kinds: list[ChallengeKind], runs: int, at_once: int, seed: int) -> None:
    """Make all calls, some at a time, and print the outcomes."""
    rng = random.Random(seed)
    sitters = [sitter for _, sitter in portraits(DATA, 20, rng, FaceFinder())]
    spoken = [speech for _, speech in voices(DATA, 20, rng)]
    places = asyncio.Semaphore(at_once)
    with service() as (url, _):

        async def one(kind: ChallengeKind, who: Behaviour | Speaker, i: int) -> str:
            own = [seed, i, *kind.encode(), *who.encode()]
            async with places:
                if isinstance(who, Behaviour):
                    return await face_run(url, kind, who, sitters, own)
                return await voice_run(url, kind, who, spoken, own)

        for kind in kinds:
            whos: list[Behaviour | Speaker] = [*(Behaviour if MODALITY[kind] is Signal.FACE else Speaker)]
            plan = list(product(whos, range(runs)))
            found = await asyncio.gather(*(one(kind, who, i) for who, i in plan))
            for who in whos:
                counts = Counter(said for (whose, _), said in zip(plan, found, strict=True) if whose is who)
                print(json.dumps({"check": kind, "who": who, "runs": runs, "outcomes": counts}), flush=True)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--kinds", nargs="*", type=ChallengeKind, default=[kind for kind in OF_LAB if kind is not ChallengeKind.LAMP]
    )
    parser.add_argument("--runs", type=int, default=2, help="calls of each kind and caller")
    parser.add_argument("--at-once", type=int, default=2, help="calls at a time")
    parser.add_argument("--seed", type=int, default=3)
    args = parser.parse_args()
    asyncio.run(run(args.kinds, args.runs, args.at_once, args.seed))


if __name__ == "__main__":
    main()
