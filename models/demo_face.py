"""Makes a harmless forgery out of a genuine face: the picture is blended with an altered copy of itself.

The seams, the shifted colour and the foreign softness are those of a face swap; the person stays who they are. The
demonstration shows the detector such a face, and training draws many.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.preprocess import similarity
from models.window import CROP_PX, Landmarks, Pixels

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """How the inner face is altered and laid back. Lengths are in the crop of `models.preprocess.TEMPLATE` [px].

    The same blend on every picture of a clip gives a forgery that is steady in time, as a face swap is.
    """

    centre: tuple[float, float] = (112.0, 122.0)
    radii: tuple[float, float] = (46.0, 62.0)
    power: float = 2.4
    """Of the mask's outline: 2 an ellipse, large a rectangle."""
    wobble: tuple[float, ...] = ()
    """Relative changes of the outline's radius, evenly spaced round it."""
    edge_px: float = 5.0
    """Standard deviation of the mask's soft edge."""
    ratio: float = 1.0
    """Share of the altered face inside the mask, 0..1."""
    shift: tuple[float, float] = (2.0, 1.5)
    zoom: float = 1.03
    turn: float = 0.0
    """[rad]"""
    gain: tuple[float, float, float] = (1.06, 1.0, 0.92)
    """Factor of red, green and blue."""
    offset: float = 4.0
    """Added to all three, of 255."""
    detail: float = 0.5
    """Resolution that the altered face keeps, as a swap network's output does; 1 keeps all."""
    sharpen: float = 0.0
    """How much of its missing detail is overshot afterwards, as swap tools offer."""


DEMO_BLEND = Blend(
    wobble=(0.04, -0.03, 0.05, 0.0, -0.05, 0.03, 0.02, -0.04),
    edge_px=3.0,
    gain=(0.9, 1.0, 1.08),
    detail=0.32,
    sharpen=0.2,
    zoom=1.04,
)
"""What the demonstration shows: a crude swap, cool and soft against its surroundings, that an attentive viewer notices
too. How the detector does on good swaps is in its model card, not in the demonstration."""


def blend_face(rgb: Pixels, landmarks: Landmarks, blend: Blend = DEMO_BLEND) -> Pixels:
    """Return the picture with its face altered and blended back into place.

    Args:
        rgb: Picture, shape (H, W, 3). Not changed.
        landmarks: Of the face, shape (5, 2) [px].
        blend: The same for all pictures of a clip.

    Source:
        Shiohara and Yamasaki 2022 (Detecting Deepfakes with Self-Blended Images), section 3.
    """
    to_crop = similarity(landmarks)
    box = _face_box(to_crop, rgb.shape)
    region = rgb[box]
    to_crop = to_crop @ np.array([[1, 0, box[1].start], [0, 1, box[0].start], [0, 0, 1]])
    mixed = lay(region, altered(region, to_crop, blend), mask_of(blend, to_crop, region.shape), blend.ratio)
    result = rgb.copy()
    result[box] = mixed
    return result


def lay(target: Pixels, source: Array, mask: Array, ratio: float) -> Pixels:
    """Mix a source over a target, both (H, W, 3), by a mask (H, W) of 0..1."""
    weight = (mask * ratio)[..., None]
    mixed: Pixels = np.clip(target + weight * (source - target) + 0.5, 0, 255).astype(np.uint8)
    return mixed


def altered(rgb: Pixels, to_crop: npt.NDArray[np.float64], blend: Blend) -> Array:
    """Return the face with the blend's softness, colour and displacement, float32 0..255, shape (H, W, 3).

    Args:
        rgb: Shape (H, W, 3).
        to_crop: The map from its pixels to those of the template, shape (2, 3).
        blend: What is done to it.
    """
    height, width = rgb.shape[:2]
    scale = float(np.hypot(to_crop[0, 0], to_crop[1, 0]))
    source = _resampled(rgb, min(1.0, blend.detail * max(scale, 0.25)), blend.sharpen)
    source = source * np.array(blend.gain, np.float32) + np.float32(blend.offset)
    cosine, sine = blend.zoom * np.cos(blend.turn), blend.zoom * np.sin(blend.turn)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    centre = np.array(blend.centre)
    move = np.vstack([np.hstack([turn, (centre + np.array(blend.shift) - turn @ centre)[:, None]]), [0, 0, 1]])
    square = np.vstack([to_crop, [0, 0, 1]])
    matrix = (np.linalg.inv(square) @ move @ square)[:2]
    moved = cv2.warpAffine(source, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.float32)


def mask_of(blend: Blend, to_crop: npt.NDArray[np.float64], shape: tuple[int, ...]) -> Array:
    """Return the blend's mask in a picture's own pixels, float32 0..1, shape (H, W)."""
    mask = np.zeros((CROP_PX, CROP_PX), np.uint8)
    cv2.fillPoly(mask, [_outline(blend)], 255)
    soft = cv2.GaussianBlur(mask, (0, 0), max(blend.edge_px, 0.5)).astype(np.float32) / 255
    if to_crop.shape == (2, 3) and np.allclose(to_crop, np.eye(2, 3)) and shape[:2] == soft.shape:
        return np.asarray(soft, np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(soft, to_crop, (shape[1], shape[0]), flags=flags), np.float32)


def _outline(blend: Blend) -> npt.NDArray[np.int32]:
    """Return the corners of a super-ellipse with the blend's wobble, shape (64, 2)."""
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    cosine, sine = np.cos(angles), np.sin(angles)
    radius = (np.abs(cosine) ** blend.power + np.abs(sine) ** blend.power) ** (-1 / blend.power)
    if blend.wobble:
        knots = np.linspace(0, 2 * np.pi, len(blend.wobble) + 1)
        radius = radius * (1 + np.interp(angles, knots, (*blend.wobble, blend.wobble[0])))
    points = np.stack([cosine * radius, sine * radius], axis=1) * blend.radii + blend.centre
    return np.round(points).astype(np.int32)


def _resampled(rgb: Pixels, factor: float, sharpen: float) -> Array:
    """Return the picture as a smaller one would hold it, then sharpened; float32."""
    height, width = rgb.shape[:2]
    if factor < 1:
        size = max(8, round(width * factor)), max(8, round(height * factor))
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        rgb = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    source = rgb.astype(np.float32)
    if sharpen:
        source = source + sharpen * (source - cv2.GaussianBlur(source, (0, 0), 2.0))
    return np.asarray(source, np.float32)


def _face_box(to_crop: npt.NDArray[np.float64], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the part of the picture that the template's crop covers: the rest need not be touched."""
    back = np.linalg.inv(np.vstack([to_crop, [0, 0, 1]]))
    corners = np.array([[0, 0, 1], [CROP_PX, 0, 1], [0, CROP_PX, 1], [CROP_PX, CROP_PX, 1]]) @ back[:2].T  # (4, 2)
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    rows = slice(max(0, int(top)), min(shape[0], int(bottom) + 1))
    return rows, slice(max(0, int(left)), min(shape[1], int(right) + 1))
