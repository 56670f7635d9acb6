"""Coloured light that a screen shows in a drawn order: which colours, how long each, which orders can be told. Pure.

All colours are equally bright, so that no exposure follows them, and only the colour of a face changes. They change at
most `MAX_FLASHES_HZ` times a second, and none is a saturated red: WCAG 2.3.1 (three flashes a second or below).
"""

from dataclasses import dataclass
from random import Random

import numpy as np
import numpy.typing as npt

Series = npt.NDArray[np.float64]

STEP_S = 0.4
N_STEPS = 20
SECONDS = STEP_S * N_STEPS
MAX_FLASHES_HZ = 2.5

COLOURS = ((125, 178, 255), (198, 178, 40), (255, 130, 255), (40, 203, 80))
"""Blue, yellow, magenta, green of relative luminance .44 (WCAG's), sRGB."""
MAX_LIKENESS = 0.25
"""Of a plan's colours to themselves some steps later, and to a slow drift: correlation. A plan that is like itself fits
at several delays, one that is like a drift is found in any room."""
TREND_ORDER = 3


def linear(srgb: npt.ArrayLike) -> Series:
    """Return light as it adds up, 0..1, of sRGB values 0..255."""
    value = np.asarray(srgb, np.float64) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


LIGHT = linear(COLOURS)
_CHROMA = LIGHT[:, [0, 2]] - LIGHT[:, [1]]
CHROMA = _CHROMA - _CHROMA.mean(axis=0)
"""What each colour adds to red and blue beyond green, about their mean, shape (4, 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LightPlan:
    """Colours in their order, each for `STEP_S`."""

    colours: tuple[int, ...]
    """Indices into `COLOURS`."""

    @classmethod
    def draw(cls, rng: Random) -> "LightPlan":
        """Return a plan in which no colour follows itself, all come as often, and which is unlike itself later on."""
        while True:
            order = _order(rng)
            if len(order) == N_STEPS and _likeness(order) <= MAX_LIKENESS:
                return cls(colours=tuple(order))

    def chroma(self, times_s: Series) -> Series:
        """Return the light's colour at some times since the start, shape (T, 2): red and blue beyond green, else 0."""
        step = np.floor(times_s / STEP_S).astype(int)
        shown = np.clip(step, 0, N_STEPS - 1)
        return np.where((step == shown)[:, None], CHROMA[np.array(self.colours)[shown]], 0.0)


def _order(rng: Random) -> list[int]:
    """Return colours of which none follows itself; fewer than `N_STEPS` where only one is left."""
    left, order = [N_STEPS // len(COLOURS)] * len(COLOURS), list[int]()
    while choices := [i for i, n in enumerate(left) for _ in range(n) if not order or i != order[-1]]:
        order.append(rng.choice(choices))
        left[order[-1]] -= 1
    return order


def _likeness(order: list[int]) -> float:
    """Return the highest correlation of a plan with itself later on, or with a drift."""
    series = CHROMA[order] / np.linalg.norm(CHROMA[order])  # (N_STEPS, 2)
    later = [abs(float((series[lag:] * series[:-lag]).sum())) for lag in range(2, N_STEPS // 2)]
    drifts, _ = np.linalg.qr(np.vander(np.linspace(-1, 1, N_STEPS), TREND_ORDER + 1))
    return max(*later, float(np.abs(drifts.T @ series).max()))
