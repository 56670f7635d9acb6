"""Coloured light from the other side's own screen, told on their skin. Pure: colours in, a statistic and an llr out.

The page of the other side shows patches of drawn colours. Their light falls on the face, which is near, and hardly on
what is behind it. What is measured is the face's colour against the background's, so that exposure and white balance,
which change both, cancel; what is left of them goes with how bright both are, and is taken out by that. It is compared
with the plan at every delay that a call may have, and with plans that were not shown. A recording, or a face that is
computed, carries the light of another plan or none.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt

from models.calibration import Calibration
from models.checkpoint import CHECKPOINTS, CheckpointError
from models.light_plan import SECONDS, TREND_ORDER, LightPlan, Series
from models.preprocess import TEMPLATE
from models.window import FaceCrop, Pixels

CHECKPOINT = "light"
MAX_LATENCY_S, LATENCY_STEP_S = 3.0, 0.1
"""From the request to its light in our picture: the page asks once a second; then screen, camera, network, buffers."""
DELAYS_S = np.arange(0, MAX_LATENCY_S + 1e-9, LATENCY_STEP_S)
N_OTHERS = 200
"""Plans that were not shown, to compare with."""
MIN_PICTURES = 25
_LEFT_CHEEK, _RIGHT_CHEEK = (TEMPLATE[0] + TEMPLATE[3]) / 2, (TEMPLATE[1] + TEMPLATE[4]) / 2
_FOREHEAD = TEMPLATE[:2].mean(axis=0) - [0, 34]
_HALF_PX = 14
BESIDE = 0.35
"""What counts as background begins so far beside the face's box, in its widths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tint:
    """The colour of a face against what is behind it, in one picture."""

    time_s: float
    red: float
    """log R/G of the skin minus that of the background."""
    blue: float
    """The same of log B/G."""
    skin: float = 0.0
    """log of how bright the skin is: exposure and a turned head change it, colours of one brightness do not."""
    behind: float = 0.0
    """The same of the background."""


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
    skin_mean = skin.mean(axis=0)
    red, blue = (_log_ratios(skin_mean) - _log_ratios(behind)).tolist()
    bright = [float(np.log(rgb.mean() + 4.0)) for rgb in (skin_mean, behind)]
    return Tint(time_s=crop.time_s, red=red, blue=blue, skin=bright[0], behind=bright[1])


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
    seen = np.array([(t.red, t.blue) for t in inside])  # (T, 2)
    nuisance = _nuisance(times, np.array([(t.skin, t.behind) for t in inside]))
    seen = _clipped(seen - nuisance @ (nuisance.T @ seen))
    likeness = np.clip((seen[1:] * seen[:-1]).sum(axis=0) / np.maximum((seen**2).sum(axis=0), 1e-12), 0, 0.9)

    def fit(asked: LightPlan) -> tuple[float, float]:
        return _fit(asked, seen, times, nuisance, likeness)

    best, latency_s = fit(plan)
    others = np.array([fit(other)[0] for other in _others()])
    statistic = float((best - others.mean()) / max(others.std(), 1e-6))
    return LightReading(statistic=statistic, latency_s=latency_s, llr=_calibration().llr(statistic))


@lru_cache(1)
def _others() -> tuple[LightPlan, ...]:
    """Return plans that were not shown."""
    rng = Random(0)
    return tuple(LightPlan.draw(rng) for _ in range(N_OTHERS))


def _nuisance(times: Series, bright: Series) -> Series:
    """Return what is no light of ours, orthonormal, (T, K): slow change, and how bright skin and background are."""
    slow = np.vander(2 * times / (SECONDS + MAX_LATENCY_S) - 1, TREND_ORDER + 1)
    basis, _ = np.linalg.qr(np.column_stack([slow, bright - bright.mean(axis=0)]))
    return np.asarray(basis)


def _fit(plan: LightPlan, seen: Series, times: Series, nuisance: Series, likeness: Series) -> tuple[float, float]:
    """Return how well a plan fits at its best delay, as a matched filter has it, and that delay [s].

    Noise is like that of the picture before, and both colours share it: both are made even first.
    """
    shown = np.stack([plan.chroma(times - delay_s) for delay_s in DELAYS_S])  # (D, T, 2)
    shown = shown - np.einsum("tk,dkc->dtc", nuisance, np.einsum("tk,dtc->dkc", nuisance, shown))
    shown, seen = (series[..., 1:, :] - likeness * series[..., :-1, :] for series in (shown, seen))
    even = np.linalg.inv(np.cov(seen.T) + 1e-12 * np.eye(2))  # (2, 2)
    fit = ((shown @ even) * seen).sum(axis=(1, 2)) / np.sqrt(((shown @ even) * shown).sum(axis=(1, 2)) + 1e-12)
    best = int(fit.argmax())
    return float(fit[best]), float(DELAYS_S[best])


def _clipped(rest: Series) -> Series:
    """One picture's wrong colour, a hand or a flash, must not decide."""
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
