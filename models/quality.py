"""Says whether a face can be judged at all: large, sharp, turned to the camera, lit and uncovered enough.

A crop with its landmarks enters, its measures leave; the crops of a window enter, those that can be judged leave, or
the reason why the window cannot. What cannot be seen is no evidence either way, so the network is not asked.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

import cv2
import numpy as np

from models.preprocess import TEMPLATE
from models.window import FaceCrop, FaceWindow, Landmarks, Pixels, Reason

MIN_CROPS = 5
"""One second of face: fewer pictures are too few to average over."""
MIN_FACE_PX = 40.0
MIN_SHARPNESS = 15.0
MAX_YAW_DEG = 45.0
MIN_BRIGHT = 45.0
MAX_BURNT = 0.35

NOSE_DEPTH = 0.44
"""How far the nose's tip stands out of the plane of eyes and mouth corners, in the mean of their two distances."""
BURNT_LUMA = 250
BRIGHT_QUANTILE = 0.9
"""Of the face's luma: the skin that the light meets, whatever the skin's own colour, shadows and hair."""


def _part(left: float, top: float, right: float, bottom: float) -> tuple[slice, slice]:
    return slice(int(top), int(bottom)), slice(int(left), int(right))


# From above the brows to below the mouth, between the outer corners of the eyes: little hair, no background.
_FACE = _part(TEMPLATE[0, 0] - 16, TEMPLATE[0, 1] - 24, TEMPLATE[1, 0] + 16, TEMPLATE[4, 1] + 16)


class Measures(TypedDict):
    """What is measured of a crop when it is cut: fields of `FaceCrop`, which has their units."""

    yaw_deg: float
    bright: float
    burnt: float


def measure(pixels: Pixels, landmarks: Landmarks) -> Measures:
    """Measure what `objection` judges.

    Args:
        pixels: The crop, shape (CROP_PX, CROP_PX, 3).
        landmarks: Where they lie in it, shape (5, 2) [px].
    """
    bright, burnt = light(pixels)
    return Measures(yaw_deg=yaw_deg(landmarks), bright=bright, burnt=burnt)


def yaw_deg(landmarks: Landmarks) -> float:
    """Return about how far the head is turned to a side, up = the picture's right, -90..90 [deg].

    A nose that stands out of the face leaves the line from between the eyes to between the mouth corners as the head
    turns. Good to some ten degrees: noses differ, and the landmarks of a face turned by more than 60 are guesses.
    """
    eyes, mouth, nose = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0), landmarks[2]
    across = landmarks[1] - landmarks[0] + landmarks[4] - landmarks[3]
    down = mouth - eyes
    length = max(float(np.hypot(*down)), 1e-6)
    x, y = (nose - eyes).tolist()
    off_line = (x * down[1] - y * down[0]) / length
    wide = max(abs(float(across[0] * down[1] - across[1] * down[0])) / length / 2, 1e-6)
    return float(np.degrees(np.arctan2(off_line / NOSE_DEPTH, wide)))


def light(pixels: Pixels) -> tuple[float, float]:
    """Return the luma that a tenth of the face exceeds, 0..255, and the share of the face that is burnt out, 0..1.

    Args:
        pixels: The crop, shape (CROP_PX, CROP_PX, 3).
    """
    face = cv2.cvtColor(pixels[_FACE], cv2.COLOR_RGB2GRAY)
    counts = np.bincount(face.ravel(), minlength=256)
    below = np.cumsum(counts) / face.size
    return float(np.searchsorted(below, BRIGHT_QUANTILE)), float(counts[BURNT_LUMA:].sum() / face.size)


def objection(crop: FaceCrop) -> Reason | None:
    """Return why a crop cannot be judged, None if it can; of several reasons the one that the others follow from."""
    if crop.face_px < MIN_FACE_PX:
        return Reason.SMALL_FACE
    if crop.bright < MIN_BRIGHT or crop.burnt > MAX_BURNT:
        return Reason.EXPOSURE
    if abs(crop.yaw_deg) > MAX_YAW_DEG:
        return Reason.POSE
    if crop.sharpness < MIN_SHARPNESS:
        return Reason.BLURRED
    return None


def usable(crops: Sequence[FaceCrop]) -> tuple[FaceCrop, ...]:
    """Return the crops that can be judged: a window's score rests on them alone."""
    return tuple(crop for crop in crops if objection(crop) is None)


def gate(window: FaceWindow) -> Reason | None:
    """Return why a window cannot be judged, None if it can.

    It can while at least half of its crops are usable: of each measure by itself, while its median is within the limit.
    A few bad pictures do not refuse a window; the reason is what most of the bad ones have.
    """
    if len(window.crops) < MIN_CROPS:
        return Reason.NO_FACE
    bad = [reason for crop in window.crops if (reason := objection(crop)) is not None]
    if len(window.crops) - len(bad) >= max(MIN_CROPS, len(window.crops) / 2):
        return None
    return Counter(bad).most_common(1)[0][0]
