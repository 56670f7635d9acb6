"""Watches how the media of one WebRTC call are made, beside those who look at what they show.

Every decoded picture and sound frame passes here on its way. Nothing of it is kept but numbers.
"""

import av
import numpy as np

from models.pipeline_clock import ClockTraits
from models.pipeline_pictures import PictureTraits, luma_of
from models.pipeline_sound import SoundTraits
from models.traits import Trait
from stream.ingest.guard import TrackGuard
from stream.ingest.obedience import Obedience

TOLD_EVERY_S = 5.0
EIGHT_BITS = ("yuv420p", "yuvj420p")
"""What VP8 and H.264 of browsers decode to; other forms are not looked at."""


class PipelineTap:
    """Watches one call."""

    def __init__(self) -> None:
        self._pictures, self._sound, self._clocks = PictureTraits(), SoundTraits(), ClockTraits()
        self._obedience: Obedience | None = None
        self._told_s = 0.0

    def watch(self, guard: TrackGuard) -> None:
        """Take the queues of the track of pictures: its sender will be asked something."""
        self._obedience = Obedience(guard)

    def see(self, frame: av.VideoFrame, arrival_s: float) -> None:
        """Take a decoded picture with its time stamp, and when it came [s]."""
        if frame.time is None or frame.format.name not in EIGHT_BITS:
            return
        plane = frame.planes[0]
        self._clocks.push_picture(frame.time, arrival_s)
        self._pictures.push(frame.time, luma_of(memoryview(plane), plane.line_size, frame.width, frame.height))

    def hear(self, frame: av.AudioFrame, arrival_s: float) -> None:
        """Take decoded sound with its time stamp, and when it came [s]."""
        if frame.time is None:
            return
        self._clocks.push_sound(frame.time, arrival_s)
        sound = frame.to_ndarray()
        channels = sound.T if frame.format.is_planar else sound.reshape(-1, len(frame.layout.channels))  # (S, C)
        full = 32768 if sound.dtype == np.int16 else 1
        self._sound.push(channels.mean(axis=1, dtype=np.float32) / full, frame.sample_rate)

    def step(self, now_s: float) -> None:
        """Ask the sender for what is due; called several times a second.

        Args:
            now_s: Session time [s].
        """
        if self._obedience is not None:
            self._obedience.step(now_s)

    def told(self, now_s: float) -> dict[Trait, float]:
        """Return the traits when it is time to tell them, otherwise none.

        Args:
            now_s: Session time [s].
        """
        if now_s < self._told_s + TOLD_EVERY_S:
            return {}
        self._told_s = now_s
        asked = self._obedience.values() if self._obedience else {}
        return self._pictures.values() | self._sound.values() | self._clocks.values() | asked
