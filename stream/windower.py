"""Frames in, any split -> whole aligned windows out. Pure: no clock, no I/O.

A window ends at every multiple of the hop in session time, from the first whole window on. Sound that never arrived is
zero and counted; a stretch without any media still yields its windows, so that the call is never silently unwatched.
A face and the sound of the same time also make a window together, whichever of them is complete first.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.window import (
    HOP_S,
    HOP_SAMPLES,
    SAMPLE_RATE_HZ,
    WINDOW_PIECES,
    WINDOW_S,
    WINDOW_SAMPLES,
    FaceCrop,
    FaceWindow,
    Samples,
    SyncWindow,
    VoicePiece,
    VoiceWindow,
    Window,
)
from stream.events import AudioFrame, Gap, Medium

LATENESS_S = 2.0
"""How long a window waits for media that is late before it is closed without [s]."""

WAITING_ENDS = 16
"""Window ends, of one medium, that may wait for the other's: 8 s, four times what a live medium may be late by."""


class AudioWindower:
    """Cuts one sound track into `VoiceWindow`s; each is made of the pieces of the one before and a new one."""

    def __init__(self) -> None:
        self._pieces: deque[VoicePiece] = deque(maxlen=WINDOW_PIECES)
        self._block = np.zeros(HOP_SAMPLES, np.float32)
        self._lost = 0
        self._end = 0

    @property
    def end_s(self) -> float:
        """Session time up to which sound, or its loss, is known [s]."""
        return self._end / SAMPLE_RATE_HZ

    def push(self, frame: AudioFrame) -> list[VoiceWindow]:
        """Take a frame; what precedes it and never came is lost, what overlaps is ignored."""
        start = round(frame.start_s * SAMPLE_RATE_HZ)
        windows = self._lose(start - self._end)
        skip = max(self._end - start, 0)
        return windows + self._append(frame.samples[skip:])

    def advance(self, to_s: float) -> list[VoiceWindow]:
        """Give up on sound before `to_s`."""
        return self._lose(int(to_s * SAMPLE_RATE_HZ) - self._end)

    def finish(self) -> list[VoiceWindow]:
        """Close a recording: one shorter than a window is filled up with silence, a started hop with nothing."""
        if self._end >= WINDOW_SAMPLES or self._end == 0:
            return []
        return self._append(np.zeros(WINDOW_SAMPLES - self._end, np.float32))

    def _append(self, samples: Samples) -> list[VoiceWindow]:
        windows = []
        while len(samples):
            filled = self._end % HOP_SAMPLES
            part, samples = samples[: HOP_SAMPLES - filled], samples[HOP_SAMPLES - filled :]
            self._block[filled : filled + len(part)] = part
            windows += self._move(len(part))
        return windows

    def _lose(self, n: int) -> list[VoiceWindow]:
        windows = []
        while n > 0:
            step = min(n, HOP_SAMPLES - self._end % HOP_SAMPLES)
            self._lost += step
            n -= step
            windows += self._move(step)
        return windows

    def _move(self, n: int) -> list[VoiceWindow]:
        self._end += n
        if self._end % HOP_SAMPLES:
            return []
        self._pieces.append(VoicePiece(samples=self._block, n_lost=self._lost))
        self._block, self._lost = np.zeros(HOP_SAMPLES, np.float32), 0
        if len(self._pieces) < WINDOW_PIECES:
            return []
        return [VoiceWindow(start_s=self.end_s - WINDOW_S, end_s=self.end_s, pieces=tuple(self._pieces))]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FacePicture:
    """The faces of one sampled picture."""

    time_s: float
    crops: tuple[FaceCrop, ...]


class FaceWindower:
    """Collects the crops of each face into `FaceWindow`s."""

    def __init__(self) -> None:
        self._pictures: deque[FacePicture] = deque()
        self._end_s = WINDOW_S

    def push(self, picture: FacePicture) -> list[FaceWindow]:
        """Take the next picture; pictures come in order, an older one than the last is ignored."""
        if self._pictures and picture.time_s < self._pictures[-1].time_s:
            return []
        windows = self.advance(picture.time_s)
        self._pictures.append(picture)
        return windows

    def advance(self, to_s: float) -> list[FaceWindow]:
        """Close every window that ends at or before `to_s`."""
        windows: list[FaceWindow] = []
        while self._end_s <= to_s:
            windows += self._close()
            self._end_s += HOP_S
        return windows

    def finish(self) -> list[FaceWindow]:
        """Close a recording: the last pictures, or all of one shorter than a window, make a window of their own."""
        if not self._pictures:
            return []
        is_short = self._end_s == WINDOW_S
        return self._close() if is_short or self._pictures[-1].time_s >= self._end_s - HOP_S else []

    def _close(self) -> list[FaceWindow]:
        start_s = self._end_s - WINDOW_S
        while self._pictures and self._pictures[0].time_s < start_s:
            self._pictures.popleft()
        inside = [picture for picture in self._pictures if picture.time_s < self._end_s]
        tracks: dict[int, list[FaceCrop]] = {}
        for picture in inside:
            for crop in picture.crops:
                tracks.setdefault(crop.track, []).append(crop)
        return [
            FaceWindow(start_s=start_s, end_s=self._end_s, track=track, crops=tuple(crops), n_pictures=len(inside))
            for track, crops in sorted(tracks.items() or [(0, [])])
        ]


class SyncWindower:
    """Joins the face windows and the sound of the same end, in any order of their arrival.

    A face that nobody saw makes no window, nor does one whose sound is not cut, or the reverse. The oldest that still
    waits is let go when more than `WAITING_ENDS` do.
    """

    def __init__(self) -> None:
        self._faces: dict[float, list[FaceWindow]] = {}
        self._voices: dict[float, VoiceWindow] = {}

    def push(self, windows: Sequence[FaceWindow | VoiceWindow]) -> list[SyncWindow]:
        """Take windows as they are cut; all faces of one end come together. Return what they complete, by end."""
        for window in windows:
            if isinstance(window, VoiceWindow):
                self._voices[window.end_s] = window
            elif window.track:
                self._faces.setdefault(window.end_s, []).append(window)
        joined = []
        for end_s in sorted(self._faces.keys() & self._voices.keys()):
            voice = self._voices.pop(end_s)
            joined += [SyncWindow(face=face, voice=voice) for face in self._faces.pop(end_s)]
        for waiting in (self._faces, self._voices):
            while len(waiting) > WAITING_ENDS:
                del waiting[min(waiting)]
        return joined


class Windower:
    """Both media of one call, and what they say together."""

    def __init__(self) -> None:
        self._audio = AudioWindower()
        self._faces = FaceWindower()
        self._sync = SyncWindower()

    def push_audio(self, frame: AudioFrame) -> list[Window]:
        """Take sound."""
        return self._joined(self._audio.push(frame))

    def push_faces(self, picture: FacePicture) -> list[Window]:
        """Take the faces of a picture."""
        return self._joined(self._faces.push(picture))

    def push_gap(self, gap: Gap) -> list[Window]:
        """Take word that media up to `gap.end_s` will not come."""
        medium = self._audio if gap.medium is Medium.AUDIO else self._faces
        return self._joined(medium.advance(gap.end_s))

    def advance(self, now_s: float) -> list[Window]:
        """Close what has waited longer than `LATENESS_S` at session time `now_s`."""
        return self._joined([*self._audio.advance(now_s - LATENESS_S), *self._faces.advance(now_s - LATENESS_S)])

    def finish(self) -> list[Window]:
        """Close a recording."""
        return self._joined([*self._audio.finish(), *self._faces.finish()])

    def _joined(self, windows: Sequence[FaceWindow | VoiceWindow]) -> list[Window]:
        return [*windows, *self._sync.push(windows)]
