"""Which face of a captured screen is the other side's: not the own preview, not a still picture beside a chat. Pure.

Crops of each picture enter, those that are to be judged leave. Without a choice, the largest face that moves is taken;
a person may choose another. A choice stays while its face stays, also over a short absence.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.window import FaceCrop

ABSENCE_S = 2.0
"""How long the chosen face may be away [s]."""
SHOWN_S = 0.5
"""How old what is shown of a face may be [s]."""
AWAY_S = 10.0
"""After which a choice by hand is forgotten: the layout is another one [s]."""
LARGER = 1.5
"""By area: a face that is so much larger than the chosen one, for `ABSENCE_S`, is taken instead."""
STILL_LEVELS = 1.0
"""Mean change of a face's luma from picture to picture below which it is taken for a still one, of 255."""
SMALL_PX = 32
MEAN_SHARE = 0.2
"""Weight of the newest picture in a face's mean change: a mean over about a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FacePlace:
    """Where a face is in the picture, for a person to choose from."""

    track: int
    box: tuple[float, float, float, float]
    """Left, top, width, height, as shares of the picture's width and height."""
    is_still: bool
    """Whether it looks like a picture that does not move."""
    is_chosen: bool


@dataclass(slots=True)
class _Face:
    crop: FaceCrop
    small: npt.NDArray[np.float32]
    change: float | None = None

    @property
    def area(self) -> float:
        return self.crop.box[2] * self.crop.box[3]

    @property
    def is_still(self) -> bool:
        return self.change is not None and self.change < STILL_LEVELS

    @property
    def rank(self) -> tuple[bool, float]:
        return not self.is_still, self.area


class RemoteParty:
    """Follows one call's choice."""

    def __init__(self) -> None:
        self.chosen: int | None = None
        """Track of the face that is judged."""
        self._is_by_hand = False
        self._faces: dict[int, _Face] = {}
        self._last: _Face | None = None
        self._better_since_s: float | None = None
        self._now_s = 0.0

    @property
    def faces(self) -> tuple[FacePlace, ...]:
        """The faces of the newest pictures, the largest first: a window that was moved leaves no frame behind."""
        seen = [item for item in self._faces.items() if self._now_s - item[1].crop.time_s <= SHOWN_S]
        known = sorted(seen, key=lambda item: -item[1].area)
        return tuple(
            FacePlace(track=track, box=face.crop.box, is_still=face.is_still, is_chosen=track == self.chosen)
            for track, face in known
        )

    def choose(self, track: int | None) -> None:
        """Take a person's choice; None: choose again by size and motion."""
        self.chosen, self._is_by_hand, self._better_since_s = track, track is not None, None
        self._last = self._faces.get(track) if track is not None else None

    def take(self, crops: tuple[FaceCrop, ...], time_s: float) -> tuple[FaceCrop, ...]:
        """Take the faces of the next picture; return those of the other side, at most one."""
        for crop in crops:
            self._faces[crop.track] = _seen(self._faces.get(crop.track), crop)
        self._faces = {n: face for n, face in self._faces.items() if time_s - face.crop.time_s <= ABSENCE_S}
        self._now_s = time_s
        self._settle(time_s)
        if self.chosen in self._faces:
            self._last = self._faces[self.chosen]
        return tuple(crop for crop in crops if crop.track == self.chosen)

    def _settle(self, time_s: float) -> None:
        if not self._faces:
            return
        best = max(self._faces, key=lambda track: self._faces[track].rank)
        now = self._faces.get(self.chosen) if self.chosen is not None else None
        if now is None:
            self._replace(best, time_s)
        elif not self._is_by_hand and self._is_better(self._faces[best], now):
            self._better_since_s = time_s if self._better_since_s is None else self._better_since_s
            if time_s - self._better_since_s >= ABSENCE_S:
                self.chosen, self._better_since_s = best, None
        else:
            self._better_since_s = None

    def _replace(self, best: int, time_s: float) -> None:
        """Take another face for the one that is gone: one in its place or, unless a person chose it, the best."""
        if self._is_by_hand and self._last is not None and time_s - self._last.crop.time_s <= AWAY_S:
            again = [track for track, face in self._faces.items() if _is_near(face.crop, self._last.crop)]
            self.chosen = again[0] if again else self.chosen
        else:
            self.chosen, self._is_by_hand = best, False

    @staticmethod
    def _is_better(one: _Face, now: _Face) -> bool:
        return (now.is_still and not one.is_still) or (one.rank[0] == now.rank[0] and one.area >= LARGER * now.area)


def _seen(before: _Face | None, crop: FaceCrop) -> _Face:
    grey = cv2.cvtColor(crop.pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    if before is None:
        return _Face(crop, small)
    change = float(np.abs(small - before.small).mean())
    if before.change is not None:
        change = before.change + MEAN_SHARE * (change - before.change)
    return _Face(crop, small, change)


def _is_near(one: FaceCrop, other: FaceCrop) -> bool:
    (x, y, w, h), (u, v, s, t) = one.box, other.box
    return abs(x + w / 2 - u - s / 2) < max(w, s) and abs(y + h / 2 - v - t / 2) < max(h, t)
