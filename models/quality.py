"""Says whether a face can be judged at all: large, sharp, turned to the camera, lit and uncovered enough.

A crop with its landmarks enters, its measures leave; the crops of a window enter, those that can be judged leave, or
the reason why the window cannot. What cannot be seen is no evidence either way, so the network is not asked.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

import cv2
import numpy as np
import numpy.typing as npt

from models.preprocess import SHARPNESS_PX, TEMPLATE
from models.window import CROP_PX, FaceCrop, FaceWindow, Landmarks, Pixels, Reason

Luma = npt.NDArray[np.uint8]

MIN_CROPS = 5
"""One second of face: fewer pictures are too few to average over."""

# Chosen on 105 bona fide clips of the sources that the network is trained on, and on their pictures made dark, bright,
# blurred and covered by code: of the clips' pictures at most 3 % lie beyond any one limit. Of the 105 clips of the
# sources left out of training the gate refuses one.
MIN_FACE_PX = 40.0
MIN_SHARPNESS = 30.0
MAX_YAW_DEG = 50.0
MIN_BRIGHT = 60.0
MAX_BURNT = 0.1
MIN_MOUTH = 1.25
MIN_EYES = 0.9
MIN_CONFIDENCE = 0.98

NOSE_DEPTH = 0.44
"""How far the nose's tip stands out of the plane of eyes and mouth corners, in the mean of their two distances."""
BRIGHT_QUANTILE = 0.9
"""Of the face's luma: the skin that the light meets, whatever the skin's own colour, shadows and hair."""
BURNT_LUMA = 250


def _part(left: float, top: float, right: float, bottom: float) -> tuple[slice, slice]:
    """Return where a part of the crop [px] lies in the picture that is measured, whose side is SHARPNESS_PX."""
    ratio = SHARPNESS_PX / CROP_PX
    return slice(int(top * ratio), int(bottom * ratio)), slice(int(left * ratio), int(right * ratio))


# From above the brows to below the mouth, between the outer corners of the eyes: little hair, no background.
_FACE = _part(TEMPLATE[0, 0] - 16, TEMPLATE[0, 1] - 24, TEMPLATE[1, 0] + 16, TEMPLATE[4, 1] + 16)
_MOUTH = _part(TEMPLATE[3, 0] + 2, TEMPLATE[3, 1] - 14, TEMPLATE[4, 0] - 2, TEMPLATE[4, 1] + 14)
_EYES = tuple(_part(x - 12, y - 10, x + 12, y + 10) for x, y in TEMPLATE[:2].tolist())


class Measures(TypedDict):
    """What is measured of a crop when it is cut: fields of `FaceCrop`, which has their units."""

    yaw_deg: float
    bright: float
    burnt: float
    mouth: float
    eyes: float


def measure(pixels: Pixels, landmarks: Landmarks) -> Measures:
    """Measure what `objection` judges, but for size and sharpness.

    Args:
        pixels: The crop, shape (CROP_PX, CROP_PX, 3).
        landmarks: Where they lie in it, shape (5, 2) [px].
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    luma = np.asarray(cv2.resize(grey, (SHARPNESS_PX, SHARPNESS_PX), interpolation=cv2.INTER_AREA), np.uint8)
    bright, burnt = light(luma)
    mouth, eyes = features(luma)
    return Measures(yaw_deg=yaw_deg(landmarks), bright=bright, burnt=burnt, mouth=mouth, eyes=eyes)


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


def light(luma: Luma) -> tuple[float, float]:
    """Return the luma that a tenth of the face exceeds, 0..255, and the share of the face that is burnt out, 0..1.

    Args:
        luma: Of the crop, shape (SHARPNESS_PX, SHARPNESS_PX).
    """
    counts = np.bincount(luma[_FACE].ravel(), minlength=256)
    share = np.cumsum(counts) / counts.sum()
    return float(np.searchsorted(share, BRIGHT_QUANTILE)), float(1 - share[BURNT_LUMA - 1])


def features(luma: Luma) -> tuple[float, float]:
    """Return how plainly the mouth, and the less plain of both eyes, is where the landmarks say: about 2 when it is.

    Mouth and eyes are a face's strongest horizontal lines. What covers them, be it as light as the skin, has none at
    their place, or others all over the face. Measured against the edges of the whole face, so that light and blur,
    which weaken all of them, hardly matter.

    Args:
        luma: Of the crop, shape (SHARPNESS_PX, SHARPNESS_PX).
    """
    edges = np.abs(cv2.Sobel(luma, cv2.CV_32F, 0, 1))
    whole = float(edges[_FACE].mean()) + 1.0  # one grey level, so that noise on a flat grey makes no feature
    lines = [edges[part].mean(axis=1) for part in (_MOUTH, *_EYES)]
    mouth, *eyes = (float(np.sqrt(line.mean() * line.max())) / whole for line in lines)
    return mouth, min(eyes)


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
    # The finder is less sure of a face behind a hand; a mask it does not mind.
    if crop.confidence < MIN_CONFIDENCE or crop.mouth < MIN_MOUTH or crop.eyes < MIN_EYES:
        return Reason.OCCLUDED
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
