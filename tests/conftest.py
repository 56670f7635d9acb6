"""What tests of several rooms share: recordings made on the spot, a bright square that moves right and a tone."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from models.evidence import Bias, Fusion
from models.promise import TELEPHONE, WIDEBAND, DecisionModel, Thresholds, save
from models.window import Signal

TONE_HZ = 440
os.environ["LC_ALL"] = "C.UTF-8"  # tests read English, whoever runs them
PIXEL_FORMATS = {"mjpeg": "yuvj420p", "gif": "rgb8", "png": "rgb24"}

Record = Callable[..., Path]


@pytest.fixture(scope="session")
def round_model() -> DecisionModel:
    """Return a decision's model of round numbers: scores about 1 are genuine, about -1 forged; 100 h need 4 nat."""
    bias = Bias(
        mean=1.0,
        between=0.5,
        within=0.5,
        wander=0.2,
        worth=0.125,
        shift=2.0,
        shift_spread=0.7,
        change=2.0,
        change_spread=0.7,
    )
    thresholds = Thresholds(
        nats=(1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0),
        upper_nats=(2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0),
        measured_hours=30.0,
        proven_hours=2.0,
        sources=60,
        hours=300.0,
    )
    return DecisionModel(
        biases={Signal.FACE: {WIDEBAND: bias}, Signal.VOICE: {WIDEBAND: bias, TELEPHONE: bias}},
        fusion=Fusion(face=0.3, voice=0.3, both=0.3),
        thresholds={WIDEBAND: thresholds, TELEPHONE: thresholds},
        note="round numbers",
        models={},
    )


@pytest.fixture(scope="session")
def quick_decision(round_model: DecisionModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a decision file with which any forged window or two alert: for tests of what follows an alert."""
    lowest = replace(round_model.thresholds[WIDEBAND], nats=(0.1,) * 7, upper_nats=(0.1,) * 7)
    path = tmp_path_factory.mktemp("decision") / "quick.json"
    save(replace(round_model, thresholds={WIDEBAND: lowest, TELEPHONE: lowest}), path)
    return path


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Return a function that writes a recording and returns its path."""

    def write(
        name: str,
        *,
        seconds: float = 2.0,
        video: str = "",
        audio: str = "",
        fps: int = 30,
        rate_hz: int = 48_000,
        size: tuple[int, int] = (320, 240),
        silent_s: tuple[float, float] = (0.0, 0.0),
        **options: str,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", **options) as container:
            pictures = _stream(container, video, fps, size) if video else None
            sound = container.add_stream(audio, rate=rate_hz, layout="mono") if audio else None
            frames = [*(_pictures(seconds, fps, size) if video else ()), *(_tone(seconds, rate_hz) if audio else ())]
            for frame in sorted(frames, key=lambda frame: frame.time):
                stream = pictures if isinstance(frame, av.VideoFrame) else sound
                if not silent_s[0] <= frame.time < silent_s[1] or stream is pictures:
                    container.mux(stream.encode(frame))
            for stream in filter(None, (pictures, sound)):
                container.mux(stream.encode(None))
        return path

    return write


def _stream(container, codec: str, fps: int, size: tuple[int, int]) -> av.VideoStream:  # noqa: ANN001  # PyAV's own
    stream = container.add_stream(codec, rate=fps)
    stream.width, stream.height = size
    stream.thread_count = 1
    stream.pix_fmt = PIXEL_FORMATS.get(codec, "yuv420p")
    return stream


def _pictures(seconds: float, fps: int, size: tuple[int, int]) -> Iterator[av.VideoFrame]:
    width, height = size
    for i in range(round(seconds * fps)):
        pixels = np.zeros((height, width, 3), np.uint8)
        left = i * 4 % (width - 40)
        pixels[20:60, left : left + 40] = (200, 120, 60)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = i, Fraction(1, fps)
        yield frame


def _tone(seconds: float, rate_hz: int) -> Iterator[av.AudioFrame]:
    samples = (0.5 * np.sin(2 * np.pi * TONE_HZ / rate_hz * np.arange(round(seconds * rate_hz)))).astype(np.float32)
    for start in range(0, len(samples), 960):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 960], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
        yield frame
