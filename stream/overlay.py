"""An explanation as a picture: face or sound in grey, and over it, in colour, where it seems machine-made. Pure."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.explanation import Explanation, FaceExplanation
from models.window import Pixels

SIDE_PX = 448

SCALE = ((0.5, 255, 226, 110, 0.0), (0.75, 240, 118, 40, 0.5), (1.0, 128, 16, 96, 0.6))
"""Spoof share, red, green, blue, opacity; linear in between, nothing is drawn below. Every step is darker than the
last, so that it is read without telling colours apart. The page draws with the same scale: `web/src/lib/heat.ts`."""

SPECTRUM_PX = 640, 320
"""Width and height of a drawn spectrogram."""
QUIET, LOUD = 248, 160
"""Grey of the quietest and the loudest cell: the loudest is lighter than the strongest evidence over the quietest."""


def overlay(explanation: Explanation) -> Pixels:
    """Return what was explained with its heat map, RGB, uint8: the face, (SIDE_PX, SIDE_PX, 3), or the sound."""
    if isinstance(explanation, FaceExplanation):
        return over_face(explanation.crop.pixels, explanation.spoof)
    return over_sound(explanation.energy_db, explanation.spoof)


def over_face(pixels: Pixels, spoof: npt.NDArray[np.float32]) -> Pixels:
    """Return a crop, RGB (H, W, 3), with the spoof shares of its places, (h, w), over it."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
    return _over(np.asarray(grey, np.float32), smooth(spoof, SIDE_PX))


def over_sound(energy_db: npt.NDArray[np.float32], spoof: npt.NDArray[np.float32]) -> Pixels:
    """Return a coarse spectrogram with what its cells contributed, both (bands, columns): low bands below."""
    width_px, height_px = SPECTRUM_PX
    floor_db = min(float(energy_db.min()), -1.0)
    shares = smooth(1 - energy_db[::-1] / floor_db, width_px, height_px)
    grey = np.asarray(QUIET + (LOUD - QUIET) * shares, np.float32)
    return _over(grey, smooth((1 + spoof[::-1]) / 2, width_px, height_px))


def _over(grey: npt.NDArray[np.float32], shares: npt.NDArray[np.float32]) -> Pixels:
    """Colour a grey picture by spoof shares, both (H, W)."""
    at, *columns = zip(*SCALE, strict=True)
    red, green, blue, opacity = (np.interp(shares, at, column) for column in columns)
    colour, opacity = np.stack([red, green, blue], axis=-1), opacity[..., None]  # (H, W, 3), (H, W, 1)
    return np.asarray(np.round(grey[..., None] * (1 - opacity) + colour * opacity), np.uint8)


def smooth(grid: npt.NDArray[np.floating[Any]], width_px: int, height_px: int | None = None) -> npt.NDArray[np.float32]:
    """Return a grid as a smooth picture, square unless its height is given, nowhere beyond the grid's own range."""
    curved = cv2.resize(grid, (width_px, height_px or width_px), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(curved, grid.min(), grid.max()), np.float32)
