"""From a picture and five landmarks to the crop that the face network reads. Serving and training cut with this alone.

A picture and landmarks enter, a crop of fixed geometry and its quality measures leave. Nothing here detects.
"""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from models.window import CROP_PX, Landmarks, Pixels

# Where the landmarks come to lie. The proportions are those of the usual 112 px face template, scaled so that the eyes
# stand 52 px apart: a face of average build then fills 70 % of the height and half of the width, and the seams of a
# swapped face (jaw, temples, hairline) lie inside the crop with a margin of background.
TEMPLATE: Landmarks = np.array([[86, 88], [138, 88], [112, 118], [90.5, 148], [133.5, 148]], np.float32)

SHARPNESS_PX = 112


def align_face(rgb: Pixels, landmarks: Landmarks) -> Pixels:
    """Cut the face out of a picture, upright and of standard size.

    The map is the similarity (turn, scale, shift) that brings the landmarks nearest to `TEMPLATE`; it neither mirrors
    nor shears, so that proportions, which some forgeries get wrong, survive. Beyond the picture's edge it is mirrored.

    Args:
        rgb: Picture, shape (H, W, 3).
        landmarks: Shape (5, 2), in the picture [px].

    Returns:
        Shape (CROP_PX, CROP_PX, 3).
    """
    matrix = similarity(landmarks)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.5:
        # Bilinear sampling skips pixels beyond a factor of 2 and leaves moire that reads like a forgery's.
        rgb, matrix = _shrink(rgb, matrix, scale)
    warped = cv2.warpAffine(rgb, matrix, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(warped, np.uint8)


def similarity(landmarks: Landmarks, template: Landmarks = TEMPLATE) -> npt.NDArray[np.float64]:
    """Return the 2x3 matrix that brings the landmarks nearest to a template's in the least-squares sense.

    Source:
        Umeyama 1991, in two dimensions, where it has a closed form without a decomposition.
    """
    source = landmarks.astype(np.float64)
    centre, target_centre = source.mean(axis=0), template.mean(axis=0).astype(np.float64)
    x, y = (source - centre).T
    u, v = (template - target_centre).T
    spread = max(float(np.sum(x * x + y * y)), 1e-6)
    cosine, sine = float(np.sum(x * u + y * v)) / spread, float(np.sum(x * v - y * u)) / spread
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.hstack([turn, (target_centre - turn @ centre)[:, None]])


def in_crop(landmarks: Landmarks) -> Landmarks:
    """Return where a picture's landmarks lie in the crop that `align_face` cuts, shape (5, 2) [px]."""
    matrix = similarity(landmarks)
    return np.asarray(landmarks @ matrix[:, :2].T + matrix[:, 2], np.float32)  # (5, 2)


def face_px(landmarks: Landmarks) -> float:
    """Return twice the distance between the middle of the eyes and the middle of the mouth [px]."""
    return 2.0 * float(np.linalg.norm(landmarks[:2].mean(axis=0) - landmarks[3:].mean(axis=0)))


def sharpness(crop: Pixels) -> float:
    """Return the variance of the Laplacian over the face's middle, at `SHARPNESS_PX`: low means blurred.

    The background is left out: an artificial backdrop is perfectly smooth however sharp the face is.
    """
    small = cv2.resize(crop, (SHARPNESS_PX, SHARPNESS_PX), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)[_middle()]
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


@lru_cache(maxsize=1)
def _middle() -> tuple[slice, slice]:
    ratio = SHARPNESS_PX / CROP_PX
    left, right = (int(ratio * value) for value in (TEMPLATE[0, 0] - 16, TEMPLATE[1, 0] + 16))
    top, bottom = (int(ratio * value) for value in (TEMPLATE[0, 1] - 24, TEMPLATE[4, 1] + 16))
    return slice(top, bottom), slice(left, right)


def _shrink(rgb: Pixels, matrix: npt.NDArray[np.float64], scale: float) -> tuple[Pixels, npt.NDArray[np.float64]]:
    """Average the picture down by about `scale` and return it with the matrix that fits it."""
    height, width = rgb.shape[:2]
    small_size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(rgb, small_size, interpolation=cv2.INTER_AREA)
    ratio = np.array([width / small_size[0], height / small_size[1]])
    # Pixel centres: x = (small_x + 0.5) * ratio - 0.5.
    back = np.vstack([np.hstack([np.diag(ratio), (0.5 * ratio - 0.5)[:, None]]), [0.0, 0.0, 1.0]])
    return np.asarray(small, np.uint8), matrix @ back
