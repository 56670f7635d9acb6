"""Hands the frames of a call on to those who watch it live, and what they say back. Bounded; waits for nobody.

A watcher that is slow loses frames of its own; the call that is listened to does not notice.
"""

import asyncio
import fractions
import time
from collections import deque
from collections.abc import Callable

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from stream.events import Medium

PICTURES_HZ = 15.0
"""Of the pictures that a watcher gets, at most: each costs 5 to 8 ms of a core to encode anew at 640x480."""
MAX_PICTURES = 1
MAX_SOUNDS = 25
"""Frames of 20 ms that wait for a watcher."""
SOUND_HZ, SOUND_SAMPLES = 48_000, 960
SOUND_S = SOUND_SAMPLES / SOUND_HZ

Frame = av.AudioFrame | av.VideoFrame


class RelayedTrack(MediaStreamTrack):
    """One medium of a call as a track to send on.

    Args:
        medium: What it carries.
    """

    def __init__(self, medium: Medium) -> None:
        self.kind = medium.value
        super().__init__()
        self._frames: deque[Frame] = deque(maxlen=MAX_PICTURES if medium is Medium.VIDEO else MAX_SOUNDS)
        self._has_frame = asyncio.Event()
        self._newest_s: float | None = None

    def put(self, frame: Frame) -> None:
        """Take a frame; the oldest that waits goes if there is no room."""
        if isinstance(frame, av.VideoFrame):
            at_s = frame.time
            if at_s is None or (self._newest_s is not None and 0 <= at_s - self._newest_s < 0.9 / PICTURES_HZ):
                return
            self._newest_s = at_s
        self._frames.append(frame)
        self._has_frame.set()

    async def recv(self) -> Frame:
        """Return the next frame once there is one."""
        while not self._frames:
            self._has_frame.clear()
            await self._has_frame.wait()
            if self.readyState != "live":
                raise MediaStreamError
        return self._frames.popleft()

    def stop(self) -> None:
        """End the track, also for whoever waits for a frame."""
        super().stop()
        self._has_frame.set()


class SpokenTrack(MediaStreamTrack):
    """What watchers say, as sound without a gap: silence while nobody speaks.

    Args:
        clock: Monotonic time [s].
    """

    kind = "audio"

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._frames: deque[av.AudioFrame] = deque(maxlen=MAX_SOUNDS)
        self._start_s: float | None = None
        self._n = 0

    def put(self, frame: Frame) -> None:
        """Take a frame of a watcher's microphone, if it is of the usual kind: 20 ms at 48 kHz."""
        if isinstance(frame, av.AudioFrame) and (frame.sample_rate, frame.samples) == (SOUND_HZ, SOUND_SAMPLES):
            self._frames.append(frame)

    async def recv(self) -> av.AudioFrame:
        """Return the next 20 ms when their time has come."""
        if self.readyState != "live":
            raise MediaStreamError
        now_s = self._clock()
        if self._start_s is None:
            self._start_s = now_s
        await asyncio.sleep(max(self._start_s + self._n * SOUND_S - now_s, 0))
        spoken = self._frames.popleft() if self._frames else None
        frame = spoken or av.AudioFrame.from_ndarray(
            np.zeros((1, 2 * SOUND_SAMPLES), np.int16), format="s16", layout="stereo"
        )
        frame.sample_rate, frame.pts = SOUND_HZ, self._n * SOUND_SAMPLES
        frame.time_base = fractions.Fraction(1, SOUND_HZ)
        self._n += 1
        return frame


class Relay:
    """The frames of one medium, for all who want them."""

    def __init__(self) -> None:
        self._tracks: set[RelayedTrack | SpokenTrack] = set()

    def add(self, track: RelayedTrack | SpokenTrack) -> None:
        """Begin to give frames to a track."""
        self._tracks.add(track)

    def discard(self, track: RelayedTrack | SpokenTrack) -> None:
        """Give it no more."""
        self._tracks.discard(track)

    def push(self, frame: Frame) -> None:
        """Give a frame to every track."""
        for track in self._tracks:
            track.put(frame)
