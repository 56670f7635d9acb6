"""Coloured light from the other side's own screen, told on their skin. Pure: colours in, a statistic and an llr out.

The page of the other side shows patches of drawn colours. Their light falls on the face, which is near, and hardly on
what is behind it. What is measured is the face's colour against the background's, so that exposure and white balance,
which change both, cancel; it is compared with the plan at every delay that a call may have, and with plans that were
not shown. A recording, or a face that is computed, carries the light of another plan or none.

No colour changes more often than `MAX_FLASHES_HZ`, none is a saturated red: WCAG 2.3.1 (three flashes or below).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt

from models.calibration import Calibration
from models.checkpoint import CHECKPOINTS, CheckpointError
from models.preprocess import TEMPLATE
from models.window import FaceCrop, Pixels

Series = npt.NDArray[np.float64]

CHECKPOINT = "light"
STEP_S = 0.6
N_STEPS = 16
SECONDS = STEP_S * N_STEPS
MAX_FLASHES_HZ = 2.0
MAX_LATENCY_S, LATENCY_STEP_S = 3.0, 0.1
"""From the request to its light in our picture: the page asks once a second; then screen, camera, network, buffers."""
N_OTHERS = 200
"""Plans that were not shown, to compare with."""
MIN_PICTURES = 25
TREND_ORDER = 4
"""Of the polynomial that is taken away: light in a room changes slowly."""

COLOURS = ((40, 190, 255), (255, 205, 40), (70, 235, 110), (235, 110, 235))
"""Blue, yellow, green, magenta: two opposite pairs of about the same brightness, RGB."""

_LEFT_CHEEK, _RIGHT_CHEEK = (TEMPLATE[0] + TEMPLATE[3]) / 2, (TEMPLATE[1] + TEMPLATE[4]) / 2
_FOREHEAD = TEMPLATE[:2].mean(axis=0) - [0, 34]
_HALF_PX = 9
BESIDE = 0.35
"""What counts as background begins so far beside the face's box, in its widths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LightPlan:
    """Colours in their order, each for `STEP_S`."""

    colours: tuple[int, ...]
    """Indices into `COLOURS`."""

    @classmethod
    def draw(cls, rng: Random) -> "LightPlan":
        """Return a plan in which no colour follows itself and all are shown as often."""
        while True:
            order = [i for i in range(len(COLOURS)) for _ in range(N_STEPS // len(COLOURS))]
            rng.shuffle(order)
            if all(a != b for a, b in pairwise(order)):
                return cls(colours=tuple(order))

    def chroma(self, times_s: Series) -> Series:
        """Return the light's colour at some times since the start, shape (T, 2): log R/G and log B/G, 0 outside."""
        table = np.log(np.array(COLOURS, np.float64))
        table = table[:, [0, 2]] - table[:, [1]]
        table -= table.mean(axis=0)
        step = np.floor(times_s / STEP_S).astype(int)
        shown = np.where((step >= 0) & (step < N_STEPS), step, -1)
        return np.where(shown[:, None] >= 0, table[np.array(self.colours)[shown]], 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tint:
    """The colour of a face against what is behind it, in one picture."""

    time_s: float
    red: float
    """log R/G of the skin minus that of the background."""
    blue: float
    """The same of log B/G."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LightReading:
    """What a series of tints says of a plan."""

    statistic: float
    """How far the plan fits better than plans that were not shown, in their standard deviations."""
    latency_s: float
    """At which it fits best [s]."""
    llr: float
    """Up = the light of this plan is there [nat]."""


def tint(picture: Pixels, crop: FaceCrop) -> Tint | None:
    """Return the face's colour against the background's; None where there is no background.

    Args:
        picture: That the crop is of, shape (H, W, 3).
        crop: The face.
    """
    skin = np.concatenate([_patch(crop.pixels, at) for at in (_LEFT_CHEEK, _RIGHT_CHEEK, _FOREHEAD)])
    behind = _behind(picture, crop.box)
    if behind is None:
        return None
    own, other = _log_ratios(skin.mean(axis=0)), _log_ratios(behind)
    red, blue = (own - other).tolist()
    return Tint(time_s=crop.time_s, red=red, blue=blue)


def read(plan: LightPlan, tints: Sequence[Tint], shown_s: float) -> LightReading | None:
    """Return what tints say of a plan; None where there are too few.

    Args:
        plan: That was shown.
        tints: By time, from before the plan to after it.
        shown_s: Session time at which it was sent [s].
    """
    inside = [t for t in tints if shown_s - 0.5 <= t.time_s <= shown_s + SECONDS + MAX_LATENCY_S]
    if len(inside) < MIN_PICTURES:
        return None
    times = np.array([t.time_s for t in inside]) - shown_s
    seen = _without_trend(np.array([(t.red, t.blue) for t in inside]), times)
    best, latency_s = _fit(plan, seen, times)
    rng = Random(0)
    others = np.array([_fit(LightPlan.draw(rng), seen, times)[0] for _ in range(N_OTHERS)])
    statistic = float((best - others.mean()) / max(others.std(), 1e-6))
    return LightReading(statistic=statistic, latency_s=latency_s, llr=_calibration().llr(statistic))


def _fit(plan: LightPlan, seen: Series, times: Series) -> tuple[float, float]:
    """Return how well a plan fits at its best delay, -1..1, and that delay [s]."""
    found = [(_agreement(plan.chroma(times - delay), seen), delay) for delay in _delays()]
    return max(found)


def _agreement(shown: Series, seen: Series) -> float:
    """Return the mean of both channels' correlations; light brightens its own colours, so that they are not below 0."""
    correlations = []
    for channel in range(2):
        a, b = shown[:, channel] - shown[:, channel].mean(), seen[:, channel]
        correlations.append(float(a @ b / max(np.sqrt(float(a @ a) * float(b @ b)), 1e-12)))
    return float(np.mean(correlations))


def _delays() -> Sequence[float]:
    return tuple(np.arange(0, MAX_LATENCY_S + 1e-9, LATENCY_STEP_S).tolist())


def _without_trend(values: Series, times: Series) -> Series:
    basis = np.vander(times / SECONDS, TREND_ORDER + 1)
    fit, *_ = np.linalg.lstsq(basis, values, rcond=None)
    rest = values - basis @ fit
    # One picture's wrong colour, a hand or a flash, must not decide.
    spread = 3 * 1.4826 * np.median(np.abs(rest), axis=0)
    return np.asarray(np.clip(rest, -spread, spread))


def _patch(pixels: Pixels, at: npt.NDArray[np.floating]) -> Series:
    x, y = round(float(at[0])), round(float(at[1]))
    part = pixels[max(y - _HALF_PX, 0) : y + _HALF_PX, max(x - _HALF_PX, 0) : x + _HALF_PX]
    return part.reshape(-1, 3).astype(np.float64)


def _behind(picture: Pixels, box: tuple[float, float, float, float]) -> Series | None:
    """Return the mean colour beside the face, above the shoulders, shape (3,)."""
    height, width = picture.shape[:2]
    left, top, wide, high = box
    rows = picture[: max(round((top + 0.8 * high) * height), 1) : 4]
    sides = (
        rows[:, : max(round((left - BESIDE * wide) * width), 0) : 4],
        rows[:, max(round((left + (1 + BESIDE) * wide) * width), 0) :: 4],
    )
    found = np.concatenate([side.reshape(-1, 3) for side in sides]).astype(np.float64)
    return found.mean(axis=0) if len(found) >= 50 else None


def _log_ratios(rgb: Series) -> Series:
    red, green, blue = np.log(rgb + 4.0)
    return np.array([red - green, blue - green])


@lru_cache(1)
def _calibration(folder: Path = CHECKPOINTS) -> Calibration:
    path = folder / f"{CHECKPOINT}.json"
    try:
        fields = json.loads(path.read_text())
        return Calibration(raws=tuple(fields["raws"]), llrs=tuple(fields["llrs"]))
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise CheckpointError(f"cannot read the calibration in {path}: {exc}") from exc
