"""What a voice costs: the demonstration's voices, packet by packet, through windows, speech, quality and network.

Every hop of a call is new sound and makes one window. What is kept of the pieces that it shares with the window before
is kept here as in a call; between calls nothing is shared.
"""

from collections.abc import Sequence
from typing import Protocol

import av
import numpy as np

from models.voice_quality import VoiceQuality
from models.window import (
    HOP_S,
    HOP_SAMPLES,
    SAMPLE_RATE_HZ,
    WINDOW_PIECES,
    Batch,
    Samples,
    Score,
    VoiceWindow,
)
from stream.bench import Cost, Result, require_judged, result, start_anew
from stream.demo import SOUND_HZ, load_voices
from stream.events import AudioFrame
from stream.ingest.resample import SoundTrack
from stream.windower import AudioWindower

PARTS = {
    "cut": "cutting windows",
    "quality": "speech and quality",
    "blocks": "blocks that windows share",
    "window": "spectral network and fusion",
}
PACKET_SAMPLES = 320
SHIFT_SAMPLES = 7_919
"""How much later in its voice each call begins than the one before: a prime, so that none repeats another."""


class VoiceScorer(Protocol):
    """Measures windows and scores them."""

    def qualities(self, windows: Sequence[VoiceWindow]) -> list[VoiceQuality]:
        """Return what is measured of each window's sound."""

    def score(self, batch: Batch) -> Sequence[Score]:
        """Return one score for each window."""


class _VoiceCall:
    """One call in which a voice speaks without end."""

    def __init__(self, voice: Samples, start: int) -> None:
        self._voice = voice
        self._start = start
        self._n = 0
        self._windower = AudioWindower()

    def hear(self) -> list[VoiceWindow]:
        """Take the packets of a hop; return the windows that they close."""
        windows = []
        for n in range(self._n, self._n + HOP_SAMPLES, PACKET_SAMPLES):
            place = np.arange(self._start + n, self._start + n + PACKET_SAMPLES) % len(self._voice)
            windows += self._windower.push(AudioFrame(start_s=n / SAMPLE_RATE_HZ, samples=self._voice[place]))
        self._n += HOP_SAMPLES
        return windows


def measure(detector: VoiceScorer, calls: int, seconds: float) -> Result:
    """Measure the voice signal of calls in which one party speaks, their windows scored together.

    Args:
        detector: Measures and scores windows.
        calls: How many go on at a time.
        seconds: Measured of each, after the first windows [s].
    """
    voices = _voices()
    group = [_VoiceCall(voices[i % len(voices)], i * SHIFT_SAMPLES) for i in range(calls)]
    costs = {name: Cost() for name in ("cut", "quality", "new", "again")}
    n_before = WINDOW_PIECES + 1
    n_hops = max(1, round(seconds / HOP_S))
    for index in range(n_before + n_hops):
        if index == n_before:
            start_anew(costs.values())
        with costs["cut"].spent():
            windows = [window for call in group for window in call.hear()]
        with costs["quality"].spent():
            detector.qualities(windows)
        # Scored twice: what was computed of a block is kept, so the second time costs the window's own part alone.
        for name in ("new", "again"):
            with costs[name].spent():
                require_judged(detector.score(tuple(windows)))
    parts = (costs["cut"], costs["quality"], costs["new"].minus(costs["again"]), costs["again"])
    return result(calls, n_hops * HOP_S, dict(zip(PARTS, parts, strict=True)))


def _voices() -> list[Samples]:
    """Return the demonstration's voices as a call delivers them."""
    voices = []
    for sound in load_voices():
        frame = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
        frame.sample_rate = SOUND_HZ
        track = SoundTrack(tolerance_s=HOP_S)
        heard = [*track.take(frame, 0.0), *track.flush()]
        voices.append(np.concatenate([media.samples for media in heard if isinstance(media, AudioFrame)]))
    return voices
