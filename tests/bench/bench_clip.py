"""How long a forwarded clip of a minute takes: 1280x720 at 30 pictures a second with speech, through the whole way.

    python tests/bench/bench_clip.py

The upload is decoded in its own process and judged by the real detector, on all cores. One JSON line is printed.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
from models.detector import Detector
from models.engine import Engine
from stream import demo
from stream.forwarded.clips import Clips
from stream.policy import Policy
from stream.scope import Scope

SECONDS, RATE_HZ = 60, 30


def write(path: Path) -> None:
    """Write the demonstration as a clip."""
    portrait, (genuine, forged) = demo.load_portrait(), demo.load_voices()
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=RATE_HZ, options={"preset": "ultrafast"})
        pictures.width, pictures.height, pictures.pix_fmt = 1280, 720, "yuv420p"
        sound = container.add_stream("aac", rate=demo.SOUND_HZ, layout="mono")
        for i in range(SECONDS * RATE_HZ):
            time_s = i / RATE_HZ
            picture = portrait.picture(time_s, demo.is_spoof(time_s))
            frame = av.VideoFrame.from_ndarray(cv2.resize(picture, (1280, 720)), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, RATE_HZ)
            container.mux(pictures.encode(frame))
        for n in range(0, SECONDS * demo.SOUND_HZ, 960):
            voice = forged if demo.is_spoof(n / demo.SOUND_HZ) else genuine
            samples = voice[np.arange(n, n + 960) % len(voice)][None]
            heard = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = demo.SOUND_HZ, n, Fraction(1, demo.SOUND_HZ)
            container.mux(sound.encode(heard))
        for stream in (pictures, sound):
            container.mux(stream.encode(None))


async def parts(path: Path) -> AsyncIterator[bytes]:
    """Yield the bytes of a file."""
    yield await asyncio.to_thread(path.read_bytes)


async def main() -> None:
    """Print one JSON line."""
    detector = Detector(Engine("auto", os.cpu_count() or 1))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "clip.mp4"
        write(path)
        clips = Clips(Path(name) / "clips", detector, Policy(), max_bytes=1_000_000_000)
        began = time.perf_counter()
        found = await clips.add("clip.mp4", parts(path), Scope())
        while found.state in ("waiting", "running"):
            await asyncio.sleep(0.05)
            found = clips.get(found.id, Scope()) or found
        took_s = time.perf_counter() - began
        await clips.close()
    answer = found.answer
    print(
        json.dumps(
            {"clip_s": SECONDS, "took_s": round(took_s, 1), "state": answer and answer.state, "error": found.error}
        )
    )


if __name__ == "__main__":
    asyncio.run(main())
