"""A call without a camera: a portrait that moves like a webcam picture and speaks; after a while both are machine-made.

The portrait is NASA's of astronaut Eileen Collins (public domain), from the scikit-image package. The forged stretch is
the same portrait blended with an altered copy of itself, as a face swap would be: nobody else's face is shown.
The genuine voice says "go forward ten meters" for CMU Sphinx (BSD licence), from the pocketsphinx package. The other
one was synthesised with flite 2.2 and its voice slt (BSD licence), and is kept beside this file.
Both forgeries were chosen because the detectors find them: it shows the way from a call to an alert, not their skill.
"""

import asyncio
import fractions
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from models import weights
from models.demo_face import blend_face
from models.faces import FaceFinder
from models.window import SAMPLE_RATE_HZ, Pixels
from stream.errors import MediaError
from stream.whip_client import publish

WIDTH_PX, HEIGHT_PX, RATE_HZ = 640, 480, 25
SPOOF_FROM_S, SPOOF_TO_S = 12.0, 34.0
VIDEO_CLOCK_HZ = 90_000
SOUND_HZ, PACKET_SAMPLES = 48_000, 960
Sound = npt.NDArray[np.int16]
"""Mono at SOUND_HZ, shape (S,)."""
FORGED_VOICE = Path(__file__).with_name("demo_voice.ogg")
FACE_CENTRE = np.array([225.0, 115.0])
"""In the portrait [px]."""


def is_spoof(time_s: float) -> bool:
    """Tell whether the demonstration is forged at a moment."""
    return SPOOF_FROM_S <= time_s < SPOOF_TO_S


@dataclass(frozen=True, slots=True)
class Portrait:
    """Genuine and forged pictures of one face before a room, moved by code.

    Args:
        genuine: RGB, shape (H, W, 3).
        forged: The same with its face blended.
        noise: A few fields of sensor noise, shape (N, HEIGHT_PX, WIDTH_PX, 3), int8.
    """

    genuine: Pixels
    forged: Pixels
    noise: npt.NDArray[np.int8]

    def picture(self, time_s: float, forged: bool) -> Pixels:
        """Return the camera's picture at a moment: the head sways, nears and turns a little."""
        zoom = 1.5 + 0.05 * np.sin(0.9 * time_s)
        turn = 0.035 * np.sin(0.7 * time_s + 1)
        cosine, sine = zoom * np.cos(turn), zoom * np.sin(turn)
        goal = np.array([WIDTH_PX / 2 + 24 * np.sin(1.3 * time_s), 158 + 5 * np.sin(2.1 * time_s)])
        matrix = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0]])
        matrix[:, 2] = goal - matrix[:, :2] @ FACE_CENTRE
        source = self.forged if forged else self.genuine
        moved = cv2.warpAffine(
            source, matrix, (WIDTH_PX, HEIGHT_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        noise = self.noise[int(time_s * RATE_HZ) % len(self.noise)]
        return np.asarray(np.clip(moved.astype(np.int16) + noise, 0, 255), np.uint8)


def load_portrait() -> Portrait:
    """Fetch the portrait and forge its copy.

    Raises:
        WeightsError: The package that holds it cannot be had.
        MediaError: No face is found in it.
    """
    bgr = cv2.imread(str(weights.ensure("astronaut")))
    if bgr is None:
        raise MediaError("the demonstration's portrait cannot be decoded")
    genuine = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
    faces = FaceFinder().find(genuine)
    if not faces:
        raise MediaError("no face is found in the demonstration's portrait")
    noise = np.random.default_rng(0).normal(0, 3, (8, HEIGHT_PX, WIDTH_PX, 3)).astype(np.int8)
    return Portrait(genuine, blend_face(genuine, faces[0].landmarks), noise)


def load_voices() -> tuple[Sound, Sound]:
    """Return the genuine and the synthesised voice.

    Raises:
        WeightsError: The package that holds the genuine one cannot be had.
    """
    with av.open(str(FORGED_VOICE)) as container:
        forged = _at_48_khz(container.decode(audio=0))
    samples = np.frombuffer(weights.ensure("speech").read_bytes(), "<i2")[None]
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE_HZ
    return _at_48_khz([frame]), forged


def _at_48_khz(frames: Iterable[av.AudioFrame]) -> Sound:
    resampler = av.AudioResampler("s16", "mono", SOUND_HZ)
    parts = [out.to_ndarray()[0] for frame in frames for out in resampler.resample(frame)]
    return np.concatenate(parts).astype(np.int16)


class VoiceTrack(MediaStreamTrack):
    """Both voices as a microphone, each over and over while its time lasts.

    Args:
        genuine: Of a person.
        forged: Synthesised.
        seconds: How long to speak [s].
    """

    kind = "audio"

    def __init__(self, genuine: Sound, forged: Sound, seconds: float) -> None:
        super().__init__()
        self._voices = genuine, forged
        self._seconds = seconds
        self._n = 0
        self._start_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        """Return the next 20 ms when their time has come."""
        self._start_s = self._start_s or time.monotonic()
        time_s = self._n * PACKET_SAMPLES / SOUND_HZ
        if time_s >= self._seconds:
            self.stop()
            raise MediaStreamError
        await asyncio.sleep(max(self._start_s + time_s - time.monotonic(), 0))
        voice = self._voices[is_spoof(time_s)]
        place = np.arange(self._n * PACKET_SAMPLES, (self._n + 1) * PACKET_SAMPLES) % len(voice)
        frame = av.AudioFrame.from_ndarray(voice[place][None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = SOUND_HZ, self._n * PACKET_SAMPLES
        frame.time_base = fractions.Fraction(1, SOUND_HZ)
        self._n += 1
        return frame


class PictureTrack(MediaStreamTrack):
    """The portrait as a camera."""

    kind = "video"

    def __init__(self, portrait: Portrait, seconds: float) -> None:
        super().__init__()
        self._portrait = portrait
        self._seconds = seconds
        self._n = 0
        self._start_s: float | None = None

    async def recv(self) -> av.VideoFrame:
        """Return the next picture when its time has come."""
        self._start_s = self._start_s or time.monotonic()
        time_s = self._n / RATE_HZ
        if time_s >= self._seconds:
            self.stop()
            raise MediaStreamError
        await asyncio.sleep(max(self._start_s + time_s - time.monotonic(), 0))
        frame = av.VideoFrame.from_ndarray(self._portrait.picture(time_s, is_spoof(time_s)), format="rgb24")
        frame.pts, frame.time_base = self._n * VIDEO_CLOCK_HZ // RATE_HZ, fractions.Fraction(1, VIDEO_CLOCK_HZ)
        self._n += 1
        return frame


def load_tracks(seconds: float) -> Sequence[MediaStreamTrack]:
    """Fetch what the demonstration shows and says.

    Raises:
        WeightsError, MediaError: It cannot be had.
    """
    return PictureTrack(load_portrait(), seconds), VoiceTrack(*load_voices(), seconds)


async def call(url: str, *, token: str, seconds: float, say: Callable[[str], None]) -> None:
    """Call a running service for a while and say what is being sent.

    Raises:
        SignallingError: The service refuses or cannot be reached.
    """
    tracks = await asyncio.to_thread(load_tracks, seconds)
    sent = await publish(url, tracks, token=token, name="Demonstration")
    say(f"calling; watch [bold]{url}/viewer[/]")
    try:
        started, was = time.monotonic(), None
        while (time_s := time.monotonic() - started) < seconds:
            forged = is_spoof(time_s)
            if forged != was:
                say(
                    f"{time_s:5.1f} s  "
                    + (
                        "[red]face and voice are machine-made now[/]"
                        if forged
                        else "[green]face and voice are genuine[/]"
                    )
                )
                was = forged
            await asyncio.sleep(0.1)
    finally:
        await sent.close()
    say("the call has ended")
