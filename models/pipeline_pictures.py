"""Traits of how a call's pictures were made, from all decoded pictures of the last half minute. Pure.

Of the luma single pixels are taken, unfiltered: what is looked for is in the noise. Of each picture numbers are kept.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.traits import Trait

Luma = npt.NDArray[np.uint8]
"""Shape (H, W)."""

MEMORY_S = 30.0
GRID = 160
"""Pixels that are looked at along a picture's longer side, whatever its size."""
MIN_PICTURES = 150
"""Before anything is said."""
MOVING_SHARE = 0.05
"""Of the cells: those that change most say how much a picture moves. Of a talking head it is little more than lips."""
MIN_MOTION = 1.0
"""Grey levels by which they must change in pictures that move: of a scene without motion nothing can be said."""
REPEATS = 0.1
"""A picture that changes by less than this share of the usual motion repeats the one before."""
CELL = 8
"""Side of what counts as one part of the picture [sampled pixels]."""
PERIODS = (2, 3)
"""Of interpolation: one picture of two or three is real."""
BLOCK = 60
"""Pictures over which a phase is held; a dropped picture shifts it."""
PUMP_LAGS_S = (0.4, 5.0)
"""Between key pictures of recordings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    time_s: float
    motion: float
    """Mean difference to the picture before, in the cells that change most [grey levels]."""
    still: float
    """Share of cells without any difference to it."""
    detail: float
    """Mean difference of neighbouring pixels [grey levels]."""
    halfway: float
    """How far the picture before this one was from the mean of its neighbours, by how far those are apart."""


def luma_of(plane: bytes | memoryview, row_bytes: int, width: int, height: int) -> Luma:
    """Return the brightness of a decoded picture, not copied, shape (H, W).

    Args:
        plane: The first of its planes, 8 bits a pixel; its rows may be longer than the picture is wide.
        row_bytes: Length of a row.
        width: Of the picture [px].
        height: Of the picture [px].
    """
    return np.frombuffer(plane, np.uint8).reshape(-1, row_bytes)[:height, :width]


class PictureTraits:
    """Watches the pictures of one track."""

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque()
        self._shape: tuple[int, ...] = ()
        self._last: npt.NDArray[np.int16] | None = None
        self._second_last: npt.NDArray[np.int16] | None = None

    def push(self, time_s: float, luma: Luma) -> None:
        """Take the next picture; one of another shape begins anew."""
        stride = max(round(max(luma.shape) / GRID), 1)
        fine = luma[::stride, ::stride].astype(np.int16)
        if self._last is None or self._shape != luma.shape or min(fine.shape) < CELL:
            self._seen.clear()
            self._shape, self._last, self._second_last = luma.shape, fine, None
            return
        cells = _cells(np.abs(fine - self._last))
        beside = luma[::stride, 1::stride].astype(np.int16)
        halfway = 1.0
        if self._second_last is not None:
            apart = float(np.abs(fine - self._second_last).mean())
            off = float(np.abs(2 * self._last - fine - self._second_last).mean()) / 2
            halfway = (off + 0.05) / (apart + 0.05)
        self._seen.append(
            _Seen(
                time_s=time_s,
                motion=_motion(cells),
                still=float((cells.max(axis=2) == 0).mean()),
                detail=float(np.abs(fine[:, : beside.shape[1]] - beside).mean()),
                halfway=halfway,
            )
        )
        self._second_last, self._last = self._last, fine
        while self._seen[0].time_s < time_s - MEMORY_S:
            self._seen.popleft()

    def values(self) -> dict[Trait, float]:
        """Return the traits that can be told now."""
        if len(self._seen) < MIN_PICTURES:
            return {}
        found = {Trait.PUMPING: self._pumping()}
        motion = np.array([seen.motion for seen in self._seen])
        usual = float(np.percentile(motion, 75))
        if usual < MIN_MOTION:
            return found
        is_repeat = motion < REPEATS * usual
        found[Trait.REPEATED] = float(is_repeat.mean())
        found[Trait.STILL] = float(np.array([seen.still for seen in self._seen])[~is_repeat].mean())
        found[Trait.INTERPOLATED] = self._interpolated(is_repeat)
        return found

    def _interpolated(self, is_repeat: npt.NDArray[np.bool_]) -> float:
        """Return by how much phases of a period differ in how well neighbours foretell them [nat]."""
        halfway = np.log([seen.halfway for seen in self._seen])
        halfway[is_repeat] = np.nan  # another trait
        spreads = [
            np.mean([_phase_spread(halfway[i : i + BLOCK], period) for i in range(0, len(halfway) - BLOCK + 1, BLOCK)])
            for period in PERIODS
        ]
        return float(max(spreads))

    def _pumping(self) -> float:
        """Return the highest autocorrelation of the fine detail's jumps over the lags of key pictures."""
        times_s = np.array([seen.time_s for seen in self._seen])
        detail = np.array([seen.detail for seen in self._seen])
        step_s = float(np.median(np.diff(times_s)))
        even_s = np.arange(times_s[0], times_s[-1], step_s)
        jumps = np.diff(np.interp(even_s, times_s, detail))
        # One jump, at a cut or a key picture of our own, must not be all there is.
        limit = 4 * float(np.median(np.abs(jumps))) + 1e-6
        jumps = np.clip(jumps - np.median(jumps), -limit, limit)
        first, last = (round(lag_s / step_s) for lag_s in PUMP_LAGS_S)
        last = min(last, len(jumps) // 2)
        power = float((jumps**2).mean()) + 1e-12
        return max((float((jumps[lag:] * jumps[:-lag]).mean()) / power for lag in range(first, last)), default=0.0)


def _cells(change: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Return the differences in each cell, shape (H / CELL, W / CELL, CELL * CELL)."""
    height, width = (side // CELL for side in change.shape)
    cells = change[: height * CELL, : width * CELL].reshape(height, CELL, width, CELL)
    return cells.transpose(0, 2, 1, 3).reshape(height, width, CELL * CELL)


def _motion(cells: npt.NDArray[np.int16]) -> float:
    means = cells.mean(axis=2).ravel()
    n_most = max(round(MOVING_SHARE * len(means)), 1)
    return float(np.partition(means, -n_most)[-n_most:].mean())


def _phase_spread(values: npt.NDArray[np.float64], period: int) -> float:
    phases = [values[phase::period] for phase in range(period)]
    phases = [phase[~np.isnan(phase)] for phase in phases]
    if min(map(len, phases)) < BLOCK // period // 3:
        return 0.0
    medians = [float(np.median(phase)) for phase in phases]
    return max(medians) - min(medians)
