"""What training does to crops: forgeries made from genuine ones, and the wear of a call on both classes alike.

Crops are uint8, shape (CROP_PX, CROP_PX, 3). Every draw comes from the generator handed in.
"""

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from models.demo_face import Blend, altered, lay, mask_of
from models.window import CROP_PX, Pixels

Rng = np.random.Generator
IDENTITY = np.eye(2, 3)

RESAMPLERS = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA)
MIN_JPEG, MAX_JPEG = 35, 95


def draw_blend(rng: Rng) -> Blend:
    """Draw how a face is altered: the outlines of swaps from brows to chin, inner faces and whole heads."""
    whole = rng.random()
    width, height = (40 + 16 * whole + rng.normal(0, 3), 48 + 26 * whole + rng.normal(0, 4))
    strong = rng.random() < 0.6
    return Blend(
        centre=(112 + rng.normal(0, 3), 122 - 6 * whole + rng.normal(0, 4)),
        radii=(max(24.0, width), max(30.0, height)),
        power=float(rng.uniform(1.8, 4.0)),
        wobble=tuple(rng.normal(0, 0.05, 10)),
        edge_px=float(rng.choice([1.0, 2.0, 4.0, 7.0, 10.0]) * rng.uniform(0.7, 1.3)),
        ratio=float(rng.choice([0.4, 0.7, 1.0, 1.0, 1.0])),
        shift=(float(rng.normal(0, 2.5)), float(rng.normal(0, 2.0))),
        zoom=float(rng.uniform(0.95, 1.05)),
        turn=float(rng.normal(0, 0.02)),
        gain=_triple(np.exp(rng.normal(0, 0.07 if strong else 0.02, 3) + rng.normal(0, 0.05))),
        offset=float(rng.normal(0, 6)),
        detail=1.0 if rng.random() < 0.35 else float(rng.uniform(0.2, 0.9)),
        sharpen=float(rng.choice([0.0, 0.0, rng.uniform(0.2, 1.5)])),
    )


def self_blend(crop: Pixels, rng: Rng) -> Pixels:
    """Return a crop blended with an altered copy of itself; now and then it is the surroundings that are altered."""
    blend = draw_blend(rng)
    if rng.random() < 0.7:
        inner = altered(crop, IDENTITY, blend)
        # A swapped face comes from a network, without the grain that the camera gives its surroundings.
        outer = _noise(crop, rng) if rng.random() < 0.35 else crop
        return lay(outer, inner, mask_of(blend, IDENTITY, crop.shape), blend.ratio)
    around = np.clip(altered(crop, IDENTITY, replace(blend, shift=(0, 0), zoom=1.0, turn=0.0)), 0, 255).astype(np.uint8)
    moved = altered(crop, IDENTITY, replace(blend, gain=(1, 1, 1), offset=0.0, detail=1.0, sharpen=0.0))
    return lay(around, moved, mask_of(blend, IDENTITY, crop.shape), blend.ratio)


def cross_blend(crop: Pixels, other: Pixels, rng: Rng) -> Pixels:
    """Return a crop that wears another's inner face, its colour brought near: what a swap does, without a generator."""
    blend = replace(draw_blend(rng), ratio=1.0)
    source = altered(other, IDENTITY, blend)
    mask = mask_of(blend, IDENTITY, crop.shape)
    inside = mask > 0.5
    mean, std = source[inside].mean(axis=0), source[inside].std(axis=0) + 1.0
    target = crop[inside]
    strength = rng.uniform(0.6, 1.0)
    matched = (source - mean) / std * (target.std(axis=0) + 1.0) + target.mean(axis=0)
    return lay(crop, (source + strength * (matched - source)).astype(np.float32), mask, 1.0)


def mouth_blend(crop: Pixels, later: Pixels, rng: Rng) -> Pixels:
    """Return a crop whose mouth comes from another moment, re-rendered at low resolution: what a lip-sync does.

    Args:
        crop: The face.
        later: The same face at another time; the same crop where there is only one.
        rng: Source of every draw.
    """
    blend = replace(
        draw_blend(rng),
        centre=(112 + float(rng.normal(0, 3)), 156 + float(rng.normal(0, 6))),
        radii=(float(rng.uniform(28, 50)), float(rng.uniform(20, 40))),
        power=float(rng.choice([2.0, 3.0, 8.0])),
        detail=float(rng.uniform(0.2, 0.6)),
        gain=_triple(np.exp(rng.normal(0, 0.02, 3))),
        offset=float(rng.normal(0, 3)),
        ratio=1.0,
    )
    return lay(crop, altered(later, IDENTITY, blend), mask_of(blend, IDENTITY, crop.shape), 1.0)


def degrade(crop: Pixels, rng: Rng) -> Pixels:
    """Return a crop as a call might deliver it. Both classes pass this with the same probabilities."""
    crop = _place(crop, rng)
    if rng.random() < 0.8:
        crop = _light(crop, rng)
    if rng.random() < 0.65:
        crop = _resize(crop, rng)
    if rng.random() < 0.2:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), float(rng.uniform(0.4, 1.4))), np.uint8)
    if rng.random() < 0.4:
        crop = _noise(crop, rng)
    for probability in (0.7, 0.25):
        if rng.random() < probability:
            crop = _compress(crop, rng)
    return crop


def _place(crop: Pixels, rng: Rng) -> Pixels:
    """Mirror, turn, scale and shift within what the landmarks' own error would do, and somewhat beyond."""
    angle, scale = rng.normal(0, 4), rng.uniform(0.88, 1.12)
    turn = cv2.getRotationMatrix2D((CROP_PX / 2, CROP_PX / 2), float(angle), float(scale))
    matrix = np.asarray(turn, np.float64) + np.outer(rng.normal(0, 5, 2), [0, 0, 1])
    size = (CROP_PX, CROP_PX)
    placed = cv2.warpAffine(crop, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.ascontiguousarray(placed[:, ::-1] if rng.random() < 0.5 else placed, np.uint8)


def _light(crop: Pixels, rng: Rng) -> Pixels:
    """Change exposure, contrast and white balance by a table for each channel."""
    ramp = np.linspace(0, 1, 256)[:, None] ** np.exp(rng.normal(0, 0.2)) * np.exp(rng.normal(0, 0.06, 3))
    ramp = (ramp - 0.5) * rng.uniform(0.75, 1.2) + 0.5 + rng.normal(0, 0.04)
    table = np.clip(ramp * 255, 0, 255).astype(np.uint8)[None]  # (1, 256, 3)
    lit = np.asarray(cv2.LUT(crop, table), np.uint8)
    grey = rng.uniform(0, 0.5) if rng.random() < 0.3 else 0.0
    if not grey:
        return lit
    plain = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(lit, 1 - grey, plain, grey, 0), np.uint8)


def _resize(crop: Pixels, rng: Rng) -> Pixels:
    """Bring the crop to the size a call's face has and back."""
    side = int(np.exp(rng.uniform(np.log(72), np.log(224))))
    down, up = RESAMPLERS[rng.integers(1, 4)], RESAMPLERS[rng.integers(1, 3)]
    small = cv2.resize(crop, (side, side), interpolation=down)
    if rng.random() < 0.5:
        small = _compress(np.asarray(small, np.uint8), rng)
    return np.asarray(cv2.resize(small, (CROP_PX, CROP_PX), interpolation=up), np.uint8)


def _noise(crop: Pixels, rng: Rng) -> Pixels:
    """Add a sensor's grain, of one pixel or a little more."""
    side = CROP_PX if rng.random() < 0.6 else CROP_PX // 2
    grain = rng.standard_normal((side, side, 3), np.float32) * np.float32(rng.uniform(1, 7))
    if side != CROP_PX:
        grain = np.asarray(cv2.resize(grain, (CROP_PX, CROP_PX), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.clip(crop + grain, 0, 255).astype(np.uint8)


def _compress(crop: Pixels, rng: Rng) -> Pixels:
    """Pass the crop through a JPEG or WebP of random quality."""
    quality = int(rng.integers(MIN_JPEG, MAX_JPEG))
    webp = rng.random() < 0.15
    suffix, key = (".webp", cv2.IMWRITE_WEBP_QUALITY) if webp else (".jpg", cv2.IMWRITE_JPEG_QUALITY)
    _, data = cv2.imencode(suffix, crop, [key, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _triple(values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
