"""An explanation as a picture: the face in grey, and over it, in colour, where it looks machine-made. Pure."""

import cv2
import numpy as np
import numpy.typing as npt

from models.window import Explanation, Pixels

SIDE_PX = 448

SCALE = ((0.5, 255, 226, 110, 0.0), (0.75, 240, 118, 40, 0.5), (1.0, 128, 16, 96, 0.6))
"""Spoof share, red, green, blue, opacity; linear in between, nothing is drawn below. Every step is darker than the
last, so that it is read without telling colours apart. The page draws with the same scale: `web/src/lib/heat.ts`."""


def overlay(explanation: Explanation) -> Pixels:
    """Return the explained face with its heat map, RGB, shape (SIDE_PX, SIDE_PX, 3)."""
    grey = cv2.cvtColor(explanation.crop.pixels, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)[..., None]  # (S, S, 1)
    shares = smooth(explanation.spoof, SIDE_PX)
    at, *columns = zip(*SCALE, strict=True)
    red, green, blue, opacity = (np.interp(shares, at, column) for column in columns)
    colour, opacity = np.stack([red, green, blue], axis=-1), opacity[..., None]  # (S, S, 3), (S, S, 1)
    return np.asarray(np.round(grey * (1 - opacity) + colour * opacity), np.uint8)


def smooth(spoof: npt.NDArray[np.float32], side_px: int) -> npt.NDArray[np.float32]:
    """Return a grid of shares as a smooth picture, shape (side_px, side_px), nowhere beyond the grid's own range."""
    curved = cv2.resize(spoof, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(curved, spoof.min(), spoof.max()), np.float32)
